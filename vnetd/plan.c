/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan.c - the steps from what is to what should be. Pure: no clock, no sockets, no log.
 */
#include "vnetd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/alias.h"

static void
emit(const struct plan *p, unsigned net, const struct msg *m)
{
	p->step(m, net, p->arg);
}

static const struct want_net *
wanted(const struct plan *p, unsigned net)
{
	return &p->want->net[net];
}

/* --- what goes --- */

static void
emit_route(const struct plan *p, unsigned net, enum msg_type type, struct prefix4 dst,
	   struct ip4 src)
{
	struct msg m = msg_make(type, 0);

	if (type == MSG_ROUTE_ADD) {
		m.u.route_add.net = (uint16_t)net;
		m.u.route_add.dst = dst.addr;
		m.u.route_add.len = dst.len;
		m.u.route_add.src = src;
	} else {
		m.u.route_del.net = (uint16_t)net;
		m.u.route_del.dst = dst.addr;
		m.u.route_del.len = dst.len;
	}
	emit(p, net, &m);
}

static void
emit_addr(const struct plan *p, unsigned net, enum msg_type type, struct ip4 addr)
{
	struct msg m = msg_make(type, 0);

	if (type == MSG_ADDR_ADD) {
		m.u.addr_add.net = (uint16_t)net;
		m.u.addr_add.addr = addr;
	} else {
		m.u.addr_del.net = (uint16_t)net;
		m.u.addr_del.addr = addr;
	}
	emit(p, net, &m);
}

static bool
route_is_wanted(const struct want_net *w, const struct rtnl_route *r)
{
	return w->subnet.len > 0 && prefix4_eq(w->subnet, r->dst) && ip4_eq(w->src, r->src) &&
	       r->gateway.h == 0;
}

static bool
addr_is_wanted(const struct want_net *w, struct ip4 a)
{
	for (size_t i = 0; i < w->naddrs; i++)
		if (ip4_eq(w->addr[i], a))
			return true;
	return false;
}

/* Routes before addresses: the kernel drops a route together with its preferred source. */
static void
drop_routes_and_addrs(const struct plan *p)
{
	const struct snapshot *s = p->now;

	for (size_t i = 0; i < s->nroutes; i++) {
		const struct rtnl_route *r = &s->route[i];
		int n = snapshot_net_of(s, r->oif);

		if (n >= 0 && r->protocol == NAMES_ROUTE_PROTO &&
		    wanted(p, (unsigned)n)->what == WANT_NET &&
		    !route_is_wanted(wanted(p, (unsigned)n), r))
			emit_route(p, (unsigned)n, MSG_ROUTE_DEL, r->dst, r->src);
	}
	for (size_t i = 0; i < s->naddrs; i++) {
		const struct rtnl_addr *a = &s->addr[i];
		int n = snapshot_net_of(s, a->ifindex);

		if (n >= 0 && a->proto == NAMES_ROUTE_PROTO && a->plen == 32 &&
		    wanted(p, (unsigned)n)->what == WANT_NET &&
		    !addr_is_wanted(wanted(p, (unsigned)n), a->addr))
			emit_addr(p, (unsigned)n, MSG_ADDR_DEL, a->addr);
	}
}

static void
emit_neigh(const struct plan *p, unsigned net, enum msg_type type, struct ip4 addr, struct mac mac)
{
	struct msg m = msg_make(type, 0);

	if (type == MSG_NEIGH_SET) {
		m.u.neigh_set.net = (uint16_t)net;
		m.u.neigh_set.addr = addr;
		m.u.neigh_set.mac = mac;
	} else {
		m.u.neigh_del.net = (uint16_t)net;
		m.u.neigh_del.addr = addr;
	}
	emit(p, net, &m);
}

static bool
neigh_is_wanted(const struct want_net *w, struct ip4 a)
{
	for (size_t i = 0; i < w->nhosts; i++)
		if (w->host[i].static_arp && ip4_eq(w->host[i].ip, a))
			return true;
	return false;
}

/* One that is wanted with another MAC is replaced rather than removed. */
static void
drop_neighs(const struct plan *p)
{
	for (size_t i = 0; i < p->now->nneighs; i++) {
		const struct rtnl_neigh *x = &p->now->neigh[i];
		int n = snapshot_net_of(p->now, x->ifindex);

		if (n >= 0 && x->proto == NAMES_ROUTE_PROTO &&
		    wanted(p, (unsigned)n)->what == WANT_NET &&
		    !neigh_is_wanted(wanted(p, (unsigned)n), x->addr))
			emit_neigh(p, (unsigned)n, MSG_NEIGH_DEL, x->addr, x->mac);
	}
}

static const struct want_tap *
tap_named(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->want->ntaps; i++)
		if (!strcmp(p->want->tap[i].name, name))
			return &p->want->tap[i];
	return NULL;
}

