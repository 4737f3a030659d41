/* SPDX-License-Identifier: GPL-2.0-or-later
 * nftevent_test.c - datagrams of nf_tables events, whole and broken.
 */
#include "lib/inet.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"
#include "natd/nftevent.h"

struct packet {
	uint8_t b[512];
	size_t len;
};

/* Appends a message about a table; attr: the number of the attribute that names it. */
static void
add(struct packet *p, uint16_t type, uint8_t family, uint16_t attr, const char *table)
{
	size_t n = strlen(table) + 1, start = p->len;
	struct nlmsghdr nlh = {.nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type)};
	struct nfgenmsg nfg = {.nfgen_family = family};
	struct nlattr use = {.nla_len = sizeof(use) + 4, .nla_type = NFTA_TABLE_USE};
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + n), .nla_type = attr};

	p->len += sizeof(nlh);
	memcpy(p->b + p->len, &nfg, sizeof(nfg));
	p->len += sizeof(nfg);
	memcpy(p->b + p->len, &use, sizeof(use));
	p->len += sizeof(use) + 4;
	memcpy(p->b + p->len, &a, sizeof(a));
	memcpy(p->b + p->len + sizeof(a), table, n);
	p->len += (sizeof(a) + n + 3) & ~3u;
	nlh.nlmsg_len = (uint32_t)(p->len - start);
	memcpy(p->b + start, &nlh, sizeof(nlh));
}

static void
tables_are_told_apart(void **state UNUSED)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		const char *table;
		unsigned bits;
	} cases[] = {
	    {NFT_MSG_DELTABLE, NFPROTO_INET, "vnetd", NFTEVENT_OURS},
	    {NFT_MSG_NEWRULE, NFPROTO_INET, "vnetd", NFTEVENT_OURS},
	    {NFT_MSG_DELSETELEM, NFPROTO_INET, "vnetd", NFTEVENT_OURS},
	    {NFT_MSG_NEWRULE, NFPROTO_INET, "vnetd2", NFTEVENT_OTHERS},
	    {NFT_MSG_NEWRULE, NFPROTO_INET, "vnet", NFTEVENT_OTHERS},
	    {NFT_MSG_NEWRULE, NFPROTO_IPV4, "vnetd", NFTEVENT_OTHERS},
	    {NFT_MSG_NEWCHAIN, NFPROTO_IPV4, "filter", NFTEVENT_OTHERS},
	    {NFT_MSG_NEWGEN, NFPROTO_UNSPEC, "vnetd", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet p = {.len = 0};

		add(&p, cases[i].type, cases[i].family, NFTA_TABLE_NAME, cases[i].table);
		assert_int_equal(nftevent_decode(p.b, p.len), cases[i].bits);
	}
}

static void
a_datagram_holds_several_messages(void **state UNUSED)
{
	struct packet p = {.len = 0};

	add(&p, NFT_MSG_DELRULE, NFPROTO_INET, NFTA_TABLE_NAME, "firewalld");
	add(&p, NFT_MSG_DELTABLE, NFPROTO_INET, NFTA_TABLE_NAME, "vnetd");
	add(&p, NFT_MSG_NEWGEN, NFPROTO_UNSPEC, NFTA_TABLE_NAME, "");
	assert_int_equal(nftevent_decode(p.b, p.len), NFTEVENT_OURS | NFTEVENT_OTHERS);
}

static void
messages_of_others_are_nothing(void **state UNUSED)
{
	struct packet p = {.len = 0};
	struct nlmsghdr nlh;

	add(&p, NFT_MSG_DELTABLE, NFPROTO_INET, NFTA_TABLE_NAME, "vnetd");
	memcpy(&nlh, p.b, sizeof(nlh));
	nlh.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8;
	memcpy(p.b, &nlh, sizeof(nlh));
	assert_int_equal(nftevent_decode(p.b, p.len), 0);
	p.len = 0;
	add(&p, NFT_MSG_DELTABLE, NFPROTO_INET, NFTA_TABLE_FLAGS, "vnetd");
	assert_int_equal(nftevent_decode(p.b, p.len), 0);
}

/* Cut anywhere, the bytes are read no further than they go, and nothing is made up. */
static void
cut_datagrams_are_survived(void **state UNUSED)
{
	struct packet p = {.len = 0};
	size_t first;

	add(&p, NFT_MSG_DELTABLE, NFPROTO_INET, NFTA_TABLE_NAME, "vnetd");
	first = p.len;
	for (size_t n = 0; n < first; n++)
		assert_int_equal(nftevent_decode(p.b, n), 0);
	add(&p, NFT_MSG_DELTABLE, NFPROTO_INET, NFTA_TABLE_NAME, "filter");
	for (size_t n = first; n < p.len; n++)
		assert_int_equal(nftevent_decode(p.b, n), NFTEVENT_OURS);
	assert_int_equal(nftevent_decode(p.b, p.len), NFTEVENT_OURS | NFTEVENT_OTHERS);
}

static void
lengths_that_lie_are_survived(void **state UNUSED)
{
	struct packet p = {.len = 0};

	add(&p, NFT_MSG_DELTABLE, NFPROTO_INET, NFTA_TABLE_NAME, "vnetd");
	for (size_t at = 0; at < p.len; at += 2) {
		for (unsigned v = 0; v < 3; v++) {
			struct packet q = p;

			memset(q.b + at, v == 0 ? 0 : v == 1 ? 0xff : 0x05, 2);
			assert_in_range(nftevent_decode(q.b, q.len), 0,
					NFTEVENT_OURS | NFTEVENT_OTHERS);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_are_told_apart),
	    cmocka_unit_test(a_datagram_holds_several_messages),
	    cmocka_unit_test(messages_of_others_are_nothing),
	    cmocka_unit_test(cut_datagrams_are_survived),
	    cmocka_unit_test(lengths_that_lie_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
