/* SPDX-License-Identifier: GPL-2.0-or-later
 * rows_port.c - PORT_LIST: ports, with what their gates counted, MACs from the bridges' forwarding tables
 * where no address is pinned, and names and addresses from dhcpd's leases.
 *
 * Nothing of that is kept here: kernel and dhcpd are asked each time, so that nothing can be out of date.
 * While dhcpd is away the rows come without addresses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/core.h"
#include "vnetd/gate.h"
#include "vnetd/rows.h"

/* A port and what was found out about it. Copied: the port may go while dhcpd is asked. */
struct found {
	struct msg_port_row row;
	int ifindex;
	unsigned net;
	struct mac mac; /* told, pinned or learned; zero: unknown */
};

struct listing {
	uint32_t client, request;
	struct found *v;
	size_t n;
};

/* A bridge learns the MACs of guests that have sent something; the first one stands for the port. */
static void
take_fdb(const struct rtnl_fdb *f, void *arg)
{
	struct listing *l = arg;

	if (f->local || mac_is_multicast(f->mac))
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].ifindex == f->ifindex && mac_is_zero(l->v[i].mac))
			l->v[i].mac = f->mac;
}

static void
take_lease(struct listing *l, const struct msg_lease_row *r)
{
	if (r->state != LEASE_ROW_ACTIVE && r->state != LEASE_ROW_RESERVED)
		return;
	for (size_t i = 0; i < l->n; i++) {
		struct found *f = &l->v[i];

		if (f->net != r->net || !mac_eq(f->mac, r->mac) || mac_is_zero(f->mac))
			continue;
		/* A lease says more than the reservation behind it. */
		if (f->row.addr.h && r->state == LEASE_ROW_RESERVED)
			continue;
		f->row.addr = r->addr;
		MSG_SET_STR(f->row.guest, r->name);
	}
}

static void
send_port(struct core *c, const struct listing *l, const struct found *f)
{
	struct msg m = msg_make(MSG_PORT_ROW, l->request);

	m.u.port_row = f->row;
	m.u.port_row.mac = f->mac;
	client_send(c, l->client, &m, NULL, 0);
}

static void
take_row(struct core *c, const struct msg *m, void *arg)
{
	struct listing *l = arg;
	struct msg reply;

	if (m->type == MSG_LEASE_ROW) {
		take_lease(l, &m->u.lease_row);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		send_port(c, l, &l->v[i]);
	reply = msg_reply(l->request, 0, NULL);
	client_send(c, l->client, &reply, NULL, 0);
	free(l->v);
	free(l);
}

/* --- what the engine itself knows --- */

static const char *
mirror_of(const struct core *c, const struct port *p)
{
	const struct conf_port conf = keeper_conf(c, p);

	return conf.mirror_of ? conf.mirror_of : "";
}

static void
fill_gate(const struct core *c, struct msg_port_row *r, const struct port *p)
{
	const char *marker;
	struct msg_gate_set g;

	keeper_want(c, p, &g);
	r->mac_policy = g.mac_policy;
	r->learn = g.learn;
	r->flags = g.flags;
	r->guard_ip = g.ip;
	r->flood = g.flood;
	r->rate_in_kbit = g.rate_in_kbit;
	r->rate_out_kbit = g.rate_out_kbit;
	r->dhcp_rate = g.dhcp_rate;
	r->dhcp_leases = g.dhcp_leases;
	MSG_SET_STR(r->mirror_of, mirror_of(c, p));
	/* What it has dropped so far, unless priv knows better. */
	if (p->gate.known)
		r->drops.len = sizeof(r->drops.b);
	r->promisc = (uint8_t)grant_judge(c, p, &marker).state;
	/* Whoever waits for it may begin to listen then. */
	if (r->promisc == PROMISC_GRANTED && g.promisc && !(p->gate.known && p->gate.set.promisc))
		r->promisc = PROMISC_PENDING;
	r->link = !keeper_is_unplugged(c, p);
	MSG_SET_STR(r->trouble, p->gate.trouble ? p->gate.trouble : "");
}

static void
fill(const struct core *c, struct found *f, const struct port *p)
{
	const char *owner =
	    p->alias.owner == MSG_UID_NONE ? NULL : user_list_name(&c->users.user, p->alias.owner);
	struct msg_port_row *r = &f->row;

	f->ifindex = p->ifindex;
	f->net = p->net;
	f->mac = port_address(p);
	MSG_SET_STR(r->name, port_name(p));
	r->net = (uint16_t)p->net;
	MSG_SET_STR(r->ifname, p->ifname);
	r->kind = (uint8_t)p->alias.kind;
	r->owner = p->alias.owner;
	MSG_SET_STR(r->owner_name, owner ? owner : "");
	MSG_SET_STR(r->netns, p->alias.netns);
	r->up = p->on_bridge && p->up;
	r->queues = (uint8_t)p->alias.queues;
	fill_gate(c, r, p);
}

/* only: one port, NULL: all of the network. */
static struct listing *
listing_new(const struct core *c, unsigned net, const struct port *only)
{
	struct listing *l = calloc(1, sizeof(*l));
	size_t max = 0;

	for (const struct port *p = c->ports.head; p; p = p->next)
		max++;
	if (l)
		l->v = calloc(max ? max : 1, sizeof(*l->v));
	if (!l || !l->v) {
		free(l);
		return NULL;
	}
	for (const struct port *p = c->ports.head; p; p = p->next)
		if (!p->making && (net == MSG_NET_ALL || p->net == net) && (!only || p == only))
			fill(c, &l->v[l->n++], p);
	return l;
}

/* --- what priv knows --- */

static void
take_gate(struct core *c UNUSED, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED,
	  void *arg)
{
	const struct msg_gate_row *g = &m->u.gate_row;
	struct listing *l = arg;

	for (size_t i = 0; i < l->n; i++) {
		struct found *f = &l->v[i];

		if (f->ifindex != (int)g->ifindex)
			continue;
		f->row.learned = g->learned;
		f->row.drops.len = g->drops.len;
		memcpy(f->row.drops.b, g->drops.b, g->drops.len);
		return;
	}
}

static void
gates_listed(struct core *c, const struct msg_reply *r UNUSED, int *fds UNUSED, size_t nfds UNUSED,
	     void *arg, uint32_t n)
{
	struct msg m = msg_make(MSG_LEASE_LIST, 0);

	m.u.lease_list.net = (uint16_t)n;
	worker_ask(c, ROLE_DHCPD, &m, take_row, arg);
}

static bool
has_unknown_mac(const struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (mac_is_zero(l->v[i].mac))
			return true;
	return false;
}

static void
list(struct core *c, const struct client *cl, uint32_t request, unsigned net,
     const struct port *only)
{
	struct msg m = msg_make(MSG_GATE_LIST, 0);
	struct listing *l = listing_new(c, net, only);

	if (!l) {
		client_reply(c, cl, request, ENOMEM, "out of memory");
		return;
	}
	l->client = cl->serial;
	l->request = request;
	if (has_unknown_mac(l))
		c->io->fdb(c->io_arg, take_fdb, l);
	m.u.gate_list.net = (uint16_t)net;
	ask_priv_rows(c, &m, take_gate, gates_listed, l, net);
}

void
rows_ports(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	list(c, cl, request, net, NULL);
}

void
rows_port(struct core *c, const struct client *cl, uint32_t request, const struct port *p)
{
	list(c, cl, request, p->net, p);
}
