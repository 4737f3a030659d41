/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_test.c - the DNS proxy's decisions, one at a time.
 */
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
	uint8_t buf[2048]; /* what a guest or server sent, and where the answer is made */
	uint8_t sent[2048]; /* the last message to a server */
	size_t sent_len;
	unsigned sock;
	uint64_t rnd;
};

static struct dns_addr
server(unsigned n)
{
	return dns_addr_from_ip4((struct ip4){0xc0000200 + n}, DNS_PORT);
}

static void
set_host_servers(struct fixture *f, unsigned n)
{
	struct dns_addr s[DNS_SERVERS_MAX] = {server(1), server(2), server(3)};

	dns_set_host_servers(f->d, s, n, f->now);
}

static struct dns_net_conf
net_conf(unsigned nservers)
{
	return (struct dns_net_conf){.server = {server(11), server(12), server(13)},
				     .nservers = nservers,
				     .host_servers = true,
				     .timeout_ms = DNS_TIMEOUT_MS,
				     .tries = DNS_TRIES};
}

static void
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

static void
teardown(struct fixture *f)
{
	unsigned socks = 0;

	for (unsigned i = 0; i < DNS_SOCKS_MAX; i++)
		socks += dns_sock_pending(f->d, i);
	assert_int_equal(socks, dns_pending(f->d));
	dns_free(f->d);
}

/* Keeps what went to a server. */
static void
note_sent(struct fixture *f)
{
	if (f->out.what != DNS_SEND)
		return;
	memcpy(f->sent, f->out.msg, f->out.len);
	f->sent_len = f->out.len;
	f->sock = f->out.sock;
	assert_true(f->sock < SOCKS);
}

static void
query_len(struct fixture *f, struct ip4 guest, uint16_t port, size_t len)
{
	f->rnd = f->rnd * UINT64_C(6364136223846793005) + 1;
	f->out = dns_query_in(f->d, NET, guest, port, f->buf, len, f->now, f->rnd);
	note_sent(f);
}

static void
query(struct fixture *f, uint16_t id, const char *name)
{
	query_len(f, GUEST, PORT, kit_query(f->buf, sizeof(f->buf), id, name, TYPE_A));
}

static bool
tick(struct fixture *f)
{
	bool due = dns_tick(f->d, f->now, &f->out);

	if (due)
		note_sent(f);
	return due;
}

/* The answer to the last message that was sent, before it is sent off. */
static size_t
make_answer(struct fixture *f, uint8_t rcode)
{
	memcpy(f->buf, f->sent, f->sent_len);
	return kit_answer(f->buf, f->sent_len, sizeof(f->buf), rcode);
}

static void
deliver(struct fixture *f, struct dns_addr from, size_t len)
{
	f->out = dns_answer_in(f->d, f->sock, &from, f->buf, len, f->now);
}

static void
answer(struct fixture *f, unsigned from, uint8_t rcode)
{
	deliver(f, server(from), make_answer(f, rcode));
}

static void
assert_sent_to(const struct fixture *f, unsigned n)
{
	struct dns_addr want = server(n);

	assert_int_equal(f->out.what, DNS_SEND);
	assert_true(dns_addr_eq(&f->out.server, &want));
}

static void
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

static void
assert_drop(const struct fixture *f, enum dns_drop why)
{
	assert_int_equal(f->out.what, DNS_DROP);
	assert_int_equal(f->out.why, why);
	assert_true(dns_stats(f->d)->dropped[why] > 0);
	assert_true(strlen(dns_drop_text(why)) > 3);
}

/* Nothing is due before, and something is at, ms from now. */
static void
wait_for(struct fixture *f, int64_t ms)
{
	assert_false(tick(f));
	assert_int_equal(dns_next_deadline(f->d).ms, f->now.ms + ms);
	f->now.ms += ms - 1;
	assert_false(tick(f));
	f->now.ms++;
	assert_true(tick(f));
}

