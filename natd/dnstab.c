/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstab.c - the table of pending queries: slots, two hashes, a list by age and a heap by deadline.
 *
 * Pure. Slots are named by number, 0 being none, so that zeroed memory is an empty table and pages that
 * were never used stay untouched. The hashes have as many chains as there are slots. A client's
 * chain is walked for its repetitions and its number: at most DNS_PER_CLIENT_MAX are its own.
 */
#include <stdlib.h>

#include "natd/dnstab.h"

#define CHAINS DNS_QUERIES_MAX /* a power of two */

struct dns_tab {
	uint64_t key;
	unsigned count;
	uint16_t fresh; /* slots above were never used */
	uint16_t freed; /* list of used ones, by age_next */
	uint16_t oldest, youngest;
	uint16_t by_id[CHAINS], by_client[CHAINS];
	uint16_t heap[DNS_QUERIES_MAX + 1]; /* from 1 on, heap[1] is due first */
	struct dns_query slot[DNS_QUERIES_MAX + 1];
	uint8_t msg[DNS_QUERIES_MAX + 1][DNS_QUERY_LEN_MAX];
};

struct dns_tab *
dns_tab_new(uint64_t key)
{
	struct dns_tab *t = calloc(1, sizeof(*t));

	if (t)
		t->key = key;
	return t;
}

void
dns_tab_free(struct dns_tab *t)
{
	free(t);
}

unsigned
dns_tab_count(const struct dns_tab *t)
{
	return t->count;
}

static uint16_t
number(const struct dns_tab *t, const struct dns_query *q)
{
	return (uint16_t)(q - t->slot);
}

static struct dns_query *
at(struct dns_tab *t, uint16_t n)
{
	return n ? &t->slot[n] : NULL;
}

/* Ids are random numbers of our own choice: their low bits are as good as a hash. */
static uint16_t *
id_chain(struct dns_tab *t, uint16_t id)
{
	return &t->by_id[id % CHAINS];
}

static uint16_t *
client_chain(struct dns_tab *t, unsigned net, struct ip4 client)
{
	uint64_t x = ((uint64_t)net << 32 | client.h) ^ t->key;

	/* Stirs every bit into the high ones, twice. */
	x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29 ^ t->key) * UINT64_C(0xbf58476d1ce4e5b9);
	return &t->by_client[(x >> 40) % CHAINS];
}

struct dns_query *
dns_tab_find(struct dns_tab *t, uint16_t id)
{
	uint16_t n = *id_chain(t, id);

	while (n && t->slot[n].id != id)
		n = t->slot[n].id_next;
	return at(t, n);
}

uint16_t
dns_tab_free_id(struct dns_tab *t, uint16_t start)
{
	/* There are sixteen ids for every slot, so this ends, and soon. */
	while (dns_tab_find(t, start))
		start++;
	return start;
}

struct dns_query *
dns_tab_each_of(struct dns_tab *t, unsigned net, struct ip4 client, const struct dns_query *prev)
{
	uint16_t n = prev ? prev->client_next : *client_chain(t, net, client);

	for (; n; n = t->slot[n].client_next) {
		if (t->slot[n].net == net && ip4_eq(t->slot[n].client, client))
			return &t->slot[n];
	}
	return NULL;
}

uint8_t *
dns_tab_msg(struct dns_tab *t, const struct dns_query *q)
{
	return t->msg[number(t, q)];
}

struct dns_query *
dns_tab_oldest(struct dns_tab *t)
{
	return at(t, t->oldest);
}

struct dns_query *
dns_tab_younger(struct dns_tab *t, const struct dns_query *q)
{
	return at(t, q->age_next);
}

/* Heap: position 0 means "not in it"; `count` counts those in it. */

static void
heap_put(struct dns_tab *t, unsigned pos, uint16_t n)
{
	t->heap[pos] = n;
	t->slot[n].heap_at = (uint16_t)pos;
}

static bool
heap_before(const struct dns_tab *t, unsigned a, unsigned b)
{
	return mono_before(t->slot[t->heap[a]].due, t->slot[t->heap[b]].due);
}

static void
heap_swap(struct dns_tab *t, unsigned a, unsigned b)
{
	uint16_t n = t->heap[a];

	heap_put(t, a, t->heap[b]);
	heap_put(t, b, n);
}

/* Moves the entry at pos to where its deadline belongs. */
static void
heap_settle(struct dns_tab *t, unsigned pos)
{
	while (pos > 1 && heap_before(t, pos, pos / 2)) {
		heap_swap(t, pos, pos / 2);
		pos /= 2;
	}
	for (;;) {
		unsigned least = pos;

		for (unsigned child = 2 * pos; child <= 2 * pos + 1 && child <= t->count; child++) {
			if (heap_before(t, child, least))
				least = child;
		}
		if (least == pos)
			return;
		heap_swap(t, pos, least);
		pos = least;
	}
}

static void
heap_remove(struct dns_tab *t, unsigned pos)
{
	unsigned last = t->count--;

	if (pos == last)
		return;
	heap_put(t, pos, t->heap[last]);
	heap_settle(t, pos);
}

void
dns_tab_set_due(struct dns_tab *t, struct dns_query *q, struct mono due)
{
	q->due = due;
	heap_settle(t, q->heap_at);
}

struct dns_query *
dns_tab_first_due(struct dns_tab *t)
{
	return t->count ? &t->slot[t->heap[1]] : NULL;
}

static uint16_t
take_slot(struct dns_tab *t)
{
	uint16_t n = t->freed;

	if (n) {
		t->freed = t->slot[n].age_next;
		return n;
	}
	return t->fresh < DNS_QUERIES_MAX ? ++t->fresh : 0;
}

static void
chain_add(uint16_t *head, uint16_t *next, uint16_t n)
{
	*next = *head;
	*head = n;
}

struct dns_query *
dns_tab_add(struct dns_tab *t, unsigned net, struct ip4 client, uint16_t id)
{
	uint16_t n = take_slot(t);
	struct dns_query *q = at(t, n);

	if (!q)
		return NULL;
	*q =
	    (struct dns_query){.net = (uint16_t)net, .client = client, .id = id, .due = MONO_NEVER};
	chain_add(id_chain(t, id), &q->id_next, n);
	chain_add(client_chain(t, net, client), &q->client_next, n);
	q->age_prev = t->youngest;
	if (t->youngest)
		t->slot[t->youngest].age_next = n;
	else
		t->oldest = n;
	t->youngest = n;
	heap_put(t, ++t->count, n);
	heap_settle(t, q->heap_at);
	return q;
}

void
dns_tab_remove(struct dns_tab *t, struct dns_query *q)
{
	uint16_t n = number(t, q);
	uint16_t *p;

	for (p = id_chain(t, q->id); *p != n; p = &t->slot[*p].id_next)
		;
	*p = q->id_next;
	for (p = client_chain(t, q->net, q->client); *p != n; p = &t->slot[*p].client_next)
		;
	*p = q->client_next;
	if (q->age_prev)
		t->slot[q->age_prev].age_next = q->age_next;
	else
		t->oldest = q->age_next;
	if (q->age_next)
		t->slot[q->age_next].age_prev = q->age_prev;
	else
		t->youngest = q->age_prev;
	heap_remove(t, q->heap_at);
	q->age_next = t->freed;
	t->freed = n;
}
