/* SPDX-License-Identifier: GPL-2.0-or-later
 * relaytcp.c - see relaytcp.h. What a direction needs next is decided in relayflow.c; here are the sockets.
 *
 * Whatever goes wrong on one side is a reset on the other: half a transfer must not look like a whole one.
 */
#include "natd/relaytcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mono.h"
#include "lib/util.h"
#include "natd/relayflow.h"

enum {
	CLIENT,
	GUEST,
	SIDES,
	TURN = 256 * 1024, /* bytes of one direction before others get their turn */
	LOOK_MS = 30000,   /* for silent ones */
};

struct side {
	struct conn *c;
	int fd;
	struct loop_io *in, *out;
};

struct conn {
	struct conn *next, **link;
	struct relaytcp *t;
	struct msg_relay_row row;
	bool connected;
	struct mono last; /* when a byte moved */
	struct side side[SIDES];
	struct relayflow from[SIDES]; /* from[CLIENT]: what the client sends */
};

struct relaytcp {
	struct loop *loop;
	struct conn *conns;
	unsigned nconns;
	bool full; /* and the log has it */
	struct loop_timer *look;
};

/* --- the end --- */

static void
close_side(struct side *s, bool reset)
{
	const struct linger now = {1, 0};

	loop_io_free(s->in);
	loop_io_free(s->out);
	if (reset && s->fd >= 0)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	fd_close(&s->fd);
}

static void
end(struct conn *c, bool reset)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->t->nconns--;
	for (int i = 0; i < SIDES; i++)
		close_side(&c->side[i], reset);
	free(c);
}

void
relaytcp_end(struct relaytcp *t, uint16_t port)
{
	struct conn *next;

	for (struct conn *c = t->conns; c; c = next) {
		next = c->next;
		if (c->row.port == port)
			end(c, true);
	}
}

void
relaytcp_each(const struct relaytcp *t, void (*fn)(void *arg, const struct msg_relay_row *row),
	      void *arg)
{
	for (const struct conn *c = t->conns; c; c = c->next)
		fn(arg, &c->row);
}

static void
on_look(void *arg)
{
	struct relaytcp *t = arg;
	struct mono now = mono_now();
	struct conn *next;

	for (struct conn *c = t->conns; c; c = next) {
		int64_t most = relayflow_idle_ms(&c->from[CLIENT], &c->from[GUEST]);

		next = c->next;
		if (mono_diff(now, c->last) > most)
			end(c, true);
	}
	t->full = false;
	if (t->conns)
		loop_timer_set(t->look, mono_add(now, LOOK_MS));
}

/* --- bytes --- */

enum moved { MOVED, STUCK, LOST };

static enum moved
failed(void)
{
	if (errno == EINTR)
		return MOVED;
	return errno == EAGAIN ? STUCK : LOST;
}

static enum moved
step(struct conn *c, unsigned from, size_t *turn)
{
	struct relayflow *f = &c->from[from];
	ssize_t n;

	switch (relayflow_next(f)) {
	case RELAYFLOW_READ:
		n = recv(c->side[from].fd, f->b, sizeof(f->b), 0);
		if (n < 0)
			return failed();
		relayflow_read(f, (size_t)n);
		return MOVED;
	case RELAYFLOW_WRITE:
		n = send(c->side[!from].fd, f->b + f->at, f->end - f->at, MSG_NOSIGNAL);
		if (n < 0)
			return failed();
		relayflow_written(f, (size_t)n);
		*turn += (size_t)n;
		return MOVED;
	case RELAYFLOW_FIN:
		relayflow_finished(f);
		return shutdown(c->side[!from].fd, SHUT_WR) < 0 ? LOST : MOVED;
	case RELAYFLOW_DONE:
		break;
	}
	return STUCK;
}

/* What each side is watched for. */
static void
watch(struct conn *c)
{
	for (int i = 0; i < SIDES; i++) {
		struct side *s = &c->side[i];

		loop_io_enable(s->in,
			       c->connected && relayflow_next(&c->from[i]) == RELAYFLOW_READ);
		loop_io_enable(s->out, c->connected
					   ? relayflow_next(&c->from[!i]) == RELAYFLOW_WRITE
					   : i == GUEST);
	}
}

