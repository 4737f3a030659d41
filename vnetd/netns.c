/* SPDX-License-Identifier: GPL-2.0-or-later
 * netns.c - questions to nsfs descriptors. Needs no privilege and no file system.
 */
#include "vnetd/netns.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "lib/fd.h"

int
netns_owner(int fd, uint32_t *uid)
{
	AUTO_FD userns = -1;
	struct statfs fs;
	uid_t owner;

	/* Somebody else's descriptor: its kind is checked before it gets to see an ioctl. */
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -EINVAL;
	userns = ioctl(fd, NS_GET_USERNS);
	if (userns < 0)
		return -errno;
	if (ioctl(userns, NS_GET_OWNER_UID, &owner) < 0)
		return -errno;
	*uid = owner;
	return 0;
}
