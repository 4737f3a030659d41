/* SPDX-License-Identifier: GPL-2.0-or-later
 * kernel.c - links, addresses and routes in memory, changed by priv's verbs and by other people.
 */
#include "tests/sim/engine/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib/t.h"

enum what { LINK, ADDR, ROUTE, NEIGH };

struct world_event {
	struct world_event *next;
	enum what what;
	bool gone;
	union {
		struct rtnl_link link;
		struct rtnl_addr addr;
		struct rtnl_route route;
		struct rtnl_neigh neigh;
	};
};

/* --- events --- */

static struct world_event *
add_event(struct world *w, enum what what, bool gone)
{
	struct world_event *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->what = what;
	e->gone = gone;
	*w->events_end = e;
	w->events_end = &e->next;
	return e;
}

static void
link_event(struct world *w, const struct rtnl_link *l, bool gone)
{
	add_event(w, LINK, gone)->link = *l;
}

static struct world_event *
take_event(struct world *w)
{
	struct world_event *e = w->events;

	if (e) {
		w->events = e->next;
		if (!w->events)
			w->events_end = &w->events;
	}
	return e;
}

void
kernel_deliver(struct world *w)
{
	struct world_event *e;

	while ((e = take_event(w))) {
		if (e->what == LINK)
			core_link_event(w->core, w->now, &e->link, e->gone);
		else if (e->what == ADDR)
			core_addr_event(w->core, w->now, &e->addr);
		else if (e->what == NEIGH)
			core_neigh_gone(w->core, w->now, &e->neigh);
		else
			core_route_event(w->core, w->now, &e->route);
		free(e);
	}
}

void
kernel_forget_events(struct world *w)
{
	struct world_event *e;

	while ((e = take_event(w)))
		free(e);
}

/* --- links, addresses, routes --- */

struct rtnl_link *
world_link(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->nlinks; i++)
		if (!strcmp(w->link[i].name, name))
			return &w->link[i];
	return NULL;
}

static struct rtnl_link *
link_new(struct world *w, const char *name, const char *kind)
{
	struct rtnl_link *l = &w->link[w->nlinks++];

	assert_true(w->nlinks < WORLD_LINKS);
	memset(l, 0, sizeof(*l));
	l->ifindex = ++w->last_ifindex;
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->kind, sizeof(l->kind), "%s", kind);
	l->mtu = 1500;
	l->up = l->lower_up = true;
	l->tun_owner = -1;
	l->peer_netnsid = -1;
	return l;
}

/* Silent, as the kernel is about routes that lose their device or source. */
static void
drop_routes(struct world *w, int ifindex, struct ip4 src)
{
	size_t out = 0;

	for (size_t i = 0; i < w->nroutes; i++) {
		struct rtnl_route *r = &w->route[i];

		if (r->oif == ifindex && (src.h == 0 || ip4_eq(r->src, src)))
			continue;
		w->route[out++] = *r;
	}
	w->nroutes = out;
}

static void
addr_del(struct world *w, size_t i)
{
	struct rtnl_addr a = w->addr[i];

	w->addr[i] = w->addr[--w->naddrs];
	add_event(w, ADDR, true)->addr = a;
	drop_routes(w, a.ifindex, a.addr);
}

static void
neigh_del(struct world *w, int i)
{
	add_event(w, NEIGH, true)->neigh = w->neigh[i];
	w->neigh[i] = w->neigh[--w->nneighs];
}

/* With a link that goes, or goes down. */
static void
drop_neighs(struct world *w, int ifindex)
{
	for (size_t i = w->nneighs; i-- > 0;)
		if (w->neigh[i].ifindex == ifindex)
			neigh_del(w, (int)i);
}

static void
link_del(struct world *w, struct rtnl_link *l)
{
	struct rtnl_link gone = *l;

	for (size_t i = w->naddrs; i-- > 0;)
		if (w->addr[i].ifindex == gone.ifindex)
			addr_del(w, i);
	drop_routes(w, gone.ifindex, (struct ip4){0});
	drop_neighs(w, gone.ifindex);
	for (size_t i = 0; i < w->nlinks; i++) {
		if (w->link[i].master != gone.ifindex)
			continue;
		w->link[i].master = 0;
		link_event(w, &w->link[i], false);
	}
	*l = w->link[--w->nlinks];
	link_event(w, &gone, true);
}

static int
addr_find(struct world *w, int ifindex, struct ip4 a)
{
	for (size_t i = 0; i < w->naddrs; i++)
		if (w->addr[i].ifindex == ifindex && ip4_eq(w->addr[i].addr, a))
			return (int)i;
	return -1;
}

