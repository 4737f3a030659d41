/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_judge.c - whether a network may be made where it is wanted. Pure.
 *
 * Two things stand in the way: a link that has the network's name and is not ours, and a subnet that
 * the host uses already. Default routes in any disguise (0/0, the two halves that VPNs set, anything
 * shorter than the largest network of ours) do not count as a use.
 */
#include <stdio.h>

#include "vnetd/plan.h"

/* A route that says "somewhere else" rather than "this subnet is there". */
static bool
is_default_like(const struct rtnl_route *r)
{
	return r->dst.len < CONF_PREFIX_MIN;
}

static const char *
dev_name(const struct snapshot *s, int ifindex)
{
	const struct rtnl_link *l = snapshot_link(s, ifindex);

	return l ? l->name : "";
}

/* Foreign ones: what is on a bridge of ours is put right by the plan, and configuration makes sure that two networks do
 * not overlap. */
static bool
find_route(char *why, const struct snapshot *s, struct prefix4 subnet)
{
	for (size_t i = 0; i < s->nforeign_routes; i++) {
		const struct rtnl_route *r = &s->route[i];
		const char *dev;

		if (is_default_like(r) || !prefix4_overlaps(subnet, r->dst))
			continue;
		dev = dev_name(s, r->oif);
		snprintf(why, PLAN_WHY_MAX, "its subnet %s is also used by the route %s%s%s%s%s",
			 PREFIX4_STR(subnet), PREFIX4_STR(r->dst), r->gateway.h ? " via " : "",
			 r->gateway.h ? IP4_STR(r->gateway) : "", *dev ? " dev " : "", dev);
		return true;
	}
	return false;
}

static bool
find_addr(char *why, const struct snapshot *s, struct prefix4 subnet)
{
	for (size_t i = 0; i < s->nforeign_addrs; i++) {
		const struct rtnl_addr *a = &s->addr[i];

		if (!prefix4_contains(subnet, a->addr))
			continue;
		snprintf(why, PLAN_WHY_MAX, "its subnet %s contains %s, an address of %s",
			 PREFIX4_STR(subnet), IP4_STR(a->addr), dev_name(s, a->ifindex));
		return true;
	}
	return false;
}

static bool
has_its_route(const struct snapshot *s, unsigned n, struct prefix4 subnet)
{
	const struct rtnl_link *l = snapshot_bridge(s, n);

	for (size_t i = 0; l && i < s->nroutes; i++)
		if (s->route[i].oif == l->ifindex && s->route[i].protocol == NAMES_ROUTE_PROTO &&
		    prefix4_eq(s->route[i].dst, subnet))
			return true;
	return false;
}

enum plan_verdict
plan_judge(char why[PLAN_WHY_MAX], char cure[PLAN_WHY_MAX], const struct snapshot *s, unsigned n,
	   const struct want_net *w, bool runs)
{
	why[0] = cure[0] = '\0';
	if (s->vmnet[n] && !snapshot_bridge(s, n)) {
		snprintf(why, PLAN_WHY_MAX,
			 "there is an interface called vmnet%u that vnetd has not made", n);
		snprintf(cure, PLAN_WHY_MAX, "rename or delete it: ip link set vmnet%u name NEW",
			 n);
		return PLAN_BLOCKED;
	}
	if (w->subnet.len == 0)
		return PLAN_FREE;
	if (!find_route(why, s, w->subnet) && !find_addr(why, s, w->subnet))
		return PLAN_FREE;
	snprintf(cure, PLAN_WHY_MAX, "vnetctl set vmnet%u subnet A.B.C.D/%u", n, w->subnet.len);
	return runs || has_its_route(s, n, w->subnet) ? PLAN_CONTESTED : PLAN_BLOCKED;
}
