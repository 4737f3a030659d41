/* SPDX-License-Identifier: GPL-2.0-or-later
 * waylook.c - see waylook.h. What the answers mean: way.c.
 */
#include "natd/waylook.h"

#include "natd/way.h"

/* A network's question to the host. */
struct looking {
	const struct msg_natd_net *net;
	struct way way;
};

static void
on_link(const struct rtnl_link *l, void *arg)
{
	struct looking *x = arg;

	way_link(&x->way, x->net, l);
}

static void
on_addr(const struct rtnl_addr *a, void *arg)
{
	struct looking *x = arg;

	way_addr(&x->way, x->net, a);
}

static void
on_route(const struct rtnl_route *r, void *arg)
{
	struct looking *x = arg;

	way_route(&x->way, r);
}

bool
waylook_concerns(const struct msg_natd_net *net)
{
	return net->nat && (net->egress[0] || net->snat.h);
}

bool
waylook_lacks(struct rtnl *rtnl, const struct msg_natd_net *net, char *text, size_t cap)
{
	struct looking x = {.net = net};

	return waylook_concerns(net) && rtnl_links(rtnl, on_link, &x) == 0 &&
	       rtnl_addrs(rtnl, on_addr, &x) == 0 && rtnl_all_routes(rtnl, on_route, &x) == 0 &&
	       way_is_missing(text, cap, &x.way, net);
}
