/* SPDX-License-Identifier: GPL-2.0-or-later
 * attach.c - taps and veth pairs for clients.
 *
 * A tap lives as long as its descriptors, which go to the client and stay with nobody here; a veth
 * pair as long as its namespace. So an attach needs no undoing but when the client went away between.
 *
 * Three verbs one after the other: the link, which is down; its gate; up. No frame passes before the gate
 * stands.
 */
#include "vnetd/attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/rights.h"

enum {
	QUEUES_MAX = FD_PASS_MAX,
	/* A link of the next name may exist without our knowing; so many names are tried. */
	TRIES_MAX = 8,
};

/* An attach that is with priv. */
struct attach {
	uint32_t client, request;
	struct msg verb;          /* TAP_ADD or VETH_ADD */
	struct msg_gate_set gate; /* what was asked for then */
	struct port *port;
	int netns;            /* owned, -1: none */
	int fds[FD_PASS_MAX]; /* of the tap, owned */
	size_t nfds;
	unsigned tries;
};

static void made(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p,
		 uint32_t n);

static void
attach_free(struct attach *a)
{
	fd_close(&a->netns);
	for (size_t i = 0; i < a->nfds; i++)
		fd_close(&a->fds[i]);
	free(a);
}

/* --- what may be asked for --- */

/* An address that one guest can have: nobody's group, none of the host's own ends. */
static bool
mac_ok(struct mac m)
{
	static const uint8_t host[] = {0x00, 0x50, 0x56, 0xc0, 0x00};

	return !mac_is_multicast(m) && m.b[0] != 0xfe && memcmp(m.b, host, sizeof(host)) != 0;
}

/* 0, or an errno with the reason in why. */
static int
check_net(const struct core *c, unsigned n, char *why, size_t cap)
{
	const struct net *net = n < NAMES_NETS ? &c->net[n] : NULL;
	const char *text;

	if (!net || !net->conf) {
		snprintf(why, cap, "there is no network vmnet%u (see vnetctl networks)", n);
		return ENOENT;
	}
	if (net_state(c, net, &text) == NET_STATE_FAILED || !net->runs) {
		snprintf(why, cap, "vmnet%u is not up%s%s", n, *text ? ": " : "", text);
		return ENETDOWN;
	}
	return 0;
}

static int
check_name(const struct core *c, const char *name, char *why, size_t cap)
{
	const struct port *p;

	if (!*name)
		return 0;
	if (!alias_name_ok(name) || names_reserved(name)) {
		snprintf(
		    why, cap,
		    "\"%s\" is no name for a port: letters, digits and \"._-\", not beginning with "
		    "\"vmnet\"",
		    name);
		return EINVAL;
	}
	p = port_find(c, name);
	if (!p)
		return 0;
	snprintf(why, cap, "there is a port \"%s\" already, on vmnet%u", name, p->net);
	return EEXIST;
}

static int
check_mac(const struct core *c, unsigned net, struct mac mac, char *why, size_t cap)
{
	if (mac_is_zero(mac))
		return 0;
	if (!mac_ok(mac)) {
		snprintf(why, cap, "%s cannot be a guest's address", MAC_STR(mac));
		return EINVAL;
	}
	for (const struct port *p = c->ports.head; p; p = p->next) {
		if (p->net != net || !mac_eq(port_mac(p), mac))
			continue;
		snprintf(why, cap, "%s is the address of port %s already", MAC_STR(mac),
			 port_name(p));
		return EEXIST;
	}
	return 0;
}

static int
check_netns(struct core *c, const struct client *cl, const struct msg_attach *m, const int *fds,
	    size_t nfds, char *why, size_t cap)
{
	struct rights r;
	uint32_t owner;
	int err;

	if (nfds != 1) {
		snprintf(why, cap, "the namespace's descriptor is missing");
		return EINVAL;
	}
	if (*m->ifname && !names_ifname_ok(m->ifname)) {
		snprintf(why, cap, "\"%s\" is no interface name", m->ifname);
		return EINVAL;
	}
	err = -c->io->netns_owner(c->io_arg, fds[0], &owner);
	if (err) {
		snprintf(why, cap, "\"%s\" is no network namespace that can be used", m->peer);
		return err;
	}
	client_rights(c, cl, &r);
	return rights_netns(why, &r, owner) ? 0 : EPERM;
}

