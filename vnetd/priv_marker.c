/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_marker.c - the files promiscAuthorized in the configuration folder and in those of the networks. Runs
 * in priv.
 *
 * Contract: facts only; whether a file counts is the engine's judgement. Nothing is opened, no symbolic link
 * is followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

#define MARKER "promiscAuthorized"

/* Names come and go, and owner, mode and number of names change. Files that are written to beside it wake
 * the engine too, which knows them by their names. */
#define WATCHED                                                                                    \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |        \
	 IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)

/* A folder by its descriptor, so that nothing between us and it can be exchanged. */
static int
watch(int fd, int dir)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", dir);
	return inotify_add_watch(fd, path, WATCHED) < 0 ? -errno : 0;
}

static int
open_net(const struct priv *p, unsigned net)
{
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "vmnet%u", net);
	fd = openat(p->start->config_dir, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
priv_marker_watch(struct priv *p, struct call *c)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), r;

	if (fd < 0)
		return fail_errno(c, -errno, "cannot watch files");
	r = watch(fd, p->start->config_dir);
	for (unsigned net = 0; r == 0 && net < NAMES_NETS; net++) {
		AUTO_FD dir = open_net(p, net);

		if (dir >= 0)
			r = watch(fd, dir);
	}
	if (r < 0) {
		fd_close(&fd);
		return fail_errno(c, r, "%s: cannot watch it", p->start->dirs->config);
	}
	give(c, fd);
	return 0;
}

static void
send_row(struct call *c, int dir, unsigned net)
{
	struct msg m = msg_make(MSG_MARKER_ROW, c->m->id);
	struct msg_marker_row *row = &m.u.marker_row;
	struct stat st;

	if (fstatat(dir, MARKER, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	row->net = (uint16_t)net;
	row->regular = S_ISREG(st.st_mode);
	row->links = (uint32_t)st.st_nlink;
	row->uid = st.st_uid;
	row->mode = st.st_mode;
	chan_send(c->from, &m, NULL, 0);
}

int
priv_marker_list(struct priv *p, struct call *c)
{
	send_row(c, p->start->config_dir, MSG_NET_ALL);
	for (unsigned net = 0; net < NAMES_NETS; net++) {
		AUTO_FD dir = open_net(p, net);

		if (dir >= 0)
			send_row(c, dir, net);
	}
	return 0;
}
