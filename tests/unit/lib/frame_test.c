/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame_test.c - frames made by another implementation are read and written byte for byte; broken ones
 * are refused.
 */
#include "t.h"

#include "lib/frame.h"

/* 00:0c:29:12:34:56 > 00:50:56:c0:00:08, 192.168.8.128:68 > 192.168.8.254:67, "hello" */
static const uint8_t plain[] = {
    0x00, 0x50, 0x56, 0xc0, 0x00, 0x08, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56, 0x08, 0x00, 0x45, 0x00,
    0x00, 0x21, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11, 0xe7, 0xfd, 0xc0, 0xa8, 0x08, 0x80, 0xc0, 0xa8,
    0x08, 0xfe, 0x00, 0x44, 0x00, 0x43, 0x00, 0x0d, 0x28, 0xac, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
};

/* The same with "hello!", DF, an id, and a Record Route option of four bytes. */
static const uint8_t with_options[] = {
    0x00, 0x50, 0x56, 0xc0, 0x00, 0x08, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56, 0x08,
    0x00, 0x46, 0x10, 0x00, 0x26, 0x00, 0x07, 0x40, 0x00, 0x03, 0x11, 0xd8, 0xde,
    0xc0, 0xa8, 0x08, 0x80, 0xc0, 0xa8, 0x08, 0xfe, 0x07, 0x03, 0x04, 0x00, 0x00,
    0x44, 0x00, 0x43, 0x00, 0x0e, 0x28, 0x89, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x21,
};

/* 10.0.0.1:1 > 10.0.0.2:2 with data that makes the checksum zero, which is sent as ffff. */
static const uint8_t zero_sum[] = {
    0x00, 0x50, 0x56, 0xc0, 0x00, 0x08, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56, 0x08, 0x00, 0x45,
    0x00, 0x00, 0x1e, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11, 0x66, 0xcd, 0x0a, 0x00, 0x00, 0x01,
    0x0a, 0x00, 0x00, 0x02, 0x00, 0x01, 0x00, 0x02, 0x00, 0x0a, 0xff, 0xff, 0xeb, 0xd4,
};

/* Who has 192.168.8.128? Tell 192.168.8.254. */
static const uint8_t arp_request[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56, 0x08, 0x06,
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56,
    0xc0, 0xa8, 0x08, 0xfe, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0xa8, 0x08, 0x80,
};

/* 2001:db8::77 is at 00:0c:29:12:34:56, to all nodes. */
static const uint8_t advertisement[] = {
    0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56, 0x86, 0xdd, 0x60,
    0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x77, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x88, 0x00, 0x9c, 0xcb, 0x20, 0x00,
    0x00, 0x00, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x77, 0x02, 0x01, 0x00, 0x0c, 0x29, 0x12, 0x34, 0x56,
};

enum { IP = 14, UDP = 34 }; /* offsets in `plain` */

static bool
udp_ok(const uint8_t *frame, size_t len, enum frame_csum mode)
{
	uint8_t *copy = t_exact(frame, len);
	struct udp4_frame f;
	bool ok = udp4_frame_decode(&f, copy, len, mode);

	free(copy);
	return ok;
}

/* Makes the header checksum right again after a change. */
static void
fix_ip_sum(uint8_t *frame)
{
	uint16_t sum;

	frame[IP + 10] = frame[IP + 11] = 0;
	sum = inet_sum_fold(inet_sum(frame + IP, (size_t)(frame[IP] & 15) * 4, 0));
	frame[IP + 10] = (uint8_t)(sum >> 8);
	frame[IP + 11] = (uint8_t)sum;
}

static void
udp_is_decoded(void **state UNUSED)
{
	struct udp4_frame f;

	assert_true(udp4_frame_decode(&f, plain, sizeof(plain), FRAME_CSUM_CHECK));
	assert_string_equal(MAC_STR(f.eth_dst), "00:50:56:c0:00:08");
	assert_string_equal(MAC_STR(f.eth_src), "00:0c:29:12:34:56");
	assert_string_equal(IP4_STR(f.src), "192.168.8.128");
	assert_string_equal(IP4_STR(f.dst), "192.168.8.254");
	assert_int_equal(f.sport, 68);
	assert_int_equal(f.dport, 67);
	assert_int_equal(f.len, 5);
	assert_memory_equal(f.data, "hello", 5);
	assert_true(udp4_frame_decode(&f, with_options, sizeof(with_options), FRAME_CSUM_CHECK));
	assert_int_equal(f.len, 6);
	assert_memory_equal(f.data, "hello!", 6);
}

