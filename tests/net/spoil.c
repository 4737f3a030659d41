/* SPDX-License-Identifier: GPL-2.0-or-later
 * spoil.c - sendto() as a preloaded library has it: shows what is sent to the kernel to spoil().
 */
#include "spoil.h"

#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t addrlen);

ssize_t
sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t addrlen)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	int left = (int)len;

	*(void **)&next = dlsym(RTLD_NEXT, "sendto");
	if (to && to->sa_family == AF_NETLINK)
		for (const struct nlmsghdr *nlh = buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			spoil(nlh);
	return next(fd, buf, len, flags, to, addrlen);
}
