/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsknown.c - names of our own and kept answers, for both UDP and TCP. Pure.
 */
#include "natd/dnsknown.h"

uint32_t
known_scope(const struct dns *d, const struct dns_net *n)
{
	return n->own.n == 0 && n->conf.host_servers ? d->host_scope : n->scope;
}

void
dns_flush(struct dns *d)
{
	d->host_scope = ++d->last_scope;
	for (unsigned i = 0; i < DNS_NETS; i++) {
		if (d->net[i])
			d->net[i]->scope = ++d->last_scope;
	}
}

struct dnsname *
dns_names(struct dns *d)
{
	return d->names;
}

size_t
known_answer(struct dns *d, unsigned net, uint8_t *msg, size_t len, const struct dns_head *h,
	     size_t cap, bool tcp, struct mono now, bool *again)
{
	const struct dns_net *n = d->net[net];
	struct dnscache_key k;
	struct dns_edns e;
	size_t limit, got;

	*again = false;
	if (!dns_edns_parse(&e, msg, len, h))
		return 0;
	limit = tcp ? cap : e.size < DNS_UDP_MAX ? e.size : DNS_UDP_MAX;
	if (limit > cap)
		limit = cap;
	got = dnsname_answer(d->names, net, msg, limit, h, &e);
	d->stats.named += got > 0;
	if (got || !n->conf.cache || !dnscache_key_init(&k, known_scope(d, n), msg, h, &e))
		return got;
	got = dnscache_get(d->cache, &k, msg, limit, h, &e, now, again);
	d->stats.cached += got > 0;
	return got;
}

void
known_keep(struct dns *d, unsigned net, uint32_t scope, const uint8_t *query, size_t query_len,
	   const uint8_t *msg, size_t len, struct mono now)
{
	const struct dns_net *n = d->net[net];
	struct dnscache_key k;
	struct dns_edns e;
	struct dns_head h;

	/* A late answer of servers of before. */
	if (!n->conf.cache || scope != known_scope(d, n))
		return;
	if (dns_head_parse(&h, query, query_len) && dns_edns_parse(&e, query, query_len, &h) &&
	    dnscache_key_init(&k, scope, query, &h, &e))
		dnscache_put(d->cache, &k, msg, len, now);
}

/* TCP. */

size_t
dns_answer(struct dns *d, unsigned net, uint8_t *msg, size_t len, size_t cap, struct mono now,
	   uint32_t *scope)
{
	struct dns_head h;
	bool again;

	*scope = 0;
	if (net >= DNS_NETS || !d->net[net] || !dns_head_parse(&h, msg, len))
		return 0;
	*scope = known_scope(d, d->net[net]);
	return h.question_ok ? known_answer(d, net, msg, len, &h, cap, true, now, &again) : 0;
}

void
dns_learn(struct dns *d, unsigned net, uint32_t scope, const uint8_t *query, size_t query_len,
	  const uint8_t *msg, size_t len, struct mono now)
{
	if (net < DNS_NETS && d->net[net])
		known_keep(d, net, scope, query, query_len, msg, len, now);
}
