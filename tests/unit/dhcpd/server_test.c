/* SPDX-License-Identifier: GPL-2.0-or-later
 * server_test.c - conversations with the server: every client state of RFC 2131 and what is
 * refused.
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

/* --- DISCOVER, SELECTING --- */

static void
first_client_gets_the_first_address(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(128).h);
	assert_int_equal(x.out.nchanges, 0);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 1800);
	assert_int_equal(treply_u32(&x.reply, OPT_T1), 900);
	assert_int_equal(treply_u32(&x.reply, OPT_T2), 1575);
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_LEASED);
	assert_true(last_change(&x)->fresh);
	assert_int_equal(last_change(&x)->rec.ip.h, AT(128).h);
	assert_string_equal(last_change(&x)->rec.hostname, "alice");
	/* Whole seconds that cover what the client was told. */
	assert_int_equal(last_change(&x)->rec.starts, 1700000000);
	assert_int_equal(last_change(&x)->rec.ends, 1700000000 + 1801);
	fx_fini(&x);
}

static void
two_clients_get_two_addresses(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(fx_discover(&x, &bob), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(129).h);
	/* The same offer again while it is held. */
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(128).h);
	assert_int_equal(fx_select(&x, &bob, AT(128)), DHCP_NAK);
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	fx_fini(&x);
}

/* A client that asks again, or has a lease, is no news. */
static void
an_offer_is_told_once(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &alice);
	assert_true(x.out.offered);
	assert_int_equal(x.out.offer.ip.h, AT(128).h);
	assert_true(mac_eq(x.out.offer.mac, alice.mac));
	assert_string_equal(x.out.offer.hostname, "alice");
	assert_int_equal(x.out.nchanges, 0);
	fx_discover(&x, &alice);
	assert_false(x.out.offered);
	fx_select(&x, &alice, AT(128));
	assert_false(x.out.offered);
	fx_discover(&x, &alice);
	assert_false(x.out.offered);
	fx_release(&x, &alice, AT(128));
	assert_false(x.out.offered);
	fx_discover(&x, &alice);
	assert_true(x.out.offered);
	fx_fini(&x);
}

static void
expect_pool(const struct fixture *x, uint32_t want_held, uint32_t want_total)
{
	uint32_t held, total;

	dhcp_server_pool(x->s, &held, &total);
	assert_int_equal(held, want_held);
	assert_int_equal(total, want_total);
}

/* Leases of reservations outside the ranges, and of ranges that are gone, take nothing from the pool. */
static void
addresses_of_the_ranges_are_counted(void **state UNUSED)
{
	static const struct tclient carol = {.mac = MAC(3), .xid = 0xca401};
	struct netconf *c = fx_conf(), *small = fx_conf();
	struct fixture x;
	bool forgot;

	assert_int_equal(netconf_add_host(c, 0, bob.mac, AT(50), "bob"), 0);
	assert_int_equal(netconf_add_host(c, 1, MAC(9), AT(130), "reserved"), 0);
	fx_init(&x, c);
	expect_pool(&x, 0, 125);
	fx_discover(&x, &alice);
	expect_pool(&x, 1, 125);
	assert_int_equal(fx_lease(&x, &bob).h, AT(50).h);
	expect_pool(&x, 1, 125);
	fx_select(&x, &alice, AT(128));
	assert_int_equal(fx_lease(&x, &carol).h, AT(129).h);
	expect_pool(&x, 2, 125);
	fx_decline(&x, &carol, AT(129));
	expect_pool(&x, 2, 125);
	fx_release(&x, &alice, AT(128));
	expect_pool(&x, 1, 125);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	/* Bob's reservation goes: his address is not in the range. */
	assert_int_equal(netconf_seal(small), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, small, x.clk, &forgot), 0);
	expect_pool(&x, 2, 126);
	fx_pass(&x, 7200 * 1000);
	for (struct dhcp_change ch; dhcp_server_expire(x.s, x.clk, &ch);)
		;
	expect_pool(&x, 0, 126);
	fx_fini(&x);
}

