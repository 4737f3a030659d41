/* SPDX-License-Identifier: GPL-2.0-or-later
 * inet_test.c - addresses, masks, prefixes, MACs: text both ways, arithmetic, checksums.
 */
#include "t.h"

#include "lib/inet.h"

static void
ip4_text(void **state UNUSED)
{
	static const char *const bad[] = {
	    "",          "1",         "1.2.3",    "1.2.3.4.5", "1.2.3.4 ",  " 1.2.3.4",
	    "256.1.1.1", "1.2.3.256", "08.1.1.1", "1.2.3.00",  "1..3.4",    "1.2.3.",
	    ".1.2.3",    "0x1.2.3.4", "1.2.3.-4", "+1.2.3.4",  "1.2.3.4/8", "4294967297.0.0.1",
	    "a.b.c.d",
	};
	static const char *const good[] = {"0.0.0.0", "255.255.255.255", "192.168.8.128",
					   "10.0.0.1"};
	struct ip4 a = {42};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(ip4_parse(&a, bad[i]));
		assert_int_equal(a.h, 42);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(ip4_parse(&a, good[i]));
		assert_string_equal(IP4_STR(a), good[i]);
	}
	assert_true(ip4_parse(&a, "1.2.3.4"));
	assert_int_equal(a.h, 0x01020304);
	assert_int_equal(ip4_be(a), htonl(0x01020304));
	assert_true(ip4_eq(ip4_from_be(ip4_be(a)), a));
}

static void
masks(void **state UNUSED)
{
	uint8_t len = 99;

	for (unsigned i = 0; i <= 32; i++) {
		assert_true(ip4_mask_len(&len, ip4_mask(i)));
		assert_int_equal(len, i);
		assert_true(ip4_mask_parse(&len, IP4_STR(ip4_mask(i))));
		assert_int_equal(len, i);
	}
	len = 99;
	assert_false(ip4_mask_parse(&len, "255.0.255.0"));
	assert_false(ip4_mask_parse(&len, "0.0.0.255"));
	assert_false(ip4_mask_parse(&len, "255.255.255"));
	assert_int_equal(len, 99);
}

static void
prefixes(void **state UNUSED)
{
	static const char *const bad[] = {
	    "10.0.0.0",     "10.0.0.0/",   "10.0.0.0/33", "10.0.0.1/24",
	    "10.0.0.0/024", "10.0.0.0/-1", "10.0.0.0/8x", "/8"};
	struct prefix4 p, q;
	struct ip4 a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(prefix4_parse(&p, bad[i]));
	assert_true(prefix4_parse(&p, "0.0.0.0/0"));
	assert_true(ip4_parse(&a, "255.1.2.3"));
	assert_true(prefix4_contains(p, a));
	assert_true(prefix4_parse(&p, "192.168.8.0/24"));
	assert_string_equal(PREFIX4_STR(p), "192.168.8.0/24");
	assert_string_equal(IP4_STR(prefix4_broadcast(p)), "192.168.8.255");
	assert_true(ip4_parse(&a, "192.168.8.0") && prefix4_contains(p, a));
	assert_true(ip4_parse(&a, "192.168.9.0") && !prefix4_contains(p, a));
	assert_true(prefix4_parse(&q, "192.168.0.0/16"));
	assert_true(prefix4_overlaps(p, q) && prefix4_overlaps(q, p));
	assert_false(prefix4_eq(p, q));
	assert_true(prefix4_parse(&q, "192.168.9.0/24"));
	assert_false(prefix4_overlaps(p, q) || prefix4_overlaps(q, p));
	assert_true(prefix4_parse(&q, "10.1.1.1/32"));
	assert_string_equal(IP4_STR(prefix4_broadcast(q)), "10.1.1.1");
}

static void
macs(void **state UNUSED)
{
	static const char *const bad[] = {"",
					  "00:50:56:c0:00",
					  "00:50:56:c0:00:08:",
					  "00:50:56:c0:00:08:09",
					  "000:50:56:c0:00:8",
					  "00:50:56:c0:00:0g",
					  "00:50:56:c0::08",
					  "005056c00008",
					  "00.50.56.c0.00.08"};
	struct mac m = {{1, 2, 3, 4, 5, 6}}, n;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(mac_parse(&m, bad[i]));
		assert_string_equal(MAC_STR(m), "01:02:03:04:05:06");
	}
	assert_true(mac_parse(&m, "0:50:56-C0:0:8"));
	assert_string_equal(MAC_STR(m), "00:50:56:c0:00:08");
	assert_true(mac_parse(&n, "00:50:56:c0:00:08"));
	assert_true(mac_eq(m, n));
	assert_false(mac_is_zero(m) || mac_is_multicast(m));
	assert_true(mac_parse(&n, "00:00:00:00:00:00") && mac_is_zero(n));
	assert_true(mac_parse(&n, "ff:ff:ff:ff:ff:ff") && mac_is_multicast(n));
	assert_true(mac_parse(&n, "01:80:c2:00:00:00") && mac_is_multicast(n));
}

/* The example of RFC 1071 section 3, in one piece, in two, and with an odd end. */
static void
checksums(void **state UNUSED)
{
	static const uint8_t b[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t odd[] = {0x12, 0x34, 0x56};
	static uint8_t ff[65535];

	assert_int_equal(inet_sum_fold(inet_sum(b, 8, 0)), (uint16_t)~0xddf2);
	assert_int_equal(inet_sum_fold(inet_sum(b + 4, 4, inet_sum(b, 4, 0))), (uint16_t)~0xddf2);
	assert_int_equal(inet_sum_fold(inet_sum(odd, 3, 0)), (uint16_t) ~(0x1234 + 0x5600));
	assert_int_equal(inet_sum_fold(inet_sum(NULL, 0, 0)), 0xffff);
	memset(ff, 0xff, sizeof(ff));
	assert_int_equal(inet_sum_fold(inet_sum(ff, 65534, UINT32_MAX)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ip4_text), cmocka_unit_test(masks),     cmocka_unit_test(prefixes),
	    cmocka_unit_test(macs),     cmocka_unit_test(checksums),
	};

	return T_RUN(tests);
}
