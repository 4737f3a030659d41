/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_judge_test.c - packets on their way through foreign rules that were read already.
 *
 * tests/net/test_firewall.py does the same with real rule sets in the kernel.
 */
#include "lib/inet.h"

#include <linux/netfilter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"
#include "vnetd/priv_nft_scan.h"

enum { MANY = 64 };

/* A table being written down; the chain that was begun last gets the rules. */
static struct rules {
	struct nft_scan_rules r;
	struct nft_scan_chain chains[MANY];
	struct nft_leg legs[MANY];
	struct nft_leg_elem elems[MANY];
} x;

static int
clear(void **state UNUSED)
{
	memset(&x, 0, sizeof(x));
	x.r.chains = x.chains;
	x.r.legs = x.legs;
	x.r.elems = x.elems;
	return 0;
}

static struct nft_scan_chain *
chain(const char *name)
{
	struct nft_scan_chain *c = &x.chains[x.r.nchains++];

	c->family = NFPROTO_IPV4;
	c->first = x.r.nlegs;
	strcpy(c->table, "filter");
	strcpy(c->name, name);
	return c;
}

static void
base(const char *name, bool forward, bool policy_drop)
{
	struct nft_scan_chain *c = chain(name);

	c->base = true;
	c->forward = forward;
	c->policy_drop = policy_drop;
}

/* in, out: interface names or ""; a '!' in front negates. */
static struct nft_leg *
rule(const char *in, const char *out, unsigned cond, enum nft_leg_verdict v, const char *target)
{
	struct nft_leg *l = &x.legs[x.r.nlegs++];

	l->in.not = in[0] == '!';
	l->out.not = out[0] == '!';
	strcpy(l->in.name, in + l->in.not );
	strcpy(l->out.name, out + l->out.not );
	l->cond = cond;
	l->verdict = v;
	strcpy(l->target, target);
	x.chains[x.r.nchains - 1].n++;
	return l;
}

static void
lets(const char *in, const char *out, unsigned cond)
{
	rule(in, out, cond, NFT_LEG_ACCEPT, "");
}

static void
element(struct nft_leg_set *set, const char *ifname, uint16_t port, enum nft_leg_verdict v,
	const char *target)
{
	struct nft_leg_elem *e = &x.elems[x.r.nelems];

	if (set->n == 0)
		set->first = x.r.nelems;
	strcpy(set->name, "__set0");
	strcpy(e->name, ifname);
	e->port53 = port == 53;
	e->verdict = v;
	strcpy(e->target, target);
	x.r.nelems++;
	set->n++;
}

/* Names of the networks that pass the first chain: vmnet1 and vmnet8 ask, eth0 leads to the
 * outside. */
static void
passes(bool concerns, const char *names)
{
	const uint16_t nets[] = {1, 8};
	const struct nft_scan_question q = {nets, ARRAY_LEN(nets), NULL, "eth0"};
	struct msg_firewall_row row;

	assert_int_equal(nft_judge(&x.r, &x.chains[0], &q, &row), concerns);
	assert_string_equal(row.names, names);
}

static void
an_accepting_chain_does_not_concern_us(void **state UNUSED)
{
	base("FORWARD", true, false);
	lets("docker0", "", 0);
	passes(false, "vmnet1 vmnet8");
}

static void
a_policy_drops_what_nobody_takes(void **state UNUSED)
{
	base("FORWARD", true, true);
	lets("docker0", "", 0);
	lets("", "docker0", NFT_COND_CT);
	passes(true, "");
}

/* One direction is not enough: the answers have to come back. */
static void
both_directions_have_to_pass(void **state UNUSED)
{
	base("FORWARD", true, true);
	lets("vmnet8", "", 0);
	passes(true, "");
	lets("", "vmnet8", 0);
	passes(true, "vmnet8");
}

static void
established_connections_come_back(void **state UNUSED)
{
	base("FORWARD", true, true);
	lets("", "", NFT_COND_CT);
	passes(true, "");
	lets("vmnet8", "eth0", 0);
	passes(true, "vmnet8");
}

static void
the_uplink_may_be_what_is_allowed(void **state UNUSED)
{
	base("FORWARD", true, true);
	lets("", "", NFT_COND_CT);
	lets("", "eth0", 0);
	passes(true, "vmnet1 vmnet8");
}

