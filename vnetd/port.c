/* SPDX-License-Identifier: GPL-2.0-or-later
 * port.c - the list of ports, brought up to date from snapshots.
 */
#include "vnetd/port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"

void
ports_fini(struct ports *ps)
{
	while (ps->head) {
		struct port *p = ps->head;

		ps->head = p->next;
		port_gate_fini(&p->gate);
		free(p);
	}
}

const char *
port_name(const struct port *p)
{
	return p->alias.name[0] ? p->alias.name : p->ifname;
}

bool
port_is_machine(const struct port *p)
{
	return p->is_guest || p->alias.kind != PORT_ADOPTED;
}

bool
port_is_guest(const struct port *p)
{
	return p->is_guest && p->on_bridge && p->up;
}

/* A search for the port behind a MAC in the bridges' tables. */
struct lookup {
	struct mac mac;
	int ifindex;
};

static void
look_up(const struct rtnl_fdb *f, void *arg)
{
	struct lookup *l = arg;

	if (!f->local && mac_eq(f->mac, l->mac))
		l->ifindex = f->ifindex;
}

/* What was told or pinned comes before what a bridge has learned. */
static struct port *
find_mac(const struct core *c, struct mac mac)
{
	struct lookup l = {mac, 0};

	for (struct port *p = c->ports.head; p; p = p->next)
		if (mac_eq(port_mac(p), mac) || mac_eq(port_address(p), mac))
			return p;
	c->io->fdb(c->io_arg, look_up, &l);
	for (struct port *p = c->ports.head; p && l.ifindex; p = p->next)
		if (p->ifindex == l.ifindex)
			return p;
	return NULL;
}

bool
port_is_named(const struct port *p, const char *name)
{
	struct mac mac;

	return !strcmp(port_name(p), name) || !strcmp(p->ifname, name) ||
	       (mac_parse(&mac, name) && !mac_is_zero(mac) &&
		(mac_eq(port_mac(p), mac) || mac_eq(port_address(p), mac)));
}

struct port *
port_find(const struct core *c, const char *name)
{
	struct mac mac;
	bool is_mac = mac_parse(&mac, name) && !mac_is_zero(mac);

	for (struct port *p = c->ports.head; p; p = p->next)
		if (!strcmp(port_name(p), name) || !strcmp(p->ifname, name))
			return p;
	return is_mac ? find_mac(c, mac) : NULL;
}

struct port *
port_of_index(const struct core *c, int ifindex)
{
	struct port *p = c->ports.head;

	while (p && p->ifindex != ifindex)
		p = p->next;
	return p;
}

struct port *
port_of_ifname(const struct core *c, const char *ifname)
{
	struct port *p = c->ports.head;

	while (p && strcmp(p->ifname, ifname) != 0)
		p = p->next;
	return p;
}

bool
port_knows(const struct core *c, int ifindex)
{
	return port_of_index(c, ifindex) != NULL;
}

struct mac
port_mac(const struct port *p)
{
	return mac_is_zero(p->alias.mac) ? p->gate.mac : p->alias.mac;
}

struct gate_port
port_identity(const struct port *p)
{
	return (struct gate_port){port_name(p), p->ifname, port_mac(p), p->alias.owner};
}

struct mac
port_address(const struct port *p)
{
	return mac_is_zero(p->gate.mac) ? p->alias.mac : p->gate.mac;
}

bool
port_mac_is_taken(const struct core *c, struct mac mac)
{
	for (const struct port *p = c->ports.head; p; p = p->next)
		if (mac_eq(p->alias.mac, mac))
			return true;
	return false;
}

static struct port *
add_port(struct core *c, unsigned net, const char *ifname)
{
	struct port **end = &c->ports.head, *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->net = net;
	snprintf(p->ifname, sizeof(p->ifname), "%s", ifname);
	p->alias.owner = MSG_UID_NONE;
	p->alias.queues = 1;
	port_gate_init(&p->gate);
	while (*end)
		end = &(*end)->next;
	*end = p;
	return p;
}

