/* SPDX-License-Identifier: GPL-2.0-or-later
 * no_flowtable.c - preloaded into vnetd: makes this kernel refuse flowtables as one without them does.
 *
 * A flowtable that is to be made gets a hook that no kernel knows; the refusal is then the kernel's own.
 */
#include "spoil.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <string.h>

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

void
spoil(const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWFLOWTABLE))
		spoil_hook(nlh);
}
