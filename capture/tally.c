/* SPDX-License-Identifier: GPL-2.0-or-later
 * tally.c - conversations by protocol and both ends.
 */
#include "capture/tally.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * TALLY_MAX };

void
tally_clear(struct tally *t)
{
	t->n = 0;
	t->others = 0;
	memset(t->slot, 0, sizeof(t->slot));
}

static uint32_t
mix(uint32_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	/* FNV-1a */
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static uint32_t
side(const uint8_t addr[16], struct mac mac, uint16_t port, enum flow_kind kind)
{
	uint32_t h = 2166136261u;

	if (kind == FLOW_OTHER)
		return mix(h, mac.b, sizeof(mac.b));
	return mix(mix(h, addr, 16), &port, sizeof(port));
}

/* The same for both directions. */
static uint32_t
hash_of(const struct flow *f)
{
	uint32_t a = side(f->src, f->src_mac, f->sport, f->kind),
		 b = side(f->dst, f->dst_mac, f->dport, f->kind);
	uint32_t sum = a + b;
	uint16_t what[2] = {(uint16_t)f->kind,
			    f->kind == FLOW_OTHER ? f->type : (uint16_t)f->proto};

	return mix(mix(2166136261u, &sum, sizeof(sum)), what, sizeof(what));
}

static bool
same_kind(const struct flow *a, const struct flow *b)
{
	return a->kind == b->kind && a->proto == b->proto && a->vlan == b->vlan &&
	       (a->kind != FLOW_OTHER || a->type == b->type);
}

/* 0: in a's direction, 1: back, -1: another conversation. */
static int
way(const struct flow *a, const struct flow *f)
{
	bool macs = a->kind == FLOW_OTHER;

	if (!same_kind(a, f))
		return -1;
	if (macs && mac_eq(a->src_mac, f->src_mac) && mac_eq(a->dst_mac, f->dst_mac))
		return 0;
	if (macs && mac_eq(a->src_mac, f->dst_mac) && mac_eq(a->dst_mac, f->src_mac))
		return 1;
	if (!macs && !memcmp(a->src, f->src, 16) && !memcmp(a->dst, f->dst, 16) &&
	    a->sport == f->sport && a->dport == f->dport)
		return 0;
	if (!macs && !memcmp(a->src, f->dst, 16) && !memcmp(a->dst, f->src, 16) &&
	    a->sport == f->dport && a->dport == f->sport)
		return 1;
	return -1;
}

static void
count(struct talk *t, int dir, uint32_t len)
{
	t->packets[dir]++;
	t->bytes[dir] += len;
}

void
tally_add(struct tally *t, const struct flow *f, uint32_t len)
{
	uint32_t hash = hash_of(f), at = hash % SLOTS;
	struct talk *one;

	while (t->slot[at]) {
		int dir;

		one = &t->talk[t->slot[at] - 1];
		dir = one->hash == hash ? way(&one->flow, f) : -1;
		if (dir >= 0) {
			count(one, dir, len);
			return;
		}
		at = (at + 1) % SLOTS;
	}
	if (t->n == TALLY_MAX) {
		t->others++;
		return;
	}
	one = &t->talk[t->n++];
	*one = (struct talk){.flow = *f, .hash = hash};
	t->slot[at] = (uint16_t)t->n;
	count(one, 0, len);
}

static int
by_bytes(const void *a, const void *b)
{
	const struct talk *x = a, *y = b;
	uint64_t m = x->bytes[0] + x->bytes[1], n = y->bytes[0] + y->bytes[1];

	if (m != n)
		return m < n ? 1 : -1;
	/* Always in the same order. */
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

void
tally_sort(struct tally *t)
{
	qsort(t->talk, t->n, sizeof(t->talk[0]), by_bytes);
}
