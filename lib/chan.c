/* SPDX-License-Identifier: GPL-2.0-or-later
 * chan.c - one SEQPACKET channel: a send queue, a receive loop, one way to end.
 *
 * The channel ends in gone() only, which always comes from the loop, never from inside a call of
 * the owner. What the peer had sent before it closed is delivered first. No log: the owner knows
 * what the loss of this peer means.
 */
#include "chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

enum {
	/* Rows of the largest network's leases fit; a peer that lets more pile up is not reading. */
	QUEUE_BYTES_MAX = 8 << 20,
	/* Queued descriptors are open files of ours. */
	QUEUE_FDS_MAX = 256,
	/* Messages handled before the loop may look at other descriptors. */
	READ_BUDGET = 64,
	/* More than a socket's buffer holds: what a peer can have left behind. */
	DRAIN_BUDGET = 1024,
	WHY_MAX = 96,
};

struct chan_item {
	struct chan_item *next;
	size_t len, nfds;
	int fds[FD_PASS_MAX];
	uint8_t buf[];
};

struct chan {
	struct loop_io *rd, *wr;
	struct loop_timer *end;  /* set when closing: calls gone() from the loop */
	struct loop_timer *soon; /* set while what waits is not in a hurry */
	struct mono sent_soon;   /* when such messages left last */
	bool waiting;            /* soon is set */
	int sock;
	const struct chan_handler *h;
	void *arg;
	struct chan_item *head, **tail;
	struct msg *rows; /* MSG_ROWS that is being filled, or NULL */
	size_t queued_bytes, queued_fds;
	unsigned depth; /* calls of ours on the stack that will touch the channel again */
	bool paused;    /* nothing is received */
	bool closing;   /* nothing more is queued; gone() follows */
	bool eof;       /* closing because the peer went: read what it left behind */
	bool dead;      /* freed by the owner while depth > 0 */
	char why[WHY_MAX];
	char name[32];
};

static void
drop_item(struct chan *c)
{
	struct chan_item *it = c->head;

	c->head = it->next;
	if (!c->head)
		c->tail = &c->head;
	c->queued_bytes -= it->len;
	c->queued_fds -= it->nfds;
	fd_close_all(it->fds, it->nfds);
	free(it);
}

/* Gives back everything but the memory. */
static void
shut(struct chan *c)
{
	loop_io_free(c->rd);
	loop_io_free(c->wr);
	loop_timer_free(c->end);
	loop_timer_free(c->soon);
	c->rd = c->wr = NULL;
	c->end = c->soon = NULL;
	while (c->head)
		drop_item(c);
	free(c->rows);
	c->rows = NULL;
	fd_close(&c->sock);
}

static void
leave(struct chan *c)
{
	if (--c->depth == 0 && c->dead)
		free(c);
}

/* The first reason counts. */
static void
begin_close(struct chan *c, const char *why)
{
	if (c->closing)
		return;
	c->closing = true;
	snprintf(c->why, sizeof(c->why), "%s", why);
	loop_io_enable(c->rd, false);
	loop_timer_set(c->end, (struct mono){0});
}

static void
end_now(struct chan *c)
{
	c->closing = true;
	shut(c);
	c->h->gone(c, c->why, c->arg);
}

static const char *
encoded_name(const uint8_t *buf, ssize_t len)
{
	return len < 2 ? "?" : msg_name((enum msg_type)(buf[0] << 8 | buf[1]));
}

/* A peer that is gone had said it before; nothing else is heard of a channel that closes. */
static bool
is_heard(const struct chan *c)
{
	return !c->dead && (!c->closing || c->eof);
}

/* Hands each row to the owner. What has an id wants an answer, and is no row. */
static bool
deliver_rows(struct chan *c, const struct msg_rows *rows)
{
	struct msg m;
	size_t at = 0;

	while (at < rows->rows.len && is_heard(c)) {
		if (!msg_unpack(&m, rows, &at) || m.id) {
			snprintf(c->why, sizeof(c->why), "sent malformed rows");
			return false;
		}
		c->h->msg(c, &m, NULL, 0, c->arg);
	}
	return true;
}

