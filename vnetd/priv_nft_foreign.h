/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_foreign.h - rules of ours in chains of others.
 *
 * The places are a closed list, the rules are made here, and each carries a comment by which it is found
 * again: nothing without it is touched.
 */
#ifndef VNET_VNETD_PRIV_NFT_FOREIGN_H
#define VNET_VNETD_PRIV_NFT_FOREIGN_H

#include <stdbool.h>

#include "lib/msg.h"
#include "priv_nft_sock.h"

/* priv_nft_foreign(). */
int nft_foreign_set(struct nft_sock *s, const struct msg_foreign_allow *m, bool *changed);

/* Takes them away from all places. 0 or -errno. */
int nft_foreign_clear(struct nft_sock *s);

#endif
