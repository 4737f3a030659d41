/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_conn.h - a tracked connection as its network and guest see it.
 *
 * Pure: no netlink.
 */
#ifndef VNET_VNETD_PRIV_NFT_CONN_H
#define VNET_VNETD_PRIV_NFT_CONN_H

#include <stdbool.h>

#include "priv_nft_plan.h"

/* One direction of a connection: as its first packet had it, or as its answers have it. */
struct nft_ct_tuple {
	uint8_t proto; /* IPPROTO_* */
	struct ip4 src, dst;
	uint16_t sport, dport; /* host order; 0: the protocol has none */
};

/* What connection tracking knows of one. */
struct nft_ct_entry {
	struct nft_ct_tuple orig, reply;
	uint32_t status;   /* IPS_* */
	uint8_t tcp_state; /* enum tcp_conntrack, 0: none */
	bool counted;      /* the bytes are known */
	uint64_t bytes_orig, bytes_reply;
	uint32_t age_s; /* UINT32_MAX: not known */
	uint32_t left_s;
};

/* The row of a connection of which a guest of network `net` (MSG_NET_ALL: of any network of the plan) is
 * an end. The host's own addresses are no guests. Between two guests it is one row: of the one behind a
 * forward, else of the one that began. False: it is none of this network's. */
bool nft_conn_row(struct msg_conn_row *row, const struct nft_plan *p, uint16_t net,
		  const struct nft_ct_entry *e);

#endif
