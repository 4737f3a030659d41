/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect.c - which redirections there are, and their listening sockets.
 */
#include "vnetd/redirect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/redirect_text.h"

enum {
	/* A port that is taken is tried again so often. */
	RETRY_MS = 5000,
	/* vnet-redird has so long to reset connections before their address goes. */
	SWEEP_MS = 2000,
	/* A resolver has so long to say which sockets of a former engine are right. */
	HOLD_MS = 4000,
};

void
redirects_init(struct redirects *r)
{
	memset(r, 0, sizeof(*r));
	r->retry_at = r->sweep_by = r->hold_by = MONO_NEVER;
	redirect_names_init(&r->names);
}

static void
redirection_free(struct redirection *r)
{
	redirect_texts_unref(r->texts);
	free(r->trouble);
	free(r->alias_trouble);
	free(r->log_trouble);
	free(r->circle);
	free(r);
}

void
redirects_fini(struct redirects *rs)
{
	while (rs->head) {
		struct redirection *r = rs->head;

		rs->head = r->next;
		redirection_free(r);
	}
	redirect_names_fini(&rs->names);
}

const struct redirection *
redirect_of(const struct core *c, const char *id)
{
	const struct redirection *r = c->redirects.head;

	while (r && strcmp(r->conf->id, id) != 0)
		r = r->next;
	return r;
}

static void
set_trouble(struct redirection *r, const char *why)
{
	char *copy = why && *why ? strdup(why) : NULL;

	free(r->trouble);
	r->trouble = copy;
}

/* --- adoption --- */

static struct redirection *
take_out(struct redirection **list, const char *id)
{
	struct redirection **at = list, *r;

	while (*at && strcmp((*at)->conf->id, id) != 0)
		at = &(*at)->next;
	r = *at;
	if (r)
		*at = r->next;
	return r;
}

static void
configure(struct redirection *r, struct redirect_texts *t, const struct redirect_service *s)
{
	struct redirect_texts *old = r->texts;

	r->texts = redirect_texts_ref(t);
	r->conf = s;
	r->kept = false;
	redirect_texts_unref(old);
}

/* Another service of the reading that has the id, and can run. */
static bool
is_replaced(const struct redirect *m, const char *id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].id && !m->v[i].bad && !m->v[i].disabled && !strcmp(m->v[i].id, id))
			return true;
	return false;
}

/* The service of the new reading, or its old self if the new one is wrong; NULL: it does not run. */
static struct redirection *
adopt_one(struct core *c, struct redirect_texts *t, const struct redirect_service *s,
	  struct redirection **old)
{
	struct redirection *r;

	if (s->disabled || !s->id || (s->bad && is_replaced(&t->r, s->id)))
		return NULL;
	r = take_out(old, s->id);
	if (s->bad) {
		if (r)
			r->kept = true;
		return r;
	}
	if (r && !redirect_service_eq(r->conf, s)) {
		log_info("redirection %s: changed", s->id);
		events_add(c, "redirect-changed", MSG_NET_ALL, "", "redirection %s is changed",
			   s->id);
	}
	if (!r)
		r = calloc(1, sizeof(*r));
	if (!r) {
		log_warn(ENOMEM, "redirection %s", s->id);
		return NULL;
	}
	if (!r->serial)
		r->serial = ++c->redirects.last_serial;
	configure(r, t, s);
	return r;
}

static bool
is_in_model(const struct redirect *m, const char *id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].id && !strcmp(m->v[i].id, id))
			return true;
	return false;
}

/* What the new reading does not have at all: gone on purpose, unless its file is broken. */
static bool
is_kept(const struct job *j, const struct redirection *r)
{
	const struct redirect_texts *t = j->load.redirect;

	return !is_in_model(&t->r, r->conf->id) &&
	       redirect_texts_broken(t, &j->diags, r->conf->pos.file);
}

