/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_plan_test.c - NAT rows -> the table inet vnetd, compared with golden texts in nft's grammar.
 *
 * That the kernel is told what these texts say is tested in tests/net/test_nat.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdint.h>

#include <cmocka.h>

#include "golden.h"
#include "nft_sample.h"
#include "lib/util.h"
#include "vnetd/priv_nft_conn.h"
#include "vnetd/priv_nft_plan.h"

#define IP(a, b, c, d) ((struct ip4){(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)})

static struct nft_plan plan; /* large */

static int
begin(void **state UNUSED)
{
	nft_plan_init(&plan, &(struct msg_nat_begin){.forward_others = false});
	return 0;
}

static int
end(void **state UNUSED)
{
	nft_plan_fini(&plan);
	return 0;
}

static void
make(const char *name)
{
	struct nft_sample s;

	assert_true(nft_sample(&s, name));
	nft_plan_init(&plan, &s.begin);
	for (size_t i = 0; i < s.nnets; i++)
		assert_int_equal(nft_plan_net(&plan, &s.nets[i]), 0);
	for (size_t i = 0; i < s.nforwards; i++)
		assert_int_equal(nft_plan_forward(&plan, &s.forwards[i]), 0);
	for (size_t i = 0; i < s.ncaptures; i++)
		assert_int_equal(nft_plan_capture(&plan, &s.captures[i]), 0);
}

static void
check(const char *file)
{
	struct strbuf b;

	assert_int_equal(plan.err, 0);
	strbuf_init(&b);
	nft_text_plan(&b, &plan);
	assert_false(b.bad);
	golden(file, strbuf_str(&b));
	strbuf_fini(&b);
}

/* Nothing configured: the chains are there all the same, and other interfaces are not routed. */
static void
an_empty_plan(void **state UNUSED)
{
	make("empty");
	check("nft-empty.nft");
}

/* A host that was a router before us. */
static void
an_empty_plan_of_a_router(void **state UNUSED)
{
	make("router");
	check("nft-router.nft");
}

static void
one_nat_and_one_hostonly(void **state UNUSED)
{
	make("two");
	check("nft-two.nft");
}

static void
all_kinds(void **state UNUSED)
{
	make("all");
	check("nft-all.nft");
	/* A kernel without timeout objects. */
	plan.no_timeouts = true;
	check("nft-all-no-timeouts.nft");
}

static void
ways_out(void **state UNUSED)
{
	make("ways");
	check("nft-ways.nft");
	/* A kernel that cannot follow FTP. */
	plan.no_ftp = true;
	check("nft-ways-no-ftp.nft");
}

/* Connections of networks with NAT, but for one whose way out is looked at packet by packet. */
static void
flows(void **state UNUSED)
{
	make("flows");
	check("nft-flows.nft");
	/* A kernel without flowtables. */
	plan.no_flowtable = true;
	check("nft-flows-no-flowtable.nft");
}

/* Nobody's connections would be in it. */
static void
no_flowtable_without_a_network_for_it(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(8), h = nft_sample_net(1);

	h.nat = false;
	strcpy(n.egress, "eth1");
	nft_plan_init(&plan, &(struct msg_nat_begin){.flowtable = true});
	assert_int_equal(nft_plan_net(&plan, &h), 0);
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_false(nft_plan_has_flowtable(&plan));
	n = nft_sample_net(9);
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_true(nft_plan_has_flowtable(&plan));
	plan.flowtable = false;
	assert_false(nft_plan_has_flowtable(&plan));
}

/* A forward to a guest's FTP server is one that the helper must know, in a change, too. */
static void
ftp_servers_of_guests(void **state UNUSED)
{
	struct msg_nat_net followed = nft_sample_net(8), other = nft_sample_net(9);
	struct msg_nat_forward f = nft_sample_forward(8, PROTO_TCP, 8887);
	struct nft_elem e;

	followed.ftp = true;
	assert_int_equal(nft_plan_net(&plan, &followed), 0);
	assert_int_equal(nft_plan_net(&plan, &other), 0);
	assert_false(nft_forward_is_ftp(&plan, &f));
	f.guest_port = 21;
	assert_true(nft_forward_is_ftp(&plan, &f));
	e = nft_ftp_elem(&f);
	assert_int_equal(e.klen, 2);
	assert_int_equal(e.key[0] << 8 | e.key[1], 8887);
	f.proto = PROTO_UDP;
	assert_false(nft_forward_is_ftp(&plan, &f));
	f.proto = PROTO_TCP;
	f.net = 9;
	assert_false(nft_forward_is_ftp(&plan, &f));
}

