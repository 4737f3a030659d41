/* SPDX-License-Identifier: GPL-2.0-or-later
 * logline_test.c - the lines are xinetd's to the letter, and appear when its options ask for them.
 */
#include "tests/unit/lib/t.h"

#include <stdio.h>

#include "redird/logline.h"

#define ALL (~0u)

static const struct ip6 *
guest(void)
{
	static struct ip6 a;

	a = ip6_mapped(0xc0a80814);
	return &a;
}

static void
test_start(void **state UNUSED)
{
	struct logline l;

	assert_false(logline_start(&l, "ssh", 0, guest()));
	assert_true(logline_start(&l, "ssh", LOG_SUCCESS_EXIT, guest()));
	assert_string_equal(l.text, "START: ssh");
	assert_true(logline_start(&l, "ssh", LOG_SUCCESS_HOST, guest()));
	assert_string_equal(l.text, "START: ssh from=192.168.8.20");
	assert_true(logline_start(&l, "ssh", ALL, guest()));
	assert_string_equal(l.text, "START: ssh pid=0 from=192.168.8.20");
}

static void
test_exit(void **state UNUSED)
{
	struct logline l;

	assert_false(logline_exit(&l, "ssh",
				  LOG_SUCCESS_PID | LOG_SUCCESS_HOST | LOG_SUCCESS_TRAFFIC, 0, 1));
	assert_true(logline_exit(&l, "ssh", LOG_SUCCESS_EXIT, 1, 5));
	assert_string_equal(l.text, "EXIT: ssh status=1");
	assert_true(logline_exit(&l, "ssh", LOG_SUCCESS_DURATION, 0, 5));
	assert_string_equal(l.text, "EXIT: ssh duration=5(sec)");
	assert_true(logline_exit(&l, "ssh", ALL, 0, 86400));
	assert_string_equal(l.text, "EXIT: ssh status=0 pid=0 duration=86400(sec)");
}

static void
test_traffic(void **state UNUSED)
{
	struct logline l;

	assert_false(logline_traffic(&l, "ssh", LOG_SUCCESS_EXIT, 1, 2));
	assert_true(logline_traffic(&l, "ssh", LOG_SUCCESS_TRAFFIC, 3120, UINT64_MAX));
	assert_string_equal(l.text, "TRAFFIC: ssh in=3120(bytes) out=18446744073709551615(bytes)");
}

static void
test_fail(void **state UNUSED)
{
	static const char *const words[VERDICT_N] = {
	    [VERDICT_ADDRESS] = "address",
	    [VERDICT_TIME] = "time",
	    [VERDICT_LOAD] = "load",
	    [VERDICT_CPS] = "connections per second",
	    [VERDICT_SERVICE_LIMIT] = "service_limit",
	    [VERDICT_PER_SOURCE_LIMIT] = "per_source_limit",
	};
	struct logline l;
	char want[LOGLINE_MAX];

	assert_false(logline_fail(&l, "ssh", 0, VERDICT_TIME, guest()));
	assert_true(logline_fail(&l, "ssh", LOG_FAILURE_ATTEMPT, VERDICT_TIME, guest()));
	assert_string_equal(l.text, "FAIL: ssh time");
	for (int v = VERDICT_OK + 1; v < VERDICT_N; v++) {
		assert_true(logline_fail(&l, "ssh", LOG_FAILURE_HOST, (enum verdict)v, guest()));
		snprintf(want, sizeof(want), "FAIL: ssh %s from=192.168.8.20", words[v]);
		assert_string_equal(l.text, want);
	}
}

static void
test_sentences(void **state UNUSED)
{
	struct logline l;

	logline_cps_off(&l, "ssh", 10);
	assert_string_equal(l.text,
			    "Deactivating service ssh due to excessive incoming connections.  "
			    "Restarting in 10 seconds.");
	logline_cps_on(&l, "ssh");
	assert_string_equal(l.text, "Activating service ssh");
	logline_sensor(&l, guest(), 60);
	assert_string_equal(l.text,
			    "Adding 192.168.8.20 to the global_no_access list for 60 minutes");
	logline_no_target(&l, guest(), "Connection refused");
	assert_string_equal(l.text,
			    "can't connect to remote host 192.168.8.20: Connection refused");
}

static void
test_a_long_name_is_cut_and_the_rest_still_there(void **state UNUSED)
{
	struct logline l;
	struct ip6 a = {{0x20, 1, 0xd, 0xb8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};
	char name[1000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(logline_fail(&l, name, ALL, VERDICT_CPS, &a));
	assert_non_null(strstr(l.text, " from=2001:db8:101:101:101:101:101:101"));
	logline_cps_off(&l, name, UINT32_MAX);
	assert_non_null(strstr(l.text, "4294967295 seconds."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start),
	    cmocka_unit_test(test_exit),
	    cmocka_unit_test(test_traffic),
	    cmocka_unit_test(test_fail),
	    cmocka_unit_test(test_sentences),
	    cmocka_unit_test(test_a_long_name_is_cut_and_the_rest_still_there),
	};

	return T_RUN(tests);
}
