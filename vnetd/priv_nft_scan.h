/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_scan.h - which foreign rule sets drop what we would let pass.
 *
 *     priv_nft_scan.c   reads tables, chains, rules and sets
 *     priv_nft_legs.c   reduces one rule
 *     priv_nft_judge.c  pure: follows a packet through what was read
 */
#ifndef VNET_VNETD_PRIV_NFT_SCAN_H
#define VNET_VNETD_PRIV_NFT_SCAN_H

#include "lib/msg.h"
#include "priv_nft_legs.h"
#include "priv_nft_sock.h"

struct nft_scan_chain {
	uint8_t family;
	bool base, forward, policy_drop;
	size_t first, n; /* legs, in the order of the rules */
	char table[NFT_NAME_CAP], name[NFT_NAME_CAP];
};

/* Everything read; owned by nft_scan(). */
struct nft_scan_rules {
	struct nft_scan_chain *chains;
	struct nft_leg *legs;
	struct nft_leg_elem *elems;
	size_t nchains, nlegs, nelems;
	size_t chains_cap, legs_cap, elems_cap;
};

/* The networks in question, and the interface by which packets to the outside leave ("": none).
 * bridges: a set of further ones that have no address, or NULL. */
struct nft_scan_question {
	const uint16_t *nets;
	size_t nnets;
	const uint8_t *bridges;
	char uplink[NFT_LEG_IFNAME];
};

/* Reads every table but ours and calls row() for each base chain that drops something of ours, or
 * what no rule of its lets pass. q->uplink is found here. 0 or -errno. */
int nft_scan(struct nft_sock *s, struct nft_scan_question *q,
	     void (*row)(const struct msg_firewall_row *r, void *arg), void *arg);

/* What a base chain does. False: nothing that could concern us. row->names: the networks whose
 * packets pass. Forward: a new connection from the network to the uplink and the answers to it;
 * input: a DNS query from the network. row->inside: those whose guests' frames to each other do not. */
bool nft_judge(const struct nft_scan_rules *s, const struct nft_scan_chain *base,
	       const struct nft_scan_question *q, struct msg_firewall_row *row);

#endif