/* A network whose taps may be made, changed and removed now. */
static bool
is_touchable(const struct plan *p, unsigned net)
{
	return wanted(p, net)->what != WANT_AS_IT_IS;
}

/* Owner, queues and network of a tap cannot be changed while it exists. */
static bool
tap_fits(const struct want_tap *t, const struct rtnl_link *l, unsigned net, const struct alias *a)
{
	return t->net == net && a->queues == t->queues && a->owner == t->owner &&
	       l->tun_owner == (int64_t)t->owner;
}

static int
by_ifindex(const void *key, const void *elem)
{
	int a = *(const int *)key, b = ((const struct plan_port *)elem)->ifindex;

	return (a > b) - (a < b);
}

/* NULL: the engine does not know this port. */
static const struct plan_port *
port_of(const struct plan *p, const struct rtnl_link *l)
{
	return p->nports ? bsearch(&l->ifindex, p->port, p->nports, sizeof(*p->port), by_ifindex)
			 : NULL;
}

/* A tap whose holder made it stay, and left it or is not to have it any more. */
static bool
is_left_behind(const struct plan *p, const struct rtnl_link *l)
{
	const struct plan_port *pp = port_of(p, l);

	return l->tun_persist && !l->lower_up && (l->up || (pp && pp->blocked));
}

/* A port's link that is not to stay: half made, left behind, or a static tap that is not wanted like this. */
static bool
port_goes(const struct plan *p, const struct rtnl_link *l, unsigned net)
{
	const struct want_tap *t;
	const char *text = "";
	struct alias a;

	if (!names_alias_parse(NULL, &text, l->alias))
		return true;
	if (!alias_parse(&a, text))
		return false;
	if (a.kind != PORT_STATIC)
		return is_left_behind(p, l);
	t = tap_named(p, l->name);
	if (!t)
		return true;
	return !tap_fits(t, l, net, &a) && is_touchable(p, t->net);
}

static bool
is_bridge(const struct rtnl_link *l)
{
	return !strcmp(l->kind, "bridge");
}

static void
drop_links(const struct plan *p)
{
	for (size_t i = 0; i < p->now->nlinks; i++) {
		const struct rtnl_link *l = &p->now->link[i];
		struct msg m;
		unsigned net;

		if (!snapshot_is_ours(&net, l) || !is_touchable(p, net) || p->busy(l->name, p->arg))
			continue;
		if (is_bridge(l)) {
			if (wanted(p, net)->what != WANT_NOTHING ||
			    snapshot_bridge(p->now, net) != l)
				continue;
			m = msg_make(MSG_BRIDGE_DEL, 0);
			m.u.bridge_del.net = (uint16_t)net;
		} else {
			if (!port_goes(p, l, net))
				continue;
			m = msg_make(MSG_PORT_DEL, 0);
			MSG_SET_STR(m.u.port_del.ifname, l->name);
		}
		emit(p, net, &m);
	}
}

/* --- networks --- */

static bool
bridge_is_right(const struct want_net *w, const struct rtnl_link *l, unsigned net)
{
	const char *text;

	return l && l->up && l->mtu == w->mtu && l->group == NAMES_LINK_GROUP &&
	       mac_eq(l->mac, names_bridge_mac(net)) && names_alias_parse(NULL, &text, l->alias) &&
	       !strcmp(text, w->text);
}

static bool
has_addr(const struct plan *p, const struct rtnl_link *l, struct ip4 a)
{
	for (size_t i = 0; l && i < p->now->naddrs; i++)
		if (p->now->addr[i].ifindex == l->ifindex && ip4_eq(p->now->addr[i].addr, a))
			return true;
	return false;
}

static bool
has_route(const struct snapshot *s, const struct rtnl_link *l, const struct want_net *w)
{
	for (size_t i = 0; l && i < s->nroutes; i++)
		if (s->route[i].oif == l->ifindex && s->route[i].protocol == NAMES_ROUTE_PROTO &&
		    route_is_wanted(w, &s->route[i]))
			return true;
	return false;
}

/* Whoever made the entry: what counts is that the guest is reached. */
static bool
has_neigh(const struct snapshot *s, const struct rtnl_link *l, const struct dhcp_host *h)
{
	for (size_t i = 0; l && i < s->nneighs; i++)
		if (s->neigh[i].ifindex == l->ifindex && ip4_eq(s->neigh[i].addr, h->ip))
			return s->neigh[i].permanent && mac_eq(s->neigh[i].mac, h->mac);
	return false;
}

static void
make_neighs(const struct plan *p, unsigned net, const struct rtnl_link *l)
{
	const struct want_net *w = wanted(p, net);

	for (size_t i = 0; i < w->nhosts; i++)
		if (w->host[i].static_arp && !has_neigh(p->now, l, &w->host[i]))
			emit_neigh(p, net, MSG_NEIGH_SET, w->host[i].ip, w->host[i].mac);
}

