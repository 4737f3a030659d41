/* SPDX-License-Identifier: GPL-2.0-or-later
 * server_rules_test.c - conversations with the server about what the configuration and the world
 * around it say: reservations, lease times, relays, foreign frames, disks that fail.
 */
#include "../lib/t.h"

#include "fixture.h"

static const struct tclient alice = {.mac = MAC(1), .xid = 0xa11ce, .hostname = "alice"};
static const struct tclient bob = {.mac = MAC(2), .xid = 0xb0b};

static const struct dhcp_change *
last_change(const struct fixture *x)
{
	assert_true(x->out.nchanges > 0);
	return &x->out.change[x->out.nchanges - 1];
}

/* --- reservations --- */

static struct netconf *
conf_with_host(struct mac mac, struct ip4 ip)
{
	struct netconf *c = fx_conf();

	assert_int_equal(netconf_add_host(c, 0, mac, ip, "db"), 0);
	return c;
}

static void
reservation_is_offered_and_kept_for_its_client(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, conf_with_host(alice.mac, AT(128)));
	assert_int_equal(fx_lease(&x, &bob).h, AT(129).h);
	assert_int_equal(fx_select(&x, &bob, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	fx_fini(&x);
}

static void
reservation_outside_the_range_works(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, conf_with_host(alice.mac, AT(50)));
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	assert_int_equal(fx_reboot(&x, &alice, AT(50)), DHCP_ACK);
	assert_int_equal(fx_renew(&x, &alice, AT(50)), DHCP_ACK);
	assert_int_equal(fx_reboot(&x, &bob, AT(50)), DHCP_NAK);
	fx_release(&x, &alice, AT(50));
	assert_null(lease_oldest_reusable(dhcp_server_leases(x.s)));
	/* First contact in INIT-REBOOT, as after a host was replaced. */
	fx_fini(&x);
	fx_init(&x, conf_with_host(alice.mac, AT(50)));
	assert_int_equal(fx_reboot(&x, &alice, AT(50)), DHCP_ACK);
	fx_fini(&x);
}

/* A reservation made while the guest runs takes effect at its next renewal. */
static void
new_reservation_moves_its_client(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;
	bool forgot;

	fx_init(&x, NULL);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_NAK);
	/* It may not have heard: its address stays its own until it has the other one. */
	assert_int_equal(x.out.nchanges, 0);
	assert_int_equal(fx_select(&x, &bob, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	assert_int_equal(fx_select(&x, &bob, AT(128)), DHCP_ACK);
	fx_fini(&x);
}

/* As long as somebody else uses the reserved address its client lives with another one. */
static void
reservation_in_use_elsewhere_waits(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(129));
	struct fixture x;
	bool forgot;

	fx_init(&x, NULL);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	assert_int_equal(fx_lease(&x, &bob).h, AT(129).h);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_ACK);
	assert_int_equal(fx_renew(&x, &bob, AT(129)), DHCP_NAK);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_ACK);
	assert_int_equal(fx_lease(&x, &bob).h, AT(130).h);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(129).h);
	fx_fini(&x);
}

static void
moving_client_leaves_no_second_active_lease(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;
	bool forgot;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	/* It boots anew, without renewing first. */
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	assert_int_equal(x.out.nchanges, 2);
	assert_int_equal(x.out.change[0].event, DHCP_EVENT_RELEASED);
	assert_int_equal(x.out.change[0].rec.ip.h, AT(128).h);
	assert_int_equal(x.out.change[0].rec.ends, 1700000000);
	assert_int_equal(x.out.change[1].event, DHCP_EVENT_LEASED);
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_ACTIVE), 1);
	fx_fini(&x);
}

static void
unknown_clients_can_be_denied(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, (struct ip4){0});
	struct fixture x;

	c->unknown_clients = false;
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	assert_int_equal(fx_discover(&x, &bob), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_UNKNOWN_CLIENT);
	assert_int_equal(fx_select(&x, &bob, AT(130)), DHCP_NAK);
	assert_int_equal(fx_reboot(&x, &bob, AT(130)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_UNKNOWN_CLIENT);
	assert_int_equal(
	    fx_send(&x, &bob, &(struct trequest){.type = DHCP_INFORM, .ciaddr = AT(77)}),
	    DHCP_NONE);
	fx_fini(&x);
}

