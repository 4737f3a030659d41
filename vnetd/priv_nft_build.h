/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_build.h - a plan as the messages of one transaction.
 */
#ifndef VNET_VNETD_PRIV_NFT_BUILD_H
#define VNET_VNETD_PRIV_NFT_BUILD_H

#include "priv_nft_plan.h"
#include "priv_nft_sock.h"

/* Table flags that the oldest headers lack. */
#define NFT_TABLE_OWNER_   0x2u
#define NFT_TABLE_PERSIST_ 0x4u

/* Removal of the table, which must be there. */
void nft_build_delete(struct nft_batch *b);

/* The bare table with these flags; where it is there already, its adoption. */
void nft_build_table(struct nft_batch *b, uint32_t flags);

/* Everything inside the table. Running out of memory sets b->bad. */
void nft_build_plan(struct nft_batch *b, const struct nft_plan *p);

/* The flowtable, which must be there, looks at what comes by an interface, or (gone) no longer does. */
void nft_build_flow_dev(struct nft_batch *b, const char *ifname, bool gone);

/* The forwards of a change, of a plan that has them already: one message with those that go, one with those that come. */
void nft_build_change(struct nft_batch *b, const struct nft_plan *p, const struct nft_change *c);

/* A rule that accepts: by which interfaces ("": any), of which protocol (0: any) to which port. */
struct nft_foreign_rule {
	char in[16], out[16];
	uint8_t l4proto;
	uint16_t dport;
};

/* Such a rule at the beginning of a chain of another's table of family ip, with a comment
 * (priv_nft_expr.c). */
void nft_expr_foreign_rule(struct nft_batch *b, const char *table, const char *chain,
			   const struct nft_foreign_rule *f, const char *comment);

/* One rule at the end of a chain: from statements up to NFT_OP_END or NFT_STMTS_MAX, or the
 * reference to a timeout object (priv_nft_expr.c). */
void nft_expr_rule(struct nft_batch *b, const char *chain, const struct nft_stmt *stmt);
void nft_expr_timeout_rule(struct nft_batch *b, const char *chain, const char *object);

#endif
