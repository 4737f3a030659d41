/* SPDX-License-Identifier: GPL-2.0-or-later
 * hash.h - SipHash-2-4: a keyed hash for tables whose keys are chosen by guests.
 *
 * Pure. With a secret key nobody can choose MAC addresses, client ids or names that all fall into one
 * bucket.
 */
#ifndef VNET_LIB_HASH_H
#define VNET_LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_KEY_LEN 16

struct hash_key {
	uint8_t b[HASH_KEY_LEN];
};

/* The same value on every machine for the same key and bytes. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

#endif