static void
requested_address_is_given_when_free(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_DISCOVER, .requested = AT(200)};
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(200).h);
	assert_int_equal(fx_send(&x, &bob, &q), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(128).h);
	/* Not outside the range, not ours, not foreign. */
	for (unsigned i = 0; i < 4; i++) {
		const struct ip4 no[] = {AT(5), AT(254), AT(2), {0x08080808}};
		struct tclient c = {.mac = MAC((uint8_t)(10 + i))};

		q.requested = no[i];
		assert_int_equal(fx_send(&x, &c, &q), DHCP_OFFER);
		assert_true(x.reply.m.yiaddr.h >= AT(128).h && x.reply.m.yiaddr.h <= AT(253).h);
	}
	fx_fini(&x);
}

static void
offer_for_another_server_is_freed(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &alice);
	assert_int_equal(
	    fx_send(
		&x, &alice,
		&(struct trequest){.type = DHCP_REQUEST, .requested = AT(3), .server_id = AT(253)}),
	    DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_OTHER_SERVER);
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_OFFERED), 0);
	fx_fini(&x);
}

static void
offers_are_held_for_a_minute(void **state UNUSED)
{
	struct dhcp_change ch;
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &alice);
	assert_int_equal(dhcp_server_deadline(x.s).ms, x.clk.now.ms + DHCP_OFFER_HOLD_MS);
	fx_pass(&x, DHCP_OFFER_HOLD_MS - 1);
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_OFFERED), 1);
	fx_pass(&x, 1);
	assert_false(dhcp_server_expire(x.s, x.clk, &ch)); /* nobody needs to hear of it */
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_OFFERED), 0);
	assert_int_equal(dhcp_server_deadline(x.s).ms, MONO_NEVER.ms);
	/* Late, but nobody else took it. */
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	fx_fini(&x);
}

/* kill -9 between OFFER and REQUEST: the offer is forgotten, the client must not suffer. */
static void
request_after_a_restart_is_granted(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_select(&x, &alice, AT(140)), DHCP_ACK);
	assert_int_equal(fx_select(&x, &bob, AT(140)), DHCP_NAK);
	assert_int_equal(fx_select(&x, &bob, AT(3)), DHCP_NAK);
	assert_int_equal(fx_select(&x, &bob, (struct ip4){0x08080808}), DHCP_NAK);
	fx_fini(&x);
}

