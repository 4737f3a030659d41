/* SPDX-License-Identifier: GPL-2.0-or-later
 * book.c - a server's leases over time: made from the lease file, carried over to a new
 * configuration, ended when due, written out as records. Pure but for allocation at
 * configuration time.
 */
#include <errno.h>
#include <stdlib.h>

#include "dhcpd/server_state.h"

/* Entries beyond pool and reservations: for leases of an earlier configuration. */
#define TABLE_SLACK 64

/* The clocks of a record: so far may they be apart that no time has passed between them. */
#define CLOCKS_APART_MS 20

struct dhcp_server *
dhcp_server_new(struct netconf *conf, struct mac mac, const struct hash_key *key)
{
	struct dhcp_server *s = calloc(1, sizeof(*s));

	if (!s) {
		netconf_free(conf);
		return NULL;
	}
	s->conf = conf;
	s->mac = mac;
	s->key = *key;
	if (dhcp_server_replay_begin(s, 0) < 0) {
		dhcp_server_free(s);
		return NULL;
	}
	return s;
}

void
dhcp_server_free(struct dhcp_server *s)
{
	if (!s)
		return;
	lease_table_free(s->leases);
	netconf_free(s->conf);
	free(s);
}

/* Room for a configuration and for `more` entries that it does not account for. */
static size_t
table_size(const struct netconf *c, size_t more)
{
	size_t pool = c->pool < NETCONF_POOL_MAX ? c->pool : NETCONF_POOL_MAX;

	return pool + c->nhost_by_ip + (more > TABLE_SLACK ? more : TABLE_SLACK);
}

/* --- one lease --- */

static struct lease *
add_entry(struct lease_table *t, const struct netconf *c, struct ip4 ip)
{
	return netconf_is_dynamic(c, ip) || netconf_is_for_known(c, ip) ? lease_add_pooled(t, ip)
									: lease_add(t, ip);
}

struct lease *
book_entry(struct dhcp_server *s, struct ip4 ip)
{
	struct lease *l = lease_find_ip(s->leases, ip);

	return l ? l : add_entry(s->leases, s->conf, ip);
}

void
book_end(struct dhcp_server *s, struct lease *l, struct mono end)
{
	if (l->contested && conflict_may_abandon(s)) {
		book_abandon(s, l, end);
		return;
	}
	l->contested = false;
	l->end = end;
	if (mac_is_zero(l->mac))
		l->recorded = false; /* was abandoned: the file needs to know it no longer */
	lease_set_state(s->leases, l, LEASE_ENDED, end);
	lease_set_reusable(s->leases, l, netconf_is_dynamic(s->conf, l->ip));
}

void
book_abandon(struct dhcp_server *s, struct lease *l, struct mono from)
{
	static const struct mac nobody;

	lease_set_client(s->leases, l, nobody, NULL, 0);
	l->start = from;
	l->end = mono_add(from, DHCP_ABANDON_S * 1000);
	l->recorded = true;
	lease_set_state(s->leases, l, LEASE_ABANDONED, l->end);
}

/* The start of a lease rounded down, its end rounded up: a lease is never shorter in the file
 * than for its client. As granted, both are whole seconds; a clock that was set since makes them
 * odd. A few milliseconds are no setting: the two clocks are read one after the other, and a restart
 * must not add a second. */
static int64_t
wall_s(struct dhcp_clock clk, struct mono t, int64_t round_ms)
{
	int64_t ms;

	if (t.ms == MONO_NEVER.ms)
		return JOURNAL_NEVER;
	ms = clk.wall_ms + mono_diff(t, clk.now) + round_ms;
	return ms >= 0 ? ms / 1000 : 0;
}