/* Ports are few: a bridge has room for some thousand, the gate for some thousands. */
static int
check_count(struct core *c, const struct client *cl, char *why)
{
	struct rights r;
	size_t n = 0;

	for (const struct port *p = c->ports.head; p; p = p->next)
		n += p->alias.owner == cl->uid && p->alias.kind != PORT_STATIC &&
		     p->alias.kind != PORT_ADOPTED;
	client_rights(c, cl, &r);
	return rights_ports(why, &r, n) ? 0 : EDQUOT;
}

static int
check(struct core *c, const struct client *cl, const struct msg_attach *m, const int *fds,
      size_t nfds, char *why, size_t cap)
{
	int err;

	if (m->kind != PORT_HELPER && m->kind != PORT_ATTACH && m->kind != PORT_NETNS) {
		snprintf(why, cap, "ports of this kind are not made on request");
		return EINVAL;
	}
	if (m->kind != PORT_NETNS && (m->queues < 1 || m->queues > QUEUES_MAX)) {
		snprintf(why, cap, "a tap has 1 to %d queues, not %u", QUEUES_MAX, m->queues);
		return EINVAL;
	}
	err = check_net(c, m->net, why, cap);
	if (!err)
		err = check_count(c, cl, why);
	if (!err)
		err = check_name(c, m->name, why, cap);
	if (!err)
		err = check_mac(c, m->net, m->mac, why, cap);
	if (!err && m->kind == PORT_NETNS)
		err = check_netns(c, cl, m, fds, nfds, why, cap);
	return err;
}

/* --- the verb --- */

/* From the range that VMware leaves to administrators (00:50:56:00:00:00 to 3f:ff:ff). */
static struct mac
random_mac(struct core *c)
{
	uint64_t r = c->io->random(c->io_arg);
	struct mac m;

	do {
		m = (struct mac){
		    {0x00, 0x50, 0x56, (uint8_t)(r >> 16 & 0x3f), (uint8_t)(r >> 8), (uint8_t)r}};
		r++;
	} while (port_mac_is_taken(c, m));
	return m;
}

static void
fill_alias(struct core *c, struct alias *a, const struct client *cl, const struct msg_attach *m)
{
	memset(a, 0, sizeof(*a));
	a->kind = (enum port_kind)m->kind;
	MSG_SET_STR(a->name, m->name);
	a->mac = m->mac;
	a->owner = cl->uid;
	a->queues = 1;
	if (a->kind != PORT_NETNS) {
		a->queues = m->queues;
		return;
	}
	MSG_SET_STR(a->netns, m->peer);
	MSG_SET_STR(a->peer, *m->ifname ? m->ifname : "eth0");
	if (mac_is_zero(a->mac))
		a->mac = random_mac(c);
}

/* Fills in what depends on the port's number, and asks. */
static void
send_verb(struct core *c, struct attach *a)
{
	const struct port *p = a->port;
	uint16_t mtu = c->net[p->net].conf->mtu;

	if (a->verb.type == MSG_TAP_ADD) {
		struct msg_tap_add *t = &a->verb.u.tap_add;

		t->net = (uint16_t)p->net;
		MSG_SET_STR(t->ifname, p->ifname);
		t->mac = names_port_mac(p->ifname);
		t->owner = p->alias.owner;
		t->queues = (uint8_t)p->alias.queues;
		t->mtu = mtu;
		alias_print(t->text, &p->alias);
	} else {
		struct msg_veth_add *v = &a->verb.u.veth_add;

		v->net = (uint16_t)p->net;
		MSG_SET_STR(v->ifname, p->ifname);
		v->mac = names_port_mac(p->ifname);
		MSG_SET_STR(v->peer_name, p->alias.peer);
		v->peer_mac = p->alias.mac;
		v->mtu = mtu;
		alias_print(v->text, &p->alias);
	}
	ask_priv(c, &a->verb, &a->netns, a->netns >= 0 ? 1 : 0, made, a, 0);
}

