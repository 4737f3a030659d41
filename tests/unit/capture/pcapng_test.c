/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcapng_test.c - blocks: what is written is read again, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "capture/pcapng.h"
#include "lib/util.h"

static const uint8_t bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xb5, 'x'};

static void
a_frame_is_read_as_it_was_written(void **state UNUSED)
{
	for (uint32_t len = 14; len < 40; len++) {
		struct pcapng_frame f = {.ns = 1700000000123456789ull,
					 .caplen = len,
					 .len = 1500,
					 .data = bytes,
					 .way = PCAPNG_OUT,
					 .cast = PCAPNG_PROMISC,
					 .comment = len % 2 ? "why" : NULL},
				    g;
		uint8_t buf[64 + PCAPNG_FRAME_EXTRA];
		size_t n = pcapng_frame(buf, &f), used;

		assert_true(n <= len + PCAPNG_FRAME_EXTRA && n % 4 == 0);
		assert_int_equal(pcapng_next(buf, n, &used, &g), PCAPNG_FRAME);
		assert_int_equal(used, n);
		assert_true(g.ns == f.ns && g.caplen == len && g.len == 1500);
		assert_true(g.way == PCAPNG_OUT && g.cast == PCAPNG_PROMISC);
		assert_memory_equal(g.data, bytes, len);
		/* All but the last byte are too few. */
		assert_int_equal(pcapng_next(buf, n - 1, &used, &g), PCAPNG_MORE);
		assert_int_equal(used, 0);
	}
}

static void
a_tag_gets_its_place(void **state UNUSED)
{
	const uint8_t want[] = {1,  2,  3,  4,    5, 6,    7, 8,    9,
				10, 11, 12, 0x81, 0, 0x20, 7, 0x88, 0xb5};
	struct pcapng_frame f = {.caplen = sizeof(want),
				 .len = 64,
				 .data = bytes,
				 .tagged = true,
				 .tpid = 0x8100,
				 .tci = 0x2007},
			    g;
	uint8_t buf[256];
	size_t used, n = pcapng_frame(buf, &f);

	assert_int_equal(pcapng_next(buf, n, &used, &g), PCAPNG_FRAME);
	assert_memory_equal(g.data, want, sizeof(want));
}

static void
texts_are_cut_between_characters(void **state UNUSED)
{
	static char text[2000];
	uint8_t buf[PCAPNG_HEADER_MAX];
	struct pcapng_section s;
	size_t n;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text + PCAPNG_TEXT_MAX - 1, "\xc3\xa4", 2);
	s = (struct pcapng_section){text, text, text, text, text, text, 1};
	n = pcapng_header(buf, &s);
	assert_true(n <= sizeof(buf));
	assert_int_equal(pcapng_whole(buf, n), n);
	/* The last byte of a text is not the half of a character. */
	assert_null(memchr(buf, 0xc3, n));
}

static void
only_whole_blocks_are_whole(void **state UNUSED)
{
	const struct pcapng_section s = {.ifname = "vmnet8", .filter = "tcp", .snaplen = 96};
	struct pcapng_frame f = {.caplen = 20, .len = 20, .data = bytes};
	const struct pcapng_stats st = {.received = 3};
	uint8_t buf[PCAPNG_HEADER_MAX + 1024];
	size_t head = pcapng_header(buf, &s), frame = pcapng_frame(buf + head, &f),
	       stats = pcapng_stats(buf + head + frame, &st);

	assert_true(stats <= PCAPNG_STATS_MAX);
	assert_int_equal(pcapng_whole(buf, head + frame + stats), head + frame + stats);
	for (size_t cut = 1; cut < frame; cut++)
		assert_int_equal(pcapng_whole(buf, head + frame - cut), head);
	assert_int_equal(pcapng_whole(buf, 5), 0);
}

static void
what_we_did_not_write_is_refused(void **state UNUSED)
{
	struct pcapng_frame f = {.caplen = 20, .len = 20, .data = bytes}, g;
	uint8_t buf[256];
	size_t n = pcapng_frame(buf, &f), used;
	uint32_t wrong[] = {0, 8, 33, 0x7fffffff, UINT32_MAX};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		memcpy(buf + 4, &wrong[i], 4);
		assert_int_equal(pcapng_next(buf, n, &used, &g), PCAPNG_BAD);
	}
	n = pcapng_frame(buf, &f);
	wrong[0] = 21; /* more than there is room for */
	memcpy(buf + 20, &wrong[4], 4);
	assert_int_equal(pcapng_next(buf, n, &used, &g), PCAPNG_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_is_read_as_it_was_written),
	    cmocka_unit_test(a_tag_gets_its_place),
	    cmocka_unit_test(texts_are_cut_between_characters),
	    cmocka_unit_test(only_whole_blocks_are_whole),
	    cmocka_unit_test(what_we_did_not_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