void
dhcp_lease_rec(const struct lease *l, struct dhcp_clock clk, struct journal_rec *rec)
{
	memset(rec, 0, sizeof(*rec));
	rec->ip = l->ip;
	rec->starts = wall_s(clk, l->start, CLOCKS_APART_MS);
	rec->ends = wall_s(clk, l->end, 999 - CLOCKS_APART_MS);
	if (l->state == LEASE_ABANDONED) {
		rec->abandoned = true;
		return;
	}
	rec->mac = l->mac;
	rec->uid_len = l->uid_len;
	memcpy(rec->uid, l->uid, l->uid_len);
	memcpy(rec->hostname, l->hostname, strlen(l->hostname) + 1);
}

bool
dhcp_server_each_rec(const struct dhcp_server *s, struct lease **at, struct dhcp_clock clk,
		     struct journal_rec *rec)
{
	struct lease *l = *at;
	bool active = l && l->state == LEASE_ACTIVE;

	/* Those in force come last, as they would if each had been appended when it began. */
	do {
		l = lease_each(s->leases, l);
		if (!l && !active) {
			active = true;
			l = lease_each(s->leases, NULL);
		}
	} while (l && (!l->recorded || (l->state == LEASE_ACTIVE) != active));
	*at = l;
	if (!l)
		return false;
	dhcp_lease_rec(l, clk, rec);
	return true;
}

/* --- from the lease file --- */

int
dhcp_server_replay_begin(struct dhcp_server *s, size_t n)
{
	struct lease_table *t;
	size_t size;

	if (n > NETCONF_POOL_MAX)
		n = NETCONF_POOL_MAX;
	size = table_size(s->conf, n);
	/* An empty table that is large enough has touched no memory yet; another one would. */
	if (s->leases && lease_table_used(s->leases) == 0 && lease_table_cap(s->leases) >= size) {
		lease_table_expect(s->leases, n);
		return 0;
	}
	t = lease_table_new(size, &s->key);
	if (!t)
		return -ENOMEM;
	lease_table_expect(t, n);
	lease_table_free(s->leases);
	s->leases = t;
	s->cursor = (struct pool_cursor){0};
	return 0;
}

static struct mono
mono_of(struct dhcp_clock clk, int64_t wall)
{
	/* Far more than any lease, far less than what arithmetic in milliseconds can hold. */
	const int64_t far = INT64_C(1) << 42;

	if (wall == JOURNAL_NEVER)
		return MONO_NEVER;
	if (wall > far)
		wall = far;
	return mono_add(clk.now, wall * 1000 - clk.wall_ms);
}

bool
dhcp_server_replay(struct dhcp_server *s, const struct journal_rec *rec, struct dhcp_clock clk)
{
	struct lease *l;
	bool live;

	if (!prefix4_contains(s->conf->subnet, rec->ip) || netconf_owns(s->conf, rec->ip))
		return false;
	l = book_entry(s, rec->ip);
	if (!l)
		return false;
	lease_set_client(s->leases, l, rec->mac, rec->uid, rec->uid_len);
	lease_set_hostname(l, rec->hostname);
	l->start = mono_of(clk, rec->starts);
	l->end = mono_of(clk, rec->ends);
	l->recorded = true;
	live = mono_before(clk.now, l->end);
	if (rec->abandoned && live)
		lease_set_state(s->leases, l, LEASE_ABANDONED, l->end);
	else
		lease_set_state(s->leases, l, live ? LEASE_ACTIVE : LEASE_ENDED, l->end);
	return true;
}

static int
end_cmp(const void *a, const void *b)
{
	const struct lease *x = *(struct lease *const *)a, *y = *(struct lease *const *)b;

	return (x->end.ms > y->end.ms) - (x->end.ms < y->end.ms);
}

/* Puts ended leases in order of their end, so that the longest-free one is found first; takes out
 * those that can never be used again. */
static int
order_ended(struct dhcp_server *s)
{
	size_t n = 0, max = lease_table_count(s->leases, LEASE_ENDED);
	struct lease **v, *l;

	if (max == 0)
		return 0;
	v = calloc(max, sizeof(struct lease *));
	if (!v)
		return -ENOMEM;
	for (l = lease_each(s->leases, NULL); l; l = lease_each(s->leases, l)) {
		if (l->state == LEASE_ENDED && n < max)
			v[n++] = l;
	}
	qsort(v, n, sizeof(struct lease *), end_cmp);
	for (size_t i = 0; i < n; i++) {
		if (netconf_fits(s->conf, v[i]->ip, v[i]->mac))
			book_end(s, v[i], v[i]->end);
		else
			lease_remove(s->leases, v[i]);
	}
	free(v);
	return 0;
}

