/* SPDX-License-Identifier: GPL-2.0-or-later
 * reserve.c - reservations made and removed while everything runs.
 *
 * The configuration says what will be; leases say what is. A guest that has the address, or another one
 * than its own, keeps it until it renews, which whoever asks is told.
 */
#include "vnetd/reserve.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/strbuf.h"
#include "vnetd/core.h"

struct answer {
	uint32_t client, request;
	struct msg_reserve wish;
	struct msg_lease_row holder, own; /* addr 0: none */
};

bool
reserve_edit(struct job *j)
{
	const struct msg_reserve *r = &j->request.u.reserve;
	const struct msg_unreserve *u = &j->request.u.unreserve;

	if (j->request.type == MSG_UNRESERVE)
		return conf_remove_reservation(&j->edits, &j->load.src, u->net, u->mac, &j->diags);
	return conf_add_reservation(&j->edits, &j->load.src, r->net, r->mac, r->addr,
				    r->name[0] ? r->name : NULL, r->static_arp, &j->diags);
}

/* "00:50:56:11:22:33 (db)" */
static void
add_guest(struct strbuf *out, struct mac mac, const char *name)
{
	strbuf_add(out, MAC_STR(mac));
	if (*name)
		strbuf_addf(out, " (%s)", name);
}

static void
warn_of_holder(struct core *c, const struct answer *a)
{
	struct msg m = msg_make(MSG_DIAG_ROW, a->request);
	struct strbuf text;

	strbuf_init(&text);
	strbuf_addf(&text, "%s is leased to ", IP4_STR(a->wish.addr));
	add_guest(&text, a->holder.mac, a->holder.name);
	strbuf_addf(&text,
		    ": that guest gets another address when it renews its lease, and %s gets this "
		    "one after that",
		    MAC_STR(a->wish.mac));
	m.u.diag_row.level = DIAG_WARNING;
	MSG_SET_STR(m.u.diag_row.text, strbuf_str(&text));
	client_send(c, a->client, &m, NULL, 0);
	strbuf_fini(&text);
}

static void
send_fact(struct core *c, const struct answer *a)
{
	struct strbuf text;
	struct msg m;

	if (a->holder.addr.h)
		warn_of_holder(c, a);
	strbuf_init(&text);
	strbuf_addf(&text, "%s on vmnet%u is reserved for ", IP4_STR(a->wish.addr), a->wish.net);
	add_guest(&text, a->wish.mac, a->wish.name);
	if (a->wish.static_arp)
		strbuf_add(&text, ", which the host reaches without ARP");
	if (a->own.addr.h && !a->holder.addr.h)
		strbuf_addf(&text, "; it has %s now and moves when it renews its lease",
			    IP4_STR(a->own.addr));
	m = msg_reply(a->request, 0, strbuf_str(&text));
	client_send(c, a->client, &m, NULL, 0);
	strbuf_fini(&text);
}

static void
take_row(struct core *c, const struct msg *m, void *arg)
{
	const struct msg_lease_row *r = &m->u.lease_row;
	struct answer *a = arg;
	bool same_guest;

	if (m->type != MSG_LEASE_ROW) {
		send_fact(c, a); /* also without dhcpd, which only had more to say */
		free(a);
		return;
	}
	if (r->state != LEASE_ROW_ACTIVE)
		return;
	same_guest = mac_eq(r->mac, a->wish.mac);
	if (ip4_eq(r->addr, a->wish.addr) && !same_guest)
		a->holder = *r;
	else if (same_guest && !ip4_eq(r->addr, a->wish.addr))
		a->own = *r;
}

static void
answer_unreserve(struct core *c, const struct job *j)
{
	const struct msg_unreserve *u = &j->request.u.unreserve;
	char text[128];
	struct msg m;

	snprintf(text, sizeof(text), "vmnet%u reserves no address for %s any more", u->net,
		 MAC_STR(u->mac));
	events_add(c, "lease-unreserved", u->net, "", "%s", text);
	m = msg_reply(j->request.id, 0, text);
	client_send(c, j->client, &m, NULL, 0);
}

void
reserve_answer(struct core *c, const struct job *j)
{
	const struct msg_reserve *r = &j->request.u.reserve;
	struct msg m = msg_make(MSG_LEASE_LIST, 0);
	struct answer *a;

	if (j->request.type == MSG_UNRESERVE) {
		answer_unreserve(c, j);
		return;
	}
	events_add(c, "lease-reserved", r->net, "", "vmnet%u: %s %s%s%s reserved", r->net,
		   IP4_STR(r->addr), MAC_STR(r->mac), r->name[0] ? " " : "", r->name);
	a = calloc(1, sizeof(*a));
	if (!a) {
		m = msg_reply(j->request.id, 0, NULL);
		client_send(c, j->client, &m, NULL, 0);
		return;
	}
	a->client = j->client;
	a->request = j->request.id;
	a->wish = *r;
	m.u.lease_list.net = r->net;
	worker_ask(c, ROLE_DHCPD, &m, take_row, a);
}
