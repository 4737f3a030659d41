/* SPDX-License-Identifier: GPL-2.0-or-later
 * book_test.c - leases over time: replayed from a file, carried to a new configuration, run out,
 * and the clocks around them.
 */
#include "../lib/t.h"

#include "fixture.h"

#define WALL 1700000000 /* of the fixture, in seconds */

static const struct tclient alice = {.mac = MAC(1), .hostname = "alice"};
static const struct tclient bob = {.mac = MAC(2)};

static struct journal_rec
rec_of(struct ip4 ip, uint8_t mac, int64_t starts, int64_t ends)
{
	return (struct journal_rec){.ip = ip, .mac = MAC(mac), .starts = starts, .ends = ends};
}

static int
replay(struct fixture *x, const struct journal_rec *v, size_t n)
{
	assert_int_equal(dhcp_server_replay_begin(x->s, n), 0);
	for (size_t i = 0; i < n; i++)
		dhcp_server_replay(x->s, &v[i], x->clk);
	return dhcp_server_replay_end(x->s, x->clk, &(bool){false});
}

static const struct lease *
entry(const struct fixture *x, struct ip4 ip)
{
	return lease_find_ip(dhcp_server_leases(x->s), ip);
}

static void
later_block_wins(void **state UNUSED)
{
	const struct journal_rec v[] = {
	    rec_of(AT(130), 1, WALL - 900, WALL + 900), rec_of(AT(130), 2, WALL - 800, WALL + 1000),
	    rec_of(AT(131), 1, WALL - 100, WALL + 1700),
	    rec_of(AT(131), 1, WALL - 100, WALL - 50), /* released */
	};
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(replay(&x, v, ARRAY_LEN(v)), 2);
	assert_int_equal(entry(&x, AT(130))->state, LEASE_ACTIVE);
	assert_true(mac_eq(entry(&x, AT(130))->mac, MAC(2)));
	assert_int_equal(entry(&x, AT(131))->state, LEASE_ENDED);
	assert_int_equal(fx_lease(&x, &bob).h, AT(130).h);
	assert_int_equal(fx_lease(&x, &alice).h, AT(131).h);
	fx_fini(&x);
}

static void
restart_keeps_times_exactly(void **state UNUSED)
{
	struct journal_rec before, after;
	struct lease *at = NULL;
	struct fixture x, y;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_true(dhcp_server_each_rec(x.s, &at, x.clk, &before));
	assert_memory_equal(&before, &x.out.change[0].rec, sizeof(before));
	/* Half a minute and a bit later, on a machine that has booted anew. */
	fx_init(&y, NULL);
	y.clk.now.ms = 4711;
	y.clk.wall_ms = x.clk.wall_ms + 30333;
	assert_int_equal(replay(&y, &before, 1), 1);
	at = NULL;
	assert_true(dhcp_server_each_rec(y.s, &at, y.clk, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_false(dhcp_server_each_rec(y.s, &at, y.clk, &after));
	assert_int_equal(entry(&y, AT(128))->end.ms - y.clk.now.ms,
			 before.ends * 1000 - y.clk.wall_ms);
	fx_fini(&x);
	fx_fini(&y);
}

/* Wall clock and monotonic clock are read one after the other, and one of them may be slewed. */
static void
restart_adds_no_second_when_the_clocks_are_a_moment_apart(void **state UNUSED)
{
	static const int apart_ms[] = {-9, -1, 1, 9};
	struct journal_rec before, after;
	struct lease *at = NULL;
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	assert_true(dhcp_server_each_rec(x.s, &at, x.clk, &before));
	for (size_t i = 0; i < ARRAY_LEN(apart_ms); i++) {
		struct fixture y;

		fx_init(&y, NULL);
		y.clk = x.clk;
		assert_int_equal(replay(&y, &before, 1), 1);
		y.clk.wall_ms += apart_ms[i];
		at = NULL;
		assert_true(dhcp_server_each_rec(y.s, &at, y.clk, &after));
		assert_memory_equal(&before, &after, sizeof(before));
		fx_fini(&y);
	}
	fx_fini(&x);
}

static void
unusable_records_are_left_out(void **state UNUSED)
{
	const struct journal_rec v[] = {
	    rec_of((struct ip4){0x0a000001}, 1, WALL, WALL + 10), /* another subnet */
	    rec_of(SERVER, 2, WALL, WALL + 10),
	    rec_of(AT(1), 3, WALL, WALL + 10),
	    rec_of(AT(2), 4, WALL, WALL + 10),
	    rec_of(AT(255), 5, WALL, WALL + 10),
	    rec_of(AT(60), 6, WALL - 20, WALL - 10), /* ended outside the range: of no use */
	    rec_of(AT(61), 7, WALL - 20, WALL + 10), /* active outside the range: still in use */
	};
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(replay(&x, v, ARRAY_LEN(v)), 1);
	assert_int_equal(entry(&x, AT(61))->state, LEASE_ACTIVE);
	fx_fini(&x);
}

static void
one_mac_keeps_its_newest_lease_only(void **state UNUSED)
{
	const struct journal_rec v[] = {
	    rec_of(AT(130), 1, WALL - 900, WALL + 7000),
	    rec_of(AT(131), 1, WALL - 100, WALL + 1700),
	    rec_of(AT(132), 1, WALL - 500, WALL + 1300),
	    rec_of(AT(133), 1, WALL - 100, WALL + 1700), /* a tie: exactly one survives */
	};
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(replay(&x, v, ARRAY_LEN(v)), 4);
	assert_int_equal(lease_table_count(dhcp_server_leases(x.s), LEASE_ACTIVE), 1);
	assert_int_equal(fx_lease(&x, &alice).h, AT(133).h);
	fx_fini(&x);
}

static void
ended_leases_are_reused_in_order_of_their_end(void **state UNUSED)
{
	struct journal_rec v[126];
	struct fixture x;

	for (unsigned i = 0; i < ARRAY_LEN(v); i++)
		v[i] = rec_of(AT(128 + i), (uint8_t)(100 + i), WALL - 90000,
			      WALL - 1 - (int64_t)(i * 37 % 126));
	fx_init(&x, NULL);
	assert_int_equal(replay(&x, v, ARRAY_LEN(v)), 126);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128 + 17).h); /* 17 * 37 % 126 == 125 */
	fx_fini(&x);
}

