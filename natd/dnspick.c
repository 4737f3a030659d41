/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnspick.c - the choice of servers. Pure.
 */
#include <string.h>

#include "natd/dnspick.h"

bool
upstreams_eq(const struct upstreams *list, const struct dns_addr *addr, unsigned n)
{
	if (list->n != n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!dns_addr_eq(&list->up[i].addr, &addr[i]))
			return false;
	}
	return true;
}

void
upstreams_set(struct upstreams *list, const struct dns_addr *addr, unsigned n)
{
	memset(list, 0, sizeof(*list));
	list->n = n;
	for (unsigned i = 0; i < n; i++)
		list->up[i].addr = addr[i];
}

bool
upstream_is_bad(const struct upstream *u, struct mono now)
{
	return u->fails >= DNS_BAD_AFTER && mono_before(now, u->bad_until);
}

void
upstream_answered(struct upstream *u)
{
	u->answered = true;
	u->fails = 0;
}

void
upstream_failed(struct upstream *u, unsigned fails, struct mono now)
{
	u->fails += fails;
	if (u->fails >= DNS_BAD_AFTER)
		u->bad_until = mono_add(now, DNS_BAD_MS);
}

struct dns_server
upstream_describe(const struct upstream *u, bool host, struct mono now)
{
	struct dns_server s = {.addr = u->addr, .host = host, .fails = u->fails};

	if (upstream_is_bad(u, now)) {
		s.state = DNS_SERVER_SILENT;
		s.retry_ms = (uint32_t)mono_diff(u->bad_until, now);
	} else if (u->fails) {
		s.state = DNS_SERVER_FAILING;
	} else {
		s.state = u->answered ? DNS_SERVER_OK : DNS_SERVER_UNTRIED;
	}
	return s;
}

static struct upstream *
entry(struct dns_net *n, unsigned i)
{
	struct upstreams *list = &n->own;

	if (i >= DNS_SERVERS_MAX) {
		if (!n->conf.host_servers)
			return NULL;
		list = n->host;
		i -= DNS_SERVERS_MAX;
	}
	return i < list->n ? &list->up[i] : NULL;
}

struct upstream *
pick_server(struct dns_net *n, unsigned i)
{
	struct upstream *u = entry(n, i);

	for (unsigned k = 0; u && k < i; k++) {
		const struct upstream *before = entry(n, k);

		if (before && dns_addr_eq(&before->addr, &u->addr))
			return NULL;
	}
	return u;
}

int
pick_asked(struct dns_net *n, const struct dns_query *q, const struct dns_addr *addr)
{
	for (unsigned i = 0; i < DNS_QUERY_SERVERS; i++) {
		const struct upstream *u = pick_server(n, i);

		if (u && q->asked & 1u << i && dns_addr_eq(&u->addr, addr))
			return (int)i;
	}
	return -1;
}

unsigned
pick_first(struct dns_net *n)
{
	unsigned at[DNS_QUERY_SERVERS], count = 0;

	if (n->conf.policy != DNS_ROTATE)
		return 0;
	for (unsigned i = 0; i < DNS_QUERY_SERVERS; i++) {
		if (pick_server(n, i))
			at[count++] = i;
	}
	return count ? at[n->turn++ % count] : 0;
}

int
pick_next(struct dns_net *n, const struct dns_query *q, unsigned first, struct mono now)
{
	unsigned best_tries = 0;
	bool best_bad = false;
	int best = -1;

	for (unsigned k = 0; k < DNS_QUERY_SERVERS; k++) {
		unsigned i = (first + k) % DNS_QUERY_SERVERS;
		const struct upstream *u = pick_server(n, i);
		unsigned tries = q ? q->tries[i] : 0;
		bool bad;

		if (!u || tries >= n->conf.tries || (q && q->gone & 1u << i))
			continue;
		bad = upstream_is_bad(u, now);
		if (best >= 0 &&
		    (tries > best_tries || (tries == best_tries && (bad || !best_bad))))
			continue;
		best = (int)i;
		best_tries = tries;
		best_bad = bad;
	}
	return best;
}

bool
pick_has_fresh(struct dns_net *n, const struct dns_query *q, struct mono now)
{
	for (unsigned i = 0; i < DNS_QUERY_SERVERS; i++) {
		const struct upstream *u = pick_server(n, i);

		if (u && q->tries[i] == 0 && !(q->gone & 1u << i) && !upstream_is_bad(u, now))
			return true;
	}
	return false;
}

bool
pick_more_at_once(struct dns_net *n, const struct dns_query *q, struct mono now)
{
	unsigned round = q->tries[q->at], asked = 0;
	int next;

	if (n->conf.policy != DNS_BURST)
		return false;
	for (unsigned i = 0; i < DNS_QUERY_SERVERS; i++)
		asked += q->tries[i] == round;
	next = pick_next(n, q, q->first, now);
	return asked < DNS_BURST_SERVERS && next >= 0 && q->tries[next] < round;
}
