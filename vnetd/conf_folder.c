/* SPDX-License-Identifier: GPL-2.0-or-later
 * conf_folder.c - reads and replaces the files below the configuration folder.
 */
#include "vnetd/conf_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/strbuf.h"
#include "vnetd/check_logs.h"
#include "vnetd/redirect_files.h"

#define SERVICES_MAX (4u << 20)

static int
open_beneath(int dir, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve};
	long fd;

	do {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : (int)fd;
}

static struct conf_file *
place_of(struct conf_sources *src, enum conf_file_id id, unsigned net)
{
	switch (id) {
	case CONF_FILE_NETWORKING:
		return &src->networking;
	case CONF_FILE_NETMAP:
		return &src->netmap;
	case CONF_FILE_VNETD:
		return &src->vnetd;
	case CONF_FILE_DHCPD:
		return &src->dhcpd[net];
	case CONF_FILE_NAT:
		return &src->nat[net];
	}
	return &src->networking;
}

static bool
read_one(struct conf_folder *f, int dir, enum conf_file_id id, unsigned net, struct strbuf *why)
{
	struct conf_file *place = place_of(&f->src, id, net);
	char name[CONF_FILE_NAME_LEN];
	/* Not blocking: whoever put a fifo there must not hang us. */
	AUTO_FD fd = open_beneath(dir, conf_file_name(id, net, name), O_RDONLY | O_NONBLOCK, 0);
	struct stat st;
	char *text;
	ssize_t len;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return true;
	if (fd < 0) {
		strbuf_addf(why, "cannot read \"%s\": %s", name, strerror(-fd));
		return false;
	}
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		strbuf_addf(why, "\"%s\" is not a regular file", name);
		return false;
	}
	len = fd_read_all(fd, &text, CONF_FILE_MAX);
	if (len < 0) {
		strbuf_addf(why, "cannot read \"%s\": %s", name, strerror((int)-len));
		return false;
	}
	*place = (struct conf_file){text, (size_t)len};
	return true;
}

static void
add_redirect(const char *name, int fd, void *arg)
{
	struct redirect_texts *t = arg;
	char *text = NULL;
	ssize_t len = fd < 0 ? fd : fd_read_all(fd, &text, REDIRECT_FILE_MAX);

	if (len >= 0)
		redirect_texts_add(t, name, text, (size_t)len);
	else
		redirect_texts_unread(t, name,
				      len == -EFBIG ? "is longer than 1 MiB"
				      : len == -EXDEV
					  ? "a symbolic link that leads out of the folder"
					  : strerror((int)-len));
}

/* What is wrong with single files is said when they are judged. */
static bool
read_redirects(struct conf_folder *f, int dir, struct strbuf *why)
{
	int r;

	f->redirect = redirect_texts_new();
	if (!f->redirect) {
		strbuf_add(why, "out of memory");
		return false;
	}
	r = redirect_files(dir, add_redirect, f->redirect);
	if (r == -E2BIG)
		redirect_texts_fail(f->redirect,
				    "more files, deeper folders or longer names than are read");
	else if (r < 0)
		redirect_texts_fail(f->redirect, strerror(-r));
	return true;
}