/* Hands one datagram to the owner. False when it broke the protocol; c->why says how then. */
static bool
deliver(struct chan *c, const uint8_t *buf, ssize_t len, int *fds, size_t nfds)
{
	struct msg m;
	bool ok = false;

	if (!msg_decode(&m, buf, (size_t)len))
		snprintf(c->why, sizeof(c->why), "sent a malformed %s", encoded_name(buf, len));
	else if (!msg_fds_ok(m.type, nfds))
		snprintf(c->why, sizeof(c->why), "sent %s with %zu descriptors", msg_name(m.type),
			 nfds);
	else
		ok = true;
	if (ok && m.type == MSG_ROWS && c->h->rows)
		ok = deliver_rows(c, &m.u.rows);
	else if (ok)
		c->h->msg(c, &m, fds, nfds, c->arg);
	fd_close_all(fds, nfds);
	return ok;
}

enum received { RECEIVED_ONE, RECEIVED_NOTHING, RECEIVED_END };

/* What the socket gave: one datagram, or len says why not. */
static enum received
take(struct chan *c, const uint8_t *buf, ssize_t len, int *fds, size_t nfds)
{
	if (len > 0)
		return deliver(c, buf, len, fds, nfds) ? RECEIVED_ONE : RECEIVED_END;
	fd_close_all(fds, nfds);
	switch (len) {
	case -EAGAIN:
		return RECEIVED_NOTHING;
	case -ECONNRESET:
		/* The peer closed without reading our last messages. The kernel tells that once, before
		 * what the peer had sent to us. */
		return RECEIVED_ONE;
	case 0:
		snprintf(c->why, sizeof(c->why), "closed the channel");
		break;
	case -EMSGSIZE:
		snprintf(c->why, sizeof(c->why), "sent an oversized message");
		break;
	default:
		snprintf(c->why, sizeof(c->why), "cannot be read: %s", strerrordesc_np((int)-len));
		break;
	}
	return RECEIVED_END;
}

/* What came together. True: there may be more. */
static bool
take_batch(struct chan *c, struct fd_dgram *d, int n)
{
	bool ended = false;

	for (int i = 0; i < n; i++) {
		if (!ended && is_heard(c)) {
			ended = take(c, d[i].buf, d[i].len, d[i].fds, d[i].nfds) == RECEIVED_END;
			if (ended && !c->dead)
				end_now(c);
		} else {
			fd_close_all(d[i].fds, d[i].nfds);
		}
	}
	return n == FD_RECV_MAX && !c->dead && !c->closing && !c->paused;
}

static void
on_readable(int fd UNUSED, void *arg)
{
	struct chan *c = arg;
	uint8_t buf[FD_RECV_MAX][MSG_MAX];
	struct fd_dgram d[FD_RECV_MAX];

	for (size_t i = 0; i < FD_RECV_MAX; i++) {
		d[i].buf = buf[i];
		d[i].cap = MSG_MAX;
	}
	c->depth++;
	for (int i = 0; i < READ_BUDGET; i += FD_RECV_MAX) {
		int n = fd_recvmmsg(c->sock, d, FD_RECV_MAX);
		enum received r = n < 0 ? take(c, NULL, n, NULL, 0) : RECEIVED_NOTHING;

		if (r == RECEIVED_END)
			end_now(c);
		if (r == RECEIVED_END || (r == RECEIVED_NOTHING && !take_batch(c, d, n)))
			break;
	}
	leave(c);
}

/* After begin_close(): the peer's last words, then the end. */
static void
on_end(void *arg)
{
	struct chan *c = arg;

	c->depth++;
	for (int i = 0; i < DRAIN_BUDGET && c->eof && !c->dead; i++) {
		uint8_t buf[MSG_MAX];
		int fds[FD_PASS_MAX];
		size_t nfds;
		ssize_t len = fd_recvmsg(c->sock, buf, sizeof(buf), fds, &nfds);

		if (take(c, buf, len, fds, nfds) != RECEIVED_ONE)
			break;
	}
	if (!c->dead)
		end_now(c);
	leave(c);
}