static int
route_find(struct world *w, int oif, struct prefix4 dst)
{
	for (size_t i = 0; i < w->nroutes; i++)
		if (w->route[i].oif == oif && prefix4_eq(w->route[i].dst, dst))
			return (int)i;
	return -1;
}

static int
neigh_find(struct world *w, int ifindex, struct ip4 a)
{
	for (size_t i = 0; i < w->nneighs; i++)
		if (w->neigh[i].ifindex == ifindex && ip4_eq(w->neigh[i].addr, a))
			return (int)i;
	return -1;
}

static void
neigh_set(struct world *w, int ifindex, struct ip4 a, struct mac mac, uint8_t proto)
{
	int i = neigh_find(w, ifindex, a);
	struct rtnl_neigh *n = i < 0 ? &w->neigh[w->nneighs++] : &w->neigh[i];

	*n = (struct rtnl_neigh){ifindex, a, mac, proto, true};
}

static void
addr_add(struct world *w, int ifindex, struct ip4 a, uint8_t plen, uint8_t proto)
{
	struct rtnl_addr *x = &w->addr[w->naddrs++];

	*x = (struct rtnl_addr){ifindex, a, plen, proto};
	add_event(w, ADDR, false)->addr = *x;
}

static void
route_add(struct world *w, int oif, struct prefix4 dst, struct ip4 src, uint8_t proto)
{
	struct rtnl_route *r = &w->route[w->nroutes++];

	*r = (struct rtnl_route){
	    .oif = oif, .dst = dst, .src = src, .table = RT_TABLE_MAIN, .protocol = proto};
	add_event(w, ROUTE, false)->route = *r;
}

void
kernel_init(struct world *w)
{
	struct rtnl_link *lo = link_new(w, "lo", ""), *up = link_new(w, "eth0", "");

	lo->loopback = true;
	addr_add(w, lo->ifindex, (struct ip4){0x7f000001}, 8, 0);
	addr_add(w, up->ifindex, (struct ip4){0xc6336401}, 24, 0); /* 198.51.100.1 */
	route_add(w, up->ifindex, (struct prefix4){{0xc6336400}, 24}, (struct ip4){0xc6336401}, 2);
	route_add(w, up->ifindex, (struct prefix4){{0}, 0}, (struct ip4){0}, 3);
	kernel_forget_events(w);
}

void
kernel_fini(struct world *w)
{
	kernel_forget_events(w);
}

/* --- priv's verbs --- */

static struct rtnl_link *
bridge_of(struct world *w, unsigned net, int *err, char *why, size_t cap)
{
	char name[NAMES_IFNAME_MAX];
	struct rtnl_link *l = world_link(w, names_bridge(net, name));

	*err = 0;
	if (!l || !snapshot_is_ours(NULL, l) || strcmp(l->kind, "bridge") != 0) {
		*err = l ? EEXIST : ENODEV;
		snprintf(why, cap, "%s: %s", name, l ? "not ours" : "there is no such network");
		return NULL;
	}
	return l;
}

static int
bridge_set(struct world *w, const struct msg_bridge_set *m, char *why, size_t cap)
{
	char name[NAMES_IFNAME_MAX];
	int err;
	struct rtnl_link *l = bridge_of(w, m->net, &err, why, cap);

	if (err == EEXIST)
		return err;
	if (!l) {
		l = link_new(w, names_bridge(m->net, name), "bridge");
		l->group = NAMES_LINK_GROUP;
		link_event(w, l, false);
	}
	l->mac = names_bridge_mac(m->net);
	if (!w->deaf)
		l->mtu = m->mtu;
	l->group = NAMES_LINK_GROUP;
	l->up = l->lower_up = true;
	names_alias(l->alias, m->net, m->text);
	link_event(w, l, false);
	return 0;
}

