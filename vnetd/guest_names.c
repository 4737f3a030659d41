/* SPDX-License-Identifier: GPL-2.0-or-later
 * guest_names.c - leases of vnet-dhcpd -> names for vnet-natd.
 *
 * A new lease is passed on as it comes. When one ends, all are asked for: there may be a reservation behind it.
 */
#include "vnetd/guest_names.h"

#include "lib/util.h"
#include "vnetd/core.h"

static void ask(struct core *c);

static void
send_all(struct core *c, bool begin)
{
	struct msg m = msg_make(MSG_GUEST_NAMES, 0);

	c->guest_names.begun = begin;
	m.u.guest_names.begin = begin;
	c->io->to_worker(c->io_arg, ROLE_NATD, &m);
}

static void
send_name(struct core *c, uint16_t net, struct ip4 addr, const char *name)
{
	struct msg m = msg_make(MSG_GUEST_NAME, 0);

	m.u.guest_name.net = net;
	m.u.guest_name.addr = addr;
	MSG_SET_STR(m.u.guest_name.name, name);
	c->io->to_worker(c->io_arg, ROLE_NATD, &m);
}

static void
take_lease(struct core *c, const struct msg *m, void *arg UNUSED)
{
	const struct msg_lease_row *r = &m->u.lease_row;
	struct guest_names *g = &c->guest_names;
	bool ends = m->type != MSG_LEASE_ROW;

	if (!c->worker[ROLE_NATD].up) {
		g->begun = false;
	} else if (!ends || !m->u.reply.err) {
		if (!g->begun)
			send_all(c, true);
		if (ends)
			send_all(c, false);
		else if (r->name[0] &&
			 (r->state == LEASE_ROW_ACTIVE || r->state == LEASE_ROW_RESERVED))
			send_name(c, r->net, r->addr, r->name);
	}
	if (!ends)
		return;
	g->asked = g->begun = false;
	/* Whoever did not answer says so when it can. */
	if (g->again && !m->u.reply.err)
		ask(c);
}

static void
ask(struct core *c)
{
	struct guest_names *g = &c->guest_names;
	struct msg m = msg_make(MSG_LEASE_LIST, 0);

	if (!c->worker[ROLE_NATD].up || !c->worker[ROLE_DHCPD].up)
		return;
	g->again = g->asked;
	if (g->asked)
		return;
	g->asked = true;
	m.u.lease_list.net = MSG_NET_ALL;
	worker_ask(c, ROLE_DHCPD, &m, take_lease, NULL);
}

void
guest_names_ready(struct core *c, enum role role)
{
	if (role == ROLE_NATD || role == ROLE_DHCPD)
		ask(c);
}

void
guest_names_lease(struct core *c, const struct msg_lease_changed *m)
{
	if (m->event != LEASE_NEW && m->event != LEASE_RENEWED)
		ask(c);
	else if (c->worker[ROLE_NATD].up)
		send_name(c, m->net, m->addr, m->name);
}
