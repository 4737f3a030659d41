/* SPDX-License-Identifier: GPL-2.0-or-later
 * wheel_test.c - nothing is looked at late by more than a tick, nothing twice, nothing after it was dropped.
 */
#include "tests/unit/lib/t.h"

#include "redird/wheel.h"

#define REACH_MS ((int64_t)WHEEL_SLOTS * WHEEL_TICK_MS)

static struct mono
at(int64_t ms)
{
	return (struct mono){ms};
}

static void
test_an_entry_comes_once_and_in_time(void **state UNUSED)
{
	struct wheel w;
	struct wheel_entry e = {0};

	wheel_init(&w, at(5000));
	assert_int_equal(wheel_next(&w).ms, MONO_NEVER.ms);
	wheel_set(&w, &e, at(7000));
	assert_true(wheel_next(&w).ms > 7000 && wheel_next(&w).ms <= 7000 + WHEEL_TICK_MS);
	assert_null(wheel_due(&w, at(7000)));
	assert_ptr_equal(wheel_due(&w, at(7000 + WHEEL_TICK_MS)), &e);
	assert_null(wheel_due(&w, at(7000 + WHEEL_TICK_MS)));
	assert_int_equal(w.n, 0);
}

static void
test_dropped_or_moved_it_does_not_come(void **state UNUSED)
{
	struct wheel w;
	struct wheel_entry a = {0}, b = {0}, c = {0};

	wheel_init(&w, at(0));
	wheel_set(&w, &a, at(1000));
	wheel_set(&w, &b, at(1000));
	wheel_set(&w, &c, at(1000));
	wheel_drop(&w, &b);
	wheel_drop(&w, &b);
	wheel_set(&w, &c, at(9000));
	assert_ptr_equal(wheel_due(&w, at(2000)), &a);
	assert_null(wheel_due(&w, at(2000)));
	assert_ptr_equal(wheel_due(&w, at(10000)), &c);
}

static void
test_one_that_has_passed_already_comes_at_the_next_tick(void **state UNUSED)
{
	struct wheel w;
	struct wheel_entry e = {0};

	wheel_init(&w, at(100000));
	wheel_set(&w, &e, at(3));
	assert_ptr_equal(wheel_due(&w, at(100000 + WHEEL_TICK_MS)), &e);
}

static void
test_one_beyond_its_reach_is_looked_at_when_it_has_gone_round(void **state UNUSED)
{
	struct wheel w;
	struct wheel_entry e = {0};
	int64_t now = 0, far = 5 * REACH_MS + 77;
	int looks = 0;

	wheel_init(&w, at(0));
	wheel_set(&w, &e, at(far));
	while (now < far) {
		now = wheel_next(&w).ms;
		assert_ptr_equal(wheel_due(&w, at(now)), &e);
		looks++;
		wheel_set(&w, &e, at(far));
	}
	assert_true(now >= far);
	assert_true(looks <= 7);
}

/* A thousand that are set again and again, against their real deadlines. */
static void
test_a_thousand_at_random(void **state UNUSED)
{
	enum { N = 1000 };
	static struct wheel_entry e[N];
	static int64_t want[N];
	struct wheel w;
	struct wheel_entry *due;
	int came = 0;

	srand(2);
	wheel_init(&w, at(0));
	for (int64_t now = 0; now < 3 * REACH_MS; now += 1 + rand() % 300) {
		for (int i = 0; i < 5; i++) {
			int k = rand() % N;

			want[k] = now + rand() % (REACH_MS - 2 * WHEEL_TICK_MS);
			wheel_set(&w, &e[k], at(want[k]));
		}
		while ((due = wheel_due(&w, at(now))) != NULL) {
			assert_true(want[due - e] <= now);
			want[due - e] = 0;
			came++;
		}
		for (int i = 0; i < N; i++)
			assert_true(want[i] == 0 || want[i] + WHEEL_TICK_MS > now);
	}
	assert_true(came > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_entry_comes_once_and_in_time),
	    cmocka_unit_test(test_dropped_or_moved_it_does_not_come),
	    cmocka_unit_test(test_one_that_has_passed_already_comes_at_the_next_tick),
	    cmocka_unit_test(test_one_beyond_its_reach_is_looked_at_when_it_has_gone_round),
	    cmocka_unit_test(test_a_thousand_at_random),
	};

	return T_RUN(tests);
}
