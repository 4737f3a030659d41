/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_fuzz.c - guests, servers and time as a stream of bytes, against the DNS proxy's decisions.
 *
 * Each step is a byte that says what happens and the bytes that this needs. What must hold: what is to be
 * sent lies inside the buffer that was given and is no longer; a query is forwarded as it came but for
 * its id; an answer goes to a guest only when something is pending, as it came unless rebind_protection refuses it; the counts add up after
 * every step; and in the end time alone empties the table.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "natd/dns.h"
#include "natd/dnsmsg.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { SOCKS = 4, NETS = 3, GUARDED = 1, MSG_CAP = 2048 };

struct fuzz {
	struct dns *d;
	struct mono now;
	struct rd in;
	uint64_t rnd;
	/* The last message to a server. */
	uint8_t sent[MSG_CAP];
	size_t sent_len;
	unsigned sock;
	struct dns_addr server;
};

static struct dns_addr
server(unsigned n)
{
	return dns_addr_from_ip4((struct ip4){0xc0000200 + n % 6}, DNS_PORT);
}

static struct mono
now_after(struct fuzz *f, int64_t ms)
{
	return f->now = mono_add(f->now, ms);
}

/* The next message of the stream in memory of exactly its size and some room. */
static uint8_t *
take_msg(struct fuzz *f, size_t *len, size_t room)
{
	uint8_t *p;

	*len = rd_be16(&f->in) % (MSG_CAP - 64);
	if (*len > rd_left(&f->in))
		*len = rd_left(&f->in);
	p = malloc(*len + room ? *len + room : 1);
	CHECK(p);
	rd_copy(&f->in, p, *len);
	return p;
}

static void
check_out(struct fuzz *f, const struct dns_out *out, unsigned pending_before)
{
	struct dns_head h;

	if (out->what == DNS_DROP) {
		CHECK(out->why > DNS_DROP_NONE && out->why < DNS_DROP_N);
		return;
	}
	CHECK(dns_head_parse(&h, out->msg, out->len));
	CHECK(out->net < NETS);
	if (out->what == DNS_REPLY) {
		CHECK(h.response && out->port != 0);
		return;
	}
	CHECK(!h.response && out->sock < SOCKS && out->len <= DNS_QUERY_LEN_MAX);
	CHECK(dns_pending(f->d) > 0 && dns_pending(f->d) >= pending_before);
	memcpy(f->sent, out->msg, out->len);
	f->sent_len = out->len;
	f->sock = out->sock;
	f->server = out->server;
}

static void
do_query(struct fuzz *f)
{
	unsigned net = rd_u8(&f->in) % (NETS + 1), before = dns_pending(f->d);
	struct ip4 client = {0xc0a80800u + rd_u8(&f->in)};
	uint16_t port = rd_u8(&f->in);
	uint8_t orig[MSG_CAP];
	struct dns_out out;
	size_t len, room = rd_u8(&f->in) * 4u;
	uint8_t *msg = take_msg(f, &len, room);

	memcpy(orig, msg, len);
	f->rnd = f->rnd * UINT64_C(6364136223846793005) + 1442695040888963407u;
	out = dns_query_in(f->d, &(struct dns_asker){net, client, port}, msg, len, len + room,
			   f->now, f->rnd >> 16);
	CHECK(out.what == DNS_DROP || (out.msg == msg && out.len <= len + room));
	if (out.what == DNS_SEND)
		CHECK(out.len == len && memcmp(msg + 2, orig + 2, len - 2) == 0);
	if (out.what == DNS_REPLY)
		CHECK(memcmp(msg, orig, 2) == 0 && dns_pending(f->d) <= before + 1);
	check_out(f, &out, before);
	free(msg);
}

static void
hand_in(struct fuzz *f, unsigned sock, struct dns_addr from, uint8_t *msg, size_t len)
{
	unsigned before = dns_pending(f->d);
	struct dns_out out = dns_answer_in(f->d, sock, &from, msg, len, f->now);

	CHECK(out.what != DNS_SEND);
	if (out.what == DNS_REPLY)
		CHECK(out.msg == msg && (out.len == len || (out.net == GUARDED && out.len < len)));
	CHECK(dns_pending(f->d) == before - (out.what == DNS_REPLY || out.why == DNS_DROP_REFRESH));
	check_out(f, &out, before);
}

static void
do_answer(struct fuzz *f)
{
	unsigned sock = rd_u8(&f->in) % (SOCKS + 1);
	struct dns_addr from = server(rd_u8(&f->in));
	size_t len;
	uint8_t *msg = take_msg(f, &len, 0);

	hand_in(f, sock, from, msg, len);
	free(msg);
}

