/* SPDX-License-Identifier: GPL-2.0-or-later
 * rows_promisc.c - PROMISC_LIST: users who ask to capture, and the ports that ask for promiscuous mode, or about which there is a word, with
 * their guests' names from dhcpd's leases. While dhcpd is away the rows come without names.
 */
#include <errno.h>
#include <stdlib.h>

#include "vnetd/core.h"
#include "vnetd/rows.h"

/* Copied: a port may go while dhcpd is asked. */
struct listing {
	uint32_t client, request;
	struct msg_promisc_row *v;
	size_t n;
};

static bool
is_listed(const struct core *c, const struct port *p, unsigned net)
{
	const char *marker;

	return !p->making && (net == MSG_NET_ALL || p->net == net) &&
	       (grant_judge(c, p, &marker).state != PROMISC_NO || p->promisc.word != WORD_NONE);
}

static void
take_lease(struct listing *l, const struct msg_lease_row *r)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].net == r->net && mac_eq(l->v[i].mac, r->mac) && r->name[0])
			MSG_SET_STR(l->v[i].guest, r->name);
}

static void
take_row(struct core *c, const struct msg *m, void *arg)
{
	struct listing *l = arg;
	struct msg row = msg_make(MSG_PROMISC_ROW, l->request), reply;

	if (m->type == MSG_LEASE_ROW) {
		take_lease(l, &m->u.lease_row);
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		row.u.promisc_row = l->v[i];
		client_send(c, l->client, &row, NULL, 0);
	}
	reply = msg_reply(l->request, 0, NULL);
	client_send(c, l->client, &reply, NULL, 0);
	free(l->v);
	free(l);
}

void
rows_promisc(struct core *c, const struct client *cl, uint32_t request, unsigned net)
{
	struct listing *l = calloc(1, sizeof(*l));
	struct msg m = msg_make(MSG_LEASE_LIST, 0);
	size_t max = 0, users;

	for (const struct port *p = c->ports.head; p; p = p->next)
		max += is_listed(c, p, net);
	users = captures_rows(c, net, NULL, 0);
	if (l)
		l->v = calloc(max + users + 1, sizeof(*l->v));
	if (!l || !l->v) {
		free(l);
		client_reply(c, cl, request, ENOMEM, "out of memory");
		return;
	}
	l->client = cl->serial;
	l->request = request;
	for (const struct port *p = c->ports.head; p; p = p->next)
		if (is_listed(c, p, net))
			grant_fill(c, p, &l->v[l->n++]);
	l->n += captures_rows(c, net, l->v + l->n, users);
	m.u.lease_list.net = (uint16_t)net;
	worker_ask(c, ROLE_DHCPD, &m, take_row, l);
}
