/* SPDX-License-Identifier: GPL-2.0-or-later
 * worker.c - reports and answers of dhcpd, natd and redird.
 */
#include "vnetd/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/push.h"

void
worker_init(struct worker *w)
{
	memset(w, 0, sizeof(*w));
}

void
worker_fini(struct worker *w)
{
	while (w->asks) {
		struct worker_ask *a = w->asks;

		w->asks = a->next;
		free(a);
	}
	free(w->gone);
	free(w->fault);
	worker_init(w);
}

bool
worker_is_ready(const struct worker *w)
{
	return w->up && w->generation > 0 && w->answered == w->generation;
}

bool
workers_are_ready(const struct core *c)
{
	if (c->redirects.syncing || c->redirects.held)
		return false;
	for (unsigned r = 0; r < ROLE_N; r++)
		if (r != ROLE_ENGINE && !c->worker[r].idle && !worker_is_ready(&c->worker[r]))
			return false;
	return true;
}

static const char *
worker_name(enum role role)
{
	switch (role) {
	case ROLE_DHCPD:
		return "vnet-dhcpd";
	case ROLE_NATD:
		return "vnet-natd";
	case ROLE_REDIRD:
		return "vnet-redird";
	case ROLE_ENGINE:
	case ROLE_N:
		break;
	}
	return "?";
}

/* --- questions --- */

static void
end_ask(struct core *c, struct worker_ask *a, const struct msg *reply)
{
	a->row(c, reply, a->p);
	free(a);
}

static void
refuse(struct core *c, enum role role, worker_row_fn *row, void *p)
{
	struct msg r = msg_reply(0, EAGAIN, NULL);

	snprintf(r.u.reply.text, sizeof(r.u.reply.text),
		 "%s is being started; ask again in a moment", worker_name(role));
	row(c, &r, p);
}

void
worker_ask(struct core *c, enum role role, struct msg *m, worker_row_fn *row, void *p)
{
	struct worker *w = &c->worker[role];
	struct worker_ask *a = w->up ? malloc(sizeof(*a)) : NULL;

	if (!a) {
		refuse(c, role, row, p);
		return;
	}
	if (++w->last_id == 0)
		w->last_id = 1;
	*a = (struct worker_ask){w->asks, w->last_id, row, p};
	w->asks = a;
	m->id = a->id;
	c->io->to_worker(c->io_arg, role, m);
}

static struct worker_ask **
find_ask(struct worker *w, uint32_t id)
{
	struct worker_ask **p = &w->asks;

	while (*p && (*p)->id != id)
		p = &(*p)->next;
	return p;
}

static bool
take_answer(struct core *c, struct worker *w, const struct msg *m)
{
	struct worker_ask **p = find_ask(w, m->id), *a = *p;

	if (!a)
		return false;
	if (m->type == MSG_REPLY) {
		*p = a->next;
		end_ask(c, a, m);
	} else {
		a->row(c, m, a->p);
	}
	return true;
}

/* --- coming and going --- */

void
core_worker_up(struct core *c, struct mono now, enum role role)
{
	struct worker *w = &c->worker[role];

	c->now = now;
	w->up = true;
	w->generation = w->answered = 0;
	push_worker(c, role);
	if (role == ROLE_REDIRD)
		redirect_worker_up(c);
}

void
core_worker_lost(struct core *c, struct mono now, enum role role)
{
	struct worker *w = &c->worker[role];

	c->now = now;
	w->up = false;
	while (w->asks) {
		struct worker_ask *a = w->asks;

		w->asks = a->next;
		refuse(c, role, a->row, a->p);
		free(a);
	}
	if (role == ROLE_REDIRD)
		redirect_worker_settled(c);
}

static void
announce_all(struct core *c)
{
	for (unsigned n = 0; n < NAMES_NETS; n++)
		net_announce(c, &c->net[n]);
}

void
worker_ended(struct core *c, const struct msg_worker_gone *m)
{
	enum role role = (enum role)m->role;
	struct worker *w = &c->worker[role];
	char text[256];

	snprintf(text, sizeof(text), "%s has ended (%s); it is started again", worker_name(role),
		 m->how);
	free(w->gone);
	w->gone = strdup(text);
	events_add(c, "worker-gone", MSG_NET_ALL, "", "%s", text);
	announce_all(c);
}

/* --- reports --- */

static void
take_ready(struct core *c, enum role role, const struct msg_conf_ready *m)
{
	struct worker *w = &c->worker[role];

	w->answered = m->generation;
	free(w->fault);
	w->fault = m->err ? strdup(m->text) : NULL;
	if (!worker_is_ready(w))
		return;
	if (w->changed && m->err == ESTALE) {
		push_worker(c, role);
		return;
	}
	if (w->gone) {
		free(w->gone);
		w->gone = NULL;
		events_add(c, "worker-up", MSG_NET_ALL, "", "%s is back", worker_name(role));
		announce_all(c);
	}
	if (role == ROLE_DHCPD) {
		keeper_ask_leases(c);
		events_add(c, "dhcp-ready", MSG_NET_ALL, "", "%s serves the configuration",
			   worker_name(role));
	}
	if (role == ROLE_REDIRD)
		redirect_worker_settled(c);
	else
		redirect_names_soon(c);
	core_progress(c);
	job_workers_ready(c);
}

