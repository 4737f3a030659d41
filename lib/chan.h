/* SPDX-License-Identifier: GPL-2.0-or-later
 * chan.h - a SEQPACKET channel between two processes that carries lib/msg.h messages and descriptors.
 *
 * Sending queues: a full socket never blocks and never loses a message (the queue has a limit; a peer
 * that lets it fill is broken and the channel closes). Receiving decodes: a datagram that
 * is not exactly one well-formed message with the declared number of descriptors closes the channel.
 */
#ifndef VNET_LIB_CHAN_H
#define VNET_LIB_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "fd.h"
#include "loop.h"
#include "msg.h"

struct chan;

struct chan_handler {
	/* One message. fds[0..nfds) belong to the channel and are closed after the call, unless the
	 * handler took them (fd_take(&fds[i])). The handler may close the channel. */
	void (*msg)(struct chan *c, const struct msg *m, int *fds, size_t nfds, void *arg);
	/* The peer has closed or broke the protocol (`why` is a sentence part: "closed the channel",
	 * "sent a malformed LINK_ADD"). Called once; the channel must be freed by the handler's owner. */
	void (*gone)(struct chan *c, const char *why, void *arg);
	/* The peer may send with chan_send_row(): msg() gets each row by itself. Without this, MSG_ROWS is a message like
	 * any other. */
	bool rows;
	/* What waited to be sent has left. Optional. */
	void (*drained)(struct chan *c, void *arg);
};

/* Takes over sock (also on failure). `name` (copied) is for logs: "engine". NULL: no memory. */
struct chan *chan_new(struct loop *l, int sock, const char *name, const struct chan_handler *h,
		      void *arg);

/* Closes at once; queued messages are lost. Safe inside a handler of the same channel. NULL is allowed. */
void chan_free(struct chan *c);

/* Queues a message; the descriptors are duplicated at once and stay the caller's.
 * 0, or -ENOBUFS / -EPIPE / -EMSGSIZE when the message could not be queued: the channel is closing
 * then, and gone() follows from the loop. */
int chan_send(struct chan *c, const struct msg *m, const int *fds, size_t nfds);

/* The same for a single descriptor (or -1 for none), which is closed here in every case. */
int chan_send_fd(struct chan *c, const struct msg *m, int fd);

/* Queues a message that has `ms` milliseconds' time, without descriptors. One after a pause leaves at once, those that
 * follow it closely leave together: many messages wake the peer once. Order is kept with chan_send(). Errors as there. */
int chan_send_soon(struct chan *c, const struct msg *m, int64_t ms);

/* Sends one of many rows, which has no id and no descriptors: packed with those behind it into datagrams (MSG_ROWS), to
 * a peer whose handler takes rows. It leaves at the latest before the next message of chan_send(), which is to end
 * the rows. Errors as there. */
int chan_send_row(struct chan *c, const struct msg *m);

/* Blocking send and receive for start-up code before the loop runs: one message. 0, -EPIPE when the peer
 * has closed, -EPROTO when it sent something malformed, -EMSGSIZE when *m cannot be encoded, -errno. */
int chan_recv_blocking(int sock, struct msg *m, int fds[FD_PASS_MAX], size_t *nfds);
int chan_send_blocking(int sock, const struct msg *m, const int *fds, size_t nfds);

const char *chan_name(const struct chan *c);
int chan_fd(const struct chan *c);

/* Bytes queued and not yet taken by the kernel: back-pressure for streams of rows. And descriptors. */
size_t chan_queued(const struct chan *c);
size_t chan_queued_fds(const struct chan *c);

/* While it is on nothing more is received, but what came together with the message that is being handled: back-pressure
 * for a peer that asks faster than it can be served. That the peer has closed is noticed afterwards. */
void chan_pause(struct chan *c, bool on);

#endif
