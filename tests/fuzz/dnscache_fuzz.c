/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnscache_fuzz.c - answers as servers may send them, into the cache and out again.
 *
 * Input: a byte of seconds, u16 length of a query, the query, and the answer. What must hold: what comes out is an
 * answer with the asker's id and question, not longer than was allowed, whole, and with no TTL above
 * what the cache allows; after its time nothing comes out.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "natd/dnscache.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { QUERY_MAX = 1232, ROOM = 300 };

struct query {
	const uint8_t *b;
	size_t len;
	struct dns_head h;
	struct dns_edns e;
	struct dnscache_key k;
};

static bool
query_init(struct query *q, struct rd *r)
{
	q->len = rd_be16(r) % QUERY_MAX;
	q->b = rd_bytes(r, q->len);
	return q->b && dns_head_parse(&q->h, q->b, q->len) &&
	       dns_edns_parse(&q->e, q->b, q->len, &q->h) &&
	       dnscache_key_init(&q->k, 1, q->b, &q->h, &q->e);
}

static void
check_answer(const struct query *q, const uint8_t *msg, size_t len)
{
	struct dns_head h;
	struct dns_walk w;
	struct dns_rr rr;
	unsigned opts = 0;

	CHECK(dns_head_parse(&h, msg, len) && h.response && h.question_ok);
	CHECK(h.id == q->h.id && h.end == q->h.end);
	CHECK(memcmp(msg + DNS_HEADER_LEN, q->b + DNS_HEADER_LEN, h.end - DNS_HEADER_LEN) == 0);
	CHECK(h.rcode == DNS_NOERROR || h.rcode == DNS_NXDOMAIN);
	dns_walk_init(&w, msg, len, &h);
	while (dns_walk_next(&w, &rr)) {
		opts += rr.type == DNS_TYPE_OPT;
		CHECK(rr.type == DNS_TYPE_OPT || rr.ttl <= DNSCACHE_TTL_MAX);
	}
	CHECK(!w.bad && opts == q->e.present);
}

/* Asks in memory of exactly the room there is. */
static size_t
ask(struct dnscache *c, const struct query *q, size_t limit, struct mono now)
{
	uint8_t *msg;
	bool refresh;
	size_t n;

	if (limit < q->len)
		limit = q->len;
	msg = malloc(limit);
	CHECK(msg);
	memcpy(msg, q->b, q->len);
	n = dnscache_get(c, &q->k, msg, limit, &q->h, &q->e, now, &refresh);
	CHECK(n <= limit);
	if (n)
		check_answer(q, msg, n);
	else
		CHECK(memcmp(msg, q->b, q->len) == 0);
	free(msg);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct hash_key key;
	static struct dnscache *c;
	struct rd r = rd_init(data, len);
	unsigned s = rd_u8(&r);
	struct mono now = {1000};
	struct query q;
	uint8_t *answer;
	size_t n;

	if (!c)
		c = dnscache_new(&key);
	CHECK(c);
	if (!query_init(&q, &r))
		return 0;
	n = rd_left(&r);
	answer = malloc(n ? n : 1);
	CHECK(answer);
	rd_copy(&r, answer, n);
	if (dnscache_put(c, &q.k, answer, n, now)) {
		CHECK(dnscache_count(c) == 1);
		CHECK(ask(c, &q, n + ROOM, now));
		CHECK(ask(c, &q, DNS_UDP_MIN, now));
		ask(c, &q, n + ROOM, mono_add(now, s * 1000));
		CHECK(!ask(c, &q, n + ROOM, mono_add(now, (DNSCACHE_TTL_MAX + 1) * 1000)));
	}
	CHECK(dnscache_count(c) == 0);
	free(answer);
	return 0;
}
