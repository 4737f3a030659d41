/* SPDX-License-Identifier: GPL-2.0-or-later
 * snapshot.h - the actual state: links, IPv4 addresses, routes and neighbours at one moment. Pure.
 *
 * A plan always starts from a fresh snapshot. There is no mirror kept up to date by events: events only
 * say when to look again, so that a lost one, or a route that the kernel drops silently together with
 * its source address, cannot make the engine believe in something that is not there.
 */
#ifndef VNET_VNETD_SNAPSHOT_H
#define VNET_VNETD_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/rtnl.h"
#include "vnetd/names.h"

struct snapshot {
	struct rtnl_link *link;
	struct rtnl_addr *addr;
	struct rtnl_route *route;
	struct rtnl_neigh *neigh;
	size_t nlinks, naddrs, nroutes, nneighs;
	bool bad; /* out of memory while filling: not to be used */
	/* Made by snapshot_seal(): the link called vmnetN, whosever it is; NULL: none. */
	const struct rtnl_link *vmnet[NAMES_NETS];
	/* So many at the beginning of route and addr are not on a bridge of ours. */
	size_t nforeign_routes, nforeign_addrs;
};

void snapshot_init(struct snapshot *s);
void snapshot_fini(struct snapshot *s);

/* Filling, in any order; then snapshot_seal() once. The signatures fit rtnl's dumps, arg being the
 * snapshot. Of the routes only those of table main are kept, of the neighbours the permanent ones and those
 * with our protocol number. */
void snapshot_add_link(const struct rtnl_link *l, void *arg);
void snapshot_add_addr(const struct rtnl_addr *a, void *arg);
void snapshot_add_route(const struct rtnl_route *r, void *arg);
void snapshot_add_neigh(const struct rtnl_neigh *n, void *arg);
void snapshot_seal(struct snapshot *s);

/* NULL: there is none. */
const struct rtnl_link *snapshot_link(const struct snapshot *s, int ifindex);
const struct rtnl_link *snapshot_link_named(const struct snapshot *s, const char *name);

/* The link was made by us, for network *net (which may be NULL). */
bool snapshot_is_ours(unsigned *net, const struct rtnl_link *l);

/* vmnetN when it exists and is our bridge for that very network, else NULL. */
const struct rtnl_link *snapshot_bridge(const struct snapshot *s, unsigned net);

/* The network whose bridge of ours has this ifindex, -1: none. */
int snapshot_net_of(const struct snapshot *s, int ifindex);

#endif
