/* SPDX-License-Identifier: GPL-2.0-or-later
 * confrows.c - collects the rows of the services.
 */
#include "redird/confrows.h"

#include <stdlib.h>
#include <string.h>

#define RULE_LEN 17

void
confrows_init(struct confrows *c)
{
	memset(c, 0, sizeof(*c));
}

void
confrows_fini(struct confrows *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].only_from);
		free(c->v[i].no_access);
		free(c->v[i].times);
		for (unsigned b = 0; b < REDIRECT_BANNER_N; b++)
			free(c->v[i].banner[b]);
	}
	free(c->v);
	free(c->alias);
	confrows_init(c);
}

static struct confrow *
last(struct confrows *c)
{
	return c->n ? &c->v[c->n - 1] : NULL;
}

static bool
is_there(const struct confrows *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->v[i].name, name))
			return true;
	return false;
}

static bool
add_alias(struct confrows *c, const struct msg_redirect_alias *m)
{
	struct ip6 *more;

	if (m->addr.len != sizeof(more->b) || c->naliases == CONFROWS_ALIASES_MAX)
		return false;
	more = reallocarray(c->alias, c->naliases + 1, sizeof(*more));
	if (!more)
		return false;
	c->alias = more;
	memcpy(more[c->naliases++].b, m->addr.b, sizeof(more->b));
	return true;
}

bool
confrows_has_alias(const struct confrows *c, const struct ip6 *a)
{
	for (size_t i = 0; i < c->naliases; i++)
		if (memcmp(&c->alias[i], a, sizeof(*a)) == 0)
			return true;
	return false;
}

static bool
add_service(struct confrows *c, const struct msg_redirect_service *m)
{
	struct confrow *r;

	if (!m->name[0] || m->listener == 0 || is_there(c, m->name) ||
	    (m->alias.len != 0 && m->alias.len != sizeof(r->alias.b)) ||
	    c->n >= CONFROWS_SERVICES_MAX)
		return false;
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 8;

		r = reallocarray(c->v, cap, sizeof(*r));
		if (!r)
			return false;
		c->v = r;
		c->cap = cap;
	}
	r = &c->v[c->n++];
	memset(r, 0, sizeof(*r));
	memcpy(r->name, m->name, sizeof(r->name));
	r->listener = m->listener;
	r->waits = m->waits;
	memcpy(r->alias.b, m->alias.b, m->alias.len);
	r->s.on_success = m->on_success;
	r->s.on_failure = m->on_failure;
	r->s.keepalive = m->keepalive;
	r->s.timeout_connect_ms = m->timeout_connect_ms;
	r->s.timeout_idle_ms = m->timeout_idle_ms;
	r->s.access.only_from_set = m->only_from;
	r->s.access.instances = m->instances;
	r->s.access.per_source = m->per_source;
	r->s.access.cps = m->cps;
	r->s.access.cps_wait_s = m->cps_wait_s;
	r->s.access.max_load_milli = m->max_load_milli;
	r->s.access.sensor = m->sensor;
	r->s.access.deny_min = (int32_t)m->deny_min;
	return true;
}

static bool
add_target(struct confrow *r, const struct msg_redirect_target *m)
{
	struct redird_endpoint *e = &r->s.targets[r->s.n_targets];

	if (r->s.n_targets == REDIRD_TARGETS_MAX || m->addr.len != 16 || m->port == 0)
		return false;
	memcpy(e->addr.b, m->addr.b, 16);
	e->port = m->port;
	e->scope = m->scope;
	r->s.n_targets++;
	return true;
}

static bool
add_rules(struct confrow *r, const struct msg_redirect_rules *m)
{
	struct access_rule **list = m->no_access ? &r->no_access : &r->only_from, *more;
	size_t *n = m->no_access ? &r->s.access.n_no_access : &r->s.access.n_only_from;
	size_t add = m->rules.len / RULE_LEN;

	if (m->rules.len % RULE_LEN || *n + add > CONFROWS_RULES_MAX)
		return false;
	more = reallocarray(*list, *n + add, sizeof(*more));
	if (!more)
		return add == 0;
	*list = more;
	for (size_t i = 0; i < add; i++) {
		const uint8_t *b = &m->rules.b[i * RULE_LEN];

		if (b[16] > 128)
			return false;
		memcpy(more[*n].addr.b, b, 16);
		more[(*n)++].len = b[16];
	}
	return true;
}