static void
messages_pass_untouched_but_for_the_id(void **state UNUSED)
{
	struct fixture f;
	uint8_t orig[2048];
	size_t len;

	setup(&f, 1);
	len = kit_query(f.buf, sizeof(f.buf), 0x1234, "wWw.Example.org", TYPE_UNKNOWN);
	len = kit_add_opt(f.buf, len, sizeof(f.buf), true, 300);
	memcpy(orig, f.buf, len);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	assert_int_equal(f.out.len, len);
	assert_int_not_equal(dns_get_id(f.sent), 0x1234);
	assert_memory_equal(f.sent + 2, orig + 2, len - 2);
	assert_int_equal(dns_pending(f.d), 1);
	assert_int_equal(dns_sock_pending(f.d, f.sock), 1);
	assert_int_equal(dns_next_deadline(f.d).ms, f.now.ms + DNS_TIMEOUT_MS);

	len = make_answer(&f, DNS_NOERROR);
	f.buf[2] |= 2; /* truncated: the guest will know what to do */
	memcpy(orig, f.buf, len);
	deliver(&f, server(1), len);
	assert_reply(&f, 0x1234, DNS_NOERROR);
	assert_int_equal(f.out.len, len);
	assert_memory_equal(f.out.msg + 2, orig + 2, len - 2);
	assert_int_equal(dns_pending(f.d), 0);
	assert_int_equal(dns_next_deadline(f.d).ms, MONO_NEVER.ms);
	assert_int_equal(dns_stats(f.d)->answers, 1);

	/* There is one answer. */
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_NO_ID);
	teardown(&f);
}

static void
servers_take_turns_until_all_tries_are_used(void **state UNUSED)
{
	struct fixture f;
	uint16_t id;

	setup(&f, 3);
	query(&f, 9, "example.org");
	assert_sent_to(&f, 1);
	id = dns_get_id(f.sent);
	for (unsigned i = 1; i < 3 * DNS_TRIES; i++) {
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 1 + i % 3);
		assert_int_equal(dns_get_id(f.sent), id);
	}
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_reply(&f, 9, DNS_SERVFAIL);
	assert_int_equal(dns_pending(f.d), 0);
	assert_int_equal(dns_stats(f.d)->timeouts, 9);
	assert_int_equal(dns_stats(f.d)->sent, 9);
	assert_int_equal(dns_stats(f.d)->servfail, 1);
	teardown(&f);
}

static void
a_network_has_servers_timeout_and_tries_of_its_own(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(2);
	struct fixture f;

	setup(&f, 1);
	c.timeout_ms = 500;
	c.tries = 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 1, "a");
	assert_sent_to(&f, 11);
	wait_for(&f, 500);
	assert_sent_to(&f, 12);
	wait_for(&f, 500);
	assert_sent_to(&f, 1);
	wait_for(&f, 500);
	assert_reply(&f, 1, DNS_SERVFAIL);

	c.host_servers = false;
	c.nservers = 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 2, "a");
	assert_sent_to(&f, 11);
	wait_for(&f, 500);
	assert_reply(&f, 2, DNS_SERVFAIL);
	teardown(&f);
}

static void
without_a_server_the_answer_is_servfail_at_once(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 0);
	query(&f, 3, "a");
	assert_reply(&f, 3, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->no_server, 1);
	assert_int_equal(dns_pending(f.d), 0);
	teardown(&f);
}

