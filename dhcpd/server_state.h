/* SPDX-License-Identifier: GPL-2.0-or-later
 * server_state.h - the inside of struct dhcp_server, shared by server.c (messages), conflict.c (ARP)
 * and book.c (the leases over time: replay, new configurations, expiry). Nobody else includes it.
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
	unsigned contested; /* leases since contested_from */
	struct mono contested_from;
	uint32_t stamp; /* of the frames that come */
};

/* Ends a lease now or at `end`: out of force, its address free for others if it may be; a contested
 * one is abandoned. */
void book_end(struct dhcp_server *s, struct lease *l, struct mono end);

/* Leaves an address alone for a while, since somebody has it without a lease: from `from` on. */
void book_abandon(struct dhcp_server *s, struct lease *l, struct mono from);

/* Times are kept so that they are whole seconds in the file: the start is not later, the end not
 * earlier than what the client is told. */
struct mono second_floor(struct dhcp_clock clk);

/* The address of l has been offered: asks by ARP who has it, as the configuration wants. */
void conflict_probe(struct dhcp_server *s, struct lease *l, struct mono now, struct dhcp_out *out);

/* An ARP frame; what it shows goes into `out`. */
void conflict_input(struct dhcp_server *s, const void *frame, size_t len, struct dhcp_clock clk,
		    struct dhcp_out *out);

/* There is room for one more abandoned address. */
bool conflict_may_abandon(const struct dhcp_server *s);

/* Somebody answered for this abandoned address so recently that to offer it would be in vain. */
bool conflict_is_fresh(const struct lease *l, struct mono now);

/* The entry for an address, made if there is none. NULL: the table is full. */
struct lease *book_entry(struct dhcp_server *s, struct ip4 ip);

#endif
