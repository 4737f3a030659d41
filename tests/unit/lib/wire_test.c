/* SPDX-License-Identifier: GPL-2.0-or-later
 * wire_test.c - cursors stop at their ends and the error sticks; points in time compare and add.
 */
#include "t.h"

#include "lib/mono.h"
#include "lib/wire.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void
numbers_are_big_endian(void **state UNUSED)
{
	struct rd r = rd_init(bytes, sizeof(bytes));

	assert_int_equal(rd_left(&r), 15);
	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_be16(&r), 0x0203);
	assert_int_equal(rd_be32(&r), 0x04050607);
	assert_true(rd_be64(&r) == 0x08090a0b0c0d0e0f);
	assert_true(rd_done(&r));
	assert_int_equal(rd_left(&r), 0);
}

static void
reading_past_the_end_sticks(void **state UNUSED)
{
	struct rd r = rd_init(bytes, 3);
	uint8_t dst[4] = {9, 9, 9, 9};

	assert_int_equal(rd_be16(&r), 0x0102);
	assert_int_equal(rd_be16(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_u8(&r), 0); /* though one byte is there */
	assert_int_equal(rd_left(&r), 0);
	assert_false(rd_done(&r));
	rd_copy(&r, dst, sizeof(dst));
	assert_memory_equal(dst, "\0\0\0\0", 4);
	assert_null(rd_bytes(&r, 0));

	r = rd_init(bytes, 3);
	assert_null(rd_bytes(&r, SIZE_MAX));
	assert_true(r.bad);
	r = rd_init(bytes, 0);
	assert_true(rd_done(&r));
	rd_copy(&r, NULL, 0);
	assert_true(rd_done(&r));
	assert_true(rd_be64(&r) == 0 && r.bad);
}

static void
a_part_is_bounded_by_itself(void **state UNUSED)
{
	struct rd r = rd_init(bytes, 6), s = rd_sub(&r, 4);

	assert_int_equal(rd_be32(&s), 0x01020304);
	assert_true(rd_done(&s));
	assert_int_equal(rd_u8(&s), 0);
	assert_true(s.bad);
	assert_false(r.bad);
	assert_int_equal(rd_u8(&r), 5);
	s = rd_sub(&r, 2);
	assert_true(s.bad && r.bad);
	assert_int_equal(rd_left(&s), 0);
}

static void
writing_is_the_reverse(void **state UNUSED)
{
	uint8_t buf[15];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_u8(&w, 0x01);
	wr_be16(&w, 0x0203);
	wr_be32(&w, 0x04050607);
	wr_be64(&w, 0x08090a0b0c0d0e0f);
	assert_false(w.bad);
	assert_int_equal(wr_len(&w), 15);
	assert_memory_equal(buf, bytes, 15);
	wr_bytes(&w, NULL, 0);
	assert_false(w.bad);
	wr_u8(&w, 1);
	assert_true(w.bad);
	assert_int_equal(wr_len(&w), 15);
}

static void
writing_past_the_end_sticks(void **state UNUSED)
{
	uint8_t buf[4] = {0xaa, 0xaa, 0xaa, 0xaa};
	struct wr w = wr_init(buf, 3);

	wr_be16(&w, 0x0102);
	wr_be16(&w, 0x0304);
	assert_true(w.bad);
	wr_u8(&w, 5); /* though there is room for one */
	wr_zero(&w, 1);
	wr_bytes(&w, "x", 1);
	assert_int_equal(wr_len(&w), 2);
	assert_memory_equal(buf, "\x01\x02\xaa\xaa", 4);
	w = wr_init(buf, 4);
	assert_null(wr_space(&w, SIZE_MAX));
	assert_true(w.bad);
	w = wr_init(buf, 4);
	wr_zero(&w, 4);
	assert_memory_equal(buf, "\0\0\0\0", 4);
	assert_false(w.bad);
}

static void
points_in_time(void **state UNUSED)
{
	const struct mono a = {1000}, b = {2500};

	assert_true(mono_before(a, b) && !mono_before(b, a) && !mono_before(a, a));
	assert_int_equal(mono_diff(b, a), 1500);
	assert_int_equal(mono_diff(a, b), -1500);
	assert_int_equal(mono_add(a, 1500).ms, b.ms);
	assert_int_equal(mono_min(a, b).ms, 1000);
	assert_int_equal(mono_min(MONO_NEVER, b).ms, 2500);
	assert_true(mono_add(MONO_NEVER, 5).ms == MONO_NEVER.ms);
	assert_true(mono_before(b, MONO_NEVER));
	assert_true(mono_now().ms > 0 && !mono_before(mono_now(), a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(reading_past_the_end_sticks),
	    cmocka_unit_test(a_part_is_bounded_by_itself),
	    cmocka_unit_test(writing_is_the_reverse),
	    cmocka_unit_test(writing_past_the_end_sticks),
	    cmocka_unit_test(points_in_time),
	};

	return T_RUN(tests);
}