/* --- lease times --- */

static void
lease_time_follows_the_clients_wish_within_limits(void **state UNUSED)
{
	static const struct {
		uint32_t asked, given;
	} v[] = {{0, 1800}, {3600, 3600}, {7201, 7200}, {UINT32_MAX, 7200}, {1, 60}, {59, 60}};
	struct fixture x;

	fx_init(&x, NULL);
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct trequest q = {.type = DHCP_DISCOVER, .lease_s = v[i].asked};

		assert_int_equal(fx_send(&x, &alice, &q), DHCP_OFFER);
		assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), v[i].given);
	}
	fx_fini(&x);
}

static void
short_default_lease_is_allowed(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	c->default_lease_s = 4;
	c->max_lease_s = 10;
	fx_init(&x, c);
	fx_discover(&x, &alice);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 4);
	fx_send(&x, &alice, &(struct trequest){.type = DHCP_DISCOVER, .lease_s = 1});
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 4);
	fx_fini(&x);
}

/* An ACK can get lost: who asked for an hour and then for a minute may still count on the hour. */
static void
renewal_never_shortens_a_lease(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_REQUEST, .requested = AT(128), .lease_s = 3600};
	struct fixture x;
	int64_t ends;

	fx_init(&x, NULL);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_ACK);
	ends = last_change(&x)->rec.ends;
	q.lease_s = 60;
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_ACK);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 60);
	assert_int_equal(last_change(&x)->rec.ends, ends);
	fx_fini(&x);
}

/* --- what is none of our business --- */

static void
unrelated_frames_are_dropped(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_DISCOVER};
	struct tclient c = alice;
	struct fixture x;
	uint8_t buf[1500];
	size_t len;

	fx_init(&x, NULL);
	/* To another server, by IP and by MAC: a bridge shows such frames too. */
	q.dst = AT(253);
	q.eth_dst = x.mac;
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_FOR_US);
	q.dst = SERVER;
	q.eth_dst = MAC(99);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_FOR_US);
	/* To the subnet's broadcast address: fine. */
	q.dst = AT(255);
	q.eth_dst = (struct mac){{255, 255, 255, 255, 255, 255}};
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_OFFER);
	q = (struct trequest){.type = DHCP_NONE};
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_BOOTP);
	for (enum dhcp_type t = DHCP_OFFER; t <= DHCP_NAK; t++) {
		if (t == DHCP_REQUEST || t == DHCP_DECLINE)
			continue;
		q.type = t;
		assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
		assert_int_equal(x.out.drop, DHCP_DROP_NOT_REQUEST);
	}
	q.type = DHCP_DISCOVER;
	c.mac = x.mac;
	assert_int_equal(fx_send(&x, &c, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_OWN_MAC);
	q.type = DHCP_REQUEST;
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_INCOMPLETE);

	q.type = DHCP_DISCOVER;
	len = tclient_frame(buf, sizeof(buf), &alice, &q);
	buf[60] ^= 1;
	dhcp_server_input(x.s, buf, len, x.clk, x.frame, &x.out);
	assert_int_equal(x.out.drop, DHCP_DROP_FRAME);
	buf[40] = buf[41] = 0;
	dhcp_server_input(x.s, buf, len, x.clk, x.frame, &x.out);
	assert_int_equal(x.out.reply, DHCP_OFFER);
	fx_fini(&x);
}

static void
messages_and_drops_are_counted(void **state UNUSED)
{
	const struct dhcp_stats *st;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	fx_renew(&x, &bob, ip);
	fx_release(&x, &alice, ip);
	st = dhcp_server_stats(x.s);
	assert_int_equal(st->received[DHCP_DISCOVER], 1);
	assert_int_equal(st->received[DHCP_REQUEST], 2);
	assert_int_equal(st->received[DHCP_RELEASE], 1);
	assert_int_equal(st->sent[DHCP_OFFER], 1);
	assert_int_equal(st->sent[DHCP_ACK], 1);
	assert_int_equal(st->sent[DHCP_NAK], 1);
	assert_int_equal(st->dropped[DHCP_DROP_NO_ANSWER], 1);
	for (int i = 0; i < DHCP_DROP_N; i++)
		assert_true(strlen(dhcp_drop_text((enum dhcp_drop)i)) > 3);
	fx_fini(&x);
}

