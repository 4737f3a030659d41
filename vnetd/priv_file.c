/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_file.c - opens, replaces and watches files for processes that have no file system. Runs in priv.
 *
 * Contract: configuration and leases only below the two folders that start-up opened, by enum and network
 * number; some files of the host by enum. priv copies contents, it never looks at them. What is opened
 * for a child is a regular file, so that no child can be made to hang on a FIFO.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

enum {
	PATH_CAP = 512,
	CONF_MAX = 1 << 20, /* as conf/ reads it */
	LINKS_MAX = 8,      /* symbolic links on the way to a watched file */
	DIR_MODE = 0755,
	FILE_MODE = 0644, /* root's tools and their users read them */
};

static const char *const host_files[] = {
    [HOST_FILE_RESOLV_CONF] = "/etc/resolv.conf",
    [HOST_FILE_PASSWD] = "/etc/passwd",
    [HOST_FILE_GROUP] = "/etc/group",
    [HOST_FILE_SERVICES] = "/etc/services",
    [HOST_FILE_HOSTS] = "/etc/hosts",
};

static_assert(sizeof(host_files) / sizeof(host_files[0]) == HOST_FILE_N, "every host file");

/* Where a configuration file is, below the configuration folder. */
struct place {
	char dir[32];
	const char *name;
	char path[64];
};

static struct place
place_of(enum conf_file_id file, unsigned net)
{
	struct place at = {.dir = "."};

	switch (file) {
	case CONF_FILE_NETWORKING:
		at.name = "networking";
		break;
	case CONF_FILE_NETMAP:
		at.name = "netmap.conf";
		break;
	case CONF_FILE_VNETD:
		at.name = "vnetd.conf";
		break;
	case CONF_FILE_DHCPD:
		snprintf(at.dir, sizeof(at.dir), "vmnet%u/dhcpd", net);
		at.name = "dhcpd.conf";
		break;
	case CONF_FILE_NAT:
		snprintf(at.dir, sizeof(at.dir), "vmnet%u/nat", net);
		at.name = "nat.conf";
		break;
	}
	if (!strcmp(at.dir, "."))
		snprintf(at.path, sizeof(at.path), "%s", at.name);
	else
		snprintf(at.path, sizeof(at.path), "%s/%s", at.dir, at.name);
	return at;
}

/* Symbolic links may lead about inside `dir`, never out of it. */
static int
open_beneath(int dir, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (uint64_t)(flags | O_CLOEXEC),
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* fd, if it is a regular file; else it is closed. */
static int
regular(int fd)
{
	struct stat st;
	int r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0)
		return fd;
	fd_close(&fd);
	return r;
}

/* The folder, made as far as it is missing: "vmnet8/dhcpd". Descriptor or -errno. */
static int
make_dir(int root, const char *path)
{
	char part[32];
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash++ - path), path);
		if (mkdirat(root, part, DIR_MODE) < 0 && errno != EEXIST)
			return -errno;
	}
	if (strcmp(path, ".") != 0 && mkdirat(root, path, DIR_MODE) < 0 && errno != EEXIST)
		return -errno;
	return open_beneath(root, path, O_RDONLY | O_DIRECTORY);
}

int
priv_conf_open(struct priv *p, struct call *c)
{
	const struct msg_conf_open *m = &c->m->u.conf_open;
	const struct place at = place_of(m->file, m->net);
	const char *folder = p->start->dirs->config;
	int fd = regular(open_beneath(p->start->config_dir, at.path, O_RDONLY | O_NONBLOCK));

	if (fd == -ENOENT || fd == -ENOTDIR)
		return -ENOENT; /* an answer, not a fault */
	if (fd == -EACCES)
		return fail(c, fd, "%s/%s: user _vnet cannot read it (chmod a+r)", folder, at.path);
	if (fd == -EXDEV)
		return fail(c, fd, "%s/%s: a symbolic link that leads out of %s", folder, at.path,
			    folder);
	if (fd == -EINVAL)
		return fail(c, fd, "%s/%s: not a regular file", folder, at.path);
	if (fd < 0)
		return fail_errno(c, fd, "%s/%s: cannot open it", folder, at.path);
	give(c, fd);
	return 0;
}

/* Copies a sealed memfd. The seals keep its sender from changing it under our hands. */
static int
copy_contents(int to, int from)
{
	char buf[16384];
	off_t at = 0;
	ssize_t n;
	int seals = fcntl(from, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_WRITE))
		return -EINVAL;
	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		if (at + n > CONF_MAX)
			return -EFBIG;
		for (ssize_t done = 0, w; done < n; done += w) {
			w = write(to, buf + done, (size_t)(n - done));
			if (w < 0)
				return -errno;
		}
		at += n;
	}
	return n < 0 ? -errno : 0;
}

/* New contents under a temporary name, on disk, then over the old file: after a power cut there is the old file or the
 * new one. Which one is settled when the folder is on disk. */
static int
replace(int dir, const char *name, int contents)
{
	char temp[48];
	AUTO_FD fd = -1;
	int r;

	snprintf(temp, sizeof(temp), ".%s.new", name);
	/* Left over by a crash; nobody else makes files here under this name. */
	unlinkat(dir, temp, 0);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -errno;
	r = copy_contents(fd, contents);
	/* Not left to the umask that we were started with. */
	if (r == 0 && fchmod(fd, FILE_MODE) < 0)
		r = -errno;
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, temp, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temp, 0);
	return r;
}

