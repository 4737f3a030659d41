/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_load.h - the gate's programs and maps into the kernel, once, while start-up is root.
 *
 * Loading needs root's capabilities, everything after that (attaching, map updates) NET_ADMIN at most. The
 * maps of an earlier instance, which its attached programs keep alive, are used again, so that what is
 * pinned stays pinned; the programs are always our own.
 */
#ifndef VNET_BPF_GATE_LOAD_H
#define VNET_BPF_GATE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owned; -1: closed. */
struct gate_fds {
	int policy, elsewhere, state, drops, nets, owners, events, dhcp; /* maps, see gate_maps.h */
	int in, out, host; /* programs: port ingress, port egress, bridge egress */
};

#define GATE_FDS_NONE                                                                              \
	{                                                                                          \
		-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1                                         \
	}

/* Loads everything. running: kernel id of a program of an earlier gate that is attached in this network
 * namespace, 0: none. Its maps are adopted when their names and layout are ours. *adopted: they were.
 * 0, or -errno with a sentence for a person in why (it names the kernel option that is missing). */
int gate_load(struct gate_fds *out, uint32_t running, bool *adopted, char *why, size_t cap);

void gate_fds_close(struct gate_fds *f);

/* The program is a gate's, of this or an earlier build: it holds the map gate_layout. Needs root. */
bool gate_is(int prog);

#endif