/* --- relays --- */

static void
relay_inside_the_network_is_answered(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_DISCOVER, .giaddr = AT(20), .src = AT(20), .dst = SERVER};
	struct fixture x;

	fx_init(&x, NULL);
	q.eth_dst = x.mac;
	q.eth_src = MAC(20);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_OFFER);
	assert_int_equal(x.reply.f.dst.h, AT(20).h);
	assert_int_equal(x.reply.f.dport, DHCP_SERVER_PORT);
	assert_true(mac_eq(x.reply.f.eth_dst, MAC(20)));
	assert_int_equal(x.reply.m.giaddr.h, AT(20).h);
	fx_fini(&x);
}

/* RFC 3046 is not for us: the option decides nothing and does not come back. */
static void
relay_information_is_counted_and_ignored(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_DISCOVER, .relay_info = true};
	struct fixture x;
	uint8_t buf[16];

	fx_init(&x, NULL);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_OFFER);
	assert_int_equal(treply_opt(&x.reply, OPT_RELAY_INFO, buf, sizeof(buf)), 0);
	assert_int_equal(dhcp_server_stats(x.s)->relay_info, 1);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(dhcp_server_stats(x.s)->relay_info, 1);
	fx_fini(&x);
}

static void
relay_from_elsewhere_is_dropped(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_DISCOVER, .giaddr = {0x0a000001}, .src = {0x0a000001}};
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_RELAY);
	q.giaddr = SERVER;
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_RELAY);
	fx_fini(&x);
}

/* --- durability --- */

static void
unrecorded_lease_is_an_offer_again(void **state UNUSED)
{
	struct journal_rec rec;
	struct lease *at = NULL;
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_int_equal(dhcp_server_stats(x.s)->sent[DHCP_ACK], 1);
	dhcp_server_not_recorded(x.s, last_change(&x), x.clk);
	assert_int_equal(dhcp_server_stats(x.s)->sent[DHCP_ACK], 0); /* it has not left */
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_ACTIVE), 0);
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_OFFERED), 1);
	assert_false(dhcp_server_each_rec(x.s, &at, x.clk, &rec));
	/* The client asks again and the disk has room again. */
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	assert_true(last_change(&x)->fresh);
	/* A renewal that cannot be recorded leaves the lease as it is. */
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_ACK);
	dhcp_server_not_recorded(x.s, last_change(&x), x.clk);
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_ACTIVE), 1);
	assert_int_equal(dhcp_server_stats(x.s)->dropped[DHCP_DROP_NOT_RECORDED], 2);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reservation_is_offered_and_kept_for_its_client),
	    cmocka_unit_test(reservation_outside_the_range_works),
	    cmocka_unit_test(new_reservation_moves_its_client),
	    cmocka_unit_test(reservation_in_use_elsewhere_waits),
	    cmocka_unit_test(moving_client_leaves_no_second_active_lease),
	    cmocka_unit_test(unknown_clients_can_be_denied),
	    cmocka_unit_test(lease_time_follows_the_clients_wish_within_limits),
	    cmocka_unit_test(short_default_lease_is_allowed),
	    cmocka_unit_test(renewal_never_shortens_a_lease),
	    cmocka_unit_test(unrelated_frames_are_dropped),
	    cmocka_unit_test(messages_and_drops_are_counted),
	    cmocka_unit_test(relay_inside_the_network_is_answered),
	    cmocka_unit_test(relay_information_is_counted_and_ignored),
	    cmocka_unit_test(relay_from_elsewhere_is_dropped),
	    cmocka_unit_test(unrecorded_lease_is_an_offer_again),
	};

	return T_RUN(tests);
}