static bool
add_time(struct confrow *r, const struct msg_redirect_time *m)
{
	size_t n = r->s.access.n_times;
	struct access_span *more;

	if (n == CONFROWS_TIMES_MAX)
		return false;
	more = reallocarray(r->times, n + 1, sizeof(*more));
	if (!more)
		return false;
	r->times = more;
	more[n] = (struct access_span){m->from, m->to};
	r->s.access.n_times++;
	return true;
}

static struct redird_text *
text_of(struct confrow *r, unsigned which)
{
	switch ((enum redirect_banner)which) {
	case REDIRECT_BANNER_ALWAYS:
		return &r->s.banner;
	case REDIRECT_BANNER_SUCCESS:
		return &r->s.banner_success;
	case REDIRECT_BANNER_FAIL:
		return &r->s.banner_fail;
	case REDIRECT_BANNER_N:
		break;
	}
	return NULL;
}

static bool
add_banner(struct confrow *r, const struct msg_redirect_banner *m)
{
	struct redird_text *t = text_of(r, m->which);
	char *more;

	if (!t || t->len + m->text.len > REDIRD_BANNER_MAX)
		return false;
	more = realloc(r->banner[m->which], t->len + m->text.len + 1);
	if (!more)
		return false;
	r->banner[m->which] = more;
	memcpy(more + t->len, m->text.b, m->text.len);
	t->len += m->text.len;
	return true;
}

static bool
set_log(struct confrow *r, const struct msg_redirect_log *m)
{
	if (r->log.kind != LOG_OWN || m->pri > LOG_PRI_MAX || m->hard < m->soft)
		return false;
	r->log.kind = m->log ? LOG_FILE : LOG_SYSLOG;
	r->log.number = m->log;
	r->log.pri = m->pri;
	r->log.soft = m->soft;
	r->log.hard = m->hard;
	return true;
}

bool
confrows_add(struct confrows *c, const struct msg *m)
{
	struct confrow *r = last(c);

	if (m->type == MSG_CONF_BEGIN) {
		confrows_fini(c);
		c->open = true;
		c->generation = m->u.conf_begin.generation;
		return true;
	}
	if (!c->open)
		return false;
	if (c->refused)
		return true;
	if (m->type == MSG_REDIRECT_ALIAS)
		return add_alias(c, &m->u.redirect_alias);
	if (m->type == MSG_REDIRECT_SERVICE)
		return add_service(c, &m->u.redirect_service);
	if (!r)
		return false;
	if (m->type == MSG_REDIRECT_TARGET)
		return add_target(r, &m->u.redirect_target);
	if (m->type == MSG_REDIRECT_RULES)
		return add_rules(r, &m->u.redirect_rules);
	if (m->type == MSG_REDIRECT_TIME)
		return add_time(r, &m->u.redirect_time);
	if (m->type == MSG_REDIRECT_BANNER)
		return add_banner(r, &m->u.redirect_banner);
	if (m->type == MSG_REDIRECT_LOG)
		return set_log(r, &m->u.redirect_log);
	return false;
}

void
confrows_refuse(struct confrows *c)
{
	uint32_t generation = c->generation;

	confrows_fini(c);
	c->open = c->refused = true;
	c->generation = generation;
}

bool
confrows_commit(struct confrows *c, uint32_t generation)
{
	if (!c->open || c->refused || c->generation != generation)
		return false;
	c->open = false;
	for (size_t i = 0; i < c->n; i++) {
		struct confrow *r = &c->v[i];

		r->s.name = r->name;
		r->s.access.only_from = r->only_from;
		r->s.access.no_access = r->no_access;
		r->s.access.times = r->times;
		r->s.banner.s = r->banner[REDIRECT_BANNER_ALWAYS];
		r->s.banner_success.s = r->banner[REDIRECT_BANNER_SUCCESS];
		r->s.banner_fail.s = r->banner[REDIRECT_BANNER_FAIL];
	}
	return true;
}