/* Moves what can be moved from one side to the other. False: the connection has ended. */
static bool
pump(struct conn *c, unsigned from)
{
	enum moved m = MOVED;
	size_t turn = 0;

	while (m == MOVED && turn < TURN)
		m = step(c, from, &turn);
	if (m == LOST) {
		end(c, true);
		return false;
	}
	if (relayflow_next(&c->from[CLIENT]) == RELAYFLOW_DONE &&
	    relayflow_next(&c->from[GUEST]) == RELAYFLOW_DONE) {
		end(c, false);
		return false;
	}
	c->last = mono_now();
	watch(c);
	return true;
}

static void
on_in(int fd UNUSED, void *arg)
{
	struct side *s = arg;

	pump(s->c, (unsigned)(s - s->c->side));
}

static void
take_guest(struct conn *c)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(c->side[GUEST].fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 || err) {
		end(c, true);
		return;
	}
	c->connected = true;
	if (pump(c, CLIENT))
		pump(c, GUEST);
}

static void
on_out(int fd UNUSED, void *arg)
{
	struct side *s = arg;

	if (s->c->connected)
		pump(s->c, s == &s->c->side[CLIENT] ? GUEST : CLIENT);
	else
		take_guest(s->c);
}

/* --- the beginning --- */

/* Answers go when they are there, and a guest that is gone is found out in the end. */
static void
set_options(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static int
connect_guest(struct ip4 guest, uint16_t port)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {ip4_be(guest)}};
	AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS))
		return -errno;
	return fd_take(&fd);
}

static bool
add_watches(struct conn *c)
{
	for (int i = 0; i < SIDES; i++) {
		struct side *s = &c->side[i];

		s->c = c;
		set_options(s->fd);
		s->in = loop_add_read(c->t->loop, s->fd, on_in, s);
		s->out = loop_add_write(c->t->loop, s->fd, on_out, s);
		if (!s->in || !s->out)
			return false;
	}
	watch(c);
	return true;
}

/* Both descriptors are its own from here on. */
static void
begin(struct relaytcp *t, const struct msg_relay_row *row, int client, int guest)
{
	/* Not calloc(): what no byte comes by stays untouched. */
	struct conn *c = malloc(sizeof(*c));
	struct side sides[SIDES] = {[CLIENT] = {.fd = client}, [GUEST] = {.fd = guest}};

	if (!c) {
		close_side(&sides[CLIENT], true);
		close_side(&sides[GUEST], true);
		return;
	}
	memset(c, 0, offsetof(struct conn, from));
	memcpy(c->side, sides, sizeof(sides));
	relayflow_init(&c->from[CLIENT]);
	relayflow_init(&c->from[GUEST]);
	c->t = t;
	c->row = *row;
	c->row.from_port = fd_local_port4(guest);
	c->last = mono_now();
	c->next = t->conns;
	c->link = &t->conns;
	if (c->next)
		c->next->link = &c->next;
	t->conns = c;
	if (t->nconns++ == 0)
		loop_timer_set(t->look, mono_add(c->last, LOOK_MS));
	if (!add_watches(c))
		end(c, true);
}

static bool
has_room(struct relaytcp *t)
{
	if (t->nconns < RELAYTCP_CONNS_MAX)
		return true;
	if (!t->full)
		log_warn(0, "%u connections to forwards by ::1 are open, more are refused",
			 t->nconns);
	t->full = true;
	return false;
}

bool
relaytcp_accept(struct relaytcp *t, int listener, uint16_t port, struct ip4 guest,
		uint16_t guest_port)
{
	struct side client = {.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)};
	const struct msg_relay_row row = {
	    .proto = PROTO_TCP, .port = port, .guest = guest, .guest_port = guest_port};
	int to = -ENOSPC;

	if (client.fd < 0)
		return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
	if (has_room(t))
		to = connect_guest(guest, guest_port);
	if (to >= 0)
		begin(t, &row, client.fd, to);
	else
		close_side(&client, true);
	return true;
}

/* --- life --- */

struct relaytcp *
relaytcp_new(struct loop *l)
{
	struct relaytcp *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->loop = l;
	t->look = loop_timer_new(l, on_look, t);
	if (t->look)
		return t;
	free(t);
	return NULL;
}

void
relaytcp_free(struct relaytcp *t)
{
	if (!t)
		return;
	while (t->conns)
		end(t->conns, true);
	loop_timer_free(t->look);
	free(t);
}
