/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_push.c - redirections -> rows for vnet-redird.
 */
#include <assert.h>
#include <string.h>

#include "redird/logline.h"
#include "redird/redird.h"
#include "vnetd/core.h"

static_assert(REDIRECT_BANNER_LEN == REDIRD_BANNER_MAX, "what is judged is what is taken");
static_assert(REDIRECT_NAME_ADDRS <= REDIRD_TARGETS_MAX, "every address of a name is a target");

enum {
	RULE_LEN = 17,
	/* The addresses of a name may be several, each is tried for the redirector's usual time; a lone one as
	 * long as the kernel does, which gives up after two minutes. */
	CONNECT_ALONE_MS = 180000,
};

static void
send_row(struct core *c, const struct msg *m)
{
	c->io->to_worker(c->io_arg, ROLE_REDIRD, m);
}

static uint8_t
success_words(unsigned conf)
{
	return (uint8_t)((conf & REDIRECT_LOG_PID ? LOG_SUCCESS_PID : 0) |
			 (conf & REDIRECT_LOG_HOST ? LOG_SUCCESS_HOST : 0) |
			 (conf & REDIRECT_LOG_EXIT ? LOG_SUCCESS_EXIT : 0) |
			 (conf & REDIRECT_LOG_DURATION ? LOG_SUCCESS_DURATION : 0) |
			 (conf & REDIRECT_LOG_TRAFFIC ? LOG_SUCCESS_TRAFFIC : 0));
}

static uint8_t
failure_words(unsigned conf)
{
	return (uint8_t)((conf & REDIRECT_LOG_HOST ? LOG_FAILURE_HOST : 0) |
			 (conf & REDIRECT_LOG_ATTEMPT ? LOG_FAILURE_ATTEMPT : 0));
}

static uint32_t
to_ms(uint32_t s)
{
	return s < UINT32_MAX / 1000 ? s * 1000 : UINT32_MAX;
}

static uint32_t
deny_minutes(uint32_t s)
{
	return s == REDIRECT_FOREVER ? (uint32_t)ACCESS_DENY_FOREVER : (s + 59) / 60;
}

static void
send_alias(struct core *c, const struct redirection *r)
{
	struct msg m = msg_make(MSG_REDIRECT_ALIAS, 0);

	m.u.redirect_alias.addr.len = 16;
	memcpy(m.u.redirect_alias.addr.b, r->at.addr.b, 16);
	send_row(c, &m);
}

static void
send_service(struct core *c, const struct redirection *r, size_t ntargets)
{
	const struct redirect_service *s = r->conf;
	struct msg m = msg_make(MSG_REDIRECT_SERVICE, 0);
	struct msg_redirect_service *row = &m.u.redirect_service;

	static_assert(REDIRECT_UNLIMITED == ACCESS_UNLIMITED, "one word for it");
	MSG_SET_STR(row->name, s->id);
	row->listener = r->listener;
	if (redirect_has_alias(r)) {
		row->alias.len = 16;
		memcpy(row->alias.b, r->at.addr.b, 16);
	}
	row->on_success = success_words(s->log_success);
	row->on_failure = failure_words(s->log_failure);
	row->only_from = s->only_from.set;
	row->instances = s->instances;
	row->per_source = s->per_source;
	row->cps = s->cps.rate;
	row->cps_wait_s = s->cps.wait_s;
	row->max_load_milli = s->max_load_c * 10;
	row->sensor = (s->flags & REDIRECT_SENSOR) != 0;
	row->deny_min = deny_minutes(s->deny_s);
	/* When an alias goes with its interface, or while vnetd is not there, its connections cannot be told: they end
	 * when nobody answers any more. */
	row->keepalive = (s->flags & REDIRECT_KEEPALIVE) || s->listen_alias;
	row->timeout_connect_ms = to_ms(s->timeout_connect_s);
	if (row->timeout_connect_ms == 0 && ntargets == 1)
		row->timeout_connect_ms = CONNECT_ALONE_MS;
	row->timeout_idle_ms = to_ms(s->timeout_idle_s);
	row->waits = !redirect_names_known(c, s);
	send_row(c, &m);
}

static void
send_log(struct core *c, const struct redirection *r)
{
	const struct redirect_log *l = &r->conf->log;
	struct msg m = msg_make(MSG_REDIRECT_LOG, 0);

	if (l->kind == REDIRECT_LOG_DEFAULT || (l->kind == REDIRECT_LOG_FILE && !r->log))
		return;
	if (l->kind == REDIRECT_LOG_FILE) {
		m.u.redirect_log.log = r->log;
		m.u.redirect_log.soft = l->soft;
		m.u.redirect_log.hard = l->hard;
	} else {
		m.u.redirect_log.pri = (uint8_t)(l->facility << 3 | l->level);
	}
	send_row(c, &m);
}

static uint32_t
scope_of(const struct core *c, const char *ifname)
{
	const struct rtnl_link *l;
	uint32_t scope = 0;
	struct snapshot now;

	snapshot_init(&now);
	if (c->io->snapshot(c->io_arg, &now) == 0 && (l = snapshot_link_named(&now, ifname)))
		scope = (uint32_t)l->ifindex;
	snapshot_fini(&now);
	return scope;
}

