/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsfix.h - a DNS proxy with one network, its last decision, and words to speak with it, for the tests
 * of natd/dns.c.
 */
#ifndef VNET_TESTS_UNIT_NATD_DNSFIX_H
#define VNET_TESTS_UNIT_NATD_DNSFIX_H

#include "dnskit.h"

#include <errno.h>

#include "natd/dns.h"

#define NET   8u
#define PORT  40000
#define GUEST ((struct ip4){0xc0a80880})
#define SOCKS 4u

/* What the last call wanted. */
struct fixture {
	struct dns *d;
	struct mono now;
	struct dns_out out;
	uint8_t buf[2048];  /* what a guest or server sent, and where the answer is made */
	uint8_t sent[2048]; /* the last message to a server */
	size_t sent_len;
	unsigned sock;
	uint64_t rnd;
};

static inline struct dns_addr
server(unsigned n)
{
	return dns_addr_from_ip4((struct ip4){0xc0000200 + n}, DNS_PORT);
}

static inline void
set_host_servers(struct fixture *f, unsigned n)
{
	struct dns_addr s[DNS_SERVERS_MAX] = {server(1), server(2), server(3)};

	dns_set_host_servers(f->d, s, n, f->now);
}

static inline struct dns_net_conf
net_conf(unsigned nservers)
{
	return (struct dns_net_conf){.server = {server(11), server(12), server(13)},
				     .nservers = nservers,
				     .host_servers = true,
				     .timeout_ms = DNS_TIMEOUT_MS,
				     .tries = DNS_TRIES};
}

static inline void
setup(struct fixture *f, unsigned host_servers)
{
	struct dns_net_conf c = net_conf(0);

	memset(f, 0, sizeof(*f));
	f->now.ms = 1000000;
	f->rnd = 0x20301;
	f->d = dns_new(SOCKS, 77);
	assert_non_null(f->d);
	assert_int_equal(dns_set_net(f->d, NET, &c, f->now), 0);
	set_host_servers(f, host_servers);
}

static inline void
teardown(struct fixture *f)
{
	unsigned socks = 0;

	for (unsigned i = 0; i < DNS_SOCKS_MAX; i++)
		socks += dns_sock_pending(f->d, i);
	assert_int_equal(socks, dns_pending(f->d));
	dns_free(f->d);
}

/* Keeps what went to a server. */
static inline void
note_sent(struct fixture *f)
{
	if (f->out.what != DNS_SEND)
		return;
	memcpy(f->sent, f->out.msg, f->out.len);
	f->sent_len = f->out.len;
	f->sock = f->out.sock;
	assert_true(f->sock < SOCKS);
}

static inline void
query_len(struct fixture *f, struct ip4 guest, uint16_t port, size_t len)
{
	f->rnd = f->rnd * UINT64_C(6364136223846793005) + 1;
	f->out = dns_query_in(f->d, &(struct dns_asker){NET, guest, port}, f->buf, len,
			      sizeof(f->buf), f->now, f->rnd);
	note_sent(f);
}

/* From the same guest on another network. */
static inline struct dns_out
query_of(struct fixture *f, unsigned net, size_t len, uint64_t rnd)
{
	return dns_query_in(f->d, &(struct dns_asker){net, GUEST, PORT}, f->buf, len,
			    sizeof(f->buf), f->now, rnd);
}

static inline void
query(struct fixture *f, uint16_t id, const char *name)
{
	query_len(f, GUEST, PORT, kit_query(f->buf, sizeof(f->buf), id, name, TYPE_A));
}

static inline bool
tick(struct fixture *f)
{
	bool due = dns_tick(f->d, f->now, &f->out);

	if (due)
		note_sent(f);
	return due;
}

/* The answer to the last message that was sent, before it is sent off. */
static inline size_t
make_answer(struct fixture *f, uint8_t rcode)
{
	memcpy(f->buf, f->sent, f->sent_len);
	return kit_answer(f->buf, f->sent_len, sizeof(f->buf), rcode);
}

static inline void
deliver(struct fixture *f, struct dns_addr from, size_t len)
{
	f->out = dns_answer_in(f->d, f->sock, &from, f->buf, len, f->now);
}

static inline void
answer(struct fixture *f, unsigned from, uint8_t rcode)
{
	deliver(f, server(from), make_answer(f, rcode));
}

static inline void
assert_sent_to(const struct fixture *f, unsigned n)
{
	struct dns_addr want = server(n);

	assert_int_equal(f->out.what, DNS_SEND);
	assert_true(dns_addr_eq(&f->out.server, &want));
}

static inline void
assert_reply(const struct fixture *f, uint16_t id, uint8_t rcode)
{
	struct dns_head h;

	assert_int_equal(f->out.what, DNS_REPLY);
	assert_int_equal(f->out.net, NET);
	assert_true(ip4_eq(f->out.client, GUEST));
	assert_int_equal(f->out.port, PORT);
	assert_true(dns_head_parse(&h, f->out.msg, f->out.len));
	assert_true(h.response);
	assert_int_equal(h.id, id);
	assert_int_equal(h.rcode, rcode);
}

static inline void
assert_drop(const struct fixture *f, enum dns_drop why)
{
	assert_int_equal(f->out.what, DNS_DROP);
	assert_int_equal(f->out.why, why);
	assert_true(dns_stats(f->d)->dropped[why] > 0);
	assert_true(strlen(dns_drop_text(why)) > 3);
}

/* Nothing is due before, and something is at, ms from now. */
static inline void
wait_for(struct fixture *f, int64_t ms)
{
	assert_false(tick(f));
	assert_int_equal(dns_next_deadline(f->d).ms, f->now.ms + ms);
	f->now.ms += ms - 1;
	assert_false(tick(f));
	f->now.ms++;
	assert_true(tick(f));
}

#endif
