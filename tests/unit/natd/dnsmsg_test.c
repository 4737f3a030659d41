/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsmsg_test.c - header and question of DNS messages, whole and broken; our own error answers.
 */
#include "dnskit.h"

static bool
parse(struct dns_head *h, const uint8_t *msg, size_t len)
{
	uint8_t *p = t_exact(msg, len);
	bool ok = dns_head_parse(h, p, len);

	free(p);
	return ok;
}

static void
a_plain_query(void **state UNUSED)
{
	uint8_t buf[512];
	struct dns_head h;
	size_t len = kit_query(buf, sizeof(buf), 0x1234, "www.example.org", TYPE_A);

	assert_true(parse(&h, buf, len));
	assert_int_equal(h.id, 0x1234);
	assert_false(h.response);
	assert_int_equal(h.opcode, 0);
	assert_int_equal(h.rcode, 0);
	assert_int_equal(h.questions, 1);
	assert_true(h.question_ok);
	assert_int_equal(h.end, len);
	buf[2] |= 0xa8; /* response, opcode 5 */
	buf[3] = 0x35;
	assert_true(parse(&h, buf, len));
	assert_true(h.response);
	assert_int_equal(h.opcode, 5);
	assert_int_equal(h.rcode, 5);
}

static void
every_cut_is_noticed(void **state UNUSED)
{
	uint8_t buf[512];
	struct dns_head h;
	size_t len = kit_query(buf, sizeof(buf), 1, "www.example.org", TYPE_AAAA);

	for (size_t n = 0; n < DNS_HEADER_LEN; n++)
		assert_false(parse(&h, buf, n));
	for (size_t n = DNS_HEADER_LEN; n < len; n++) {
		assert_true(parse(&h, buf, n));
		assert_false(h.question_ok);
		assert_int_equal(h.end, DNS_HEADER_LEN);
	}
}

static void
questions_that_are_none(void **state UNUSED)
{
	static const char label[] = "0123456789012345678901234567890123456789012345678901234567890";
	char longest[256] = "";
	uint8_t buf[600];
	struct dns_head h;
	size_t len;

	/* A pointer, and the label types that nobody uses. There is room for each as a length. */
	memset(buf, 0, sizeof(buf));
	kit_query(buf, sizeof(buf), 1, "abc", TYPE_A);
	for (unsigned b = 0x40; b <= 0xff; b += 0x11) {
		buf[DNS_HEADER_LEN] = (uint8_t)b;
		assert_true(parse(&h, buf, sizeof(buf)));
		assert_false(h.question_ok);
	}
	len = kit_query(buf, sizeof(buf), 1, "abc", TYPE_A);
	buf[5] = 2;
	assert_true(parse(&h, buf, sizeof(buf)));
	assert_false(h.question_ok);
	buf[5] = 0;
	assert_true(parse(&h, buf, len));
	assert_true(h.question_ok);
	assert_int_equal(h.end, DNS_HEADER_LEN);

	/* 4 * 62 + 6 + 1 = 255 bytes is the longest name. */
	for (int i = 0; i < 4; i++) {
		strcat(longest, label);
		strcat(longest, ".");
	}
	strcat(longest, "01234");
	len = kit_query(buf, sizeof(buf), 1, longest, TYPE_A);
	assert_true(parse(&h, buf, len));
	assert_true(h.question_ok);
	assert_int_equal(h.end, DNS_HEADER_LEN + 255 + 4);
	strcat(longest, "5");
	len = kit_query(buf, sizeof(buf), 1, longest, TYPE_A);
	assert_true(parse(&h, buf, len));
	assert_false(h.question_ok);
}

static bool
same(const char *a, uint16_t type_a, const char *b, uint16_t type_b)
{
	uint8_t x[300], y[300];
	size_t n = kit_query(x, sizeof(x), 1, a, type_a);

	assert_int_equal(n, kit_query(y, sizeof(y), 2, b, type_b));
	return dns_question_eq(x + DNS_HEADER_LEN, y + DNS_HEADER_LEN, n - DNS_HEADER_LEN);
}

