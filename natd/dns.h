/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns.h - the DNS proxy's decisions: which upstream gets a guest's query, which answer is whose.
 *
 * Pure: no sockets, clock, log or libevent; time and random numbers are parameters. Nothing is allocated
 * after dns_new(), dns_set_net() and the filling of dns_names(). Messages are forwarded raw: only the id changes, so EDNS, DNSSEC,
 * unknown types and truncation pass as they are (RFC 5625). Answers are kept by TTL (dnscache.h), and some names
 * are our own (dnsname.h).
 *
 * One `struct dns` serves all networks. A call returns what should be done as a struct dns_out:
 *
 *      query from a guest  -> dns_query_in()    -> DNS_SEND, DNS_REPLY or DNS_DROP
 *      message on socket k -> dns_answer_in()   -> DNS_REPLY or DNS_DROP
 *      nobody can be asked -> dns_unreachable()
 *      then, and at dns_next_deadline()         -> dns_tick() until false: any of the three
 *
 * Every query that got DNS_SEND gets exactly one DNS_REPLY later, except when the table was full and it
 * was the oldest (counted), or its network went.
 */
#ifndef VNET_NATD_DNS_H
#define VNET_NATD_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"
#include "lib/mono.h"
#include "lib/msg_kinds.h"
#include "natd/dnsaddr.h"
#include "natd/dnsmsg.h"
#include "natd/dnsname.h"

#define DNS_QUERIES_MAX    4096 /* pending; when full the oldest is dropped */
#define DNS_PER_CLIENT_MAX 256  /* pending of one guest address; more are refused */
#define DNS_QUERY_LEN_MAX  1232 /* bytes; longer ones get FORMERR (RFC 6891's advice for EDNS) */
#define DNS_UDP_MAX        4096 /* bytes of our own answers over UDP, whatever the guest would take */
#define DNS_SOCKS_MAX      64
#define DNS_NETS           256
#define DNS_NET_NONE       DNS_NETS /* what is counted for no network */
#define DNS_SERVERS_MAX    3        /* per list: a network's own, the host's */
#define DNS_DOMAINS_LEN    1024     /* private_domains, with NUL */

/* nat.conf's defaults ([dns] timeout, retries). */
#define DNS_TIMEOUT_MS 2000
#define DNS_TRIES      3
#define DNS_TRIES_MAX  100

/* A server that left this many queries in a row without an answer (or is unreachable) is asked last
 * for a while; after that one query tries it again. */
#define DNS_BAD_AFTER 3
#define DNS_BAD_MS    30000

/* Refusals by rebind_protection are told no more often than this. */
#define DNS_REFUSAL_MS 1000

/* A query that nobody answered for this long is given up, whatever is configured. */
#define DNS_LIFE_MS 60000

/* Why nothing was sent. D(NAME, text for people) */
#define DNS_DROP_LIST(D)                                                                           \
	D(NONE, "sent")                                                                            \
	D(SHORT, "shorter than a header")                                                          \
	D(NOT_QUERY, "an answer where a query belongs")                                            \
	D(NO_PORT, "from port 0, which cannot be answered")                                        \
	D(NO_NET, "for a network without a proxy")                                                 \
	D(REPEATED, "a repetition of a pending query")                                             \
	D(NOT_ANSWER, "a query where an answer belongs")                                           \
	D(NO_ID, "an answer to no pending query")                                                  \
	D(SOCKET, "an answer on another socket")                                                   \
	D(SERVER, "an answer from a server that was not asked")                                    \
	D(QUESTION, "an answer to another question")                                               \
	D(NEXT_SERVER, "a refusal; another server is asked")                                       \
	D(REFRESH, "an answer that nobody waits for")

enum dns_drop {
#define D(NAME, text) DNS_DROP_##NAME,
	DNS_DROP_LIST(D)
#undef D
	    DNS_DROP_N
};

/* What is to be done. */
enum dns_what {
	DNS_DROP,  /* nothing; `why` tells */
	DNS_SEND,  /* send msg to `server` from upstream socket `sock` (of the server's family) */
	DNS_REPLY, /* send msg to the guest `client`:`port` from the proxy's socket of `net` */
};

struct dns_out {
	enum dns_what what;
	enum dns_drop why;
	/* The bytes: inside the buffer that the caller gave, or (dns_tick) the proxy's own, valid until the
	 * next call that is not dns_tick(). */
	const uint8_t *msg;
	size_t len;
	unsigned sock;
	struct dns_addr server;
	unsigned net;
	struct ip4 client;
	uint16_t port;
};

