/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_check.c - services against each other: ids, addresses, and redirections in a circle.
 * Pure. Of two that exclude each other the first is kept.
 */
#include "conf/redirect_priv.h"

#include <stdio.h>
#include <string.h>

/* How a service listens. */
static bool
any4(const struct redirect_service *s)
{
	if (s->has_bind && (s->bind.name || !redirect_ip_is_any(s->bind.ip)))
		return false;
	return s->family != REDIRECT_IP6;
}

static bool
any6(const struct redirect_service *s)
{
	if (s->has_bind && (s->bind.name || !redirect_ip_is_any(s->bind.ip)))
		return false;
	return s->family != REDIRECT_IP4;
}

/* It listens at every address of the host's family. */
static bool
hears(const struct redirect_service *s, struct redirect_ip ip)
{
	return redirect_ip_is4(ip) ? any4(s) : any6(s);
}

static bool
runs(const struct redirect_service *s)
{
	return !s->bad && !s->disabled;
}

/* Both cannot be bound at one time. */
static bool
clash(const struct redirect_service *a, const struct redirect_service *b)
{
	bool wide_a = any4(a) || any6(a), wide_b = any4(b) || any6(b);

	if (a->port != b->port)
		return false;
	if (wide_a && wide_b)
		return (any4(a) && any4(b)) || (any6(a) && any6(b));
	if (!wide_a && !wide_b)
		return redirect_host_eq(&a->bind, &b->bind);
	if (wide_b)
		return clash(b, a);
	/* What a name stands for is not known here. */
	return b->bind.name ? any4(a) && any6(a) : hears(a, b->bind.ip);
}

/* --- ids and addresses --- */

static void
refuse(struct redirect_service *s)
{
	s->bad = true;
}

static void
check_id(struct redirect *r, size_t i, struct diags *d)
{
	for (size_t k = 0; k < i; k++) {
		const struct redirect_service *a = &r->v[k];
		struct redirect_service *b = &r->v[i];

		if (!a->bad && strcmp(a->id, b->id) == 0) {
			if (b->disabled)
				diag_notice(
				    d, b->pos,
				    "the id \"%s\" belongs to the service in %s:%u; this one "
				    "is disabled",
				    b->id, a->pos.file, a->pos.line);
			else
				diag_error(d, b->pos,
					   "the id \"%s\" belongs to the service in %s:%u already; "
					   "give this one an id of its own",
					   b->id, a->pos.file, a->pos.line);
			refuse(b);
			return;
		}
	}
}

static void
check_address(struct redirect *r, size_t i, struct diags *d)
{
	struct redirect_service *b = &r->v[i];

	for (size_t k = 0; k < i; k++) {
		const struct redirect_service *a = &r->v[k];

		if (runs(a) && clash(a, b)) {
			diag_error(d, b->pos,
				   "service %s cannot listen: port %u of that address belongs to "
				   "service %s in %s:%u; give one of them another bind or port",
				   b->id, b->port, a->id, a->pos.file, a->pos.line);
			refuse(b);
			return;
		}
	}
}

/* An address can be added to one interface only. */
static void
check_alias(struct redirect *r, size_t i, struct diags *d)
{
	struct redirect_service *b = &r->v[i];

	for (size_t k = 0; b->alias_ifname && k < i; k++) {
		const struct redirect_service *a = &r->v[k];

		if (runs(a) && a->alias_ifname && redirect_ip_eq(a->bind.ip, b->bind.ip) &&
		    strcmp(a->alias_ifname, b->alias_ifname) != 0) {
			diag_error(d, b->pos,
				   "service %s wants its address on %s, service %s in %s:%u on %s",
				   b->id, b->alias_ifname, a->id, a->pos.file, a->pos.line,
				   a->alias_ifname);
			refuse(b);
			return;
		}
	}
}

