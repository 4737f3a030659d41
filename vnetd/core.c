/* SPDX-License-Identifier: GPL-2.0-or-later
 * core.c - the engine's life: start, messages of priv, kernel events, deadlines.
 */
#include "vnetd/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/push.h"

enum {
	/* The service manager hears READY after so long at the latest: a worker that cannot start is no
	 * reason to call the whole start a failure. */
	READY_MS = 5000,
};

struct core *
core_new(const struct core_io *io, void *io_arg, enum log_level level)
{
	struct core *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->io = io;
	c->io_arg = io_arg;
	c->level = level;
	c->ready_by = MONO_NEVER;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		net_init(&c->net[n], n);
	for (unsigned r = 0; r < ROLE_N; r++)
		worker_init(&c->worker[r]);
	c->worker[ROLE_REDIRD].idle = true;
	asks_init(&c->asks);
	settle_init(&c->settle);
	events_init(&c->events);
	keeper_init(&c->keeper);
	fasten_init(&c->fasten);
	grants_init(&c->grants);
	redirects_init(&c->redirects);
	return c;
}

void
core_free(struct core *c)
{
	if (!c)
		return;
	jobs_fini(&c->jobs);
	asks_fini(&c->asks);
	settle_fini(&c->settle);
	for (unsigned n = 0; n < NAMES_NETS; n++)
		net_fini(&c->net[n]);
	for (unsigned r = 0; r < ROLE_N; r++)
		worker_fini(&c->worker[r]);
	ports_fini(&c->ports);
	forward_texts_fini(&c->forward_texts);
	clients_fini(&c->clients);
	events_fini(&c->events);
	keeper_fini(&c->keeper);
	grants_fini(&c->grants);
	captures_fini(&c->captures);
	redirects_fini(&c->redirects);
	users_fini(&c->users);
	generation_unref(c->gen);
	free(c->conf_error);
	free(c->forward_error);
	free(c);
}

void
core_start(struct core *c, struct mono now, const struct msg_engine_init *m)
{
	c->now = now;
	c->vnet_gid = m->group_gid;
	c->started = (struct mono){(int64_t)m->started_mono_ms};
	c->restarted = m->restarted;
	keeper_start(c);
	grant_start(c);
	captures_start(c);
	job_submit(c, JOB_START, 0, NULL);
}

bool
core_priv_msg(struct core *c, struct mono now, const struct msg *m, int *fds, size_t nfds)
{
	c->now = now;
	/* WORKER_UP carries a channel and is engine.c's. */
	if (m->type == MSG_REPLY)
		return ask_reply(c, m, fds, nfds);
	if (m->type == MSG_GATE_ROW || m->type == MSG_MARKER_ROW || m->type == MSG_REDIRECT_FILE ||
	    m->type == MSG_CONN_ROW)
		return ask_row(c, m, fds, nfds);
	if (m->id != 0)
		return false;
	if (m->type == MSG_RELOAD)
		job_submit(c, JOB_RELOAD, 0, NULL);
	else if (m->type == MSG_CAPTURE_GONE)
		captures_gone(c, &m->u.capture_gone);
	else if (m->type == MSG_WORKER_GONE && m->u.worker_gone.role < ROLE_N)
		worker_ended(c, &m->u.worker_gone);
	else
		return false;
	return true;
}

/* For the service manager's status line. */
static void
sum_up(const struct core *c, char *buf, size_t cap)
{
	unsigned networks = 0, failed = 0;
	const char *why;
	int len;

	for (unsigned n = 0; n < NAMES_NETS; n++) {
		if (!c->net[n].conf)
			continue;
		networks++;
		failed += net_state(c, &c->net[n], &why) == NET_STATE_FAILED;
	}
	len = snprintf(buf, cap, "%u network%s", networks, networks == 1 ? "" : "s");
	if (failed)
		snprintf(buf + len, cap - (size_t)len, ", %u failed", failed);
}

