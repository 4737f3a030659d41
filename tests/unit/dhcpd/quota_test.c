/* SPDX-License-Identifier: GPL-2.0-or-later
 * quota_test.c - how many addresses a port may hold: whom it stops, and whom it never does.
 */
#include "../lib/t.h"

#include "fixture.h"
#include "lib/gate.h"

enum { EVIL = 7, GOOD = 8 }; /* ports */

static const struct tclient alice = {.mac = MAC(1), .xid = 0xa11ce};

/* One of the clients that a guest invents. */
static struct tclient
invented(unsigned i)
{
	return (struct tclient){.mac = {{0x02, 0xee, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}},
				.xid = 1000 + i};
}

/* What comes next comes by this port. */
static void
by(struct fixture *x, unsigned port, unsigned leases)
{
	dhcp_server_set_stamp(x->s, DHCP_STAMP(port, leases));
}

static size_t
held(const struct fixture *x, unsigned port)
{
	return lease_table_held(dhcp_server_leases(x->s), port);
}

static uint64_t
refused(const struct fixture *x)
{
	return dhcp_server_stats(x->s)->dropped[DHCP_DROP_QUOTA];
}

/* How many of n invented clients get a lease. */
static unsigned
flood(struct fixture *x, unsigned first, unsigned n)
{
	unsigned got = 0;

	for (unsigned i = first; i < first + n; i++) {
		struct tclient c = invented(i);

		got += fx_lease(x, &c).h != 0;
	}
	return got;
}

static void
a_port_gets_so_many_and_its_neighbour_is_served(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	by(&x, EVIL, 16);
	assert_int_equal(flood(&x, 0, 2000), 16);
	assert_int_equal(held(&x, EVIL), 16);
	assert_int_equal(refused(&x), 1984);
	assert_int_equal(x.out.drop, DHCP_DROP_QUOTA);
	assert_int_equal(dhcp_server_stats(x.s)->dropped[DHCP_DROP_NO_ADDRESS], 0);
	assert_int_equal(dhcp_server_stats(x.s)->received[DHCP_DISCOVER], 2000);
	assert_int_equal(dhcp_server_stats(x.s)->received[DHCP_REQUEST], 16);
	by(&x, GOOD, 16);
	assert_true(fx_lease(&x, &alice).h != 0);
	assert_int_equal(held(&x, GOOD), 1);
	assert_int_equal(refused(&x), 1984);
	fx_fini(&x);
}

static void
offers_count_until_they_are_forgotten(void **state UNUSED)
{
	struct dhcp_change ch;
	struct fixture x;
	unsigned offers = 0;

	fx_init(&x, NULL);
	by(&x, EVIL, 5);
	for (unsigned i = 0; i < 100; i++) {
		struct tclient c = invented(i);

		offers += fx_discover(&x, &c) == DHCP_OFFER;
	}
	assert_int_equal(offers, 5);
	/* Whoever was made an offer can take it, and ask again for it. */
	for (unsigned i = 0; i < 5; i++) {
		struct tclient c = invented(i);

		assert_int_equal(fx_discover(&x, &c), DHCP_OFFER);
		if (i < 2)
			assert_int_equal(fx_select(&x, &c, x.reply.m.yiaddr), DHCP_ACK);
	}
	assert_int_equal(held(&x, EVIL), 5);
	fx_pass(&x, DHCP_OFFER_HOLD_MS + 1000);
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	assert_int_equal(held(&x, EVIL), 2);
	assert_int_equal(flood(&x, 200, 100), 3);
	fx_fini(&x);
}