static void
count(const struct nft_elem *e UNUSED, void *arg)
{
	++*(size_t *)arg;
}

/* The number of rules does not depend on the number of networks and forwards: only sets grow. */
static void
only_sets_grow(void **state UNUSED)
{
	struct msg_nat_net n;
	struct msg_nat_forward f;
	size_t elems = 0;

	for (uint16_t i = 0; i < 250; i++) {
		n = nft_sample_net(i);
		assert_int_equal(nft_plan_net(&plan, &n), 0);
	}
	for (unsigned i = 1; i <= 65535; i++) {
		f = nft_sample_forward((uint16_t)(i % 250), PROTO_TCP, (uint16_t)i);
		assert_int_equal(nft_plan_forward(&plan, &f), 0);
	}
	nft_plan_elems(&plan, NFT_MAP_FORWARDS, count, &elems);
	assert_int_equal(elems, 65535);
	elems = 0;
	nft_plan_elems(&plan, NFT_SET_HAIRPIN, count, &elems);
	assert_int_equal(elems, 250);
	assert_int_equal(plan.ntimeouts, 1);
}

static void
refused_net(struct msg_nat_net n, const char *why)
{
	nft_plan_fini(&plan);
	assert_int_equal(nft_plan_net(&plan, &n), -EINVAL);
	assert_int_equal(plan.err, -EINVAL);
	assert_string_equal(plan.why, why);
}

static void
bad_networks_are_refused(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(8);

	n.net = 256;
	refused_net(n, "vmnet256 is not a network, or comes twice");
	n = nft_sample_net(8);
	n.len = 31;
	refused_net(n, "vmnet8: 10.8.0.0/31 is not a subnet");
	n = nft_sample_net(8);
	n.subnet = IP(10, 8, 0, 1);
	refused_net(n, "vmnet8: 10.8.0.1/24 is not a subnet");
	n = nft_sample_net(8);
	n.gateway = IP(10, 9, 0, 2);
	refused_net(n, "vmnet8: an address of the host is outside 10.8.0.0/24");
	n = nft_sample_net(8);
	n.host = IP(10, 8, 0, 255);
	refused_net(n, "vmnet8: an address of the host is outside 10.8.0.0/24");
	n = nft_sample_net(8);
	n.snat_lo = 2;
	n.snat_hi = 1;
	refused_net(n, "vmnet8: no ports to go out from");
	n = nft_sample_net(8);
	n.low_udp.len = 3;
	refused_net(n, "vmnet8: no ports to go out from");
	n = nft_sample_net(8);
	n.host = n.gateway = IP(0, 0, 0, 0);
	refused_net(n, "vmnet8: NAT without a gateway address");
	nft_plan_fini(&plan);
	n = nft_sample_net(8);
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_int_equal(nft_plan_net(&plan, &n), -EINVAL);
}

static void
refused_forward(struct msg_nat_forward f, const char *why)
{
	struct msg_nat_net n = nft_sample_net(8), h = nft_sample_net(1);
	struct msg_nat_forward good = nft_sample_forward(8, PROTO_TCP, 22);

	h.nat = false;
	nft_plan_fini(&plan);
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_int_equal(nft_plan_net(&plan, &h), 0);
	assert_int_equal(nft_plan_forward(&plan, &good), 0);
	assert_int_equal(nft_plan_forward(&plan, &f), -EINVAL);
	assert_string_equal(plan.why, why);
}

static void
bad_captures_are_refused(void **state UNUSED)
{
	struct msg_nat_capture m = {
	    .addr = {16, {[10] = 0xff, [11] = 0xff, 10, 8, 0, 1}}, .port = 80, .to_port = 10080};

	assert_int_equal(nft_plan_capture(&plan, &m), 0);
	assert_int_equal(nft_plan_capture(&plan, &m), -EINVAL);
	assert_string_equal(plan.why, "port 80 of 10.8.0.1 is captured twice");
	m.addr.b[15]++;
	assert_int_equal(nft_plan_capture(&plan, &m), 0);
	m.addr.b[0] = 0x20;
	assert_int_equal(nft_plan_capture(&plan, &m), 0);
	assert_int_equal(nft_plan_capture(&plan, &m), -EINVAL);
	m.port = 0;
	assert_int_equal(nft_plan_capture(&plan, &m), -EINVAL);
	for (m.port = 1000; plan.ncaptures < NAT_CAPTURES_MAX; m.port++)
		assert_int_equal(nft_plan_capture(&plan, &m), 0);
	assert_int_equal(nft_plan_capture(&plan, &m), -EINVAL);
}

