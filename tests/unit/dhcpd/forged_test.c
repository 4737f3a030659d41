/* SPDX-License-Identifier: GPL-2.0-or-later
 * forged_test.c - messages that one guest sends in another's name.
 */
#include "../lib/t.h"

#include "fixture.h"
#include "lib/gate.h"

enum { EVIL = 7, GOOD = 8 }; /* ports */

#define EVIL_MAC MAC(66)

static const struct tclient alice = {.mac = MAC(1), .xid = 0xa11ce};

/* alice has her lease, by her port. Next comes the other one's. */
static struct ip4
begin(struct fixture *x, struct netconf *c, uint32_t flags)
{
	struct ip4 ip;

	fx_init(x, c);
	dhcp_server_set_stamp(x->s, DHCP_STAMP(GOOD, 16) | flags);
	ip = fx_lease(x, &alice);
	assert_true(ip.h != 0);
	dhcp_server_set_stamp(x->s, DHCP_STAMP(EVIL, 16) | flags);
	return ip;
}

static enum dhcp_type
say(struct fixture *x, struct trequest q)
{
	q.eth_src = EVIL_MAC;
	return fx_send(x, &alice, &q);
}

static const struct lease *
lease_of(const struct fixture *x, struct ip4 ip)
{
	return lease_find_ip(dhcp_server_leases(x->s), ip);
}

static uint64_t
forged(const struct fixture *x)
{
	return dhcp_server_stats(x->s)->dropped[DHCP_DROP_FORGED];
}

static void
nobody_gives_up_anothers_lease(void **state UNUSED)
{
	static const uint32_t flags[] = {0, DHCP_STAMP_GUARD};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct fixture x;
		struct ip4 ip = begin(&x, NULL, flags[i]);

		say(&x, (struct trequest){.type = DHCP_RELEASE, .ciaddr = ip});
		say(&x, (struct trequest){.type = DHCP_DECLINE, .requested = ip});
		say(&x, (struct trequest){.type = DHCP_RELEASE, .ciaddr = ip, .giaddr = AT(20)});
		assert_int_equal(forged(&x), 3);
		assert_int_equal(lease_of(&x, ip)->state, LEASE_ACTIVE);
		/* She herself does, also behind a bridge in her guest that translates addresses. */
		dhcp_server_set_stamp(x.s, DHCP_STAMP(GOOD, 16) | flags[i]);
		say(&x, (struct trequest){.type = DHCP_RELEASE, .ciaddr = ip});
		assert_int_equal(forged(&x), 3);
		assert_int_equal(lease_of(&x, ip)->state, LEASE_ENDED);
		fx_fini(&x);
	}
}

/* The lease would open the gate of the port by which it was asked for. */
static void
with_ip_guard_nobody_takes_over_anothers_lease(void **state UNUSED)
{
	const struct trequest asks[] = {
	    {.type = DHCP_DISCOVER},
	    {.type = DHCP_DISCOVER, .giaddr = AT(20), .src = AT(20)},
	    {.type = DHCP_REQUEST, .requested = AT(128)},
	    {.type = DHCP_REQUEST, .requested = AT(200), .server_id = SERVER},
	    {.type = DHCP_REQUEST, .ciaddr = AT(128)},
	    {.type = DHCP_REQUEST, .requested = AT(128), .server_id = AT(5)},
	};
	struct fixture x;
	struct ip4 ip = begin(&x, NULL, DHCP_STAMP_GUARD);

	assert_int_equal(ip.h, AT(128).h);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		assert_int_equal(say(&x, asks[i]), DHCP_NONE);
		assert_int_equal(forged(&x), i + 1);
		assert_int_equal(lease_of(&x, ip)->state, LEASE_ACTIVE);
		assert_int_equal(lease_of(&x, ip)->port, GOOD);
	}
	/* Who moves to another port does it with her own card. */
	assert_int_equal(fx_renew(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(lease_of(&x, ip)->port, EVIL);
	fx_fini(&x);
}

static void
with_ip_guard_a_reservation_is_for_its_own_card(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	const struct tclient bob = {.mac = MAC(2), .xid = 2};
	struct trequest ask = {.type = DHCP_DISCOVER, .eth_src = EVIL_MAC};
	struct fixture x;

	netconf_add_host(c, 0, bob.mac, AT(50), "bob");
	begin(&x, c, DHCP_STAMP_GUARD);
	assert_int_equal(fx_send(&x, &bob, &ask), DHCP_NONE);
	assert_int_equal(forged(&x), 1);
	assert_int_equal(fx_lease(&x, &bob).h, AT(50).h);
	fx_fini(&x);
}

/* Relay agents and bridges of guests work; with ip-guard as long as they stay where they are. */
static void
whoever_takes_nothing_from_anybody_is_served(void **state UNUSED)
{
	static const uint32_t flags[] = {0, DHCP_STAMP_GUARD};
	const struct tclient behind = {.mac = MAC(3), .xid = 3};
	struct trequest ask = {
	    .type = DHCP_DISCOVER, .giaddr = AT(20), .src = AT(20), .eth_src = EVIL_MAC};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct fixture x;
		struct ip4 ip;

		begin(&x, NULL, flags[i]);
		assert_int_equal(fx_send(&x, &behind, &ask), DHCP_OFFER);
		ip = x.reply.m.yiaddr;
		ask = (struct trequest){.type = DHCP_REQUEST,
					.requested = ip,
					.server_id = SERVER,
					.eth_src = EVIL_MAC};
		assert_int_equal(fx_send(&x, &behind, &ask), DHCP_ACK);
		ask = (struct trequest){
		    .type = DHCP_REQUEST, .ciaddr = ip, .src = ip, .eth_src = EVIL_MAC};
		assert_int_equal(fx_send(&x, &behind, &ask), DHCP_ACK);
		dhcp_server_set_stamp(x.s, DHCP_STAMP(9, 16) | flags[i]);
		assert_int_equal(fx_send(&x, &behind, &ask), flags[i] ? DHCP_NONE : DHCP_ACK);
		assert_int_equal(forged(&x), flags[i] != 0);
		ask = (struct trequest){.type = DHCP_DISCOVER, .eth_src = EVIL_MAC};
		fx_fini(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_gives_up_anothers_lease),
	    cmocka_unit_test(with_ip_guard_nobody_takes_over_anothers_lease),
	    cmocka_unit_test(with_ip_guard_a_reservation_is_for_its_own_card),
	    cmocka_unit_test(whoever_takes_nothing_from_anybody_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
