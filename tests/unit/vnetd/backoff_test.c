/* SPDX-License-Identifier: GPL-2.0-or-later
 * backoff_test.c - restart delays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/util.h"
#include "vnetd/backoff.h"

static void
at_once_then_doubling_up_to_ten_seconds(void **state UNUSED)
{
	static const uint32_t want[] = {0,    100,  200,   400,   800,  1600,
					3200, 6400, 10000, 10000, 10000};
	struct backoff b = {0};

	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(backoff_next_ms(&b, 5), want[i]);
	b.failures = UINT32_MAX;
	assert_int_equal(backoff_next_ms(&b, 5), BACKOFF_MAX_MS);
}

static void
a_child_that_ran_long_is_started_at_once_again(void **state UNUSED)
{
	struct backoff b = {0};

	for (int i = 0; i < 20; i++)
		backoff_next_ms(&b, 0);
	assert_int_equal(backoff_next_ms(&b, BACKOFF_STABLE_MS - 1), BACKOFF_MAX_MS);
	assert_int_equal(backoff_next_ms(&b, BACKOFF_STABLE_MS), 0);
	assert_int_equal(backoff_next_ms(&b, 0), BACKOFF_FIRST_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(at_once_then_doubling_up_to_ten_seconds),
	    cmocka_unit_test(a_child_that_ran_long_is_started_at_once_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
