/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnscache.c - answers in chains of blocks, a keyed hash over them, a list by use. Pure.
 *
 * Blocks are named by number, 0 being none, so that zeroed memory is an empty cache and pages that were never
 * used stay untouched. An answer has the number of its first block.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "natd/dnscache.h"

#define BLOCK_LEN 192
#define BLOCKS    DNSCACHE_ANSWERS
#define CHAINS    DNSCACHE_ANSWERS /* a power of two */

/* Types that are no data of a name: OPT, and all from 128 to 255 (RFC 6895 3.1). */
#define META_FIRST 128
#define META_LAST  255

/* In the key beside a header's flags: a bit that no query has there. */
#define KEY_DO DNS_FLAG_QR

static_assert((CHAINS & (CHAINS - 1)) == 0, "chains are chosen by low bits");
static_assert(BLOCKS < UINT16_MAX, "blocks are numbered in 16 bits");

struct answer {
	uint64_t hash;
	struct mono since, until;
	uint32_t scope;
	uint16_t flags; /* of its key */
	uint16_t len, question;
	uint16_t chain_next, newer, older;
	uint8_t hits; /* since it was kept; stays at its highest value */
	bool refreshing;
};

struct block {
	uint16_t next;
	uint8_t b[BLOCK_LEN];
};

struct dnscache {
	struct hash_key key;
	unsigned count;
	uint16_t fresh; /* blocks above were never used */
	uint16_t freed; /* list of used ones */
	unsigned nfreed;
	uint16_t newest, oldest; /* by use */
	uint16_t chain[CHAINS];
	struct answer answer[BLOCKS + 1];
	struct block block[BLOCKS + 1];
	struct dnscache_stats stats;
	uint8_t stripped[DNSCACHE_LEN_MAX]; /* an answer on its way in */
};

struct dnscache *
dnscache_new(const struct hash_key *key)
{
	struct dnscache *c = calloc(1, sizeof(*c));

	if (c)
		c->key = *key;
	return c;
}

void
dnscache_free(struct dnscache *c)
{
	free(c);
}

unsigned
dnscache_count(const struct dnscache *c)
{
	return c->count;
}

const struct dnscache_stats *
dnscache_stats(const struct dnscache *c)
{
	return &c->stats;
}

/* Blocks. */

static unsigned
blocks_for(size_t len)
{
	return (unsigned)((len + BLOCK_LEN - 1) / BLOCK_LEN);
}

static unsigned
free_blocks(const struct dnscache *c)
{
	return c->nfreed + BLOCKS - c->fresh;
}

static uint16_t
take_block(struct dnscache *c)
{
	uint16_t n = c->freed;

	if (!n)
		return ++c->fresh;
	c->freed = c->block[n].next;
	c->nfreed--;
	return n;
}

static void
free_chain(struct dnscache *c, uint16_t n)
{
	while (n) {
		uint16_t next = c->block[n].next;

		c->block[n].next = c->freed;
		c->freed = n;
		c->nfreed++;
		n = next;
	}
}

/* There are enough free blocks. Returns the first. */
static uint16_t
write_chain(struct dnscache *c, const uint8_t *p, size_t len)
{
	uint16_t first = 0, *at = &first;

	while (len) {
		size_t n = len < BLOCK_LEN ? len : BLOCK_LEN;

		*at = take_block(c);
		memcpy(c->block[*at].b, p, n);
		at = &c->block[*at].next;
		*at = 0;
		p += n;
		len -= n;
	}
	return first;
}

/* Copies `len` bytes from `off` on. */
static void
read_chain(const struct dnscache *c, uint16_t first, size_t off, uint8_t *out, size_t len)
{
	const struct block *b = &c->block[first];

	for (; off >= BLOCK_LEN; off -= BLOCK_LEN)
		b = &c->block[b->next];
	while (len) {
		size_t n = BLOCK_LEN - off < len ? BLOCK_LEN - off : len;

		memcpy(out, b->b + off, n);
		out += n;
		len -= n;
		off = 0;
		b = &c->block[b->next];
	}
}

