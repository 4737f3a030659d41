/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_log.c - where lines of redirections go: files, and /dev/log. Runs in priv.
 *
 * Files are opened with the rights of user _vnet and no more, and for vnet-redird only those that the engine has
 * named: the worker knows numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

enum {
	LOGS_MAX = 1024, /* one for each redirection */
};

struct logfile {
	struct logfile *next;
	uint32_t number; /* never used again */
	bool keep;       /* named since the last sweep */
	char path[sizeof(((struct msg_log_set *)0)->path)];
};

/* A folder on the way may be a symbolic link, so the path alone does not tell that it is no setting of the
 * kernel's. */
static bool
is_log(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC;
}

static int
open_file(struct call *c, const char *path)
{
	AUTO_FD fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);

	if (fd < 0 && errno == ELOOP)
		return fail(c, -ELOOP, "%s is a symbolic link", path);
	if (fd < 0 && errno != EISDIR && errno != ENXIO)
		return fail_errno(c, -errno, "user _vnet cannot write to %s", path);
	if (fd < 0 || !is_log(fd))
		return fail(c, -EINVAL, "%s is not a regular file", path);
	return fd_take(&fd);
}

static int
open_syslog(struct call *c)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	AUTO_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return fail_errno(c, -errno, "cannot send to %s", a.sun_path);
	return fd_take(&fd);
}

static struct logfile *
find(const struct priv *p, const char *path)
{
	struct logfile *l = p->logs;

	while (l && strcmp(l->path, path) != 0)
		l = l->next;
	return l;
}

static int
add(struct priv *p, struct call *c, const char *path, struct logfile **out)
{
	struct logfile *l;
	unsigned n = 0;

	for (l = p->logs; l; l = l->next)
		n++;
	if (n >= LOGS_MAX)
		return fail(c, -ENOSPC, "there are %d logs already, more cannot be", LOGS_MAX);
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	memcpy(l->path, path, sizeof(l->path));
	l->number = ++p->last_log;
	l->next = p->logs;
	p->logs = l;
	*out = l;
	return 0;
}

int
priv_log_set(struct priv *p, struct call *c)
{
	const char *path = c->m->u.log_set.path;
	struct logfile *l = find(p, path);
	AUTO_FD fd = open_file(c, path);
	int r = 0;

	if (fd < 0)
		return fd;
	if (!l)
		r = add(p, c, path, &l);
	if (r < 0)
		return r;
	l->keep = true;
	snprintf(c->text, sizeof(c->text), "%u", l->number);
	return 0;
}

int
priv_log_sweep(struct priv *p, struct call *c)
{
	struct logfile **at = &p->logs;

	(void)c;
	while (*at) {
		struct logfile *l = *at;

		if (l->keep) {
			l->keep = false;
			at = &l->next;
		} else {
			*at = l->next;
			free(l);
		}
	}
	return 0;
}

int
priv_log_take(struct priv *p, struct call *c)
{
	const struct logfile *l = p->logs;
	uint32_t number = c->m->u.log_take.log;
	int fd;

	while (l && l->number != number)
		l = l->next;
	if (number && !l)
		return -ENOENT;
	fd = number ? open_file(c, l->path) : open_syslog(c);
	if (fd < 0)
		return fd;
	give(c, fd);
	return 0;
}

void
priv_log_fini(struct priv *p)
{
	while (p->logs) {
		struct logfile *l = p->logs;

		p->logs = l->next;
		free(l);
	}
}