static void
abandoned_addresses_are_remembered(void **state UNUSED)
{
	struct journal_rec v[] = {
	    {.ip = AT(128), .abandoned = true, .starts = WALL - 10, .ends = WALL + 100},
	    {.ip = AT(129), .abandoned = true, .starts = WALL - 999, .ends = WALL - 100},
	};
	struct journal_rec rec;
	struct lease *at = NULL;
	struct dhcp_change ch;
	struct fixture x;

	fx_init(&x, NULL);
	assert_int_equal(replay(&x, v, ARRAY_LEN(v)), 2);
	assert_int_equal(entry(&x, AT(128))->state, LEASE_ABANDONED);
	assert_int_equal(fx_lease(&x, &alice).h, AT(130).h);
	/* Only what is still abandoned is written again. */
	assert_true(dhcp_server_each_rec(x.s, &at, x.clk, &rec));
	assert_int_equal(rec.ip.h, AT(128).h);
	assert_true(rec.abandoned);
	assert_int_equal(rec.ends, WALL + 100);
	fx_pass(&x, 101000);
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	at = NULL;
	assert_true(dhcp_server_each_rec(x.s, &at, x.clk, &rec));
	assert_int_equal(rec.ip.h, AT(130).h);
	fx_fini(&x);
}

static void
clock_set_back_does_not_lengthen_leases(void **state UNUSED)
{
	struct journal_rec v = rec_of(AT(130), 1, WALL + 86400, WALL + 86400 + 1800);
	struct fixture x;

	fx_init(&x, NULL);
	replay(&x, &v, 1);
	assert_int_equal(entry(&x, AT(130))->end.ms - x.clk.now.ms, 1800000);
	fx_fini(&x);
}

/* alice moved from .130 to .131; then the clock was set back by hours, she renewed, and the power failed before the
 * file could be written anew. The lease that she had given up is not over by the times in the file. */
static void
clock_set_back_does_not_revive_what_was_given_up(void **state UNUSED)
{
	const struct journal_rec v[] = {
	    rec_of(AT(130), 1, WALL + 9000, WALL + 9100), /* ended when .131 began */
	    rec_of(AT(131), 1, WALL + 9100, WALL + 10900),
	    rec_of(AT(131), 1, WALL - 10, WALL + 1790),
	};
	struct fixture x;

	for (unsigned n = 2; n <= 3; n++) {
		fx_init(&x, NULL);
		replay(&x, v, n);
		assert_int_equal(entry(&x, AT(131))->state, LEASE_ACTIVE);
		assert_int_equal(entry(&x, AT(131))->end.ms - x.clk.now.ms,
				 n == 2 ? 1800000 : 1789877);
		assert_int_equal(entry(&x, AT(130))->state, LEASE_ENDED);
		fx_fini(&x);
	}
}

