/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.c - see relay.h.
 *
 * Bytes move only when the other side can take some: what cannot be sent stays in the source's socket, so TCP's own
 * window holds the sender back, and nothing grows here.
 *
 * Three ways, chosen for each direction by what it carries:
 *   - few bytes: recv() and send() through one static buffer, which for a message is cheaper than two splices. What
 *     send() does not take goes into a pipe.
 *   - many bytes (a read filled the buffer): splice() from socket to pipe to socket; pages move, nothing is copied.
 *   - no pipe to be had: look at the bytes with MSG_PEEK, send, and then drop as many as went. Nothing is held, so
 *     no number of slow readers can keep the others from being served.
 *
 * When a round of events brings bytes of several connections, small messages are read one after the other and then
 * sent one after the other: each call finds its code and its tables at hand, and whoever is woken by the first send
 * finds more than one message when it looks.
 *
 * The epoll set is told of each socket once, edge-triggered, and never again. A side's `in` and `out` say what is
 * still worth trying. A short read empties a socket, unless it ended at an urgent mark; if the FIN had been seen
 * before, it is also the end, which saves a call, and lets the last bytes and our FIN leave in one segment.
 */
#include "redird/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redird/listen.h"

#define SMALL  16384      /* a read that fills this much makes a direction a bulk one */
#define BUDGET (1u << 20) /* bytes of one direction in one turn */
#define EDGES  (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

#define HOLD_BYTES (4 * SMALL)

/* What is held from the beginning on, and one read. */
static char buffer[HOLD_BYTES];

/* --- the end ------------------------------------------------------------------------------------ */

/* How the sockets go: with `reset` the peer sees a reset, else the FIN that shutdown() or close() sends. */
static void
close_side(struct side *s, bool reset)
{
	struct linger now = {1, 0};

	if (s->fd < 0)
		return;
	if (reset)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(s->fd);
	s->fd = -1;
}

static void
log_end(struct redird *r, struct conn *c, enum redird_end why)
{
	const struct redird_service *s = &c->svc->conf;
	struct logline l;

	if (!s->on_success)
		return;
	if (logline_traffic(&l, s->name, s->on_success, c->dir[CLIENT].bytes, c->dir[TARGET].bytes))
		redird_say(r, REDIRD_LINE, c->svc, l.text);
	if (logline_exit(&l, s->name, s->on_success, why == REDIRD_END_ORDER ? 0 : 1,
			 mono_diff(r->now, c->since) / 1000))
		redird_say(r, REDIRD_LINE, c->svc, l.text);
}

static void
forget_fresh(struct redird *r, const struct conn *c)
{
	unsigned i = 0;

	while (r->fresh[i] != c)
		i++;
	r->n_fresh--;
	r->n_old -= i < r->n_old;
	memmove(r->fresh + i, r->fresh + i + 1, (r->n_fresh - i) * sizeof(r->fresh[0]));
}

void
relay_end(struct redird *r, struct conn *c, enum redird_end why)
{
	bool reset = why != REDIRD_END_ORDER && why != REDIRD_END_IDLE;

	if (c->dead)
		return;
	c->dead = r->patient = true;
	if (c->fresh)
		forget_fresh(r, c);
	for (int i = 0; i < 2; i++) {
		close_side(&c->side[i], reset);
		pipes_put(&r->pipes, c->dir[i].pipe, c->dir[i].in_pipe);
		c->dir[i].pipe = NULL;
	}
	wheel_drop(&r->wheel, &c->timer);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	else
		r->last = c->link;
	r->n_conns--;
	access_leave(&c->svc->state, &c->from.addr);
	c->svc->n.ended[why]++;
	c->svc->n.live--;
	r->sweep |= c->svc->removed && c->svc->n.live == 0;
	if (c->connecting)
		c->svc->n.connecting--;
	log_end(r, c, why);
	/* On the list of the waiting it stays until that is gone through; redird_run() buries it then. */
	if (!c->waits) {
		c->more = r->dead;
		r->dead = c;
	}
	redird_room_again(r);
}

/* --- moving bytes ------------------------------------------------------------------------------- */

