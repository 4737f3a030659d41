/* SPDX-License-Identifier: GPL-2.0-or-later
 * leaserows.h - a server's leases as rows for people.
 *
 * Pure. Leases in use and remembered ones, abandoned addresses, and reservations whose client
 * has no lease now. Offers are not shown: nobody has accepted them.
 */
#ifndef VNET_DHCPD_LEASEROWS_H
#define VNET_DHCPD_LEASEROWS_H

#include "dhcpd/server.h"
#include "lib/msg.h"

/* Where the list goes on; zero at first. Survives changes of the server in between. */
struct leaserows {
	uint32_t lease;
	size_t host;
};

/* The next row, or false at the end. */
bool leaserows_next(struct leaserows *at, const struct dhcp_server *s, struct dhcp_clock clk,
		    struct msg_lease_row *row);

#endif
