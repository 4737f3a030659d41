/* SPDX-License-Identifier: GPL-2.0-or-later
 * relayflow_test.c - one direction of a relayed connection: nothing is lost, the end comes last, and once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"
#include "natd/relayflow.h"

static void
bytes_go_before_more_come(void **state UNUSED)
{
	struct relayflow f;

	relayflow_init(&f);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_READ);
	relayflow_read(&f, RELAYFLOW_ROOM);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_WRITE);
	relayflow_written(&f, 1);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_WRITE);
	assert_int_equal(f.end - f.at, RELAYFLOW_ROOM - 1);
	relayflow_written(&f, 0);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_WRITE);
	relayflow_written(&f, RELAYFLOW_ROOM - 1);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_READ);
	/* The next piece begins at the beginning. */
	relayflow_read(&f, 3);
	assert_int_equal(f.at, 0);
	assert_int_equal(f.end, 3);
}

static void
the_end_is_told_once_and_last(void **state UNUSED)
{
	struct relayflow f;

	relayflow_init(&f);
	relayflow_read(&f, 5);
	relayflow_written(&f, 5);
	relayflow_read(&f, 0);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_FIN);
	relayflow_finished(&f);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_DONE);
	/* A sender that says nothing at all. */
	relayflow_init(&f);
	relayflow_read(&f, 0);
	assert_int_equal(relayflow_next(&f), RELAYFLOW_FIN);
}

/* A source of 100 000 bytes and a sink that takes them in pieces of every size. */
static void
nothing_is_lost_or_changed(void **state UNUSED)
{
	enum { ALL = 100000 };
	static uint8_t got[ALL];
	struct relayflow f;
	size_t in = 0, out = 0, piece = 1;

	relayflow_init(&f);
	while (relayflow_next(&f) != RELAYFLOW_FIN) {
		size_t n = piece++ % 977 + 1;

		if (relayflow_next(&f) == RELAYFLOW_READ) {
			n = n * 31 % sizeof(f.b) + 1;
			n = n < ALL - in ? n : ALL - in;
			for (size_t i = 0; i < n; i++)
				f.b[i] = (uint8_t)((in + i) * 7 >> 3);
			in += n;
			relayflow_read(&f, n);
		} else {
			n = n < f.end - f.at ? n : f.end - f.at;
			memcpy(got + out, f.b + f.at, n);
			out += n;
			relayflow_written(&f, n);
		}
	}
	assert_int_equal(out, ALL);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(got[i], (uint8_t)(i * 7 >> 3));
}

/* Linux' own times: five days, two minutes. */
static void
silence_is_allowed_as_long_as_by_the_kernel(void **state UNUSED)
{
	struct relayflow a, b;

	relayflow_init(&a);
	relayflow_init(&b);
	assert_true(relayflow_idle_ms(&a, &b) >= INT64_C(432000) * 1000);
	relayflow_read(&b, 0);
	assert_true(relayflow_idle_ms(&a, &b) >= 120 * 1000);
	assert_true(relayflow_idle_ms(&a, &b) < INT64_C(432000) * 1000);
	assert_int_equal(relayflow_idle_ms(&a, &b), relayflow_idle_ms(&b, &a));
}

static void
datagrams_wait_as_long_as_nat_conf_says(void **state UNUSED)
{
	assert_int_equal(relayflow_udp_idle_ms(30), RELAYFLOW_UDP_MS);
	assert_true(RELAYFLOW_UDP_MS >= 120 * 1000);
	assert_int_equal(relayflow_udp_idle_ms(181), 181000);
	assert_int_equal(relayflow_udp_idle_ms(UINT32_MAX), INT64_C(4294967295) * 1000);
	assert_int_equal(relayflow_udp_idle_ms(0), INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_go_before_more_come),
	    cmocka_unit_test(the_end_is_told_once_and_last),
	    cmocka_unit_test(nothing_is_lost_or_changed),
	    cmocka_unit_test(datagrams_wait_as_long_as_nat_conf_says),
	    cmocka_unit_test(silence_is_allowed_as_long_as_by_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