/* So that the last block about a client is the one that counts, also for readers that know no times. */
static void
leases_in_force_are_written_last(void **state UNUSED)
{
	const struct journal_rec v[] = {
	    rec_of(AT(130), 1, WALL - 900, WALL + 700),
	    rec_of(AT(131), 2, WALL - 900, WALL - 100),
	    rec_of(AT(132), 3, WALL - 900, WALL + 900),
	    rec_of(AT(133), 4, WALL - 900, WALL - 50),
	};
	const uint32_t want[] = {AT(131).h, AT(133).h, AT(130).h, AT(132).h};
	struct journal_rec rec;
	struct lease *at = NULL;
	struct fixture x;

	fx_init(&x, NULL);
	replay(&x, v, ARRAY_LEN(v));
	for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(dhcp_server_each_rec(x.s, &at, x.clk, &rec));
		assert_int_equal(rec.ip.h, want[i]);
	}
	assert_false(dhcp_server_each_rec(x.s, &at, x.clk, &rec));
	fx_fini(&x);
}

static void
absurd_times_are_survived(void **state UNUSED)
{
	const struct journal_rec v[] = {
	    rec_of(AT(130), 1, 0, INT64_MAX - 1),
	    rec_of(AT(131), 2, INT64_MAX - 1, INT64_MAX - 1),
	    rec_of(AT(132), 3, WALL, JOURNAL_NEVER),
	    rec_of(AT(133), 4, WALL + 5, JOURNAL_NEVER),
	    rec_of(AT(134), 5, WALL + 5, 0),
	};
	struct journal_rec rec;
	struct lease *at = NULL;
	struct dhcp_change ch;
	struct fixture x;

	fx_init(&x, NULL);
	replay(&x, v, ARRAY_LEN(v));
	assert_int_equal(entry(&x, AT(132))->due.ms, MONO_NEVER.ms);
	fx_pass(&x, INT64_C(1) << 40);
	while (dhcp_server_expire(x.s, x.clk, &ch))
		;
	assert_int_equal(entry(&x, AT(132))->state, LEASE_ACTIVE);
	while (dhcp_server_each_rec(x.s, &at, x.clk, &rec)) {
		char buf[JOURNAL_REC_MAX];

		assert_true(journal_encode(buf, sizeof(buf), &rec) > 0);
		if (rec.ip.h == AT(132).h)
			assert_int_equal(rec.ends, JOURNAL_NEVER);
	}
	fx_fini(&x);
}

/* A wall clock that jumps while we run changes no lease's length. */
static void
clock_step_does_not_touch_running_leases(void **state UNUSED)
{
	struct journal_rec rec;
	struct lease *at = NULL;
	struct dhcp_change ch;
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	x.clk.wall_ms += INT64_C(86400000) * 365;
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	assert_int_equal(entry(&x, AT(128))->state, LEASE_ACTIVE);
	dhcp_server_each_rec(x.s, &at, x.clk, &rec);
	assert_int_equal(rec.ends, WALL + 1801 + 86400 * 365);
	fx_pass(&x, 1801000);
	assert_true(dhcp_server_expire(x.s, x.clk, &ch));
	fx_fini(&x);
}

static void
lease_runs_out_when_the_client_must_have_stopped(void **state UNUSED)
{
	struct dhcp_change ch;
	struct fixture x;
	uint32_t active, total;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	dhcp_server_counts(x.s, &active, &total);
	assert_int_equal(active, 1);
	assert_int_equal(total, 126);
	fx_pass(&x, 1800000);
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	fx_pass(&x, 1000);
	assert_true(dhcp_server_expire(x.s, x.clk, &ch));
	assert_int_equal(ch.event, DHCP_EVENT_EXPIRED);
	assert_int_equal(ch.rec.ip.h, AT(128).h);
	assert_true(mac_eq(ch.mac, alice.mac));
	assert_string_equal(ch.rec.hostname, "alice");
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	dhcp_server_counts(x.s, &active, &total);
	assert_int_equal(active, 0);
	fx_fini(&x);
}

/* An offer to another client that comes to nothing must not keep the previous one's record alive as
 * if it were the other's. */
static void
abandoned_offer_leaves_no_record(void **state UNUSED)
{
	struct netconf *c = netconf_new(8);
	struct journal_rec rec;
	struct lease *at = NULL;
	struct dhcp_change ch;
	struct fixture x;

	c->subnet = (struct prefix4){AT(0), 24};
	c->server = SERVER;
	c->unknown_clients = true;
	netconf_add_range(c, AT(10), AT(10), false);
	fx_init(&x, c);
	fx_lease(&x, &alice);
	fx_release(&x, &alice, AT(10));
	assert_int_equal(fx_discover(&x, &bob), DHCP_OFFER);
	fx_pass(&x, DHCP_OFFER_HOLD_MS);
	assert_false(dhcp_server_expire(x.s, x.clk, &ch));
	assert_false(dhcp_server_each_rec(x.s, &at, x.clk, &rec));
	fx_fini(&x);
}