static void
queries_that_cannot_be_forwarded(void **state UNUSED)
{
	struct fixture f;
	size_t len;

	setup(&f, 1);
	len = kit_query(f.buf, sizeof(f.buf), 4, "a", TYPE_A);
	f.buf[5] = 2;
	query_len(&f, GUEST, PORT, len);
	assert_reply(&f, 4, DNS_FORMERR);

	len = kit_query(f.buf, sizeof(f.buf), 5, "a", TYPE_A);
	query_len(&f, GUEST, PORT, len - 1);
	assert_reply(&f, 5, DNS_FORMERR);

	/* The longest that fits, and one more. */
	len = kit_query(f.buf, sizeof(f.buf), 6, "a", TYPE_A);
	len = kit_add_opt(f.buf, len, sizeof(f.buf), false, DNS_QUERY_LEN_MAX - len - 15);
	assert_int_equal(len, DNS_QUERY_LEN_MAX);
	f.buf[len] = 0;
	query_len(&f, GUEST, PORT, len + 1);
	assert_reply(&f, 6, DNS_FORMERR);
	len = kit_query(f.buf, sizeof(f.buf), 6, "a", TYPE_A);
	len = kit_add_opt(f.buf, len, sizeof(f.buf), false, DNS_QUERY_LEN_MAX - len - 15);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	assert_int_equal(dns_stats(f.d)->formerr, 3);

	query_len(&f, GUEST, PORT, DNS_HEADER_LEN - 1);
	assert_drop(&f, DNS_DROP_SHORT);
	query_len(&f, GUEST, PORT, 0);
	assert_drop(&f, DNS_DROP_SHORT);
	len = kit_query(f.buf, sizeof(f.buf), 4, "a", TYPE_A);
	query_len(&f, GUEST, 0, len);
	assert_drop(&f, DNS_DROP_NO_PORT);
	f.buf[2] |= 0x80;
	query_len(&f, GUEST, PORT, len);
	assert_drop(&f, DNS_DROP_NOT_QUERY);
	f.out = dns_query_in(f.d, NET + 1, GUEST, PORT, f.buf, len, f.now, 1);
	assert_drop(&f, DNS_DROP_NO_NET);
	f.out = dns_query_in(f.d, DNS_NETS, GUEST, PORT, f.buf, len, f.now, 1);
	assert_drop(&f, DNS_DROP_NO_NET);
	assert_int_equal(dns_pending(f.d), 1);
	teardown(&f);
}

static void
other_opcodes_and_queries_without_question_pass(void **state UNUSED)
{
	struct fixture f;
	size_t len;

	setup(&f, 1);
	len = kit_query(f.buf, sizeof(f.buf), 4, "example.org", 6);
	f.buf[2] = 5 << 3; /* UPDATE */
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 4, DNS_NOERROR);

	/* RFC 7873 5.4: fetching a cookie. */
	kit_query(f.buf, sizeof(f.buf), 5, "", TYPE_A);
	f.buf[5] = 0;
	len = kit_add_opt(f.buf, DNS_HEADER_LEN, sizeof(f.buf), false, 8);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 1);
	len = make_answer(&f, DNS_NOERROR);
	deliver(&f, server(1), len);
	assert_reply(&f, 5, DNS_NOERROR);
	teardown(&f);
}

static void
a_repetition_opens_no_second_slot(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(0);
	struct fixture f;
	size_t len;

	setup(&f, 2);
	query(&f, 5, "example.org");
	f.now.ms += 1500;
	query(&f, 5, "example.org");
	assert_drop(&f, DNS_DROP_REPEATED);
	assert_int_equal(dns_pending(f.d), 1);
	wait_for(&f, 500);
	assert_sent_to(&f, 2);

	/* Another question, id, port, guest or network is another query. */
	query(&f, 5, "example.net");
	assert_int_equal(f.out.what, DNS_SEND);
	query(&f, 6, "example.org");
	assert_int_equal(f.out.what, DNS_SEND);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	query_len(&f, GUEST, PORT + 1, len);
	assert_int_equal(f.out.what, DNS_SEND);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	query_len(&f, (struct ip4){GUEST.h + 1}, PORT, len);
	assert_int_equal(f.out.what, DNS_SEND);
	assert_int_equal(dns_set_net(f.d, NET + 1, &c, f.now), 0);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	f.out = dns_query_in(f.d, NET + 1, GUEST, PORT, f.buf, len, f.now, 99);
	assert_int_equal(f.out.what, DNS_SEND);
	assert_int_equal(dns_pending(f.d), 6);

	/* Answered, it may be asked again. */
	f.sock = f.out.sock;
	memcpy(f.sent, f.out.msg, f.out.len);
	f.sent_len = f.out.len;
	answer(&f, 1, DNS_NOERROR);
	assert_int_equal(f.out.what, DNS_REPLY);
	assert_int_equal(f.out.net, NET + 1);
	len = kit_query(f.buf, sizeof(f.buf), 5, "example.org", TYPE_A);
	f.out = dns_query_in(f.d, NET + 1, GUEST, PORT, f.buf, len, f.now, 100);
	assert_int_equal(f.out.what, DNS_SEND);
	teardown(&f);
}