/* a listens where b's captured traffic goes to, or captures the same. */
static bool
captures_from(const struct redirect_service *a, const struct redirect_service *b)
{
	if (a->capture_port && a->capture_port == b->capture_port &&
	    redirect_host_eq(&a->bind, &b->bind))
		return true;
	if (a->port != b->capture_port)
		return false;
	return a->has_bind && redirect_host_eq(&a->bind, &b->bind) ? true : hears(a, b->bind.ip);
}

static void
check_capture(struct redirect *r, size_t i, struct diags *d)
{
	struct redirect_service *b = &r->v[i];

	for (size_t k = 0; k < r->n; k++) {
		const struct redirect_service *a = &r->v[k];

		if (k != i && runs(a) && captures_from(a, b) &&
		    (k < i || a->capture_port != b->capture_port)) {
			diag_error(d, b->pos,
				   "service %s cannot capture port %u: service %s in %s:%u has it",
				   b->id, b->capture_port, a->id, a->pos.file, a->pos.line);
			refuse(b);
			return;
		}
	}
}

/* --- circles --- */

#define NOWHERE SIZE_MAX

/* An address that is certainly this host's. */
static bool
is_ours(const struct redirect *r, struct redirect_ip ip)
{
	if (redirect_ip_is_loopback(ip))
		return true;
	for (size_t i = 0; i < r->n; i++) {
		const struct redirect_service *s = &r->v[i];

		if (runs(s) && s->has_bind && !s->bind.name && redirect_ip_eq(s->bind.ip, ip))
			return true;
	}
	return false;
}

/* A connection to that host and port reaches s. */
static bool
reaches(const struct redirect *r, const struct redirect_host *h, uint16_t port,
	const struct redirect_service *s)
{
	struct redirect_host to = *h;
	bool same;

	if (to.name && strcmp(to.name, "localhost") == 0) {
		redirect_ip_parse(&to.ip, "127.0.0.1");
		to.name = s->has_bind && s->bind.name ? to.name : NULL;
	}
	same = s->has_bind && redirect_host_eq(&to, &s->bind);
	if (s->capture_port == port && same)
		return true;
	if (s->port != port)
		return false;
	return same || (!to.name && hears(s, to.ip) && is_ours(r, to.ip));
}

static size_t
next_of(const struct redirect *r, const struct redirect_service *s)
{
	if (!runs(s) || !s->target_port)
		return NOWHERE;
	for (size_t i = 0; i < r->n; i++) {
		if (runs(&r->v[i]) && reaches(r, &s->target, s->target_port, &r->v[i]))
			return i;
	}
	return NOWHERE;
}

/* Following the targets from i comes back to i. */
static bool
comes_back(const size_t *next, size_t n, size_t i)
{
	size_t at = next[i];

	for (size_t steps = 0; at != NOWHERE && steps < n; steps++) {
		if (at == i)
			return true;
		at = next[at];
	}
	return false;
}

static void
check_circles(struct redirect *r, struct arena *a, struct diags *d)
{
	size_t *next = arena_alloc(a, r->n * sizeof(*next));

	if (!next)
		return;
	for (size_t i = 0; i < r->n; i++)
		next[i] = next_of(r, &r->v[i]);
	for (size_t i = 0; i < r->n; i++) {
		struct redirect_service *s = &r->v[i];

		if (!comes_back(next, r->n, i))
			continue;
		if (next[i] == i)
			diag_error(d, s->target_pos,
				   "service %s redirects to itself; choose another target or bind",
				   s->id);
		else
			diag_error(d, s->target_pos,
				   "service %s redirects to itself by way of service %s; choose "
				   "another target or bind",
				   s->id, r->v[next[i]].id);
		refuse(s);
	}
}

void
redirect_check(struct redirect *r, struct arena *a, struct diags *d)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i].bad)
			check_id(r, i, d);
		if (runs(&r->v[i]))
			check_address(r, i, d);
		if (runs(&r->v[i]))
			check_alias(r, i, d);
	}
	for (size_t i = 0; i < r->n; i++) {
		if (runs(&r->v[i]) && r->v[i].capture_port)
			check_capture(r, i, d);
	}
	check_circles(r, a, d);
}