void
port_forget(struct core *c, struct port *p)
{
	struct port **at = &c->ports.head;

	while (*at && *at != p)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = p->next;
	port_gate_fini(&p->gate);
	free(p);
}

/* --- numbers --- */

bool
port_is_making(const struct core *c, const char *ifname)
{
	for (const struct port *p = c->ports.head; p; p = p->next)
		if (p->making && !strcmp(p->ifname, ifname))
			return true;
	return false;
}

/* Numbers of a network's ports that are taken: one bit each. NULL: no memory. */
static uint8_t *
taken_numbers(const struct core *c, unsigned net, unsigned *count)
{
	unsigned n, m, max = 0;
	uint8_t *bits;

	for (const struct port *p = c->ports.head; p; p = p->next)
		max++;
	/* Of so many ports one number up to max + 1 must be free. */
	*count = max + 1;
	bits = calloc(max / 8 + 2, 1);
	for (const struct port *p = c->ports.head; bits && p; p = p->next)
		if (names_port_parse(&n, &m, p->ifname) && n == net && m <= max)
			bits[m / 8] |= (uint8_t)(1u << m % 8);
	return bits;
}

struct port *
port_reserve(struct core *c, unsigned net, const struct alias *a)
{
	unsigned max, m = 1;
	uint8_t *taken = taken_numbers(c, net, &max);
	char name[NAMES_IFNAME_MAX];
	struct port *p = NULL;

	while (taken && m < max && taken[m / 8] >> m % 8 & 1)
		m++;
	if (taken && m <= NAMES_PORTS_MAX)
		p = add_port(c, net, names_port(net, m, name));
	free(taken);
	if (!p)
		return NULL;
	p->alias = *a;
	p->making = true;
	return p;
}

/* --- following the kernel --- */

static void
tell(struct core *c, const struct port *p, const char *what, const char *words)
{
	if (!c->ports.synced)
		return;
	log_info("%s %s vmnet%u", port_name(p), words, p->net);
	events_add(c, what, p->net, port_name(p), "%s %s vmnet%u", port_name(p), words, p->net);
}

void
port_deleted(struct core *c, const char *ifname)
{
	struct port *p = port_of_ifname(c, ifname);

	if (!p)
		return;
	tell(c, p, "port-detached", "is gone from");
	keeper_gone(c, p);
	port_forget(c, p);
}

/* Links come in the order in which their ports came, so that a thousand ports are not a million steps. */
static struct port *
port_of_link(struct core *c, const struct rtnl_link *l)
{
	struct port *p = c->ports.likely;

	if (!p || p->ifindex != l->ifindex)
		for (p = c->ports.head; p; p = p->next)
			if (p->ifindex == l->ifindex ||
			    (p->ifindex == 0 && !strcmp(p->ifname, l->name)))
				break;
	c->ports.likely = p ? p->next : NULL;
	return p;
}

static bool
is_guest_kind(const struct rtnl_link *l)
{
	return !strcmp(l->kind, "tun") || !strcmp(l->kind, "veth");
}

/* What both kinds of ports have. */
static void
update(struct core *c, struct port *p, const struct rtnl_link *l, const struct snapshot *now)
{
	const struct rtnl_link *bridge = snapshot_bridge(now, p->net);
	bool found = p->ifindex != l->ifindex;

	p->seen = true;
	p->ifindex = l->ifindex;
	snprintf(p->ifname, sizeof(p->ifname), "%s", l->name);
	p->up = l->lower_up;
	p->is_guest = is_guest_kind(l);
	p->is_tap = !strcmp(l->kind, "tun");
	if (!bridge || l->master != bridge->ifindex || l->master != p->bridge)
		keeper_lost_bridge(c, p, p->bridge != 0);
	p->on_bridge = bridge && l->master == bridge->ifindex;
	if (p->on_bridge)
		p->bridge = l->master;
	if (found)
		keeper_found(c, p);
	keeper_inspect(c, p, l);
}

