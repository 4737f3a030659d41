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

/* One chain: who is dropped that no rule names, and which networks are let pass by name. */
struct legacy_chain {
	bool drops;
	bool settled;     /* some rule in it decides about all packets */
	bool in[256];     /* -i vmnetN ... -j ACCEPT */
	bool out[256];    /* -o vmnetN ... -j ACCEPT */
	bool inside[256]; /* -i vmnetN -o vmnetN ... -j ACCEPT, which is none of the above */
};

struct legacy_rules {
	struct legacy_chain input, forward;
};

/* Where the kernel says that the built-in chains begin and have their policies. */
struct legacy_hooks {
	uint32_t input, input_policy;
	uint32_t forward, forward_policy;
};

/* Reads the entries. False: they are not what a kernel says. */
bool legacy_read(struct legacy_rules *out, const void *entries, size_t len,
		 const struct legacy_hooks *hooks);

#endif