static void
repeated_request_is_acknowledged_again(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	assert_int_equal(fx_select(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_RENEWED);
	fx_fini(&x);
}

static void
full_pool_offers_nothing(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct tclient t = {.mac = MAC(0)};
	struct fixture x;

	fx_init(&x, c);
	for (unsigned i = 0; i < 126; i++) {
		t.mac.b[4] = (uint8_t)(i + 1);
		assert_int_equal(fx_lease(&x, &t).h, AT(128 + i).h);
	}
	t.mac.b[4] = 200;
	assert_int_equal(fx_discover(&x, &t), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NO_ADDRESS);
	/* Those who have one keep it. */
	t.mac.b[4] = 1;
	assert_int_equal(fx_lease(&x, &t).h, AT(128).h);
	fx_fini(&x);
}

static void
longest_free_address_is_reused_first(void **state UNUSED)
{
	struct tclient t = {.mac = MAC(0)};
	struct dhcp_change ch;
	struct fixture x;
	unsigned expired = 0;

	fx_init(&x, NULL);
	for (unsigned i = 0; i < 126; i++) {
		t.mac.b[4] = (uint8_t)(i + 1);
		fx_lease(&x, &t);
	}
	t.mac.b[4] = 51;
	fx_release(&x, &t, AT(178));
	fx_pass(&x, 1000);
	t.mac.b[4] = 11;
	fx_release(&x, &t, AT(138));
	fx_pass(&x, 4000000);
	while (dhcp_server_expire(x.s, x.clk, &ch)) {
		assert_int_equal(ch.event, DHCP_EVENT_EXPIRED);
		expired++;
	}
	assert_int_equal(expired, 124);
	assert_int_equal(fx_lease(&x, &alice).h, AT(178).h);
	assert_int_equal(fx_lease(&x, &bob).h, AT(138).h);
	fx_fini(&x);
}

/* --- the same address again --- */

static void
client_keeps_its_address(void **state UNUSED)
{
	struct dhcp_change ch;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	fx_lease(&x, &bob);
	assert_int_equal(fx_lease(&x, &alice).h, ip.h); /* while active */
	fx_release(&x, &alice, ip);
	assert_int_equal(fx_lease(&x, &alice).h, ip.h); /* released */
	fx_pass(&x, 10000000);
	while (dhcp_server_expire(x.s, x.clk, &ch))
		;
	assert_int_equal(fx_lease(&x, &alice).h, ip.h); /* run out */
	fx_fini(&x);
}

/* The installer of a guest and its first boot send different ids. */
static void
client_id_may_change(void **state UNUSED)
{
	struct tclient a = alice;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	a.uid = (const uint8_t *)"installer";
	a.uid_len = 9;
	ip = fx_lease(&x, &a);
	a.uid = (const uint8_t *)"\377booted-system";
	a.uid_len = 14;
	assert_int_equal(fx_lease(&x, &a).h, ip.h);
	assert_int_equal(last_change(&x)->rec.uid_len, 14);
	assert_int_equal(fx_renew(&x, &alice, ip), DHCP_ACK); /* none at all */
	assert_int_equal(last_change(&x)->rec.uid_len, 0);
	fx_fini(&x);
}

/* RFC 4361: type 255, IAID, DUID. Opaque to us, whatever its parts; it comes back (fx_send() looks) and
 * finds the lease of a card that was replaced. */
static void
node_specific_client_id_is_opaque(void **state UNUSED)
{
	static const uint8_t id[] = {0xff, 0, 0, 0, 1, 0, 2, 0, 0, 0xab, 0x11, 9, 8, 7};
	struct tclient a = alice, b = bob;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	a.uid = b.uid = id;
	a.uid_len = b.uid_len = sizeof(id);
	ip = fx_lease(&x, &a);
	fx_release(&x, &a, ip);
	assert_int_equal(fx_lease(&x, &b).h, ip.h);
	assert_int_equal(last_change(&x)->rec.uid_len, sizeof(id));
	fx_fini(&x);
}

static void
copied_client_id_gets_an_address_of_its_own(void **state UNUSED)
{
	struct tclient a = alice, b = bob;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	a.uid = b.uid = (const uint8_t *)"same";
	a.uid_len = b.uid_len = 4;
	ip = fx_lease(&x, &a);
	assert_int_not_equal(fx_lease(&x, &b).h, ip.h);
	fx_fini(&x);
}

static void
client_id_finds_the_lease_of_a_replaced_card(void **state UNUSED)
{
	struct tclient a = alice, b = bob;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	a.uid = b.uid = (const uint8_t *)"same";
	a.uid_len = b.uid_len = 4;
	ip = fx_lease(&x, &a);
	fx_release(&x, &a, ip);
	assert_int_equal(fx_lease(&x, &b).h, ip.h);
	fx_fini(&x);
}

/* --- INIT-REBOOT --- */

static void
reboot_with_the_known_address_is_granted(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	assert_int_equal(fx_reboot(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_RENEWED);
	fx_release(&x, &alice, ip);
	assert_int_equal(fx_reboot(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_LEASED);
	fx_fini(&x);
}

static void
reboot_with_a_wrong_address_is_refused(void **state UNUSED)
{
	static const struct mac all = {{255, 255, 255, 255, 255, 255}};
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_int_equal(fx_reboot(&x, &alice, AT(150)), DHCP_NAK);
	/* RFC 2131 4.3.2: broadcast, without addresses or lease times. */
	assert_int_equal(x.reply.f.dst.h, UINT32_MAX);
	assert_true(mac_eq(x.reply.f.eth_dst, all));
	assert_int_equal(x.reply.m.yiaddr.h, 0);
	assert_int_equal(x.reply.m.ciaddr.h, 0);
	assert_false(x.reply.m.has_lease_s);
	assert_int_equal(x.out.nchanges, 0);
	/* From another network. */
	assert_int_equal(fx_reboot(&x, &alice, (struct ip4){0x0a000005}), DHCP_NAK);
	assert_int_equal(fx_reboot(&x, &bob, (struct ip4){0x0a000005}), DHCP_NAK);
	fx_fini(&x);
}

static void
unknown_reboot_depends_on_authority(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_int_equal(fx_reboot(&x, &bob, AT(150)), DHCP_ACK);
	fx_fini(&x);

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_int_equal(fx_reboot(&x, &bob, AT(128)), DHCP_NAK);
	fx_fini(&x);

	c->authoritative = false;
	fx_init(&x, c);
	fx_lease(&x, &alice);
	assert_int_equal(fx_reboot(&x, &bob, AT(150)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NO_RECORD);
	assert_int_equal(fx_reboot(&x, &bob, (struct ip4){0x0a000005}), DHCP_NONE);
	assert_int_equal(fx_rebind(&x, &bob, AT(150)), DHCP_NONE);
	/* But it is ours to say when asked directly, and about clients we know. */
	assert_int_equal(fx_renew(&x, &bob, AT(150)), DHCP_ACK);
	assert_int_equal(fx_reboot(&x, &alice, (struct ip4){0x0a000005}), DHCP_NAK);
	fx_fini(&x);
}

/* --- RENEWING, REBINDING --- */

static void
renewal_is_answered_to_the_client_itself(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	fx_pass(&x, 900000);
	assert_int_equal(fx_renew(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(x.reply.f.dst.h, ip.h);
	assert_true(mac_eq(x.reply.f.eth_dst, alice.mac));
	assert_int_equal(x.reply.m.ciaddr.h, ip.h);
	assert_int_equal(x.reply.m.yiaddr.h, ip.h);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_RENEWED);
	assert_int_equal(last_change(&x)->rec.ends, 1700000000 + 900 + 1801);
	/* The name stays when a renewal does not repeat it. */
	assert_int_equal(fx_renew(&x, &(struct tclient){.mac = MAC(1)}, ip), DHCP_ACK);
	assert_string_equal(last_change(&x)->rec.hostname, "alice");
	assert_int_equal(fx_rebind(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(x.reply.f.dst.h, ip.h);
	fx_fini(&x);
}

static void
renewal_of_anothers_address_is_refused(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	assert_int_equal(fx_renew(&x, &bob, ip), DHCP_NAK);
	assert_int_equal(fx_rebind(&x, &bob, ip), DHCP_NAK);
	assert_int_equal(fx_renew(&x, &alice, ip), DHCP_ACK);
	fx_fini(&x);
}

/* The lease file was lost; guests go on with what they have. */
static void
renewal_without_record_is_granted_when_free(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_renew(&x, &alice, AT(177)), DHCP_ACK);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_LEASED);
	assert_int_equal(fx_renew(&x, &bob, AT(5)), DHCP_NAK);
	fx_fini(&x);
}

/* --- RELEASE, DECLINE, INFORM --- */

static void
release_ends_the_lease_at_once(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	fx_pass(&x, 60000);
	fx_release(&x, &alice, ip);
	assert_int_equal(x.out.drop, DHCP_DROP_NO_ANSWER);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_RELEASED);
	assert_int_equal(last_change(&x)->rec.ends, 1700000060);
	assert_string_equal(last_change(&x)->rec.hostname, "alice");
	fx_release(&x, &alice, ip);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_OWNER);
	assert_int_equal(x.out.nchanges, 0);
	fx_fini(&x);
}

static void
only_the_owner_can_release_or_decline(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	fx_release(&x, &bob, ip);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_OWNER);
	fx_decline(&x, &bob, ip);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_OWNER);
	fx_release(&x, &bob, AT(200));
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_OWNER);
	fx_release(&x, &alice, (struct ip4){0});
	assert_int_equal(x.out.drop, DHCP_DROP_INCOMPLETE);
	fx_send(&x, &alice,
		&(struct trequest){.type = DHCP_RELEASE, .ciaddr = ip, .server_id = AT(253)});
	assert_int_equal(x.out.drop, DHCP_DROP_OTHER_SERVER);
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_ACTIVE), 1);
	fx_fini(&x);
}