/* nat.conf's [dns] policy. */
enum dns_policy {
	DNS_ORDER,  /* one server after the other */
	DNS_ROTATE, /* the same, but each query begins with another one */
	DNS_BURST,  /* the first three at once */
	DNS_POLICY_N
};

/* How a network's queries are forwarded. */
struct dns_net_conf {
	/* nat.conf nameserver1-3: asked before the host's. */
	struct dns_addr server[DNS_SERVERS_MAX];
	unsigned nservers;
	bool host_servers; /* the host's own are asked too ([dns] autodetect) */
	enum dns_policy policy;
	uint32_t timeout_ms; /* until the next server is asked; 1 to DNS_LIFE_MS */
	uint32_t tries;      /* per server; 1 to DNS_TRIES_MAX */
	bool cache;          /* answers are kept */
	/* Answers are refused that lead from a name of the Internet into private networks (dnsrebind.h), but for names
	 * in these domains: in small letters, a blank between two. */
	bool rebind_protection;
	char private_domains[DNS_DOMAINS_LEN];
};

/* Who asks. */
struct dns_asker {
	unsigned net;
	struct ip4 client;
	uint16_t port;
};

/* What is counted. Each query of a guest counts once among the first, and once as NAMED, CACHED, FORWARDED, FORMERR,
 * REFUSED, NO_SERVER or dropped as REPEATED. D(NAME, field, kind, text for people) */
#define DNS_COUNT_LIST(D)                                                                          \
	D(QUERIES, queries, GUESTS, "queries of guests")                                           \
	D(TCP, tcp, GUESTS, "over TCP")                                                            \
	D(NAMED, named, GUESTS, "answered from our own names")                                     \
	D(CACHED, cached, GUESTS, "answered from what was kept")                                   \
	D(FORWARDED, forwarded, GUESTS, "servers were asked")                                      \
	D(ANSWERS, answers, GUESTS, "answers of servers, handed to guests")                        \
	D(REBINDS, rebinds, GUESTS, "answers refused by rebind-protection")                        \
	D(SERVFAIL, servfail, GUESTS, "no server answered")                                        \
	D(NO_SERVER, no_server, GUESTS, "no server to ask")                                        \
	D(FORMERR, formerr, GUESTS, "malformed or too long")                                       \
	D(REFUSED, refused, GUESTS, "too many at once of one guest, or transfers of zones")        \
	D(CLOSED, closed, GUESTS, "connections closed, as there were too many")                    \
	D(FULL, full, GUESTS, "forgotten for newer ones")                                          \
	D(GONE, gone, GUESTS, "forgotten with their network")                                      \
	D(SENT, sent, SERVERS, "queries sent")                                                     \
	D(REFRESHED, refreshed, SERVERS, "answers that are wanted often, asked for again")         \
	D(TIMEOUTS, timeouts, SERVERS, "no answer in time")                                        \
	D(UNREACHABLE, unreachable, SERVERS, "not reachable, or broke off")

enum dns_count {
#define D(NAME, field, kind, text) DNS_COUNT_##NAME,
	DNS_COUNT_LIST(D)
#undef D
	    DNS_COUNT_N
};

struct dns_stats {
	union {
		struct {
#define D(NAME, field, kind, text) uint64_t field;
			DNS_COUNT_LIST(D)
#undef D
		};
		uint64_t n[DNS_COUNT_N];
	};
	uint64_t dropped[DNS_DROP_N];
};

/* What is known of a server. */
struct dns_server {
	struct dns_addr addr;
	bool host; /* one of the host's */
	enum dns_server_state state;
	uint32_t fails;    /* queries in a row that it left without an answer */
	uint32_t retry_ms; /* DNS_SERVER_SILENT: until one query tries it again */
};

/* An answer that rebind_protection has refused. */
struct dns_refusal {
	unsigned net;
	struct ip4 client;
	char name[DNS_TEXT_MAX]; /* that was asked for */
	uint8_t ip[16];          /* why, IPv4 as in dnsaddr.h */
	uint64_t others;         /* refused since the one that was taken before */
};

struct dns;

/* nsocks: how many upstream sockets the caller has in each family (1 to DNS_SOCKS_MAX); each query uses
 * one of them. seed: a secret random number. NULL: no memory. */
struct dns *dns_new(unsigned nsocks, uint64_t seed);
void dns_free(struct dns *d);

