/* SPDX-License-Identifier: GPL-2.0-or-later
 * way.c - whether the host has the way out that a network is told to take. Pure.
 */
#include "natd/way.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

void
way_link(struct way *w, const struct msg_natd_net *net, const struct rtnl_link *l)
{
	if (!net->egress[0] || strcmp(l->name, net->egress) != 0)
		return;
	w->ifindex = l->ifindex;
	w->up = l->up && l->lower_up;
}

void
way_addr(struct way *w, const struct msg_natd_net *net, const struct rtnl_addr *a)
{
	if (net->snat.h && ip4_eq(a->addr, net->snat))
		w->address = true;
}

void
way_route(struct way *w, const struct rtnl_route *r)
{
	/* That of its own subnet is the kernel's. A tunnel's needs no gateway, and may be in a table that a policy rule
	 * leads to. */
	if (w->ifindex && r->oif == w->ifindex && r->type == RTN_UNICAST &&
	    r->protocol != RTPROT_KERNEL)
		w->route = true;
}

bool
way_is_missing(char *text, size_t cap, const struct way *w, const struct msg_natd_net *net)
{
	const char *why = NULL;

	if (net->egress[0] && !w->ifindex)
		why = "there is no such interface";
	else if (net->egress[0] && !w->up)
		why = "it is down";
	else if (net->egress[0] && !w->route)
		why = "no route but that of its own subnet leads there";
	if (why)
		snprintf(
		    text, cap,
		    "guests may leave by %s only (egress of vnetd.conf), and %s: what they send "
		    "outside is refused",
		    net->egress, why);
	else if (net->snat.h && !w->address)
		snprintf(
		    text, cap,
		    "guests go out as %s (snat-address of vnetd.conf), which no interface of the "
		    "host has: answers may not come back",
		    IP4_STR(net->snat));
	else
		return false;
	return true;
}
