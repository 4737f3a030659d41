/* SPDX-License-Identifier: GPL-2.0-or-later
 * rows.c - status, networks, forwards and leases for clients. Ports are in rows_port.c.
 */
#include "vnetd/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/util.h"
#include "paths.h"
#include "vnetd/core.h"
#include "vnetd/warn.h"

unsigned
rows_guests(const struct core *c, unsigned net)
{
	unsigned guests = 0;

	for (const struct port *p = c->ports.head; p; p = p->next)
		guests += port_is_guest(p) && (p->net == net || net == MSG_NET_ALL);
	return guests;
}

void
rows_net(struct core *c, uint32_t client, uint32_t request, const struct net *n)
{
	const struct conf_net *conf = n->conf;
	struct msg m = msg_make(MSG_NET_ROW, request);
	struct msg_net_row *r = &m.u.net_row;
	const char *why;

	r->net = (uint16_t)n->n;
	r->kind = (uint8_t)conf->type;
	MSG_SET_STR(r->label, conf->display_name);
	r->state = (uint8_t)net_state(c, n, &why);
	MSG_SET_STR(r->text, why);
	r->subnet = conf->subnet.addr;
	r->len = conf->subnet.len;
	r->host = conf->host;
	r->gateway = conf->gateway;
	r->dhcp_server = conf->dhcp ? conf->dhcpd.server : (struct ip4){0};
	r->dns = conf->dns;
	r->adapter = conf->adapter;
	r->dhcp = conf->dhcp;
	r->nat = conf->nat;
	r->mtu = conf->mtu;
	r->leases = n->leases;
	r->lease_total = n->lease_total;
	r->guests = (uint16_t)rows_guests(c, n->n);
	r->forwards = (uint16_t)conf->nforwards;
	for (unsigned s = 0; s < SERVICE_N; s++)
		if (net_service_is_down(c, n, (enum service)s))
			r->services_down |= (uint8_t)(1u << s);
	client_send(c, client, &m, NULL, 0);
}

/* The networks of an answer; false: the one asked for does not exist, and the client knows. */
static bool
exists(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	char why[64];

	if (net == MSG_NET_ALL || (net < NAMES_NETS && c->net[net].conf))
		return true;
	snprintf(why, sizeof(why), "there is no network vmnet%u (see vnetctl networks)", net);
	client_reply(c, cl, request, ENOENT, why);
	return false;
}

static bool
is_asked(const struct core *c, unsigned n, unsigned net)
{
	return c->net[n].conf && (net == MSG_NET_ALL || net == n);
}

void
rows_nets(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	if (!exists(c, cl, request, net))
		return;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (is_asked(c, n, net))
			rows_net(c, cl->serial, request, &c->net[n]);
	client_reply(c, cl, request, 0, "");
}

void
rows_status(struct core *c, const struct client *cl, uint32_t request)
{
	struct msg m = msg_make(MSG_STATUS_ROW, request);

	MSG_SET_STR(m.u.status_row.version, VNET_VERSION);
	m.u.status_row.uptime_ms = (uint64_t)mono_diff(c->now, c->started);
	for (unsigned n = 0; n < NAMES_NETS; n++)
		m.u.status_row.networks += c->net[n].conf != NULL;
	m.u.status_row.guests = (uint16_t)rows_guests(c, MSG_NET_ALL);
	m.u.status_row.generation = c->generation;
	m.u.status_row.foreign_allow = c->gen && c->gen->conf->foreign_allow;
	c->io->to_client(c->io_arg, cl->peer, &m, NULL, 0);
	warn_rows(c, cl, request);
	rows_nets(c, cl, request, MSG_NET_ALL);
}

/* Rows on their way to a client, many to a datagram. */
struct batch {
	struct core *c;
	const struct client *cl;
	struct msg m;
};

static void
batch_flush(struct batch *b)
{
	if (b->m.u.rows.rows.len)
		b->c->io->to_client(b->c->io_arg, b->cl->peer, &b->m, NULL, 0);
	b->m.u.rows.rows.len = 0;
}

static void
batch_add(struct batch *b, const struct msg *row)
{
	if (msg_pack(&b->m.u.rows, row))
		return;
	batch_flush(b);
	msg_pack(&b->m.u.rows, row);
}