static void
end_or_keep(struct core *c, struct job *j, struct redirection *old, struct redirection ***end)
{
	while (old) {
		struct redirection *r = old;

		old = r->next;
		r->next = NULL;
		if (is_kept(j, r)) {
			r->kept = true;
			**end = r;
			*end = &r->next;
			continue;
		}
		log_info("redirection %s: removed", r->conf->id);
		events_add(c, "redirect-removed", MSG_NET_ALL, "", "redirection %s is removed",
			   r->conf->id);
		redirection_free(r);
	}
}

void
redirect_adopt(struct core *c, struct job *j)
{
	struct redirects *rs = &c->redirects;
	struct redirect_texts *t = j->load.redirect;
	struct redirection *old = rs->head, **end = &rs->head;

	if (!t) {
		redirect_names_soon(c); /* reservations may be others */
		return;
	}
	rs->head = NULL;
	for (size_t i = 0; i < t->r.n; i++) {
		struct redirection *r = adopt_one(c, t, &t->r.v[i], &old);

		if (!r)
			continue;
		r->next = NULL;
		*end = r;
		end = &r->next;
	}
	end_or_keep(c, j, old, &end);
	rs->adopted = true;
	redirect_names_want(c);
}

/* --- sockets --- */

static bool
same_place(const struct msg_sock_listen *a, const struct msg_sock_listen *b)
{
	return a->port == b->port && a->family == b->family &&
	       memcmp(a->addr.b, b->addr.b, sizeof(a->addr.b)) == 0 &&
	       !strcmp(a->ifname, b->ifname);
}

/* Where its configuration, and what its own name stands for, say that it listens. */
static void
find_place(const struct core *c, const struct redirection *r, struct msg_sock_listen *at)
{
	const struct redirect_service *s = r->conf;
	struct redirect_ip ip = s->bind.ip;
	size_t n = 1;

	memset(at, 0, sizeof(*at));
	at->addr.len = sizeof(at->addr.b);
	at->family = (uint8_t)s->family;
	if (!s->has_bind) {
		memset(&ip, 0, sizeof(ip));
		if (s->family == REDIRECT_IP4)
			ip.b[10] = ip.b[11] = 0xff;
	} else if (s->bind.name) {
		n = redirect_names_get(c, s->bind.name, s->family, &ip, 1);
		at->family = redirect_ip_is4(ip) ? REDIRECT_IP4 : REDIRECT_IP6;
	}
	if (n == 0)
		return;
	memcpy(at->addr.b, ip.b, sizeof(at->addr.b));
	if (s->has_bind && s->bind.ifname)
		MSG_SET_STR(at->ifname, s->bind.ifname);
	at->port = s->port;
}

/* One that is kept may sit where a new one wants to be; the parser never saw both. */
static const struct redirection *
who_sits_there(const struct core *c, const struct redirection *r)
{
	bool before = true;

	for (const struct redirection *o = c->redirects.head; o; o = o->next) {
		if (o == r)
			before = false;
		else if (same_place(&o->at, &r->at) && (before || (o->kept && !r->kept)))
			return o;
	}
	return NULL;
}

static void
tell_trouble(struct core *c, struct redirection *r, const char *why)
{
	if (r->trouble && !strcmp(r->trouble, why))
		return;
	set_trouble(r, why);
	log_warn(0, "redirection %s: %s", r->conf->id, why);
	events_add(c, "redirect-failed", MSG_NET_ALL, "", "redirection %s: %s", r->conf->id, why);
}

static bool
place(struct core *c, struct redirection *r)
{
	struct msg_sock_listen at;
	const struct redirection *other;
	char why[256];

	find_place(c, r, &at);
	if (!same_place(&at, &r->at)) {
		r->listener = 0;
		r->told = false;
	}
	r->at = at;
	if (at.port == 0) {
		snprintf(why, sizeof(why), "its own address \"%.200s\" is not known so far",
			 r->conf->bind.name);
		tell_trouble(c, r, why);
		return false;
	}
	other = who_sits_there(c, r);
	if (other) {
		snprintf(why, sizeof(why), "redirection %s listens there already", other->conf->id);
		tell_trouble(c, r, why);
		r->at.port = 0;
		r->listener = 0;
		return false;
	}
	return true;
}