static void
comparison_ignores_case_in_names_only(void **state UNUSED)
{
	assert_true(same("www.example.org", 1, "www.example.org", 1));
	assert_true(same("wWw.EXAMPLE.org", 1, "Www.example.oRG", 1));
	assert_false(same("www.example.org", 1, "wwv.example.org", 1));
	assert_false(same("www.example.org", 1, "www.example.org", 28));
	assert_false(same("a", 0x41, "a", 0x61)); /* 'A' and 'a' as types */
	assert_false(same("a@b", 1, "a`b", 1));   /* next to 'A' and 'a' */
	assert_false(same("a[b", 1, "a{b", 1));   /* next to 'Z' and 'z' */
	assert_true(same("", 2, "", 2));
	assert_true(dns_question_eq((const uint8_t *)"", (const uint8_t *)"", 0));
}

static void
check_error(const uint8_t *query, size_t len, const uint8_t *want, size_t want_len, int rcode)
{
	uint8_t *p = t_exact(query, len);
	struct dns_head h;

	assert_true(dns_head_parse(&h, p, len));
	assert_int_equal(dns_make_error(p, len, &h, (enum dns_rcode)rcode), want_len);
	assert_memory_equal(p, want, want_len);
	free(p);
}

static void
errors_repeat_the_question(void **state UNUSED)
{
	static const uint8_t query[] = "\x12\x34\x01\x30\0\1\0\0\0\0\0\0\1a\0\0\1\0\1";
	static const uint8_t want[] = "\x12\x34\x81\x92\0\1\0\0\0\0\0\0\1a\0\0\1\0\1";

	/* RD and CD are repeated, AD is not, RA is set; what follows the question is not there. */
	check_error(query, sizeof(query) - 1, want, sizeof(want) - 1, DNS_SERVFAIL);
	check_error(query, sizeof(query), want, sizeof(want) - 1, DNS_SERVFAIL);
}

static void
errors_about_a_broken_question_are_bare(void **state UNUSED)
{
	static const uint8_t query[] = "\x12\x34\x29\0\0\2\0\0\0\0\0\0\1a\0\0\1\0\1";
	static const uint8_t want[] = "\x12\x34\xa9\x81\0\0\0\0\0\0\0\0";

	check_error(query, sizeof(query) - 1, want, DNS_HEADER_LEN, DNS_FORMERR);
	check_error(query, DNS_HEADER_LEN, want, DNS_HEADER_LEN, DNS_FORMERR);
}

static void
errors_carry_edns_for_those_who_do(void **state UNUSED)
{
	uint8_t query[128], want[128];
	size_t len = kit_query(query, sizeof(query), 7, "a.b", TYPE_A), end = len;
	struct wr w = wr_init(want, sizeof(want));

	len = kit_add_opt(query, len, sizeof(query), true, 8);
	wr_bytes(&w, query, end);
	want[2] |= 0x80;
	want[3] = 0x85;
	wr_u8(&w, 0);
	wr_be16(&w, TYPE_OPT);
	wr_be16(&w, 1232);
	wr_be16(&w, 0);
	wr_be16(&w, 0x8000);
	wr_be16(&w, 0);
	check_error(query, len, want, wr_len(&w), DNS_REFUSED);

	/* One byte less than a whole record is none. */
	want[11] = 0;
	check_error(query, end + 10, want, end, DNS_REFUSED);
	/* Another type is not it. */
	query[end + 2] = TYPE_OPT + 1;
	check_error(query, len, want, end, DNS_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_query),
	    cmocka_unit_test(every_cut_is_noticed),
	    cmocka_unit_test(questions_that_are_none),
	    cmocka_unit_test(comparison_ignores_case_in_names_only),
	    cmocka_unit_test(errors_repeat_the_question),
	    cmocka_unit_test(errors_about_a_broken_question_are_bare),
	    cmocka_unit_test(errors_carry_edns_for_those_who_do),
	};

	return T_RUN(tests);
}
