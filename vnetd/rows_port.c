/* SPDX-License-Identifier: GPL-2.0-or-later
 * rows_port.c - PORT_LIST: ports, with MACs from the bridges' forwarding tables and names and addresses
 * from dhcpd's leases.
 *
 * Neither is kept here: the kernel and dhcpd are asked each time, so that nothing can be out of date.
 * While dhcpd is away the rows come without addresses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/core.h"
#include "vnetd/rows.h"

/* A port and what was found out about it. Copied: the port may go while dhcpd is asked. */
struct found {
	struct port port;
	struct mac mac; /* told or learned; zero: unknown */
	struct ip4 addr;
	char guest[64];
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
		if (l->v[i].port.ifindex == f->ifindex && mac_is_zero(l->v[i].mac))
			l->v[i].mac = f->mac;
}

static void
take_lease(struct listing *l, const struct msg_lease_row *r)
{
	if (r->state != LEASE_ROW_ACTIVE && r->state != LEASE_ROW_RESERVED)
		return;
	for (size_t i = 0; i < l->n; i++) {
		struct found *f = &l->v[i];

		if (f->port.net != r->net || !mac_eq(f->mac, r->mac) || mac_is_zero(f->mac))
			continue;
		/* A lease says more than the reservation behind it. */
		if (f->addr.h && r->state == LEASE_ROW_RESERVED)
			continue;
		f->addr = r->addr;
		MSG_SET_STR(f->guest, r->name);
	}
}

static void
send_port(struct core *c, const struct listing *l, const struct found *f)
{
	const struct port *p = &f->port;
	struct msg m = msg_make(MSG_PORT_ROW, l->request);
	struct msg_port_row *r = &m.u.port_row;
	const char *owner =
	    p->alias.owner == MSG_UID_NONE ? NULL : user_list_name(&c->users.user, p->alias.owner);

	MSG_SET_STR(r->name, port_name(p));
	r->net = (uint16_t)p->net;
	MSG_SET_STR(r->ifname, p->ifname);
	r->kind = (uint8_t)p->alias.kind;
	r->mac = f->mac;
	r->addr = f->addr;
	MSG_SET_STR(r->guest, f->guest);
	r->owner = p->alias.owner;
	MSG_SET_STR(r->owner_name, owner ? owner : "");
	MSG_SET_STR(r->netns, p->alias.netns);
	r->up = p->on_bridge && p->up;
	r->queues = (uint8_t)p->alias.queues;
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

static struct listing *
listing_new(const struct core *c, unsigned net)
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
	for (const struct port *p = c->ports.head; p; p = p->next) {
		if (p->making || (net != MSG_NET_ALL && p->net != net))
			continue;
		l->v[l->n].port = *p;
		l->v[l->n++].mac = p->alias.mac;
	}
	return l;
}

void
rows_ports(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct msg m = msg_make(MSG_LEASE_LIST, 0);
	struct listing *l = listing_new(c, net);

	if (!l) {
		client_reply(c, cl, request, ENOMEM, "out of memory");
		return;
	}
	l->client = cl->serial;
	l->request = request;
	c->io->fdb(c->io_arg, take_fdb, l);
	m.u.lease_list.net = (uint16_t)net;
	worker_ask(c, ROLE_DHCPD, &m, take_row, l);
}
