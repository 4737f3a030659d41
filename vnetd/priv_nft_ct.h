/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_ct.h - tracked connections: all of them, and forgetting some.
 */
#ifndef VNET_VNETD_PRIV_NFT_CT_H
#define VNET_VNETD_PRIV_NFT_CT_H

#include <stdbool.h>

#include "lib/msg.h"
#include "priv_nft_conn.h"
#include "priv_nft_flush.h"
#include "priv_nft_sock.h"

/* Calls cb for each IPv4 connection. 0 or -errno. */
int nft_ct_dump(struct nft_sock *s, void (*cb)(const struct nft_ct_entry *e, void *arg), void *arg);

/* Deletes IPv4 connections that nothing was answered to and whose addresses nobody has translated, as far
 * as `wanted` says so of their original direction. 0 or -errno. */
int nft_ct_flush_untranslated(struct nft_sock *s,
			      bool (*wanted)(const struct nft_ct_tuple *t, void *arg), void *arg);

/* Deletes IPv4 connections whose destination was translated and which none of the forwards `there` (ready) leads to
 * where they are, as far as `answered` says so of their reply direction. 0 or -errno. */
int nft_ct_flush_astray(struct nft_sock *s, const struct nft_flush *there,
			bool (*answered)(const struct nft_ct_tuple *t, void *arg), void *arg);

/* Deletes those that nft_flush_has() names. 0 or -errno. */
int nft_ct_flush(struct nft_sock *s, const struct nft_flush *f);

#endif