static int
bridge_verb(struct world *w, const struct msg *m, char *why, size_t cap)
{
	unsigned net = m->u.bridge_del.net; /* the first field of all of these */
	int err, i;
	struct rtnl_link *l = bridge_of(w, net, &err, why, cap);

	if (!l)
		return err;
	if (m->type == MSG_BRIDGE_DEL) {
		link_del(w, l);
	} else if (m->type == MSG_ADDR_ADD) {
		assert_int_equal(addr_find(w, l->ifindex, m->u.addr_add.addr), -1);
		addr_add(w, l->ifindex, m->u.addr_add.addr, 32, NAMES_ROUTE_PROTO);
	} else if (m->type == MSG_ADDR_DEL) {
		i = addr_find(w, l->ifindex, m->u.addr_del.addr);
		if (i >= 0)
			addr_del(w, (size_t)i);
	} else if (m->type == MSG_ROUTE_ADD) {
		const struct prefix4 dst = {m->u.route_add.dst, m->u.route_add.len};

		/* The kernel insists that a preferred source is an address of the host. */
		if (addr_find(w, l->ifindex, m->u.route_add.src) < 0) {
			snprintf(why, cap, "%s: cannot add the route", l->name);
			return EINVAL;
		}
		route_add(w, l->ifindex, dst, m->u.route_add.src, NAMES_ROUTE_PROTO);
	} else if (m->type == MSG_ROUTE_DEL) {
		i = route_find(w, l->ifindex,
			       (struct prefix4){m->u.route_del.dst, m->u.route_del.len});
		if (i >= 0)
			w->route[i] = w->route[--w->nroutes];
	} else if (m->type == MSG_NEIGH_SET) {
		neigh_set(w, l->ifindex, m->u.neigh_set.addr, m->u.neigh_set.mac,
			  NAMES_ROUTE_PROTO);
	} else if (m->type == MSG_NEIGH_DEL) {
		i = neigh_find(w, l->ifindex, m->u.neigh_del.addr);
		if (i >= 0 && w->neigh[i].proto == NAMES_ROUTE_PROTO)
			neigh_del(w, i);
	}
	return 0;
}

static int
make_port(struct world *w, unsigned net, const char *ifname, const char *kind, const char *text,
	  struct rtnl_link **out, char *why, size_t cap)
{
	int err;
	struct rtnl_link *l, *bridge = bridge_of(w, net, &err, why, cap);

	if (!bridge)
		return err;
	if (world_link(w, ifname)) {
		snprintf(why, cap, "%s: an interface of this name exists already", ifname);
		return EEXIST;
	}
	l = link_new(w, ifname, kind);
	/* The event of the bare link comes before its alias. */
	l->group = NAMES_LINK_GROUP;
	link_event(w, l, false);
	if (w->peeking)
		world_engine_only(w, 20);
	l->mac = names_port_mac(ifname);
	names_alias(l->alias, net, text);
	if (w->peeking) {
		link_event(w, l, false);
		world_engine_only(w, 20);
	}
	l->master = bridge->ifindex;
	l->port_learning = l->port_flood = true;
	l->up = false;
	*out = l;
	return 0;
}

static int
tap_add(struct world *w, const struct msg_tap_add *m, int *fds, size_t *nfds, char *why, size_t cap)
{
	struct rtnl_link *l;
	int err = make_port(w, m->net, m->ifname, "tun", m->text, &l, why, cap);

	if (err)
		return err;
	l->mtu = m->mtu;
	l->tun_owner = m->owner;
	l->tun_persist = m->persist;
	l->lower_up = !m->persist;
	link_event(w, l, false);
	for (*nfds = 0; !m->persist && *nfds < m->queues; (*nfds)++)
		fds[*nfds] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return 0;
}

static int
veth_add(struct world *w, const struct msg_veth_add *m, char *why, size_t cap)
{
	struct rtnl_link *l;
	int err = make_port(w, m->net, m->ifname, "veth", m->text, &l, why, cap);

	if (err)
		return err;
	l->mtu = m->mtu;
	link_event(w, l, false);
	return 0;
}

static int
port_verb(struct world *w, const struct msg *m, char *why, size_t cap)
{
	const char *name = m->type == MSG_PORT_DEL       ? m->u.port_del.ifname
			   : m->type == MSG_PORT_ENSLAVE ? m->u.port_enslave.ifname
							 : m->u.port_set.ifname;
	struct rtnl_link *l = world_link(w, name), *bridge;
	int err;

	if (!l) {
		snprintf(why, cap, "%s: there is no such interface", name);
		return ENODEV;
	}
	if (m->type == MSG_PORT_DEL) {
		assert_true(snapshot_is_ours(NULL, l));
		link_del(w, l);
		return 0;
	}
	if (m->type == MSG_PORT_ENSLAVE) {
		bridge = bridge_of(w, m->u.port_enslave.net, &err, why, cap);
		if (!bridge)
			return err;
		assert_int_equal(l->master, 0);
		l->master = bridge->ifindex;
		l->port_locked = false;
		l->port_learning = l->port_flood = true;
	} else {
		l->up = m->u.port_set.up;
		if (m->u.port_set.off)
			l->master = 0;
		if (m->u.port_set.mtu)
			l->mtu = m->u.port_set.mtu;
		if (!mac_is_zero(m->u.port_set.mac))
			l->mac = m->u.port_set.mac;
	}
	link_event(w, l, false);
	return 0;
}