struct redirection *
redirect_by_serial(const struct core *c, uint32_t serial)
{
	struct redirection *r = c->redirects.head;

	while (r && r->serial != serial)
		r = r->next;
	return r;
}

static void
tell_listens(struct core *c, struct redirection *r)
{
	char at[REDIRECT_LISTEN_LEN], to[REDIRECT_TARGET_LEN];

	if (r->told)
		return;
	r->told = true;
	redirect_listen_text(r, at);
	redirect_target_text(r->conf, to);
	log_info("redirection %s: %s leads to %s", r->conf->id, at, to);
	events_add(c, "redirect-up", MSG_NET_ALL, "", "redirection %s: %s leads to %s", r->conf->id,
		   at, to);
}

/* All of it is with priv; what vnet-redird has to say is waited for before addresses go. */
static void
sockets_known(struct core *c)
{
	struct redirects *rs = &c->redirects;

	rs->synced = rs->pushed = true;
	rs->retry_at = MONO_NEVER;
	for (struct redirection *r = rs->head; r; r = r->next) {
		if (r->listener)
			tell_listens(c, r);
		if (!r->listener || r->alias_trouble || r->log_trouble)
			rs->retry_at = mono_add(c->now, RETRY_MS);
	}
	redirect_push(c);
	rs->sweep_by = mono_add(c->now, SWEEP_MS);
	redirect_worker_settled(c);
	core_wake(c);
}

void
redirect_one_less(struct core *c)
{
	struct redirects *rs = &c->redirects;

	if (--rs->pending > 0)
		return;
	if (!rs->pushed) {
		sockets_known(c);
		return;
	}
	rs->syncing = rs->pushed = rs->sweeping = false;
	if (rs->again)
		redirect_sync(c);
	core_progress(c);
	job_workers_ready(c);
	core_wake(c);
}

static void
swept(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
      void *p UNUSED, uint32_t n UNUSED)
{
	if (r->err)
		log_warn((int)r->err, "sockets of redirections could not be closed");
	redirect_one_less(c);
}

static void
listens(struct core *c, const struct msg_reply *reply, int *fds UNUSED, size_t nfds UNUSED,
	void *p UNUSED, uint32_t serial)
{
	struct redirection *r = redirect_by_serial(c, serial);

	if (r && reply->err) {
		r->listener = 0;
		r->told = false;
		tell_trouble(c, r, reply->text[0] ? reply->text : strerrordesc_np((int)reply->err));
	} else if (r) {
		r->listener = (uint32_t)strtoul(reply->text, NULL, 10);
		set_trouble(r, NULL);
	}
	redirect_one_less(c);
}

/* Without knowing what an own name stands for, a sync would close a socket that a former engine had opened for it. */
static bool
is_held(struct core *c)
{
	struct redirects *rs = &c->redirects;

	if (rs->hold_by.ms == MONO_NEVER.ms)
		rs->hold_by = mono_add(c->now, HOLD_MS);
	if (rs->synced || !mono_before(c->now, rs->hold_by) || !redirect_names_binds_open(c))
		return false;
	rs->retry_at = rs->hold_by;
	core_wake(c);
	return true;
}

/* What stays is named first, so that what does not is out of the way of what comes. */
void
redirect_sync(struct core *c)
{
	struct redirects *rs = &c->redirects;
	struct msg keep = msg_make(MSG_LISTEN_KEEP, 0), sweep = msg_make(MSG_LISTEN_SWEEP, 0);

	if (!rs->adopted)
		return;
	rs->again = rs->syncing;
	if (rs->syncing)
		return;
	rs->held = is_held(c);
	if (rs->held)
		return;
	rs->syncing = true;
	rs->pending = 2; /* the sweep, and held until all requests are out */
	for (struct redirection *r = rs->head; r; r = r->next) {
		if (!place(c, r))
			continue;
		keep.u.listen_keep.addr.len = r->at.addr.len;
		memcpy(keep.u.listen_keep.addr.b, r->at.addr.b, sizeof(r->at.addr.b));
		keep.u.listen_keep.port = r->at.port;
		keep.u.listen_keep.family = r->at.family;
		memcpy(keep.u.listen_keep.ifname, r->at.ifname, sizeof(r->at.ifname));
		c->io->to_priv(c->io_arg, &keep, NULL, 0);
	}
	ask_priv(c, &sweep, NULL, 0, swept, NULL, 0);
	redirect_alias_sync(c);
	redirect_log_sync(c);
	for (struct redirection *r = rs->head; r; r = r->next) {
		struct msg m = msg_make(MSG_SOCK_LISTEN, 0);

		if (r->at.port == 0)
			continue;
		m.u.sock_listen = r->at;
		rs->pending++;
		ask_priv(c, &m, NULL, 0, listens, NULL, r->serial);
	}
	redirect_one_less(c);
}

