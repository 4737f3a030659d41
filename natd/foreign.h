/* SPDX-License-Identifier: GPL-2.0-or-later
 * foreign.h - foreign rule sets -> where rules of ours have to stand so that guests get through.
 *
 * Pure. Only chains that nobody deletes are named, and only while the chain drops what no rule of it names.
 */
#ifndef VNET_NATD_FOREIGN_H
#define VNET_NATD_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "natd/plan.h"

/* Whose chain it is. */
enum foreign_owner {
	FOREIGN_FIREWALLD,
	FOREIGN_DOCKER,
	FOREIGN_UFW,
	FOREIGN_IPTABLES,
	FOREIGN_NFT,
	FOREIGN_OWNER_N
};

enum foreign_owner foreign_owner(const struct msg_firewall_row *r);

/* Where rules of ours help against this chain. False: nowhere, or it drops something by name. */
bool foreign_place(enum foreign_place *out, const struct msg_firewall_row *r);

/* Networks for which rules are to stand at a place, as FOREIGN_ALLOW has them. */
struct foreign_want {
	uint8_t through[NAT_ROUTES_LEN], inside[NAT_ROUTES_LEN];
};

/* What the chains of a scan ask for; nothing at all unless the configuration allows it. */
void foreign_want(struct foreign_want out[FOREIGN_PLACE_N], const struct natd_conf *c,
		  const struct msg_firewall_row *rows, size_t nrows);

bool foreign_want_any(const struct foreign_want *w);

#endif
