/* SPDX-License-Identifier: GPL-2.0-or-later
 * server_state.h - the inside of struct dhcp_server, shared by server.c (messages) and book.c (the
 * leases over time: replay, new configurations, expiry). Nobody else includes it.
 */
#ifndef VNET_DHCPD_SERVER_STATE_H
#define VNET_DHCPD_SERVER_STATE_H

#include "dhcpd/pool.h"
#include "dhcpd/server.h"

struct dhcp_server {
	struct netconf *conf;
	struct lease_table *leases;
	struct pool_cursor cursor;
	struct mac mac;
	struct hash_key key;
	struct dhcp_stats stats;
	uint32_t stamp; /* of the frames that come */
};

/* Ends a lease now or at `end`: out of force, its address free for others if it may be. */
void book_end(struct dhcp_server *s, struct lease *l, struct mono end);

/* The entry for an address, made if there is none. NULL: the table is full. */
struct lease *book_entry(struct dhcp_server *s, struct ip4 ip);

#endif
