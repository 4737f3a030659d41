/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnscache.h - answers of DNS servers, kept by TTL: positive ones and, by RFC 2308, negative ones.
 *
 * Pure. Memory is taken once, touched only as far as it was ever needed, and never grows: what was not asked
 * for the longest goes first. An answer is kept as it came, but for its OPT record, which is between one
 * asker and one server (RFC 6891 6.1.1); it is given out with the asker's own id and spelling of the
 * name, its TTLs counted down.
 *
 * Not kept: errors, truncated answers, referrals, what has a TTL of 0, other classes than IN, the types that
 * are no data (ANY, transfers, TSIG), and answers whose query was not plain (dns_edns_parse(), special).
 */
#ifndef VNET_NATD_DNSCACHE_H
#define VNET_NATD_DNSCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/mono.h"
#include "natd/dnsmsg.h"

#define DNSCACHE_ANSWERS 8192 /* of up to 192 bytes; longer ones count several times */
#define DNSCACHE_LEN_MAX 8192 /* bytes; longer answers are not kept */

/* TTLs in seconds: nothing is kept longer than this, negative answers not longer than that. */
#define DNSCACHE_TTL_MAX      86400
#define DNSCACHE_NEGATIVE_MAX 10800

/* A name that is still asked for when only a tenth of its time is left is worth asking again before it runs
 * out, if that time was not short anyway. */
#define DNSCACHE_REFRESH_S    10
#define DNSCACHE_REFRESH_HITS 2

/* What an answer is the answer to. Two queries of the same key get the same answer. */
struct dnscache_key {
	uint32_t scope; /* which servers: answers of one scope are never given to another */
	uint16_t flags; /* RD, AD, CD of the query, and its DO bit */
	const uint8_t *question; /* in any spelling; belongs to the query */
	size_t len;
};

struct dnscache_stats {
	uint64_t hits, misses;
	uint64_t kept;    /* answers */
	uint64_t evicted; /* that were still good */
};

struct dnscache;

/* NULL: no memory. key: secret, so that guests cannot choose names that are slow to find. */
struct dnscache *dnscache_new(const struct hash_key *key);
void dnscache_free(struct dnscache *c);

/* False: such a query's answer is not kept. e from dns_edns_parse(), which said that it is plain. */
bool dnscache_key_init(struct dnscache_key *k, uint32_t scope, const uint8_t *msg,
		       const struct dns_head *h, const struct dns_edns *e);

/* Turns the query msg, which has room for `limit` bytes, into the answer, in place; h and e are its own. An answer
 * that is longer is an empty one with the TC bit. Returns its length, 0: it is not known (msg is untouched).
 * *refresh: this answer is worth asking for again now; told once. NULL: the caller could not do it, and is not told. */
size_t dnscache_get(struct dnscache *c, const struct dnscache_key *k, uint8_t *msg, size_t limit,
		    const struct dns_head *h, const struct dns_edns *e, struct mono now,
		    bool *refresh);

/* Keeps the answer msg. Replaces what was known. False: it is not one to keep, or not to this question. */
bool dnscache_put(struct dnscache *c, const struct dnscache_key *k, const uint8_t *msg, size_t len,
		  struct mono now);

/* Answers that are kept, expired ones that nobody asked for included. */
unsigned dnscache_count(const struct dnscache *c);
const struct dnscache_stats *dnscache_stats(const struct dnscache *c);

#endif