/* A total order, so that of two leases exactly one is newer. */
static bool
is_newer(const struct lease *a, const struct lease *b)
{
	if (a->start.ms != b->start.ms)
		return a->start.ms > b->start.ms;
	if (a->end.ms != b->end.ms)
		return a->end.ms > b->end.ms;
	return a->ip.h > b->ip.h;
}

/* The newest lease in force of a client. By their times; but where a lease begins in the future the clock was set
 * back, and times on both sides of that cannot be compared. Then what the file says last counts: the entry that
 * comes first among those of its MAC. */
static const struct lease *
newest(const struct dhcp_server *s, struct mac mac, struct dhcp_clock clk)
{
	const struct lease *last = NULL, *best = NULL;
	bool future = false;

	for (struct lease *l = lease_each_mac(s->leases, mac, NULL); l;
	     l = lease_each_mac(s->leases, mac, l)) {
		if (l->state != LEASE_ACTIVE)
			continue;
		future |= mono_before(clk.now, l->start);
		last = last ? last : l;
		best = !best || is_newer(l, best) ? l : best;
	}
	return future ? last : best;
}

/* A MAC has one lease at most: of several that a file shows, the newest counts. Old and foreign files show several,
 * and so does one whose times a clock that was set back brought to life again. */
static bool
end_doubles(struct dhcp_server *s, struct dhcp_clock clk)
{
	bool some = false;

	for (struct lease *l = lease_each(s->leases, NULL); l; l = lease_each(s->leases, l)) {
		const struct lease *keep;

		if (l->state != LEASE_ACTIVE)
			continue;
		keep = newest(s, l->mac, clk);
		for (struct lease *o = lease_each_mac(s->leases, l->mac, NULL); o;
		     o = lease_each_mac(s->leases, l->mac, o))
			if (o->state == LEASE_ACTIVE && o != keep) {
				book_end(s, o, clk.now);
				some = true;
			}
	}
	return some;
}

/* A clock that was set back must not make leases longer than they were granted. */
static void
begin_now(struct dhcp_server *s, struct lease *l, struct dhcp_clock clk)
{
	if (!mono_before(clk.now, l->start))
		return;
	if (l->state != LEASE_ENDED && l->end.ms != MONO_NEVER.ms) {
		l->end = mono_add(clk.now, mono_diff(l->end, l->start));
		lease_set_state(s->leases, l, (enum lease_state)l->state, l->end);
	}
	l->start = clk.now;
}

int
dhcp_server_replay_end(struct dhcp_server *s, struct dhcp_clock clk, bool *doubles)
{
	int r;

	*doubles = end_doubles(s, clk);
	for (struct lease *l = lease_each(s->leases, NULL); l; l = lease_each(s->leases, l))
		begin_now(s, l, clk);
	r = order_ended(s);
	return r < 0 ? r : (int)lease_table_used(s->leases);
}

/* --- a new configuration --- */

/* Whether an entry has a place under the new configuration. */
static bool
survives(const struct netconf *c, const struct lease *l)
{
	if (!prefix4_contains(c->subnet, l->ip) || netconf_owns(c, l->ip))
		return false;
	switch ((enum lease_state)l->state) {
	case LEASE_ACTIVE:
		return true;
	case LEASE_OFFERED:
	case LEASE_ENDED:
		return netconf_fits(c, l->ip, l->mac);
	case LEASE_ABANDONED:
		return netconf_in_range(c, l->ip);
	case LEASE_UNUSED:
	case LEASE_STATE_N:
		break;
	}
	return false;
}

