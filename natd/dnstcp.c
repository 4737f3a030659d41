/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstcp.c - connections of guests, each in one of the states below. Decides nothing: that is dns.c.
 */
#include "natd/dnstcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "natd/dnsmsg.h"
#include "natd/dnssock.h"
#include "natd/dnstell.h"

enum { PREFIX = 2, MSG_MAX_LEN = 65535 };

enum state {
	ASKING,     /* the guest's query is awaited. Leave: a whole one is there */
	CONNECTING, /* to server number `k` */
	FORWARDING, /* the query is on its way to the server */
	WAITING,    /* for the server's answer */
	ANSWERING,  /* the answer is on its way to the guest. Leave: to ASKING */
};

/* A message with its length before it, as far as it has come, or gone. */
struct stream {
	size_t have;
	uint8_t b[PREFIX + MSG_MAX_LEN];
};

struct conn {
	struct conn *next;
	struct dnstcp *t;
	unsigned net;
	struct ip4 client;
	uint16_t client_port;
	enum state state;
	int guest, server; /* descriptors; server -1: none */
	struct loop_io *guest_io, *server_io;
	struct loop_timer *timer;
	struct mono since;           /* the guest connected, or had its last answer */
	unsigned k;                  /* servers that were tried */
	uint16_t id;                 /* the guest's */
	uint32_t scope;              /* for dns_learn() */
	struct stream query, answer; /* pages that no message was long enough for stay untouched */
};

struct listener {
	struct dnstcp *t;
	unsigned net;
	int fd;
	struct loop_io *io;
};

struct dnstcp {
	struct loop *loop;
	struct dns *dns;
	void (*due)(void *arg);
	void *due_arg;
	struct listener *listener[DNS_NETS];
	struct conn *conns;
	unsigned nconns;
};

static void
conn_free(struct conn *c)
{
	struct conn **at = &c->t->conns;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->t->nconns--;
	loop_io_free(c->guest_io);
	loop_io_free(c->server_io);
	loop_timer_free(c->timer);
	fd_close(&c->guest);
	fd_close(&c->server);
	free(c);
}

static void
close_server(struct conn *c)
{
	loop_io_free(c->server_io);
	c->server_io = NULL;
	fd_close(&c->server);
}

/* Streams. */

static size_t
wanted(const struct stream *s)
{
	return s->have < PREFIX ? PREFIX : PREFIX + (size_t)(s->b[0] << 8 | s->b[1]);
}

static void
set_len(struct stream *s, size_t len)
{
	s->b[0] = (uint8_t)(len >> 8);
	s->b[1] = (uint8_t)len;
	s->have = 0;
}

static size_t
msg_len(const struct stream *s)
{
	return (size_t)(s->b[0] << 8 | s->b[1]);
}