enum moved {
	MOVED,
	STUCK, /* until an event says otherwise */
	HELD,  /* until relay_flush() */
	LOST_SOURCE,
	LOST_SINK,
};

static void
delivered(struct redird *r, struct conn *c, unsigned from, size_t n)
{
	c->dir[from].bytes += n;
	*(from == CLIENT ? &c->svc->n.bytes_in : &c->svc->n.bytes_out) += n;
	c->last = r->now;
}

/* What a read came to: n is recv()'s or splice()'s result for `asked` bytes. */
static enum moved
after_read(struct side *src, struct dir *d, ssize_t n, size_t asked)
{
	if (n > 0) {
		if ((size_t)n < asked && !src->urgent) {
			src->in = false;
			d->eof = src->fin;
		}
		return MOVED;
	}
	if (n == 0) {
		d->eof = true;
		return MOVED;
	}
	if (errno == EAGAIN) {
		src->in = src->urgent = false;
		return STUCK;
	}
	return errno == EINTR ? MOVED : LOST_SOURCE;
}

/* Nothing waits for an acknowledgement of what went before. What goes first waits for nothing anyway, so for a
 * connection of one request this call is saved. */
static void
at_once(const struct dir *d, struct side *sink)
{
	int on = 1;

	if (d->bytes == 0 || sink->at_once)
		return;
	setsockopt(sink->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	sink->at_once = true;
}

static enum moved
after_write(struct side *sink, ssize_t n)
{
	if (n >= 0)
		return MOVED;
	if (errno == EAGAIN) {
		sink->out = false;
		return STUCK;
	}
	return errno == EINTR ? MOVED : LOST_SINK;
}

static enum moved
empty_pipe(struct redird *r, struct conn *c, unsigned from)
{
	struct dir *d = &c->dir[from];
	struct side *sink = &c->side[!from];
	unsigned flags = SPLICE_F_NONBLOCK | SPLICE_F_MOVE | (d->eof ? SPLICE_F_MORE : 0);
	ssize_t n;

	at_once(d, sink);
	n = splice(d->pipe->r, NULL, sink->fd, NULL, d->in_pipe, flags);
	if (n > 0) {
		d->in_pipe -= (uint32_t)n;
		delivered(r, c, from, (size_t)n);
	}
	return after_write(sink, n);
}

static enum moved
fill_pipe(struct redird *r, struct conn *c, unsigned from)
{
	struct dir *d = &c->dir[from];
	/* The length is only a bound; a pipe takes as many pieces as it has slots, however large they are. */
	ssize_t n = splice(c->side[from].fd, NULL, d->pipe->w, NULL, BUDGET,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n > 0) {
		d->in_pipe = (uint32_t)n;
		r->patient = true;
		if (n < SMALL)
			d->bulk = false;
		return MOVED;
	}
	/* An urgent mark stops splice() for good, with EAGAIN or, when the FIN has come, as if this were the end: recv()
	 * finds out whether there was nothing, or that. */
	if (n == 0 || (n < 0 && errno == EAGAIN && c->side[from].urgent)) {
		d->bulk = false;
		return MOVED;
	}
	return after_read(&c->side[from], d, n, 0);
}

/* What the sink does not take goes into the pipe. */
static enum moved
send_all(struct redird *r, struct conn *c, unsigned from, const char *bytes, size_t n)
{
	struct side *sink = &c->side[!from];
	struct dir *d = &c->dir[from];
	ssize_t sent;
	enum moved m;

	at_once(d, sink);
	sent = send(sink->fd, bytes, n, MSG_NOSIGNAL | (d->eof ? MSG_MORE : 0));
	m = after_write(sink, sent);
	if (sent > 0)
		delivered(r, c, from, (size_t)sent);
	else
		sent = 0;
	if (m == LOST_SINK || (size_t)sent == n)
		return m;
	if (write(d->pipe->w, bytes + sent, n - (size_t)sent) != (ssize_t)n - sent)
		return LOST_SOURCE; /* an empty pipe of that capacity took less: it is none of ours */
	d->in_pipe = (uint32_t)(n - (size_t)sent);
	return MOVED;
}

/* A message of a connection that has nothing else to do. The first one goes at once: somebody waits for its ACK. */
static bool
may_wait(const struct redird *r, const struct conn *c, unsigned from)
{
	return r->holds && r->n_held < HELD_MAX && c->dir[from].bytes && !c->side[from].in &&
	       !c->dir[from].eof && !c->side[from].broken && !c->side[!from].broken;
}

static size_t
held_bytes(const struct redird *r)
{
	const struct held *last = &r->held[r->n_held];

	return r->n_held ? last[-1].at + last[-1].n : 0;
}

static enum moved
copy(struct redird *r, struct conn *c, unsigned from)
{
	struct side *src = &c->side[from];
	struct dir *d = &c->dir[from];
	size_t room = d->pipe->cap < SMALL ? d->pipe->cap : SMALL, at = held_bytes(r);
	ssize_t n = recv(src->fd, buffer + at, room, 0);
	enum moved m = after_read(src, d, n, room);

	if (n <= 0)
		return m;
	if ((size_t)n == SMALL)
		d->bulk = true;
	/* The next read has room behind it. */
	if (!may_wait(r, c, from) || at + (size_t)n + SMALL > HOLD_BYTES)
		return send_all(r, c, from, buffer + at, (size_t)n);
	r->held[r->n_held++] = (struct held){c, from, (uint32_t)at, (uint32_t)n};
	d->held = true;
	return HELD;
}

static enum moved
copy_without_pipe(struct redird *r, struct conn *c, unsigned from)
{
	char *look = buffer + held_bytes(r);
	struct side *src = &c->side[from], *sink = &c->side[!from];
	struct dir *d = &c->dir[from];
	ssize_t n = recv(src->fd, look, SMALL, MSG_PEEK), sent;
	enum moved m = after_read(src, d, n, SMALL);

	if (n <= 0)
		return m;
	at_once(d, sink);
	sent = send(sink->fd, look, (size_t)n, MSG_NOSIGNAL | (d->eof ? MSG_MORE : 0));
	if (sent < n) { /* they are still there */
		src->in = true;
		d->eof = false;
	}
	m = after_write(sink, sent);
	if (sent <= 0)
		return m;
	delivered(r, c, from, (size_t)sent);
	if (recv(src->fd, look, (size_t)sent, MSG_TRUNC) != sent)
		return LOST_SOURCE;
	return MOVED;
}

static enum moved
move(struct redird *r, struct conn *c, unsigned from)
{
	struct dir *d = &c->dir[from];

	if (d->in_pipe)
		return empty_pipe(r, c, from);
	if (!d->pipe)
		d->pipe = pipes_get(&r->pipes);
	if (!d->pipe)
		return copy_without_pipe(r, c, from);
	return d->bulk ? fill_pipe(r, c, from) : copy(r, c, from);
}

static void
wait_turn(struct redird *r, struct conn *c)
{
	if (c->waits)
		return;
	c->waits = true;
	c->more = r->waiting;
	r->waiting = c;
}

/* False: the connection has ended by it. */
static bool
after_pump(struct redird *r, struct conn *c, unsigned from, enum moved m)
{
	if (m != LOST_SOURCE && m != LOST_SINK)
		return true;
	relay_end(r, c,
		  (m == LOST_SOURCE) == (from == CLIENT) ? REDIRD_END_CLIENT : REDIRD_END_TARGET);
	return false;
}

/* Everything that can be moved from one side to the other, and then the FIN. False: the connection has ended. */
static bool
pump(struct redird *r, struct conn *c, unsigned from)
{
	struct dir *d = &c->dir[from];
	uint64_t stop = d->bytes + BUDGET;
	enum moved m = d->held ? HELD : MOVED;

	while (m == MOVED && c->side[!from].out && (d->in_pipe || (c->side[from].in && !d->eof))) {
		if (d->bytes >= stop) {
			wait_turn(r, c);
			break;
		}
		m = move(r, c, from);
	}
	if (!after_pump(r, c, from, m))
		return false;
	if (d->in_pipe || m == HELD)
		return true;
	pipes_put(&r->pipes, d->pipe, 0);
	d->pipe = NULL;
	if (!d->eof || d->done)
		return true;
	d->done = true;
	if (c->dir[!from].done) {
		relay_end(r, c, REDIRD_END_ORDER);
		return false;
	}
	shutdown(c->side[!from].fd, SHUT_WR);
	c->last = r->now;
	return true;
}

void
relay_flush(struct redird *r)
{
	r->holds = false;
	for (unsigned i = 0; i < r->n_held; i++) {
		const struct held *h = &r->held[i];
		struct dir *d = &h->c->dir[h->from];

		d->held = false;
		if (!h->c->dead &&
		    after_pump(r, h->c, h->from, send_all(r, h->c, h->from, buffer + h->at, h->n)))
			pump(r, h->c, h->from);
	}
	r->n_held = 0;
}

/* --- the target --------------------------------------------------------------------------------- */

static uint32_t
connect_ms(const struct conn *c)
{
	uint32_t ms = c->svc->conf.timeout_connect_ms;

	return ms ? ms : REDIRD_CONNECT_DEFAULT_MS;
}

struct mono
relay_deadline(const struct conn *c)
{
	uint32_t idle = c->svc->conf.timeout_idle_ms;

	if (c->connecting)
		return mono_add(c->last, connect_ms(c));
	return idle ? mono_add(c->last, idle) : MONO_NEVER;
}

/* A non-blocking socket on its way there; -errno. */
static int
dial(const struct redird_endpoint *to, bool keepalive)
{
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(to->port), .sin6_scope_id = to->scope};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(to->port)};
	bool is4 = ip6_is_mapped(&to->addr);
	int on = 1, off = 0, r, fd;

	fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
	if (keepalive)
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (is4) {
		memcpy(&v4.sin_addr, to->addr.b + 12, sizeof(v4.sin_addr));
		r = connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	} else {
		memcpy(&v6.sin6_addr, to->addr.b, sizeof(v6.sin6_addr));
		r = connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	}
	if (r < 0 && errno != EINPROGRESS) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int