static void
carry_over(struct lease_table *to, const struct netconf *c, const struct lease *l)
{
	struct lease *n = add_entry(to, c, l->ip);

	if (!n)
		return; /* cannot be: the table was made for all of them */
	lease_set_client(to, n, l->mac, l->uid, l->uid_len);
	lease_set_hostname(n, l->hostname);
	n->start = l->start;
	n->end = l->end;
	n->recorded = l->recorded;
	n->contested = l->contested;
	n->probed = l->probed;
	lease_set_port(to, n, l->port);
	lease_set_state(to, n, (enum lease_state)l->state, l->due);
}

int
dhcp_server_set_conf(struct dhcp_server *s, struct netconf *conf, struct dhcp_clock clk,
		     bool *forgot)
{
	struct lease_table *t =
	    lease_table_new(table_size(conf, lease_table_used(s->leases)), &s->key);
	struct netconf *old_conf = s->conf;
	struct lease_table *old = s->leases;
	int r;

	*forgot = false;
	if (!t) {
		netconf_free(conf);
		return -ENOMEM;
	}
	for (struct lease *l = lease_each(old, NULL); l; l = lease_each(old, l)) {
		if (survives(conf, l))
			carry_over(t, conf, l);
		else
			*forgot |= l->recorded;
	}
	s->conf = conf;
	s->leases = t;
	end_doubles(s, clk);
	r = order_ended(s);
	if (r < 0) {
		s->conf = old_conf;
		s->leases = old;
		lease_table_free(t);
		netconf_free(conf);
		return r;
	}
	s->cursor = (struct pool_cursor){0};
	lease_table_free(old);
	netconf_free(old_conf);
	return 0;
}

/* --- time passes --- */

struct mono
dhcp_server_deadline(const struct dhcp_server *s)
{
	const struct lease *l = lease_next_due(s->leases);

	return l ? l->due : MONO_NEVER;
}

/* An offer that nobody took, or an abandoned address: nobody needs to hear of it. True when the
 * client had a lease that ran out. */
static bool
end_due(struct dhcp_server *s, struct lease *l, struct dhcp_clock clk, struct dhcp_change *change)
{
	bool was_active = l->state == LEASE_ACTIVE;
	/* An offer's hold is not a lease; who had the address before keeps its times. */
	struct mono end = l->state == LEASE_OFFERED ? l->end : l->due;
	struct mac mac = l->mac;

	book_end(s, l, end);
	if (!was_active)
		return false;
	memset(change, 0, sizeof(*change));
	change->event = DHCP_EVENT_EXPIRED;
	change->mac = mac;
	dhcp_lease_rec(l, clk, &change->rec);
	/* An abandoned one has no client that it could fit. */
	if (l->state == LEASE_ENDED && !netconf_fits(s->conf, l->ip, l->mac))
		lease_remove(s->leases, l);
	return true;
}

bool
dhcp_server_expire(struct dhcp_server *s, struct dhcp_clock clk, struct dhcp_change *change)
{
	for (;;) {
		struct lease *l = lease_next_due(s->leases);

		if (!l || mono_before(clk.now, l->due))
			return false;
		if (end_due(s, l, clk, change))
			return true;
	}
}

/* --- asking --- */

const struct netconf *
dhcp_server_conf(const struct dhcp_server *s)
{
	return s->conf;
}

const struct lease_table *
dhcp_server_leases(const struct dhcp_server *s)
{
	return s->leases;
}

const struct dhcp_stats *
dhcp_server_stats(const struct dhcp_server *s)
{
	return &s->stats;
}

void
dhcp_server_counts(const struct dhcp_server *s, uint32_t *active, uint32_t *total)
{
	*active = (uint32_t)lease_table_count(s->leases, LEASE_ACTIVE);
	*total = s->conf->pool + (uint32_t)s->conf->nhost_by_ip;
}

void
dhcp_server_pool(const struct dhcp_server *s, uint32_t *held, uint32_t *total)
{
	*held = (uint32_t)lease_table_pool_held(s->leases);
	*total = s->conf->pool;
}
