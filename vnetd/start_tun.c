/* SPDX-License-Identifier: GPL-2.0-or-later
 * start_tun.c - a tun node that user _vnet can open. Runs as root.
 *
 * One open is one tap, so priv must be able to open the node for every guest, long after it gave root up.
 * Most systems have /dev/net/tun with mode 0666. Where they do not, we make a node of our own in a tmpfs
 * that is mounted nowhere: only its descriptor exists, and the host's node stays as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/fd.h"
#include "vnetd/start.h"

enum { TUN_MAJOR = 10, TUN_MINOR = 200 };

/* Really tries it, so that groups, ACLs and device rules all count. */
static bool
can_open(int dir, uid_t uid, gid_t gid)
{
	AUTO_FD fd = -1;

	if (setegid(gid) < 0 || seteuid(uid) < 0)
		return false;
	fd = openat(dir, "tun", O_RDWR | O_CLOEXEC);
	if (seteuid(0) < 0 || setegid(0) < 0)
		log_fatal(errno, "cannot become root again");
	return fd >= 0;
}

static int
own_node(uid_t uid, gid_t gid)
{
	AUTO_FD fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	AUTO_FD dir = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	dir = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (dir < 0 || mknodat(dir, "tun", S_IFCHR | 0600, makedev(TUN_MAJOR, TUN_MINOR)) < 0 ||
	    fchownat(dir, "tun", uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return fd_take(&dir);
}

/* What opening a node says about the kernel. */
static int
probe(int dir)
{
	AUTO_FD fd = openat(dir, "tun", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

int
start_tun(uid_t uid, gid_t gid)
{
	AUTO_FD dir = open("/dev/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	/* priv will have none of root's groups, so they must not help here. */
	setgroups(0, NULL);
	if (dir >= 0 && can_open(dir, uid, gid))
		return fd_take(&dir);
	fd_close(&dir);
	dir = own_node(uid, gid);
	if (dir < 0) {
		log_error(
		    -dir,
		    "user _vnet cannot open /dev/net/tun, and a node of our own cannot be made "
		    "here. Try: chmod 0666 /dev/net/tun");
		return -1;
	}
	r = probe(dir);
	if (r == 0 && can_open(dir, uid, gid))
		return fd_take(&dir);
	if (r == -ENXIO || r == -ENODEV || r == -ENOENT)
		log_error(
		    0, "the kernel has no tun device, so guests cannot attach. Try: modprobe tun "
		       "(kernel option CONFIG_TUN)");
	else
		log_error(
		    -r, "the tun device cannot be opened, not even by root: allow character device "
			"10:200 to this container");
	return -1;
}
