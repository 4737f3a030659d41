/* SPDX-License-Identifier: GPL-2.0-or-later
 * tally_test.c - conversations are counted in both directions, as many as there is room for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "capture/tally.h"
#include "lib/util.h"

static struct flow
flow(uint32_t a, uint16_t sport, uint32_t b, uint16_t dport)
{
	struct flow f = {
	    .kind = FLOW_IP4, .proto = 6, .ports = true, .sport = sport, .dport = dport};

	memcpy(f.src, &a, sizeof(a));
	memcpy(f.dst, &b, sizeof(b));
	return f;
}

static void
both_directions_are_one_conversation(void **state UNUSED)
{
	static struct tally t;
	struct flow there = flow(1, 80, 2, 5000), back = flow(2, 5000, 1, 80),
		    other = flow(1, 81, 2, 5000);

	tally_clear(&t);
	tally_add(&t, &other, 10);
	tally_add(&t, &there, 100);
	tally_add(&t, &back, 1000);
	tally_add(&t, &there, 100);
	assert_int_equal(t.n, 2);
	tally_sort(&t);
	assert_int_equal(t.talk[0].flow.sport, 80);
	assert_true(t.talk[0].bytes[0] == 200 && t.talk[0].bytes[1] == 1000);
	assert_true(t.talk[0].packets[0] == 2 && t.talk[0].packets[1] == 1);
	tally_clear(&t);
	tally_add(&t, &there, 1);
	assert_true(t.n == 1 && t.talk[0].bytes[0] == 1);
}

static void
more_than_there_is_room_for(void **state UNUSED)
{
	static struct tally t;

	tally_clear(&t);
	for (uint32_t i = 0; i < TALLY_MAX + 10; i++) {
		struct flow f = flow(i, 1, 7, 2);

		tally_add(&t, &f, 60);
		tally_add(&t, &f, 60);
	}
	assert_int_equal(t.n, TALLY_MAX);
	assert_int_equal(t.others, 20);
	for (size_t i = 0; i < t.n; i++)
		assert_int_equal(t.talk[i].packets[0], 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_directions_are_one_conversation),
	    cmocka_unit_test(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
