/* SPDX-License-Identifier: GPL-2.0-or-later
 * start_dirs.c - the folders of the suite, made and given to user _vnet. Runs as root.
 *
 * Contract: below a folder that belongs to _vnet no symbolic link is followed and nothing is changed by
 * path: only what an opened descriptor shows to be a folder, or a file with one name, gets a new owner.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "vnetd/names.h"
#include "vnetd/start.h"

enum { DIR_MODE = 0755 };

/* mkdir -p. Parents belong to root. */
static int
make_path(const char *path)
{
	char part[4096];
	const char *slash = path;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdir(part, DIR_MODE) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdir(path, DIR_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

static int
open_path(const char *path)
{
	int r = make_path(path), fd;

	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		r = -errno;
	}
	log_error(-r, "%s: cannot make or open this folder", path);
	return -1;
}

static void
own(int fd, const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_uid != uid || st.st_gid != gid) &&
	    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink == 1)))
		if (fchown(fd, uid, gid) < 0)
			log_warn(errno, "%s: cannot give it to user _vnet", name);
}

static int
open_in(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Calls visit(fd of vmnetN, ...) for every network's folder below `root`. */
static void
each_network(int root, void (*visit)(int dir, uid_t uid, gid_t gid), uid_t uid, gid_t gid)
{
	int copy = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!d) {
		fd_close(&copy);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		AUTO_FD fd = names_bridge_parse(NULL, e->d_name) ? open_in(root, e->d_name) : -1;

		if (fd >= 0) {
			own(fd, e->d_name, uid, gid);
			visit(fd, uid, gid);
		}
	}
	closedir(d);
}

/* Only the folders: files are replaced, not written, and may be anybody's. */
static void
own_conf_folders(int dir, uid_t uid, gid_t gid)
{
	static const char *const names[] = {"dhcpd", "nat"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FD fd = openat(dir, names[i], O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			own(fd, names[i], uid, gid);
	}
}

/* Lease files are appended to; one that root restored from a backup must be writable. */
static void
own_leases(int dir, uid_t uid, gid_t gid)
{
	static const char *const names[] = {"dhcpd.leases", "dhcpd.leases~"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FD fd = open_in(dir, names[i]);

		if (fd >= 0)
			own(fd, names[i], uid, gid);
	}
}

int
start_config_dir(const char *path, uid_t uid, gid_t gid)
{
	int fd = open_path(path);

	if (fd < 0)
		return -1;
	own(fd, path, uid, gid);
	each_network(fd, own_conf_folders, uid, gid);
	return fd;
}

int
start_state_dir(const char *path, uid_t uid, gid_t gid)
{
	int fd = open_path(path);

	if (fd < 0)
		return -1;
	own(fd, path, uid, gid);
	each_network(fd, own_leases, uid, gid);
	return fd;
}

/* root's own: what is in it is opened here and passed on. `empty` is the root of our children, so nobody
 * may ever put anything there. */
int
start_run_dir(const char *path)
{
	int fd = open_path(path);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (st.st_uid != 0 || st.st_mode & 022)) {
		log_error(0, "%s: must belong to root and be writable by nobody else", path);
		fd_close(&fd);
	} else if (mkdirat(fd, "empty", 0555) < 0 && errno != EEXIST) {
		log_error(errno, "%s/empty: cannot make this folder", path);
		fd_close(&fd);
	} else if (fstatat(fd, "empty", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
		   st.st_uid != 0 || (st.st_mode & 0222) != 0) {
		log_error(0, "%s/empty: not an empty folder of root with mode 0555. Remove it",
			  path);
		fd_close(&fd);
	}
	return fd;
}

/* The process id in the file; 0 when there is none. */
static pid_t
read_pid(int fd)
{
	char buf[16] = "";
	long v = 0;

	if (pread(fd, buf, sizeof(buf) - 1, 0) <= 0)
		return 0;
	for (const char *p = buf; isdigit((unsigned char)*p) && v < 1 << 30; p++)
		v = v * 10 + (*p - '0');
	return (pid_t)v;
}

int
start_lock(const char *run_dir, bool write, pid_t *holder)
{
	char path[4096], pid[16];
	struct stat mine, there;
	int fd, len, flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

	snprintf(path, sizeof(path), "%s/vnetd.pid", run_dir);
	for (;;) {
		fd = open(path, flags, 0644);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			int r = -errno;

			*holder = read_pid(fd);
			fd_close(&fd);
			return r;
		}
		/* A teardown may have removed the file between the two calls. */
		if (fstat(fd, &mine) == 0 && stat(path, &there) == 0 &&
		    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
			break;
		fd_close(&fd);
	}
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (write && (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) < 0))
		log_warn(errno, "%s: cannot write it", path);
	return fd;
}

bool
start_is_listening(const char *path)
{
	FILE *f = fopen("/proc/net/unix", "re");
	bool found = false;
	char line[512];

	/* Num RefCount Protocol Flags Type St Inode Path; flag 0x10000: listening. */
	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned long sock_flags;
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*s %*s %*s %lx %*s %*s %*s %n", &sock_flags, &at) == 1 && at > 0)
			found = sock_flags & 0x10000 && !strcmp(line + at, path);
	}
	if (f)
		fclose(f);
	return found;
}
