/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_marker.c - the files promiscAuthorized in the configuration folder and in those of the networks. Runs
 * in priv.
 *
 * Contract: facts only; whether a file counts is the engine's judgement. No file is opened; no symbolic link
 * is followed, but to tell that there is a marker behind one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

/* A folder by its descriptor, so that nothing between us and it can be exchanged. The marker as well: of a name that
 * it gets or loses elsewhere its folder hears nothing. */
static int
watch(int fd, int dir)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", dir);
	if (inotify_add_watch(fd, path, WATCHED) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/" MARKER, dir);
	inotify_add_watch(fd, path, IN_ATTRIB | IN_DELETE_SELF | IN_DONT_FOLLOW);
	return 0;
}

static int
open_net(const struct priv *p, unsigned net)
{
	char name[NAMES_IFNAME_MAX];
	int fd;

	fd = openat(p->start->config_dir, names_bridge(net, name),
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
send_row(struct call *c, int dir, const char *path, unsigned net, bool linked)
{
	struct msg m = msg_make(MSG_MARKER_ROW, c->m->id);
	struct msg_marker_row *row = &m.u.marker_row;
	struct stat st;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	row->net = (uint16_t)net;
	row->linked = linked;
	row->regular = S_ISREG(st.st_mode);
	row->links = (uint32_t)st.st_nlink;
	row->uid = st.st_uid;
	row->mode = st.st_mode;
	chan_send(c->from, &m, NULL, 0);
}

/* Elsewhere vnetd follows a folder that is a link, so its marker is not passed over in silence. */
static void
send_linked(const struct priv *p, struct call *c, unsigned net)
{
	char path[NAMES_IFNAME_MAX + sizeof("/" MARKER)];
	struct stat st;

	if (fstatat(p->start->config_dir, names_bridge(net, path), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISLNK(st.st_mode))
		return;
	strcat(path, "/" MARKER);
	send_row(c, p->start->config_dir, path, net, true);
}

int
priv_marker_list(struct priv *p, struct call *c)
{
	send_row(c, p->start->config_dir, MARKER, MSG_NET_ALL, false);
	for (unsigned net = 0; net < NAMES_NETS; net++) {
		AUTO_FD dir = open_net(p, net);

		if (dir >= 0)
			send_row(c, dir, MARKER, net, false);
		else if (dir == -ENOTDIR || dir == -ELOOP)
			send_linked(p, c, net);
	}
	return 0;
}
