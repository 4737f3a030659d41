/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnspick.h - which server a query asks next, and what is known about servers.
 *
 * Pure. A network's own servers come before the host's; by its policy the first is asked first, or each query
 * begins with another one, or the first three are asked at once. Each is asked once before any is
 * asked again, and servers that are known to be bad come last in each round.
 */
#ifndef VNET_NATD_DNSPICK_H
#define VNET_NATD_DNSPICK_H

#include "natd/dns.h"
#include "natd/dnstab.h"

/* How many are asked at once (DNS_BURST). */
#define DNS_BURST_SERVERS 3

/* A server as this proxy has known it. */
struct upstream {
	struct dns_addr addr;
	unsigned fails; /* queries in a row that it left without an answer */
	bool answered;  /* at least one */
	struct mono bad_until;
};

struct upstreams {
	struct upstream up[DNS_SERVERS_MAX];
	unsigned n;
};

struct dns_net {
	struct dns_net_conf conf;
	struct upstreams own;
	struct upstreams *host; /* the proxy's */
	uint32_t scope;         /* of its answers, if they are not for all networks */
	unsigned turn;          /* queries so far (DNS_ROTATE) */
	struct dns_stats stats;
};

bool upstreams_eq(const struct upstreams *list, const struct dns_addr *addr, unsigned n);
/* Nothing is known about any of them. */
void upstreams_set(struct upstreams *list, const struct dns_addr *addr, unsigned n);

bool upstream_is_bad(const struct upstream *u, struct mono now);
void upstream_answered(struct upstream *u);
/* It left this many queries without an answer. */
void upstream_failed(struct upstream *u, unsigned fails, struct mono now);

/* What there is to say about it; host: it is one of the host's. */
struct dns_server upstream_describe(const struct upstream *u, bool host, struct mono now);

/* The i-th server of a network (below DNS_QUERY_SERVERS), or NULL: also where an earlier one has the same address, for
 * nothing tells their answers apart. */
struct upstream *pick_server(struct dns_net *n, unsigned i);

/* The server of which q got or may get something, by its address; -1: it was not asked. */
int pick_asked(struct dns_net *n, const struct dns_query *q, const struct dns_addr *addr);

/* The server that q should ask next, -1: nobody is left. q NULL: a query that asked nobody yet, as if it began with
 * server `first`. */
int pick_next(struct dns_net *n, const struct dns_query *q, unsigned first, struct mono now);

/* The network's next query begins with this server. */
unsigned pick_first(struct dns_net *n);

/* There is a healthy server that q did not ask. */
bool pick_has_fresh(struct dns_net *n, const struct dns_query *q, struct mono now);

/* With DNS_BURST: q, which has just asked, goes on to ask another one at once. */
bool pick_more_at_once(struct dns_net *n, const struct dns_query *q, struct mono now);

#endif
