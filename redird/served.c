/* SPDX-License-Identifier: GPL-2.0-or-later
 * served.c - see served.h.
 *
 * Sockets are asked for all at once; a service that has its answer starts without waiting for the others. One whose
 * names are not known so far keeps what it has, but lets nobody in.
 */
#include "redird/served.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "redird/logs.h"

struct redirection {
	struct redirection *next;
	char name[64];
	uint32_t id;       /* redird's number; never used again */
	uint32_t listener; /* priv's number of the socket that it has; 0: none */
	struct ip6 alias;  /* its own address, if that was added for it; else all zeros */
	bool known;        /* redird has it */
	bool removed;   /* not in the configuration; here for the sake of its connections' name */
	uint32_t asked; /* request to priv under way; 0: none */
	struct confrow *conf; /* of rows */
	struct log_of log;
};

struct served {
	struct served_env env;
	struct confrows rows; /* the latest */
	struct redirection *head;
	struct logs logs;
	uint32_t last_id, last_ask;
	unsigned pending;
	bool told; /* that the latest configuration is settled */
	int err;   /* the first reason why a service of the latest configuration does not run */
};

static uint32_t
ask(void *arg, struct msg *m)
{
	struct served *s = arg;

	if (++s->last_ask == 0)
		s->last_ask = 1;
	m->id = s->last_ask;
	s->env.ask(s->env.arg, m);
	return m->id;
}

struct served *
served_new(const struct served_env *env)
{
	struct served *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->env = *env;
	s->logs.ask = ask;
	s->logs.arg = s;
	s->told = true;
	return s;
}

void
served_free(struct served *s)
{
	if (!s)
		return;
	while (s->head) {
		struct redirection *v = s->head;

		s->head = v->next;
		free(v);
	}
	logs_fini(&s->logs);
	confrows_fini(&s->rows);
	free(s);
}

static struct redirection *
find(const struct served *s, const char *name)
{
	struct redirection *v = s->head;

	while (v && (v->removed || strcmp(v->name, name) != 0))
		v = v->next;
	return v;
}

/* --- putting it into force --- */

static void
fault(struct served *s, const struct redirection *v, int err)
{
	log_error(-err, "redirection %s: cannot be served", v->name);
	if (s->err == 0)
		s->err = -err;
}

/* listener: a fresh one, which is taken, or -1: it keeps what it has. */
static void
start(struct served *s, struct redirection *v, int listener)
{
	struct redird_service conf = v->conf->s;
	int r;

	if (v->known && v->conf->waits && listener < 0) {
		redird_pause(s->env.redird, v->id, true);
		return;
	}
	conf.id = v->id;
	conf.name = v->name;
	r = v->known ? redird_change(s->env.redird, &conf, listener)
		     : redird_add(s->env.redird, &conf, listener);
	if (r < 0) {
		fault(s, v, r);
		return;
	}
	redird_pause(s->env.redird, v->id, v->conf->waits);
	v->known = true;
	if (listener >= 0)
		v->listener = v->conf->listener;
}

static void
ask_listener(struct served *s, struct redirection *v)
{
	struct msg m = msg_make(MSG_LISTEN_TAKE, 0);

	m.u.listen_take.listener = v->conf->listener;
	s->pending++;
	v->asked = ask(s, &m);
}

static void
remove_gone(struct served *s)
{
	for (struct redirection *v = s->head; v; v = v->next) {
		if (v->removed || v->conf)
			continue;
		v->removed = true;
		if (v->known)
			redird_remove(s->env.redird, v->id);
	}
}

static bool
is_set(const struct ip6 *a)
{
	static const struct ip6 none;

	return memcmp(a, &none, sizeof(none)) != 0;
}

/* Its clients are told while its address is there. */
static void
cut_from_aliases(struct served *s)
{
	for (struct redirection *v = s->head; v; v = v->next) {
		unsigned n;

		if (!v->known || !is_set(&v->alias) || confrows_has_alias(&s->rows, &v->alias))
			continue;
		n = redird_kill_all(s->env.redird, v->id);
		if (n)
			log_info("redirection %s: its address goes, connections reset: %u", v->name,
				 n);
	}
}

