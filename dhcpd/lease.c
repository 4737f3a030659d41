/* SPDX-License-Identifier: GPL-2.0-or-later
 * lease.c - the lease table: one array of slots, three chained hashes, a list per state and a
 * heap of due times, all linked by slot numbers. Pure; allocates in lease_table_new() only.
 */
#include "dhcpd/lease.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/gate.h"

#define LEASE_NIL  UINT32_MAX
#define LARGE_PAGE (2u << 20)

/* A guest may give many MACs one client id; looking further than this helps nobody else. */
#define UID_WALK_MAX 64

/* Lists beyond one per state. */
enum { LIST_REUSABLE = LEASE_STATE_N, LIST_N };

struct lease_list {
	uint32_t head, tail;
	size_t n;
};

struct lease_table {
	struct lease *slot;
	size_t cap;
	uint32_t fresh; /* slots from here on were never used */
	uint32_t mask;  /* buckets - 1 */
	uint32_t *by_ip, *by_mac, *by_uid;
	uint32_t *heap;
	uint32_t heap_n;
	struct lease_list list[LIST_N];
	uint32_t held[DHCP_STAMP_SLOTS]; /* by port */
	size_t pool_held;
	struct hash_key key;
};

static uint32_t
slot_of(const struct lease_table *t, const struct lease *l)
{
	return (uint32_t)(l - t->slot);
}

static struct lease *
lease_at(const struct lease_table *t, uint32_t i)
{
	return i == LEASE_NIL ? NULL : &t->slot[i];
}

/* --- making --- */

static uint32_t *
buckets_new(size_t n)
{
	uint32_t *b = malloc(n * sizeof(*b));

	if (b)
		memset(b, 0xff, n * sizeof(*b)); /* LEASE_NIL */
	return b;
}

static const char no_name[] = "";

struct lease_table *
lease_table_new(size_t cap, const struct hash_key *key)
{
	struct lease_table *t = calloc(1, sizeof(*t));
	size_t n = 16;

	if (!t)
		return NULL;
	while (n < cap)
		n *= 2;
	t->cap = cap;
	t->mask = (uint32_t)(n - 1);
	t->key = *key;
	/* Not zeroed: a slot's memory is touched when the slot is used, which most never are. */
	t->slot = malloc((cap ? cap : 1) * sizeof(*t->slot));
	t->heap = malloc((cap ? cap : 1) * sizeof(*t->heap));
	t->by_ip = buckets_new(n);
	t->by_mac = buckets_new(n);
	t->by_uid = buckets_new(n);
	for (unsigned i = 0; i < LIST_N; i++)
		t->list[i] = (struct lease_list){LEASE_NIL, LEASE_NIL, 0};
	if (!t->slot || !t->heap || !t->by_ip || !t->by_mac || !t->by_uid) {
		lease_table_free(t);
		return NULL;
	}
	return t;
}

void
lease_table_free(struct lease_table *t)
{
	if (!t)
		return;
	for (struct lease *l = NULL; (l = lease_each(t, l)) != NULL;)
		lease_set_hostname(l, "");
	free(t->slot);
	free(t->heap);
	free(t->by_ip);
	free(t->by_mac);
	free(t->by_uid);
	free(t);
}