static void
udp_is_encoded_to_the_same_bytes(void **state UNUSED)
{
	static const uint8_t *const want[] = {plain, zero_sum};
	static const size_t len[] = {sizeof(plain), sizeof(zero_sum)};

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct udp4_frame f;
		uint8_t buf[64];
		struct wr w = wr_init(buf, sizeof(buf));

		assert_true(udp4_frame_decode(&f, want[i], len[i], FRAME_CSUM_CHECK));
		udp4_frame_encode(&w, &f);
		assert_false(w.bad);
		assert_int_equal(wr_len(&w), len[i]);
		assert_memory_equal(buf, want[i], len[i]);
		for (size_t cap = 0; cap < len[i]; cap++) {
			w = wr_init(buf, cap);
			udp4_frame_encode(&w, &f);
			assert_true(w.bad);
		}
	}
}

static void
udp_larger_than_ip_is_refused(void **state UNUSED)
{
	static uint8_t data[70000], buf[70100];
	struct udp4_frame f = {.data = data, .len = 65508};
	struct wr w = wr_init(buf, sizeof(buf));

	udp4_frame_encode(&w, &f);
	assert_true(w.bad);
	f.len = 65507;
	w = wr_init(buf, sizeof(buf));
	udp4_frame_encode(&w, &f);
	assert_false(w.bad);
	assert_true(udp4_frame_decode(&f, buf, wr_len(&w), FRAME_CSUM_CHECK));
	assert_int_equal(f.len, 65507);
}

static void
cut_frames_are_refused(void **state UNUSED)
{
	for (size_t n = 0; n < sizeof(plain); n++)
		assert_false(udp_ok(plain, n, FRAME_CSUM_CHECK));
	for (size_t n = 0; n < sizeof(with_options); n++)
		assert_false(udp_ok(with_options, n, FRAME_CSUM_CHECK));
}

static void
ethernet_padding_is_ignored(void **state UNUSED)
{
	uint8_t b[60];
	struct udp4_frame f;

	memset(b, 0xaa, sizeof(b));
	memcpy(b, plain, sizeof(plain));
	assert_true(udp4_frame_decode(&f, b, sizeof(b), FRAME_CSUM_CHECK));
	assert_int_equal(f.len, 5);
}

/* One changed bit anywhere in what a checksum covers is noticed. */
static void
flipped_bits_are_noticed(void **state UNUSED)
{
	for (size_t i = IP; i < sizeof(plain); i++) {
		for (int bit = 0; bit < 8; bit++) {
			uint8_t b[sizeof(plain)];

			memcpy(b, plain, sizeof(b));
			b[i] ^= (uint8_t)(1 << bit);
			assert_false(udp_ok(b, sizeof(b), FRAME_CSUM_CHECK));
		}
	}
}

/* What a kernel leaves in the field for hardware: the sum of the pseudo-header, not complemented. */
static void
put_partial(uint8_t *b, size_t udp_len)
{
	uint8_t pseudo[12] = {0};
	uint16_t sum;

	memcpy(pseudo, b + IP + 12, 8);
	pseudo[9] = 17;
	pseudo[10] = (uint8_t)(udp_len >> 8);
	pseudo[11] = (uint8_t)udp_len;
	sum = (uint16_t)~inet_sum_fold(inet_sum(pseudo, sizeof(pseudo), 0));
	b[UDP + 6] = (uint8_t)(sum >> 8);
	b[UDP + 7] = (uint8_t)sum;
}

static void
udp_checksum_absent_or_partial(void **state UNUSED)
{
	uint8_t b[sizeof(plain)];

	memcpy(b, plain, sizeof(b));
	assert_true(udp_ok(b, sizeof(b), FRAME_CSUM_MAYBE));
	b[UDP + 6] ^= 0x55;
	assert_false(udp_ok(b, sizeof(b), FRAME_CSUM_CHECK));
	assert_false(udp_ok(b, sizeof(b), FRAME_CSUM_MAYBE));
	put_partial(b, (size_t)(b[UDP + 4] << 8 | b[UDP + 5]));
	assert_false(udp_ok(b, sizeof(b), FRAME_CSUM_CHECK));
	assert_true(udp_ok(b, sizeof(b), FRAME_CSUM_MAYBE));
	b[UDP + 6] = b[UDP + 7] = 0;
	assert_true(udp_ok(b, sizeof(b), FRAME_CSUM_CHECK));
	assert_true(udp_ok(b, sizeof(b), FRAME_CSUM_MAYBE));
	b[IP + 10] ^= 1; /* the header's checksum counts in every mode */
	assert_false(udp_ok(b, sizeof(b), FRAME_CSUM_MAYBE));
}

struct change {
	size_t at;
	uint8_t value;
};

static void
other_things_are_refused(void **state UNUSED)
{
	static const struct change changes[] = {
	    {12, 0x81},      /* 802.1Q */
	    {13, 0x06},      /* ARP */
	    {IP, 0x65},      /* version 6 */
	    {IP, 0x44},      /* header of 16 bytes */
	    {IP, 0x4f},      /* header longer than the packet */
	    {IP + 3, 0x13},  /* total length below the header's */
	    {IP + 3, 0x22},  /* total length beyond the frame */
	    {IP + 6, 0x20},  /* more fragments */
	    {IP + 7, 0x01},  /* a later fragment */
	    {IP + 9, 6},     /* TCP */
	    {UDP + 5, 0x07}, /* UDP length below its header's */
	    {UDP + 5, 0x0e}, /* UDP length beyond the packet */
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		uint8_t b[sizeof(plain)];

		memcpy(b, plain, sizeof(b));
		b[changes[i].at] = changes[i].value;
		if ((size_t)(b[IP] & 15) * 4 <= sizeof(b) - IP)
			fix_ip_sum(b);
		b[UDP + 6] = b[UDP + 7] = 0;
		assert_false(udp_ok(b, sizeof(b), FRAME_CSUM_CHECK));
	}
}

