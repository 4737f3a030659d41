/* SPDX-License-Identifier: GPL-2.0-or-later
 * legacy.h - the filter table of iptables-legacy, as the kernel hands it out: does it drop what our
 * guests send?
 *
 * Pure. `nft list ruleset` does not show that table, and nfnetlink has no words for it; root may read it
 * by getsockopt(IPT_SO_GET_ENTRIES).
 */
#ifndef VNET_VNETD_LEGACY_H
#define VNET_VNETD_LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

/* What rules say of packets of one network that go one way. */
enum legacy_said {
	LEGACY_NOTHING, /* what the chain says of all decides */
	LEGACY_PASSES,  /* a rule accepts some of them, and may all */
	LEGACY_DROPS,   /* a rule drops them all before one accepts any */
};

/* One chain. By network: enum legacy_said. */
struct legacy_chain {
	bool drops;          /* what nothing is said about */
	bool settled;        /* some rule in it decides about all packets */
	uint8_t in[256];     /* from guests: to the outside; of chain INPUT: to the name server */
	uint8_t out[256];    /* from the outside to guests */
	uint8_t inside[256]; /* between guests */
};

struct legacy_rules {
	struct legacy_chain input, forward;
};

/* Addresses of a network. subnet.len 0: they are not known. */
struct legacy_net {
	struct prefix4 subnet;
	struct ip4 dns; /* 0: there is no name server */
};

/* Where the kernel says that the built-in chains begin and have their policies. */
struct legacy_hooks {
	uint32_t input, input_policy;
	uint32_t forward, forward_policy;
};

/* Reads the entries. False: they are not what a kernel says. */
bool legacy_read(struct legacy_rules *out, const void *entries, size_t len,
		 const struct legacy_hooks *hooks, const struct legacy_net net[256]);

/* What this is said of is dropped. */
bool legacy_is_dropped(const struct legacy_chain *c, uint8_t said);

#endif
