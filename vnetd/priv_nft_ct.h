/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_ct.h - forgetting tracked connections.
 */
#ifndef VNET_VNETD_PRIV_NFT_CT_H
#define VNET_VNETD_PRIV_NFT_CT_H

#include "lib/msg.h"
#include "priv_nft_sock.h"

/* Deletes the connections that were made to host port m->port of m->proto and that m->guest
 * answers from m->guest_port, and no others. 0 or -errno. */
int nft_ct_flush_forward(struct nft_sock *s, const struct msg_nat_flush_forward *m);

#endif