static void
one_guest_cannot_fill_the_table(void **state UNUSED)
{
	struct fixture f;
	size_t len;

	setup(&f, 1);
	for (unsigned i = 0; i < DNS_PER_CLIENT_MAX; i++) {
		query(&f, (uint16_t)i, "example.org");
		assert_sent_to(&f, 1);
	}
	query(&f, 9999, "example.org");
	assert_reply(&f, 9999, DNS_REFUSED);
	assert_int_equal(dns_stats(f.d)->refused, 1);
	query(&f, 3, "example.org");
	assert_drop(&f, DNS_DROP_REPEATED);
	len = kit_query(f.buf, sizeof(f.buf), 9999, "example.org", TYPE_A);
	query_len(&f, (struct ip4){GUEST.h + 1}, PORT, len);
	assert_sent_to(&f, 1);
	assert_int_equal(dns_pending(f.d), DNS_PER_CLIENT_MAX + 1);
	teardown(&f);
}

static void
a_full_table_drops_the_oldest(void **state UNUSED)
{
	struct fixture f;
	uint8_t first[512];
	size_t len, first_len;
	unsigned first_sock;

	setup(&f, 1);
	query(&f, 1, "first");
	memcpy(first, f.sent, f.sent_len);
	first_len = f.sent_len;
	first_sock = f.sock;
	for (unsigned i = 1; i < DNS_QUERIES_MAX; i++) {
		len = kit_query(f.buf, sizeof(f.buf), 1, "next", TYPE_A);
		query_len(&f, (struct ip4){GUEST.h + i}, PORT, len);
		assert_sent_to(&f, 1);
	}
	assert_int_equal(dns_pending(f.d), DNS_QUERIES_MAX);
	assert_int_equal(dns_stats(f.d)->full, 0);
	query(&f, 2, "last");
	assert_sent_to(&f, 1);
	assert_int_equal(dns_pending(f.d), DNS_QUERIES_MAX);
	assert_int_equal(dns_stats(f.d)->full, 1);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 2, DNS_NOERROR);

	memcpy(f.sent, first, first_len);
	f.sent_len = first_len;
	f.sock = first_sock;
	answer(&f, 1, DNS_NOERROR);
	assert_int_equal(f.out.what, DNS_DROP);

	/* Everybody else gets the answer that there is none. */
	f.now.ms += 3 * DNS_TIMEOUT_MS;
	for (len = 0; dns_pending(f.d);) {
		assert_true(tick(&f));
		if (f.out.what == DNS_REPLY)
			len++;
		else
			f.now.ms += dns_pending(f.d) ? 1 : 0;
	}
	assert_int_equal(len, DNS_QUERIES_MAX - 1);
	teardown(&f);
}

static void
answers_that_are_not_ours_are_left_alone(void **state UNUSED)
{
	struct dns_addr from;
	struct fixture f;
	size_t len;

	setup(&f, 2);
	query(&f, 5, "example.org");
	assert_sent_to(&f, 1);

	len = make_answer(&f, DNS_NOERROR);
	deliver(&f, server(1), DNS_HEADER_LEN - 1);
	assert_drop(&f, DNS_DROP_SHORT);
	memcpy(f.buf, f.sent, f.sent_len);
	deliver(&f, server(1), f.sent_len);
	assert_drop(&f, DNS_DROP_NOT_ANSWER);
	len = make_answer(&f, DNS_NOERROR);
	f.buf[1] ^= 1;
	deliver(&f, server(1), len);
	assert_drop(&f, DNS_DROP_NO_ID);
	f.sock ^= 1;
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_SOCKET);
	f.sock ^= 1;
	answer(&f, 2, DNS_NOERROR); /* it was not asked yet */
	assert_drop(&f, DNS_DROP_SERVER);
	from = server(1);
	from.port = 5353;
	deliver(&f, from, make_answer(&f, DNS_NOERROR));
	assert_drop(&f, DNS_DROP_SERVER);
	assert_int_equal(dns_stats(f.d)->dropped[DNS_DROP_SERVER], 2);
	len = make_answer(&f, DNS_NOERROR);
	f.buf[DNS_HEADER_LEN + 2] ^= 1;
	deliver(&f, server(1), len);
	assert_drop(&f, DNS_DROP_QUESTION);
	len = make_answer(&f, DNS_NOERROR);
	f.buf[f.sent_len - 3] ^= 1; /* the type */
	deliver(&f, server(1), len);
	assert_drop(&f, DNS_DROP_QUESTION);
	len = make_answer(&f, DNS_NOERROR);
	deliver(&f, server(1), f.sent_len - 1);
	assert_drop(&f, DNS_DROP_QUESTION);
	assert_int_equal(dns_stats(f.d)->dropped[DNS_DROP_QUESTION], 3);

	/* In spite of them all. */
	len = make_answer(&f, DNS_NOERROR);
	f.buf[DNS_HEADER_LEN + 1] ^= 0x20; /* a server that forgets about case */
	deliver(&f, server(1), len);
	assert_reply(&f, 5, DNS_NOERROR);
	teardown(&f);
}