static void
wildcards_and_negations(void **state UNUSED)
{
	base("FORWARD", true, true);
	lets("", "", NFT_COND_CT);
	lets("vmnet*", "!eth1", 0);
	passes(true, "vmnet1 vmnet8");
	clear(NULL);
	base("FORWARD", true, true);
	lets("", "", NFT_COND_CT);
	lets("!vmnet8", "", 0);
	passes(true, "vmnet1");
}

/* Conditions that are not worked out do not let anything pass, and drop nothing either. */
static void
other_conditions_do_not_count(void **state UNUSED)
{
	base("FORWARD", true, true);
	lets("", "", NFT_COND_CT);
	lets("vmnet8", "", NFT_COND_OTHER);
	passes(true, "");
	clear(NULL);
	base("FORWARD", true, false);
	rule("", "", NFT_COND_OTHER, NFT_LEG_DROP, "");
	rule("", "", NFT_COND_CT, NFT_LEG_DROP, "");
	passes(false, "vmnet1 vmnet8");
}

static void
a_final_reject_is_found_behind_jumps(void **state UNUSED)
{
	base("FORWARD", true, false);
	rule("", "", 0, NFT_LEG_JUMP, "zones");
	rule("", "", 0, NFT_LEG_DROP, "");
	chain("zones");
	rule("vmnet8", "", 0, NFT_LEG_GOTO, "trusted");
	rule("eth0", "", 0, NFT_LEG_GOTO, "established");
	rule("", "", 0, NFT_LEG_GOTO, "public");
	chain("trusted");
	lets("", "", 0);
	chain("public");
	rule("", "", 0, NFT_LEG_DROP, "");
	chain("established");
	lets("", "", NFT_COND_CT);
	passes(true, "vmnet8");
}

/* ufw-not-local: packets to the host return by a condition; what follows is for others. */
static void
a_conditional_return_is_taken(void **state UNUSED)
{
	base("INPUT", false, false);
	rule("", "", 0, NFT_LEG_JUMP, "not-local");
	lets("", "", NFT_COND_UDP | NFT_COND_DNS);
	chain("not-local");
	rule("", "", NFT_COND_OTHER, NFT_LEG_RETURN, "");
	rule("", "", 0, NFT_LEG_DROP, "");
	passes(false, "vmnet1 vmnet8");
}

static void
dns_is_what_counts_on_input(void **state UNUSED)
{
	base("INPUT", false, true);
	lets("", "", NFT_COND_CT);
	lets("", "", NFT_COND_UDP | NFT_COND_OTHER);
	passes(true, "");
	lets("vmnet1", "", NFT_COND_UDP | NFT_COND_DNS | NFT_COND_CT);
	passes(true, "vmnet1");
	lets("", "", NFT_COND_UDP | NFT_COND_DNS);
	passes(true, "vmnet1 vmnet8");
}

static void
port_sets_may_hold_dns(void **state UNUSED)
{
	struct nft_leg *l;

	base("INPUT", false, true);
	l = rule("", "", NFT_COND_UDP, NFT_LEG_ACCEPT, "");
	element(&l->ports, "", 67, NFT_LEG_NONE, "");
	passes(true, "");
	element(&l->ports, "", 53, NFT_LEG_NONE, "");
	passes(true, "vmnet1 vmnet8");
}

static void
interface_sets_and_maps(void **state UNUSED)
{
	struct nft_leg *l;

	base("FORWARD", true, true);
	lets("", "", NFT_COND_CT);
	l = rule("", "", 0, NFT_LEG_ACCEPT, "");
	element(&l->in.set, "eth1", 0, NFT_LEG_NONE, "");
	element(&l->in.set, "vmnet1", 0, NFT_LEG_NONE, "");
	passes(true, "vmnet1");
	l = rule("", "", 0, NFT_LEG_NONE, "");
	l->vmap = NFT_VMAP_IN;
	element(&l->in.set, "vmnet8", 0, NFT_LEG_JUMP, "lan");
	chain("lan");
	lets("", "", 0);
	passes(true, "vmnet1 vmnet8");
}

static void
state_maps_let_answers_pass(void **state UNUSED)
{
	struct nft_leg *l;

	base("FORWARD", true, true);
	l = rule("", "", NFT_COND_CT, NFT_LEG_NONE, "");
	l->vmap = NFT_VMAP_CT;
	element(&l->states, "", 0, NFT_LEG_ACCEPT, "");
	element(&l->states, "", 0, NFT_LEG_DROP, "");
	passes(true, "");
	lets("vmnet8", "", 0);
	passes(true, "vmnet8");
}

