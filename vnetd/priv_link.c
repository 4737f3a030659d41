/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_link.c - the bridges vmnetN, their addresses and routes. Runs in priv.
 *
 * Contract: only links that are ours are changed or deleted, addresses and routes only on them. Every
 * verb can be repeated: what is already so is left alone.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "vnetd/priv.h"

/* VMware's own host adapters have no rtnetlink kind; they are the likeliest to be in our way. */
static int
fail_foreign(struct call *c, const struct nl_link *l)
{
	if (!l->kind[0])
		return fail(c, -EEXIST,
			    "%s: another program made an interface of this name. If it is "
			    "VMware's, stop its "
			    "networks: vmware-networks --stop",
			    l->name);
	return fail(c, -EEXIST,
		    "%s: an interface of this name (%s) exists and is not vnetd's. Remove it if "
		    "nobody needs it: ip link delete %s",
		    l->name, l->kind, l->name);
}

int
priv_bridge_get(struct priv *p, struct call *c, unsigned net, struct nl_link *l)
{
	char name[NAMES_IFNAME_MAX];
	unsigned owner;
	int r = nl_link_get(p->route, names_bridge(net, name), l);

	if (r == -ENODEV)
		return fail(c, r, "%s: there is no such network", name);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot look at it", name);
	if (!nl_link_is_ours(l, &owner) || owner != net || strcmp(l->kind, "bridge") != 0)
		return fail_foreign(c, l);
	return 0;
}

/* No spanning tree and no delay: a guest's first DHCP message must pass. No multicast snooping: it would
 * make the host join 224.0.0.106 on segments where it must be silent, and without a querier it forwards
 * everything anyway. */
static int
create(struct priv *p, unsigned net, unsigned mtu)
{
	char name[NAMES_IFNAME_MAX];
	const struct mac mac = names_bridge_mac(net);
	struct nlattr *info, *data;
	void *ifi;
	struct nlmsghdr *h = nl_begin(p->route, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi,
				      sizeof(struct ifinfomsg));

	mnl_attr_put_strz(h, IFLA_IFNAME, names_bridge(net, name));
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(mac.b), mac.b);
	/* The group marks it as ours from the first moment; the alias can only be set afterwards. */
	mnl_attr_put_u32(h, IFLA_GROUP, NAMES_LINK_GROUP);
	/* Another MTU than the wanted one: only a change makes the bridge stop following its ports. */
	mnl_attr_put_u32(h, IFLA_MTU, mtu ^ 1);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u32(h, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return nl_ack(p->route);
}