static void
make_net(const struct plan *p, unsigned net)
{
	const struct want_net *w = wanted(p, net);
	const struct rtnl_link *l = snapshot_bridge(p->now, net);
	struct msg m;

	if (!bridge_is_right(w, l, net) || (p->unhooked && p->unhooked[net])) {
		m = msg_make(MSG_BRIDGE_SET, 0);
		m.u.bridge_set.net = (uint16_t)net;
		m.u.bridge_set.mtu = w->mtu;
		MSG_SET_STR(m.u.bridge_set.text, w->text);
		emit(p, net, &m);
	}
	if (!l || p->sysctls_set[net] != l->ifindex) {
		m = msg_make(MSG_SYSCTL_SET, 0);
		m.u.sysctl_set.net = (uint16_t)net;
		m.u.sysctl_set.profile = (uint8_t)w->profile;
		names_bridge(net, m.u.sysctl_set.ifname);
		emit(p, net, &m);
	}
	for (size_t i = 0; i < w->naddrs; i++)
		if (!has_addr(p, l, w->addr[i]))
			emit_addr(p, net, MSG_ADDR_ADD, w->addr[i]);
	if (w->subnet.len > 0 && !has_route(p->now, l, w))
		emit_route(p, net, MSG_ROUTE_ADD, w->subnet, w->src);
	make_neighs(p, net, l);
}

/* --- ports --- */

static void
emit_enslave(const struct plan *p, unsigned net, const char *ifname)
{
	struct msg m = msg_make(MSG_PORT_ENSLAVE, 0);

	m.u.port_enslave.net = (uint16_t)net;
	MSG_SET_STR(m.u.port_enslave.ifname, ifname);
	emit(p, net, &m);
}

static void
make_tap(const struct plan *p, const struct want_tap *t)
{
	struct alias a = {
	    .kind = PORT_STATIC, .mac = t->mac, .owner = t->owner, .queues = t->queues};
	struct msg m = msg_make(MSG_TAP_ADD, 0);

	m.u.tap_add.net = (uint16_t)t->net;
	MSG_SET_STR(m.u.tap_add.ifname, t->name);
	m.u.tap_add.mac = names_port_mac(t->name);
	m.u.tap_add.owner = t->owner;
	m.u.tap_add.queues = (uint8_t)t->queues;
	m.u.tap_add.vnet_hdr = true;
	m.u.tap_add.persist = true;
	m.u.tap_add.mtu = wanted(p, t->net)->mtu;
	alias_print(m.u.tap_add.text, &a);
	emit(p, t->net, &m);
}

static void
make_taps(const struct plan *p)
{
	for (size_t i = 0; i < p->want->ntaps; i++) {
		const struct want_tap *t = &p->want->tap[i];
		const struct rtnl_link *l = snapshot_link_named(p->now, t->name);
		unsigned net;

		if (wanted(p, t->net)->what != WANT_NET)
			continue;
		/* A foreign link of that name stays; ours that goes is made anew. */
		if (!l || (snapshot_is_ours(&net, l) && port_goes(p, l, net)))
			make_tap(p, t);
	}
}

/* A port whose holder misbehaved, off its bridge, where he can disturb nobody any more. What the next engine
 * has to know of it is kept with its gate, so that comes first. */
static void
put_away(const struct plan *p, const struct rtnl_link *l, unsigned net, const struct plan_port *pp)
{
	struct msg m = msg_make(MSG_GATE_SET, 0);

	if (l->master == 0 && !l->up)
		return;
	if (pp->set) {
		m.u.gate_set = pp->gate;
		emit(p, net, &m);
	}
	m = msg_make(MSG_PORT_SET, 0);
	m.u.port_set.net = (uint16_t)net;
	MSG_SET_STR(m.u.port_set.ifname, l->name);
	m.u.port_set.mac = names_port_mac(l->name);
	m.u.port_set.off = true;
	emit(p, net, &m);
}

/* A port of ours that stays: on its bridge, up once its gate stands, with the network's MTU and our
 * end's address. One that somebody put onto another bridge is his now. */
static void
keep_port(const struct plan *p, const struct rtnl_link *l, unsigned net)
{
	const struct want_net *w = wanted(p, net);
	const struct plan_port *pp = port_of(p, l);
	/* Until its gate stands it stays as it is: one that runs is not cut off. */
	bool up = pp && pp->down ? false : pp && pp->gated ? true : l->up;
	struct mac mac = names_port_mac(l->name);

	if (pp && pp->blocked) {
		put_away(p, l, net, pp);
		return;
	}
	if (l->mtu != w->mtu || l->up != up || !mac_eq(l->mac, mac)) {
		struct msg m = msg_make(MSG_PORT_SET, 0);

		m.u.port_set.net = (uint16_t)net;
		MSG_SET_STR(m.u.port_set.ifname, l->name);
		m.u.port_set.mtu = l->mtu != w->mtu ? w->mtu : 0;
		if (!mac_eq(l->mac, mac))
			m.u.port_set.mac = mac;
		m.u.port_set.up = up;
		emit(p, net, &m);
	}
	/* With its own address by now. */
	if (l->master == 0)
		emit_enslave(p, net, l->name);
}