static void
sync_ours(struct core *c, const struct snapshot *now, const struct rtnl_link *l, unsigned net)
{
	struct port *p = port_of_link(c, l);
	const char *text = "";
	struct alias a;
	bool told = names_alias_parse(NULL, &text, l->alias) && alias_parse(&a, text);

	/* Without its alias it is half made: priv is at it, or the plan removes it. */
	if (!told)
		return;
	if (p && p->ifindex == 0) {
		update(c, p, l, now);
		return;
	}
	if (!p) {
		p = add_port(c, net, l->name);
		if (!p)
			return;
		p->alias = a;
		update(c, p, l, now);
		tell(c, p, "port-attached", "is attached to");
		return;
	}
	p->alias = a;
	p->net = net;
	update(c, p, l, now);
}

/* Off its bridge: taken away by somebody when the bridge is still there, and left behind when the bridge
 * itself went. */
static bool
is_stray(const struct port *p, const struct rtnl_link *l, const struct snapshot *now)
{
	const struct rtnl_link *bridge = snapshot_bridge(now, p->net);

	return l->master == 0 && p->bridge && (!bridge || bridge->ifindex != p->bridge);
}

static void
sync_foreign(struct core *c, const struct snapshot *now, const struct rtnl_link *l)
{
	int net = snapshot_net_of(now, l->master);
	struct port *p = port_of_link(c, l);

	if (net < 0) {
		/* Not seen: forgotten below. */
		if (p && is_stray(p, l, now))
			update(c, p, l, now);
		return;
	}
	if (p && p->net != (unsigned)net) {
		p->net = (unsigned)net;
		/* That was of the other network. */
		p->gate.ip = (struct ip4){0};
		c->keeper.leases_wanted = true;
	}
	if (!p) {
		p = add_port(c, (unsigned)net, l->name);
		if (!p)
			return;
		p->alias.kind = PORT_ADOPTED;
		if (l->tun_owner >= 0)
			p->alias.owner = (uint32_t)l->tun_owner;
		update(c, p, l, now);
		tell(c, p, "port-adopted", "was put onto");
		return;
	}
	update(c, p, l, now);
}

void
ports_sync(struct core *c, const struct snapshot *now)
{
	struct port **at = &c->ports.head;
	unsigned net;

	for (struct port *p = c->ports.head; p; p = p->next)
		p->seen = p->making;
	c->ports.likely = c->ports.head;
	for (size_t i = 0; i < now->nlinks; i++) {
		const struct rtnl_link *l = &now->link[i];

		if (!snapshot_is_ours(&net, l))
			sync_foreign(c, now, l);
		else if (strcmp(l->kind, "bridge") != 0)
			sync_ours(c, now, l, net);
	}
	c->ports.likely = NULL;
	while (*at) {
		struct port *p = *at;

		if (p->seen) {
			at = &p->next;
			continue;
		}
		tell(c, p, "port-detached", "is gone from");
		keeper_gone(c, p);
		*at = p->next;
		port_gate_fini(&p->gate);
		free(p);
	}
	c->ports.synced = true;
}

struct plan_stray *
port_strays(const struct core *c, size_t *n)
{
	struct plan_stray *v = NULL;
	size_t max = 0;

	*n = 0;
	for (const struct port *p = c->ports.head; p; p = p->next)
		max++;
	v = calloc(max ? max : 1, sizeof(*v));
	for (const struct port *p = c->ports.head; v && p; p = p->next) {
		if (p->alias.kind != PORT_ADOPTED || p->on_bridge || !p->is_guest)
			continue;
		snprintf(v[*n].ifname, sizeof(v[*n].ifname), "%s", p->ifname);
		v[(*n)++].net = p->net;
	}
	return v;
}