/* Without a DISCOVER before, each kind of REQUEST would bring a new lease. */
static void
no_request_gets_around_it(void **state UNUSED)
{
	struct tclient c = invented(9);
	struct fixture x;

	fx_init(&x, NULL);
	by(&x, EVIL, 1);
	assert_int_equal(flood(&x, 0, 1), 1);
	assert_int_equal(fx_select(&x, &c, AT(140)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_QUOTA);
	assert_int_equal(fx_reboot(&x, &c, AT(140)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_QUOTA);
	assert_int_equal(fx_renew(&x, &c, AT(140)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_QUOTA);
	assert_int_equal(fx_rebind(&x, &c, AT(140)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_QUOTA);
	/* What is no is no, whoever asks. */
	assert_int_equal(fx_reboot(&x, &c, (struct ip4){0x0a000001}), DHCP_NAK);
	assert_int_equal(held(&x, EVIL), 1);
	fx_fini(&x);
}

static void
who_holds_a_lease_keeps_it(void **state UNUSED)
{
	struct tclient c[4];
	struct ip4 ip[4];
	struct fixture x;

	fx_init(&x, NULL);
	by(&x, GOOD, 4);
	for (unsigned i = 0; i < 4; i++) {
		c[i] = invented(i);
		ip[i] = fx_lease(&x, &c[i]);
		assert_true(ip[i].h != 0);
	}
	/* The limit was lowered: nobody is thrown out, nobody comes in. */
	by(&x, GOOD, 1);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(fx_renew(&x, &c[i], ip[i]), DHCP_ACK);
		assert_int_equal(fx_rebind(&x, &c[i], ip[i]), DHCP_ACK);
		assert_int_equal(fx_reboot(&x, &c[i], ip[i]), DHCP_ACK);
		assert_int_equal(fx_lease(&x, &c[i]).h, ip[i].h);
	}
	assert_int_equal(refused(&x), 0);
	assert_int_equal(fx_discover(&x, &alice), DHCP_NONE);
	for (unsigned i = 0; i < 4; i++)
		fx_release(&x, &c[i], ip[i]);
	assert_int_equal(held(&x, GOOD), 0);
	assert_true(fx_lease(&x, &alice).h != 0);
	fx_fini(&x);
}

static void
a_lease_counts_where_its_client_is(void **state UNUSED)
{
	struct fixture x;
	struct ip4 ip;

	fx_init(&x, NULL);
	by(&x, EVIL, 2);
	ip = fx_lease(&x, &alice);
	assert_int_equal(held(&x, EVIL), 1);
	/* It moves to a port that has no room: its lease goes with it. */
	by(&x, GOOD, 1);
	assert_int_equal(flood(&x, 0, 3), 1);
	assert_int_equal(fx_reboot(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(held(&x, EVIL), 0);
	assert_int_equal(held(&x, GOOD), 2);
	/* To one without a limit, or that is not known. */
	dhcp_server_set_stamp(x.s, 0);
	assert_int_equal(fx_renew(&x, &alice, ip), DHCP_ACK);
	assert_int_equal(held(&x, GOOD), 1);
	fx_fini(&x);
}

static void
a_reservation_is_outside_of_it(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	assert_int_equal(netconf_add_host(c, 0, alice.mac, AT(50), "db"), 0);
	fx_init(&x, c);
	by(&x, EVIL, 3);
	assert_int_equal(flood(&x, 0, 10), 3);
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	assert_int_equal(fx_renew(&x, &alice, AT(50)), DHCP_ACK);
	fx_fini(&x);
}

static void
without_a_stamp_there_is_no_limit(void **state UNUSED)
{
	/* None; what is no stamp; a port that is unlimited. */
	static const uint32_t stamps[] = {0, 0x1, 0x8000, 0xc0070001, DHCP_STAMP(EVIL, 0)};

	for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
		struct fixture x;

		fx_init(&x, NULL);
		dhcp_server_set_stamp(x.s, stamps[i]);
		assert_int_equal(flood(&x, 0, 200), 126);
		assert_int_equal(refused(&x), 0);
		fx_fini(&x);
	}
}

/* The file does not tell ports: each lease counts again once its client has asked. */
static void
after_a_restart_it_is_learned_again(void **state UNUSED)
{
	struct journal_rec rec[4];
	struct lease *at = NULL;
	struct tclient c[4];
	struct fixture x;
	unsigned n = 0;
	bool doubles;

	fx_init(&x, NULL);
	by(&x, EVIL, 4);
	for (unsigned i = 0; i < 4; i++) {
		c[i] = invented(i);
		assert_true(fx_lease(&x, &c[i]).h != 0);
	}
	while (n < 4 && dhcp_server_each_rec(x.s, &at, x.clk, &rec[n]))
		n++;
	assert_int_equal(n, 4);
	fx_fini(&x);
	fx_init(&x, NULL);
	assert_int_equal(dhcp_server_replay_begin(x.s, 4), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(dhcp_server_replay(x.s, &rec[i], x.clk));
	assert_int_equal(dhcp_server_replay_end(x.s, x.clk, &doubles), 4);
	assert_false(doubles);
	by(&x, EVIL, 4);
	assert_int_equal(held(&x, EVIL), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(fx_lease(&x, &c[i]).h != 0);
	assert_int_equal(held(&x, EVIL), 4);
	assert_int_equal(flood(&x, 100, 10), 0);
	fx_fini(&x);
}

static void
a_new_configuration_forgets_no_port(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;
	bool forgot;

	fx_init(&x, NULL);
	by(&x, EVIL, 4);
	assert_int_equal(flood(&x, 0, 10), 4);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	assert_int_equal(held(&x, EVIL), 4);
	assert_int_equal(flood(&x, 100, 10), 0);
	fx_fini(&x);
}

/* Its address is not in the range any more: what it holds ends with what it gets. */
static void
a_guest_that_has_to_move_may(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;
	struct ip4 ip;
	bool forgot;

	fx_init(&x, NULL);
	by(&x, EVIL, 1);
	ip = fx_lease(&x, &alice);
	c->range[0].lo = AT(200);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	assert_int_equal(fx_renew(&x, &alice, ip), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(200).h);
	assert_int_equal(held(&x, EVIL), 1);
	assert_int_equal(refused(&x), 0);
	/* Not one address more for that. */
	assert_int_equal(flood(&x, 0, 10), 0);
	fx_fini(&x);
}

/* A declined address is left alone for an hour, and counts for nobody: or one clash would end the DHCP of
 * a guest that may have one address. But declining all of them does not take them from others. */
static void
declining_takes_no_address_from_others(void **state UNUSED)
{
	struct fixture x;

	fx_init(&x, NULL);
	by(&x, EVIL, 1);
	for (unsigned i = 0; i < 1000; i++) {
		struct tclient c = invented(i);
		struct ip4 ip = fx_lease(&x, &c);

		assert_true(ip.h != 0);
		fx_decline(&x, &c, ip);
		assert_int_equal(held(&x, EVIL), 0);
	}
	by(&x, GOOD, 1);
	assert_true(fx_lease(&x, &alice).h != 0);
	fx_fini(&x);
}

/* Nor when the first that is declined is none that others could have. */
static void
declining_a_reservation_first_takes_none_either(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct tclient bob = invented(0);
	struct fixture x;

	netconf_add_host(c, 0, bob.mac, AT(50), "bob");
	fx_init(&x, c);
	by(&x, EVIL, 1);
	assert_int_equal(fx_lease(&x, &bob).h, AT(50).h);
	fx_decline(&x, &bob, AT(50));
	for (unsigned i = 1; i < 200; i++) {
		struct tclient guest = invented(i);

		fx_decline(&x, &guest, fx_lease(&x, &guest));
	}
	by(&x, GOOD, 1);
	assert_true(fx_lease(&x, &alice).h != 0);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_port_gets_so_many_and_its_neighbour_is_served),
	    cmocka_unit_test(offers_count_until_they_are_forgotten),
	    cmocka_unit_test(no_request_gets_around_it),
	    cmocka_unit_test(who_holds_a_lease_keeps_it),
	    cmocka_unit_test(a_lease_counts_where_its_client_is),
	    cmocka_unit_test(a_reservation_is_outside_of_it),
	    cmocka_unit_test(without_a_stamp_there_is_no_limit),
	    cmocka_unit_test(after_a_restart_it_is_learned_again),
	    cmocka_unit_test(a_new_configuration_forgets_no_port),
	    cmocka_unit_test(a_guest_that_has_to_move_may),
	    cmocka_unit_test(declining_takes_no_address_from_others),
	    cmocka_unit_test(declining_a_reservation_first_takes_none_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