static void
a_bare_header_may_only_complain(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 1);
	for (uint8_t rcode = 0; rcode < 16; rcode++) {
		bool ok = rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN;

		query(&f, rcode, "example.org");
		make_answer(&f, rcode);
		f.buf[5] = f.buf[7] = 0;
		deliver(&f, server(1), DNS_HEADER_LEN);
		if (ok)
			assert_reply(&f, rcode, rcode);
		else
			assert_drop(&f, DNS_DROP_QUESTION);
	}
	assert_int_equal(dns_pending(f.d), 2);
	teardown(&f);
}

static void
a_slow_server_is_still_heard(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 1, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);
	assert_int_equal(dns_pending(f.d), 0);
	teardown(&f);
}

static void
refusals_send_the_query_on(void **state UNUSED)
{
	static const uint8_t refusals[] = {DNS_SERVFAIL, DNS_NOTIMP, DNS_REFUSED};
	struct fixture f;

	setup(&f, 3);
	for (uint16_t i = 0; i < ARRAY_LEN(refusals); i++) {
		query(&f, i, "example.org");
		assert_sent_to(&f, 1);
		answer(&f, 1, refusals[i]);
		assert_drop(&f, DNS_DROP_NEXT_SERVER);
		assert_true(tick(&f));
		assert_sent_to(&f, 2);
		answer(&f, 2, refusals[i]);
		assert_drop(&f, DNS_DROP_NEXT_SERVER);
		assert_true(tick(&f));
		assert_sent_to(&f, 3);
		/* An echo of the first is no reason to stop waiting. */
		answer(&f, 1, refusals[i]);
		assert_drop(&f, DNS_DROP_NEXT_SERVER);
		assert_false(tick(&f));
		answer(&f, 3, refusals[i]);
		assert_reply(&f, i, refusals[i]);
	}
	/* These are answers. */
	query(&f, 10, "example.org");
	answer(&f, 1, DNS_NXDOMAIN);
	assert_reply(&f, 10, DNS_NXDOMAIN);
	query(&f, 11, "example.org");
	answer(&f, 1, DNS_FORMERR);
	assert_reply(&f, 11, DNS_FORMERR);
	teardown(&f);
}

static void
a_server_that_refused_is_not_asked_again(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	answer(&f, 1, DNS_REFUSED);
	assert_true(tick(&f));
	assert_sent_to(&f, 2);
	for (unsigned i = 1; i < DNS_TRIES; i++) {
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 2);
	}
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_reply(&f, 5, DNS_SERVFAIL);
	teardown(&f);
}

static void
a_refusal_passes_when_the_others_did_not_answer(void **state UNUSED)
{
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_SERVFAIL);
	assert_reply(&f, 5, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->answers, 1);
	teardown(&f);
}