void
attach_request(struct core *c, struct client *cl, const struct msg *m, int *fds, size_t nfds)
{
	const struct msg_attach *req = &m->u.attach;
	char why[RIGHTS_WHY_MAX + PLAN_WHY_MAX];
	int err = check(c, cl, req, fds, nfds, why, sizeof(why));
	struct attach *a = NULL;
	struct alias alias;

	if (!err) {
		fill_alias(c, &alias, cl, req);
		a = calloc(1, sizeof(*a));
		if (a)
			a->netns = req->kind == PORT_NETNS ? fd_take(&fds[0]) : -1;
		if (a)
			a->port = port_reserve(c, req->net, &alias);
		if (!a || !a->port) {
			err = ENOMEM;
			snprintf(why, sizeof(why), "out of memory");
		}
	}
	if (err) {
		if (a)
			attach_free(a);
		client_reply(c, cl, m->id, err, why);
		return;
	}
	a->client = cl->serial;
	a->request = m->id;
	if (req->promisc) {
		a->port->promisc.by = PROMISC_BY_USER;
		a->port->promisc.asked_s = c->io->utc_ms(c->io_arg) / 1000;
	}
	a->verb = msg_make(req->kind == PORT_NETNS ? MSG_VETH_ADD : MSG_TAP_ADD, 0);
	if (a->verb.type == MSG_TAP_ADD)
		a->verb.u.tap_add.vnet_hdr = req->vnet_hdr;
	send_verb(c, a);
}

/* --- and its reply --- */

static void
delete_link(struct core *c, const char *ifname)
{
	struct msg m = msg_make(MSG_PORT_DEL, 0);

	MSG_SET_STR(m.u.port_del.ifname, ifname);
	ask_priv(c, &m, NULL, 0, ask_ignore, NULL, 0);
}

/* The name was taken: the next number. */
static bool
try_next(struct core *c, struct attach *a)
{
	struct port *next;

	if (++a->tries >= TRIES_MAX || !c->net[a->port->net].conf)
		return false;
	/* Reserved while the old one is held, so that it is another number. */
	next = port_reserve(c, a->port->net, &a->port->alias);
	if (!next)
		return false;
	next->promisc = a->port->promisc;
	port_forget(c, a->port);
	a->port = next;
	send_verb(c, a);
	return true;
}

static void
hand_over(struct core *c, struct client *cl, struct attach *a)
{
	struct port *p = a->port;
	struct msg m = msg_make(MSG_ATTACHED, a->request);

	p->making = false;
	MSG_SET_STR(m.u.attached.name, port_name(p));
	MSG_SET_STR(m.u.attached.ifname, p->ifname);
	m.u.attached.mtu = c->net[p->net].conf ? c->net[p->net].conf->mtu : 0;
	m.u.attached.mac = p->alias.mac;
	client_send(c, cl->serial, &m, a->fds, a->nfds);
	client_reply(c, cl, a->request, 0, "");
	log_info("vmnet%u: %s is attached by uid %u", p->net, port_name(p), (unsigned)cl->uid);
	events_add(c, "port-attached", p->net, port_name(p), "%s is attached to vmnet%u",
		   port_name(p), p->net);
	/* Its gate is that of the moment when it was asked for; until now no plan looked at it. */
	settle_soon(c);
}

/* It ends here, with the link: a tap goes with its descriptors, a veth is deleted. */
static void
give_up(struct core *c, struct attach *a, const struct msg_reply *r)
{
	struct client *cl = client_find(c, a->client);

	if (a->verb.type == MSG_VETH_ADD)
		delete_link(c, a->port->ifname);
	if (cl)
		client_reply(c, cl, a->request, r->err ? (int)r->err : ECANCELED, r->text);
	/* Also one that priv set up half-way. */
	if (a->gate.ifname[0])
		keeper_sweep(c, a->port->net);
	port_forget(c, a->port);
	attach_free(a);
}

static void
opened(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *arg,
       uint32_t n UNUSED)
{
	struct attach *a = arg;
	struct client *cl = client_find(c, a->client);

	if (r->err || !cl) {
		give_up(c, a, r);
		return;
	}
	hand_over(c, cl, a);
	attach_free(a);
}