bool
conf_folder_redirects(struct conf_folder *f, const char *dir, struct diags *d)
{
	AUTO_FD fd = open("/etc/services", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *services = NULL;

	if (!f->redirect)
		return true;
	if (fd >= 0 && fd_read_all(fd, &services, SERVICES_MAX) < 0)
		services = NULL;
	if (!redirect_texts_parse(f->redirect, services, dir, d))
		return false;
	check_logs(&f->redirect->r, d);
	return true;
}

bool
conf_folder_read(struct conf_folder *f, const char *path, struct strbuf *why)
{
	AUTO_FD dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	memset(f, 0, sizeof(*f));
	if (dir < 0) {
		if (errno == ENOENT)
			return true;
		strbuf_addf(why, "cannot open the folder \"%s\": %s", path, strerror(errno));
		return false;
	}
	ok = read_one(f, dir, CONF_FILE_NETWORKING, 0, why) &&
	     read_one(f, dir, CONF_FILE_NETMAP, 0, why) &&
	     read_one(f, dir, CONF_FILE_VNETD, 0, why);
	for (unsigned n = 0; ok && n < CONF_NETS; n++)
		ok = read_one(f, dir, CONF_FILE_DHCPD, n, why) &&
		     read_one(f, dir, CONF_FILE_NAT, n, why);
	return ok && read_redirects(f, dir, why);
}

static void
drop(struct conf_file *file)
{
	free((void *)(uintptr_t)file->text);
	*file = (struct conf_file){0};
}

void
conf_folder_fini(struct conf_folder *f)
{
	drop(&f->src.networking);
	drop(&f->src.netmap);
	drop(&f->src.vnetd);
	for (unsigned n = 0; n < CONF_NETS; n++) {
		drop(&f->src.dhcpd[n]);
		drop(&f->src.nat[n]);
	}
	redirect_texts_unref(f->redirect);
	f->redirect = NULL;
}

/* Opens folder `name` in dir, made for the owner of `top` if it is missing. Descriptor or -errno. */
static int
make_folder(int dir, const char *name, int top)
{
	struct stat st;
	bool made = mkdirat(dir, name, 0755) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return -errno;
	fd = open_beneath(dir, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
	if (fd >= 0 && made && (fstat(top, &st) != 0 || fchown(fd, st.st_uid, st.st_gid) != 0)) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

static int
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Replaces (or removes) one file of an open folder. */
static int
replace(int folder, const char *name, const struct conf_change *c)
{
	char temp[64];
	AUTO_FD fd = -1;
	int r;

	if (!c->text)
		return unlinkat(folder, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
	snprintf(temp, sizeof(temp), ".%s.%d", name, (int)getpid());
	fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = write_all(fd, c->text, c->len);
	/* Whatever the caller's umask says: VMware's tools read these files as anybody. */
	if (r == 0 && (fchmod(fd, 0644) != 0 || fdatasync(fd) != 0 ||
		       renameat(folder, temp, folder, name) != 0 || fsync(folder) != 0))
		r = -errno;
	if (r < 0)
		unlinkat(folder, temp, 0);
	return r;
}

static int
write_one(int top, const struct conf_change *c)
{
	char path[CONF_FILE_NAME_LEN], *name, *slash;
	AUTO_FD folder = -1;

	name = conf_file_name(c->file, c->net, path);
	folder = fcntl(top, F_DUPFD_CLOEXEC, 0);
	while ((slash = strchr(name, '/'))) {
		AUTO_FD parent = fd_take(&folder);

		*slash = '\0';
		folder = make_folder(parent, name, top);
		if (folder < 0)
			return folder;
		name = slash + 1;
	}
	return folder < 0 ? -errno : replace(folder, name, c);
}

bool
conf_folder_write(const char *path, const struct conf_changes *ch, struct strbuf *why)
{
	AUTO_FD top = -1;

	if (ch->bad) {
		strbuf_add(why, "out of memory");
		return false;
	}
	if (mkdir(path, 0755) != 0 && errno != EEXIST) {
		strbuf_addf(why, "cannot make the folder \"%s\": %s", path, strerror(errno));
		return false;
	}
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0) {
		strbuf_addf(why, "cannot open the folder \"%s\": %s", path, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < ch->n; i++) {
		char name[CONF_FILE_NAME_LEN];
		int r = write_one(top, &ch->v[i]);

		if (r < 0) {
			strbuf_addf(why, "cannot write \"%s/%s\": %s", path,
				    conf_file_name(ch->v[i].file, ch->v[i].net, name),
				    strerror(-r));
			return false;
		}
	}
	return true;
}
