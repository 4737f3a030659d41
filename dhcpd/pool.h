/* SPDX-License-Identifier: GPL-2.0-or-later
 * pool.h - which address a client is offered.
 *
 * Pure. The order: its reservation, its current lease, the last lease of its MAC, the last lease
 * of its client id, the address it asks for if that is free, an address that nobody ever had,
 * the one that has been free for longest (of the ranges for known clients first, if it is one), and as a last resort the one that was declined longest
 * ago. The MAC comes before the client id, so that a guest whose id changes between its
 * installer and its first boot keeps its address.
 */
#ifndef VNET_DHCPD_POOL_H
#define VNET_DHCPD_POOL_H

#include "dhcpd/lease.h"
#include "dhcpd/netconf.h"

/* Where the search for addresses that nobody ever had goes on. Zero it with a new configuration or
 * table. */
struct pool_cursor {
	struct {
		size_t range;
		uint32_t off;
	} all, known;
};

/* Nobody but the client has it or is about to: the address has no entry, or an ended one, or any
 * but an abandoned or contested one of the client itself. Says nothing about netconf_fits(). */
bool pool_is_free(const struct lease_table *t, struct ip4 ip, struct mac mac);

/* The client's reservation if there is one that it can have now; else 0. */
struct ip4 pool_reservation(const struct netconf *c, const struct lease_table *t, struct mac mac);

/* The address to offer, or 0 when there is none. `want`: the client's wish, 0 if it has none. */
struct ip4 pool_choose(struct pool_cursor *cur, const struct netconf *c,
		       const struct lease_table *t, struct mac mac, const uint8_t *uid,
		       size_t uid_len, struct ip4 want);

#endif