void
core_progress(struct core *c)
{
	struct msg m = msg_make(MSG_ENGINE_READY, 0);
	char text[sizeof(c->ready)];

	/* Sockets of redirections belong to the first plan. */
	if (!c->settle.first_done || (c->redirects.adopted && !c->redirects.synced))
		return;
	if (!c->serving) {
		c->serving = true;
		c->ready_by = mono_add(c->now, READY_MS);
		c->io->serve(c->io_arg);
	}
	if (!c->ready[0] && !workers_are_ready(c) && mono_before(c->now, c->ready_by))
		return;
	c->ready_by = MONO_NEVER;
	sum_up(c, text, sizeof(text));
	if (!strcmp(text, c->ready))
		return;
	snprintf(c->ready, sizeof(c->ready), "%s", text);
	MSG_SET_STR(m.u.engine_ready.text, text);
	c->io->to_priv(c->io_arg, &m, NULL, 0);
}

void
core_wake(struct core *c)
{
	struct mono when = mono_min(settle_deadline(c), job_deadline(c));

	if (c->settle.first_done && !c->settle.running)
		when = mono_min(when, mono_min(grant_deadline(c), fasten_deadline(c)));
	when = mono_min(when, captures_deadline(c));
	when = mono_min(when, redirect_deadline(c));
	c->io->wake_at(c->io_arg, mono_min(when, c->ready_by));
}

void
core_timer(struct core *c, struct mono now)
{
	c->now = now;
	if (c->settle.first_done && grant_expire(c))
		settle_soon(c);
	captures_expire(c);
	settle_timer(c);
	if (c->settle.first_done && !c->settle.running)
		fasten_timer(c);
	redirect_timer(c);
	job_workers_ready(c);
	core_progress(c);
	core_wake(c);
}

/* --- kernel events: which of them concern us --- */

static bool
is_our_bridge(const struct core *c, int ifindex)
{
	for (unsigned n = 0; ifindex && n < NAMES_NETS; n++)
		if (c->net[n].ifindex == ifindex)
			return true;
	return false;
}

/* The prefix shares addresses with a network of ours. */
static bool
is_our_space(const struct core *c, struct prefix4 p)
{
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (c->net[n].conf && c->net[n].conf->subnet.len > 0 &&
		    prefix4_overlaps(c->net[n].conf->subnet, p))
			return true;
	return false;
}

static bool
is_tap_name(const struct core *c, const char *name)
{
	for (size_t i = 0; c->gen && i < c->gen->conf->nports; i++)
		if (c->gen->conf->port[i].name && !strcmp(c->gen->conf->port[i].name, name))
			return true;
	return false;
}

void
core_link_event(struct core *c, struct mono now, const struct rtnl_link *l, bool gone UNUSED)
{
	struct port *p = port_of_index(c, l->ifindex);

	c->now = now;
	redirect_addrs_changed(c);
	/* Off its bridge, if only for a moment. */
	if (p && p->bridge && l->master != p->bridge)
		keeper_lost_bridge(c, p, true);
	if (names_bridge_parse(NULL, l->name) || snapshot_is_ours(NULL, l) ||
	    is_our_bridge(c, l->ifindex) || is_our_bridge(c, l->master) || p ||
	    is_tap_name(c, l->name))
		settle_soon(c);
}

void
core_addr_event(struct core *c, struct mono now, const struct rtnl_addr *a)
{
	c->now = now;
	redirect_addrs_changed(c);
	if (is_our_bridge(c, a->ifindex) || is_our_space(c, (struct prefix4){a->addr, 32}))
		settle_soon(c);
}

void
core_route_event(struct core *c, struct mono now, const struct rtnl_route *r)
{
	c->now = now;
	if (is_our_bridge(c, r->oif) || r->protocol == NAMES_ROUTE_PROTO ||
	    (r->dst.len >= CONF_PREFIX_MIN && is_our_space(c, r->dst)))
		settle_soon(c);
}

void
core_neigh_gone(struct core *c, struct mono now, const struct rtnl_neigh *n)
{
	c->now = now;
	if (n->proto == NAMES_ROUTE_PROTO && is_our_bridge(c, n->ifindex))
		settle_soon(c);
}

void
core_overrun(struct core *c, struct mono now)
{
	c->now = now;
	/* An address may have gone unseen: every gate is set again. */
	for (struct port *p = c->ports.head; p; p = p->next)
		p->gate.known = false;
	settle_soon(c);
}
