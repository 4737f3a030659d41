/* SPDX-License-Identifier: GPL-2.0-or-later
 * diag_test.c - sentences with their place, nothing raw in them, bounded in number; suggestions.
 */
#include "t.h"

#include "conf/diag.h"

static const char *
printed(struct strbuf *b, const struct diag *x)
{
	strbuf_fini(b);
	diag_print(b, x);
	return strbuf_str(b);
}

static void
a_place_is_printed_as_far_as_it_is_known(void **state UNUSED)
{
	struct strbuf b;
	struct diags d;

	strbuf_init(&b);
	diags_init(&d);
	diag_error(&d, ((struct conf_pos){"networking", 14, 22}), "not an IPv4 subnet: \"%s\"",
		   "x");
	diag_warn(&d, ((struct conf_pos){"vnetd.conf", 0, 0}), "too long");
	diag_notice(&d, ((struct conf_pos){NULL, 0, 0}), "nowhere");
	assert_int_equal(d.n, 3);
	assert_string_equal(printed(&b, &d.v[0]), "networking:14:22: not an IPv4 subnet: \"x\"");
	assert_string_equal(printed(&b, &d.v[1]), "vnetd.conf: too long");
	assert_string_equal(printed(&b, &d.v[2]), "nowhere");
	assert_int_equal(d.count[DIAG_ERROR], 1);
	assert_int_equal(d.count[DIAG_WARNING], 1);
	assert_int_equal(d.count[DIAG_NOTICE], 1);
	diags_fini(&d);
	strbuf_fini(&b);
}

static void
nothing_raw_reaches_a_terminal(void **state UNUSED)
{
	struct diags d;

	diags_init(&d);
	diag_error(&d, ((struct conf_pos){0}), "%s", "a\x1b[31m\x7f\xff\xc2\x9b \xc3\xbc");
	assert_string_equal(d.v[0].text, "a\\x1b[31m\\x7f\\xff\\xc2\\x9b \xc3\xbc");
	diags_fini(&d);
}

static void
what_failed_is_known_even_when_the_list_is_full(void **state UNUSED)
{
	struct diags d, more;

	diags_init(&d);
	diags_init(&more);
	d.net = 3;
	for (int i = 0; i < DIAGS_MAX + 10; i++)
		diag_warn(&d, ((struct conf_pos){"f", 1, 1}), "%d", i);
	d.net = 7;
	diag_error(&d, ((struct conf_pos){"f", 1, 1}), "late");
	assert_int_equal(d.n, DIAGS_MAX);
	assert_int_equal(d.count[DIAG_WARNING], DIAGS_MAX + 10);
	assert_true(diags_failed(&d, 7));
	assert_false(diags_failed(&d, 3));
	assert_false(diags_failed(&d, -1));
	assert_null(diags_first_error(&d, 7));
	diags_append(&more, &d);
	assert_true(diags_failed(&more, 7));
	assert_int_equal(more.n, DIAGS_MAX);
	diags_fini(&d);
	assert_string_equal(more.v[DIAGS_MAX - 1].text, "999");
	diags_fini(&more);
}

static void
notices_leave_room_for_warnings(void **state UNUSED)
{
	struct diags d;

	diags_init(&d);
	for (int i = 0; i < DIAGS_MAX + 10; i++)
		diag_notice(&d, ((struct conf_pos){"f", 1, 1}), "%d", i);
	assert_int_equal(d.n, NOTICES_MAX);
	assert_int_equal(d.count[DIAG_NOTICE], DIAGS_MAX + 10);
	diag_warn(&d, ((struct conf_pos){"f", 1, 1}), "late");
	assert_string_equal(d.v[NOTICES_MAX].text, "late");
	diags_fini(&d);
}

static void
errors_are_found_by_network(void **state UNUSED)
{
	struct diags d;

	diags_init(&d);
	diag_error(&d, ((struct conf_pos){"f", 1, 1}), "all");
	d.net = 8;
	diag_warn(&d, ((struct conf_pos){"f", 2, 1}), "warning");
	diag_error(&d, ((struct conf_pos){"f", 3, 1}), "eight");
	assert_string_equal(diags_first_error(&d, 8)->text, "eight");
	assert_string_equal(diags_first_error(&d, -1)->text, "all");
	assert_null(diags_first_error(&d, 9));
	diags_fini(&d);
}

static void
suggestions(void **state UNUSED)
{
	static const char *const words[] = {"option", "range", "subnet", "mtu", "dhcp", NULL};

	assert_string_equal(diag_did_you_mean("optiom", words), "option");
	assert_string_equal(diag_did_you_mean("OPTION", words), "option");
	assert_string_equal(diag_did_you_mean("rang", words), "range");
	assert_string_equal(diag_did_you_mean("submet", words), "subnet");
	assert_string_equal(diag_did_you_mean("mut", words), "mtu");
	assert_null(diag_did_you_mean("completely-else", words));
	assert_null(diag_did_you_mean("", words));
	assert_null(diag_did_you_mean("x", words));
	assert_null(diag_did_you_mean("a-word-that-is-much-longer-than-any-keyword", words));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_place_is_printed_as_far_as_it_is_known),
	    cmocka_unit_test(nothing_raw_reaches_a_terminal),
	    cmocka_unit_test(what_failed_is_known_even_when_the_list_is_full),
	    cmocka_unit_test(notices_leave_room_for_warnings),
	    cmocka_unit_test(errors_are_found_by_network),
	    cmocka_unit_test(suggestions),
	};

	return T_RUN(tests);
}