/* The last message comes back as an answer, changed in one place and with something behind it. */
static void
do_echo(struct fuzz *f)
{
	uint8_t rcode = rd_u8(&f->in) & 15, where = rd_u8(&f->in), what = rd_u8(&f->in);
	size_t more, len;
	uint8_t *tail = take_msg(f, &more, 0), *msg;

	if (f->sent_len + more > MSG_CAP)
		more = MSG_CAP - f->sent_len;
	len = f->sent_len + more;
	msg = malloc(len ? len : 1);
	CHECK(msg);
	memcpy(msg, f->sent, f->sent_len);
	memcpy(msg + f->sent_len, tail, more);
	if (len > 3) {
		msg[2] |= 0x80;
		msg[3] = rcode;
	}
	if (where < len)
		msg[where] ^= what;
	hand_in(f, f->sock, f->server, msg, len);
	free(msg);
	free(tail);
}

static void
do_time(struct fuzz *f, int64_t ms)
{
	struct mono now = now_after(f, ms);
	unsigned limit = 2 * DNS_QUERIES_MAX;
	struct dns_out out;

	while (dns_tick(f->d, now, &out)) {
		CHECK(limit-- > 0 && (out.what != DNS_DROP || out.why == DNS_DROP_REFRESH));
		check_out(f, &out, 0);
	}
	CHECK(mono_before(now, dns_next_deadline(f->d)));
}

static void
do_unreachable(struct fuzz *f)
{
	size_t len = rd_u8(&f->in);
	uint8_t which = rd_u8(&f->in);
	struct dns_addr who = which & 1 ? f->server : server(which >> 1);
	unsigned before = dns_pending(f->d);

	if (len > f->sent_len)
		len = f->sent_len;
	dns_unreachable(f->d, f->sock, &who, f->sent, len, f->now);
	CHECK(dns_pending(f->d) == before);
}

static void
do_host_servers(struct fuzz *f)
{
	struct dns_addr s[4];

	for (unsigned i = 0; i < 4; i++)
		s[i] = server(rd_u8(&f->in));
	dns_set_host_servers(f->d, s, rd_u8(&f->in) % 5, f->now);
}

static void
do_net(struct fuzz *f)
{
	struct dns_net_conf c = {.server = {server(4), server(5)}};
	unsigned net;

	c.server[2] = server(rd_u8(&f->in));
	c.nservers = rd_u8(&f->in) % (DNS_SERVERS_MAX + 2);
	c.host_servers = rd_u8(&f->in) & 1;
	c.cache = true;
	c.policy = (enum dns_policy)(rd_u8(&f->in) % DNS_POLICY_N);
	c.timeout_ms = rd_be16(&f->in);
	c.tries = rd_u8(&f->in);
	net = rd_u8(&f->in) % NETS;
	c.rebind_protection = net == GUARDED;
	dns_set_net(f->d, net, &c, f->now);
}

static void
step(struct fuzz *f)
{
	switch (rd_u8(&f->in) % 10) {
	case 0:
	case 1:
		do_query(f);
		break;
	case 2:
		do_answer(f);
		break;
	case 3:
	case 4:
		do_echo(f);
		break;
	case 5:
		do_time(f, rd_be16(&f->in));
		break;
	case 6:
		do_unreachable(f);
		break;
	case 7:
		do_host_servers(f);
		break;
	case 8:
		do_net(f);
		break;
	default:
		dns_drop_net(f->d, rd_u8(&f->in) % NETS);
		break;
	}
}

static void
check_counts(const struct fuzz *f)
{
	unsigned socks = 0;

	for (unsigned i = 0; i < SOCKS; i++)
		socks += dns_sock_pending(f->d, i);
	CHECK(socks == dns_pending(f->d) && socks <= DNS_QUERIES_MAX);
	CHECK((dns_next_deadline(f->d).ms == MONO_NEVER.ms) == (socks == 0));
}

/* One proxy serves all inputs, since its memory costs more than any of them; emptied, and with new
 * networks and servers, it is as good as new. */
static struct dns *
fresh_dns(struct mono now)
{
	static struct dns *d;
	struct dns_net_conf c = {
	    .host_servers = true, .timeout_ms = 2000, .tries = 3, .cache = true};
	struct dns_addr s[2] = {server(1), server(2)};

	if (!d)
		d = dns_new(SOCKS, 3);
	CHECK(d && dns_pending(d) == 0);
	dns_set_host_servers(d, NULL, 0, now);
	dns_set_host_servers(d, s, 2, now);
	for (unsigned i = 0; i < NETS; i++) {
		dns_drop_net(d, i);
		c.rebind_protection = i == GUARDED;
		CHECK(dns_set_net(d, i, &c, now) == 0);
	}
	return d;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = {.now = {1000}, .rnd = 1};

	if (len == 0)
		return 0;
	f.in = rd_init(data, len);
	f.d = fresh_dns(f.now);
	while (rd_left(&f.in)) {
		step(&f);
		check_counts(&f);
	}
	/* Every deadline is nearer than a query's life, and behind that nobody is asked. */
	for (unsigned i = 0; i < 4 && dns_pending(f.d); i++)
		do_time(&f, DNS_LIFE_MS);
	CHECK(dns_pending(f.d) == 0);
	check_counts(&f);
	return 0;
}
