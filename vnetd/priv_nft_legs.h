/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_legs.h - a foreign rule, reduced to what counts for the question "does this drop our
 * guests?"
 *
 * No system calls but the translation of an interface number into its name.
 */
#ifndef VNET_VNETD_PRIV_NFT_LEGS_H
#define VNET_VNETD_PRIV_NFT_LEGS_H

#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NFT_NAME_CAP = 64, NFT_LEG_IFNAME = 18 };

enum nft_leg_verdict {
	NFT_LEG_NONE,
	NFT_LEG_ACCEPT,
	NFT_LEG_DROP, /* or reject */
	NFT_LEG_RETURN,
	NFT_LEG_JUMP,
	NFT_LEG_GOTO,
};

/* What a rule asks for besides interfaces. */
enum {
	NFT_COND_CT = 1 << 0,   /* some state of the connection */
	NFT_COND_UDP = 1 << 1,  /* UDP */
	NFT_COND_DNS = 1 << 2,  /* port 53 */
	NFT_COND_OTHER = 1 << 3 /* anything else */
};

/* A set that a rule looks into; its elements are read later: [first, first + n) of all elements. */
struct nft_leg_set {
	char name[NFT_NAME_CAP]; /* "": none */
	size_t first, n;
};

/* A condition on one interface. */
struct nft_leg_if {
	char name[NFT_LEG_IFNAME]; /* "" any; a final '*' stands for any ending */
	struct nft_leg_set set;    /* or one of these */
	bool not ;
};

/* Where the verdict comes from. */
enum nft_leg_vmap { NFT_VMAP_NONE, NFT_VMAP_IN, NFT_VMAP_OUT, NFT_VMAP_CT };

struct nft_leg {
	struct nft_leg_if in, out;
	struct nft_leg_set ports;  /* destination ports */
	struct nft_leg_set states; /* a verdict map by connection state */
	unsigned cond;
	enum nft_leg_vmap vmap; /* the verdict stands in the elements of that set */
	enum nft_leg_verdict verdict;
	char target[NFT_NAME_CAP]; /* of jump and goto */
};

/* One element of a set. */
struct nft_leg_elem {
	char name[NFT_LEG_IFNAME]; /* as an interface name, "" when it cannot be one */
	bool port53;
	bool end;                     /* no element, but the end of an interval */
	enum nft_leg_verdict verdict; /* of a verdict map */
	char target[NFT_NAME_CAP];
};

/* False: the rule has no verdict, or cannot match IPv4. */
bool nft_leg_of_rule(struct nft_leg *leg, struct nftnl_rule *r);

/* False: the catch-all element, which has no key. */
bool nft_leg_of_elem(struct nft_leg_elem *out, struct nftnl_set_elem *e);

#endif
