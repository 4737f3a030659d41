/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_slot.c - slots of links and lists of promiscuous slots. Pure.
 *
 * Looking through all slots is a matter of a microsecond, so there is no index.
 */
#include "vnetd/gate_slot.h"

unsigned
gate_slot_find(const struct gate_slots *s, uint32_t ifindex)
{
	for (unsigned slot = 1; ifindex && slot < GATE_SLOTS; slot++)
		if (s->ifindex[slot] == ifindex)
			return slot;
	return 0;
}

unsigned
gate_slot_take(struct gate_slots *s, uint32_t ifindex)
{
	unsigned slot = GATE_HOME(ifindex);

	if (slot && s->ifindex[slot] == 0) {
		s->ifindex[slot] = ifindex;
		return slot;
	}
	slot = s->last;
	for (unsigned i = 1; i < GATE_SLOTS; i++) {
		slot = slot + 1 < GATE_SLOTS ? slot + 1 : 1;
		if (s->ifindex[slot] == 0) {
			s->ifindex[slot] = ifindex;
			s->last = slot;
			return slot;
		}
	}
	return 0;
}

void
gate_slot_put(struct gate_slots *s, unsigned slot)
{
	s->ifindex[slot] = 0;
}

bool
gate_net_has(const struct gate_net *n, unsigned slot)
{
	for (unsigned i = 0; i < n->n; i++)
		if (n->slot[i] == slot)
			return true;
	return false;
}

/* The first free place. */
static unsigned
place(const struct gate_net *n)
{
	unsigned i = 0;

	while (i < n->n && n->slot[i])
		i++;
	return i;
}

bool
gate_net_is_full(const struct gate_net *n)
{
	return place(n) == GATE_MIRRORS_MAX;
}

void
gate_net_add(struct gate_net *n, unsigned slot)
{
	unsigned i = place(n);

	n->slot[i] = slot;
	if (i == n->n)
		n->n++;
}

void
gate_net_del(struct gate_net *n, unsigned slot)
{
	for (unsigned i = 0; i < n->n; i++)
		if (n->slot[i] == slot)
			n->slot[i] = 0;
	while (n->n && n->slot[n->n - 1] == 0)
		n->n--;
}
