/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_args_test.c - command lines of the tools.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_args.h"

static const struct ctl_opt opts[] = {
    {"queues", 0, "N", "number"},
    {"mac", 'm', "MAC", "address"},
    {"verbose", 'v', NULL, "more"},
    CTL_OPT_JSON,
    CTL_OPT_HELP,
    {0},
};

#define ARGV(...) ((const char *[]){__VA_ARGS__, NULL})

/* Parses and expects success. */
static struct ctl_args
good(const char **argv, enum ctl_args_mode mode)
{
	struct ctl_args a;
	struct strbuf why;

	strbuf_init(&why);
	if (!ctl_args_parse(&a, opts, (char **)(uintptr_t)argv, mode, &why))
		fail_msg("refused: %s", strbuf_str(&why));
	assert_int_equal(why.len, 0);
	strbuf_fini(&why);
	return a;
}

static void
bad(const char **argv, const char *sentence)
{
	struct ctl_args a;
	struct strbuf why;

	strbuf_init(&why);
	assert_false(ctl_args_parse(&a, opts, (char **)(uintptr_t)argv, CTL_ARGS_ALL, &why));
	assert_string_equal(strbuf_str(&why), sentence);
	strbuf_fini(&why);
}

static void
options_stand_anywhere(void **state UNUSED)
{
	struct ctl_args a =
	    good(ARGV("one", "--queues", "4", "-v", "two", "--mac=00:50:56:00:00:01", "three"),
		 CTL_ARGS_ALL);

	assert_int_equal(a.npos, 3);
	assert_string_equal(a.pos[0], "one");
	assert_string_equal(a.pos[1], "two");
	assert_string_equal(a.pos[2], "three");
	assert_string_equal(ctl_args_get(&a, "queues"), "4");
	assert_string_equal(ctl_args_get(&a, "mac"), "00:50:56:00:00:01");
	assert_string_equal(ctl_args_get(&a, "verbose"), "");
	assert_null(ctl_args_get(&a, "json"));
	assert_null(ctl_args_get(&a, "no-such-option"));
	assert_null(a.rest);
}

static void
short_options_take_values(void **state UNUSED)
{
	struct ctl_args a = good(ARGV("-m", "aa:bb", "x"), CTL_ARGS_ALL);

	assert_string_equal(ctl_args_get(&a, "mac"), "aa:bb");
	assert_int_equal(a.npos, 1);
	a = good(ARGV("-maa:bb"), CTL_ARGS_ALL);
	assert_string_equal(ctl_args_get(&a, "mac"), "aa:bb");
}

static void
a_command_is_not_looked_at(void **state UNUSED)
{
	struct ctl_args a =
	    good(ARGV("vmnet8", "--", "qemu", "--queues", "--no-such", "--", "x"), CTL_ARGS_ALL);

	assert_int_equal(a.npos, 1);
	assert_null(ctl_args_get(&a, "queues"));
	assert_non_null(a.rest);
	assert_string_equal(a.rest[0], "qemu");
	assert_string_equal(a.rest[1], "--queues");
	assert_string_equal(a.rest[3], "--");
	assert_string_equal(a.rest[4], "x");
	assert_null(a.rest[5]);
	a = good(ARGV("vmnet8", "--"), CTL_ARGS_ALL);
	assert_non_null(a.rest);
	assert_null(a.rest[0]);
}

static void
a_verb_keeps_what_follows_it(void **state UNUSED)
{
	struct ctl_args a = good(ARGV("-v", "ports", "--json", "--any"), CTL_ARGS_UNTIL_VERB);

	assert_int_equal(a.npos, 3);
	assert_string_equal(a.pos[0], "ports");
	assert_string_equal(a.pos[1], "--json");
	assert_string_equal(a.pos[2], "--any");
	assert_null(a.pos[3]);
	assert_null(ctl_args_get(&a, "json"));
	assert_non_null(ctl_args_get(&a, "verbose"));
	a = good(ARGV("--json"), CTL_ARGS_UNTIL_VERB);
	assert_int_equal(a.npos, 0);
}

