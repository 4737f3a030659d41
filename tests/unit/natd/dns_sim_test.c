/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_sim_test.c - the DNS proxy among many guests and bad servers: tens of thousands of queries, lost,
 * late, forged and refused answers, servers and networks that come and go, on a clock of its own.
 *
 * What must hold all the time: no two pending queries share an id; a query keeps its id and socket; each
 * server is asked no more often than configured; nobody gets an answer that is not his. And in
 * the end: every query got exactly one answer, except those whose network went.
 */
#include "dnskit.h"

#include <stdio.h>

#include "natd/dns.h"

enum {
	QUERIES = 30000,
	NETS = 3,
	GUESTS = 5, /* of each network */
	SOCKS = 4,
	SERVERS = 5,
	PACKETS = 8192,
	PACKET_LEN = 128,
	STEP_MS = 40, /* between queries, at most */
};

enum mode { MODE_GOOD, MODE_LOSSY, MODE_SLOW, MODE_DEAD, MODE_REFUSES, MODE_UNREACHABLE, MODES };

enum state { NOT_YET, PENDING, ANSWERED, GONE };

struct sim_query {
	enum state state;
	unsigned net, sock, sends;
	struct ip4 client;
	uint16_t port, client_id, id;
	unsigned tries[SERVERS];
	struct mono asked, changed; /* changed: its servers did */
};

/* On its way from a server to us. */
struct packet {
	struct mono at;
	bool is_error; /* ICMP */
	unsigned sock, server;
	size_t len;
	uint8_t b[PACKET_LEN];
};

struct sim {
	struct dns *d;
	struct mono now, next_query;
	struct sim_query q[QUERIES];
	unsigned nqueries;
	int owner[65536]; /* of ids: the pending query, -1: none */
	struct packet packet[PACKETS];
	unsigned npackets;
	enum mode mode[SERVERS];
	unsigned forged, answered, servfail, gone;
	uint64_t rnd;
};