static void
bad_forwards_are_refused(void **state UNUSED)
{
	struct msg_nat_forward f = nft_sample_forward(8, PROTO_TCP, 80);

	f.guest = IP(10, 9, 0, 130);
	refused_forward(f, "vmnet8: forward tcp 80 leads to 10.9.0.130, outside the NAT network");
	f = nft_sample_forward(8, PROTO_UDP, 80);
	f.guest = IP(10, 8, 0, 255);
	refused_forward(f, "vmnet8: forward udp 80 leads to 10.8.0.255, outside the NAT network");
	refused_forward(nft_sample_forward(1, PROTO_TCP, 80),
			"vmnet1: forward tcp 80 leads to 10.1.0.130, outside the NAT network");
	refused_forward(nft_sample_forward(7, PROTO_TCP, 80),
			"vmnet7: forward tcp 80 leads to 10.7.0.130, outside the NAT network");
	refused_forward(nft_sample_forward(8, PROTO_TCP, 22), "vmnet8: forward tcp 22 comes twice");
	refused_forward(nft_sample_forward(8, PROTO_TCP, 0),
			"vmnet8: a forward has no protocol or port");
	refused_forward(nft_sample_forward(8, PROTO_N, 80),
			"vmnet8: a forward has no protocol or port");
}

/* From outside by a forward, out, between two networks, of the host, of nobody. */
static void
connections_belong_to_guests(void **state UNUSED)
{
	struct nft_ct_entry e = {.orig = {6, IP(198, 51, 100, 2), IP(192, 0, 2, 1), 40000, 8080},
				 .reply = {6, IP(10, 8, 0, 130), IP(198, 51, 100, 2), 80, 40000},
				 .status = IPS_DST_NAT | IPS_SEEN_REPLY,
				 .tcp_state = 3,
				 .counted = true,
				 .bytes_orig = 10,
				 .bytes_reply = 20,
				 .age_s = 5};
	struct msg_conn_row row;

	make("all");
	assert_true(nft_conn_row(&row, &plan, MSG_NET_ALL, &e));
	assert_int_equal(row.net, 8);
	assert_true(row.inward);
	assert_int_equal(row.forward, 8080);
	assert_int_equal(row.by.h, IP(192, 0, 2, 1).h);
	assert_int_equal(row.guest.h, IP(10, 8, 0, 130).h);
	assert_int_equal(row.guest_port, 80);
	assert_int_equal(row.peer_port, 40000);
	assert_int_equal(row.state, CONN_ESTABLISHED);
	assert_int_equal(row.bytes_in, 10);
	assert_int_equal(row.bytes_out, 20);
	assert_false(nft_conn_row(&row, &plan, 9, &e));
	/* The same from a guest of the same network: it stays the forward's. */
	e.orig.src = IP(10, 8, 0, 131);
	assert_true(nft_conn_row(&row, &plan, 8, &e));
	assert_true(row.inward);
	assert_int_equal(row.peer.h, IP(10, 8, 0, 131).h);
	/* Out. */
	e = (struct nft_ct_entry){.orig = {17, IP(10, 8, 0, 130), IP(8, 8, 8, 8), 1000, 53},
				  .reply = {17, IP(8, 8, 8, 8), IP(192, 0, 2, 1), 53, 1000},
				  .bytes_orig = 1,
				  .bytes_reply = 2};
	assert_true(nft_conn_row(&row, &plan, 8, &e));
	assert_false(row.inward);
	assert_int_equal(row.forward, 0);
	assert_int_equal(row.state, CONN_UNANSWERED);
	assert_int_equal(row.peer.h, IP(8, 8, 8, 8).h);
	assert_int_equal(row.bytes_in, 2);
	e.status = IPS_SEEN_REPLY;
	assert_true(nft_conn_row(&row, &plan, 8, &e));
	assert_int_equal(row.state, CONN_ANSWERED);
	assert_int_equal(row.left_s, 0);
	/* Between two: of the one that began, or of the one that is asked for. */
	e.orig.dst = e.reply.src = IP(10, 255, 0, 9);
	assert_true(nft_conn_row(&row, &plan, MSG_NET_ALL, &e));
	assert_int_equal(row.net, 8);
	assert_true(nft_conn_row(&row, &plan, 255, &e));
	assert_int_equal(row.net, 255);
	assert_true(row.inward);
	/* The host's own addresses. */
	e.orig.src = IP(10, 8, 0, 1);
	e.reply.src = IP(198, 51, 100, 2);
	assert_false(nft_conn_row(&row, &plan, MSG_NET_ALL, &e));
	e.orig.src = IP(198, 51, 100, 2);
	assert_false(nft_conn_row(&row, &plan, MSG_NET_ALL, &e));
}