/* The peer cannot be written to any more. */
static void
send_failed(struct chan *c, int err)
{
	char why[WHY_MAX];

	c->eof = err == -EPIPE || err == -ECONNRESET;
	if (c->eof)
		snprintf(why, sizeof(why), "closed the channel");
	else
		snprintf(why, sizeof(why), "cannot be written to: %s", strerrordesc_np(-err));
	begin_close(c, why);
}

/* One message with its descriptors, or some without: how many left, or -errno. */
static int
send_some(struct chan *c)
{
	struct iovec v[FD_SEND_MAX];
	size_t n = 0;

	for (struct chan_item *it = c->head; it && !it->nfds && n < FD_SEND_MAX; it = it->next)
		v[n++] = (struct iovec){it->buf, it->len};
	if (n == 0) {
		int r =
		    fd_sendmsg(c->sock, c->head->buf, c->head->len, c->head->fds, c->head->nfds);

		return r < 0 ? r : 1;
	}
	return fd_sendmmsg(c->sock, v, n);
}

/* 0 also when messages are left, which the loop sends when they fit. */
static int
flush(struct chan *c)
{
	bool some = c->head != NULL;
	int r = 0;

	while (c->head && (r = send_some(c)) > 0)
		for (int i = 0; i < r; i++)
			drop_item(c);
	if (c->waiting)
		loop_timer_set(c->soon, MONO_NEVER);
	c->waiting = false;
	if (r < 0 && r != -EAGAIN) {
		loop_io_enable(c->wr, false);
		send_failed(c, r);
		return -EPIPE;
	}
	loop_io_enable(c->wr, c->head != NULL);
	if (some && !c->head && c->h->drained)
		c->h->drained(c, c->arg);
	return 0;
}

static void
on_writable(int fd UNUSED, void *arg)
{
	flush(arg);
}

static void
on_soon(void *arg)
{
	struct chan *c = arg;

	c->sent_soon = mono_now();
	flush(c);
}

struct chan *
chan_new(struct loop *l, int sock, const char *name, const struct chan_handler *h, void *arg)
{
	struct chan *c = calloc(1, sizeof(*c));

	if (!c) {
		fd_close(&sock);
		return NULL;
	}
	c->sock = sock;
	c->h = h;
	c->arg = arg;
	c->tail = &c->head;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->end = loop_timer_new(l, on_end, c);
	c->soon = loop_timer_new(l, on_soon, c);
	c->rd = loop_add_read(l, sock, on_readable, c);
	c->wr = loop_add_write(l, sock, on_writable, c);
	if (!c->end || !c->soon || !c->rd || !c->wr) {
		chan_free(c);
		return NULL;
	}
	return c;
}

void
chan_free(struct chan *c)
{
	if (!c || c->dead)
		return;
	shut(c);
	c->dead = true;
	if (c->depth == 0)
		free(c);
}