/* The kernel refuses loops, but the rules may have changed while they were read. */
static void
loops_end(void **state UNUSED)
{
	base("FORWARD", true, true);
	rule("", "", 0, NFT_LEG_JUMP, "a");
	chain("a");
	for (int i = 0; i < 4; i++)
		rule("", "", 0, NFT_LEG_JUMP, "b");
	chain("b");
	for (int i = 0; i < 4; i++)
		rule("", "", 0, NFT_LEG_JUMP, "a");
	passes(false, "vmnet1 vmnet8"); /* when in doubt no alarm */
}

/* With bridge-nf both sides of a frame are the bridge; networks without an address are asked about too. */
static void
frames_between_guests(void **state UNUSED)
{
	const uint16_t nets[] = {1, 8};
	const uint8_t bridges[NAT_ROUTES_LEN] = {1 << 3 | 1 << 4};
	const struct nft_scan_question q = {nets, ARRAY_LEN(nets), bridges, "eth0"};
	struct msg_firewall_row row;

	base("FORWARD", true, true);
	lets("vmnet8", "eth0", 0);
	lets("eth0", "vmnet8", 0);
	lets("vmnet4", "vmnet4", 0);
	assert_true(nft_judge(&x.r, &x.chains[0], &q, &row));
	assert_string_equal(row.names, "vmnet8");
	for (unsigned n = 0; n < 256; n++)
		assert_int_equal(msg_nets_have(row.inside.b, n), n == 1 || n == 3 || n == 8);
	clear(NULL);
	base("INPUT", false, true);
	assert_true(nft_judge(&x.r, &x.chains[0], &q, &row));
	for (unsigned n = 0; n < 256; n++)
		assert_false(msg_nets_have(row.inside.b, n));
	/* Nothing but that is dropped: it concerns us all the same. */
	clear(NULL);
	base("FORWARD", true, false);
	rule("vmnet3", "vmnet3", 0, NFT_LEG_DROP, "");
	assert_true(nft_judge(&x.r, &x.chains[0], &q, &row));
	assert_string_equal(row.names, "vmnet1 vmnet8");
	assert_true(msg_nets_have(row.inside.b, 3));
}

static void
the_callers_are_named(void **state UNUSED)
{
	const struct nft_scan_question q = {0};
	struct msg_firewall_row row;

	base("FORWARD", true, true);
	rule("", "", 0, NFT_LEG_JUMP, "DOCKER-USER");
	rule("", "", 0, NFT_LEG_JUMP, "DOCKER-FORWARD");
	assert_true(nft_judge(&x.r, &x.chains[0], &q, &row));
	assert_string_equal(row.jumps, "DOCKER-USER DOCKER-FORWARD");
	assert_string_equal(row.family, "ip");
	assert_string_equal(row.table, "filter");
	assert_string_equal(row.chain, "FORWARD");
	assert_true(row.forward && row.policy_drop && !row.final_drop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(an_accepting_chain_does_not_concern_us, clear),
	    cmocka_unit_test_setup(a_policy_drops_what_nobody_takes, clear),
	    cmocka_unit_test_setup(both_directions_have_to_pass, clear),
	    cmocka_unit_test_setup(established_connections_come_back, clear),
	    cmocka_unit_test_setup(the_uplink_may_be_what_is_allowed, clear),
	    cmocka_unit_test_setup(wildcards_and_negations, clear),
	    cmocka_unit_test_setup(other_conditions_do_not_count, clear),
	    cmocka_unit_test_setup(a_final_reject_is_found_behind_jumps, clear),
	    cmocka_unit_test_setup(a_conditional_return_is_taken, clear),
	    cmocka_unit_test_setup(dns_is_what_counts_on_input, clear),
	    cmocka_unit_test_setup(port_sets_may_hold_dns, clear),
	    cmocka_unit_test_setup(interface_sets_and_maps, clear),
	    cmocka_unit_test_setup(state_maps_let_answers_pass, clear),
	    cmocka_unit_test_setup(loops_end, clear),
	    cmocka_unit_test_setup(frames_between_guests, clear),
	    cmocka_unit_test_setup(the_callers_are_named, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
