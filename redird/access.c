/* SPDX-License-Identifier: GPL-2.0-or-later
 * access.c - see access.h. Pure.
 */
#include "redird/access.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* --- addresses --- */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct ip6
ip6_mapped(uint32_t host_order)
{
	uint32_t be = htonl(host_order);
	struct ip6 a;

	memcpy(a.b, mapped, sizeof(mapped));
	memcpy(a.b + 12, &be, sizeof(be));
	return a;
}

bool
ip6_is_mapped(const struct ip6 *a)
{
	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool
ip6_eq(const struct ip6 *a, const struct ip6 *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

const char *
ip6_str(const struct ip6 *a, char buf[IP6_STRLEN])
{
	if (ip6_is_mapped(a))
		return inet_ntop(AF_INET, a->b + 12, buf, IP6_STRLEN);
	return inet_ntop(AF_INET6, a->b, buf, IP6_STRLEN);
}

static bool
rule_matches(const struct access_rule *r, const struct ip6 *a)
{
	unsigned whole = r->len / 8, rest = r->len % 8;

	if (memcmp(r->addr.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((r->addr.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}

/* The length of the most specific rule that matches; -1: none does. */
static int
best_match(const struct access_rule *r, size_t n, const struct ip6 *a)
{
	int best = -1;

	for (size_t i = 0; i < n; i++)
		if (r[i].len > best && rule_matches(&r[i], a))
			best = r[i].len;
	return best;
}

/* --- the sensor list --- */

void
sensors_add(struct sensors *s, const struct ip6 *addr, struct mono until, struct mono now)
{
	size_t at = s->n;

	for (size_t i = 0; i < s->n; i++) {
		if (ip6_eq(&s->e[i].addr, addr)) {
			if (mono_before(s->e[i].until, until))
				s->e[i].until = until;
			return;
		}
		if (!mono_before(now, s->e[i].until))
			at = i;
	}
	if (at == SENSORS_MAX) {
		at = 0;
		for (size_t i = 1; i < s->n; i++)
			if (mono_before(s->e[i].until, s->e[at].until))
				at = i;
	}
	s->e[at].addr = *addr;
	s->e[at].until = until;
	if (at == s->n)
		s->n++;
}

bool
sensors_has(const struct sensors *s, const struct ip6 *addr, struct mono now)
{
	for (size_t i = 0; i < s->n; i++)
		if (ip6_eq(&s->e[i].addr, addr))
			return mono_before(now, s->e[i].until);
	return false;
}

/* --- sources --- */

static uint64_t
mix(uint64_t h, uint64_t odd)
{
	h *= odd | 1;
	return h ^ h >> 32;
}

/* Where the address is, or the free slot where it would be. */
static size_t
slot_of(const struct access_state *st, const struct ip6 *a)
{
	uint64_t w[2], h;
	size_t i;

	memcpy(w, a->b, sizeof(w));
	h = mix(mix(w[0] ^ st->key[0], st->key[1]) ^ w[1], st->key[0]);
	for (i = h & (st->cap - 1); st->sources[i].n; i = (i + 1) & (st->cap - 1))
		if (ip6_eq(&st->sources[i].addr, a))
			break;
	return i;
}

static bool
grow(struct access_state *st)
{
	struct access_source *old = st->sources;
	size_t old_cap = st->cap, cap = old_cap ? 2 * old_cap : 16;
	struct access_source *bigger = calloc(cap, sizeof(*bigger));

	if (!bigger)
		return false;
	st->sources = bigger;
	st->cap = cap;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].n)
			bigger[slot_of(st, &old[i].addr)] = old[i];
	free(old);
	return true;
}

static bool
source_add(struct access_state *st, const struct ip6 *a)
{
	size_t i;

	if (2 * (st->used + 1) > st->cap && !grow(st))
		return false;
	i = slot_of(st, a);
	if (st->sources[i].n++ == 0) {
		st->sources[i].addr = *a;
		st->used++;
	}
	return true;
}

/* Closes the gap: what comes after it and had been displaced moves up. */
static void
source_remove(struct access_state *st, const struct ip6 *a)
{
	size_t i, next;

	if (!st->cap)
		return;
	i = slot_of(st, a);
	if (st->sources[i].n == 0 || --st->sources[i].n > 0)
		return;
	st->used--;
	for (next = (i + 1) & (st->cap - 1); st->sources[next].n;
	     next = (next + 1) & (st->cap - 1)) {
		struct access_source moved = st->sources[next];

		st->sources[next].n = 0;
		st->sources[slot_of(st, &moved.addr)] = moved;
	}
}

uint32_t
access_source_count(const struct access_state *st, const struct ip6 *from)
{
	return st->cap ? st->sources[slot_of(st, from)].n : 0;
}

/* --- the verdict --- */

static const char *const words[] = {
    [VERDICT_OK] = "ok",
    [VERDICT_ADDRESS] = "address",
    [VERDICT_TIME] = "time",
    [VERDICT_LOAD] = "load",
    [VERDICT_CPS] = "connections per second",
    [VERDICT_SERVICE_LIMIT] = "service_limit",
    [VERDICT_PER_SOURCE_LIMIT] = "per_source_limit",
};
static_assert(ARRAY_LEN(words) == VERDICT_N, "every verdict has its word");

const char *
verdict_word(enum verdict v)
{
	return words[v];
}

void
access_conf_init(struct access_conf *c)
{
	*c = (struct access_conf){.instances = ACCESS_UNLIMITED, .per_source = ACCESS_UNLIMITED};
}

void
access_state_init(struct access_state *st, const uint64_t key[2])
{
	*st = (struct access_state){.key = {key[0], key[1]}};
}

void
access_state_fini(struct access_state *st)
{
	free(st->sources);
	st->sources = NULL;
	st->cap = st->used = 0;
}

/* "The one that is the better match determines"; of two equally good ones it is the refusal. */
static bool
address_allowed(const struct access_conf *c, const struct ip6 *from)
{
	int yes = best_match(c->only_from, c->n_only_from, from);
	int no = best_match(c->no_access, c->n_no_access, from);

	if (no >= 0 && no >= yes)
		return false;
	return !c->only_from_set || yes >= 0;
}

static bool
time_allowed(const struct access_conf *c, unsigned minute)
{
	if (c->n_times == 0)
		return true;
	for (size_t i = 0; i < c->n_times; i++)
		if (minute >= c->times[i].from_min && minute <= c->times[i].to_min)
			return true;
	return false;
}

static bool
rate_allowed(const struct access_conf *c, struct access_state *st, struct mono now)
{
	if (st->off && mono_before(now, st->off_until))
		return false;
	st->off = false;
	if (c->cps == 0)
		return true;
	if (mono_diff(now, st->window) >= 1000) {
		st->window = now;
		st->in_window = 0;
	}
	if (st->in_window < c->cps) {
		st->in_window++;
		return true;
	}
	st->in_window = 0;
	st->off = true;
	st->off_until = mono_add(now, (int64_t)c->cps_wait_s * 1000);
	return false;
}

static void
knock(const struct access_conf *c, struct sensors *s, const struct ip6 *from, struct mono now)
{
	if (c->deny_min == ACCESS_DENY_FOREVER)
		sensors_add(s, from, MONO_NEVER, now);
	else if (c->deny_min != ACCESS_DENY_NEVER)
		sensors_add(s, from, mono_add(now, (int64_t)c->deny_min * 60000), now);
}

enum verdict
access_enter(const struct access_conf *c, struct access_state *st, struct sensors *s,
	     const struct ip6 *from, const struct access_now *at)
{
	if (c->sensor) {
		knock(c, s, from, at->now);
		return VERDICT_ADDRESS;
	}
	if (sensors_has(s, from, at->now) || !address_allowed(c, from))
		return VERDICT_ADDRESS;
	if (!time_allowed(c, at->minute))
		return VERDICT_TIME;
	if (c->max_load_milli && at->load_milli >= c->max_load_milli)
		return VERDICT_LOAD;
	if (!rate_allowed(c, st, at->now))
		return VERDICT_CPS;
	if (c->instances != ACCESS_UNLIMITED && st->running >= c->instances)
		return VERDICT_SERVICE_LIMIT;
	/* Counted without a limit too: one may be set while they are there. */
	if (c->per_source != ACCESS_UNLIMITED && access_source_count(st, from) >= c->per_source)
		return VERDICT_PER_SOURCE_LIMIT;
	if (!source_add(st, from))
		return VERDICT_PER_SOURCE_LIMIT;
	st->running++;
	return VERDICT_OK;
}

void
access_leave(struct access_state *st, const struct ip6 *from)
{
	source_remove(st, from);
	st->running--;
}
