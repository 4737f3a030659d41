/* SPDX-License-Identifier: GPL-2.0-or-later
 * inlet_test.c - records of the ring from the gate, in memory that is laid out as the kernel does.
 */
#include <linux/bpf.h>

#include "../lib/t.h"

#include "bpf/dhcp_ring.h"
#include "dhcpd/inlet.h"

#define SIZE 4096ul

/* What is written runs round it; each byte is there twice, as in two mappings. */
struct writer {
	_Alignas(8) uint8_t data[2 * SIZE];
	unsigned long end;
};

static void
put(struct writer *w, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++, w->end++) {
		size_t at = w->end & (SIZE - 1);

		w->data[at] = w->data[at + SIZE] = ((const uint8_t *)p)[i];
	}
}

static void
put_head(struct writer *w, uint32_t len)
{
	put(w, &len, sizeof(len));
	put(w, &(uint32_t){0}, sizeof(uint32_t)); /* where its ring is, for the kernel */
}

/* A message whose frame is n bytes, each `fill`, and says so unless `claims` says otherwise. */
static void
put_msg(struct writer *w, uint8_t net, uint8_t fill, size_t n, size_t claims, uint32_t bits)
{
	const struct dhcp_ring_msg m = {.stamp = 0xd0010002, .len = (uint16_t)claims, .net = net};

	put_head(w, (uint32_t)(sizeof(m) + n) | bits);
	put(w, &m, sizeof(m));
	for (size_t i = 0; i < n; i++)
		put(w, &fill, 1);
	while (w->end % 8)
		put(w, "", 1);
}

static void
expect(struct inlet_ring *r, const struct writer *w, unsigned net, uint8_t fill, size_t n)
{
	struct inlet_msg m;

	assert_true(inlet_ring_next(r, w->end, &m));
	assert_int_equal(m.net, net);
	assert_int_equal(m.stamp, 0xd0010002);
	assert_int_equal(m.len, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(m.frame[i], fill);
}

static void
expect_none(struct inlet_ring *r, const struct writer *w)
{
	struct inlet_msg m;

	assert_false(inlet_ring_next(r, w->end, &m));
}

static void
records_come_in_order_across_the_seam(void **state UNUSED)
{
	static struct writer w;
	struct inlet_ring r = {.data = w.data, .size = SIZE};

	expect_none(&r, &w);
	for (unsigned i = 0; i < 1000; i++) {
		size_t n = i * 7 % 1500;

		put_msg(&w, (uint8_t)i, (uint8_t)(i + 1), n, n, 0);
		put_msg(&w, (uint8_t)(i + 1), 0xee, 3, 3, 0);
		expect(&r, &w, i % 256, (uint8_t)(i + 1), n);
		expect(&r, &w, (i + 1) % 256, 0xee, 3);
		expect_none(&r, &w);
		assert_int_equal(r.pos, w.end);
	}
}

/* A program on another processor is not done with it: nor are those behind it handed out. */
static void
what_is_being_written_waits(void **state UNUSED)
{
	static struct writer w;
	struct inlet_ring r = {.data = w.data, .size = SIZE};
	unsigned long begin;

	put_msg(&w, 1, 0x11, 20, 20, 0);
	begin = w.end;
	put_msg(&w, 2, 0x22, 20, 20, BPF_RINGBUF_BUSY_BIT);
	put_msg(&w, 3, 0x33, 20, 20, 0);
	expect(&r, &w, 1, 0x11, 20);
	expect_none(&r, &w);
	expect_none(&r, &w);
	assert_int_equal(r.pos, begin);
	w.data[begin + 3] = 0;
	expect(&r, &w, 2, 0x22, 20);
	expect(&r, &w, 3, 0x33, 20);
	expect_none(&r, &w);
}

static void
what_was_thrown_away_is_passed_over(void **state UNUSED)
{
	static struct writer w;
	struct inlet_ring r = {.data = w.data, .size = SIZE};

	put_msg(&w, 1, 0x11, 600, 600, BPF_RINGBUF_DISCARD_BIT);
	put_msg(&w, 2, 0x22, 5, 5, 0);
	put_msg(&w, 3, 0x33, 5, 5, BPF_RINGBUF_DISCARD_BIT);
	expect(&r, &w, 2, 0x22, 5);
	expect_none(&r, &w);
	assert_int_equal(r.pos, w.end);
}

/* The kernel does not write such; nothing outside of the ring is looked at all the same. */
static void
nonsense_is_skipped(void **state UNUSED)
{
	static struct writer w;
	struct inlet_ring r = {.data = w.data, .size = SIZE};

	put_head(&w, 4);
	put(&w, "shortone", 8);
	put_msg(&w, 1, 0x11, 10, 11, 0); /* says more than it has */
	put_msg(&w, 2, 0x22, 10, 10, 0);
	expect(&r, &w, 2, 0x22, 10);
	put_head(&w, 100); /* longer than what was written */
	put_msg(&w, 3, 0x33, 10, 10, 0);
	expect_none(&r, &w);
	assert_int_equal(r.pos, w.end);
	put_head(&w, 0x3fffffff);
	expect_none(&r, &w);
	assert_int_equal(r.pos, w.end);
	put_msg(&w, 4, 0x44, 10, 10, 0);
	expect(&r, &w, 4, 0x44, 10);
}

/* Positions are never set back: they run over. */
static void
positions_run_over(void **state UNUSED)
{
	static struct writer w;
	struct inlet_ring r = {.data = w.data, .size = SIZE, .pos = 0ul - 64};

	w.end = r.pos;
	for (uint8_t i = 0; i < 4; i++)
		put_msg(&w, i, i, 24, 24, 0);
	assert_true(w.end < 1000);
	for (uint8_t i = 0; i < 4; i++)
		expect(&r, &w, i, i, 24);
	expect_none(&r, &w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_come_in_order_across_the_seam),
	    cmocka_unit_test(what_is_being_written_waits),
	    cmocka_unit_test(what_was_thrown_away_is_passed_over),
	    cmocka_unit_test(nonsense_is_skipped),
	    cmocka_unit_test(positions_run_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
