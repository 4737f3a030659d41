/* SPDX-License-Identifier: GPL-2.0-or-later
 * conflict_test.c - offered addresses that somebody else has: what is asked, which answers count, and
 * what they may do.
 */
#include "../lib/t.h"

#include "fixture.h"

static const struct tclient alice = {.mac = MAC(1), .xid = 0xa11ce, .hostname = "alice"};
static const struct tclient bob = {.mac = MAC(2), .xid = 0xb0b};
static const struct mac squatter = {{0x00, 0x0c, 0x29, 0x99, 0x99, 0x99}};

/* A server that asks, with dynamic addresses lo to hi. */
static void
init(struct fixture *x, unsigned lo, unsigned hi)
{
	struct netconf *c = fx_conf();

	c->range[0] = (struct netconf_range){AT(lo), AT(hi), false};
	c->ping_check = true;
	c->ping_timeout_s = 1;
	fx_init(x, c);
}

/* ARP, to the server. What it shows. */
static int
arp(struct fixture *x, bool reply, struct ip4 ip, struct mac from)
{
	struct arp4 a = {.reply = reply, .sender_mac = from, .sender_ip = ip, .target_mac = x->mac};
	uint8_t buf[ARP4_FRAME_LEN], *exact;
	struct wr w = wr_init(buf, sizeof(buf));

	arp4_frame_encode(&w, x->mac, &a);
	exact = t_exact(buf, wr_len(&w));
	dhcp_server_input(x->s, exact, wr_len(&w), x->clk, x->frame, &x->out);
	free(exact);
	assert_int_equal(x->out.frame_len, 0);
	assert_int_equal(x->out.probe_len, 0);
	assert_int_equal(x->out.nchanges, x->out.conflict.found == CONFLICT_ABANDONED);
	return (int)x->out.conflict.found;
}

static int
answer(struct fixture *x, struct ip4 ip, struct mac from)
{
	return arp(x, true, ip, from);
}

static enum lease_state
state_of(const struct fixture *x, struct ip4 ip)
{
	const struct lease *l = lease_find_ip(dhcp_server_leases(x->s), ip);

	return l ? (enum lease_state)l->state : LEASE_UNUSED;
}

static void
expire(struct fixture *x)
{
	struct dhcp_change ch;

	while (dhcp_server_expire(x->s, x->clk, &ch))
		;
}

/* --- asking --- */

static void
probe_leaves_with_the_offer(void **state UNUSED)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct fixture x;
	struct arp4 a;
	struct mac src;

	init(&x, 128, 200);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.out.probe_len, ARP4_FRAME_LEN);
	assert_true(arp4_frame_decode(&a, &src, x.out.probe, x.out.probe_len));
	assert_memory_equal(x.out.probe, everybody, 6);
	assert_true(mac_eq(src, x.mac) && mac_eq(a.sender_mac, x.mac));
	/* RFC 5227 2.1.1 */
	assert_false(a.reply);
	assert_int_equal(a.sender_ip.h, 0);
	assert_true(mac_is_zero(a.target_mac));
	assert_int_equal(a.target_ip.h, x.reply.m.yiaddr.h);
	assert_int_equal(dhcp_server_stats(x.s)->probes, 1);
	fx_fini(&x);
}

static void
no_probe_without_ping_check(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL); /* as netconf_new() makes it: off */
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.out.probe_len, 0);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_NONE);
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	fx_fini(&x);
}

static void
client_that_holds_its_address_is_not_checked(void **state UNUSED)
{
	struct fixture x;

	init(&x, 128, 200);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	assert_int_equal(x.out.probe_len, 0);
	fx_renew(&x, &alice, AT(128));
	assert_int_equal(x.out.probe_len, 0);
	fx_reboot(&x, &alice, AT(128));
	assert_int_equal(x.out.probe_len, 0);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.out.probe_len, 0);
	/* Once it is over, anybody may have taken the address meanwhile. */
	fx_release(&x, &alice, AT(128));
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(128).h);
	assert_int_equal(x.out.probe_len, ARP4_FRAME_LEN);
	fx_fini(&x);
}