/* 1: the message is whole. 0: not yet. Negative: there will be none. */
static int
receive(int fd, struct stream *s)
{
	while (s->have < wanted(s)) {
		ssize_t n = recv(fd, s->b + s->have, wanted(s) - s->have, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return -1;
		s->have += (size_t)n;
	}
	return 1;
}

/* As receive(). */
static int
transmit(int fd, struct stream *s)
{
	size_t all = PREFIX + msg_len(s);

	while (s->have < all) {
		ssize_t n = send(fd, s->b + s->have, all - s->have, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0)
			return -1;
		s->have += (size_t)n;
	}
	return 1;
}

/* States. */

static void try_server(struct conn *c);
static void on_guest(int fd, void *arg);
static void on_server(int fd, void *arg);

static void
set_timer(struct conn *c, int64_t ms)
{
	loop_timer_set(c->timer, mono_add(mono_now(), ms));
}

/* Watches the guest for what this state needs. Without memory the connection is gone. */
static void
watch_guest(struct conn *c, bool write)
{
	loop_io_free(c->guest_io);
	c->guest_io = write ? loop_add_write(c->t->loop, c->guest, on_guest, c)
			    : loop_add_read(c->t->loop, c->guest, on_guest, c);
	if (!c->guest_io)
		conn_free(c);
	else if (write)
		loop_io_enable(c->guest_io, true);
}

static void
next_query(struct conn *c)
{
	c->state = ASKING;
	c->query.have = 0;
	c->since = mono_now();
	set_timer(c, DNSTCP_IDLE_MS);
	watch_guest(c, false);
}

/* c->answer's message has this length. */
static void
answer(struct conn *c, size_t len)
{
	int r;

	close_server(c);
	set_len(&c->answer, len);
	c->state = ANSWERING;
	set_timer(c, DNSTCP_IDLE_MS);
	r = transmit(c->guest, &c->answer);
	if (r < 0)
		conn_free(c);
	else if (r > 0)
		next_query(c);
	else
		watch_guest(c, true);
}

/* The query, whose id is ours by now, turned into our own answer. */
static void
say_no(struct conn *c, enum dns_rcode rcode)
{
	size_t len = msg_len(&c->query);
	uint8_t *msg = c->answer.b + PREFIX;
	struct dns_head h;

	memcpy(msg, c->query.b + PREFIX, len);
	dns_set_id(msg, c->id);
	dns_head_parse(&h, msg, len);
	answer(c, dns_make_error(msg, len, &h, rcode));
}

static void
count(const struct conn *c, enum dns_count what)
{
	dns_count(c->t->dns, c->net, what);
}

static void
take_query(struct conn *c)
{
	uint8_t *query = c->query.b + PREFIX, *msg = c->answer.b + PREFIX;
	struct dns_asker from = {c->net, c->client, c->client_port};
	size_t len = msg_len(&c->query), known;
	struct dns_head h;
	uint64_t rnd;

	loop_io_free(c->guest_io);
	c->guest_io = NULL;
	if (!dns_head_parse(&h, query, len) || h.response) {
		conn_free(c);
		return;
	}
	c->id = h.id;
	count(c, DNS_COUNT_QUERIES);
	count(c, DNS_COUNT_TCP);
	if (!h.question_ok) {
		count(c, DNS_COUNT_FORMERR);
		say_no(c, DNS_FORMERR);
		return;
	}
	if (dns_is_transfer(query, &h)) {
		count(c, DNS_COUNT_REFUSED);
		say_no(c, DNS_REFUSED);
		return;
	}
	memcpy(msg, query, len);
	arc4random_buf(&rnd, sizeof(rnd));
	known = dns_answer(c->t->dns, &from, msg, len, MSG_MAX_LEN, mono_now(), rnd, &c->scope);
	c->t->due(c->t->due_arg);
	dnstell_refusal(c->t->dns, mono_now());
	if (known) {
		answer(c, known);
		return;
	}
	dns_set_id(query, (uint16_t)arc4random());
	c->k = 0;
	try_server(c);
}

/* Connects to the next server that can be tried. */
static void
try_server(struct conn *c)
{
	struct dns_addr addr;
	uint32_t wait_ms;

	close_server(c);
	while (dns_server(c->t->dns, c->net, c->k++, mono_now(), &addr, &wait_ms)) {
		count(c, DNS_COUNT_SENT);
		c->server = dnssock_connect(&addr);
		if (c->server < 0) {
			count(c, DNS_COUNT_UNREACHABLE);
			continue;
		}
		c->state = CONNECTING;
		c->query.have = 0;
		c->server_io = loop_add_write(c->t->loop, c->server, on_server, c);
		if (!c->server_io) {
			conn_free(c);
			return;
		}
		loop_io_enable(c->server_io, true);
		set_timer(c, wait_ms);
		return;
	}
	/* Where there is no server at all, k is 1 now, and that is counted. */
	if (c->k > 1)
		count(c, DNS_COUNT_SERVFAIL);
	say_no(c, DNS_SERVFAIL);
}

/* The server's answer is whole. */
static void
take_answer(struct conn *c)
{
	uint8_t *msg = c->answer.b + PREFIX, *query = c->query.b + PREFIX;
	struct dns_asker from = {c->net, c->client, c->client_port};
	size_t len = msg_len(&c->answer);

	if (!dns_is_answer(msg, len, query, msg_len(&c->query))) {
		dns_count_drop(c->t->dns, c->net, DNS_DROP_QUESTION);
		try_server(c);
		return;
	}
	len =
	    dns_learn(c->t->dns, &from, c->scope, query, msg_len(&c->query), msg, len, mono_now());
	dnstell_refusal(c->t->dns, mono_now());
	dns_set_id(msg, c->id);
	answer(c, len);
}

static void
on_server(int fd, void *arg)
{
	struct conn *c = arg;
	int r, err = 0;
	socklen_t len = sizeof(err);

	if (c->state == CONNECTING) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 || err) {
			count(c, DNS_COUNT_UNREACHABLE);
			try_server(c);
			return;
		}
		c->state = FORWARDING;
	}
	r = c->state == FORWARDING ? transmit(fd, &c->query) : receive(fd, &c->answer);
	if (r < 0) {
		count(c, DNS_COUNT_UNREACHABLE);
		try_server(c);
	} else if (r > 0 && c->state == WAITING) {
		take_answer(c);
	} else if (r > 0) {
		c->state = WAITING;
		c->answer.have = 0;
		loop_io_free(c->server_io);
		c->server_io = loop_add_read(c->t->loop, fd, on_server, c);
		if (!c->server_io)
			conn_free(c);
	}
}

static void
on_guest(int fd, void *arg)
{
	struct conn *c = arg;
	int r = c->state == ASKING ? receive(fd, &c->query) : transmit(fd, &c->answer);

	if (r < 0)
		conn_free(c);
	else if (r > 0 && c->state == ASKING)
		take_query(c);
	else if (r > 0)
		next_query(c);
}

