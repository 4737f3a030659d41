/* SPDX-License-Identifier: GPL-2.0-or-later
 * logout_test.c - lines as a file and as /dev/log take them, and the limits of a file.
 */
#include "tests/unit/lib/t.h"

#include <string.h>

#include "redird/logout.h"

static const struct tm morning = {
    .tm_year = 126, .tm_mon = 10, .tm_mday = 8, .tm_hour = 9, .tm_min = 5, .tm_sec = 7};

static void
a_file_gets_the_line_as_xinetd_writes_it(void **state UNUSED)
{
	char buf[LOGOUT_MAX];
	struct tm early = morning;
	size_t len = logout_file(buf, &morning, "START: ssh");

	assert_int_equal(len, strlen(buf));
	assert_string_equal(buf, "26/11/8@09:05:07: START: ssh\n");
	early.tm_year = 105;
	early.tm_mon = 0;
	logout_file(buf, &early, "x");
	assert_string_equal(buf, "05/1/8@09:05:07: x\n");
}

static void
syslog_gets_priority_and_date(void **state UNUSED)
{
	char buf[LOGOUT_MAX];
	struct tm late = morning;
	size_t len = logout_syslog(buf, &morning, 30, "START: ssh");

	assert_int_equal(len, strlen(buf));
	assert_string_equal(buf, "<30>Nov  8 09:05:07 vnet-redird: START: ssh");
	late.tm_mon = 11;
	late.tm_mday = 31;
	logout_syslog(buf, &late, LOG_PRI_MAX, "x");
	assert_string_equal(buf, "<191>Dec 31 09:05:07 vnet-redird: x");
}

static void
a_longer_text_is_cut_and_still_a_line(void **state UNUSED)
{
	char buf[LOGOUT_MAX], text[2 * LOGOUT_MAX];
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	len = logout_file(buf, &morning, text);
	assert_int_equal(len, strlen(buf));
	assert_int_equal(len, LOGOUT_MAX - 1);
	assert_string_equal(buf + len - 2, "x\n");
	len = logout_syslog(buf, &morning, 30, text);
	assert_int_equal(len, strlen(buf));
	assert_int_equal(len, LOGOUT_MAX - 1);
	/* the longest that there is fits */
	text[LOGLINE_MAX - 1] = '\0';
	assert_int_equal(logout_file(buf, &morning, text),
			 strlen("26/11/8@09:05:07: ") + LOGLINE_MAX);
}

static void
without_limits_every_line_is_written(void **state UNUSED)
{
	const struct log_place p = {.kind = LOG_FILE};
	struct log_limit l = {0};

	assert_int_equal(log_limit(&l, &p, UINT64_MAX / 2, 100), LOG_WRITE);
}

static void
each_limit_is_said_once_until_the_file_is_shorter(void **state UNUSED)
{
	const struct log_place p = {.kind = LOG_FILE, .soft = 100, .hard = 200};
	struct log_limit l = {0};

	assert_int_equal(log_limit(&l, &p, 50, 50), LOG_WRITE);
	assert_int_equal(log_limit(&l, &p, 51, 50), LOG_WRITE_SOFT);
	assert_int_equal(log_limit(&l, &p, 101, 50), LOG_WRITE);
	assert_int_equal(log_limit(&l, &p, 150, 50), LOG_WRITE);
	assert_int_equal(log_limit(&l, &p, 151, 50), LOG_DROP_HARD);
	assert_int_equal(log_limit(&l, &p, 151, 50), LOG_DROP);
	/* a shorter line that would fit has its turn */
	assert_int_equal(log_limit(&l, &p, 151, 49), LOG_WRITE);
	assert_int_equal(log_limit(&l, &p, 0, 50), LOG_WRITE);
	assert_int_equal(log_limit(&l, &p, 60, 50), LOG_WRITE_SOFT);
	assert_int_equal(log_limit(&l, &p, 1000, 50), LOG_DROP_HARD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_gets_the_line_as_xinetd_writes_it),
	    cmocka_unit_test(syslog_gets_priority_and_date),
	    cmocka_unit_test(a_longer_text_is_cut_and_still_a_line),
	    cmocka_unit_test(without_limits_every_line_is_written),
	    cmocka_unit_test(each_limit_is_said_once_until_the_file_is_shorter),
	};

	return cmocka_run_group_tests_name("redird logout", tests, NULL, NULL);
}
