/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsask_test.c - questions for addresses, and what counts as an answer.
 */
#include "../lib/t.h"

#include "natd/dnsask.h"

#define ID 0x1234

static const uint8_t question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				  "\x03www\x07"
				  "example\x04test\x00\x00\x01\x00\x01";
#define QUESTION_LEN (sizeof(question) - 1)

struct answer {
	uint8_t b[512];
	size_t len;
};

static struct answer
answer(uint8_t records, const char *data, size_t len)
{
	struct answer a = {.len = QUESTION_LEN + len};

	memcpy(a.b, question, QUESTION_LEN);
	memcpy(a.b + QUESTION_LEN, data, len);
	a.b[2] = 0x81; /* a response */
	a.b[3] = 0x80;
	a.b[7] = records;
	return a;
}
#define ANSWER(n, text) answer((n), (text), sizeof(text) - 1)

static bool
parse(struct dnsask_answer *out, const struct answer *a)
{
	return dnsask_parse(out, a->b, a->len, ID, "www.example.test", DNSASK_A);
}

static void
question_is_written(void **state UNUSED)
{
	uint8_t buf[DNSASK_LEN_MAX];
	char longest[300];

	assert_int_equal(dnsask_build(buf, ID, "www.example.test", DNSASK_A), QUESTION_LEN);
	assert_memory_equal(buf, question, QUESTION_LEN);
	assert_int_equal(dnsask_build(buf, ID, "www.example.test.", DNSASK_A), QUESTION_LEN);
	assert_int_equal(dnsask_build(buf, ID, "", DNSASK_A), 0);
	assert_int_equal(dnsask_build(buf, ID, ".", DNSASK_A), 0);
	assert_int_equal(dnsask_build(buf, ID, "a..b", DNSASK_A), 0);
	assert_int_equal(dnsask_build(buf, ID, ".a", DNSASK_A), 0);
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	assert_int_equal(dnsask_build(buf, ID, longest, DNSASK_A), 0);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[253] = '\0';
	assert_int_equal(dnsask_build(buf, ID, longest, DNSASK_A), 12 + 255 + 4);
	longest[253] = '.';
	longest[255] = '\0';
	assert_int_equal(dnsask_build(buf, ID, longest, DNSASK_A), 0);
}

static void
addresses_of_the_name_and_of_its_alias(void **state UNUSED)
{
	/* www CNAME web.test; other A 9.9.9.9; web.test A 10.0.0.1, A 10.0.0.2 */
	struct answer a = ANSWER(
	    4, "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03web\xc0\x18"
	       "\x05other\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x09\x09\x09\x09"
	       "\xc0\x2e\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x01"
	       "\x03WEB\x04TEST\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x02");
	struct dnsask_answer got;

	assert_true(parse(&got, &a));
	assert_int_equal(got.rcode, 0);
	assert_int_equal(got.n, 2);
	assert_memory_equal(got.addr[0], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
	assert_memory_equal(got.addr[1], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2", 16);
}

static void
no_such_name_is_an_answer_too(void **state UNUSED)
{
	struct answer a = ANSWER(0, "");
	struct dnsask_answer got;

	a.b[3] = 0x83;
	assert_true(parse(&got, &a));
	assert_int_equal(got.rcode, 3);
	assert_int_equal(got.n, 0);
}

static void
what_is_no_answer_to_this_question(void **state UNUSED)
{
	struct answer good =
	    ANSWER(1, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x01");
	struct answer a = good;
	struct dnsask_answer got;

	assert_true(parse(&got, &a));
	assert_int_equal(got.n, 1);
	a.b[0] ^= 1; /* id */
	assert_false(parse(&got, &a));
	a = good;
	a.b[2] = 1; /* a question */
	assert_false(parse(&got, &a));
	a = good;
	a.b[13] = 'x'; /* another name */
	assert_false(parse(&got, &a));
	a = good;
	a.b[QUESTION_LEN - 3] = 28; /* another type */
	assert_false(parse(&got, &a));
	for (size_t len = 0; len < good.len; len++) {
		a = good;
		a.len = len;
		assert_false(parse(&got, &a));
	}
}

static void
names_that_go_in_circles(void **state UNUSED)
{
	struct answer a =
	    ANSWER(1, "\xc0\x22\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x01");
	struct dnsask_answer got;

	/* It points at itself. */
	a.b[QUESTION_LEN + 1] = (uint8_t)QUESTION_LEN;
	assert_false(parse(&got, &a));
	a.b[QUESTION_LEN] = 0xff; /* out of the message */
	assert_false(parse(&got, &a));
}

static void
more_addresses_than_are_kept(void **state UNUSED)
{
	struct answer a = ANSWER(0, "");
	struct dnsask_answer got;

	for (unsigned i = 0; i < DNSASK_ADDRS_MAX + 2; i++) {
		memcpy(a.b + a.len, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00",
		       15);
		a.b[a.len + 15] = (uint8_t)i;
		a.len += 16;
	}
	a.b[7] = DNSASK_ADDRS_MAX + 2;
	assert_true(parse(&got, &a));
	assert_int_equal(got.n, DNSASK_ADDRS_MAX);
	assert_int_equal(got.addr[DNSASK_ADDRS_MAX - 1][15], DNSASK_ADDRS_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(question_is_written),
	    cmocka_unit_test(addresses_of_the_name_and_of_its_alias),
	    cmocka_unit_test(no_such_name_is_an_answer_too),
	    cmocka_unit_test(what_is_no_answer_to_this_question),
	    cmocka_unit_test(names_that_go_in_circles),
	    cmocka_unit_test(more_addresses_than_are_kept),
	};

	return T_RUN(tests);
}
