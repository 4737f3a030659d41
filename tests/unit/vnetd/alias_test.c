/* SPDX-License-Identifier: GPL-2.0-or-later
 * alias_test.c - what a port's alias remembers.
 */
#include "../lib/t.h"

#include <stdio.h>

#include "vnetd/alias.h"
#include "vnetd/names.h"

static void
an_alias_reads_back_as_it_was_written(void **state UNUSED)
{
	const struct alias in = {
	    .kind = PORT_NETNS,
	    .name = "web1",
	    .mac = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}},
	    .owner = 1000,
	    .queues = 4,
	    .netns = "blue",
	    .peer = "eth0",
	};
	char text[MSG_ALIAS];
	struct alias out;

	alias_print(text, &in);
	assert_string_equal(text, "kind=netns name=web1 mac=52:54:00:12:34:56 owner=1000 queues=4 "
				  "netns=blue peer=eth0");
	assert_true(alias_parse(&out, text));
	assert_int_equal(out.kind, PORT_NETNS);
	assert_string_equal(out.name, "web1");
	assert_true(mac_eq(out.mac, in.mac));
	assert_int_equal(out.owner, 1000);
	assert_int_equal(out.queues, 4);
	assert_string_equal(out.netns, "blue");
	assert_string_equal(out.peer, "eth0");
}

static void
what_was_not_told_is_left_out(void **state UNUSED)
{
	const struct alias in = {.kind = PORT_HELPER, .owner = MSG_UID_NONE, .queues = 1};
	char text[MSG_ALIAS];
	struct alias out;

	alias_print(text, &in);
	assert_string_equal(text, "kind=helper");
	assert_true(alias_parse(&out, text));
	assert_int_equal(out.owner, MSG_UID_NONE);
	assert_int_equal(out.queues, 1);
	assert_true(mac_is_zero(out.mac));
	assert_string_equal(out.name, "");
}

/* The longest text is one that the link's alias, with its prefix, can hold. */
static void
the_longest_alias_fits(void **state UNUSED)
{
	struct alias in = {.kind = PORT_ADOPTED, .owner = MSG_UID_NONE - 1, .queues = 16};
	char text[MSG_ALIAS], full[NAMES_ALIAS_MAX];
	struct alias out;

	memset(in.mac.b, 0xee, sizeof(in.mac.b));
	memset(in.name, 'n', sizeof(in.name) - 1);
	memset(in.netns, '/', sizeof(in.netns) - 1);
	memset(in.peer, 'p', sizeof(in.peer) - 1);
	alias_print(text, &in);
	assert_true(names_alias(full, 255, text));
	assert_true(alias_parse(&out, text));
	assert_string_equal(out.netns, in.netns);
	assert_string_equal(out.peer, in.peer);
	assert_string_equal(out.name, in.name);
}

/* A namespace's path is the caller's text: it must not forge words or break the alias. */
static void
blanks_and_control_characters_cannot_forge_words(void **state UNUSED)
{
	const struct alias in = {
	    .kind = PORT_NETNS, .owner = 7, .queues = 1, .netns = "a owner=0\n\x7f\xc3\xa4"};
	char text[MSG_ALIAS], full[NAMES_ALIAS_MAX];
	struct alias out;

	alias_print(text, &in);
	assert_true(names_alias(full, 8, text));
	assert_true(alias_parse(&out, text));
	assert_int_equal(out.owner, 7);
	assert_string_equal(out.netns, "a_owner=0____");
}

static void
texts_that_are_no_port_are_refused(void **state UNUSED)
{
	static const char *const bad[] = {
	    "", "NAT", "kind", "kind=", "kind=bogus", "name=a", "=helper"};
	struct alias a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(alias_parse(&a, bad[i]));
}

static void
words_that_are_wrong_or_unknown_are_skipped(void **state UNUSED)
{
	struct alias a;

	assert_true(
	    alias_parse(&a, "x=1 kind=attach owner=-1 queues=99 mac=zz name=-a colour  netns"));
	assert_int_equal(a.kind, PORT_ATTACH);
	assert_int_equal(a.owner, MSG_UID_NONE);
	assert_int_equal(a.queues, 1);
	assert_true(mac_is_zero(a.mac));
	assert_string_equal(a.name, "");
	assert_true(alias_parse(&a, "kind=attach owner=4294967295"));
	assert_int_equal(a.owner, MSG_UID_NONE);
	assert_true(alias_parse(&a, "kind=attach owner=4294967294 queues=16"));
	assert_int_equal(a.owner, MSG_UID_NONE - 1);
	assert_int_equal(a.queues, 16);
}

static void
names_of_ports(void **state UNUSED)
{
	char longest[PORT_NAME_MAX + 1];

	assert_true(alias_name_ok("web1"));
	assert_true(alias_name_ok("a.b_c-d"));
	assert_false(alias_name_ok(""));
	assert_false(alias_name_ok("-x"));
	assert_false(alias_name_ok("a b"));
	assert_false(alias_name_ok("a=b"));
	assert_false(alias_name_ok("a/b"));
	memset(longest, 'a', sizeof(longest));
	longest[PORT_NAME_MAX] = '\0';
	assert_false(alias_name_ok(longest));
	longest[PORT_NAME_MAX - 1] = '\0';
	assert_true(alias_name_ok(longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_alias_reads_back_as_it_was_written),
	    cmocka_unit_test(what_was_not_told_is_left_out),
	    cmocka_unit_test(the_longest_alias_fits),
	    cmocka_unit_test(blanks_and_control_characters_cannot_forge_words),
	    cmocka_unit_test(texts_that_are_no_port_are_refused),
	    cmocka_unit_test(words_that_are_wrong_or_unknown_are_skipped),
	    cmocka_unit_test(names_of_ports),
	};

	return T_RUN(tests);
}
