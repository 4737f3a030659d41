/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_gate_map.h - the gate's maps as priv keeps them: who has which slot, whose an address is.
 *
 * What priv alone writes (policies, lists of promiscuous ports) it also has in its own memory; the state
 * of the ports is the map itself, shared with the programs, so every change of it is one atomic step.
 */
#ifndef VNET_VNETD_PRIV_GATE_MAP_H
#define VNET_VNETD_PRIV_GATE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/gate_load.h"
#include "bpf/gate_maps.h"
#include "vnetd/gate_slot.h"

struct gate_map {
	struct gate_fds fds;
	struct gate_slots slots;
	struct gate_state *state;              /* of every slot; shared with the programs */
	struct gate_policy policy[GATE_SLOTS]; /* as the map has it */
	struct gate_net net[GATE_NETS];        /* as the map has it */
	unsigned bridge[GATE_NETS];            /* slot of the network's bridge; 0: none */
};

/* Takes the descriptors over, also on failure. adopted: the maps are an earlier instance's, and what they
 * hold counts. NULL: why has a sentence. */
struct gate_map *gate_map_new(struct gate_fds *fds, bool adopted, char *why, size_t cap);
void gate_map_free(struct gate_map *g);

/* The slot of a link, which gets one if it has none. 0; -ENOSPC: all are used; -errno. */
int gate_map_take(struct gate_map *g, uint32_t ifindex, unsigned *slot);

/* What the port's programs have dropped so far. */
struct gate_drops gate_map_drops(const struct gate_map *g, unsigned slot);

/* Writes a policy where it differs, with GATE_COPIES as its network has it. 0 or -errno. */
int gate_map_set_policy(struct gate_map *g, unsigned slot, const struct gate_policy *policy);

/* The limits that differ from those of the policy before begin anew. */
void gate_map_restart_rates(struct gate_map *g, unsigned slot, const struct gate_policy *was);

/* A port's own address; 0: none so far. */
uint64_t gate_map_mac(const struct gate_map *g, unsigned slot);

/* Makes `mac`, which the slot owns already, its own; returns the one that it had. */
uint64_t gate_map_set_mac(struct gate_map *g, unsigned slot, uint64_t mac);

/* Makes `mac` its own if it has none; returns the one that it has then. */
uint64_t gate_map_offer_mac(struct gate_map *g, unsigned slot, uint64_t mac);

/* An address of a network becomes the slot's. 0, also when it was already; -EADDRINUSE: *owner has it. */
int gate_map_own(struct gate_map *g, unsigned net, uint64_t mac, unsigned slot, unsigned *owner);

/* The same, whoever has it. */
int gate_map_own_by_force(struct gate_map *g, unsigned net, uint64_t mac, unsigned slot);

/* The address is nobody's, if it was the slot's. True: it was. */
bool gate_map_disown(struct gate_map *g, unsigned net, uint64_t mac, unsigned slot);

/* How many addresses it has by MAC_POLICY_LEARN. */
uint32_t gate_map_learned(const struct gate_map *g, unsigned slot);

/* Writes down at most cap of them and returns how many. */
size_t gate_map_list(struct gate_map *g, unsigned slot, uint64_t *mac, size_t cap);

/* The address is nobody's, if it is one of them. */
void gate_map_unlearn(struct gate_map *g, unsigned slot, uint64_t mac);

/* All addresses of the slot are nobody's, except its own one. */
void gate_map_unlearn_all(struct gate_map *g, unsigned slot);

/* Copies of the network's frames for the slot, or none. 0, -ENOSPC, -errno. */
int gate_map_set_promiscuous(struct gate_map *g, unsigned net, unsigned slot, bool on);

/* Ends copies for slots that nobody has: after a crash a slot may be promised that was never used. */
void gate_map_end_dead_spans(struct gate_map *g);

/* Forgets all that the slot's port is and has in its network, and lets none of its frames pass until it has
 * a policy again; the slot stays its own. */
void gate_map_leave(struct gate_map *g, unsigned slot);

/* Ends the gate of a slot, whose link has none of our programs any more. */
void gate_map_release(struct gate_map *g, unsigned slot);

#endif