/* Starts serving a network, or changes it. The same configuration again changes nothing; another one
 * sends the network's pending queries on to the new servers at the next dns_tick(). 0, -EINVAL (numbers
 * out of range), -ENOMEM. */
int dns_set_net(struct dns *d, unsigned net, const struct dns_net_conf *conf, struct mono now);

/* Stops serving it; its pending queries are forgotten. */
void dns_drop_net(struct dns *d, unsigned net);

/* The host's own servers; at most DNS_SERVERS_MAX count. As dns_set_net() for all networks that use them. */
void dns_set_host_servers(struct dns *d, const struct dns_addr *server, unsigned n,
			  struct mono now);

/* A network of ours, which no name of the Internet leads to; len 0: there is none (any more). */
void dns_set_subnet(struct dns *d, unsigned net, struct prefix4 subnet);

/* The names that are known without asking, to be filled. */
struct dnsname *dns_names(struct dns *d);

/* The host's way to its servers has changed, a VPN came or went: kept answers are void. */
void dns_flush(struct dns *d);

/* A datagram from a guest. msg, which has room for cap bytes, is rewritten in place for what is to be sent. rnd:
 * 64 fresh, unpredictable bits, the only source of the id and the socket that the server sees. */
struct dns_out dns_query_in(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len,
			    size_t cap, struct mono now, uint64_t rnd);

/* A datagram on upstream socket `sock` from `from`. msg is rewritten in place. */
struct dns_out dns_answer_in(struct dns *d, unsigned sock, const struct dns_addr *from,
			     uint8_t *msg, size_t len, struct mono now);

/* Over TCP, where the caller does the asking. */

/* As far as we know it ourselves: turns the query msg (room for cap bytes) into the answer. Its length, 0: somebody has
 * to be asked. It may be asked for again, which dns_tick() does then; rnd as for dns_query_in(). *scope: for
 * dns_learn(). */
size_t dns_answer(struct dns *d, const struct dns_asker *from, uint8_t *msg, size_t len, size_t cap,
		  struct mono now, uint64_t rnd, uint32_t *scope);

/* The server to try after k others, and how long: the last of them as long as all its tries take, for there is nobody
 * else to turn to. False: there are no more. */
bool dns_server(struct dns *d, unsigned net, unsigned k, struct mono now, struct dns_addr *addr,
		uint32_t *wait_ms);

/* A server has answered this query (dns_is_answer()). Turns msg in place into what the guest gets, but for the id; its
 * length. */
size_t dns_learn(struct dns *d, const struct dns_asker *from, uint32_t scope, const uint8_t *query,
		 size_t query_len, uint8_t *msg, size_t len, struct mono now);

/* Sending msg (or as much of it as an ICMP error quoted) from `sock` to `server` failed for good. The next
 * dns_tick() asks the next server. */
void dns_unreachable(struct dns *d, unsigned sock, const struct dns_addr *server,
		     const uint8_t *msg, size_t len, struct mono now);

/* One thing that is due; false: nothing. Call it until then. */
bool dns_tick(struct dns *d, struct mono now, struct dns_out *out);

/* When dns_tick() has work; MONO_NEVER: when nothing is pending. */
struct mono dns_next_deadline(const struct dns *d);

/* Pending queries: all, or of one upstream socket. */
unsigned dns_pending(const struct dns *d);
unsigned dns_sock_pending(const struct dns *d, unsigned sock);

/* The latest refusal that was not taken yet; false: none, or not yet another one. */
bool dns_take_refusal(struct dns *d, struct mono now, struct dns_refusal *out);

/* Of all networks there were, and of what belongs to none. */
const struct dns_stats *dns_stats(const struct dns *d);
/* Of one network since it is served, NULL: it is not; or of what belongs to none (DNS_NET_NONE). */
const struct dns_stats *dns_stats_of(const struct dns *d, unsigned net);
/* One more; for what the caller does itself. net: may be DNS_NET_NONE. */
void dns_count(struct dns *d, unsigned net, enum dns_count what);
void dns_count_drop(struct dns *d, unsigned net, enum dns_drop why);

/* The i-th server of a network, in the order in which they are asked when all are well. False: it has no more. */
bool dns_server_at(const struct dns *d, unsigned net, unsigned i, struct mono now,
		   struct dns_server *out);

/* The text of a drop reason. */
const char *dns_drop_text(enum dns_drop why);

#endif
