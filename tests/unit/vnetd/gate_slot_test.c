/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_slot_test.c - slots are handed out once and again as late as possible; lists of promiscuous ports
 * keep their places.
 */
#include "../lib/t.h"

#include "vnetd/gate_slot.h"

static void
every_slot_but_0_is_handed_out_once(void **state UNUSED)
{
	static struct gate_slots s;
	static bool seen[GATE_SLOTS];

	for (uint32_t i = 1; i < GATE_SLOTS; i++) {
		unsigned slot = gate_slot_take(&s, 1000 + i);

		assert_in_range(slot, 1, GATE_SLOTS - 1);
		assert_false(seen[slot]);
		seen[slot] = true;
	}
	assert_int_equal(gate_slot_take(&s, 7), 0);
	assert_int_equal(gate_slot_find(&s, 7), 0);
	gate_slot_put(&s, 17);
	assert_int_equal(gate_slot_take(&s, 7), 17);
	assert_int_equal(gate_slot_find(&s, 7), 17);
}

static void
a_link_is_found_until_its_slot_is_given_back(void **state UNUSED)
{
	static struct gate_slots s;
	unsigned a = gate_slot_take(&s, 5), b = gate_slot_take(&s, 6);

	assert_int_equal(gate_slot_find(&s, 5), a);
	assert_int_equal(gate_slot_find(&s, 6), b);
	gate_slot_put(&s, a);
	assert_int_equal(gate_slot_find(&s, 5), 0);
	assert_int_equal(gate_slot_find(&s, 6), b);
	/* Free slots are no link's. */
	assert_int_equal(gate_slot_find(&s, 0), 0);
}

static void
a_link_is_at_home_where_nobody_else_is(void **state UNUSED)
{
	static struct gate_slots s;
	unsigned away;

	assert_int_equal(gate_slot_take(&s, 5), 5);
	assert_int_equal(gate_slot_take(&s, GATE_SLOTS + 6), 6);
	away = gate_slot_take(&s, GATE_SLOTS + 5);
	assert_int_not_equal(away, 5);
	assert_int_equal(gate_slot_find(&s, GATE_SLOTS + 5), away);
	/* Slot 0 is nobody's home. */
	assert_int_not_equal(gate_slot_take(&s, GATE_SLOTS), 0);
}

static void
a_slot_away_from_home_rests_when_it_was_given_back(void **state UNUSED)
{
	static struct gate_slots s;
	unsigned a;

	gate_slot_take(&s, 5);
	a = gate_slot_take(&s, GATE_SLOTS + 5);
	for (unsigned i = 0; i < GATE_SLOTS - 3; i++) {
		gate_slot_put(&s, gate_slot_find(&s, GATE_SLOTS + 5));
		assert_int_not_equal(gate_slot_take(&s, GATE_SLOTS + 5), a);
	}
	gate_slot_put(&s, gate_slot_find(&s, GATE_SLOTS + 5));
	assert_int_equal(gate_slot_take(&s, GATE_SLOTS + 5), a);
}

static void
promiscuous_slots_of_a_network(void **state UNUSED)
{
	struct gate_net n = {0};

	for (unsigned slot = 1; slot <= GATE_MIRRORS_MAX; slot++) {
		assert_false(gate_net_is_full(&n));
		assert_false(gate_net_has(&n, slot));
		gate_net_add(&n, slot);
		assert_true(gate_net_has(&n, slot));
	}
	assert_true(gate_net_is_full(&n));
	gate_net_del(&n, 3);
	assert_false(gate_net_has(&n, 3));
	assert_false(gate_net_is_full(&n));
	/* Nobody else has moved. */
	for (unsigned i = 0; i < GATE_MIRRORS_MAX; i++)
		assert_int_equal(n.slot[i], i == 2 ? 0 : i + 1);
	assert_int_equal(n.n, GATE_MIRRORS_MAX);
	gate_net_add(&n, 99);
	assert_int_equal(n.slot[2], 99);
	gate_net_del(&n, 1234);
	assert_int_equal(n.n, GATE_MIRRORS_MAX);
}

static void
a_list_that_empties_is_short_again(void **state UNUSED)
{
	struct gate_net n = {0};

	gate_net_add(&n, 1);
	gate_net_add(&n, 2);
	gate_net_add(&n, 3);
	gate_net_del(&n, 2);
	assert_int_equal(n.n, 3);
	gate_net_del(&n, 3);
	assert_int_equal(n.n, 1);
	gate_net_del(&n, 1);
	assert_int_equal(n.n, 0);
	/* A hole is nobody's slot. */
	assert_false(gate_net_has(&n, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_slot_but_0_is_handed_out_once),
	    cmocka_unit_test(a_link_is_found_until_its_slot_is_given_back),
	    cmocka_unit_test(a_link_is_at_home_where_nobody_else_is),
	    cmocka_unit_test(a_slot_away_from_home_rests_when_it_was_given_back),
	    cmocka_unit_test(promiscuous_slots_of_a_network),
	    cmocka_unit_test(a_list_that_empties_is_short_again),
	};

	return T_RUN(tests);
}