static void
take_service(struct core *c, const struct msg_service_state *m)
{
	struct net *n;
	struct service_state *s;
	bool was_ok, changed;

	if (m->net >= NAMES_NETS || m->service >= SERVICE_N)
		return;
	n = &c->net[m->net];
	s = &n->service[m->service];
	was_ok = !s->known || s->ok;
	changed = net_text(&s->text, n->n, m->text);
	net_text(&s->cure, n->n, m->cure);
	s->known = true;
	s->ok = m->ok;
	s->can_cure = m->can_cure;
	/* Nothing happens as long as bridge-nf is off, and that is not known here. */
	if (m->service == SERVICE_INSIDE)
		return;
	if (!m->ok && (was_ok || changed)) {
		log_warn(0, "vmnet%u: %s: %s", n->n, service_name((enum service)m->service),
			 s->text ? s->text : "does not work");
		events_add(c, "service-down", n->n, "", "vmnet%u: %s: %s", n->n,
			   service_name((enum service)m->service),
			   s->text ? s->text : "does not work");
	} else if (m->ok && !was_ok) {
		events_add(c, "service-up", n->n, "", "vmnet%u: %s works again", n->n,
			   service_name((enum service)m->service));
	}
	net_announce(c, n);
}

static void
take_lease(struct core *c, const struct msg_lease_changed *m)
{
	static const char *const words[] = {"lease-leased",  "lease-renewed",  "lease-released",
					    "lease-expired", "lease-declined", "lease-offered"};

	static_assert(ARRAY_LEN(words) == LEASE_EVENT_N, "every lease event has a word");
	if (m->net >= NAMES_NETS || m->event >= LEASE_EVENT_N)
		return;
	/* What is only offered is nobody's so far. */
	if (m->event != LEASE_OFFER) {
		keeper_lease(c, m);
		redirect_names_lease(c, m);
		guest_names_lease(c, m);
	}
	events_add(c, words[m->event], m->net, "", "vmnet%u: %s %s%s%s %s", m->net,
		   IP4_STR(m->addr), MAC_STR(m->mac), *m->name ? " " : "", m->name,
		   lease_event_name((enum lease_event)m->event));
}

static void
take_pool(struct core *c, const struct msg_dhcp_pool *m)
{
	if (m->net >= NAMES_NETS || m->event >= POOL_EVENT_N)
		return;
	if (m->event == POOL_LOW)
		events_add(c, "pool-low", m->net, "",
			   "vmnet%u: %u of the %u addresses that DHCP can give are in use", m->net,
			   m->held, m->total);
	else
		events_add(
		    c, "pool-empty", m->net, "",
		    "vmnet%u: no address is free for a new guest, %u of %u are in use. Cure: "
		    "a larger range in vmnet%u/dhcpd/dhcpd.conf, or shorter leases",
		    m->net, m->held, m->total, m->net);
}

bool
core_worker_msg(struct core *c, struct mono now, enum role role, const struct msg *m)
{
	struct worker *w = &c->worker[role];

	c->now = now;
	/* Everything else is not a worker's to say. */
	if (m->id != 0)
		return (m->type == MSG_REPLY || m->type == MSG_LEASE_ROW ||
			m->type == MSG_DHCP_STAT || m->type == MSG_HOLD_ROW ||
			m->type == MSG_RELAY_ROW || m->type == MSG_DNS_STAT ||
			m->type == MSG_DNS_SERVER || m->type == MSG_LOOKUP_ADDR ||
			m->type == MSG_REDIRECT_STAT || m->type == MSG_REDIRECT_CONN) &&
		       take_answer(c, w, m);
	if (m->type == MSG_CONF_READY) {
		take_ready(c, role, &m->u.conf_ready);
		guest_names_ready(c, role);
	} else if (m->type == MSG_SERVICE_STATE) {
		take_service(c, &m->u.service_state);
	} else if (m->type == MSG_DHCP_COUNT && role == ROLE_DHCPD) {
		if (m->u.dhcp_count.net < NAMES_NETS) {
			c->net[m->u.dhcp_count.net].leases = m->u.dhcp_count.active;
			c->net[m->u.dhcp_count.net].lease_total = m->u.dhcp_count.total;
		}
	} else if (m->type == MSG_LEASE_CHANGED && role == ROLE_DHCPD) {
		take_lease(c, &m->u.lease_changed);
	} else if (m->type == MSG_DHCP_POOL && role == ROLE_DHCPD) {
		take_pool(c, &m->u.dhcp_pool);
	} else if (m->type == MSG_REDIRECT_EVENT && role == ROLE_REDIRD) {
		redirect_event(c, &m->u.redirect_event);
	} else {
		return false;
	}
	return true;
}
