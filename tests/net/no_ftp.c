/* SPDX-License-Identifier: GPL-2.0-or-later
 * no_ftp.c - preloaded into vnetd: makes this kernel refuse the FTP helper as one without it does.
 *
 * The helper that an object asks for gets a name that no kernel knows; the refusal is then the kernel's own.
 */
#include "spoil.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdint.h>
#include <string.h>

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

void
spoil(const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWOBJ))
		spoil_helper(nlh);
}
