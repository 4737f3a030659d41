/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_flush.h - forwards that are no more: which connections end with them.
 *
 * Pure: no netlink.
 */
#ifndef VNET_VNETD_PRIV_NFT_FLUSH_H
#define VNET_VNETD_PRIV_NFT_FLUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"
#include "priv_nft_conn.h"

/* Zero: none. */
struct nft_flush {
	struct msg_nat_flush_forward *v; /* by protocol and port, once ready */
	size_t n, cap;
	int err; /* of a row, negative */
};

/* 0, -EINVAL, -ENOSPC beyond NAT_FLUSHES_MAX rows, -ENOMEM. */
int nft_flush_add(struct nft_flush *f, const struct msg_nat_flush_forward *m);

/* To be called before the question below. 0, or what was wrong with a row. */
int nft_flush_ready(struct nft_flush *f);

/* The connection was made to the host port of one of the forwards, and its guest answers. The address it was made to is no
 * criterion, unless the forward is of one address: a client may have used any address of the host. */
bool nft_flush_has(const struct nft_flush *f, const struct nft_ct_tuple *orig,
		   const struct nft_ct_tuple *reply);

void nft_flush_fini(struct nft_flush *f);

#endif