/* Names are kept as long as redird lists connections under them. */
static void
forget_ended(struct served *s)
{
	struct redirection **at = &s->head;
	struct redird_counters n;

	while (*at) {
		struct redirection *v = *at;

		if (v->removed && (!v->known || redird_counters(s->env.redird, v->id, &n) < 0)) {
			*at = v->next;
			free(v);
		} else {
			at = &v->next;
		}
	}
}

static struct redirection *
add(struct served *s, const struct confrow *conf)
{
	struct redirection *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	memcpy(v->name, conf->name, sizeof(v->name));
	v->alias = conf->alias;
	v->id = ++s->last_id;
	v->next = s->head;
	s->head = v;
	return v;
}

static void
settle_if_done(struct served *s)
{
	if (s->told || s->pending > 0 || logs_waits(&s->logs))
		return;
	s->told = true;
	s->env.settled(s->env.arg, s->rows.generation, s->err);
}

/* Before sockets are asked for, so that they are there when somebody connects. */
static void
renew_logs(struct served *s)
{
	for (struct redirection *v = s->head; v; v = v->next) {
		if (v->conf)
			v->log.place = v->conf->log;
		logs_want(&s->logs, &v->log.place);
	}
	logs_renew(&s->logs);
	redird_others(s->env.redird, logs_count(&s->logs));
}

/* NULL: no memory. With another added address it is another service: what was let in belongs to the old one. */
static struct redirection *
of_row(struct served *s, const struct confrow *row)
{
	struct redirection *v = find(s, row->name);

	if (v && is_set(&v->alias) && memcmp(&v->alias, &row->alias, sizeof(v->alias)) != 0)
		v = NULL;
	if (!v)
		return add(s, row);
	v->alias = row->alias;
	return v;
}

void
served_apply(struct served *s, struct confrows *rows)
{
	struct confrows old = s->rows;

	s->rows = *rows;
	confrows_init(rows);
	s->err = 0;
	s->pending = 0;
	s->told = false;
	for (struct redirection *v = s->head; v; v = v->next) {
		v->conf = NULL;
		v->asked = 0;
	}
	for (size_t i = 0; i < s->rows.n; i++) {
		struct redirection *v = of_row(s, &s->rows.v[i]);

		if (v)
			v->conf = &s->rows.v[i];
		else
			s->err = ENOMEM;
	}
	/* First, so that a socket which passes from one service to another has one user. */
	remove_gone(s);
	cut_from_aliases(s);
	forget_ended(s);
	renew_logs(s);
	for (struct redirection *v = s->head; v; v = v->next) {
		if (!v->conf)
			continue;
		if (v->known && v->listener == v->conf->listener)
			start(s, v, -1);
		else
			ask_listener(s, v);
	}
	confrows_fini(&old);
	settle_if_done(s);
}

bool
served_answer(struct served *s, const struct msg *m, int *fds, size_t nfds)
{
	struct redirection *v = s->head;

	if (m->type != MSG_REPLY)
		return false;
	if (logs_answer(&s->logs, m, fds, nfds)) {
		settle_if_done(s);
		return true;
	}
	while (v && v->asked != m->id)
		v = v->next;
	if (!v) /* asked for a configuration that is not the latest any more */
		return m->id <= s->last_ask;
	v->asked = 0;
	s->pending--;
	if (m->u.reply.err == 0 && nfds == 1)
		start(s, v, fd_take(&fds[0]));
	else
		fault(s, v, m->u.reply.err ? -(int)m->u.reply.err : -EPROTO);
	settle_if_done(s);
	return true;
}

bool
served_log(struct served *s, uint32_t id, const char *text)
{
	for (struct redirection *v = s->head; v; v = v->next)
		if (v->id == id)
			return logs_write(&s->logs, &v->log, v->name, text);
	return false;
}

/* --- looking --- */

size_t
served_count(const struct served *s)
{
	return s->rows.n;
}

const char *
served_name(const struct served *s, uint32_t id)
{
	for (const struct redirection *v = s->head; v; v = v->next)
		if (v->id == id)
			return v->name;
	return "";
}

void
served_each(const struct served *s, const char *name,
	    void (*cb)(const char *name, uint32_t id, bool removed, void *arg), void *arg)
{
	for (const struct redirection *v = s->head; v; v = v->next)
		if (v->known && (!*name || !strcmp(v->name, name)))
			cb(v->name, v->id, v->removed, arg);
}
