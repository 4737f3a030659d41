/* SPDX-License-Identifier: GPL-2.0-or-later
 * nftevent.c - nf_tables events: finds the table's name in each message. Pure.
 */
#include "natd/nftevent.h"

#include "lib/inet.h"
#include "lib/nlread.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

/* In every message that concerns a table its name is the attribute with this number. */
enum { ATTR_TABLE = NFTA_TABLE_NAME };

static const char our_table[] = "vnetd";

static unsigned
decode_message(const struct nlmsghdr *nlh, struct rd body)
{
	struct nfgenmsg nfg;
	struct rd name;

	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN)
		return 0;
	rd_copy(&body, &nfg, sizeof(nfg));
	if (body.bad || !nlread_attr(body, ATTR_TABLE, &name))
		return 0;
	if (nfg.nfgen_family == NFPROTO_INET && rd_left(&name) == sizeof(our_table) &&
	    memcmp(name.p, our_table, sizeof(our_table)) == 0)
		return NFTEVENT_OURS;
	return NFTEVENT_OTHERS;
}

unsigned
nftevent_decode(const void *buf, size_t len)
{
	struct rd r = rd_init(buf, len), body;
	struct nlmsghdr nlh;
	unsigned bits = 0;

	while (nlread_msg(&r, &nlh, &body))
		bits |= decode_message(&nlh, body);
	return bits;
}
