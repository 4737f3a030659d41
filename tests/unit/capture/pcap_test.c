/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcap_test.c - the older file format, and files of both that are cut where they end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/out.h"
#include "capture/pcap.h"
#include "lib/util.h"

static const uint8_t bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xb5, 'x'};
static const struct pcapng_frame frame = {
    .ns = 1700000000123456789ull, .caplen = 20, .len = 1500, .data = bytes};

static void
a_record_has_time_lengths_and_bytes(void **state UNUSED)
{
	uint8_t buf[64 + PCAP_RECORD_HEAD];
	uint32_t head[4];

	assert_int_equal(pcap_frame(buf, &frame), PCAP_RECORD_HEAD + 20);
	memcpy(head, buf, sizeof(head));
	assert_int_equal(head[0], 1700000000);
	assert_int_equal(head[1], 123456789);
	assert_int_equal(head[2], 20);
	assert_int_equal(head[3], 1500);
	assert_memory_equal(buf + PCAP_RECORD_HEAD, bytes, 20);
	assert_int_equal(pcap_record_len(buf), PCAP_RECORD_HEAD + 20);
	head[1] = 1000000000;
	memcpy(buf, head, sizeof(head));
	assert_int_equal(pcap_record_len(buf), 0);
}

static void
only_whole_records_are_whole(void **state UNUSED)
{
	uint8_t buf[256];
	size_t one = pcap_frame(buf, &frame), all = one + pcap_frame(buf + one, &frame);

	assert_int_equal(pcap_whole(buf, all), all);
	for (size_t cut = 1; cut <= one; cut++)
		assert_int_equal(pcap_whole(buf, all - cut), one);
	assert_int_equal(pcap_whole(buf, 5), 0);
}

static size_t
size_of(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);

	assert_true(end >= 0);
	return (size_t)end;
}

/* Writes frames until the file may not grow: whatever the limit, what is left are whole ones. */
static void
a_file_that_cannot_grow_ends_with_a_whole_frame(void **state UNUSED)
{
	const struct pcapng_section s = {.ifname = "vmnet8", .snaplen = 96};
	const struct pcapng_stats st = {.received = 3};
	struct rlimit old, tight;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	for (rlim_t limit = 1; limit < 400; limit += 3) {
		FILE *file = tmpfile();
		uint8_t got[400];
		struct out o;
		size_t n;

		assert_non_null(file);
		assert_true(out_init(&o));
		o.pcap = true;
		assert_true(out_add(&o, fcntl(fileno(file), F_DUPFD_CLOEXEC, 3)));
		tight = (struct rlimit){limit, old.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		out_begin(&o, &s);
		for (int i = 0; i < 20 && out_room(&o, frame.caplen); i++)
			out_frame(&o, &frame);
		out_end(&o, &st);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(o.err, -EFBIG);
		n = size_of(fileno(file));
		assert_true(n <= limit);
		assert_int_equal(pread(fileno(file), got, n, 0), n);
		if (n)
			assert_int_equal(
			    PCAP_HEADER + pcap_whole(got + PCAP_HEADER, n - PCAP_HEADER), n);
		/* As many as there was room for. */
		assert_true(limit < PCAP_HEADER ? n == 0 : limit - n < PCAP_RECORD_HEAD + 20);
		out_fini(&o);
		fclose(file);
	}
}

static void
a_ring_goes_round(void **state UNUSED)
{
	const struct pcapng_section s = {.ifname = "vmnet8", .snaplen = 96};
	const struct pcapng_stats st = {.received = 3};

	for (int pcap = 0; pcap < 2; pcap++) {
		FILE *file[2] = {tmpfile(), tmpfile()};
		struct out o;

		assert_true(out_init(&o));
		o.pcap = pcap;
		o.file_max = 4096;
		for (int i = 0; i < 2; i++)
			assert_true(out_add(&o, fcntl(fileno(file[i]), F_DUPFD_CLOEXEC, 3)));
		assert_true(out_begin(&o, &s));
		for (int i = 0; i < 1000; i++) {
			if (out_is_full(&o))
				out_next(&o, &st);
			assert_non_null(out_room(&o, frame.caplen));
			out_frame(&o, &frame);
		}
		out_end(&o, &st);
		assert_int_equal(o.err, 0);
		for (int i = 0; i < 2; i++) {
			uint8_t got[8192];
			size_t n = size_of(fileno(file[i]));

			assert_in_range(n, PCAP_HEADER, 4096 + 1024);
			assert_int_equal(pread(fileno(file[i]), got, n, 0), n);
			assert_int_equal(pcap ? PCAP_HEADER +
						    pcap_whole(got + PCAP_HEADER, n - PCAP_HEADER)
					      : pcapng_whole(got, n),
					 n);
			fclose(file[i]);
		}
		out_fini(&o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_has_time_lengths_and_bytes),
	    cmocka_unit_test(only_whole_records_are_whole),
	    cmocka_unit_test(a_file_that_cannot_grow_ends_with_a_whole_frame),
	    cmocka_unit_test(a_ring_goes_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
