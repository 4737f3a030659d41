/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_text_test.c - times, widths and tables as people see them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

static void
check_clean(const char *in, bool one_word, const char *out)
{
	struct strbuf b;

	strbuf_init(&b);
	ctl_text_clean(&b, in, one_word);
	assert_string_equal(strbuf_str(&b), out);
	strbuf_fini(&b);
}

static void
widths_are_those_of_the_screen(void **state UNUSED)
{
	assert_int_equal(ctl_text_width(""), 0);
	assert_int_equal(ctl_text_width("web1"), 4);
	assert_int_equal(ctl_text_width("b\xc3\xbcro"), 4);              /* u umlaut */
	assert_int_equal(ctl_text_width("e\xcc\x81"), 1);                /* e, combining accent */
	assert_int_equal(ctl_text_width("\xe7\xb6\xb2\xe8\xb7\xaf"), 4); /* two wide characters */
}

static void
a_name_cannot_paint_the_terminal(void **state UNUSED)
{
	check_clean("web1", true, "web1");
	check_clean("\033[31mred\033[0m", false, "\\x1b[31mred\\x1b[0m");
	check_clean("a\nb\tc\x7f", false, "a\\x0ab\\x09c\\x7f");
	check_clean("b\xc3\xbcro", true, "b\xc3\xbcro");
	check_clean("\xff\xc3", true, "\\xff\\xc3");
	check_clean("\xc2\x9b"
		    "31m",
		    false, "\\xc2\\x9b31m");                       /* CSI as one character */
	check_clean("x\xe2\x80\xaey", false, "x\\xe2\\x80\\xaey"); /* right-to-left override */
	check_clean("two words", false, "two words");
	check_clean("two words", true, "two\\x20words");
}

static void
spans_of_time(void **state UNUSED)
{
	char buf[TEXT_SPAN_LEN];

	assert_string_equal(ctl_text_span(0, buf), "0 s");
	assert_string_equal(ctl_text_span(59, buf), "59 s");
	assert_string_equal(ctl_text_span(60, buf), "1 min");
	assert_string_equal(ctl_text_span(3599, buf), "59 min");
	assert_string_equal(ctl_text_span(3600, buf), "1 h");
	assert_string_equal(ctl_text_span(48 * 3600 - 1, buf), "47 h");
	assert_string_equal(ctl_text_span(48 * 3600, buf), "2 days");
	assert_string_equal(ctl_text_span(UINT64_MAX, buf), "213503982334601 days");
}

static void
times_relative_to_now(void **state UNUSED)
{
	char buf[TEXT_SPAN_LEN + 8];

	assert_string_equal(ctl_text_when(1000, 1000, buf), "now");
	assert_string_equal(ctl_text_when(1000 + 27 * 60 + 59, 1000, buf), "in 27 min");
	assert_string_equal(ctl_text_when(1000, 1000 + 5, buf), "5 s ago");
	assert_string_equal(ctl_text_when(0, UINT64_MAX, buf), "213503982334601 days ago");
}

