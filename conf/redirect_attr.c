/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_attr.c - every attribute of a section: where it may stand, how often, what it sets.
 * Pure. What several attributes say together is judged in redirect_build.c.
 */
#include "conf/redirect_priv.h"

#include <stdio.h>
#include <string.h>

enum scope {
	SERVICE = 1,
	DEFAULTS = 2,
	BOTH = SERVICE | DEFAULTS,
};

struct attr {
	const char *name;
	enum scope scope;
	bool list;         /* several lines, += and -= */
	unsigned min, max; /* values; max 0: any number */
	void (*read)(struct redirect_draft *t, const struct redirect_pair *p);
	const char *without_effect; /* why */
};

#define T_ERROR(t, p, ...)                                                                         \
	do {                                                                                       \
		diag_error((t)->d, (p), __VA_ARGS__);                                              \
		(t)->bad = true;                                                                   \
	} while (0)

static struct redirect_word
value(const struct redirect_pair *p, unsigned n)
{
	struct redirect_word rest = p->rest, w;

	do {
		redirect_word_next(&rest, &w);
	} while (n--);
	return w;
}

/* Printable ASCII without blanks, short enough for a table. */
static bool
name_ok(struct word w)
{
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] <= ' ' || w.s[i] >= 0x7f)
			return false;
	}
	return w.len > 0 && w.len <= REDIRECT_NAME_MAX;
}

static bool
yes_no(struct redirect_draft *t, const struct redirect_pair *p, bool *out)
{
	struct redirect_word w = value(p, 0);

	if (word_ieq(w.w, "yes") || word_ieq(w.w, "no")) {
		*out = word_ieq(w.w, "yes");
		return true;
	}
	T_ERROR(t, w.pos, "\"%.*s\" is neither yes nor no", WORD_ARG(w.w));
	return false;
}

/* --- what the service is --- */

static void
read_disable(struct redirect_draft *t, const struct redirect_pair *p)
{
	yes_no(t, p, &t->s.disabled);
}

static void
read_id(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);

	if (name_ok(w.w))
		t->s.id = word_dup(t->a, w.w);
	else
		T_ERROR(t, w.pos, "\"%.*s\" is no id: at most %d printable letters and signs",
			WORD_ARG(w.w), REDIRECT_NAME_MAX);
}

static void
read_type(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word rest = p->rest, w;

	while (redirect_word_next(&rest, &w)) {
		if (word_ieq(w.w, "UNLISTED")) {
			t->unlisted = true;
		} else if (word_ieq(w.w, "INTERNAL") || word_ieq(w.w, "RPC") ||
			   word_ieq(w.w, "TCPMUX") || word_ieq(w.w, "TCPMUXPLUS")) {
			t->internal = true;
			T_ERROR(t, w.pos,
				"type %.*s is no redirection; leave the service to xinetd",
				WORD_ARG(w.w));
		} else {
			T_ERROR(t, w.pos, "\"%.*s\" is no type; a redirection has UNLISTED or none",
				WORD_ARG(w.w));
		}
	}
}

static void
read_socket_type(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);

	if (!word_ieq(w.w, "stream"))
		T_ERROR(t, w.pos, "socket_type \"%.*s\" is no redirection, which is stream",
			WORD_ARG(w.w));
}

static void
read_protocol(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);

	if (!word_ieq(w.w, "tcp"))
		T_ERROR(t, w.pos, "protocol \"%.*s\" is not redirected, only tcp is",
			WORD_ARG(w.w));
}

static void
read_wait(struct redirect_draft *t, const struct redirect_pair *p)
{
	bool wait;

	if (yes_no(t, p, &wait) && wait)
		T_ERROR(t, value(p, 0).pos,
			"wait = yes hands connections to a server; a redirection has wait = no");
}

