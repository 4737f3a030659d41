/* SPDX-License-Identifier: GPL-2.0-or-later
 * nftevent.c - nf_tables events: finds the table's name in each message. Pure.
 */
#include "natd/nftevent.h"

#include "lib/inet.h"
#include "lib/wire.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>

/* In every message that concerns a table its name is the attribute with this number. */
enum { ATTR_TABLE = NFTA_TABLE_NAME };

static const char our_table[] = "vnetd";

/* Netlink pads to four bytes, but for the last. */
static void
skip_padding(struct rd *r, size_t len)
{
	size_t pad = -len & 3;

	rd_bytes(r, pad < rd_left(r) ? pad : rd_left(r));
}

/* The attribute with the table's name; false: there is none. */
static bool
find_table(struct rd attrs, struct rd *name)
{
	while (rd_left(&attrs) > 0) {
		struct nlattr a;

		rd_copy(&attrs, &a, sizeof(a));
		if (attrs.bad || a.nla_len < sizeof(a))
			return false;
		*name = rd_sub(&attrs, a.nla_len - sizeof(a));
		if (attrs.bad)
			return false;
		if ((a.nla_type & NLA_TYPE_MASK) == ATTR_TABLE)
			return true;
		skip_padding(&attrs, a.nla_len);
	}
	return false;
}

static unsigned
decode_message(const struct nlmsghdr *nlh, struct rd body)
{
	struct nfgenmsg nfg;
	struct rd name;

	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWGEN)
		return 0;
	rd_copy(&body, &nfg, sizeof(nfg));
	if (body.bad || !find_table(body, &name))
		return 0;
	if (nfg.nfgen_family == NFPROTO_INET && rd_left(&name) == sizeof(our_table) &&
	    memcmp(name.p, our_table, sizeof(our_table)) == 0)
		return NFTEVENT_OURS;
	return NFTEVENT_OTHERS;
}

unsigned
nftevent_decode(const void *buf, size_t len)
{
	struct rd r = rd_init(buf, len);
	unsigned bits = 0;

	while (rd_left(&r) > 0) {
		struct nlmsghdr nlh;
		struct rd body;

		rd_copy(&r, &nlh, sizeof(nlh));
		if (r.bad || nlh.nlmsg_len < sizeof(nlh))
			break;
		body = rd_sub(&r, nlh.nlmsg_len - sizeof(nlh));
		if (r.bad)
			break;
		bits |= decode_message(&nlh, body);
		skip_padding(&r, nlh.nlmsg_len);
	}
	return bits;
}
