/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostport_test.c - ports as they are written, and which of them meet.
 */
#include "t.h"

#include "lib/hostport.h"

static bool
parse(struct host_ports *p, const char *s)
{
	return host_ports_parse(p, s, strlen(s));
}

static void
what_is_read_is_printed(void **state UNUSED)
{
	static const char *const good[] = {
	    "1",          "65535",          "8000-8010",
	    "1-65535",    "192.0.2.1:8080", "255.255.255.255:65534-65535",
	    "127.0.0.1:1"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char buf[HOST_PORTS_LEN];
		struct host_ports p;

		assert_true(parse(&p, good[i]));
		assert_string_equal(host_ports_str(p, buf), good[i]);
	}
}

static void
what_is_none_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {
	    "",         "0",         "65536",       "99999999999", "80a",
	    " 80",      "-80",       "80-",         "80-80",       "81-80",
	    "80-81-82", "0-80",      "65530-65536", ":80",         "0.0.0.0:80",
	    "1.2.3:80", "1.2.3.4:",  "1.2.3.4:0",   "1.2.3.4:5:6", "111.111.111.1111:80",
	    "[::1]:80", "1.2.3.4-80"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct host_ports p = {.first = 7, .more = 8};

		assert_false(parse(&p, bad[i]));
		assert_int_equal(p.first, 7);
		assert_int_equal(p.more, 8);
	}
}

static void
ports_meet_on_an_address(void **state UNUSED)
{
	static const struct {
		const char *a, *b;
		bool meet;
	} pairs[] = {
	    {"80", "80", true},
	    {"80", "81", false},
	    {"80-90", "90-99", true},
	    {"80-90", "91-99", false},
	    {"80-90", "85", true},
	    {"80", "192.0.2.1:80", true},
	    {"192.0.2.1:80", "192.0.2.1:70-80", true},
	    {"192.0.2.1:80", "192.0.2.2:80", false},
	    {"65535", "1-65535", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct host_ports a, b;

		assert_true(parse(&a, pairs[i].a));
		assert_true(parse(&b, pairs[i].b));
		assert_int_equal(host_ports_meet(a, b), pairs[i].meet);
		assert_int_equal(host_ports_meet(b, a), pairs[i].meet);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_read_is_printed),
	    cmocka_unit_test(what_is_none_is_refused),
	    cmocka_unit_test(ports_meet_on_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
