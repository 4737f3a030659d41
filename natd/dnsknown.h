/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsknown.h - the proxy's state, and what it can answer without asking: for dns.c and dnsknown.c alone.
 */
#ifndef VNET_NATD_DNSKNOWN_H
#define VNET_NATD_DNSKNOWN_H

#include "natd/dns.h"
#include "natd/dnscache.h"
#include "natd/dnsmsg.h"
#include "natd/dnspick.h"
#include "natd/dnstab.h"

struct dns {
	struct dns_tab *tab;
	struct dnscache *cache;
	struct dnsname *names;
	/* Answers belong to the servers that gave them: whenever those change, so does this. What was kept
	 * before is never found again and makes room in time. */
	uint32_t host_scope, last_scope;
	struct dns_net *net[DNS_NETS];
	struct upstreams host;
	unsigned nsocks;
	unsigned sock_pending[DNS_SOCKS_MAX];
	struct dns_stats stats, stray;   /* of all; of no network */
	struct prefix4 subnet[DNS_NETS]; /* ours; len 0: none */
	struct dns_refusal refusal;      /* the latest */
	uint64_t told;                   /* of stats.rebinds */
	struct mono tell_at;             /* the next one */
};

/* Where is counted for a network; NULL: for no longer. */
struct dns_stats *known_stats(struct dns *d, unsigned net);

/* Networks that ask the same servers share what they said. */
uint32_t known_scope(const struct dns *d, const struct dns_net *n);

/* Turns the query msg (room for cap bytes) into the answer. Its length, 0: it has to be asked for. *again becomes true: it
 * should be asked for nevertheless. NULL: it cannot be now. */
size_t known_answer(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len,
		    const struct dns_head *h, size_t cap, bool tcp, struct mono now, bool *again);

/* Keeps the answer to a query that was asked while the network's scope was this. */
void known_keep(struct dns *d, unsigned net, uint32_t scope, const uint8_t *query, size_t query_len,
		const uint8_t *msg, size_t len, struct mono now);

/* Turns a server's answer to this very question in place into a refusal if rebind_protection forbids it. Its length. */
size_t known_guard(struct dns *d, const struct dns_asker *from, const uint8_t *query,
		   size_t query_len, uint8_t *msg, size_t len);

#endif