static void
declined_address_is_left_alone(void **state UNUSED)
{
	struct dhcp_change ch;
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	ip = fx_lease(&x, &alice);
	fx_decline(&x, &alice, ip);
	assert_int_equal(last_change(&x)->event, DHCP_EVENT_DECLINED);
	assert_true(last_change(&x)->rec.abandoned);
	assert_true(mac_eq(last_change(&x)->mac, alice.mac));
	assert_int_equal(last_change(&x)->rec.ends, 1700000000 + DHCP_ABANDON_S);
	assert_int_not_equal(fx_lease(&x, &alice).h, ip.h);
	assert_int_equal(fx_select(&x, &bob, ip), DHCP_NAK);
	fx_pass(&x, DHCP_ABANDON_S * 1000);
	while (dhcp_server_expire(x.s, x.clk, &ch))
		;
	assert_int_equal(fx_select(&x, &bob, ip), DHCP_ACK);
	fx_fini(&x);
}

/* Better an address that somebody declined long ago than none. */
static void
declined_address_is_the_last_resort(void **state UNUSED)
{
	struct netconf *c = netconf_new(8);
	struct fixture x;

	c->subnet = (struct prefix4){AT(0), 24};
	c->server = SERVER;
	c->unknown_clients = true;
	netconf_add_range(c, AT(10), AT(11), false);
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(10).h);
	fx_decline(&x, &alice, AT(10));
	fx_pass(&x, 2000);
	assert_int_equal(fx_lease(&x, &alice).h, AT(11).h);
	assert_int_equal(fx_lease(&x, &bob).h, AT(10).h);
	fx_fini(&x);
}