/* --- answers in time --- */

static void
address_in_use_is_abandoned_and_another_one_given(void **state UNUSED)
{
	const struct journal_rec *rec;
	struct fixture x;

	init(&x, 128, 200);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_ABANDONED);
	assert_true(mac_eq(x.out.conflict.other, squatter));
	assert_true(mac_eq(x.out.conflict.client, alice.mac));
	assert_int_equal(x.out.conflict.ip.h, AT(128).h);
	assert_int_equal(x.out.change[0].event, DHCP_EVENT_DECLINED);
	assert_true(mac_eq(x.out.change[0].mac, alice.mac));
	rec = &x.out.change[0].rec;
	assert_true(rec->abandoned && mac_is_zero(rec->mac));
	assert_int_equal(rec->starts, 1700000000);
	assert_int_equal(rec->ends, 1700000000 + DHCP_ABANDON_S);
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(129).h);
	/* Who insists on it gets another one too. */
	assert_int_equal(
	    fx_send(&x, &bob, &(struct trequest){.type = DHCP_DISCOVER, .requested = AT(128)}),
	    DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(130).h);
	fx_pass(&x, DHCP_ABANDON_S * 1000);
	expire(&x);
	assert_int_equal(state_of(&x, AT(128)), LEASE_ENDED);
	fx_fini(&x);
}

/* The offer is held for a minute; a client that thinks it over is still warned. */
static void
slow_answer_to_a_slow_client_counts(void **state UNUSED)
{
	struct fixture x;

	init(&x, 128, 200);
	fx_discover(&x, &alice);
	fx_pass(&x, 20000);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_ABANDONED);
	fx_fini(&x);
}

static void
what_does_not_count(void **state UNUSED)
{
	static const struct mac group = {{0x01, 0, 0x5e, 0, 0, 1}}, nobody;
	struct fixture x;

	init(&x, 128, 200);
	fx_discover(&x, &alice);
	assert_int_equal(answer(&x, AT(129), squatter), CONFLICT_NONE); /* not asked for */
	assert_int_equal(arp(&x, false, AT(128), squatter), CONFLICT_NONE);
	assert_int_equal(answer(&x, AT(128), alice.mac), CONFLICT_NONE); /* it has it configured */
	assert_int_equal(answer(&x, AT(128), x.mac), CONFLICT_NONE);
	assert_int_equal(answer(&x, AT(128), group), CONFLICT_NONE);
	assert_int_equal(answer(&x, AT(128), nobody), CONFLICT_NONE);
	assert_int_equal(dhcp_server_stats(x.s)->conflicts, 0);
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	/* Neither free addresses nor leases can be taken away. */
	fx_pass(&x, 1000);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_NONE);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_ACK);
	fx_release(&x, &alice, AT(128));
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_NONE);
	fx_fini(&x);
}

static void
truncated_arp_is_nothing(void **state UNUSED)
{
	struct arp4 a = {.reply = true, .sender_mac = squatter, .sender_ip = AT(128)};
	uint8_t buf[ARP4_FRAME_LEN];
	struct wr w = wr_init(buf, sizeof(buf));
	struct fixture x;

	init(&x, 128, 200);
	fx_discover(&x, &alice);
	arp4_frame_encode(&w, x.mac, &a);
	for (size_t len = 0; len < 14 + 28; len++) {
		uint8_t *exact = t_exact(buf, len);

		dhcp_server_input(x.s, exact, len, x.clk, x.frame, &x.out);
		free(exact);
		assert_int_equal(x.out.conflict.found, CONFLICT_NONE);
		assert_int_equal(x.out.nchanges, 0);
	}
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	fx_fini(&x);
}

/* --- answers that come late --- */