static void
an_unreachable_server_costs_no_time(void **state UNUSED)
{
	struct dns_addr s1 = server(1), s2 = server(2);
	struct fixture f;

	setup(&f, 2);
	query(&f, 5, "example.org");
	assert_sent_to(&f, 1);

	/* Errors about something else. */
	dns_unreachable(f.d, f.sock ^ 1, &s1, f.sent, f.sent_len, f.now);
	dns_unreachable(f.d, f.sock, &s2, f.sent, f.sent_len, f.now);
	dns_unreachable(f.d, f.sock, &s1, f.sent, 1, f.now);
	f.sent[f.sent_len - 1] ^= 1;
	dns_unreachable(f.d, f.sock, &s1, f.sent, f.sent_len, f.now);
	f.sent[f.sent_len - 1] ^= 1;
	assert_false(tick(&f));
	assert_int_equal(dns_stats(f.d)->unreachable, 0);

	/* As little as ICMP has to quote (RFC 792). */
	dns_unreachable(f.d, f.sock, &s1, f.sent, 8, f.now);
	assert_true(tick(&f));
	assert_sent_to(&f, 2);
	dns_unreachable(f.d, f.sock, &s2, f.sent, f.sent_len, f.now);
	assert_true(tick(&f));
	assert_reply(&f, 5, DNS_SERVFAIL);
	assert_int_equal(dns_stats(f.d)->unreachable, 2);
	assert_int_equal(dns_pending(f.d), 0);

	/* When all are bad, the order is the given one. */
	query(&f, 6, "example.org");
	assert_sent_to(&f, 1);
	teardown(&f);
}

static void
a_dead_server_is_asked_last_and_tried_again(void **state UNUSED)
{
	struct fixture f;
	struct mono bad_since;

	setup(&f, 2);
	for (uint16_t i = 0; i < DNS_BAD_AFTER; i++) {
		query(&f, i, "example.org");
		assert_sent_to(&f, 1);
		wait_for(&f, DNS_TIMEOUT_MS);
		assert_sent_to(&f, 2);
		answer(&f, 2, DNS_NOERROR);
		assert_reply(&f, i, DNS_NOERROR);
	}
	bad_since = f.now;
	query(&f, 10, "example.org");
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_SERVFAIL); /* a dead server is not worth asking about this */
	assert_reply(&f, 10, DNS_SERVFAIL);

	/* One query tries it after a while; the others do not wait for that. */
	f.now = mono_add(bad_since, DNS_BAD_MS - 1);
	query(&f, 11, "example.org");
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	f.now.ms++;
	query(&f, 12, "example.org");
	assert_sent_to(&f, 1);
	query(&f, 13, "example.org");
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 13, DNS_NOERROR);
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	answer(&f, 2, DNS_NOERROR);
	assert_reply(&f, 12, DNS_NOERROR);

	/* It answers: all is well. */
	f.now.ms += DNS_BAD_MS;
	query(&f, 14, "example.org");
	assert_sent_to(&f, 1);
	answer(&f, 1, DNS_NOERROR);
	query(&f, 15, "example.org");
	assert_sent_to(&f, 1);
	teardown(&f);
}

static void
pending_queries_follow_a_change_of_servers(void **state UNUSED)
{
	struct dns_addr s[2] = {server(4), server(5)};
	struct dns_net_conf c = net_conf(1);
	struct fixture f;
	uint8_t old[512];
	size_t len;

	setup(&f, 2);
	query(&f, 5, "example.org");
	wait_for(&f, DNS_TIMEOUT_MS);
	assert_sent_to(&f, 2);
	memcpy(old, f.sent, f.sent_len);

	set_host_servers(&f, 2); /* no change */
	assert_false(tick(&f));
	dns_set_host_servers(f.d, s, 2, f.now);
	answer(&f, 2, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_SERVER);
	assert_true(tick(&f));
	assert_sent_to(&f, 4);
	assert_false(tick(&f));

	/* The network gets one of its own. */
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_true(tick(&f));
	assert_sent_to(&f, 11);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	assert_false(tick(&f));
	answer(&f, 11, DNS_NOERROR);
	assert_reply(&f, 5, DNS_NOERROR);

	/* The last server goes. */
	c = net_conf(0);
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 6, "example.org");
	assert_sent_to(&f, 4);
	dns_set_host_servers(f.d, NULL, 0, f.now);
	assert_true(tick(&f));
	assert_reply(&f, 6, DNS_SERVFAIL);

	/* A network that does not use the host's is not concerned. */
	c = net_conf(1);
	c.host_servers = false;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	len = kit_query(f.buf, sizeof(f.buf), 7, "a", TYPE_A);
	query_len(&f, GUEST, PORT, len);
	assert_sent_to(&f, 11);
	dns_set_host_servers(f.d, s, 2, f.now);
	assert_false(tick(&f));
	teardown(&f);
}