/* Copies of the descriptors, so that the caller may close its own at once. */
static int
dup_fds(int *dst, const int *fds, size_t nfds)
{
	for (size_t i = 0; i < nfds; i++) {
		dst[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (dst[i] < 0) {
			int r = -errno;

			while (i > 0)
				fd_close(&dst[--i]);
			return r;
		}
	}
	return 0;
}

static int
enqueue(struct chan *c, const uint8_t *buf, size_t len, const int *fds, size_t nfds)
{
	struct chan_item *it;

	if (len > QUEUE_BYTES_MAX - c->queued_bytes || nfds > QUEUE_FDS_MAX - c->queued_fds)
		return -ENOBUFS;
	it = malloc(sizeof(*it) + len);
	if (!it)
		return -ENOBUFS;
	if (dup_fds(it->fds, fds, nfds) < 0) {
		free(it);
		return -ENOBUFS;
	}
	it->next = NULL;
	it->len = len;
	it->nfds = nfds;
	memcpy(it->buf, buf, len);
	*c->tail = it;
	c->tail = &it->next;
	c->queued_bytes += len;
	c->queued_fds += nfds;
	return 0;
}

static int
wait_in_queue(struct chan *c, const uint8_t *buf, size_t len, const int *fds, size_t nfds)
{
	int r = enqueue(c, buf, len, fds, nfds);

	if (r < 0)
		begin_close(c, "does not read its messages");
	return r;
}

/* The length of the message, or 0: the channel closes. */
static size_t
encode(struct chan *c, const struct msg *m, uint8_t buf[MSG_MAX], size_t nfds)
{
	size_t len = msg_encode(m, buf, MSG_MAX);
	char why[WHY_MAX];

	if (len > 0 && nfds <= FD_PASS_MAX && msg_fds_ok(m->type, nfds))
		return len;
	snprintf(why, sizeof(why), "was to be sent an impossible %s", msg_name(m->type));
	begin_close(c, why);
	return 0;
}

/* Behind messages that wait for room, this one waits too; those that only had time go before it. */
static int
send_now(struct chan *c, const struct msg *m, const int *fds, size_t nfds)
{
	uint8_t buf[MSG_MAX];
	size_t len = encode(c, m, buf, nfds);
	int r;

	if (len == 0)
		return -EMSGSIZE;
	if (c->waiting && flush(c) < 0)
		return -EPIPE;
	r = c->head ? -EAGAIN : fd_sendmsg(c->sock, buf, len, fds, nfds);
	if (r == -EAGAIN) {
		loop_io_enable(c->wr, true);
		return wait_in_queue(c, buf, len, fds, nfds);
	}
	if (r < 0) {
		send_failed(c, r);
		return -EPIPE;
	}
	return 0;
}

static int
send_rows(struct chan *c)
{
	int r;

	if (!c->rows || c->rows->u.rows.rows.len == 0)
		return 0;
	r = send_now(c, c->rows, NULL, 0);
	c->rows->u.rows.rows.len = 0;
	return r;
}

int
chan_send_row(struct chan *c, const struct msg *m)
{
	int r;

	if (c->closing || c->dead)
		return -EPIPE;
	if (!c->rows && (c->rows = malloc(sizeof(*c->rows))))
		*c->rows = msg_make(MSG_ROWS, 0);
	if (c->rows && msg_pack(&c->rows->u.rows, m))
		return 0;
	r = send_rows(c);
	if (r < 0 || (c->rows && msg_pack(&c->rows->u.rows, m)))
		return r;
	/* One that is a datagram of its own, or there is no memory. */
	return send_now(c, m, NULL, 0);
}

int
chan_send_soon(struct chan *c, const struct msg *m, int64_t ms)
{
	uint8_t buf[MSG_MAX];
	struct mono now = mono_now(), then = mono_add(c->sent_soon, ms);
	size_t len;

	if (!c->head && !mono_before(now, then)) {
		c->sent_soon = now;
		return chan_send(c, m, NULL, 0);
	}
	if (c->closing || c->dead || send_rows(c) < 0)
		return -EPIPE;
	len = encode(c, m, buf, 0);
	if (len == 0)
		return -EMSGSIZE;
	if (!c->head) {
		c->waiting = true;
		loop_timer_set(c->soon, then);
	}
	return wait_in_queue(c, buf, len, NULL, 0);
}

int
chan_send(struct chan *c, const struct msg *m, const int *fds, size_t nfds)
{
	if (c->closing || c->dead || send_rows(c) < 0)
		return -EPIPE;
	return send_now(c, m, fds, nfds);
}

int
chan_send_fd(struct chan *c, const struct msg *m, int fd)
{
	int r = chan_send(c, m, &fd, fd >= 0 ? 1 : 0);

	fd_close(&fd);
	return r;
}

const char *
chan_name(const struct chan *c)
{
	return c->name;
}

int
chan_fd(const struct chan *c)
{
	return c->sock;
}

size_t
chan_queued(const struct chan *c)
{
	return c->queued_bytes;
}

size_t
chan_queued_fds(const struct chan *c)
{
	return c->queued_fds;
}

void
chan_pause(struct chan *c, bool on)
{
	c->paused = on;
	if (!c->closing)
		loop_io_enable(c->rd, !on);
}
