/* SPDX-License-Identifier: GPL-2.0-or-later
 * snapshot.c - arrays of what exists, and lookups in them. Pure.
 */
#include "vnetd/snapshot.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

void
snapshot_init(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
}

void
snapshot_fini(struct snapshot *s)
{
	free(s->link);
	free(s->addr);
	free(s->route);
	free(s->neigh);
	snapshot_init(s);
}

/* Appends a copy of one element; capacities are powers of two, so the count tells when one is full. */
static void *
append(struct snapshot *s, void *array, size_t n, const void *elem, size_t size)
{
	char *v = array;

	if (s->bad)
		return array;
	if ((n & (n - 1)) == 0) {
		v = reallocarray(array, n ? n * 2 : 1, size);
		if (!v) {
			s->bad = true;
			return array;
		}
	}
	memcpy(v + n * size, elem, size);
	return v;
}

void
snapshot_add_link(const struct rtnl_link *l, void *arg)
{
	struct snapshot *s = arg;

	s->link = append(s, s->link, s->nlinks, l, sizeof(*l));
	s->nlinks += !s->bad;
}

void
snapshot_add_addr(const struct rtnl_addr *a, void *arg)
{
	struct snapshot *s = arg;

	s->addr = append(s, s->addr, s->naddrs, a, sizeof(*a));
	s->naddrs += !s->bad;
}

void
snapshot_add_route(const struct rtnl_route *r, void *arg)
{
	struct snapshot *s = arg;

	if (r->table != RT_TABLE_MAIN)
		return;
	s->route = append(s, s->route, s->nroutes, r, sizeof(*r));
	s->nroutes += !s->bad;
}

void
snapshot_add_neigh(const struct rtnl_neigh *n, void *arg)
{
	struct snapshot *s = arg;

	if (!n->permanent && n->proto != NAMES_ROUTE_PROTO)
		return;
	s->neigh = append(s, s->neigh, s->nneighs, n, sizeof(*n));
	s->nneighs += !s->bad;
}

static int
link_cmp(const void *pa, const void *pb)
{
	const struct rtnl_link *a = pa, *b = pb;

	return (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

/* Those elements that are not on a bridge of ours to the front, the others behind them, in their order; link tells the
 * interface's index of one. The number of the former. */
static size_t
foreign_first(struct snapshot *s, void *array, size_t n, size_t size, int (*link)(const void *elem))
{
	char *v = array, *ours = n ? reallocarray(NULL, n, size) : NULL;
	size_t nforeign = 0, nours = 0;

	if (n && !ours)
		s->bad = true;
	for (size_t i = 0; ours && i < n; i++) {
		if (snapshot_net_of(s, link(v + i * size)) >= 0)
			memcpy(ours + nours++ * size, v + i * size, size);
		else
			memmove(v + nforeign++ * size, v + i * size, size);
	}
	if (nours)
		memcpy(v + nforeign * size, ours, nours * size);
	free(ours);
	return nforeign;
}

static int
route_link(const void *r)
{
	return ((const struct rtnl_route *)r)->oif;
}

static int
addr_link(const void *a)
{
	return ((const struct rtnl_addr *)a)->ifindex;
}

void
snapshot_seal(struct snapshot *s)
{
	unsigned net;

	if (s->nlinks)
		qsort(s->link, s->nlinks, sizeof(*s->link), link_cmp);
	for (size_t i = 0; i < s->nlinks; i++)
		if (names_bridge_parse(&net, s->link[i].name))
			s->vmnet[net] = &s->link[i];
	s->nforeign_routes = foreign_first(s, s->route, s->nroutes, sizeof(*s->route), route_link);
	s->nforeign_addrs = foreign_first(s, s->addr, s->naddrs, sizeof(*s->addr), addr_link);
}

const struct rtnl_link *
snapshot_link(const struct snapshot *s, int ifindex)
{
	struct rtnl_link key = {.ifindex = ifindex};

	return s->nlinks ? bsearch(&key, s->link, s->nlinks, sizeof(key), link_cmp) : NULL;
}

const struct rtnl_link *
snapshot_link_named(const struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->nlinks; i++)
		if (!strcmp(s->link[i].name, name))
			return &s->link[i];
	return NULL;
}

bool
snapshot_is_ours(unsigned *net, const struct rtnl_link *l)
{
	struct names_link n = {l->name, l->kind, l->alias, l->group};

	return names_is_ours(net, &n);
}

const struct rtnl_link *
snapshot_bridge(const struct snapshot *s, unsigned net)
{
	const struct rtnl_link *l = net < NAMES_NETS ? s->vmnet[net] : NULL;
	unsigned n;

	if (!l || strcmp(l->kind, "bridge") != 0 || !snapshot_is_ours(&n, l) || n != net)
		return NULL;
	return l;
}

int
snapshot_net_of(const struct snapshot *s, int ifindex)
{
	const struct rtnl_link *l = ifindex ? snapshot_link(s, ifindex) : NULL;
	unsigned net;

	if (!l || !names_bridge_parse(&net, l->name) || snapshot_bridge(s, net) != l)
		return -1;
	return (int)net;
}
