/* SPDX-License-Identifier: GPL-2.0-or-later
 * flowdev.c - links, addresses and the NAT plan -> interfaces of the flowtable. Pure.
 */
#include "natd/flowdev.h"

#include <stdio.h>
#include <string.h>

static bool
takes_flows(const struct msg_nat_net *n)
{
	return n->nat && !n->egress[0];
}

bool
flowdev_any(const struct nat_plan *p)
{
	for (size_t i = 0; p->flowtable && i < p->nnets; i++)
		if (takes_flows(&p->nets[i]))
			return true;
	return false;
}

static bool
is_ours(const char *name)
{
	return strncmp(name, "vmnet", 5) == 0;
}

static bool
is_bridge_of(const struct nat_plan *p, const char *name)
{
	char bridge[RTNL_NAME_MAX];

	for (size_t i = 0; i < p->nnets; i++) {
		snprintf(bridge, sizeof(bridge), "vmnet%u", p->nets[i].net);
		if (takes_flows(&p->nets[i]) && strcmp(name, bridge) == 0)
			return true;
	}
	return false;
}

bool
flowdev_is_nothing(const struct rtnl_link *l)
{
	return l->loopback || (is_ours(l->name) && strchr(l->name, 'p'));
}

/* Addresses of one interface come together. */
void
flowdev_addr(struct flowdevs *d, const struct rtnl_addr *a)
{
	bool known = d->naddressed && d->addressed[d->naddressed - 1] == a->ifindex;

	if (!known && d->naddressed < FLOWDEV_ADDRS_MAX)
		d->addressed[d->naddressed++] = a->ifindex;
}

static bool
is_addressed(const struct flowdevs *d, int ifindex)
{
	for (size_t i = 0; i < d->naddressed; i++)
		if (d->addressed[i] == ifindex)
			return true;
	return false;
}

void
flowdev_link(struct flowdevs *d, const struct nat_plan *p, const struct rtnl_link *l)
{
	if (l->master || flowdev_is_nothing(l) || d->n == FLOWDEVS_MAX)
		return;
	if (is_ours(l->name) ? !is_bridge_of(p, l->name) : !is_addressed(d, l->ifindex))
		return;
	d->v[d->n] = (struct flowdev){.ifindex = l->ifindex};
	memcpy(d->v[d->n++].name, l->name, sizeof(l->name));
}

static void
only_in(const struct flowdevs *a, const struct flowdevs *b, bool gone,
	void (*cb)(const struct flowdev *d, bool gone, void *arg), void *arg)
{
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;

		for (size_t k = 0; k < b->n; k++)
			found = found || b->v[k].ifindex == a->v[i].ifindex;
		if (!found)
			cb(&a->v[i], gone, arg);
	}
}

void
flowdev_diff(const struct flowdevs *was, const struct flowdevs *now,
	     void (*cb)(const struct flowdev *d, bool gone, void *arg), void *arg)
{
	only_in(was, now, true, cb, arg);
	only_in(now, was, false, cb, arg);
}
