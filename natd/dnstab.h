/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstab.h - the DNS proxy's pending queries: a fixed table, found by our id, by client, by age and by
 * deadline.
 *
 * Pure. Memory is taken once and touched only as far as it was ever needed. Nothing here knows why a
 * query is kept or dropped: that is dns.c. Fields above the line are the user's.
 */
#ifndef VNET_NATD_DNSTAB_H
#define VNET_NATD_DNSTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "natd/dns.h"

/* Servers of one query: the network's own at 0, the host's from DNS_SERVERS_MAX on. */
#define DNS_QUERY_SERVERS (2 * DNS_SERVERS_MAX)

struct dns_query {
	/* Who asked. */
	uint16_t net, port, client_id; /* port 0: nobody, the answer is for the cache */
	struct ip4 client;
	/* What. */
	uint16_t id; /* ours: never that of another pending query */
	uint16_t len;
	uint16_t end;   /* of header and question */
	uint32_t scope; /* of the cache, when it was asked */
	/* Of whom. */
	uint8_t sock;
	int8_t at;           /* the server that is waited for, -1: the next is to be asked */
	uint8_t asked, gone; /* bits of servers: asked at all; refused or unreachable */
	uint8_t waited;      /* bits of those asked since the last timeout */
	uint8_t first;       /* the server that it began with, or would have */
	bool more;           /* the next server is asked without waiting for this one */
	uint8_t tries[DNS_QUERY_SERVERS]; /* how often each was asked */
	struct mono born, sent;
	/* -- the table's own -- */
	struct mono due;
	uint16_t id_next, client_next, age_prev, age_next, heap_at;
};

struct dns_tab;

/* key: a secret number that keeps guests from choosing their place. NULL: no memory. */
struct dns_tab *dns_tab_new(uint64_t key);
void dns_tab_free(struct dns_tab *t);

unsigned dns_tab_count(const struct dns_tab *t);

/* An id that no pending query has, the first from `start` on (going round). */
uint16_t dns_tab_free_id(struct dns_tab *t, uint16_t start);

/* A new query, youngest of all, due never, everything else zero. NULL: the table is full. */
struct dns_query *dns_tab_add(struct dns_tab *t, unsigned net, struct ip4 client, uint16_t id);
/* Its message stays in place until the next dns_tab_add(). */
void dns_tab_remove(struct dns_tab *t, struct dns_query *q);

/* DNS_QUERY_LEN_MAX bytes for its message. */
uint8_t *dns_tab_msg(struct dns_tab *t, const struct dns_query *q);

/* The pending query with this id of ours, or NULL. */
struct dns_query *dns_tab_find(struct dns_tab *t, uint16_t id);

/* The queries of one client, in no order: after `prev`, from NULL on; NULL: no more. */
struct dns_query *dns_tab_each_of(struct dns_tab *t, unsigned net, struct ip4 client,
				  const struct dns_query *prev);

/* By age: the oldest, and the next younger; NULL: none. */
struct dns_query *dns_tab_oldest(struct dns_tab *t);
struct dns_query *dns_tab_younger(struct dns_tab *t, const struct dns_query *q);

void dns_tab_set_due(struct dns_tab *t, struct dns_query *q, struct mono due);
/* The query that is due first, or NULL. */
struct dns_query *dns_tab_first_due(struct dns_tab *t);

#endif
