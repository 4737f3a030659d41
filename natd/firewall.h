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
	char text[256]; /* "ufw drops what vmnet8 forwards: its guests have no Internet", or "" */
	char cure[256]; /* commands joined by &&, or "" when they do not fit */
};

/* What the chains of one scan do to one network: to what it forwards when it has NAT, to DNS
 * queries when it has a DNS address. */
void firewall_judge(struct firewall_line *out, const struct msg_natd_net *net,
		    const struct msg_firewall_row *rows, size_t nrows);

#endif
