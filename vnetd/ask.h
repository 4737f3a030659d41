/* SPDX-License-Identifier: GPL-2.0-or-later
 * ask.h - requests to priv that wait for their REPLY.
 *
 * priv answers in order, so the requests under way are a queue; many may be, nobody waits for one
 * before sending the next.
 */
#ifndef VNET_VNETD_ASK_H
#define VNET_VNETD_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"

struct core;

/* Goes on after a reply. Descriptors may be taken. p and n are what ask_priv() was given. */
typedef void ask_fn(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p,
		    uint32_t n);

/* A row before the reply. Descriptors may be taken. p is what ask_priv_rows() was given. */
typedef void ask_row_fn(struct core *c, const struct msg *m, int *fds, size_t nfds, void *p);

struct ask {
	struct ask *next;
	uint32_t id;
	ask_fn *done;
	ask_row_fn *row; /* NULL: the answer has no rows */
	void *p;
	uint32_t n;
};

struct asks {
	struct ask *head, **tail;
	uint32_t last_id;
};

void asks_init(struct asks *a);

/* Forgets all: no continuation is called. */
void asks_fini(struct asks *a);

/* Sends m (its id is filled in) with nfds descriptors (borrowed); `done` is called with the reply. Without
 * memory that happens at once, with ENOMEM: count a request before asking it. */
void ask_priv(struct core *c, struct msg *m, const int *fds, size_t nfds, ask_fn *done, void *p,
	      uint32_t n);

/* `done` of a request whose reply changes nothing: what it did shows in the next look, or nowhere. */
ask_fn ask_ignore;

/* A request without descriptors that is answered by rows before its reply. */
void ask_priv_rows(struct core *c, struct msg *m, ask_row_fn *row, ask_fn *done, void *p,
		   uint32_t n);

/* A row, which belongs to the first request under way. False: that one has no rows. */
bool ask_row(struct core *c, const struct msg *m, int *fds, size_t nfds);

/* A REPLY of priv. False: it answers nothing that was asked. */
bool ask_reply(struct core *c, const struct msg *m, int *fds, size_t nfds);

#endif
