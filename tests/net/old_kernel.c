/* SPDX-License-Identifier: GPL-2.0-or-later
 * old_kernel.c - preloaded into vnetd: makes this kernel refuse the nf_tables flags owner and
 * persist together, as Linux before 6.9 does.
 *
 * The flags of a new table get a bit that no kernel knows; the refusal is then the kernel's own.
 */
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <sys/socket.h>

enum { OWNER_AND_PERSIST = 0x6, NO_SUCH_FLAG = 0x80000000 };

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t addrlen);

static void
spoil_flags(const struct nlmsghdr *nlh)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		uint32_t *flags = mnl_attr_get_payload(a);

		if (mnl_attr_get_type(a) == NFTA_TABLE_FLAGS &&
		    *flags == __builtin_bswap32(OWNER_AND_PERSIST))
			*flags |= __builtin_bswap32(NO_SUCH_FLAG);
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
			if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
				spoil_flags(nlh);
	return next(fd, buf, len, flags, to, addrlen);
}