/* --- a new configuration --- */

static void
set_conf(struct fixture *x, struct netconf *c, bool want_forgot)
{
	bool forgot;

	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x->s, c, x->clk, &forgot), 0);
	assert_int_equal(forgot, want_forgot);
}

static void
reload_keeps_leases(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;
	int64_t end;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	end = entry(&x, AT(128))->end.ms;
	fx_discover(&x, &bob);
	c->default_lease_s = 600;
	set_conf(&x, c, false);
	assert_int_equal(entry(&x, AT(128))->end.ms, end);
	assert_string_equal(entry(&x, AT(128))->hostname, "alice");
	assert_int_equal(fx_select(&x, &bob, AT(129)), DHCP_ACK);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 600);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_ACK);
	fx_fini(&x);
}

static void
lease_outside_the_new_range_runs_until_its_renewal(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct dhcp_change ch;
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	fx_lease(&x, &bob);
	c->range[0].lo = AT(200);
	set_conf(&x, c, false);
	assert_int_equal(entry(&x, AT(128))->state, LEASE_ACTIVE);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(x.out.nchanges, 0);
	assert_int_equal(fx_lease(&x, &alice).h, AT(200).h);
	/* Who never comes back is forgotten in the end, and its address with it. */
	fx_pass(&x, 2000000);
	while (dhcp_server_expire(x.s, x.clk, &ch))
		;
	assert_null(entry(&x, AT(129)));
	fx_fini(&x);
}

static void
another_subnet_forgets_and_refuses(void **state UNUSED)
{
	struct netconf *c = netconf_new(8);
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	c->subnet = (struct prefix4){{0x0a090900}, 24};
	c->server.h = 0x0a0909fe;
	c->unknown_clients = c->authoritative = true;
	netconf_add_range(c, (struct ip4){0x0a090980}, (struct ip4){0x0a0909fd}, false);
	set_conf(&x, c, true);
	assert_int_equal(lease_table_used(dhcp_server_leases(x.s)), 0);
	assert_int_equal(fx_reboot(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(fx_rebind(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, 0x0a090980);
	fx_fini(&x);
}

static void
address_that_became_ours_is_taken_back(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &alice);
	c->host = AT(128);
	set_conf(&x, c, true);
	assert_int_equal(fx_renew(&x, &alice, AT(128)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(129).h);
	fx_fini(&x);
}

static void
removed_reservation_is_not_handed_to_others_by_mistake(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	netconf_add_host(c, 0, MAC(1), AT(50), "alice");
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	fx_release(&x, &alice, AT(50));
	set_conf(&x, fx_conf(), true);
	assert_null(entry(&x, AT(50)));
	assert_int_equal(fx_select(&x, &bob, AT(50)), DHCP_NAK);
	assert_int_equal(fx_lease(&x, &alice).h, AT(128).h);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(later_block_wins),
	    cmocka_unit_test(restart_keeps_times_exactly),
	    cmocka_unit_test(restart_adds_no_second_when_the_clocks_are_a_moment_apart),
	    cmocka_unit_test(unusable_records_are_left_out),
	    cmocka_unit_test(one_mac_keeps_its_newest_lease_only),
	    cmocka_unit_test(ended_leases_are_reused_in_order_of_their_end),
	    cmocka_unit_test(abandoned_addresses_are_remembered),
	    cmocka_unit_test(clock_set_back_does_not_lengthen_leases),
	    cmocka_unit_test(clock_set_back_does_not_revive_what_was_given_up),
	    cmocka_unit_test(leases_in_force_are_written_last),
	    cmocka_unit_test(absurd_times_are_survived),
	    cmocka_unit_test(clock_step_does_not_touch_running_leases),
	    cmocka_unit_test(lease_runs_out_when_the_client_must_have_stopped),
	    cmocka_unit_test(abandoned_offer_leaves_no_record),
	    cmocka_unit_test(reload_keeps_leases),
	    cmocka_unit_test(lease_outside_the_new_range_runs_until_its_renewal),
	    cmocka_unit_test(another_subnet_forgets_and_refuses),
	    cmocka_unit_test(address_that_became_ours_is_taken_back),
	    cmocka_unit_test(removed_reservation_is_not_handed_to_others_by_mistake),
	};

	return T_RUN(tests);
}