static void
send_targets(struct core *c, const struct redirect_service *s, const struct redirect_ip *ip,
	     size_t n)
{
	struct msg m = msg_make(MSG_REDIRECT_TARGET, 0);

	m.u.redirect_target.addr.len = 16;
	m.u.redirect_target.port = s->target_port;
	if (n && !s->target.name && s->target.ifname)
		m.u.redirect_target.scope = scope_of(c, s->target.ifname);
	for (size_t i = 0; i < n; i++) {
		memcpy(m.u.redirect_target.addr.b, ip[i].b, 16);
		send_row(c, &m);
	}
}

/* Fills messages with rules and sends full ones. */
struct rules {
	struct core *c;
	struct msg m;
};

static void
flush_rules(struct rules *r)
{
	if (r->m.u.redirect_rules.rules.len)
		send_row(r->c, &r->m);
	r->m.u.redirect_rules.rules.len = 0;
}

static void
add_rule(struct rules *r, struct redirect_ip ip, uint8_t len)
{
	struct msg_redirect_rules *m = &r->m.u.redirect_rules;

	if (m->rules.len + (size_t)RULE_LEN > sizeof(m->rules.b))
		flush_rules(r);
	memcpy(m->rules.b + m->rules.len, ip.b, 16);
	m->rules.b[m->rules.len + 16] = len;
	m->rules.len = (uint16_t)(m->rules.len + RULE_LEN);
}

static void
send_rules(struct core *c, const struct redirect_rules *list, bool no_access)
{
	struct rules r = {.c = c, .m = msg_make(MSG_REDIRECT_RULES, 0)};
	struct redirect_ip ip[REDIRECT_NAME_ADDRS];

	r.m.u.redirect_rules.no_access = no_access;
	for (size_t i = 0; i < list->n; i++) {
		const struct redirect_rule *v = &list->v[i];
		size_t n;

		switch (v->kind) {
		case REDIRECT_NET:
			add_rule(&r, v->ip, v->len);
			break;
		case REDIRECT_NAME:
			n = redirect_names_get(c, v->name, REDIRECT_DUAL, ip, REDIRECT_NAME_ADDRS);
			for (size_t k = 0; k < n; k++)
				add_rule(&r, ip[k], 128);
			break;
		case REDIRECT_DOMAIN:
			break; /* refused by redirect_texts_parse() */
		}
	}
	flush_rules(&r);
}

static void
send_banner(struct core *c, enum redirect_banner which, const struct redirect_file *f)
{
	struct msg m = msg_make(MSG_REDIRECT_BANNER, 0);
	struct msg_redirect_banner *row = &m.u.redirect_banner;

	row->which = (uint8_t)which;
	for (size_t at = 0; f && at < f->len; at += row->text.len) {
		size_t left = f->len - at;

		row->text.len = (uint16_t)(left < sizeof(row->text.b) ? left : sizeof(row->text.b));
		memcpy(row->text.b, f->text + at, row->text.len);
		send_row(c, &m);
	}
}

static void
send_redirection(struct core *c, const struct redirection *r)
{
	const struct redirect_service *s = r->conf;
	struct redirect_ip ip[REDIRECT_NAME_ADDRS];
	size_t n = redirect_ways(c, r, ip);

	send_service(c, r, n);
	send_log(c, r);
	send_targets(c, s, ip, n);
	send_rules(c, &s->only_from, false);
	send_rules(c, &s->no_access, true);
	for (size_t i = 0; i < s->ntimes; i++) {
		struct msg m = msg_make(MSG_REDIRECT_TIME, 0);

		m.u.redirect_time.from = s->times[i].from;
		m.u.redirect_time.to = s->times[i].to;
		send_row(c, &m);
	}
	send_banner(c, REDIRECT_BANNER_ALWAYS, s->banner);
	send_banner(c, REDIRECT_BANNER_SUCCESS, s->banner_success);
	send_banner(c, REDIRECT_BANNER_FAIL, s->banner_fail);
}

/* vnet-redird runs when there is something for it to do. */
static void
want_worker(struct core *c, bool on)
{
	struct redirects *rs = &c->redirects;
	struct msg m = msg_make(MSG_WORKER_WANT, 0);

	c->worker[ROLE_REDIRD].idle = !on;
	if (rs->said && rs->on == on)
		return;
	rs->said = true;
	rs->on = on;
	m.u.worker_want.role = ROLE_REDIRD;
	m.u.worker_want.on = on;
	c->io->to_priv(c->io_arg, &m, NULL, 0);
}

void
redirect_push(struct core *c)
{
	const struct redirects *rs = &c->redirects;
	struct worker *w = &c->worker[ROLE_REDIRD];
	struct msg m = msg_make(MSG_CONF_BEGIN, 0);
	bool on = false;

	if (!rs->synced || (rs->syncing && !rs->pushed))
		return;
	redirect_circles(c);
	for (const struct redirection *r = rs->head; r; r = r->next)
		on |= r->listener != 0;
	want_worker(c, on);
	if (!w->up)
		return;
	m.u.conf_begin.generation = ++w->generation;
	send_row(c, &m);
	for (const struct redirection *r = rs->head; r; r = r->next)
		if (redirect_has_alias(r))
			send_alias(c, r);
	for (const struct redirection *r = rs->head; r; r = r->next)
		if (r->listener)
			send_redirection(c, r);
	m = msg_make(MSG_CONF_COMMIT, 0);
	m.u.conf_commit.generation = w->generation;
	send_row(c, &m);
}