static void
a_lone_dash_is_an_argument(void **state UNUSED)
{
	struct ctl_args a = good(ARGV("-"), CTL_ARGS_ALL);

	assert_int_equal(a.npos, 1);
	assert_string_equal(a.pos[0], "-");
}

static void
mistakes_are_named(void **state UNUSED)
{
	bad(ARGV("--quues", "4"), "unknown option \"--quues\", did you mean \"--queues\"?");
	bad(ARGV("--quues=4"), "unknown option \"--quues\", did you mean \"--queues\"?");
	bad(ARGV("--zzzzzzzz"), "unknown option \"--zzzzzzzz\"");
	bad(ARGV("-x"), "unknown option \"-x\"");
	bad(ARGV("--queues"), "option \"--queues\" needs a value: --queues N");
	bad(ARGV("--queues="), "option \"--queues\" needs a value: --queues N");
	bad(ARGV("-m"), "option \"-m\" needs a value: --mac MAC");
	bad(ARGV("--json=yes"), "option \"--json\" takes no value");
	bad(ARGV("-vv"), "option \"-v\" takes no value");
}

static void
numbers(void **state UNUSED)
{
	static const char *const wrong[] = {
	    "",  "-1", "+1", " 1", "1 ", "0x1", "1.0", "abc", "0", "17", "99999999999999999999",
	    "1a"};
	unsigned n = 77;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(ctl_parse_number(&n, wrong[i], 1, 16));
	assert_int_equal(n, 77);
	assert_true(ctl_parse_number(&n, "1", 1, 16));
	assert_int_equal(n, 1);
	assert_true(ctl_parse_number(&n, "016", 1, 16));
	assert_int_equal(n, 16);
	assert_true(ctl_parse_number(&n, "4294967295", 0, UINT32_MAX));
	assert_int_equal(n, UINT32_MAX);
	assert_false(ctl_parse_number(&n, "4294967296", 0, UINT32_MAX));
}

static void
durations(void **state UNUSED)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} right[] = {{"1s", 1},      {"90s", 90},        {"10m", 600},           {"1h", 3600},
		     {"2d", 172800}, {"365d", 31536000}, {"31536000s", 31536000}};
	static const char *const wrong[] = {
	    "",    "h",   "1",    "0s", "1w",   "-1h",       "1H",
	    "1 h", "1hh", "1.5h", "h1", "366d", "31536001s", "99999999999999999999s"};
	uint32_t n = 77;

	for (size_t i = 0; i < ARRAY_LEN(right); i++) {
		assert_true(ctl_parse_duration(&n, right[i].text));
		assert_int_equal(n, right[i].seconds);
	}
	n = 77;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(ctl_parse_duration(&n, wrong[i]));
	assert_int_equal(n, 77);
}

static void
addresses_of_one_guest(void **state UNUSED)
{
	struct mac m;

	assert_true(ctl_parse_mac(&m, "52:54:00:12:34:56"));
	assert_int_equal(m.b[5], 0x56);
	assert_false(ctl_parse_mac(&m, "00:00:00:00:00:00"));
	assert_false(ctl_parse_mac(&m, "ff:ff:ff:ff:ff:ff"));
	assert_false(ctl_parse_mac(&m, "01:00:5e:00:00:01"));
	assert_false(ctl_parse_mac(&m, "52:54:00:12:34"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_stand_anywhere),
	    cmocka_unit_test(short_options_take_values),
	    cmocka_unit_test(a_command_is_not_looked_at),
	    cmocka_unit_test(a_verb_keeps_what_follows_it),
	    cmocka_unit_test(a_lone_dash_is_an_argument),
	    cmocka_unit_test(mistakes_are_named),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(durations),
	    cmocka_unit_test(addresses_of_one_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