static void
flag_without_effect(struct redirect_draft *t, struct redirect_word w)
{
	static const char *const others[][2] = {
	    {"INTERCEPT", "a redirection looks at every connection anyway"},
	    {"NORETRY", "nothing is forked"},
	    {"NAMEINARGS", "no program is run"},
	    {"NOLIBWRAP", "hosts.allow and hosts.deny are not read anyway"},
	    {"LABELED", "no program is run"},
	    {"REUSE", "it is always so"},
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (word_ieq(w.w, others[i][0])) {
			diag_notice(t->d, w.pos, "flag %s has no effect: %s", others[i][0],
				    others[i][1]);
			return;
		}
	}
	T_ERROR(
	    t, w.pos,
	    "unknown flag \"%.*s\"; there are IPv4, IPv6, NODELAY, KEEPALIVE, SENSOR and IDONLY",
	    WORD_ARG(w.w));
}

static void
read_flags(struct redirect_draft *t, const struct redirect_pair *p)
{
	static const struct redirect_bit acting[] = {
	    {"NODELAY", REDIRECT_NODELAY},
	    {"KEEPALIVE", REDIRECT_KEEPALIVE},
	    {"IDONLY", REDIRECT_IDONLY},
	    {"SENSOR", REDIRECT_SENSOR},
	};
	struct redirect_word rest = p->rest, w;

	while (redirect_word_next(&rest, &w)) {
		size_t i = 0;

		while (i < ARRAY_LEN(acting) && !word_ieq(w.w, acting[i].word))
			i++;
		if (i < ARRAY_LEN(acting))
			t->s.flags |= acting[i].bit;
		else if (word_ieq(w.w, "IPv4"))
			t->want4 = true;
		else if (word_ieq(w.w, "IPv6"))
			t->want6 = true;
		else
			flag_without_effect(t, w);
	}
}

/* --- addresses and ports --- */

static void
read_v6only(struct redirect_draft *t, const struct redirect_pair *p)
{
	t->v6only_set = yes_no(t, p, &t->v6only);
}

static void
read_port(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);
	uint32_t v;

	if (word_u32(w.w, 65535, &v) && v)
		t->s.port = (uint16_t)v;
	else
		T_ERROR(t, w.pos, "\"%.*s\" is no port from 1 to 65535", WORD_ARG(w.w));
}

static void
read_bind(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);

	t->s.bind_pos = w.pos;
	t->s.has_bind = redirect_host_parse(&t->s.bind, t->a, w, t->d);
	t->bad |= !t->s.has_bind;
}

static void
read_redirect(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word host = value(p, 0), port = value(p, 1);
	uint32_t v;

	t->s.target_pos = host.pos;
	if (!redirect_host_parse(&t->s.target, t->a, host, t->d)) {
		t->bad = true;
	} else if (!t->s.target.name && redirect_ip_is_any(t->s.target.ip)) {
		T_ERROR(t, host.pos, "\"%.*s\" is no address to connect to", WORD_ARG(host.w));
	}
	if (word_u32(port.w, 65535, &v) && v)
		t->s.target_port = (uint16_t)v;
	else
		t->s.target_port = redirect_etc_port(t->src, port.w);
	if (!t->s.target_port)
		T_ERROR(t, port.pos,
			"\"%.*s\" is neither a port from 1 to 65535 nor a TCP service of "
			"/etc/services",
			WORD_ARG(port.w));
}

static void
read_listen_alias(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);

	if (word_ieq(w.w, "no"))
		return;
	t->s.listen_alias = true;
	if (word_ieq(w.w, "yes"))
		return;
	if (word_is_ifname(w.w))
		t->s.alias_ifname = word_dup(t->a, w.w);
	else
		T_ERROR(t, w.pos, "\"%.*s\" is neither yes, no nor the name of an interface",
			WORD_ARG(w.w));
}

static void
read_capture_port(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word w = value(p, 0);
	uint32_t v;

	if (word_u32(w.w, 65535, &v) && v)
		t->s.capture_port = (uint16_t)v;
	else
		T_ERROR(t, w.pos, "\"%.*s\" is no port from 1 to 65535", WORD_ARG(w.w));
}

/* --- access --- */