static void
times_for_programs(void **state UNUSED)
{
	char buf[TEXT_TIME_LEN];

	assert_string_equal(ctl_text_utc(0, false, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(ctl_text_utc(1700000000123, true, buf), "2023-11-14T22:13:20.123Z");
	assert_string_equal(ctl_text_utc(1700000000123, false, buf), "2023-11-14T22:13:20Z");
	assert_string_equal(ctl_text_utc(UINT64_MAX, false, buf), "9999-12-31T23:59:59Z");
}

static void
host_parts(void **state UNUSED)
{
	const struct ip4 a = {0xac10cc01}; /* 172.16.204.1 */
	char buf[IP4_STRLEN + 1];

	assert_string_equal(ctl_text_host_part(a, 24, buf), ".1");
	assert_string_equal(ctl_text_host_part(a, 30, buf), ".1");
	assert_string_equal(ctl_text_host_part(a, 32, buf), ".1");
	assert_string_equal(ctl_text_host_part(a, 23, buf), ".204.1");
	assert_string_equal(ctl_text_host_part(a, 16, buf), ".204.1");
	assert_string_equal(ctl_text_host_part(a, 8, buf), ".16.204.1");
	assert_string_equal(ctl_text_host_part(a, 4, buf), "172.16.204.1");
	assert_string_equal(ctl_text_host_part((struct ip4){UINT32_MAX}, 0, buf),
			    "255.255.255.255");
}

static const char *const head[] = {"NAME", "OWNER", "STATE", NULL};

static void
check_table(const struct table *t, bool colour, const char *want)
{
	struct strbuf b;

	strbuf_init(&b);
	table_print(&b, t, colour);
	assert_false(b.bad);
	assert_string_equal(strbuf_str(&b), want);
	strbuf_fini(&b);
}

static void
columns_are_aligned_by_what_is_seen(void **state UNUSED)
{
	struct table t;

	table_init(&t, head);
	check_table(&t, false, "NAME  OWNER  STATE\n");
	table_add(&t, "b\xc3\xbcro");
	table_add(&t, "");
	table_add(&t, "no uplink");
	table_addf(&t, "vmnet%up%u", 8, 12);
	table_add(&t, "my self");
	table_add(&t, "");
	check_table(&t, false,
		    "NAME       OWNER       STATE\n"
		    "b\xc3\xbcro       -           no uplink\n"
		    "vmnet8p12  my\\x20self  -\n");
	table_fini(&t);
}

static void
every_row_has_as_many_words_as_the_header(void **state UNUSED)
{
	struct table t;
	struct strbuf b;
	char *save = NULL;

	table_init(&t, head);
	for (int i = 0; i < 200; i++) {
		table_add(&t, i % 3 ? "a b" : "");
		table_add(&t, i % 2 ? "\t" : "x");
		table_add(&t, "up");
	}
	strbuf_init(&b);
	table_print(&b, &t, false);
	for (char *line = strtok_r(b.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int words = 0;
		char *word_save = NULL;

		for (char *w = strtok_r(line, " ", &word_save); w;
		     w = strtok_r(NULL, " ", &word_save))
			words++;
		assert_int_equal(words, 3);
	}
	strbuf_fini(&b);
	table_fini(&t);
}

static void
colour_changes_no_width(void **state UNUSED)
{
	struct table t;

	table_init(&t, head);
	table_add_tinted(&t, TINT_BAD, "x");
	table_add(&t, "y");
	table_add_tinted(&t, TINT_WARN, "z");
	check_table(&t, true, "NAME  OWNER  STATE\n\033[31mx\033[0m     y      \033[33mz\033[0m\n");
	check_table(&t, false, "NAME  OWNER  STATE\nx     y      z\n");
	table_fini(&t);
}

static void
rows_that_follow_stand_under_those_before(void **state UNUSED)
{
	struct table t;

	table_init(&t, head);
	t.least[0] = 8;
	t.headless = true;
	table_add(&t, "x");
	table_add(&t, "y");
	table_add(&t, "z");
	check_table(&t, false, "x         y      z\n");
	table_fini(&t);
}

static int
setup(void **state UNUSED)
{
	ctl_text_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(widths_are_those_of_the_screen),
	    cmocka_unit_test(a_name_cannot_paint_the_terminal),
	    cmocka_unit_test(spans_of_time),
	    cmocka_unit_test(times_relative_to_now),
	    cmocka_unit_test(times_for_programs),
	    cmocka_unit_test(host_parts),
	    cmocka_unit_test(columns_are_aligned_by_what_is_seen),
	    cmocka_unit_test(every_row_has_as_many_words_as_the_header),
	    cmocka_unit_test(colour_changes_no_width),
	    cmocka_unit_test(rows_that_follow_stand_under_those_before),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
