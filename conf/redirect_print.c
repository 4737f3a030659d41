/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_print.c - services in one normal form, and whether two do the same. Pure.
 */
#include "conf/redirect_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"

static void
print_text(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, "\t%s = %s\n", key, value);
}

static void
print_number(struct strbuf *out, const char *key, uint32_t v)
{
	strbuf_addf(out, "\t%s = %u\n", key, v);
}

static void
print_host(struct strbuf *out, const char *key, const struct redirect_host *h)
{
	strbuf_addf(out, "\t%s = ", key);
	redirect_host_print(out, h);
}

static void
print_flags(struct strbuf *out, const struct redirect_service *s)
{
	static const struct redirect_bit flags[] = {
	    {"NODELAY", REDIRECT_NODELAY},
	    {"KEEPALIVE", REDIRECT_KEEPALIVE},
	    {"IDONLY", REDIRECT_IDONLY},
	    {"SENSOR", REDIRECT_SENSOR},
	};
	bool four = s->family == REDIRECT_IP4 && (!s->has_bind || s->bind.name);

	if (!s->flags && !four)
		return;
	strbuf_addf(out, "\tflags =%s", four ? " IPv4" : "");
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (s->flags & flags[i].bit)
			strbuf_addf(out, " %s", flags[i].word);
	}
	strbuf_addc(out, '\n');
}

static void
print_listen(struct strbuf *out, const struct redirect_service *s)
{
	bool one = s->has_bind && !s->bind.name && !redirect_ip_is_any(s->bind.ip);

	print_number(out, "port", s->port);
	if (s->has_bind) {
		print_host(out, "bind", &s->bind);
		strbuf_addc(out, '\n');
	}
	if (s->family == REDIRECT_DUAL_FORCED)
		print_text(out, "v6only", "no");
	if (s->family == REDIRECT_IP6 && !one)
		print_text(out, "v6only", "yes");
	if (s->listen_alias)
		print_text(out, "listen_alias", s->alias_ifname ? s->alias_ifname : "yes");
	if (s->capture_port)
		print_number(out, "capture_port", s->capture_port);
	if (s->target_port) {
		print_host(out, "redirect", &s->target);
		strbuf_addf(out, " %u\n", s->target_port);
	}
}

static void
print_rules(struct strbuf *out, const char *key, const struct redirect_rules *r)
{
	if (!r->set)
		return;
	strbuf_addf(out, "\t%s =", key);
	for (size_t i = 0; i < r->n; i++) {
		strbuf_addc(out, ' ');
		redirect_rule_print(out, &r->v[i]);
	}
	strbuf_addc(out, '\n');
}

static void
print_access(struct strbuf *out, const struct redirect_service *s)
{
	print_rules(out, "only_from", &s->only_from);
	print_rules(out, "no_access", &s->no_access);
	for (size_t i = 0; i < s->ntimes; i++) {
		const struct redirect_time *t = &s->times[i];

		strbuf_addf(out, "%s%d:%02d-%d:%02d", i ? " " : "\taccess_times = ", t->from / 60,
			    t->from % 60, t->to / 60, t->to % 60);
	}
	if (s->ntimes)
		strbuf_addc(out, '\n');
}

static void
print_limits(struct strbuf *out, const struct redirect_service *s)
{
	if (s->instances != REDIRECT_UNLIMITED)
		print_number(out, "instances", s->instances);
	if (s->per_source != REDIRECT_UNLIMITED)
		print_number(out, "per_source", s->per_source);
	strbuf_addf(out, "\tcps = %u %u\n", s->cps.rate, s->cps.wait_s);
	if (s->max_load_c)
		strbuf_addf(out, "\tmax_load = %u.%02u\n", s->max_load_c / 100,
			    s->max_load_c % 100);
	if ((s->flags & REDIRECT_SENSOR) && s->deny_s == REDIRECT_FOREVER)
		print_text(out, "deny_time", "FOREVER");
	else if (s->flags & REDIRECT_SENSOR)
		print_number(out, "deny_time", s->deny_s / 60);
	if (s->timeout_idle_s)
		print_number(out, "timeout_idle", s->timeout_idle_s);
	if (s->timeout_connect_s)
		print_number(out, "timeout_connect", s->timeout_connect_s);
}

static void
print_words(struct strbuf *out, const char *key, const struct redirect_bit *words, unsigned bits)
{
	if (!bits)
		return;
	strbuf_addf(out, "\t%s =", key);
	for (; words->word; words++) {
		if (bits & words->bit)
			strbuf_addf(out, " %s", words->word);
	}
	strbuf_addc(out, '\n');
}

static void
print_log(struct strbuf *out, const struct redirect_service *s)
{
	const struct redirect_log *l = &s->log;

	switch (l->kind) {
	case REDIRECT_LOG_DEFAULT:
		break;
	case REDIRECT_LOG_SYSLOG:
		strbuf_addf(out, "\tlog_type = SYSLOG %s %s\n", redirect_facility_str(l->facility),
			    redirect_level_str(l->level));
		break;
	case REDIRECT_LOG_FILE:
		strbuf_addf(out, "\tlog_type = FILE %s", l->file);
		/* Sizes above 4 GiB came with a unit. */
		for (int i = 0; l->soft && i < 2; i++) {
			uint64_t v = i ? l->hard : l->soft;
			bool big = v > UINT32_MAX;

			strbuf_addf(out, " %llu%s", (unsigned long long)(big ? v >> 10 : v),
				    big ? "K" : "");
		}
		strbuf_addc(out, '\n');
		break;
	}
	print_words(out, "log_on_success", redirect_success_words, s->log_success);
	print_words(out, "log_on_failure", redirect_failure_words, s->log_failure);
}

static void
print_banners(struct strbuf *out, const struct redirect_service *s)
{
	if (s->banner)
		print_text(out, "banner", s->banner->name);
	if (s->banner_success)
		print_text(out, "banner_success", s->banner_success->name);
	if (s->banner_fail)
		print_text(out, "banner_fail", s->banner_fail->name);
}

static void
print_service(struct strbuf *out, const struct redirect_service *s)
{
	strbuf_addf(out, "service %s\n{\n", s->name);
	if (s->disabled)
		print_text(out, "disable", "yes");
	print_text(out, "id", s->id);
	print_text(out, "type", "UNLISTED");
	print_flags(out, s);
	print_listen(out, s);
	print_access(out, s);
	print_limits(out, s);
	print_log(out, s);
	print_banners(out, s);
	strbuf_add(out, "}\n");
}

void
redirect_print(struct strbuf *out, const struct redirect *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i].bad)
			print_service(out, &r->v[i]);
	}
}

static bool
file_eq(const struct redirect_file *a, const struct redirect_file *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

bool
redirect_service_eq(const struct redirect_service *a, const struct redirect_service *b)
{
	struct strbuf x, y;
	bool same;

	if (a->bad || b->bad || !file_eq(a->banner, b->banner) ||
	    !file_eq(a->banner_success, b->banner_success) ||
	    !file_eq(a->banner_fail, b->banner_fail))
		return false;
	strbuf_init(&x);
	strbuf_init(&y);
	print_service(&x, a);
	print_service(&y, b);
	same = !x.bad && !y.bad && strcmp(strbuf_str(&x), strbuf_str(&y)) == 0;
	strbuf_fini(&x);
	strbuf_fini(&y);
	return same;
}
