/* SPDX-License-Identifier: GPL-2.0-or-later
 * poolwatch_test.c - running out of addresses is said once, and again only after it was better.
 */
#include "../lib/t.h"

#include "dhcpd/poolwatch.h"

static void
low_is_said_once_until_it_was_better(void **state UNUSED)
{
	struct poolwatch w = {0};

	assert_false(poolwatch_low(&w, 0, 0)); /* a network of reservations only */
	assert_false(poolwatch_low(&w, 89, 100));
	assert_true(poolwatch_low(&w, 90, 100));
	assert_false(poolwatch_low(&w, 91, 100));
	assert_false(poolwatch_low(&w, 89, 100));
	assert_false(poolwatch_low(&w, 90, 100)); /* a guest comes and goes */
	assert_false(poolwatch_low(&w, 80, 100));
	assert_false(poolwatch_low(&w, 90, 100));
	assert_false(poolwatch_low(&w, 79, 100));
	assert_true(poolwatch_low(&w, 90, 100));
	/* A larger range is better too. */
	assert_false(poolwatch_low(&w, 90, 200));
	assert_true(poolwatch_low(&w, 180, 200));
}

static void
low_counts_large_pools_right(void **state UNUSED)
{
	struct poolwatch w = {0};

	assert_false(poolwatch_low(&w, 117963, 131072)); /* 89.999 % */
	assert_true(poolwatch_low(&w, 117965, 131072));
	w = (struct poolwatch){0};
	assert_false(poolwatch_low(&w, 1, 2));
	assert_true(poolwatch_low(&w, 2, 2));
}

static void
empty_is_said_at_most_every_ten_minutes(void **state UNUSED)
{
	struct mono t = {1000};
	struct poolwatch w = {0};

	assert_false(poolwatch_empty(&w, 0, t));
	assert_true(poolwatch_empty(&w, 1, t));
	assert_false(poolwatch_empty(&w, 500, mono_add(t, POOLWATCH_QUIET_MS - 1)));
	assert_true(poolwatch_empty(&w, 500, mono_add(t, POOLWATCH_QUIET_MS)));
	/* Nobody was turned away since. */
	assert_false(poolwatch_empty(&w, 500, mono_add(t, 5 * POOLWATCH_QUIET_MS)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(low_is_said_once_until_it_was_better),
	    cmocka_unit_test(low_counts_large_pools_right),
	    cmocka_unit_test(empty_is_said_at_most_every_ten_minutes),
	};

	return T_RUN(tests);
}