static void
on_timer(void *arg)
{
	struct conn *c = arg;

	if (c->state == ASKING || c->state == ANSWERING)
		conn_free(c);
	else {
		count(c, DNS_COUNT_TIMEOUTS);
		try_server(c);
	}
}

/* Coming and going. */

static unsigned
count_of(const struct dnstcp *t, unsigned net, struct ip4 client)
{
	unsigned n = 0;

	for (const struct conn *c = t->conns; c; c = c->next)
		n += c->net == net && ip4_eq(c->client, client);
	return n;
}

/* The connection that should make room for one more of `net`, or NULL: of the network that has the most, the one that
 * has owed us a query for the longest. A network that has more than this one gives a busy one if need be. */
static struct conn *
find_victim(const struct dnstcp *t, unsigned net)
{
	unsigned have[DNS_NETS] = {0}, most = net;
	struct conn *found = NULL;

	have[net] = 1; /* the new one */
	for (const struct conn *c = t->conns; c; c = c->next)
		have[c->net]++;
	for (unsigned i = 0; i < DNS_NETS; i++) {
		if (have[i] > have[most])
			most = i;
	}
	for (struct conn *c = t->conns; c; c = c->next) {
		bool busy = c->state != ASKING, better;

		if (c->net != most || (busy && most == net))
			continue;
		better = !found || busy < (found->state != ASKING) ||
			 (busy == (found->state != ASKING) && !mono_before(found->since, c->since));
		if (better)
			found = c;
	}
	return found;
}

static void
count_closed(const struct dnstcp *t, unsigned net, struct ip4 client)
{
	dns_count(t->dns, net, DNS_COUNT_CLOSED);
	log_debug("vmnet%u: a DNS connection of %s is closed: there are too many", net,
		  IP4_STR(client));
}

/* False: there is no room. */
static bool
make_room(const struct dnstcp *t, unsigned net, struct ip4 client)
{
	struct conn *victim;

	if (count_of(t, net, client) >= DNSTCP_PER_CLIENT_MAX)
		return false;
	if (t->nconns < DNSTCP_CONNS_MAX)
		return true;
	victim = find_victim(t, net);
	if (!victim)
		return false;
	count_closed(t, victim->net, victim->client);
	conn_free(victim);
	return true;
}

static void
on_listener(int fd, void *arg)
{
	struct listener *l = arg;
	struct dnstcp *t = l->t;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	AUTO_FD guest = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ip4 client;
	struct conn *c;

	if (guest < 0)
		return;
	client = ip4_from_be(from.sin_addr.s_addr);
	if (!make_room(t, l->net, client)) {
		count_closed(t, l->net, client);
		return;
	}
	/* Not calloc(): it is large, and hardly any of it is ever used. */
	c = malloc(sizeof(*c));
	if (!c)
		return;
	memset(c, 0, offsetof(struct conn, query));
	c->t = t;
	c->net = l->net;
	c->client = client;
	c->client_port = ntohs(from.sin_port);
	c->guest = fd_take(&guest);
	c->server = -1;
	c->next = t->conns;
	t->conns = c;
	t->nconns++;
	c->timer = loop_timer_new(t->loop, on_timer, c);
	if (!c->timer)
		conn_free(c);
	else
		next_query(c);
}

static void
listener_free(struct listener *l)
{
	if (!l)
		return;
	loop_io_free(l->io);
	fd_close(&l->fd);
	free(l);
}

int
dnstcp_set_net(struct dnstcp *t, unsigned net, int *fd)
{
	AUTO_FD own = fd_take(fd);
	struct listener *l;

	if (net >= DNS_NETS || own < 0)
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct listener){.t = t, .net = net, .fd = fd_take(&own)};
	l->io = loop_add_read(t->loop, l->fd, on_listener, l);
	if (!l->io) {
		listener_free(l);
		return -ENOMEM;
	}
	listener_free(t->listener[net]);
	t->listener[net] = l;
	return 0;
}

void
dnstcp_drop_net(struct dnstcp *t, unsigned net)
{
	struct conn *c, *next;

	if (net >= DNS_NETS)
		return;
	listener_free(t->listener[net]);
	t->listener[net] = NULL;
	for (c = t->conns; c; c = next) {
		next = c->next;
		if (c->net == net)
			conn_free(c);
	}
}

struct dnstcp *
dnstcp_new(struct loop *loop, struct dns *d, void (*due)(void *arg), void *arg)
{
	struct dnstcp *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->loop = loop;
	t->dns = d;
	t->due = due;
	t->due_arg = arg;
	return t;
}

void
dnstcp_free(struct dnstcp *t)
{
	for (unsigned i = 0; t && i < DNS_NETS; i++)
		dnstcp_drop_net(t, i);
	free(t);
}