enter(struct redird *r, struct conn *c, unsigned side)
{
	struct epoll_event ev = {.events = EDGES,
				 .data.u64 = tagged(c, side == CLIENT ? TAG_CLIENT : TAG_TARGET)};

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->side[side].fd, &ev) < 0 ? -errno : 0;
}

/* Tries the targets from c->target on; `err` is what the one before said. */
static void
try_targets(struct redird *r, struct conn *c, int err)
{
	const struct redird_service *s = &c->svc->conf;
	struct logline l;

	for (; c->target < s->n_targets; c->target++) {
		int fd;

		c->to = s->targets[c->target];
		fd = dial(&c->to, s->keepalive);
		if (fd >= 0) {
			c->side[TARGET] = (struct side){.fd = fd};
			c->last = r->now;
			if (enter(r, c, TARGET) < 0) {
				relay_end(r, c, REDIRD_END_FAULT);
				return;
			}
			redird_timer(r, c, relay_deadline(c));
			return;
		}
		err = fd;
		if (err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM) {
			listen_pause(r, true);
			relay_end(r, c, REDIRD_END_FAULT);
			return;
		}
	}
	logline_no_target(&l, &c->to.addr, strerror(-err));
	redird_say(r, REDIRD_NO_TARGET, c->svc, l.text);
	relay_end(r, c, REDIRD_END_NO_TARGET);
}