static void
copy_rules(struct redirect_rules *r, struct arena *a)
{
	const struct redirect_rule *old = r->v;
	struct redirect_rule *v = NULL;
	size_t n = r->n;

	r->n = 0;
	for (size_t i = 0; i < n; i++) {
		v = arena_grow(a, v, i, sizeof(*v));
		if (!v)
			break;
		v[i] = old[i];
		r->n = i + 1;
	}
	r->v = v;
}

static void
read_rules(struct redirect_draft *t, const struct redirect_pair *p, struct redirect_rules *r,
	   bool *own)
{
	struct redirect_word rest = p->rest, w;
	bool fresh = p->op == REDIRECT_SET && !t->is_defaults;
	const struct conf_pos *before =
	    redirect_given(t, r == &t->s.only_from ? "only_from" : "no_access");

	if (fresh && before)
		diag_warn(t->d, *before,
			  "this list has no effect: \"=\" in line %u replaces it; \"+=\" adds",
			  p->key.pos.line);
	if (fresh)
		*r = (struct redirect_rules){0};
	else if (!*own)
		copy_rules(r, t->a);
	*own = true;
	r->set = true;
	while (redirect_word_next(&rest, &w))
		t->bad |= !redirect_rules_apply(r, t->a, w, p->op == REDIRECT_DEL, t->d);
}

static void
read_only_from(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_rules *r = &t->s.only_from;

	read_rules(t, p, r, &t->own_only_from);
	if (p->op == REDIRECT_DEL && r->n == 0)
		diag_warn(t->d, p->key.pos, "only_from is empty now: nobody may connect");
}

static void
read_no_access(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_rules(t, p, &t->s.no_access, &t->own_no_access);
}

static void
read_access_times(struct redirect_draft *t, const struct redirect_pair *p)
{
	struct redirect_word rest = p->rest, w;
	struct redirect_time one, *v;

	while (redirect_word_next(&rest, &w)) {
		if (!redirect_time_parse(&one, w, t->d)) {
			t->bad = true;
			continue;
		}
		if (t->s.ntimes == REDIRECT_TIMES_MAX) {
			T_ERROR(t, w.pos, "there are more than %d intervals", REDIRECT_TIMES_MAX);
			return;
		}
		v = arena_grow(t->a, t->s.times, t->s.ntimes, sizeof(*v));
		if (!v)
			return;
		t->s.times = v;
		v[t->s.ntimes++] = one;
	}
}

/* --- limits --- */

static void
read_limit(struct redirect_draft *t, const struct redirect_pair *p, uint32_t *out)
{
	struct redirect_word w = value(p, 0);

	if (!redirect_limit_parse(out, w, t->d))
		t->bad = true;
	else if (*out == 0)
		diag_warn(t->d, w.pos, "%.*s = 0: nobody may connect", WORD_ARG(p->key.w));
}

static void
read_instances(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_limit(t, p, &t->s.instances);
}

static void
read_per_source(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_limit(t, p, &t->s.per_source);
}

static bool
read_number(struct redirect_draft *t, struct redirect_word w, uint32_t max, const char *what,
	    uint32_t *out)
{
	if (word_u32(w.w, max, out))
		return true;
	T_ERROR(t, w.pos, "\"%.*s\" is no number of %s up to %u", WORD_ARG(w.w), what, max);
	return false;
}

static void
read_cps(struct redirect_draft *t, const struct redirect_pair *p)
{
	uint32_t rate, wait_s;

	if (read_number(t, value(p, 0), 10000000, "connections per second", &rate) &&
	    read_number(t, value(p, 1), 86400, "seconds", &wait_s))
		t->s.cps = (struct redirect_cps){rate, wait_s};
}

static void
read_max_load(struct redirect_draft *t, const struct redirect_pair *p)
{
	t->bad |= !redirect_load_parse(&t->s.max_load_c, value(p, 0), t->d);
}

static void
read_deny_time(struct redirect_draft *t, const struct redirect_pair *p)
{
	t->bad |= !redirect_deny_parse(&t->s.deny_s, value(p, 0), t->d);
}