static void
answer_behind_the_acknowledgement_takes_the_lease_at_renewal(void **state UNUSED)
{
	struct fixture x;

	init(&x, 128, 200);
	fx_lease(&x, &alice);
	fx_pass(&x, 999);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_CONTESTED);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_NONE); /* said once */
	/* It holds it, whatever others do. */
	assert_int_equal(state_of(&x, AT(128)), LEASE_ACTIVE);
	assert_int_equal(fx_select(&x, &bob, AT(128)), DHCP_NAK);
	fx_pass(&x, 900000);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(129).h);
	/* Two changes: the old address is abandoned, the new one leased. */
	assert_int_equal(x.out.nchanges, 2);
	assert_int_equal(x.out.change[0].event, DHCP_EVENT_RELEASED);
	assert_true(x.out.change[0].rec.abandoned);
	assert_true(mac_eq(x.out.change[0].mac, alice.mac));
	assert_int_equal(state_of(&x, AT(128)), LEASE_ABANDONED);
	assert_int_equal(fx_renew(&x, &alice, AT(129)), DHCP_ACK);
	fx_fini(&x);
}

static void
contested_lease_that_runs_out_or_is_released_is_abandoned(void **state UNUSED)
{
	struct dhcp_change ch;
	struct fixture x;

	init(&x, 128, 200);
	fx_lease(&x, &alice);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_CONTESTED);
	fx_lease(&x, &bob);
	assert_int_equal(answer(&x, AT(129), squatter), CONFLICT_CONTESTED);
	fx_release(&x, &bob, AT(129));
	assert_true(x.out.change[0].rec.abandoned);
	assert_int_equal(state_of(&x, AT(129)), LEASE_ABANDONED);
	fx_pass(&x, 1801000);
	assert_true(dhcp_server_expire(x.s, x.clk, &ch));
	assert_int_equal(ch.event, DHCP_EVENT_EXPIRED);
	assert_true(mac_eq(ch.mac, alice.mac));
	assert_int_equal(state_of(&x, AT(128)), LEASE_ABANDONED);
	fx_fini(&x);
}

static void
contested_lease_outlives_a_reload(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;
	bool forgot;

	init(&x, 128, 200);
	fx_lease(&x, &alice);
	fx_discover(&x, &bob);
	assert_int_equal(answer(&x, AT(128), squatter), CONFLICT_CONTESTED);
	c->ping_check = true;
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(answer(&x, AT(129), squatter), CONFLICT_ABANDONED);
	fx_fini(&x);
}

/* --- bounds --- */

static void
reservation_cannot_be_taken_away(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	assert_int_equal(netconf_add_host(c, 0, alice.mac, AT(50), "alice"), 0);
	c->ping_check = true;
	c->ping_timeout_s = 1;
	fx_init(&x, c);
	fx_discover(&x, &alice);
	assert_int_equal(x.out.probe_len, ARP4_FRAME_LEN);
	assert_int_equal(answer(&x, AT(50), squatter), CONFLICT_RESERVED);
	assert_int_equal(answer(&x, AT(50), squatter), CONFLICT_NONE); /* said once */
	assert_int_equal(fx_select(&x, &alice, AT(50)), DHCP_ACK);
	assert_int_equal(answer(&x, AT(50), squatter), CONFLICT_NONE);
	assert_int_equal(fx_renew(&x, &alice, AT(50)), DHCP_ACK);
	fx_fini(&x);
}

/* A forger that answers for everything: half of the pool stays. */
static void
forger_cannot_empty_the_pool(void **state UNUSED)
{
	struct fixture x;
	unsigned refused = 0;
	struct ip4 ip;

	init(&x, 10, 29);
	for (;; refused++) {
		assert_true(refused < 11);
		assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
		ip = x.reply.m.yiaddr;
		if (answer(&x, ip, squatter) == CONFLICT_TOO_MANY)
			break;
		assert_int_equal(fx_select(&x, &alice, ip), DHCP_NAK);
	}
	assert_int_equal(refused, 10);
	assert_int_equal(fx_select(&x, &alice, ip), DHCP_ACK);
	fx_fini(&x);
}