static void
next_target(struct redird *r, struct conn *c, int err)
{
	close_side(&c->side[TARGET], false);
	c->target++;
	try_targets(r, c, err);
}

void
relay_begin(struct redird *r, struct svc *s, int fd, const struct redird_endpoint *from)
{
	struct conn *c = malloc(sizeof(*c));

	if (!c) {
		close(fd);
		access_leave(&s->state, &from->addr);
		s->n.ended[REDIRD_END_FAULT]++;
		return;
	}
	*c = (struct conn){
	    .side = {{.fd = fd, .out = true, .at_once = true}, {.fd = -1}},
	    .svc = s,
	    .link = r->last,
	    .since = r->now,
	    .last = r->now,
	    .id = ++r->next_id,
	    .from = *from,
	    .connecting = true,
	};
	*r->last = c;
	r->last = &c->next;
	r->n_conns++;
	r->patient = true;
	s->n.live++;
	s->n.connecting++;
	if (enter(r, c, CLIENT) < 0)
		relay_end(r, c, REDIRD_END_FAULT);
	else
		try_targets(r, c, -EHOSTUNREACH);
}

static void
connected(struct redird *r, struct conn *c)
{
	c->connecting = false;
	r->patient = true;
	c->svc->n.connecting--;
	c->last = r->now;
	redird_timer(r, c, relay_deadline(c));
}