static void
read_timeout_idle(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_number(t, value(p, 0), 31536000, "seconds", &t->s.timeout_idle_s);
}

static void
read_timeout_connect(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_number(t, value(p, 0), 3600, "seconds", &t->s.timeout_connect_s);
}

/* --- logs and banners --- */

static void
read_log_type(struct redirect_draft *t, const struct redirect_pair *p)
{
	t->bad |= !redirect_log_parse(&t->s.log, t->a, p->rest, t->d);
}

static void
read_log_words(struct redirect_draft *t, const struct redirect_pair *p,
	       const struct redirect_bit *words, unsigned *out)
{
	struct redirect_word rest = p->rest, w;
	unsigned bits = 0;

	while (redirect_word_next(&rest, &w)) {
		size_t i = 0;

		while (words[i].word && !word_ieq(w.w, words[i].word))
			i++;
		bits |= words[i].bit;
		if (!words[i].word)
			T_ERROR(t, w.pos, "\"%.*s\" is no word of %.*s", WORD_ARG(w.w),
				WORD_ARG(p->key.w));
	}
	if (p->op == REDIRECT_DEL)
		*out &= ~bits;
	else if (p->op == REDIRECT_ADD || t->is_defaults)
		*out |= bits;
	else
		*out = bits;
}

static void
read_log_on_success(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_log_words(t, p, redirect_success_words, &t->s.log_success);
}

static void
read_log_on_failure(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_log_words(t, p, redirect_failure_words, &t->s.log_failure);
}

static void
read_banner_file(struct redirect_draft *t, const struct redirect_pair *p,
		 const struct redirect_file **out)
{
	struct redirect_word w = value(p, 0);
	const char *why = NULL;

	*out = redirect_resolve(t->src, w.w, &why);
	if (!*out)
		T_ERROR(t, w.pos,
			"banner \"%.*s\" %s, or there is no such file; put it into " REDIRECT_DIR
			"/banners",
			WORD_ARG(w.w), why);
}

static void
read_banner(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_banner_file(t, p, &t->s.banner);
}

static void
read_banner_success(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_banner_file(t, p, &t->s.banner_success);
}

static void
read_banner_fail(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_banner_file(t, p, &t->s.banner_fail);
}

/* --- defaults alone --- */

static void
read_ids(struct redirect_draft *t, const struct redirect_pair *p, struct redirect_word **v,
	 size_t *n)
{
	struct redirect_word rest = p->rest, w, *grown;

	while (redirect_word_next(&rest, &w)) {
		grown = arena_grow(t->a, *v, *n, sizeof(*grown));
		if (!grown)
			return;
		*v = grown;
		grown[(*n)++] = w;
	}
}

static void
read_disabled(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_ids(t, p, &t->disabled, &t->ndisabled);
}

static void
read_enabled(struct redirect_draft *t, const struct redirect_pair *p)
{
	read_ids(t, p, &t->enabled, &t->nenabled);
}

static void
read_rpc(struct redirect_draft *t, const struct redirect_pair *p)
{
	T_ERROR(t, p->key.pos, "\"%.*s\" is no redirection; leave the service to xinetd",
		WORD_ARG(p->key.w));
}

/* A program beside `redirect` is judged when all lines are read. */
static void
read_server(struct redirect_draft *t UNUSED, const struct redirect_pair *p UNUSED)
{
}

/* --- the table --- */

static const char one_process[] =
    "connections are served by one process without privileges, which belongs to nobody else";
static const char no_program[] = "no program is run";