static void
gated(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *arg,
      uint32_t n UNUSED)
{
	struct attach *a = arg;
	struct msg m = msg_make(MSG_PORT_SET, 0);

	/* Without room for promiscuous mode it stands all the same. */
	if (r->err && r->err != ENOSPC) {
		give_up(c, a, r);
		return;
	}
	keeper_done(c, &a->gate, r);
	m.u.port_set.net = (uint16_t)a->port->net;
	MSG_SET_STR(m.u.port_set.ifname, a->port->ifname);
	m.u.port_set.up = !keeper_is_unplugged(c, a->port);
	ask_priv(c, &m, NULL, 0, opened, a, 0);
}

static void
ask_for_gate(struct core *c, struct attach *a)
{
	struct msg m = msg_make(MSG_GATE_SET, 0);

	keeper_want(c, a->port, &a->gate);
	m.u.gate_set = a->gate;
	ask_priv(c, &m, NULL, 0, gated, a, 0);
}

static void
made(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *arg, uint32_t n UNUSED)
{
	struct attach *a = arg;
	struct client *cl = client_find(c, a->client);

	/* (For a namespace it may be the guest's name that is taken.) */
	if (r->err == EEXIST && cl && a->verb.type == MSG_TAP_ADD && try_next(c, a))
		return;
	if (r->err) {
		if (cl)
			client_reply(c, cl, a->request, (int)r->err, r->text);
		port_forget(c, a->port);
		attach_free(a);
		return;
	}
	for (size_t i = 0; i < nfds; i++)
		a->fds[a->nfds++] = fd_take(&fds[i]);
	if (cl)
		ask_for_gate(c, a);
	else
		give_up(c, a, r);
}

/* --- detach --- */

/* What waits for the end of a link. */
struct detach {
	uint32_t client, request;
	char ifname[NAMES_IFNAME_MAX];
};

static void
deleted(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *arg,
	uint32_t n UNUSED)
{
	struct detach *d = arg;
	struct client *cl = client_find(c, d->client);

	if (!r->err)
		port_deleted(c, d->ifname);
	if (cl)
		client_reply(c, cl, d->request, (int)r->err, r->text);
	free(d);
}

/* Why a port is not vnetd's to remove; NULL: it is. */
static const char *
not_removable(const struct port *p)
{
	switch (p->alias.kind) {
	case PORT_STATIC:
		return "it is a static tap: remove its [port] section from vnetd.conf and reload";
	case PORT_ADOPTED:
		return "vnetd did not make it: take it off by ip link set IF nomaster";
	case PORT_HELPER:
	case PORT_ATTACH:
	case PORT_NETNS:
	case PORT_KIND_N:
		break;
	}
	return NULL;
}

void
detach_request(struct core *c, struct client *cl, const struct msg *m)
{
	const struct port *p = port_find(c, m->u.detach.port);
	char why[RIGHTS_WHY_MAX + PORT_NAME_MAX];
	struct msg verb = msg_make(MSG_PORT_DEL, 0);
	struct detach *d;
	struct rights r;

	if (!p || p->making) {
		snprintf(why, sizeof(why), "there is no port \"%s\" (see vnetctl ports)",
			 m->u.detach.port);
		client_reply(c, cl, m->id, ENOENT, why);
		return;
	}
	client_rights(c, cl, &r);
	if (!rights_detach(why, &r, p->alias.owner)) {
		client_reply(c, cl, m->id, EPERM, why);
		return;
	}
	if (not_removable(p)) {
		snprintf(why, sizeof(why), "%s: %s", port_name(p), not_removable(p));
		client_reply(c, cl, m->id, EINVAL, why);
		return;
	}
	d = malloc(sizeof(*d));
	if (!d) {
		client_reply(c, cl, m->id, ENOMEM, "out of memory");
		return;
	}
	d->client = cl->serial;
	d->request = m->id;
	MSG_SET_STR(d->ifname, p->ifname);
	MSG_SET_STR(verb.u.port_del.ifname, p->ifname);
	ask_priv(c, &verb, NULL, 0, deleted, d, 0);
}
