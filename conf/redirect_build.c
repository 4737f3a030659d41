/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_build.c - sections -> services: defaults, what is disabled, what the attributes of one
 * service say together. Pure.
 */
#include "conf/redirect_priv.h"

#include <string.h>

#define T_ERROR(t, p, ...)                                                                         \
	do {                                                                                       \
		diag_error((t)->d, (p), __VA_ARGS__);                                              \
		(t)->bad = true;                                                                   \
	} while (0)

/* Where an attribute was given in this section, or the service's name when in none. */
static struct conf_pos
place(const struct redirect_draft *t, const char *attr)
{
	const struct conf_pos *p = redirect_given(t, attr);

	return p ? *p : t->s.pos;
}

/* --- one service --- */

static void
finish_port(struct redirect_draft *t)
{
	bool given = redirect_given(t, "port");
	uint16_t listed;

	if (given && (!t->s.port || t->unlisted))
		return;
	listed = redirect_etc_port(t->src, word_of(t->s.name));
	if (given) {
		if (!listed)
			diag_notice(
			    t->d, place(t, "port"),
			    "service %s is not in /etc/services; xinetd wants type = UNLISTED "
			    "then",
			    t->s.name);
		else if (listed != t->s.port)
			T_ERROR(
			    t, place(t, "port"),
			    "service %s has port %u in /etc/services, not %u; with type = UNLISTED "
			    "it may have any",
			    t->s.name, listed, t->s.port);
		return;
	}
	if (t->unlisted)
		T_ERROR(t, t->s.pos, "service %s of type UNLISTED needs a port", t->s.name);
	else if (!listed)
		T_ERROR(t, t->s.pos,
			"service %s is no TCP service of /etc/services; give it a port and type = "
			"UNLISTED",
			t->s.name);
	t->s.port = listed;
}

/* SENSOR takes the place of a target. */
static void
finish_target(struct redirect_draft *t)
{
	bool sensor = t->s.flags & REDIRECT_SENSOR;

	if (sensor && redirect_given(t, "redirect")) {
		diag_notice(t->d, place(t, "redirect"),
			    "redirect has no effect: a SENSOR answers nobody");
		t->s.target = (struct redirect_host){0};
		t->s.target_port = 0;
	}
	if (redirect_given(t, "server") && (sensor || redirect_given(t, "redirect")))
		diag_notice(t->d, place(t, "server"), "server has no effect: no program is run");
	else if (redirect_given(t, "server"))
		T_ERROR(
		    t, place(t, "server"),
		    "service %s runs a program, which is no redirection; give it redirect = HOST "
		    "PORT or leave it to xinetd",
		    t->s.name);
	else if (!sensor && !redirect_given(t, "redirect") && !t->bad)
		T_ERROR(t, t->s.pos, "service %s needs redirect = HOST PORT", t->s.name);
}

static void
finish_sensor(struct redirect_draft *t)
{
	bool sensor = t->s.flags & REDIRECT_SENSOR;

	if (sensor && !redirect_given(t, "deny_time"))
		diag_warn(t->d, place(t, "flags"),
			  "a SENSOR without deny_time only logs; give it a number of minutes or "
			  "FOREVER");
	if (!sensor && redirect_given(t, "deny_time")) {
		diag_notice(t->d, place(t, "deny_time"),
			    "deny_time has no effect without the flag SENSOR");
		t->s.deny_s = 0;
	}
	if ((t->s.flags & REDIRECT_IDONLY) &&
	    !((t->s.log_success | t->s.log_failure) & REDIRECT_LOG_USERID))
		diag_notice(t->d, place(t, "flags"),
			    "IDONLY has no effect without USERID in log_on_success or "
			    "log_on_failure");
}

static void
finish_family(struct redirect_draft *t)
{
	bool literal = t->s.has_bind && !t->s.bind.name;
	bool four = literal && redirect_ip_is4(t->s.bind.ip);
	bool only4 = t->want4 && !t->want6, only6 = t->want6 && !t->want4;

	if (literal && (four ? only6 : only4))
		T_ERROR(t, place(t, "flags"), "flag %s contradicts the address of bind",
			four ? "IPv6" : "IPv4");
	if (redirect_given(t, "v6only") && t->v6only && (four || (!literal && only4)))
		diag_notice(t->d, place(t, "v6only"), "v6only has no effect on an IPv4 address");
	if (four || (!literal && only4))
		t->s.family = REDIRECT_IP4;
	else if (literal && !redirect_ip_is_any(t->s.bind.ip))
		t->s.family = REDIRECT_IP6;
	else if (t->v6only_set)
		t->s.family = t->v6only ? REDIRECT_IP6 : REDIRECT_DUAL_FORCED;
	else
		t->s.family =
		    t->s.has_bind && t->s.bind.name && only6 ? REDIRECT_IP6 : REDIRECT_DUAL;
}

static void
finish_extensions(struct redirect_draft *t)
{
	const struct redirect_host *b = &t->s.bind;
	bool one = t->s.has_bind && !b->name && !redirect_ip_is_any(b->ip);

	if (t->s.listen_alias && (!one || redirect_ip_is_loopback(b->ip) || b->ifname))
		T_ERROR(t, place(t, "listen_alias"),
			"listen_alias needs bind with the address that is to be added");
	if (t->s.capture_port && !one)
		T_ERROR(t, place(t, "capture_port"),
			"capture_port needs bind with the address whose traffic is meant");
	else if (t->s.capture_port && t->s.capture_port == t->s.port)
		T_ERROR(t, place(t, "capture_port"),
			"capture_port %u is the port that service %s listens at anyway",
			t->s.capture_port, t->s.name);
}