/* --- events ------------------------------------------------------------------------------------- */

static int
error_of(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err ? err : ECONNRESET;
}

/* While the target is being dialled: false when that is all there is to this event. */
static bool
dialling(struct redird *r, struct conn *c, unsigned side, uint32_t events)
{
	if (side == CLIENT) {
		/* Its bytes wait; a reset means that nobody waits for the target any more. */
		if (events & EPOLLERR)
			relay_end(r, c, REDIRD_END_CLIENT);
		return false;
	}
	if (events & EPOLLERR) {
		next_target(r, c, -error_of(c->side[TARGET].fd));
		return false;
	}
	if (!(events & EPOLLOUT))
		return false;
	connected(r, c);
	return true;
}

/* The target's handshake has been left without our last ACK, so that it leaves with the client's first bytes: one
 * segment and one wake-up less for each connection. When the client waits for the target to speak it must go. */
static void
acknowledge(struct conn *c)
{
	int on = 1;

	c->fresh = false;
	if (!c->dir[CLIENT].bytes)
		setsockopt(c->side[TARGET].fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

/* The client may be about to say something: it has had its connection for some microseconds. */
static void
acknowledge_later(struct redird *r, struct conn *c)
{
	if (c->dir[CLIENT].bytes)
		return;
	if (r->n_fresh == FRESH_MAX) {
		acknowledge(c);
		return;
	}
	c->fresh = true;
	r->fresh[r->n_fresh++] = c;
}

void
relay_acknowledge(struct redird *r, bool all)
{
	if (all)
		r->n_old = r->n_fresh;
	for (unsigned i = 0; i < r->n_old; i++)
		acknowledge(r->fresh[i]);
	r->n_fresh -= r->n_old;
	memmove(r->fresh, r->fresh + r->n_old, r->n_fresh * sizeof(r->fresh[0]));
	r->n_old = r->n_fresh;
}

void
relay_event(struct redird *r, struct conn *c, unsigned side, uint32_t events)
{
	struct side *s = &c->side[side];
	bool fresh = c->connecting;

	if (c->dead)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
		s->in = true;
	if (events & (EPOLLOUT | EPOLLERR))
		s->out = true;
	if (events & EPOLLPRI)
		s->urgent = true;
	if ((events & (EPOLLRDHUP | EPOLLHUP)) && !(events & EPOLLERR))
		s->fin = true;
	if (c->connecting && !dialling(r, c, side, events))
		return;
	/* What it sent before it broke is still passed on, as far as the other side takes it now. */
	if (events & EPOLLERR)
		s->broken = true;
	if (!pump(r, c, side) || !pump(r, c, !side))
		return;
	if (fresh)
		acknowledge_later(r, c);
	if (s->broken)
		relay_end(r, c, side == CLIENT ? REDIRD_END_CLIENT : REDIRD_END_TARGET);
}

void
relay_more(struct redird *r, struct conn *c)
{
	if (pump(r, c, CLIENT))
		pump(r, c, TARGET);
}

void
relay_timer(struct redird *r, struct conn *c)
{
	struct mono when = relay_deadline(c);

	if (mono_before(r->now, when)) {
		redird_timer(r, c, when);
		return;
	}
	if (c->connecting)
		next_target(r, c, -ETIMEDOUT);
	else
		relay_end(r, c, REDIRD_END_IDLE);
}
