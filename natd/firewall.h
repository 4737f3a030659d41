/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall.h - foreign rule sets -> one sentence for a network, and what to type against it.
 *
 * Pure. An accept of ours cannot undo a drop of somebody else's, so all that is left is to say so.
 */
#ifndef VNET_NATD_FIREWALL_H
#define VNET_NATD_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"

struct firewall_line {
	bool ok;
	bool can_cure;  /* foreign-rules = allow would let all of it pass */
	char text[256]; /* "ufw drops what vmnet8 forwards: its guests have no Internet", or "" */
	char cure[256]; /* commands joined by &&, or "" when they do not fit */
};

/* What they would do to frames between the guests of network `number`, if bridge-nf handed them those.
 * net: its row, NULL when it has none; a chain that firewall_judge() names for what the network forwards
 * is not named again, since the same commands let these frames pass. */
void firewall_judge_inside(struct firewall_line *out, unsigned number,
			   const struct msg_natd_net *net, const struct msg_firewall_row *rows,
			   size_t nrows);

/* What the chains of one scan do to one network: to what it forwards when it has NAT, to DNS
 * queries when it has a DNS address. */
void firewall_judge(struct firewall_line *out, const struct msg_natd_net *net,
		    const struct msg_firewall_row *rows, size_t nrows);

#endif