static void
forger_cannot_contest_all_leases(void **state UNUSED)
{
	struct fixture x;
	unsigned contested = 0, renewed = 0;

	init(&x, 10, 109);
	for (uint8_t i = 0; i < 40; i++) {
		struct tclient c = {.mac = MAC((uint8_t)(10 + i))};
		struct ip4 ip = fx_lease(&x, &c);

		contested += answer(&x, ip, squatter) == CONFLICT_CONTESTED;
		renewed += fx_renew(&x, &c, ip) == DHCP_ACK;
	}
	assert_int_equal(contested, 16);
	assert_int_equal(renewed, 24);
	fx_pass(&x, 3600000);
	expire(&x);
	fx_lease(&x, &alice);
	assert_int_equal(answer(&x, x.reply.m.yiaddr, squatter), CONFLICT_CONTESTED);
	fx_fini(&x);
}

/* One address, and somebody sits on it: no race of offers and refusals. */
static void
only_address_in_use_is_tried_again_after_a_while(void **state UNUSED)
{
	struct fixture x;

	init(&x, 10, 10);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(answer(&x, AT(10), squatter), CONFLICT_ABANDONED);
	assert_int_equal(fx_discover(&x, &alice), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NO_ADDRESS);
	fx_pass(&x, 9999);
	assert_int_equal(fx_discover(&x, &alice), DHCP_NONE);
	fx_pass(&x, 1);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.out.probe_len, ARP4_FRAME_LEN);
	assert_int_equal(answer(&x, AT(10), squatter), CONFLICT_ABANDONED);
	fx_pass(&x, 10000);
	assert_int_equal(fx_lease(&x, &alice).h, AT(10).h); /* it is gone */
	fx_fini(&x);
}

/* Such an address has no client any more, and still is the pool's. */
static void
contested_address_of_known_clients_comes_back(void **state UNUSED)
{
	const struct tclient carol = {.mac = MAC(3), .xid = 0xca401};
	struct netconf *c = netconf_new(8);
	struct fixture x;

	c->subnet = (struct prefix4){AT(0), 24};
	c->server = SERVER;
	c->default_lease_s = 1800;
	c->max_lease_s = 7200;
	c->ping_check = true;
	c->ping_timeout_s = 1;
	netconf_add_range(c, AT(100), AT(101), true);
	netconf_add_host(c, 0, alice.mac, (struct ip4){0}, "alice");
	netconf_add_host(c, 1, carol.mac, (struct ip4){0}, "carol");
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(100).h);
	assert_int_equal(answer(&x, AT(100), squatter), CONFLICT_CONTESTED);
	fx_pass(&x, 1801000);
	expire(&x);
	assert_int_equal(state_of(&x, AT(100)), LEASE_ABANDONED);
	assert_int_equal(fx_lease(&x, &carol).h, AT(101).h);
	/* As long as others are free; now there is no other. */
	assert_int_equal(fx_lease(&x, &alice).h, AT(100).h);
	fx_release(&x, &alice, AT(100));
	fx_pass(&x, 3601000);
	expire(&x);
	assert_int_equal(fx_lease(&x, &alice).h, AT(100).h);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(probe_leaves_with_the_offer),
	    cmocka_unit_test(no_probe_without_ping_check),
	    cmocka_unit_test(client_that_holds_its_address_is_not_checked),
	    cmocka_unit_test(address_in_use_is_abandoned_and_another_one_given),
	    cmocka_unit_test(slow_answer_to_a_slow_client_counts),
	    cmocka_unit_test(what_does_not_count),
	    cmocka_unit_test(truncated_arp_is_nothing),
	    cmocka_unit_test(answer_behind_the_acknowledgement_takes_the_lease_at_renewal),
	    cmocka_unit_test(contested_lease_that_runs_out_or_is_released_is_abandoned),
	    cmocka_unit_test(contested_lease_outlives_a_reload),
	    cmocka_unit_test(reservation_cannot_be_taken_away),
	    cmocka_unit_test(forger_cannot_empty_the_pool),
	    cmocka_unit_test(forger_cannot_contest_all_leases),
	    cmocka_unit_test(only_address_in_use_is_tried_again_after_a_while),
	    cmocka_unit_test(contested_address_of_known_clients_comes_back),
	};

	return T_RUN(tests);
}