static void
finish(struct redirect_draft *t)
{
	finish_port(t);
	finish_target(t);
	finish_sensor(t);
	finish_family(t);
	finish_extensions(t);
}

/* --- defaults --- */

static void
build_defaults(struct redirect_draft *t, const struct redirect_sections *s)
{
	t->is_defaults = true;
	t->s.instances = t->s.per_source = REDIRECT_UNLIMITED;
	t->s.cps = (struct redirect_cps){50, 10};
	redirect_attrs(t, &s->defaults);
	t->bad |= s->defaults.bad;
}

static bool
listed(const struct redirect_word *v, size_t n, struct word id)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].w.len == id.len && memcmp(v[i].w.s, id.s, id.len) == 0)
			return true;
	}
	return false;
}

static struct word
id_of(const struct redirect_section *s)
{
	struct word id = redirect_peek(s, "id");

	return id.len ? id : s->name.w;
}

static bool
is_disabled(const struct redirect_draft *defaults, const struct redirect_section *s)
{
	struct word id = id_of(s);

	if (word_ieq(redirect_peek(s, "disable"), "yes"))
		return true;
	if (redirect_given(defaults, "enabled") &&
	    !listed(defaults->enabled, defaults->nenabled, id))
		return true;
	return listed(defaults->disabled, defaults->ndisabled, id);
}

/* Ids in the lists that no service has. */
static void
check_ids(const struct redirect_sections *s, const struct redirect_word *v, size_t n,
	  const char *list, struct diags *d)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < s->nservices && !listed(&v[i], 1, id_of(&s->service[k])))
			k++;
		if (k == s->nservices)
			diag_warn(d, v[i].pos, "%s: no service has the id \"%.*s\"", list,
				  WORD_ARG(v[i].w));
	}
}

/* --- services --- */

static bool
name_ok(struct word w)
{
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] <= ' ' || w.s[i] >= 0x7f || w.s[i] == '{' || w.s[i] == '}')
			return false;
	}
	return w.len > 0 && w.len <= REDIRECT_NAME_MAX;
}

static void
build_service(struct redirect_draft *t, const struct redirect_section *s, bool disabled)
{
	struct word w = s->name.w;

	t->bad |= s->bad;
	t->s.pos = s->name.pos;
	t->s.name = t->s.id = word_dup(t->a, w);
	if (!t->s.name)
		return;
	if (!name_ok(w))
		T_ERROR(t, t->s.pos,
			"\"%.*s\" is no name of a service: at most %d printable letters and signs",
			WORD_ARG(w), REDIRECT_NAME_MAX);
	redirect_attrs(t, s);
	if (!t->s.id)
		t->s.id = t->s.name;
	finish(t);
	t->s.disabled = disabled;
	t->s.bad = t->bad;
}

/* Nothing that is wrong with a disabled service keeps anybody from anything. */
static void
soften(struct diags *to, const struct diags *from)
{
	for (size_t i = 0; i < from->n; i++)
		diag_notice(to, from->v[i].pos, "%s%s", from->v[i].text,
			    from->v[i].severity == DIAG_NOTICE ? "" : " (the service is disabled)");
}

static void
add_service(struct redirect *r, const struct redirect_draft *defaults,
	    const struct redirect_section *s, struct diags *d)
{
	struct redirect_draft t = {.s = defaults->s,
				   .src = defaults->src,
				   .a = defaults->a,
				   .d = d,
				   .bad = defaults->bad,
				   .v6only = defaults->v6only,
				   .v6only_set = defaults->v6only_set};
	struct redirect_service *v = arena_grow(t.a, r->v, r->n, sizeof(*v));
	bool off = is_disabled(defaults, s);
	struct diags scratch;

	if (!v)
		return;
	r->v = v;
	if (!off) {
		build_service(&t, s, false);
	} else {
		diags_init(&scratch);
		t.d = &scratch;
		build_service(&t, s, true);
		soften(d, &scratch);
		diags_fini(&scratch);
	}
	if (t.s.name)
		v[r->n++] = t.s;
}

static bool
is_banner(const struct redirect *r, const struct redirect_file *f)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct redirect_service *s = &r->v[i];

		if (s->banner == f || s->banner_success == f || s->banner_fail == f)
			return true;
	}
	return false;
}

void
redirect_parse(struct redirect *r, struct arena *a, const struct redirect_sources *src,
	       struct diags *d)
{
	struct redirect_draft defaults = {.src = src, .a = a, .d = d};
	struct redirect_sections s;

	*r = (struct redirect){0};
	redirect_read(&s, a, src, d);
	build_defaults(&defaults, &s);
	for (size_t i = 0; i < s.nservices; i++)
		add_service(r, &defaults, &s.service[i], d);
	check_ids(&s, defaults.disabled, defaults.ndisabled, "disabled", d);
	check_ids(&s, defaults.enabled, defaults.nenabled, "enabled", d);
	for (size_t i = 0; i < s.nunread; i++) {
		if (!is_banner(r, s.unread[i]))
			diag_warn(d, (struct conf_pos){.file = s.unread[i]->name},
				  "is not read, as its name has a dot; rename it, or let it end in "
				  ".conf");
	}
	redirect_check(r, a, d);
}

const struct redirect_service *
redirect_find(const struct redirect *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i].bad && strcmp(r->v[i].id, id) == 0)
			return &r->v[i];
	}
	return NULL;
}
