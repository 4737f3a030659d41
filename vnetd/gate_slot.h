/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_slot.h - which link has which slot of the gate's maps, and which slots of a network are
 * promiscuous. Pure: the maps themselves are priv_gate_map.c's.
 */
#ifndef VNET_VNETD_GATE_SLOT_H
#define VNET_VNETD_GATE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/gate_maps.h"

/* All zero: every slot is free. */
struct gate_slots {
	uint32_t ifindex[GATE_SLOTS]; /* 0: free; slot 0 is nobody's */
	unsigned last;                /* the one away from home that was handed out last */
};

/* The slot of a link; 0: it has none. */
unsigned gate_slot_find(const struct gate_slots *s, uint32_t ifindex);

/* A free slot for a link that has none; 0: all are used. It is GATE_HOME(ifindex), or else one that was given
 * back as long ago as possible, since a program may still be running for its last owner. */
unsigned gate_slot_take(struct gate_slots *s, uint32_t ifindex);

void gate_slot_put(struct gate_slots *s, unsigned slot);

/* A network's promiscuous slots. A slot that leaves makes a hole (0) and moves no other, so that a program
 * which is reading the list meanwhile finds each of the others once. */
bool gate_net_has(const struct gate_net *n, unsigned slot);
bool gate_net_is_full(const struct gate_net *n);
void gate_net_add(struct gate_net *n, unsigned slot); /* there is room, and it is not in it */
void gate_net_del(struct gate_net *n, unsigned slot);

#endif