void
redirect_renamed(struct core *c)
{
	bool own = false;

	for (const struct redirection *r = c->redirects.head; r; r = r->next)
		own |= r->conf->has_bind && r->conf->bind.name;
	if (own)
		redirect_sync(c);
	else
		redirect_push(c);
}

void
redirect_worker_up(struct core *c)
{
	redirect_push(c);
}

/* One that is not there has no connections either. */
void
redirect_worker_settled(struct core *c)
{
	struct redirects *rs = &c->redirects;
	const struct worker *w = &c->worker[ROLE_REDIRD];

	if (!rs->pushed || rs->sweeping ||
	    (w->up && !worker_is_ready(w) && mono_before(c->now, rs->sweep_by)))
		return;
	rs->sweeping = true;
	rs->sweep_by = MONO_NEVER;
	redirect_alias_sweep(c);
}

/* --- time, state, events --- */

struct mono
redirect_deadline(const struct core *c)
{
	struct mono t = mono_min(redirect_names_deadline(c), redirect_alias_deadline(c));

	return mono_min(t, c->redirects.syncing ? c->redirects.sweep_by : c->redirects.retry_at);
}

void
redirect_timer(struct core *c)
{
	redirect_names_timer(c);
	redirect_alias_timer(c);
	redirect_worker_settled(c);
	if (!c->redirects.syncing && !mono_before(c->now, c->redirects.retry_at)) {
		c->redirects.retry_at = MONO_NEVER;
		redirect_sync(c);
	}
}

enum redirect_state
redirect_state(const struct core *c, const struct redirection *r, const char **why)
{
	const struct worker *w = &c->worker[ROLE_REDIRD];
	struct redirect_ip ip[REDIRECT_NAME_ADDRS];

	*why = r->kept ? "a newer version of it has errors (see vnetctl check)" : "";
	if (r->trouble) {
		*why = r->trouble;
		return REDIRECT_STATE_FAILED;
	}
	if (!r->listener || !w->up) {
		if (r->listener && w->gone)
			*why = w->gone;
		return REDIRECT_STATE_STARTING;
	}
	if (r->alias_trouble) {
		*why = r->alias_trouble;
		return REDIRECT_STATE_WAITING;
	}
	if (r->circle) {
		*why = r->circle;
		return redirect_ways(c, r, ip) ? REDIRECT_STATE_OK : REDIRECT_STATE_FAILED;
	}
	if (!(r->conf->flags & REDIRECT_SENSOR) && redirect_targets(c, r->conf, ip, 1) == 0) {
		*why = "its target has no address so far";
		return REDIRECT_STATE_WAITING;
	}
	if (r->log_trouble && !r->kept)
		*why = r->log_trouble;
	return REDIRECT_STATE_OK;
}

void
redirect_event(struct core *c, const struct msg_redirect_event *m)
{
	static const char *const words[] = {"redirect-off",    "redirect-on",
					    "redirect-sensor", "redirect-no-target",
					    "redirect-full",   "redirect-room"};

	static_assert(ARRAY_LEN(words) == REDIRECT_EVENT_N, "every event has a word");
	if (m->what < REDIRECT_EVENT_N)
		events_add(c, words[m->what], MSG_NET_ALL, "", "%s%s%s", m->service,
			   m->service[0] ? ": " : "", m->text);
}
