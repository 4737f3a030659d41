/* SPDX-License-Identifier: GPL-2.0-or-later
 * statrows.h - what a server has counted, as rows for the engine. Pure.
 */
#ifndef VNET_DHCPD_STATROWS_H
#define VNET_DHCPD_STATROWS_H

#include "dhcpd/server.h"
#include "lib/msg.h"

/* The i-th counter, in the order in which people read them; row->net is left alone. False: there are not so
 * many. */
bool statrows_at(struct msg_dhcp_stat *row, const struct dhcp_stats *s, unsigned i);

#endif