int
priv_conf_replace(struct priv *p, struct call *c)
{
	const struct msg_conf_replace *m = &c->m->u.conf_replace;
	const struct place at = place_of(m->file, m->net);
	AUTO_FD dir = make_dir(p->start->config_dir, at.dir);
	int r = dir < 0 ? dir : replace(dir, at.name, c->in[0]);

	if (r < 0)
		return fail_errno(c, r, "%s/%s: cannot write it", p->start->dirs->config, at.path);
	/* The engine goes on meanwhile. Whatever it has done next is done here behind this. */
	c->unsynced = fd_take(&dir);
	return 0;
}

int
priv_conf_remove(struct priv *p, struct call *c)
{
	const struct msg_conf_remove *m = &c->m->u.conf_remove;
	const struct place at = place_of(m->file, m->net);
	AUTO_FD dir = open_beneath(p->start->config_dir, at.dir, O_RDONLY | O_DIRECTORY);

	if (dir == -ENOENT)
		return 0;
	if (dir >= 0 && unlinkat(dir, at.name, 0) < 0 && errno != ENOENT)
		return fail_errno(c, -errno, "%s/%s: cannot remove it", p->start->dirs->config,
				  at.path);
	if (dir < 0)
		return fail_errno(c, dir, "%s/%s: cannot open it", p->start->dirs->config, at.dir);
	fsync(dir);
	return 0;
}

int
priv_host_open(struct priv *p, struct call *c)
{
	const char *path = host_files[c->m->u.host_open.file];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	(void)p;
	fd = regular(fd < 0 ? -errno : fd);
	if (fd < 0)
		return fail_errno(c, fd, "%s: cannot open it", path);
	give(c, fd);
	return 0;
}

/* Watches the folder of `path`, where editors and resolvconf rename their new file to; and the file
 * itself, which is written in place where a container run-time has mounted it. */
static int
watch_one(int fd, const char *path)
{
	const uint32_t in_dir = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR;
	char copy[PATH_CAP];

	snprintf(copy, sizeof(copy), "%s", path);
	inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_DONT_FOLLOW);
	return inotify_add_watch(fd, dirname(copy), in_dir) < 0 ? -errno : 0;
}

/* The next path on a chain of symbolic links, in place. False at its end. */
static bool
follow(char path[PATH_CAP])
{
	char target[PATH_CAP], copy[PATH_CAP], next[2 * PATH_CAP];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	snprintf(copy, sizeof(copy), "%s", path);
	if (target[0] == '/')
		snprintf(next, sizeof(next), "%s", target);
	else
		snprintf(next, sizeof(next), "%s/%s", dirname(copy), target);
	if (strlen(next) >= PATH_CAP)
		return false;
	memcpy(path, next, strlen(next) + 1);
	return true;
}

int
priv_host_watch(struct priv *p, struct call *c)
{
	char path[PATH_CAP];
	int r, links = 0, fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	(void)p;
	if (fd < 0)
		return fail_errno(c, -errno, "cannot watch files");
	snprintf(path, sizeof(path), "%s", host_files[c->m->u.host_watch.file]);
	r = watch_one(fd, path);
	/* Where the link leads may not exist yet; its own folder is watched, so we will hear of it. */
	while (r == 0 && links++ < LINKS_MAX && follow(path))
		if (watch_one(fd, path) < 0)
			break;
	if (r < 0) {
		fd_close(&fd);
		return fail_errno(c, r, "%s: cannot watch it", path);
	}
	give(c, fd);
	return 0;
}

/* VMware's place of the lease file leads to ours, for the tools that read it there. A file that lies
 * there already is somebody's data and stays. */
static void
link_leases(struct priv *p, unsigned net)
{
	static const char name[] = "dhcpd.leases";
	char folder[32], target[PATH_CAP], old[PATH_CAP];
	AUTO_FD dir = -1;
	ssize_t n;

	snprintf(folder, sizeof(folder), "vmnet%u/dhcpd", net);
	snprintf(target, sizeof(target), "%s/vmnet%u/%s", p->start->dirs->state, net, name);
	dir = make_dir(p->start->config_dir, folder);
	if (dir < 0 || symlinkat(target, dir, name) == 0 || errno != EEXIST)
		return;
	n = readlinkat(dir, name, old, sizeof(old) - 1);
	if (n < 0)
		return;
	old[n] = '\0';
	if (strcmp(old, target) != 0 && unlinkat(dir, name, 0) == 0 &&
	    symlinkat(target, dir, name) < 0)
		log_warn(errno, "%s/%s/%s: cannot make the link to %s", p->start->dirs->config,
			 folder, name, target);
}

int
priv_lease_dir(struct priv *p, struct call *c)
{
	unsigned net = c->m->u.lease_dir.net;
	char folder[16];
	int fd;

	snprintf(folder, sizeof(folder), "vmnet%u", net);
	fd = make_dir(p->start->state_dir, folder);
	if (fd < 0)
		return fail_errno(c, fd, "%s/%s: cannot open the folder of the leases",
				  p->start->dirs->state, folder);
	link_leases(p, net);
	give(c, fd);
	return 0;
}
