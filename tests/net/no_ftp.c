/* SPDX-License-Identifier: GPL-2.0-or-later
 * no_ftp.c - preloaded into vnetd: makes this kernel refuse the FTP helper as one without it does.
 *
 * The helper that an object asks for gets a name that no kernel knows; the refusal is then the kernel's own.
 */
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
spoil_helper(const struct nlmsghdr *nlh)
{
	const struct nlattr *a, *inner;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) != NFTA_OBJ_DATA)
			continue;
		mnl_attr_for_each_nested(inner, a)
		{
			char *name = mnl_attr_get_payload(inner);

			if (mnl_attr_get_type(inner) == NFTA_CT_HELPER_NAME && !strcmp(name, "ftp"))
				memcpy(name, "xyz", 3);
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
			if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWOBJ))
				spoil_helper(nlh);
	return next(fd, buf, len, flags, to, addrlen);
}