int
kernel_execute(struct world *w, const struct msg *m, int *fds, size_t *nfds, char *why, size_t cap)
{
	if (m->type == MSG_BRIDGE_SET)
		return bridge_set(w, &m->u.bridge_set, why, cap);
	if (m->type == MSG_BRIDGE_DEL || m->type == MSG_ADDR_ADD || m->type == MSG_ADDR_DEL ||
	    m->type == MSG_ROUTE_ADD || m->type == MSG_ROUTE_DEL || m->type == MSG_NEIGH_SET ||
	    m->type == MSG_NEIGH_DEL)
		return bridge_verb(w, m, why, cap);
	if (m->type == MSG_SYSCTL_SET)
		return world_link(w, m->u.sysctl_set.ifname) ? 0 : ENODEV;
	if (m->type == MSG_TAP_ADD)
		return tap_add(w, &m->u.tap_add, fds, nfds, why, cap);
	if (m->type == MSG_VETH_ADD)
		return veth_add(w, &m->u.veth_add, why, cap);
	if (m->type == MSG_PORT_DEL || m->type == MSG_PORT_ENSLAVE || m->type == MSG_PORT_SET)
		return port_verb(w, m, why, cap);
	fail_msg("the world does not know %s", msg_name(m->type));
	return ENOSYS;
}

/* --- other people --- */

struct rtnl_link *
world_link_add(struct world *w, const char *name, const char *kind)
{
	struct rtnl_link *l = link_new(w, name, kind);

	link_event(w, l, false);
	return l;
}

void
world_link_del(struct world *w, const char *name)
{
	link_del(w, world_link(w, name));
}

void
world_enslave(struct world *w, const char *name, const char *bridge)
{
	struct rtnl_link *l = world_link(w, name);

	l->master = bridge ? world_link(w, bridge)->ifindex : 0;
	l->port_locked = false;
	l->port_learning = l->port_flood = bridge != NULL;
	link_event(w, l, false);
}

void
world_link_down(struct world *w, const char *name)
{
	struct rtnl_link *l = world_link(w, name);

	l->up = l->lower_up = false;
	drop_routes(w, l->ifindex, (struct ip4){0});
	drop_neighs(w, l->ifindex);
	link_event(w, l, false);
}

static struct ip4
ip(const char *s)
{
	struct ip4 a;

	assert_true(ip4_parse(&a, s));
	return a;
}

static struct prefix4
prefix(const char *s)
{
	struct prefix4 p;

	assert_true(prefix4_parse(&p, s));
	return p;
}

void
world_addr_add(struct world *w, const char *dev, const char *addr, uint8_t plen)
{
	addr_add(w, world_link(w, dev)->ifindex, ip(addr), plen, 0);
}

void
world_addr_del(struct world *w, const char *dev, const char *addr)
{
	int i = addr_find(w, world_link(w, dev)->ifindex, ip(addr));

	assert_true(i >= 0);
	addr_del(w, (size_t)i);
}

void
world_neigh_add(struct world *w, const char *dev, const char *addr, struct mac mac)
{
	neigh_set(w, world_link(w, dev)->ifindex, ip(addr), mac, 0);
}

void
world_neigh_del(struct world *w, const char *dev, const char *addr)
{
	int i = neigh_find(w, world_link(w, dev)->ifindex, ip(addr));

	assert_true(i >= 0);
	neigh_del(w, i);
}

const char *
world_neigh(struct world *w, const char *dev, const char *addr)
{
	static char text[32];
	const struct rtnl_link *l = world_link(w, dev);
	int i = l ? neigh_find(w, l->ifindex, ip(addr)) : -1;

	text[0] = '\0';
	if (i >= 0)
		snprintf(text, sizeof(text), "%s %s", MAC_STR(w->neigh[i].mac),
			 w->neigh[i].proto == NAMES_ROUTE_PROTO ? "ours" : "others'");
	return text;
}

void
world_route_add(struct world *w, const char *dev, const char *dst)
{
	route_add(w, world_link(w, dev)->ifindex, prefix(dst), (struct ip4){0}, 3);
}

void
world_route_del(struct world *w, const char *dst)
{
	struct prefix4 p = prefix(dst);

	for (size_t i = 0; i < w->nroutes; i++) {
		if (!prefix4_eq(w->route[i].dst, p))
			continue;
		add_event(w, ROUTE, true)->route = w->route[i];
		w->route[i] = w->route[--w->nroutes];
		return;
	}
	fail_msg("there is no route to %s", dst);
}

bool
world_has_addr(struct world *w, const char *dev, const char *addr)
{
	struct rtnl_link *l = world_link(w, dev);

	return l && addr_find(w, l->ifindex, ip(addr)) >= 0;
}

bool
world_has_route(struct world *w, const char *dev, const char *dst)
{
	struct rtnl_link *l = world_link(w, dev);

	return l && route_find(w, l->ifindex, prefix(dst)) >= 0;
}
