/* SPDX-License-Identifier: GPL-2.0-or-later
 * warn.c - warnings of `status`, made from the state at the moment of the question.
 */
#include "vnetd/warn.h"

#include <stdio.h>
#include <string.h>

#include "vnetd/core.h"
#include "vnetd/rows.h"

struct warn {
	struct core *c;
	const struct client *cl;
	uint32_t request;
	bool can_cure; /* of the next row */
};

static void
send_row(const struct warn *w, unsigned net, enum warning_topic topic, const char *text,
	 const char *cure)
{
	struct msg m = msg_make(MSG_WARNING_ROW, w->request);

	m.u.warning_row.net = (uint16_t)net;
	m.u.warning_row.topic = (uint8_t)topic;
	m.u.warning_row.can_cure = w->can_cure;
	MSG_SET_STR(m.u.warning_row.text, text);
	MSG_SET_STR(m.u.warning_row.cure, cure ? cure : "");
	w->c->io->to_client(w->c->io_arg, w->cl->peer, &m, NULL, 0);
}

static void
send_net(const struct warn *w, const struct net *n, const char *text, const char *cure)
{
	char line[512];

	snprintf(line, sizeof(line), "vmnet%u: %.480s", n->n, text);
	send_row(w, n->n, WARNING_NETWORK, line, cure);
}

/* The cure that belongs to the text of a network's state. */
static const char *
cure_of(const struct core *c, const struct net *n, const char *why)
{
	if (n->conf->failed)
		return "vnetctl check";
	if (why == n->blocked)
		return n->cure;
	for (unsigned s = 0; s < SERVICE_N; s++)
		if (net_service_is_down(c, n, (enum service)s) && why == n->service[s].text)
			return n->service[s].cure;
	return NULL;
}

/* NAT works, but not all that was asked of it. */
static void
warn_nat(const struct warn *w, const struct net *n)
{
	const struct service_state *s = &n->service[SERVICE_NAT];

	if (n->conf->failed || !net_has_service(n, SERVICE_NAT))
		return;
	if (n->conf->natconf.ip6_enable)
		send_net(w, n, "natIp6Enable = 1 in nat.conf: IPv6 is not served yet", NULL);
	if (s->known && s->ok && s->text && s->text[0])
		send_net(w, n, s->text, s->cure);
}

static void
warn_state(const struct warn *w, const struct net *n)
{
	const char *why;
	enum net_state s = net_state(w->c, n, &why);

	if (s == NET_STATE_FAILED || s == NET_STATE_DEGRADED)
		send_net(w, n, why, cure_of(w->c, n, why));
	if (n->kept) {
		char text[480];

		snprintf(text, sizeof(text), "keeps its previous configuration: %.400s", n->kept);
		send_net(w, n, text, "vnetctl check");
	}
	if (n->contested)
		send_net(w, n, n->contested, n->cure);
	warn_nat(w, n);
}

/* A section can say so of a link that came, or was named, later. */
static void
warn_links(const struct warn *w, const struct net *n)
{
	char text[256], cure[64];

	for (const struct port *p = w->c->ports.head; p; p = p->next) {
		if (p->net != n->n || p->alias.kind != PORT_ADOPTED ||
		    keeper_conf(w->c, p).link != 0)
			continue;
		snprintf(text, sizeof(text),
			 "link = down of port %s has no effect, as the interface is not vnetd's",
			 port_name(p));
		snprintf(cure, sizeof(cure), "ip link set %s down", p->ifname);
		send_net(w, n, text, cure);
	}
}

/* A foreign rule set usually drops the traffic of all networks in the same words. */
static bool
said_before(const struct core *c, const struct net *n)
{
	const struct service_state *s = &n->service[SERVICE_FIREWALL], *t;

	for (unsigned i = 0; i < n->n; i++) {
		t = &c->net[i].service[SERVICE_FIREWALL];
		if (c->net[i].conf && t->known && !t->ok && t->text && !strcmp(t->text, s->text))
			return true;
	}
	return false;
}

static void
warn_firewall(const struct warn *w, const struct net *n)
{
	const struct service_state *s = &n->service[SERVICE_FIREWALL];
	struct warn row = *w;

	if (!net_has_service(n, SERVICE_FIREWALL) || !s->known || s->ok || !s->text ||
	    said_before(w->c, n))
		return;
	row.can_cure = s->can_cure;
	send_row(&row, n->n, WARNING_FIREWALL, s->text, s->cure);
}

/* A network without guests has nobody whose frames could be dropped. */
static void
warn_inside(const struct warn *w, const struct net *n)
{
	const struct service_state *s = &n->service[SERVICE_INSIDE];
	struct warn row = *w;

	if (!net_has_service(n, SERVICE_INSIDE) || !s->known || s->ok || !s->text ||
	    rows_guests(w->c, n->n) == 0)
		return;
	row.can_cure = s->can_cure;
	send_row(&row, n->n, WARNING_INSIDE, s->text, s->cure);
}

static void
warn_redirects(const struct warn *w)
{
	char line[512];

	for (const struct redirection *r = w->c->redirects.head; r; r = r->next) {
		const char *why;
		enum redirect_state s = redirect_state(w->c, r, &why);

		if (s == REDIRECT_STATE_OK && !*why)
			continue;
		if (s == REDIRECT_STATE_STARTING && !*why)
			continue;
		snprintf(line, sizeof(line), "redirection %s: %.400s", r->conf->id, why);
		send_row(w, MSG_NET_ALL, WARNING_REDIRECTION, line,
			 r->kept ? "vnetctl check" : NULL);
	}
}

void
warn_rows(struct core *c, const struct client *cl, uint32_t request)
{
	struct warn w = {.c = c, .cl = cl, .request = request};
	char line[512];

	if (c->conf_error) {
		snprintf(line, sizeof(line), "the configuration on disk is not in force: %.440s",
			 c->conf_error);
		send_row(&w, MSG_NET_ALL, WARNING_CONFIGURATION, line, "vnetctl check");
	}
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (c->net[n].conf)
			warn_state(&w, &c->net[n]);
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (c->net[n].conf)
			warn_firewall(&w, &c->net[n]);
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (c->net[n].conf)
			warn_inside(&w, &c->net[n]);
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (c->net[n].conf)
			warn_links(&w, &c->net[n]);
	warn_redirects(&w);
}