/* RFC 768 lets the datagram be shorter than what IP carries. */
static void
udp_shorter_than_ip_payload_is_taken(void **state UNUSED)
{
	uint8_t b[sizeof(plain)];
	struct udp4_frame f;

	memcpy(b, plain, sizeof(b));
	b[UDP + 5] = 0x0b;
	b[UDP + 6] = b[UDP + 7] = 0;
	assert_true(udp4_frame_decode(&f, b, sizeof(b), FRAME_CSUM_CHECK));
	assert_int_equal(f.len, 3);
	assert_memory_equal(f.data, "hel", 3);
}

static void
arp_both_ways(void **state UNUSED)
{
	struct mac src, dst;
	struct arp4 a;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	assert_true(arp4_frame_decode(&a, &src, arp_request, sizeof(arp_request)));
	assert_string_equal(MAC_STR(src), "00:0c:29:12:34:56");
	assert_false(a.reply);
	assert_string_equal(IP4_STR(a.sender_ip), "192.168.8.254");
	assert_string_equal(IP4_STR(a.target_ip), "192.168.8.128");
	assert_true(mac_is_zero(a.target_mac));
	assert_true(mac_eq(a.sender_mac, src));

	memset(&dst, 0xff, sizeof(dst));
	arp4_frame_encode(&w, dst, &a);
	assert_false(w.bad);
	assert_int_equal(wr_len(&w), 60);
	assert_memory_equal(buf, arp_request, sizeof(arp_request));
	for (size_t i = sizeof(arp_request); i < 60; i++)
		assert_int_equal(buf[i], 0);

	a.reply = true;
	w = wr_init(buf, sizeof(buf));
	arp4_frame_encode(&w, dst, &a);
	assert_true(arp4_frame_decode(&a, &src, buf, wr_len(&w)));
	assert_true(a.reply);
	for (size_t cap = 0; cap < 60; cap++) {
		w = wr_init(buf, cap);
		arp4_frame_encode(&w, dst, &a);
		assert_true(w.bad);
	}
}

static void
odd_arp_is_refused(void **state UNUSED)
{
	static const struct change changes[] = {{13, 0}, {15, 6},  {16, 0x86},
						{18, 8}, {19, 16}, {21, 3}};
	struct mac src;
	struct arp4 a;

	for (size_t n = 0; n < sizeof(arp_request); n++) {
		uint8_t *copy = t_exact(arp_request, n);

		assert_false(arp4_frame_decode(&a, &src, copy, n));
		free(copy);
	}
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		uint8_t b[sizeof(arp_request)];

		memcpy(b, arp_request, sizeof(b));
		b[changes[i].at] = changes[i].value;
		assert_false(arp4_frame_decode(&a, &src, b, sizeof(b)));
	}
}

static void
advertisement_is_encoded(void **state UNUSED)
{
	static const uint8_t addr[16] = {0x20, 1, 0x0d, 0xb8, [15] = 0x77};
	const struct mac mac = {{0x00, 0x0c, 0x29, 0x12, 0x34, 0x56}};
	uint8_t buf[128];
	struct wr w = wr_init(buf, sizeof(buf));

	na6_frame_encode(&w, mac, addr);
	assert_false(w.bad);
	assert_int_equal(wr_len(&w), sizeof(advertisement));
	assert_memory_equal(buf, advertisement, sizeof(advertisement));
	for (size_t cap = 0; cap < sizeof(advertisement); cap++) {
		w = wr_init(buf, cap);
		na6_frame_encode(&w, mac, addr);
		assert_true(w.bad);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(udp_is_decoded),
	    cmocka_unit_test(udp_is_encoded_to_the_same_bytes),
	    cmocka_unit_test(udp_larger_than_ip_is_refused),
	    cmocka_unit_test(cut_frames_are_refused),
	    cmocka_unit_test(ethernet_padding_is_ignored),
	    cmocka_unit_test(flipped_bits_are_noticed),
	    cmocka_unit_test(udp_checksum_absent_or_partial),
	    cmocka_unit_test(other_things_are_refused),
	    cmocka_unit_test(udp_shorter_than_ip_payload_is_taken),
	    cmocka_unit_test(arp_both_ways),
	    cmocka_unit_test(odd_arp_is_refused),
	    cmocka_unit_test(advertisement_is_encoded),
	};

	return T_RUN(tests);
}