void
lease_table_expect(struct lease_table *t, size_t n)
{
	uintptr_t begin = (uintptr_t)t->slot,
		  end = begin + (n < t->cap ? n : t->cap) * sizeof(*t->slot);

	begin = (begin + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
	end &= ~(uintptr_t)(LARGE_PAGE - 1);
	if (begin < end)
		(void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

size_t
lease_table_cap(const struct lease_table *t)
{
	return t->cap;
}

size_t
lease_table_used(const struct lease_table *t)
{
	return t->fresh - t->list[LEASE_UNUSED].n;
}

size_t
lease_table_count(const struct lease_table *t, enum lease_state state)
{
	size_t n = t->list[state].n;

	return state == LEASE_ENDED ? n + t->list[LIST_REUSABLE].n : n;
}

size_t
lease_table_held(const struct lease_table *t, unsigned port)
{
	return t->held[port];
}

size_t
lease_table_pool_held(const struct lease_table *t)
{
	return t->pool_held;
}

/* --- the lists --- */

static bool
is_pool_held(const struct lease *l)
{
	return l->pooled && (l->state == LEASE_OFFERED || l->state == LEASE_ACTIVE ||
			     l->state == LEASE_ABANDONED);
}

static unsigned
list_of(const struct lease *l)
{
	return l->state == LEASE_ENDED && l->reusable ? LIST_REUSABLE : l->state;
}

static void
list_append(struct lease_table *t, struct lease *l)
{
	struct lease_list *list = &t->list[list_of(l)];
	uint32_t i = slot_of(t, l);

	l->prev = list->tail;
	l->next = LEASE_NIL;
	if (list->tail == LEASE_NIL)
		list->head = i;
	else
		t->slot[list->tail].next = i;
	list->tail = i;
	list->n++;
	t->pool_held += is_pool_held(l);
}

static void
list_unlink(struct lease_table *t, struct lease *l)
{
	struct lease_list *list = &t->list[list_of(l)];

	if (l->prev == LEASE_NIL)
		list->head = l->next;
	else
		t->slot[l->prev].next = l->next;
	if (l->next == LEASE_NIL)
		list->tail = l->prev;
	else
		t->slot[l->next].prev = l->prev;
	list->n--;
	t->pool_held -= is_pool_held(l);
}

/* --- the heap of due times --- */

static void
heap_put(struct lease_table *t, uint32_t at, uint32_t slot)
{
	t->heap[at] = slot;
	t->slot[slot].heap_at = at;
}

static bool
heap_less(const struct lease_table *t, uint32_t a, uint32_t b)
{
	return mono_before(t->slot[a].due, t->slot[b].due);
}

static void
heap_up(struct lease_table *t, uint32_t at, uint32_t slot)
{
	while (at > 0 && heap_less(t, slot, t->heap[(at - 1) / 2])) {
		heap_put(t, at, t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(t, at, slot);
}

static void
heap_down(struct lease_table *t, uint32_t at, uint32_t slot)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= t->heap_n)
			break;
		if (child + 1 < t->heap_n && heap_less(t, t->heap[child + 1], t->heap[child]))
			child++;
		if (!heap_less(t, t->heap[child], slot))
			break;
		heap_put(t, at, t->heap[child]);
		at = child;
	}
	heap_put(t, at, slot);
}

static void
heap_remove(struct lease_table *t, struct lease *l)
{
	uint32_t at = l->heap_at, last;

	if (at == LEASE_NIL)
		return;
	l->heap_at = LEASE_NIL;
	last = t->heap[--t->heap_n];
	if (at == t->heap_n)
		return;
	if (at > 0 && heap_less(t, last, t->heap[(at - 1) / 2]))
		heap_up(t, at, last);
	else
		heap_down(t, at, last);
}

static void
heap_insert(struct lease_table *t, struct lease *l)
{
	heap_up(t, t->heap_n++, slot_of(t, l));
}

/* --- the hashes --- */

static uint32_t
bucket(const struct lease_table *t, const void *key, size_t len)
{
	return (uint32_t)hash_bytes(&t->key, key, len) & t->mask;
}

/* Takes slot `i` out of a chain whose links are at `link` bytes into a lease. */
#define CHAIN_UNLINK(t, head, i, member)                                                           \
	do {                                                                                       \
		uint32_t *at_ = (head);                                                            \
		while (*at_ != LEASE_NIL && *at_ != (i))                                           \
			at_ = &(t)->slot[*at_].member;                                             \
		if (*at_ != LEASE_NIL)                                                             \
			*at_ = (t)->slot[i].member;                                                \
	} while (0)

static void
client_unlink(struct lease_table *t, struct lease *l)
{
	uint32_t i = slot_of(t, l);

	if (!mac_is_zero(l->mac))
		CHAIN_UNLINK(t, &t->by_mac[bucket(t, l->mac.b, sizeof(l->mac.b))], i, mac_next);
	if (l->uid_len)
		CHAIN_UNLINK(t, &t->by_uid[bucket(t, l->uid, l->uid_len)], i, uid_next);
}

static void
client_link(struct lease_table *t, struct lease *l)
{
	uint32_t i = slot_of(t, l), *head;

	if (!mac_is_zero(l->mac)) {
		head = &t->by_mac[bucket(t, l->mac.b, sizeof(l->mac.b))];
		l->mac_next = *head;
		*head = i;
	}
	if (l->uid_len) {
		head = &t->by_uid[bucket(t, l->uid, l->uid_len)];
		l->uid_next = *head;
		*head = i;
	}
}

/* --- finding --- */

struct lease *
lease_find_ip(const struct lease_table *t, struct ip4 ip)
{
	struct lease *l = lease_at(t, t->by_ip[bucket(t, &ip.h, sizeof(ip.h))]);

	while (l && !ip4_eq(l->ip, ip))
		l = lease_at(t, l->ip_next);
	return l;
}

struct lease *
lease_each_mac(const struct lease_table *t, struct mac mac, struct lease *l)
{
	l = lease_at(t, l ? l->mac_next : t->by_mac[bucket(t, mac.b, sizeof(mac.b))]);
	while (l && !mac_eq(l->mac, mac))
		l = lease_at(t, l->mac_next);
	return l;
}

/* a says more about where its client is than b. */
static bool
lease_better(const struct lease *a, const struct lease *b)
{
	static const int rank[LEASE_STATE_N] = {
	    [LEASE_ACTIVE] = 3, [LEASE_OFFERED] = 2, [LEASE_ENDED] = 1};

	if (rank[a->state] != rank[b->state])
		return rank[a->state] > rank[b->state];
	return mono_before(b->end, a->end);
}

struct lease *
lease_find_mac(const struct lease_table *t, struct mac mac)
{
	struct lease *best = NULL;

	for (struct lease *l = lease_each_mac(t, mac, NULL); l; l = lease_each_mac(t, mac, l)) {
		if (!best || lease_better(l, best))
			best = l;
	}
	return best;
}

struct lease *
lease_find_ended_uid(const struct lease_table *t, const uint8_t *uid, size_t len)
{
	struct lease *best = NULL, *l;
	unsigned n = 0;

	if (len == 0 || len > LEASE_UID_MAX)
		return NULL;
	l = lease_at(t, t->by_uid[bucket(t, uid, len)]);
	for (; l && n < UID_WALK_MAX; l = lease_at(t, l->uid_next), n++) {
		if (l->state != LEASE_ENDED || l->uid_len != len || memcmp(l->uid, uid, len) != 0)
			continue;
		if (!best || lease_better(l, best))
			best = l;
	}
	return best;
}

/* --- changing --- */

struct lease *
lease_add(struct lease_table *t, struct ip4 ip)
{
	struct lease *l = lease_at(t, t->list[LEASE_UNUSED].head);
	uint32_t *head;

	if (l) {
		list_unlink(t, l);
	} else {
		if (t->fresh >= t->cap)
			return NULL;
		l = &t->slot[t->fresh++];
	}
	memset(l, 0, sizeof(*l));
	l->hostname = no_name;
	l->ip = ip;
	l->state = LEASE_ENDED;
	l->heap_at = LEASE_NIL;
	l->mac_next = l->uid_next = LEASE_NIL;
	head = &t->by_ip[bucket(t, &ip.h, sizeof(ip.h))];
	l->ip_next = *head;
	*head = slot_of(t, l);
	list_append(t, l);
	return l;
}

/* Whether it counts for its port. */
static bool
is_held(const struct lease *l)
{
	return l->state == LEASE_OFFERED || l->state == LEASE_ACTIVE;
}

void
lease_set_port(struct lease_table *t, struct lease *l, unsigned port)
{
	t->held[l->port] -= is_held(l);
	l->port = (uint16_t)port;
	t->held[l->port] += is_held(l);
}

struct lease *
lease_add_pooled(struct lease_table *t, struct ip4 ip)
{
	struct lease *l = lease_add(t, ip);

	if (l)
		l->pooled = true; /* ended: not held so far */
	return l;
}

void
lease_remove(struct lease_table *t, struct lease *l)
{
	uint32_t i = slot_of(t, l);

	t->held[l->port] -= is_held(l);
	heap_remove(t, l);
	list_unlink(t, l);
	client_unlink(t, l);
	CHAIN_UNLINK(t, &t->by_ip[bucket(t, &l->ip.h, sizeof(l->ip.h))], i, ip_next);
	lease_set_hostname(l, "");
	l->state = LEASE_UNUSED;
	l->reusable = false;
	list_append(t, l);
}

/* Names are the memory of few leases: room for the longest in each would be a third of the table. */
void
lease_set_hostname(struct lease *l, const char *name)
{
	char *copy = NULL;

	if (strcmp(l->hostname, name) == 0)
		return;
	if (name[0])
		copy = strndup(name, DHCP_HOSTNAME_MAX);
	if (l->hostname[0])
		free((char *)l->hostname);
	l->hostname = copy ? copy : no_name;
}

void
lease_set_client(struct lease_table *t, struct lease *l, struct mac mac, const uint8_t *uid,
		 size_t uid_len)
{
	client_unlink(t, l);
	if (!mac_eq(l->mac, mac)) {
		lease_set_hostname(l, "");
		l->start = l->end = (struct mono){0};
		l->recorded = l->contested = false;
		l->probed = (struct mono){0};
	}
	l->mac = mac;
	l->uid_len = uid_len > LEASE_UID_MAX ? 0 : (uint8_t)uid_len;
	if (l->uid_len)
		memcpy(l->uid, uid, l->uid_len);
	client_link(t, l);
}

void
lease_set_state(struct lease_table *t, struct lease *l, enum lease_state state, struct mono due)
{
	heap_remove(t, l);
	list_unlink(t, l);
	t->held[l->port] -= is_held(l);
	l->state = (uint8_t)state;
	t->held[l->port] += is_held(l);
	l->reusable = false;
	l->due = due;
	list_append(t, l);
	if (state == LEASE_OFFERED || state == LEASE_ACTIVE || state == LEASE_ABANDONED)
		heap_insert(t, l);
}

void
lease_set_reusable(struct lease_table *t, struct lease *l, bool reusable)
{
	if (l->state != LEASE_ENDED || l->reusable == reusable)
		return;
	list_unlink(t, l);
	l->reusable = reusable;
	list_append(t, l);
}

struct lease *
lease_oldest_reusable(const struct lease_table *t)
{
	return lease_at(t, t->list[LIST_REUSABLE].head);
}

struct lease *
lease_oldest_abandoned(const struct lease_table *t)
{
	return lease_at(t, t->list[LEASE_ABANDONED].head);
}

struct lease *
lease_next_abandoned(const struct lease_table *t, const struct lease *l)
{
	return lease_at(t, l->next);
}

struct lease *
lease_next_due(const struct lease_table *t)
{
	return t->heap_n ? &t->slot[t->heap[0]] : NULL;
}

struct lease *
lease_scan(const struct lease_table *t, uint32_t *at)
{
	while (*at < t->fresh) {
		struct lease *l = &t->slot[(*at)++];

		if (l->state != LEASE_UNUSED)
			return l;
	}
	return NULL;
}

struct lease *
lease_each(const struct lease_table *t, struct lease *l)
{
	uint32_t at = l ? slot_of(t, l) + 1 : 0;

	return lease_scan(t, &at);
}
