/* SPDX-License-Identifier: GPL-2.0-or-later
 * way.h - whether the host has the way out that a network is told to take.
 *
 * Pure. vnetd.conf names an interface or an address; both may come and go without vnetd's doing.
 */
#ifndef VNET_NATD_WAY_H
#define VNET_NATD_WAY_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"
#include "lib/rtnl.h"

/* What the host has of it. */
struct way {
	int ifindex;  /* of the interface, 0: there is none of that name */
	bool up;      /* that one, its cable included */
	bool route;   /* leads beyond its own subnet */
	bool address; /* snat is on some interface */
};

/* What a dump tells, one at a time, links first; routes of every table. net says what is looked for. */
void way_link(struct way *w, const struct msg_natd_net *net, const struct rtnl_link *l);
void way_addr(struct way *w, const struct msg_natd_net *net, const struct rtnl_addr *a);
void way_route(struct way *w, const struct rtnl_route *r);

/* What is wrong with the way out, as a sentence; false: nothing is. */
bool way_is_missing(char *text, size_t cap, const struct way *w, const struct msg_natd_net *net);

#endif