static void
forward_row(struct batch *b, uint32_t request, unsigned n, const struct conf_forward *f)
{
	struct msg m = msg_make(MSG_FORWARD_ROW, request);

	m.u.forward_row.net = (uint16_t)n;
	m.u.forward_row.proto = f->proto == CONF_TCP ? PROTO_TCP : PROTO_UDP;
	m.u.forward_row.port = f->host_port;
	m.u.forward_row.guest = f->guest;
	m.u.forward_row.guest_port = f->guest_port;
	m.u.forward_row.shadow = f->shadow;
	m.u.forward_row.host = f->host;
	m.u.forward_row.more = f->more;
	MSG_SET_STR(m.u.forward_row.text, f->description ? f->description : "");
	MSG_SET_STR(m.u.forward_row.source, f->pos.file ? f->pos.file : "");
	batch_add(b, &m);
}

void
rows_forwards(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct batch b = {.c = c, .cl = cl, .m = msg_make(MSG_ROWS, request)};

	if (!exists(c, cl, request, net))
		return;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		for (size_t i = 0; is_asked(c, n, net) && i < c->net[n].conf->nforwards; i++)
			forward_row(&b, request, n, &c->net[n].conf->forward[i]);
	batch_flush(&b);
	client_reply(c, cl, request, 0, "");
}

/* A client's question that a worker or priv answers. */
struct relay {
	uint32_t client, request;
};

static void
relay_row(struct core *c, const struct msg *m, void *p)
{
	struct relay *r = p;
	struct msg copy = *m;

	copy.id = r->request;
	client_send(c, r->client, &copy, NULL, 0);
	if (m->type == MSG_REPLY)
		free(r);
}

/* The rows and the REPLY of a worker are the answer. */
static void
ask_worker(struct core *c, const struct client *cl, uint32_t request, enum role role, struct msg *m)
{
	struct relay *r = malloc(sizeof(*r));

	if (!r) {
		client_reply(c, cl, request, ENOMEM, "out of memory");
		return;
	}
	*r = (struct relay){cl->serial, request};
	worker_ask(c, role, m, relay_row, r);
}

void
rows_holds(struct core *c, const struct client *cl, uint32_t request)
{
	struct msg m = msg_make(MSG_HOLD_LIST, 0);

	ask_worker(c, cl, request, ROLE_NATD, &m);
}

void
rows_relays(struct core *c, const struct client *cl, uint32_t request)
{
	struct msg m = msg_make(MSG_RELAY_LIST, 0);

	ask_worker(c, cl, request, ROLE_NATD, &m);
}

void
rows_dns_stats(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct msg m = msg_make(MSG_DNS_STATS, 0);

	m.u.dns_stats.net = (uint16_t)net;
	if (exists(c, cl, request, net))
		ask_worker(c, cl, request, ROLE_NATD, &m);
}

static void
ask_dhcpd(struct core *c, const struct client *cl, uint32_t request, unsigned net, struct msg *m)
{
	if (exists(c, cl, request, net))
		ask_worker(c, cl, request, ROLE_DHCPD, m);
}

void
rows_leases(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct msg m = msg_make(MSG_LEASE_LIST, 0);

	m.u.lease_list.net = (uint16_t)net;
	ask_dhcpd(c, cl, request, net, &m);
}

void
rows_dhcp_stats(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct msg m = msg_make(MSG_DHCP_STATS, 0);

	m.u.dhcp_stats.net = (uint16_t)net;
	ask_dhcpd(c, cl, request, net, &m);
}

static void
conn_row(struct core *c, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED, void *p)
{
	relay_row(c, m, p);
}

static void
conns_done(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *p,
	   uint32_t n UNUSED)
{
	struct msg m = msg_reply(0, (int)r->err, r->text);

	relay_row(c, &m, p);
}

void
rows_conns(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct msg m = msg_make(MSG_CONN_LIST, 0);
	struct relay *r;

	if (!exists(c, cl, request, net))
		return;
	r = malloc(sizeof(*r));
	if (!r) {
		client_reply(c, cl, request, ENOMEM, "out of memory");
		return;
	}
	*r = (struct relay){cl->serial, request};
	m.u.conn_list.net = (uint16_t)net;
	ask_priv_rows(c, &m, conn_row, conns_done, r, 0);
}