/* After keep_port(): a neighbour's address that a tap had taken for its own is free again by then. */
static void
set_gates(const struct plan *p)
{
	for (size_t i = 0; i < p->nports; i++) {
		struct msg m = msg_make(MSG_GATE_SET, 0);

		/* Also where something else of the network is in trouble: a revocation does not wait. */
		if (!p->port[i].set || p->port[i].blocked ||
		    wanted(p, p->port[i].net)->what == WANT_NOTHING)
			continue;
		m.u.gate_set = p->port[i].gate;
		emit(p, p->port[i].net, &m);
	}
}

/* A network in trouble is left as it is, but for a port that disturbs the others on it. */
static bool
is_ours_to_keep(const struct plan *p, const struct rtnl_link *l, unsigned net)
{
	const struct plan_port *pp = port_of(p, l);

	return wanted(p, net)->what == WANT_NET ||
	       (wanted(p, net)->what == WANT_AS_IT_IS && pp && pp->blocked);
}

static void
make_ports(const struct plan *p)
{
	make_taps(p);
	for (size_t i = 0; i < p->now->nlinks; i++) {
		const struct rtnl_link *l = &p->now->link[i];
		unsigned net;

		if (snapshot_is_ours(&net, l) && !is_bridge(l) && is_ours_to_keep(p, l, net) &&
		    !p->busy(l->name, p->arg) && !port_goes(p, l, net))
			keep_port(p, l, net);
	}
	for (size_t i = 0; i < p->nstrays; i++)
		if (wanted(p, p->stray[i].net)->what == WANT_NET)
			emit_enslave(p, p->stray[i].net, p->stray[i].ifname);
	set_gates(p);
}

void
plan_make(const struct plan *p)
{
	drop_links(p);
	drop_routes_and_addrs(p);
	drop_neighs(p);
	for (unsigned net = 0; net < NAMES_NETS; net++)
		if (wanted(p, net)->what == WANT_NET)
			make_net(p, net);
	make_ports(p);
}

char *
plan_step_name(char buf[PLAN_STEP_MAX], const struct msg *m)
{
	const char *what = "";
	char number[PREFIX4_STRLEN];

	number[0] = '\0';
	/* Only the steps of a plan have a name; every other message never gets here. */
	if (m->type == MSG_BRIDGE_SET || m->type == MSG_BRIDGE_DEL) {
		what = "the bridge";
	} else if (m->type == MSG_ADDR_ADD || m->type == MSG_ADDR_DEL) {
		what = "address ";
		ip4_str(m->type == MSG_ADDR_ADD ? m->u.addr_add.addr : m->u.addr_del.addr, number);
	} else if (m->type == MSG_ROUTE_ADD || m->type == MSG_ROUTE_DEL) {
		bool add = m->type == MSG_ROUTE_ADD;

		what = "route ";
		prefix4_str((struct prefix4){add ? m->u.route_add.dst : m->u.route_del.dst,
					     add ? m->u.route_add.len : m->u.route_del.len},
			    number);
	} else if (m->type == MSG_NEIGH_SET || m->type == MSG_NEIGH_DEL) {
		what = "neighbour ";
		ip4_str(m->type == MSG_NEIGH_SET ? m->u.neigh_set.addr : m->u.neigh_del.addr,
			number);
	} else if (m->type == MSG_TAP_ADD) {
		what = "tap ";
		snprintf(number, sizeof(number), "%s", m->u.tap_add.ifname);
	} else if (m->type == MSG_PORT_DEL) {
		what = "port ";
		snprintf(number, sizeof(number), "%s", m->u.port_del.ifname);
	} else if (m->type == MSG_PORT_ENSLAVE) {
		what = "port ";
		snprintf(number, sizeof(number), "%s", m->u.port_enslave.ifname);
	} else if (m->type == MSG_PORT_SET) {
		what = "port ";
		snprintf(number, sizeof(number), "%s", m->u.port_set.ifname);
	} else if (m->type == MSG_GATE_SET) {
		what = "the gate of port ";
		snprintf(number, sizeof(number), "%s", m->u.gate_set.ifname);
	} else if (m->type == MSG_SYSCTL_SET) {
		what = "the settings of ";
		snprintf(number, sizeof(number), "%s", m->u.sysctl_set.ifname);
	}
	snprintf(buf, PLAN_STEP_MAX, "%s%s", what, number);
	return buf;
}
