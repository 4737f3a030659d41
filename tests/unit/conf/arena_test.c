/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena_test.c - pieces are zeroed, aligned and stay; arrays keep their elements when they grow.
 */
#include "t.h"

#include <stdalign.h>

static void
pieces_are_zeroed_and_aligned(void **state UNUSED)
{
	struct arena a;

	arena_init(&a);
	for (size_t n = 0; n < 300; n++) {
		unsigned char *p = arena_alloc(&a, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_false(a.bad);
	arena_fini(&a);
	assert_null(a.head);
}

static void
a_piece_larger_than_a_block_fits(void **state UNUSED)
{
	struct arena a;
	char *p, *small;

	arena_init(&a);
	small = arena_dup(&a, "x", 1);
	p = arena_alloc(&a, 100000);
	memset(p, 1, 100000);
	assert_string_equal(small, "x");
	assert_string_equal(arena_printf(&a, "%s-%d", "y", 7), "y-7");
	arena_fini(&a);
}

static void
impossible_sizes_set_bad(void **state UNUSED)
{
	struct arena a;

	arena_init(&a);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_true(a.bad);
	arena_fini(&a);
	assert_false(a.bad);
	assert_null(arena_grow(&a, NULL, (size_t)1 << 62, 64));
	assert_true(a.bad);
	arena_fini(&a);
}

static void
arrays_keep_their_elements(void **state UNUSED)
{
	struct arena a;
	unsigned *v = NULL;

	arena_init(&a);
	for (unsigned n = 0; n < 1000; n++) {
		v = arena_grow(&a, v, n, sizeof(*v));
		assert_non_null(v);
		v[n] = n * 7;
		for (unsigned i = 0; i <= n; i++)
			assert_int_equal(v[i], i * 7);
	}
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_zeroed_and_aligned),
	    cmocka_unit_test(a_piece_larger_than_a_block_fits),
	    cmocka_unit_test(impossible_sizes_set_bad),
	    cmocka_unit_test(arrays_keep_their_elements),
	};

	return T_RUN(tests);
}
