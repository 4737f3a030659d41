/* SPDX-License-Identifier: GPL-2.0-or-later
 * ini_test.c - one pair changed, every other byte kept.
 */
#include "t.h"

#include "conf/ini.h"

static void
expect_set(const char *text, const char *section, const char *key, const char *value,
	   const char *want)
{
	struct strbuf b;

	strbuf_init(&b);
	ini_set(&b, text, strlen(text), section, key, value, true);
	assert_string_equal(strbuf_str(&b), want);
	strbuf_fini(&b);
}

static void
a_value_is_replaced_in_place(void **state UNUSED)
{
	expect_set("[a]\nk = 1 # why\nl = 2\n", "a", "k", "9", "[a]\nk = 9 # why\nl = 2\n");
	expect_set("[a]\nk=1\n", "a", "K", "9", "[a]\nk=9\n");
	expect_set("[a]\nk=\n", "a", "k", "9", "[a]\nk= 9\n");
	expect_set("[a]\nk = # c\n", "a", "k", "9", "[a]\nk = 9 # c\n");
	expect_set("[a]\nk =# c\n", "a", "k", "9", "[a]\nk = 9 # c\n");
}

static void
the_last_of_several_counts(void **state UNUSED)
{
	expect_set("[a]\nk = 1\n[b]\nk = 2\n[A]\nk = 3\n", "a", "k", "9",
		   "[a]\nk = 1\n[b]\nk = 2\n[A]\nk = 9\n");
}

static void
a_new_key_goes_behind_the_section(void **state UNUSED)
{
	expect_set("[a]\nk = 1\n# tail\n\n[b]\nx = 1\n", "a", "l", "2",
		   "[a]\nk = 1\nl = 2\n# tail\n\n[b]\nx = 1\n");
	expect_set("[a]\r\nk = 1", "a", "l", "2", "[a]\r\nk = 1\r\nl = 2\r\n");
}

static void
a_new_section_goes_to_the_end(void **state UNUSED)
{
	expect_set("", "a", "k", "1", "[a]\nk = 1\n");
	expect_set("# c\n", "a", "k", "1", "# c\n\n[a]\nk = 1\n");
	expect_set("[a]\nk = 1", "b", "l", "2", "[a]\nk = 1\n\n[b]\nl = 2\n");
}

static void
removing_the_last_key_removes_the_section(void **state UNUSED)
{
	expect_set("[a]\nk = 1\n[b]\nx = 1\n", "a", "k", NULL, "[b]\nx = 1\n");
	expect_set("[a]\nk = 1\nk = 2\nl = 3\n", "a", "k", NULL, "[a]\nl = 3\n");
	expect_set("[a]\n# kept\nk = 1\n[b]\nx = 1\n", "a", "k", NULL, "[a]\n# kept\n[b]\nx = 1\n");
	expect_set("[b]\nk = 1\n", "a", "k", NULL, "[b]\nk = 1\n");
}

static void
a_section_is_removed_without_the_next_ones_comments(void **state UNUSED)
{
	static const char text[] = "[a]\nk = 1\n# of a\n\n# of b\n[b]\nk = 2\n[a]\nk = 3\n";
	struct strbuf b;

	strbuf_init(&b);
	ini_remove_section(&b, text, sizeof(text) - 1, "a");
	assert_string_equal(strbuf_str(&b), "# of b\n[b]\nk = 2\n");
	strbuf_fini(&b);
}

static void
section_names(void **state UNUSED)
{
	assert_true(ini_section_eq(word_of("PORT  fc0"), "port fc0"));
	assert_false(ini_section_eq(word_of("port FC0"), "port fc0"));
	assert_false(ini_section_eq(word_of("port"), "port fc0"));
	assert_false(ini_section_eq(word_of("port fc0 x"), "port fc0"));
	assert_true(ini_section_eq(word_of("port 52-54-0-12-34-AB"), "port 52:54:00:12:34:ab"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_replaced_in_place),
	    cmocka_unit_test(the_last_of_several_counts),
	    cmocka_unit_test(a_new_key_goes_behind_the_section),
	    cmocka_unit_test(a_new_section_goes_to_the_end),
	    cmocka_unit_test(removing_the_last_key_removes_the_section),
	    cmocka_unit_test(a_section_is_removed_without_the_next_ones_comments),
	    cmocka_unit_test(section_names),
	};

	return T_RUN(tests);
}
