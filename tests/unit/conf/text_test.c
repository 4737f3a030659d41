/* SPDX-License-Identifier: GPL-2.0-or-later
 * text_test.c - lines with every kind of end, words, numbers, UTF-8.
 */
#include "t.h"

#include "conf/text.h"

static void
lines_end_with_lf_crlf_cr_or_not_at_all(void **state UNUSED)
{
	static const char text[] = "a\nb\r\nc\rd\n\ne";
	static const char *const want[] = {"a", "b", "c", "d", "", "e"};
	struct lines it = lines_init(text, sizeof(text) - 1);
	struct line l;

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(lines_next(&it, &l));
		assert_true(word_eq(l.w, want[i]));
		assert_int_equal(l.no, i + 1);
		if (i == 1)
			assert_string_equal(line_end(text, &l), "\r\n");
		if (i == 0)
			assert_string_equal(line_end(text, &l), "\n");
	}
	assert_false(lines_next(&it, &l));
	assert_int_equal(l.next, sizeof(text) - 1);
}

static void
no_text_has_no_lines(void **state UNUSED)
{
	struct lines it = lines_init(NULL, 0);
	struct line l;

	assert_false(lines_next(&it, &l));
}

static void
words_are_split_at_blanks(void **state UNUSED)
{
	struct word rest = word_of("  one\ttwo  "), w;

	assert_true(word_next(&rest, &w));
	assert_true(word_eq(w, "one"));
	assert_true(word_next(&rest, &w));
	assert_true(word_ieq(w, "TWO"));
	assert_false(word_next(&rest, &w));
	assert_int_equal(w.len, 0);
	assert_true(word_eq(word_trim(word_of(" \t a b \r")), "a b"));
}

static void
numbers_have_digits_only_and_a_limit(void **state UNUSED)
{
	uint32_t v = 7;

	assert_true(word_u32(word_of("0"), 10, &v));
	assert_int_equal(v, 0);
	assert_true(word_u32(word_of("0010"), 10, &v));
	assert_int_equal(v, 10);
	assert_true(word_u32(word_of("4294967295"), UINT32_MAX, &v));
	assert_false(word_u32(word_of("4294967296"), UINT32_MAX, &v));
	assert_false(word_u32(word_of("11"), 10, &v));
	assert_false(word_u32(word_of("99999999999999999999999999"), UINT32_MAX, &v));
	assert_false(word_u32(word_of("-1"), 10, &v));
	assert_false(word_u32(word_of("1 "), 10, &v));
	assert_false(word_u32(word_of(""), 10, &v));
	assert_int_equal(v, UINT32_MAX);
}

static void
interface_names(void **state UNUSED)
{
	assert_true(word_is_ifname(word_of("eth0")));
	assert_true(word_is_ifname(word_of("br-0a1b2c3d4e5f")));
	assert_false(word_is_ifname(word_of("br-0a1b2c3d4e5f6")));
	assert_false(word_is_ifname(word_of("eth0:1")));
	assert_false(word_is_ifname(word_of("a/b")));
	assert_false(word_is_ifname(word_of("a b")));
	assert_false(word_is_ifname(word_of("..")));
	assert_false(word_is_ifname(word_of("")));
	assert_false(word_is_ifname(word_of("\xc3\xbc")));
}

static void
unprintable_bytes_are_cleaned(void **state UNUSED)
{
	struct arena a;

	arena_init(&a);
	assert_string_equal(text_clean(&a, "Gr\xc3\xbc\xc3\x9f"
					   "e \xf0\x9f\x98\x80"),
			    "Gr\xc3\xbc\xc3\x9f"
			    "e \xf0\x9f\x98\x80");
	assert_string_equal(text_clean(&a, "\xff\xc3 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80"),
			    "?? ?? ??? ????");
	assert_string_equal(text_clean(&a, "a\x1b[0m\xc2\x9b"), "a?[0m??");
	assert_string_equal(word_dup(&a, (struct word){"a\0b", 3}), "a?b");
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_end_with_lf_crlf_cr_or_not_at_all),
	    cmocka_unit_test(no_text_has_no_lines),
	    cmocka_unit_test(words_are_split_at_blanks),
	    cmocka_unit_test(numbers_have_digits_only_and_a_limit),
	    cmocka_unit_test(interface_names),
	    cmocka_unit_test(unprintable_bytes_are_cleaned),
	};

	return T_RUN(tests);
}
