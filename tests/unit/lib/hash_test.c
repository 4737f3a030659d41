/* SPDX-License-Identifier: GPL-2.0-or-later
 * hash_test.c - SipHash-2-4 against the vectors of its paper and reference implementation.
 */
#include "../lib/t.h"

#include "lib/hash.h"

/* Key 00 01 .. 0f, input 00 01 .. n-1. */
static void
reference_vectors_match(void **state UNUSED)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} v[] = {
	    {0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
	    {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5},
	};
	struct hash_key key;
	uint8_t in[64];

	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	memcpy(key.b, in, sizeof(key.b));
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(hash_bytes(&key, in, v[i].len), v[i].hash);
}

static void
another_key_gives_another_hash(void **state UNUSED)
{
	struct hash_key a = {{1}}, b = {{2}};

	assert_true(hash_bytes(&a, "abcdef", 6) != hash_bytes(&b, "abcdef", 6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reference_vectors_match),
	    cmocka_unit_test(another_key_gives_another_hash),
	};

	return T_RUN(tests);
}