static const struct attr attrs[] = {
    {"disable", SERVICE, false, 1, 1, read_disable, NULL},
    {"id", SERVICE, false, 1, 1, read_id, NULL},
    {"type", SERVICE, false, 1, 0, read_type, NULL},
    {"flags", SERVICE, false, 0, 0, read_flags, NULL},
    {"socket_type", SERVICE, false, 1, 1, read_socket_type, NULL},
    {"protocol", SERVICE, false, 1, 1, read_protocol, NULL},
    {"wait", SERVICE, false, 1, 1, read_wait, NULL},
    {"port", SERVICE, false, 1, 1, read_port, NULL},
    {"bind", BOTH, false, 1, 1, read_bind, NULL},
    {"v6only", BOTH, false, 1, 1, read_v6only, NULL},
    {"redirect", SERVICE, false, 2, 2, read_redirect, NULL},
    {"server", SERVICE, false, 1, 1, read_server, NULL},
    {"only_from", BOTH, true, 0, 0, read_only_from, NULL},
    {"no_access", BOTH, true, 0, 0, read_no_access, NULL},
    {"access_times", SERVICE, false, 1, 0, read_access_times, NULL},
    {"instances", BOTH, false, 1, 1, read_instances, NULL},
    {"per_source", BOTH, false, 1, 1, read_per_source, NULL},
    {"cps", BOTH, false, 2, 2, read_cps, NULL},
    {"max_load", BOTH, false, 1, 1, read_max_load, NULL},
    {"deny_time", SERVICE, false, 1, 1, read_deny_time, NULL},
    {"log_type", BOTH, false, 1, 0, read_log_type, NULL},
    {"log_on_success", BOTH, true, 0, 0, read_log_on_success, NULL},
    {"log_on_failure", BOTH, true, 0, 0, read_log_on_failure, NULL},
    {"banner", BOTH, false, 1, 1, read_banner, NULL},
    {"banner_success", BOTH, false, 1, 1, read_banner_success, NULL},
    {"banner_fail", BOTH, false, 1, 1, read_banner_fail, NULL},
    {"disabled", DEFAULTS, true, 0, 0, read_disabled, NULL},
    {"enabled", DEFAULTS, true, 0, 0, read_enabled, NULL},
    /* ours */
    {"listen_alias", SERVICE, false, 1, 1, read_listen_alias, NULL},
    {"capture_port", SERVICE, false, 1, 1, read_capture_port, NULL},
    {"timeout_idle", BOTH, false, 1, 1, read_timeout_idle, NULL},
    {"timeout_connect", BOTH, false, 1, 1, read_timeout_connect, NULL},
    /* not about redirection */
    {"rpc_version", SERVICE, false, 1, 0, read_rpc, NULL},
    {"rpc_number", SERVICE, false, 1, 0, read_rpc, NULL},
    {"user", SERVICE, false, 1, 1, NULL, one_process},
    {"group", SERVICE, false, 1, 1, NULL, one_process},
    {"groups", BOTH, false, 1, 1, NULL, one_process},
    {"nice", SERVICE, false, 1, 1, NULL, one_process},
    {"umask", BOTH, false, 1, 1, NULL, one_process},
    {"rlimit_as", SERVICE, false, 1, 1, NULL, one_process},
    {"rlimit_cpu", SERVICE, false, 1, 1, NULL, one_process},
    {"rlimit_data", SERVICE, false, 1, 1, NULL, one_process},
    {"rlimit_files", SERVICE, false, 1, 1, NULL, one_process},
    {"rlimit_rss", SERVICE, false, 1, 1, NULL, one_process},
    {"rlimit_stack", SERVICE, false, 1, 1, NULL, one_process},
    {"server_args", SERVICE, false, 0, 0, NULL, no_program},
    {"env", SERVICE, true, 0, 0, NULL, no_program},
    {"passenv", BOTH, true, 0, 0, NULL, no_program},
    {"libwrap", SERVICE, false, 1, 1, NULL, "hosts.allow and hosts.deny are not read"},
    {"mdns", SERVICE, false, 1, 1, NULL, "services are not announced"},
};
static_assert(ARRAY_LEN(attrs) <= REDIRECT_ATTR_MAX, "every row has a place in a draft");

static const struct attr *
find(struct word w)
{
	if (word_ieq(w, "interface"))
		w = word_of("bind");
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		if (word_ieq(w, attrs[i].name))
			return &attrs[i];
	}
	return NULL;
}

