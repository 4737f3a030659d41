/* SPDX-License-Identifier: GPL-2.0-or-later
 * no_flowtable.c - preloaded into vnetd: makes this kernel refuse flowtables as one without them does.
 *
 * A flowtable that is to be made gets a hook that no kernel knows; the refusal is then the kernel's own.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t addrlen);

static void
spoil_hook(const struct nlmsghdr *nlh)
{
	const struct nlattr *a, *inner;
	const uint32_t no_hook = htonl(99);

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) != NFTA_FLOWTABLE_HOOK)
			continue;
		mnl_attr_for_each_nested(inner, a)
		{
			if (mnl_attr_get_type(inner) == NFTA_FLOWTABLE_HOOK_NUM)
				memcpy(mnl_attr_get_payload(inner), &no_hook, sizeof(no_hook));
		}
	}
}

ssize_t
sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t addrlen)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	int left = (int)len;

	*(void **)&next = dlsym(RTLD_NEXT, "sendto");
	if (to && to->sa_family == AF_NETLINK)
		for (const struct nlmsghdr *nlh = buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWFLOWTABLE))
				spoil_hook(nlh);
	return next(fd, buf, len, flags, to, addrlen);
}