/* The kernel tells neither state nor time of what is in a flowtable. */
static void
connections_in_a_flowtable_are_established(void **state UNUSED)
{
	struct nft_ct_entry e = {.orig = {6, IP(10, 8, 0, 130), IP(8, 8, 8, 8), 1000, 443},
				 .reply = {6, IP(8, 8, 8, 8), IP(192, 0, 2, 1), 443, 1000},
				 .status =
				     IPS_SRC_NAT | IPS_SEEN_REPLY | IPS_ASSURED | IPS_OFFLOAD};
	struct msg_conn_row row;

	make("all");
	assert_true(nft_conn_row(&row, &plan, 8, &e));
	assert_int_equal(row.state, CONN_ESTABLISHED);
	assert_int_equal(row.left_s, UINT32_MAX);
	/* Somebody else's. */
	e.orig.proto = e.reply.proto = 17;
	assert_true(nft_conn_row(&row, &plan, 8, &e));
	assert_int_equal(row.state, CONN_ANSWERED);
	assert_int_equal(row.left_s, UINT32_MAX);
}

static struct nft_change change;

/* What goes must be there exactly so; the port is free again at once. */
static void
a_change_goes_into_the_plan(void **state UNUSED)
{
	struct msg_nat_forward there = nft_sample_forward(8, PROTO_TCP, 8080), moved = there;
	size_t elems = 0;

	change = (struct nft_change){.ngone = 0};
	make("all");
	moved.guest = IP(10, 8, 0, 131);
	assert_int_equal(nft_change_gone(&change, &plan, &there), 0);
	assert_false(nft_plan_has_port(&plan, PROTO_TCP, 8080));
	assert_int_equal(nft_change_come(&change, &plan, &moved), 0);
	assert_true(nft_plan_has_port(&plan, PROTO_TCP, 8080));
	assert_int_equal(change.ngone, 1);
	assert_int_equal(change.gone[0].guest.h, there.guest.h);
	assert_int_equal(change.ncome, 1);
	assert_int_equal(change.come[0].guest.h, moved.guest.h);
	nft_plan_elems(&plan, NFT_MAP_FORWARDS, count, &elems);
	assert_int_equal(elems, 3);
	assert_int_equal(plan.err, 0);
	assert_int_equal(nft_change_gone(&change, &plan, &there), -EINVAL);
	assert_string_equal(plan.why, "vmnet8: forward tcp 8080 is not in the plan");
	assert_int_equal(nft_change_come(&change, &plan, &moved), -EINVAL);
	assert_int_equal(change.ngone + change.ncome, 2);
}

/* Without a forward no connection is asked whether it is for one. */
static void
the_first_forward_brings_chains(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(8);
	struct msg_nat_forward f = nft_sample_forward(8, PROTO_TCP, 1);

	change = (struct nft_change){.ngone = 0};
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_false(nft_plan_has_chain(&plan, NFT_CHAIN_PREROUTING) ||
		     nft_plan_has_chain(&plan, NFT_CHAIN_OUTPUT));
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_true(change.rules);
	assert_true(nft_plan_has_chain(&plan, NFT_CHAIN_PREROUTING) &&
		    nft_plan_has_chain(&plan, NFT_CHAIN_OUTPUT));
	change = (struct nft_change){.ngone = 0};
	assert_int_equal(nft_change_gone(&change, &plan, &f), 0);
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_false(change.rules);
}

/* Rules that ask for the address of the host are there when there is such a forward. */
static void
the_first_bound_forward_brings_rules(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(8);
	struct msg_nat_forward f = nft_sample_forward(8, PROTO_TCP, 1);

	change = (struct nft_change){.ngone = 0};
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_false(nft_plan_has_set(&plan, NFT_MAP_BOUND_TCP));
	change = (struct nft_change){.ngone = 0};
	f.host = IP(192, 0, 2, 1);
	f.port = 2;
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_true(change.rules && nft_plan_has_set(&plan, NFT_MAP_BOUND_TCP));
	change = (struct nft_change){.ngone = 0};
	f.port = 3;
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_false(change.rules);
}

