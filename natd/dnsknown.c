/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsknown.c - names of our own and kept answers, for both UDP and TCP. Pure.
 */
#include "natd/dnsknown.h"

#include <string.h>

#include "natd/dnsrebind.h"

/* What is counted. */

struct dns_stats *
known_stats(struct dns *d, unsigned net)
{
	if (net == DNS_NET_NONE)
		return &d->stray;
	return net < DNS_NETS && d->net[net] ? &d->net[net]->stats : NULL;
}

const struct dns_stats *
dns_stats(const struct dns *d)
{
	return &d->stats;
}

const struct dns_stats *
dns_stats_of(const struct dns *d, unsigned net)
{
	return known_stats((struct dns *)d, net);
}

bool
dns_server_at(const struct dns *d, unsigned net, unsigned i, struct mono now,
	      struct dns_server *out)
{
	struct dns_net *n = net < DNS_NETS ? d->net[net] : NULL;

	for (unsigned k = 0; n && k < DNS_QUERY_SERVERS; k++) {
		const struct upstream *u = pick_server(n, k);

		if (!u || i-- > 0)
			continue;
		*out = upstream_describe(u, k >= DNS_SERVERS_MAX, now);
		return true;
	}
	return false;
}

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

void
dns_set_subnet(struct dns *d, unsigned net, struct prefix4 subnet)
{
	if (net < DNS_NETS)
		d->subnet[net] = subnet;
}

/* What is refused. */

bool
dns_take_refusal(struct dns *d, struct mono now, struct dns_refusal *out)
{
	if (d->told == d->stats.rebinds || mono_before(now, d->tell_at))
		return false;
	*out = d->refusal;
	out->others = d->stats.rebinds - d->told - 1;
	d->told = d->stats.rebinds;
	d->tell_at = mono_add(now, DNS_REFUSAL_MS);
	return true;
}

/* msg is an answer, by whomever, to a query of a network with rebind_protection, which had this OPT record. A refusal
 * has the query's spelling of the question. */
static size_t
guard(struct dns *d, const struct dns_asker *from, const struct dns_edns *e, const uint8_t *query,
      uint8_t *msg, size_t len)
{
	const struct dns_net_conf *conf = &d->net[from->net]->conf;
	struct dns_refusal r = {.net = from->net, .client = from->client};
	struct dns_head h;
	bool plain;

	if (!dns_head_parse(&h, msg, len) || !h.question_ok ||
	    !rebind_find(r.ip, msg, len, &h, d->subnet, DNS_NETS))
		return len;
	plain = dns_name_text(r.name, msg, &h);
	if (plain && rebind_is_local(r.name, conf->private_domains))
		return len;
	dns_count(d, from->net, DNS_COUNT_REBINDS);
	d->refusal = r;
	if (query != msg)
		memcpy(msg + DNS_HEADER_LEN, query + DNS_HEADER_LEN, h.end - DNS_HEADER_LEN);
	return dns_make_blocked(msg, len, &h, e);
}

size_t
known_guard(struct dns *d, const struct dns_asker *from, const uint8_t *query, size_t query_len,
	    uint8_t *msg, size_t len)
{
	struct dns_edns e;
	struct dns_head h;

	if (!d->net[from->net]->conf.rebind_protection || !dns_head_parse(&h, query, query_len))
		return len;
	dns_edns_parse(&e, query, query_len, &h);
	return guard(d, from, &e, query, msg, len);
}

/* What is known. */

size_t
known_answer(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len,
	     const struct dns_head *h, size_t cap, bool tcp, struct mono now, bool *again)
{
	const struct dns_net *n = d->net[from->net];
	struct dnscache_key k;
	struct dns_edns e;
	size_t limit, got;

	if (!dns_edns_parse(&e, msg, len, h))
		return 0;
	limit = tcp ? cap : e.size < DNS_UDP_MAX ? e.size : DNS_UDP_MAX;
	if (limit > cap)
		limit = cap;
	got = dnsname_answer(d->names, from->net, msg, limit, h, &e);
	if (got)
		dns_count(d, from->net, DNS_COUNT_NAMED);
	if (got || !n->conf.cache || !dnscache_key_init(&k, known_scope(d, n), msg, h, &e))
		return got;
	got = dnscache_get(d->cache, &k, msg, limit, h, &e, now, again);
	if (got)
		dns_count(d, from->net, DNS_COUNT_CACHED);
	/* It may have been kept for a network that does not mind. */
	return got && n->conf.rebind_protection ? guard(d, from, &e, msg, msg, got) : got;
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
dns_learn(struct dns *d, const struct dns_asker *from, uint32_t scope, const uint8_t *query,
	  size_t query_len, uint8_t *msg, size_t len, struct mono now)
{
	if (from->net >= DNS_NETS || !d->net[from->net])
		return len;
	dns_count(d, from->net, DNS_COUNT_ANSWERS);
	known_keep(d, from->net, scope, query, query_len, msg, len, now);
	return known_guard(d, from, query, query_len, msg, len);
}