static uint64_t
rnd(struct sim *s)
{
	/* xorshift64* */
	s->rnd ^= s->rnd >> 12;
	s->rnd ^= s->rnd << 25;
	s->rnd ^= s->rnd >> 27;
	return s->rnd * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 to n - 1 */
static unsigned
pick(struct sim *s, unsigned n)
{
	return (unsigned)((rnd(s) >> 33) % n);
}

static struct dns_addr
server(unsigned i)
{
	return dns_addr_from_ip4((struct ip4){0xc0000201 + i}, DNS_PORT);
}

static unsigned
server_number(const struct dns_addr *a)
{
	unsigned i = dns_addr_ip4(a).h - 0xc0000201;

	assert_true(i < SERVERS);
	return i;
}

/* Names are "q123": the number of the query. */
static unsigned
query_number(const uint8_t *msg, size_t len)
{
	struct dns_head h;
	unsigned n = 0;

	assert_true(dns_head_parse(&h, msg, len));
	assert_true(h.question_ok && h.end > DNS_HEADER_LEN);
	for (unsigned i = 0; i < msg[DNS_HEADER_LEN] - 1u; i++)
		n = n * 10 + (msg[DNS_HEADER_LEN + 2 + i] - '0');
	assert_true(n < QUERIES);
	return n;
}

static void
post(struct sim *s, const struct dns_out *out, unsigned delay, bool is_error)
{
	struct packet *p = &s->packet[s->npackets];

	assert_true(s->npackets++ < PACKETS);
	*p = (struct packet){.at = mono_add(s->now, delay),
			     .is_error = is_error,
			     .sock = out->sock,
			     .server = server_number(&out->server),
			     .len = out->len};
	assert_true(out->len <= PACKET_LEN - 16);
	memcpy(p->b, out->msg, out->len);
}

static void
answer_later(struct sim *s, const struct dns_out *out, unsigned delay, uint8_t rcode)
{
	struct packet *p = &s->packet[s->npackets];

	post(s, out, delay, false);
	p->len = kit_answer(p->b, p->len, PACKET_LEN, rcode);
}

/* What somebody makes up who knows the server and saw similar traffic, but not this query. */
static void
forge(struct sim *s, const struct dns_out *out)
{
	struct packet *p = &s->packet[s->npackets];

	answer_later(s, out, pick(s, 200), DNS_NOERROR);
	s->forged++;
	switch (pick(s, 4)) {
	case 0:
		dns_set_id(p->b, (uint16_t)(dns_get_id(p->b) + 1 + pick(s, 65535)));
		break;
	case 1:
		p->sock = (p->sock + 1) % SOCKS;
		break;
	case 2:
		p->b[DNS_HEADER_LEN + 1] ^= 1;
		break;
	default:
		p->len = DNS_HEADER_LEN + pick(s, (unsigned)(out->len - DNS_HEADER_LEN));
		break;
	}
}

static void
at_server(struct sim *s, const struct dns_out *out)
{
	switch (s->mode[server_number(&out->server)]) {
	case MODE_GOOD:
	case MODES:
		answer_later(s, out, 1 + pick(s, 200), DNS_NOERROR);
		break;
	case MODE_LOSSY:
		if (pick(s, 2))
			answer_later(s, out, 1 + pick(s, 200), DNS_NOERROR);
		break;
	case MODE_SLOW:
		answer_later(s, out, 500 + pick(s, 6000), DNS_NOERROR);
		break;
	case MODE_DEAD:
		break;
	case MODE_REFUSES:
		answer_later(s, out, 1 + pick(s, 200), DNS_REFUSED);
		break;
	case MODE_UNREACHABLE:
		post(s, out, pick(s, 20), true);
		break;
	}
	if (pick(s, 4) == 0)
		forge(s, out);
}

static void
on_send(struct sim *s, const struct dns_out *out)
{
	unsigned n = query_number(out->msg, out->len), i = server_number(&out->server);
	struct sim_query *q = &s->q[n];
	uint16_t id = dns_get_id(out->msg);

	assert_int_equal(q->state, PENDING);
	if (q->sends++ == 0) {
		assert_int_equal(s->owner[id], -1);
		s->owner[id] = (int)n;
		q->id = id;
		q->sock = out->sock;
		assert_true(q->sock < SOCKS);
	}
	assert_int_equal(q->id, id);
	assert_int_equal(q->sock, out->sock);
	assert_true(++q->tries[i] <= DNS_TRIES);
	at_server(s, out);
}

static void
on_reply(struct sim *s, const struct dns_out *out)
{
	struct sim_query *q = &s->q[query_number(out->msg, out->len)];
	struct dns_head h;

	assert_true(dns_head_parse(&h, out->msg, out->len));
	assert_int_equal(q->state, PENDING);
	assert_int_equal(out->net, q->net);
	assert_true(ip4_eq(out->client, q->client));
	assert_int_equal(out->port, q->port);
	assert_int_equal(h.id, q->client_id);
	assert_true(h.response);
	/* Three servers of the host's and two of the network's. */
	assert_true(mono_diff(s->now, q->changed) <= 5 * DNS_TRIES * DNS_TIMEOUT_MS);
	assert_true(mono_diff(s->now, q->asked) <= DNS_LIFE_MS + DNS_TIMEOUT_MS);
	q->state = ANSWERED;
	if (q->sends)
		s->owner[q->id] = -1;
	s->answered++;
	s->servfail += h.rcode == DNS_SERVFAIL;
}

static void
perform(struct sim *s, const struct dns_out *out)
{
	switch (out->what) {
	case DNS_DROP:
		break;
	case DNS_SEND:
		on_send(s, out);
		break;
	case DNS_REPLY:
		on_reply(s, out);
		break;
	}
}

static struct dns_out
ask(struct sim *s, unsigned n)
{
	const struct sim_query *q = &s->q[n];
	static uint8_t buf[PACKET_LEN];
	char name[16];
	size_t len;

	snprintf(name, sizeof(name), "q%u", n);
	len = kit_query(buf, sizeof(buf), q->client_id, name, TYPE_A);
	return dns_query_in(s->d, &(struct dns_asker){q->net, q->client, q->port}, buf, len,
			    sizeof(buf), s->now, rnd(s));
}

static void
new_query(struct sim *s)
{
	unsigned n = s->nqueries++;
	struct sim_query *q = &s->q[n];
	struct dns_out out;

	*q = (struct sim_query){.state = PENDING, .asked = s->now, .changed = s->now};
	q->net = pick(s, NETS);
	q->port = (uint16_t)(1024 + pick(s, 3));
	q->client_id = (uint16_t)pick(s, 4);
	q->client.h = 0xc0a80080 + (q->net << 8) + pick(s, GUESTS);
	out = ask(s, n);
	assert_int_not_equal(out.what, DNS_DROP);
	perform(s, &out);
	s->next_query = mono_add(s->now, s->nqueries == QUERIES ? INT32_MAX : pick(s, STEP_MS));
}

/* Guests that lost patience. */
static void
repeat_one(struct sim *s)
{
	unsigned n = s->nqueries - 1 - pick(s, s->nqueries < 50 ? s->nqueries : 50);
	struct dns_out out;

	if (s->q[n].state != PENDING)
		return;
	out = ask(s, n);
	assert_int_equal(out.what, DNS_DROP);
	assert_int_equal(out.why, DNS_DROP_REPEATED);
}

static void
deliver(struct sim *s, unsigned i)
{
	struct packet p = s->packet[i];
	struct dns_addr from = server(p.server);
	struct dns_out out;

	s->packet[i] = s->packet[--s->npackets];
	if (p.is_error) {
		dns_unreachable(s->d, p.sock, &from, p.b, p.len, s->now);
		return;
	}
	out = dns_answer_in(s->d, p.sock, &from, p.b, p.len, s->now);
	perform(s, &out);
}

/* The servers of these queries are others now: they may be asked anew. */
static void
note_change(struct sim *s, unsigned net)
{
	for (unsigned i = 0; i < s->nqueries; i++) {
		if (s->q[i].state != PENDING || s->q[i].net != net)
			continue;
		memset(s->q[i].tries, 0, sizeof(s->q[i].tries));
		s->q[i].changed = s->now;
	}
}

static void
set_net(struct sim *s, unsigned net, unsigned nservers)
{
	struct dns_net_conf c = {.server = {server(3), server(4)},
				 .nservers = nservers,
				 .host_servers = true,
				 .timeout_ms = DNS_TIMEOUT_MS,
				 .tries = DNS_TRIES};

	assert_int_equal(dns_set_net(s->d, net, &c, s->now), 0);
	note_change(s, net);
}

static void
drop_net(struct sim *s, unsigned net)
{
	dns_drop_net(s->d, net);
	for (unsigned i = 0; i < s->nqueries; i++) {
		if (s->q[i].state != PENDING || s->q[i].net != net)
			continue;
		s->q[i].state = GONE;
		s->owner[s->q[i].id] = -1;
		s->gone++;
	}
}

static void
set_host_servers(struct sim *s, unsigned n)
{
	struct dns_addr all[3] = {server(0), server(1), server(2)};

	dns_set_host_servers(s->d, all, n, s->now);
	for (unsigned i = 0; i < NETS; i++)
		note_change(s, i);
}

static void
change_the_world(struct sim *s)
{
	unsigned what = pick(s, 20), n = pick(s, 4), net = pick(s, NETS), one = pick(s, SERVERS);

	switch (what) {
	case 0:
		set_host_servers(s, n);
		break;
	case 1:
		drop_net(s, net);
		set_net(s, net, n % 3);
		break;
	case 2:
		set_net(s, net, n % 3);
		break;
	default:
		s->mode[one] = (enum mode)pick(s, MODES);
		break;
	}
}

/* One event: the next query, packet or deadline, whichever is first. */
static void
step(struct sim *s)
{
	struct mono due = dns_next_deadline(s->d);
	struct mono first = mono_min(due, s->next_query);
	struct dns_out out;
	unsigned packet = PACKETS;

	for (unsigned i = 0; i < s->npackets; i++) {
		if (!mono_before(first, s->packet[i].at)) {
			first = s->packet[i].at;
			packet = i;
		}
	}
	assert_true(first.ms >= s->now.ms);
	s->now = first;
	if (packet < PACKETS)
		deliver(s, packet);
	else if (s->nqueries < QUERIES && !mono_before(s->now, s->next_query))
		new_query(s);
	while (dns_tick(s->d, s->now, &out))
		perform(s, &out);
	assert_true(mono_before(s->now, dns_next_deadline(s->d)));
}

static void
every_query_gets_one_answer(void **state UNUSED)
{
	struct sim *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->rnd = 20;
	s->now.ms = 5000;
	s->next_query = s->now;
	s->d = dns_new(SOCKS, rnd(s));
	assert_non_null(s->d);
	memset(s->owner, 0xff, sizeof(s->owner));
	for (unsigned i = 0; i < NETS; i++)
		set_net(s, i, i);
	set_host_servers(s, 3);
	while (s->nqueries < QUERIES || dns_pending(s->d)) {
		step(s);
		if (pick(s, 4) == 0)
			repeat_one(s);
		if (pick(s, 200) == 0)
			change_the_world(s);
	}
	for (unsigned i = 0; i < QUERIES; i++)
		assert_true(s->q[i].state == ANSWERED || s->q[i].state == GONE);
	for (unsigned i = 0; i < SOCKS; i++)
		assert_int_equal(dns_sock_pending(s->d, i), 0);
	assert_int_equal(s->answered + s->gone, QUERIES);
	assert_int_equal(dns_stats(s->d)->gone, s->gone);
	assert_int_equal(dns_stats(s->d)->full, 0);
	assert_int_equal(dns_stats(s->d)->refused, 0);
	assert_int_equal(dns_stats(s->d)->answers + dns_stats(s->d)->servfail +
			     dns_stats(s->d)->no_server,
			 s->answered);
	/* The world was bad, but not so bad that this says nothing. */
	assert_true(s->forged > QUERIES / 10);
	assert_true(s->gone > 0);
	assert_true(s->servfail > 0);
	assert_true(dns_stats(s->d)->answers > QUERIES / 4);
	for (int why = DNS_DROP_REPEATED; why < DNS_DROP_N; why++) {
		if (why != DNS_DROP_NOT_ANSWER && why != DNS_DROP_REFRESH)
			assert_true(dns_stats(s->d)->dropped[why] > 0);
	}
	dns_free(s->d);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_query_gets_one_answer),
	};

	return T_RUN(tests);
}
