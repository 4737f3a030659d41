/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse.c - see ctl_inuse.h.
 */
#include "vnetd/ctl_inuse.h"

#include <ctype.h>
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/msg.h"
#include "lib/sock_diag.h"
#include "paths.h"

/* One of the process's descriptors is the socket. */
static bool
has_socket(const char *pid, const char *want)
{
	char path[300], target[64];
	bool found = false;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		found = !strcmp(target, want);
	}
	if (d)
		closedir(d);
	return found;
}

static void
read_name(char name[32], const char *pid)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(name, 32, f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void
find_process(struct inuse *u)
{
	struct dirent *e;
	char want[64];
	DIR *d;

	snprintf(want, sizeof(want), "socket:[%u]", u->inode);
	d = opendir("/proc");
	while (d && !u->pid && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, want))
			continue;
		u->pid = atoi(e->d_name);
		read_name(u->name, e->d_name);
	}
	if (d)
		closedir(d);
}

/* The first of them that somebody has. */
static const struct listener *
find_in(const struct listeners *l, enum ip_proto proto, struct host_ports p)
{
	for (unsigned i = 0; i <= p.more; i++) {
		const struct listener *found =
		    listeners_find(l, proto, (uint16_t)(p.first + i), p.host);

		if (found)
			return found;
	}
	return NULL;
}

bool
inuse_on_host(struct inuse *out, enum ip_proto proto, struct host_ports p)
{
	const struct passwd *pw = getpwnam(VNET_USER);
	const struct listener *found;
	int fd = sock_diag_open();
	struct listeners l;

	memset(out, 0, sizeof(*out));
	listeners_init(&l);
	sock_diag_list(fd, proto, pw ? pw->pw_uid : MSG_UID_NONE, &l);
	if (fd >= 0)
		close(fd);
	found = find_in(&l, proto, p);
	if (found) {
		listener_addr(found, out->addr);
		out->port = found->port;
		out->uid = found->uid;
		out->inode = found->inode;
	}
	listeners_fini(&l);
	if (out->inode)
		find_process(out);
	return out->port != 0;
}