/* Answers. */

static void
list_add(struct dnscache *c, uint16_t n)
{
	c->answer[n].newer = 0;
	c->answer[n].older = c->newest;
	if (c->newest)
		c->answer[c->newest].newer = n;
	else
		c->oldest = n;
	c->newest = n;
}

static void
list_remove(struct dnscache *c, uint16_t n)
{
	const struct answer *a = &c->answer[n];

	if (a->newer)
		c->answer[a->newer].older = a->older;
	else
		c->newest = a->older;
	if (a->older)
		c->answer[a->older].newer = a->newer;
	else
		c->oldest = a->newer;
}

static void
forget(struct dnscache *c, uint16_t n)
{
	uint16_t *at = &c->chain[c->answer[n].hash % CHAINS];

	while (*at != n)
		at = &c->answer[*at].chain_next;
	*at = c->answer[n].chain_next;
	list_remove(c, n);
	free_chain(c, n);
	c->count--;
}

/* Of the question in one spelling, the flags and the scope. */
static uint64_t
hash_of(const struct dnscache *c, const struct dnscache_key *k)
{
	uint8_t b[DNS_QUESTION_MAX + sizeof(k->flags) + sizeof(k->scope)];

	dns_question_fold(b, k->question, k->len);
	memcpy(b + k->len, &k->flags, sizeof(k->flags));
	memcpy(b + k->len + sizeof(k->flags), &k->scope, sizeof(k->scope));
	return hash_bytes(&c->key, b, k->len + sizeof(k->flags) + sizeof(k->scope));
}

static uint16_t
find(struct dnscache *c, const struct dnscache_key *k, uint64_t hash)
{
	uint8_t question[DNS_QUESTION_MAX];
	uint16_t n = c->chain[hash % CHAINS];

	for (; n; n = c->answer[n].chain_next) {
		const struct answer *a = &c->answer[n];

		if (a->hash != hash || a->scope != k->scope || a->flags != k->flags ||
		    a->question != k->len)
			continue;
		read_chain(c, n, DNS_HEADER_LEN, question, k->len);
		if (dns_question_eq(question, k->question, k->len))
			return n;
	}
	return 0;
}

bool
dnscache_key_init(struct dnscache_key *k, uint32_t scope, const uint8_t *msg,
		  const struct dns_head *h, const struct dns_edns *e)
{
	size_t len = h->end - DNS_HEADER_LEN;
	struct rd r;
	uint16_t type, class;

	if (h->opcode != 0 || h->questions != 1 || !h->question_ok || e->special ||
	    len > DNS_QUESTION_MAX)
		return false;
	r = rd_init(msg + h->end - 4, 4);
	type = rd_be16(&r);
	class = rd_be16(&r);
	if (class != DNS_CLASS_IN || type == DNS_TYPE_OPT || type == 0 ||
	    (type >= META_FIRST && type <= META_LAST))
		return false;
	k->scope = scope;
	k->flags = (uint16_t)((msg[2] << 8 | msg[3]) & (DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD));
	k->flags |= e->dnssec_ok ? KEY_DO : 0;
	k->question = msg + DNS_HEADER_LEN;
	k->len = len;
	return true;
}

/* Out. */

static void
count_down(uint8_t *msg, size_t len, const struct dns_head *h, uint32_t age_s, uint32_t life_s)
{
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, msg, len, h);
	while (dns_walk_next(&w, &rr)) {
		bool is_negative = rr.section == DNS_AUTHORITY && rr.type == DNS_TYPE_SOA;
		uint32_t most = is_negative ? life_s : DNSCACHE_TTL_MAX;
		uint32_t ttl = rr.ttl < most ? rr.ttl : most;
		struct wr at = wr_init(msg + rr.ttl_at, 4);

		wr_be32(&at, ttl > age_s ? ttl - age_s : 0);
	}
}