const struct conf_pos *
redirect_given(const struct redirect_draft *t, const char *attr)
{
	const struct attr *row = find(word_of(attr));

	return row && t->set[row - attrs].line ? &t->set[row - attrs] : NULL;
}

struct word
redirect_peek(const struct redirect_section *s, const char *attr)
{
	struct word rest, w = {attr, 0};

	for (size_t i = 0; i < s->n; i++) {
		rest = s->v[i].rest.w;
		if (word_ieq(s->v[i].key.w, attr)) {
			word_next(&rest, &w);
			break;
		}
	}
	return w;
}

static void
unknown(struct redirect_draft *t, const struct redirect_pair *p)
{
	const char *names[ARRAY_LEN(attrs) + 1], *word = word_dup(t->a, p->key.w), *hint;

	for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
		names[i] = attrs[i].name;
	names[ARRAY_LEN(attrs)] = NULL;
	hint = word ? diag_did_you_mean(word, names) : NULL;
	T_ERROR(t, p->key.pos, "unknown attribute \"%.*s\"%s%s%s", WORD_ARG(p->key.w),
		hint ? ", did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
}

/* The number of values fits; a comment behind them is the usual reason when not. */
static bool
count_ok(struct redirect_draft *t, const struct attr *row, const struct redirect_pair *p)
{
	struct redirect_word rest = p->rest, w, extra = {0};
	unsigned n = 0;

	while (redirect_word_next(&rest, &w)) {
		if (w.w.s[0] == '#') {
			T_ERROR(t, w.pos,
				"\"%.*s\" is a value here; a comment has a line of its own",
				WORD_ARG(w.w));
			return false;
		}
		if (++n == row->max + 1)
			extra = w;
	}
	if (n < row->min && row->max == row->min)
		T_ERROR(t, p->rest.pos, "%s needs %u value%s", row->name, row->min,
			row->min == 1 ? "" : "s");
	else if (n < row->min)
		T_ERROR(t, p->rest.pos, "%s needs a value", row->name);
	else if (row->max && n > row->max)
		T_ERROR(t, extra.pos, "\"%.*s\" is too much: %s has %u value%s", WORD_ARG(extra.w),
			row->name, row->max, row->max == 1 ? "" : "s");
	else
		return true;
	return false;
}

/* The attribute may stand here, with this operator, once more. */
static bool
usable(struct redirect_draft *t, const struct attr *row, const struct redirect_pair *p)
{
	const struct conf_pos *old = &t->set[row - attrs];

	if (t->is_defaults && !(row->scope & DEFAULTS)) {
		diag_warn(t->d, p->key.pos, "%s has no effect in defaults; set it in the services",
			  row->name);
		return false;
	}
	if (!t->is_defaults && !(row->scope & SERVICE)) {
		T_ERROR(t, p->key.pos, "%s belongs into defaults; a service has disable = yes",
			row->name);
		return false;
	}
	if (p->op != REDIRECT_SET && !row->list) {
		T_ERROR(t, p->key.pos, "%s holds no list: it is set with \"=\", not with \"%s\"",
			row->name, p->op == REDIRECT_ADD ? "+=" : "-=");
		return false;
	}
	if (old->line && !row->list) {
		diag_warn(t->d, p->key.pos,
			  "%s is given already in line %u, this line has no effect", row->name,
			  old->line);
		return false;
	}
	return count_ok(t, row, p);
}

void
redirect_attrs(struct redirect_draft *t, const struct redirect_section *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct redirect_pair *p = &s->v[i];
		const struct attr *row = find(p->key.w);

		if (!row) {
			unknown(t, p);
			continue;
		}
		if (!usable(t, row, p))
			continue;
		if (row->without_effect)
			diag_notice(t->d, p->key.pos, "%s has no effect: %s", row->name,
				    row->without_effect);
		else
			row->read(t, p);
		t->set[row - attrs] = p->key.pos;
	}
}
