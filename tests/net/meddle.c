/* SPDX-License-Identifier: GPL-2.0-or-later
 * meddle.c - preloaded: has somebody else change a rule set between the preparations of our transaction and its being sent.
 */
#include "spoil.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

void
spoil(const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return;
	unsetenv("LD_PRELOAD"); /* that is for us, not for nft */
	if (system("nft add table ip other") != 0)
		abort();
}