/* Puts the answer behind the query's own question and id. */
static size_t
give_out(const struct dnscache *c, uint16_t n, uint8_t *msg, size_t limit,
	 const struct dns_head *query, const struct dns_edns *e, struct mono now)
{
	const struct answer *a = &c->answer[n];
	struct dns_head h;
	struct wr w;

	read_chain(c, n, 2, msg + 2, DNS_HEADER_LEN - 2);
	read_chain(c, n, query->end, msg + query->end, a->len - query->end);
	dns_head_parse(&h, msg, a->len);
	count_down(msg, a->len, &h, (uint32_t)(mono_diff(now, a->since) / 1000),
		   (uint32_t)(mono_diff(a->until, a->since) / 1000));
	if (!e->present)
		return a->len;
	w = wr_init(msg + a->len, limit - a->len);
	dns_put_opt(&w, e->dnssec_ok);
	h.additional++;
	msg[10] = (uint8_t)(h.additional >> 8);
	msg[11] = (uint8_t)h.additional;
	return a->len + wr_len(&w);
}

static bool
wants_refresh(struct answer *a, struct mono now)
{
	int64_t life = mono_diff(a->until, a->since), left = mono_diff(a->until, now);

	if (a->refreshing || a->hits < DNSCACHE_REFRESH_HITS || life < DNSCACHE_REFRESH_S * 1000 ||
	    left > life / 10)
		return false;
	return a->refreshing = true;
}

size_t
dnscache_get(struct dnscache *c, const struct dnscache_key *k, uint8_t *msg, size_t limit,
	     const struct dns_head *h, const struct dns_edns *e, struct mono now, bool *refresh)
{
	uint16_t n = find(c, k, hash_of(c, k));
	struct answer *a = &c->answer[n];
	size_t len;

	if (refresh)
		*refresh = false;
	if (n && !mono_before(now, a->until)) {
		forget(c, n);
		n = 0;
	}
	if (!n) {
		c->stats.misses++;
		return 0;
	}
	c->stats.hits++;
	if (c->newest != n) {
		list_remove(c, n);
		list_add(c, n);
	}
	if (refresh)
		*refresh = wants_refresh(a, now);
	a->hits += a->hits < UINT8_MAX;
	len = a->len + (e->present ? DNS_OPT_LEN : 0);
	if (len > limit)
		return dns_make_truncated(msg, limit, h, e);
	return give_out(c, n, msg, limit, h, e, now);
}

/* In. */

/* What the records of an answer say about its time. */
struct verdict {
	uint32_t ttl; /* seconds, the least of all records */
	uint32_t
	    negative; /* of its SOA record, the lesser of TTL and minimum; UINT32_MAX: there is none */
	bool data;    /* a record of the type that was asked for */
	bool broken;
	size_t opt; /* where the OPT record is, 0: none */
};

/* RFC 2308 4: the minimum is the last of the five numbers behind two names. */
static uint32_t
soa_minimum(const uint8_t *msg, const struct dns_rr *rr)
{
	struct rd r;

	if (rr->len < 22)
		return 0;
	r = rd_init(msg + rr->data + rr->len - 4, 4);
	return rd_be32(&r);
}

static struct verdict
judge(const uint8_t *msg, size_t len, const struct dns_head *h)
{
	struct verdict v = {.ttl = DNSCACHE_TTL_MAX, .negative = UINT32_MAX};
	uint16_t asked = (uint16_t)(msg[h->end - 4] << 8 | msg[h->end - 3]);
	struct dns_walk w;
	struct dns_rr rr;

	dns_walk_init(&w, msg, len, h);
	while (dns_walk_next(&w, &rr)) {
		if (rr.type == DNS_TYPE_OPT) {
			/* Elsewhere than among the additional records, or of a name, it is none (RFC
			 * 6891 6.1.1). An error behind twelve bits is one, too. What follows it may
			 * point behind it, where nothing will be. */
			v.broken |= rr.section != DNS_ADDITIONAL || msg[rr.start] != 0;
			v.broken |= v.opt || w.at != len || msg[rr.ttl_at] != 0;
			v.opt = rr.start;
			continue;
		}
		/* TSIG and SIG(0) are between two parties. */
		v.broken |= rr.type >= META_FIRST && rr.type <= META_LAST;
		if (rr.ttl < v.ttl)
			v.ttl = rr.ttl;
		v.data |= rr.section == DNS_ANSWER && rr.type == asked;
		if (rr.section == DNS_AUTHORITY && rr.type == DNS_TYPE_SOA) {
			uint32_t minimum = soa_minimum(msg, &rr);

			v.negative = rr.ttl < minimum ? rr.ttl : minimum;
		}
	}
	v.broken |= w.bad;
	return v;
}