static void
a_network_that_goes_takes_its_queries_along(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(0);
	struct fixture f;
	size_t len;

	setup(&f, 1);
	assert_int_equal(dns_set_net(f.d, NET + 1, &c, f.now), 0);
	for (uint16_t i = 0; i < 50; i++) {
		query(&f, i, "example.org");
		len = kit_query(f.buf, sizeof(f.buf), i, "example.org", TYPE_A);
		f.out = dns_query_in(f.d, NET + 1, GUEST, PORT, f.buf, len, f.now, i);
	}
	assert_int_equal(dns_pending(f.d), 100);
	dns_drop_net(f.d, NET);
	dns_drop_net(f.d, NET);
	dns_drop_net(f.d, 5);
	dns_drop_net(f.d, DNS_NETS);
	assert_int_equal(dns_pending(f.d), 50);
	assert_int_equal(dns_stats(f.d)->gone, 50);
	answer(&f, 1, DNS_NOERROR);
	assert_drop(&f, DNS_DROP_NO_ID);
	f.now.ms += DNS_TIMEOUT_MS;
	while (tick(&f)) {
		assert_int_equal(f.out.what, DNS_SEND);
		assert_int_equal(f.out.net, NET + 1);
	}
	teardown(&f);
}

static void
no_query_lives_for_ever(void **state UNUSED)
{
	struct dns_net_conf c = net_conf(0);
	struct fixture f;

	setup(&f, 1);
	c.timeout_ms = 25000;
	c.tries = DNS_TRIES_MAX;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), 0);
	query(&f, 1, "a");
	wait_for(&f, 25000);
	assert_sent_to(&f, 1);
	wait_for(&f, 25000);
	assert_sent_to(&f, 1);
	wait_for(&f, 25000);
	assert_reply(&f, 1, DNS_SERVFAIL);
	teardown(&f);
}

static void
numbers_out_of_range_are_refused(void **state UNUSED)
{
	struct dns_net_conf good = net_conf(1), c;
	struct fixture f;

	setup(&f, 1);
	assert_int_equal(dns_set_net(f.d, DNS_NETS, &good, f.now), -EINVAL);
	c = good;
	c.nservers = DNS_SERVERS_MAX + 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c = good;
	c.tries = 0;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c.tries = DNS_TRIES_MAX + 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c = good;
	c.timeout_ms = 0;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	c.timeout_ms = DNS_LIFE_MS + 1;
	assert_int_equal(dns_set_net(f.d, NET, &c, f.now), -EINVAL);
	/* As it was. */
	query(&f, 1, "a");
	assert_sent_to(&f, 1);
	assert_string_equal(dns_drop_text(DNS_DROP_N), "?");
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_pass_untouched_but_for_the_id),
	    cmocka_unit_test(servers_take_turns_until_all_tries_are_used),
	    cmocka_unit_test(a_network_has_servers_timeout_and_tries_of_its_own),
	    cmocka_unit_test(without_a_server_the_answer_is_servfail_at_once),
	    cmocka_unit_test(queries_that_cannot_be_forwarded),
	    cmocka_unit_test(other_opcodes_and_queries_without_question_pass),
	    cmocka_unit_test(a_repetition_opens_no_second_slot),
	    cmocka_unit_test(one_guest_cannot_fill_the_table),
	    cmocka_unit_test(a_full_table_drops_the_oldest),
	    cmocka_unit_test(answers_that_are_not_ours_are_left_alone),
	    cmocka_unit_test(a_bare_header_may_only_complain),
	    cmocka_unit_test(a_slow_server_is_still_heard),
	    cmocka_unit_test(refusals_send_the_query_on),
	    cmocka_unit_test(a_server_that_refused_is_not_asked_again),
	    cmocka_unit_test(a_refusal_passes_when_the_others_did_not_answer),
	    cmocka_unit_test(an_unreachable_server_costs_no_time),
	    cmocka_unit_test(a_dead_server_is_asked_last_and_tried_again),
	    cmocka_unit_test(pending_queries_follow_a_change_of_servers),
	    cmocka_unit_test(a_network_that_goes_takes_its_queries_along),
	    cmocka_unit_test(no_query_lives_for_ever),
	    cmocka_unit_test(numbers_out_of_range_are_refused),
	};

	return T_RUN(tests);
}
