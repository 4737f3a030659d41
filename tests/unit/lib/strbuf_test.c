/* SPDX-License-Identifier: GPL-2.0-or-later
 * strbuf_test.c - the text buffer grows, formats, hands over, and stays bad once it is.
 */
#include "t.h"

#include "lib/strbuf.h"

static void
empty_buffer_is_an_empty_string(void **state UNUSED)
{
	struct strbuf b;
	char *s;

	strbuf_init(&b);
	assert_string_equal(strbuf_str(&b), "");
	assert_null(b.s);
	s = strbuf_take(&b);
	assert_non_null(s);
	assert_string_equal(s, "");
	free(s);
	strbuf_fini(&b);
}

static void
pieces_are_joined(void **state UNUSED)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_add(&b, "vmnet");
	strbuf_addc(&b, '8');
	strbuf_addf(&b, ": %s/%d", "192.168.8.0", 24);
	strbuf_addn(&b, "\0!", 2);
	assert_int_equal(b.len, 24);
	assert_memory_equal(strbuf_str(&b), "vmnet8: 192.168.8.0/24\0!", 24);
	assert_int_equal(b.s[b.len], '\0');
	strbuf_fini(&b);
	assert_int_equal(b.len, 0);
	strbuf_add(&b, "again");
	assert_string_equal(strbuf_str(&b), "again");
	strbuf_fini(&b);
}

/* Every length around the places where the buffer grows. */
static void
text_survives_growing(void **state UNUSED)
{
	struct strbuf one, fmt;

	strbuf_init(&one);
	strbuf_init(&fmt);
	for (int i = 0; i < 5000; i++) {
		strbuf_addc(&one, (char)('a' + i % 26));
		strbuf_addf(&fmt, "%c", 'a' + i % 26);
		assert_true(one.len < one.cap);
	}
	assert_int_equal(one.len, 5000);
	assert_string_equal(one.s, fmt.s);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(one.s[i], 'a' + i % 26);
	strbuf_addf(&one, "%5000s", "x");
	assert_int_equal(one.len, 10000);
	assert_int_equal(one.s[9999], 'x');
	strbuf_fini(&one);
	strbuf_fini(&fmt);
}

static void
take_empties_the_buffer(void **state UNUSED)
{
	struct strbuf b;
	char *s;

	strbuf_init(&b);
	strbuf_add(&b, "mine");
	s = strbuf_take(&b);
	assert_string_equal(s, "mine");
	assert_null(b.s);
	assert_int_equal(b.len, 0);
	free(s);
}

static void
bad_sticks_and_take_yields_null(void **state UNUSED)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_add(&b, "kept");
	strbuf_addn(&b, "", SIZE_MAX / 2); /* refused before a byte is touched */
	assert_true(b.bad);
	strbuf_add(&b, " dropped");
	strbuf_addf(&b, "%d", 1);
	assert_string_equal(strbuf_str(&b), "kept");
	assert_null(strbuf_take(&b));
	assert_false(b.bad);
	assert_null(b.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_buffer_is_an_empty_string),
	    cmocka_unit_test(pieces_are_joined),
	    cmocka_unit_test(text_survives_growing),
	    cmocka_unit_test(take_empties_the_buffer),
	    cmocka_unit_test(bad_sticks_and_take_yields_null),
	};

	return T_RUN(tests);
}