/* Puts back bridge options that somebody else has changed since. */
static int
restore_options(struct priv *p, const struct nl_link *l)
{
	struct nlattr *info, *data;
	struct nlmsghdr *h;
	void *ifi;

	if (!l->stp && !l->forward_delay && !l->mcast_snooping)
		return 0;
	/* The delay of a bridge with spanning tree cannot be 0, so that goes first. */
	for (int pass = l->stp ? 0 : 1; pass < 2; pass++) {
		int r;

		h = nl_begin(p->route, RTM_NEWLINK, 0, &ifi, sizeof(struct ifinfomsg));
		((struct ifinfomsg *)ifi)->ifi_index = l->ifindex;
		info = mnl_attr_nest_start(h, IFLA_LINKINFO);
		mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
		data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
		if (pass == 0)
			mnl_attr_put_u32(h, IFLA_BR_STP_STATE, 0);
		else
			mnl_attr_put_u32(h, IFLA_BR_FORWARD_DELAY, 0);
		mnl_attr_put_u8(h, IFLA_BR_MCAST_SNOOPING, 0);
		mnl_attr_nest_end(h, data);
		mnl_attr_nest_end(h, info);
		r = nl_ack(p->route);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Changes what differs, in one message; nothing when nothing does. */
static int
adjust(struct priv *p, const struct nl_link *l, const char *alias, unsigned net, unsigned mtu)
{
	const struct mac mac = names_bridge_mac(net);
	bool same_mac = mac_eq(l->mac, mac), same_alias = !strcmp(l->alias, alias);
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;
	void *extra;

	if (same_mac && same_alias && l->mtu == mtu && l->group == NAMES_LINK_GROUP &&
	    l->flags & IFF_UP)
		return 0;
	h = nl_begin(p->route, RTM_NEWLINK, 0, &extra, sizeof(*ifi));
	ifi = extra;
	ifi->ifi_index = l->ifindex;
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	if (!same_alias)
		mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	if (!same_mac)
		mnl_attr_put(h, IFLA_ADDRESS, sizeof(mac.b), mac.b);
	if (l->mtu != mtu)
		mnl_attr_put_u32(h, IFLA_MTU, mtu);
	if (l->group != NAMES_LINK_GROUP)
		mnl_attr_put_u32(h, IFLA_GROUP, NAMES_LINK_GROUP);
	return nl_ack(p->route);
}

int
priv_bridge_set(struct priv *p, struct call *c)
{
	const struct msg_bridge_set *m = &c->m->u.bridge_set;
	char name[NAMES_IFNAME_MAX], alias[NAMES_ALIAS_MAX];
	struct nl_link l;
	int r;

	names_bridge(m->net, name);
	names_alias(alias, m->net, m->text);
	r = priv_bridge_get(p, c, m->net, &l);
	if (r == -ENODEV) {
		r = create(p, m->net, m->mtu);
		if (r < 0)
			return fail_nl(p, c, r, "%s: cannot make the bridge", name);
		r = priv_bridge_get(p, c, m->net, &l);
	} else if (r == 0) {
		r = restore_options(p, &l);
		if (r < 0)
			return fail_nl(p, c, r, "%s: cannot set the bridge's options", name);
	}
	if (r < 0)
		return r;
	c->text[0] = '\0';
	r = adjust(p, &l, alias, m->net, m->mtu);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot set up the bridge", name);
	return priv_gate_bridge(p, c, &l, m->net);
}

int
priv_bridge_del(struct priv *p, struct call *c)
{
	struct nl_link l;
	int r = priv_bridge_get(p, c, c->m->u.bridge_del.net, &l);

	if (r < 0)
		return r;
	r = nl_link_del(p->route, l.ifindex);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot delete the bridge", l.name);
	priv_gate_end(p, l.ifindex);
	return 0;
}

/* A /32 that brings no route of its own: the routes of a subnet would go with whichever of its
 * addresses is deleted first. */
static int
address(struct priv *p, struct call *c, bool add, unsigned net, struct ip4 addr)
{
	const uint32_t be = ip4_be(addr);
	struct ifaddrmsg *ifa;
	struct nlmsghdr *h;
	struct nl_link l;
	void *extra;
	int r = priv_bridge_get(p, c, net, &l);

	if (r < 0)
		return r;
	h = nl_begin(p->route, add ? RTM_NEWADDR : RTM_DELADDR,
		     add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &extra, sizeof(*ifa));
	ifa = extra;
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = (uint32_t)l.ifindex;
	mnl_attr_put(h, IFA_LOCAL, sizeof(be), &be);
	mnl_attr_put(h, IFA_ADDRESS, sizeof(be), &be);
	if (add) {
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
		mnl_attr_put_u8(h, IFA_PROTO, NAMES_ROUTE_PROTO);
	}
	r = nl_ack(p->route);
	if (r == -EADDRNOTAVAIL && !add)
		return 0;
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot %s address %s", l.name, add ? "add" : "delete",
			       IP4_STR(addr));
	return 0;
}

int
priv_addr_add(struct priv *p, struct call *c)
{
	return address(p, c, true, c->m->u.addr_add.net, c->m->u.addr_add.addr);
}

int
priv_addr_del(struct priv *p, struct call *c)
{
	return address(p, c, false, c->m->u.addr_del.net, c->m->u.addr_del.addr);
}

/* src 0: none, or any when deleting. */
static int
route(struct priv *p, int ifindex, bool add, struct prefix4 dst, struct ip4 src)
{
	const uint32_t dst_be = ip4_be(dst.addr), src_be = ip4_be(src);
	struct rtmsg *rt;
	void *extra;
	struct nlmsghdr *h = nl_begin(p->route, add ? RTM_NEWROUTE : RTM_DELROUTE,
				      add ? NLM_F_CREATE | NLM_F_EXCL : 0, &extra, sizeof(*rt));

	rt = extra;
	rt->rtm_family = AF_INET;
	rt->rtm_dst_len = dst.len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = NAMES_ROUTE_PROTO;
	rt->rtm_scope = RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	mnl_attr_put(h, RTA_DST, sizeof(dst_be), &dst_be);
	mnl_attr_put_u32(h, RTA_OIF, (uint32_t)ifindex);
	if (src.h)
		mnl_attr_put(h, RTA_PREFSRC, sizeof(src_be), &src_be);
	return nl_ack(p->route);
}

int
priv_route_add(struct priv *p, struct call *c)
{
	const struct msg_route_add *m = &c->m->u.route_add;
	const struct prefix4 dst = {m->dst, m->len};
	struct nl_link l;
	int r = priv_bridge_get(p, c, m->net, &l);

	if (r < 0)
		return r;
	r = route(p, l.ifindex, true, dst, m->src);
	/* Ours with another source may be in the way: deleting names protocol and link, so nobody
	 * else's is ever taken for it. */
	if (r == -EEXIST && route(p, l.ifindex, false, dst, (struct ip4){0}) == 0)
		r = route(p, l.ifindex, true, dst, m->src);
	if (r == -EEXIST)
		return fail(
		    c, r,
		    "%s: the host has a route to %s already (ip route show %s). Choose another "
		    "subnet for this network",
		    l.name, PREFIX4_STR(dst), PREFIX4_STR(dst));
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot add the route to %s", l.name, PREFIX4_STR(dst));
	return 0;
}

int
priv_route_del(struct priv *p, struct call *c)
{
	const struct msg_route_del *m = &c->m->u.route_del;
	const struct prefix4 dst = {m->dst, m->len};
	struct nl_link l;
	int r = priv_bridge_get(p, c, m->net, &l);

	if (r < 0)
		return r;
	r = route(p, l.ifindex, false, dst, (struct ip4){0});
	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot delete the route to %s", l.name,
			       PREFIX4_STR(dst));
	return 0;
}