/* So is the one that looks for FTP that forwards lead to. */
static void
the_first_forward_of_ftp_brings_its_rule(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(8);
	struct msg_nat_forward f = nft_sample_forward(8, PROTO_TCP, 1);

	change = (struct nft_change){.ngone = 0};
	n.ftp = true;
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_false(nft_plan_has_set(&plan, NFT_SET_FTP_PORTS));
	change = (struct nft_change){.ngone = 0};
	f.guest_port = NFT_FTP_PORT;
	f.port = 2;
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_true(change.rules && nft_plan_has_set(&plan, NFT_SET_FTP_PORTS));
	change = (struct nft_change){.ngone = 0};
	assert_int_equal(nft_change_gone(&change, &plan, &f), 0);
	f.port = 3;
	assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	assert_false(change.rules);
	plan.no_ftp = true;
	assert_false(nft_plan_has_set(&plan, NFT_SET_FTP_PORTS));
}

static void
a_change_is_small(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(8);
	struct msg_nat_forward f;

	change = (struct nft_change){.ngone = 0};
	assert_int_equal(nft_plan_net(&plan, &n), 0);
	for (uint16_t i = 1; i <= NAT_CHANGES_MAX; i++) {
		f = nft_sample_forward(8, PROTO_TCP, i);
		assert_int_equal(nft_change_come(&change, &plan, &f), 0);
	}
	f = nft_sample_forward(8, PROTO_TCP, NAT_CHANGES_MAX + 1);
	assert_int_equal(nft_change_come(&change, &plan, &f), -EINVAL);
	assert_string_equal(plan.why, "vmnet8: forward tcp 257 is one too many for one change");
	for (uint16_t i = 1; i <= NAT_CHANGES_MAX; i++) {
		f = nft_sample_forward(8, PROTO_TCP, i);
		assert_int_equal(nft_change_gone(&change, &plan, &f), 0);
	}
	assert_int_equal(plan.nforwards, 0);
	assert_int_equal(nft_change_gone(&change, &plan, &f), -EINVAL);
}

/* The first bad row is what the commit reports; BEGIN makes everything good again. */
static void
the_first_failure_sticks(void **state UNUSED)
{
	struct msg_nat_net n = nft_sample_net(300);
	struct msg_nat_forward f = nft_sample_forward(8, PROTO_TCP, 80);

	assert_int_equal(nft_plan_net(&plan, &n), -EINVAL);
	assert_int_equal(nft_plan_forward(&plan, &f), -EINVAL);
	assert_string_equal(plan.why, "vmnet300 is not a network, or comes twice");
	nft_plan_fini(&plan);
	assert_int_equal(plan.err, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_empty_plan, begin, end),
	    cmocka_unit_test_setup_teardown(an_empty_plan_of_a_router, begin, end),
	    cmocka_unit_test_setup_teardown(one_nat_and_one_hostonly, begin, end),
	    cmocka_unit_test_setup_teardown(all_kinds, begin, end),
	    cmocka_unit_test_setup_teardown(ways_out, begin, end),
	    cmocka_unit_test_setup_teardown(flows, begin, end),
	    cmocka_unit_test_setup_teardown(no_flowtable_without_a_network_for_it, begin, end),
	    cmocka_unit_test_setup_teardown(ftp_servers_of_guests, begin, end),
	    cmocka_unit_test_setup_teardown(only_sets_grow, begin, end),
	    cmocka_unit_test_setup_teardown(bad_networks_are_refused, begin, end),
	    cmocka_unit_test_setup_teardown(bad_captures_are_refused, begin, end),
	    cmocka_unit_test_setup_teardown(bad_forwards_are_refused, begin, end),
	    cmocka_unit_test_setup_teardown(a_change_goes_into_the_plan, begin, end),
	    cmocka_unit_test_setup_teardown(connections_belong_to_guests, begin, end),
	    cmocka_unit_test_setup_teardown(the_first_forward_brings_chains, begin, end),
	    cmocka_unit_test_setup_teardown(the_first_bound_forward_brings_rules, begin, end),
	    cmocka_unit_test_setup_teardown(the_first_forward_of_ftp_brings_its_rule, begin, end),
	    cmocka_unit_test_setup_teardown(connections_in_a_flowtable_are_established, begin, end),
	    cmocka_unit_test_setup_teardown(a_change_is_small, begin, end),
	    cmocka_unit_test_setup_teardown(the_first_failure_sticks, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