static void
inform_gets_parameters_only(void **state UNUSED)
{
	struct trequest q = {.type = DHCP_INFORM, .ciaddr = AT(77), .src = AT(77)};
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_ACK);
	assert_int_equal(x.reply.m.yiaddr.h, 0);
	assert_int_equal(x.reply.m.ciaddr.h, AT(77).h);
	assert_int_equal(x.reply.f.dst.h, AT(77).h);
	assert_false(x.reply.m.has_lease_s);
	assert_int_equal(treply_u32(&x.reply, OPT_T1), 0);
	assert_int_equal(treply_u32(&x.reply, OPT_DNS), AT(2).h);
	assert_int_equal(x.out.nchanges, 0);
	assert_int_equal(lease_table_used(dhcp_server_leases(x.s)), 0);
	q.ciaddr.h = 0;
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_INCOMPLETE);
	q.ciaddr.h = 0x0a000001;
	assert_int_equal(fx_send(&x, &alice, &q), DHCP_NONE);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_client_gets_the_first_address),
	    cmocka_unit_test(two_clients_get_two_addresses),
	    cmocka_unit_test(an_offer_is_told_once),
	    cmocka_unit_test(addresses_of_the_ranges_are_counted),
	    cmocka_unit_test(requested_address_is_given_when_free),
	    cmocka_unit_test(offer_for_another_server_is_freed),
	    cmocka_unit_test(offers_are_held_for_a_minute),
	    cmocka_unit_test(request_after_a_restart_is_granted),
	    cmocka_unit_test(repeated_request_is_acknowledged_again),
	    cmocka_unit_test(full_pool_offers_nothing),
	    cmocka_unit_test(longest_free_address_is_reused_first),
	    cmocka_unit_test(client_keeps_its_address),
	    cmocka_unit_test(client_id_may_change),
	    cmocka_unit_test(node_specific_client_id_is_opaque),
	    cmocka_unit_test(copied_client_id_gets_an_address_of_its_own),
	    cmocka_unit_test(client_id_finds_the_lease_of_a_replaced_card),
	    cmocka_unit_test(reboot_with_the_known_address_is_granted),
	    cmocka_unit_test(reboot_with_a_wrong_address_is_refused),
	    cmocka_unit_test(unknown_reboot_depends_on_authority),
	    cmocka_unit_test(renewal_is_answered_to_the_client_itself),
	    cmocka_unit_test(renewal_of_anothers_address_is_refused),
	    cmocka_unit_test(renewal_without_record_is_granted_when_free),
	    cmocka_unit_test(release_ends_the_lease_at_once),
	    cmocka_unit_test(only_the_owner_can_release_or_decline),
	    cmocka_unit_test(declined_address_is_left_alone),
	    cmocka_unit_test(declined_address_is_the_last_resort),
	    cmocka_unit_test(inform_gets_parameters_only),
	};

	return T_RUN(tests);
}