/* How long an answer is good, 0: not at all. */
static uint32_t
life_of(const struct dns_head *h, const struct verdict *v)
{
	uint32_t ttl = v->ttl;

	if (v->broken || (h->rcode != DNS_NOERROR && h->rcode != DNS_NXDOMAIN))
		return 0;
	if (h->rcode == DNS_NOERROR && v->data)
		return ttl;
	/* RFC 2308 5: without an SOA record nothing says how long there will be nothing. An alias that leads
	 * no further in this answer is data. */
	if (v->negative == UINT32_MAX)
		return h->rcode == DNS_NOERROR && h->answers ? ttl : 0;
	if (v->negative < ttl)
		ttl = v->negative;
	return ttl < DNSCACHE_NEGATIVE_MAX ? ttl : DNSCACHE_NEGATIVE_MAX;
}

static bool
make_room(struct dnscache *c, unsigned blocks, struct mono now)
{
	while (free_blocks(c) < blocks) {
		if (!c->oldest)
			return false;
		c->stats.evicted += mono_before(now, c->answer[c->oldest].until);
		forget(c, c->oldest);
	}
	return true;
}

/* The answer without its OPT record, as it will be given out. */
static size_t
strip(uint8_t *out, const uint8_t *msg, size_t len, const struct dns_head *h, size_t opt)
{
	uint16_t additional = (uint16_t)(h->additional - (opt ? 1 : 0));

	if (opt)
		len = opt;
	memcpy(out, msg, len);
	/* It is no longer the word of who knows. */
	out[2] &= (uint8_t) ~(DNS_FLAG_AA >> 8);
	out[10] = (uint8_t)(additional >> 8);
	out[11] = (uint8_t)additional;
	return len;
}

bool
dnscache_put(struct dnscache *c, const struct dnscache_key *k, const uint8_t *msg, size_t len,
	     struct mono now)
{
	struct verdict v;
	struct answer *a;
	struct dns_head h;
	uint64_t hash;
	uint32_t life_s;
	uint16_t n;

	if (len > DNSCACHE_LEN_MAX || !dns_head_parse(&h, msg, len) || !h.question_ok ||
	    h.end != DNS_HEADER_LEN + k->len || msg[2] & DNS_FLAG_TC >> 8 || !h.response ||
	    !dns_question_eq(msg + DNS_HEADER_LEN, k->question, k->len))
		return false;
	v = judge(msg, len, &h);
	life_s = life_of(&h, &v);
	if (life_s == 0)
		return false;
	hash = hash_of(c, k);
	n = find(c, k, hash);
	if (n)
		forget(c, n);
	len = strip(c->stripped, msg, len, &h, v.opt);
	if (!make_room(c, blocks_for(len), now))
		return false;
	n = write_chain(c, c->stripped, len);
	a = &c->answer[n];
	*a = (struct answer){
	    .hash = hash,
	    .since = now,
	    .until = mono_add(now, (int64_t)life_s * 1000),
	    .scope = k->scope,
	    .flags = k->flags,
	    .len = (uint16_t)len,
	    .question = (uint16_t)k->len,
	    .chain_next = c->chain[hash % CHAINS],
	};
	c->chain[hash % CHAINS] = n;
	list_add(c, n);
	c->count++;
	c->stats.kept++;
	return true;
}
