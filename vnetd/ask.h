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

struct ask {
	struct ask *next;
	uint32_t id;
	ask_fn *done;
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

/* A REPLY of priv. False: it answers nothing that was asked. */
bool ask_reply(struct core *c, const struct msg *m, int *fds, size_t nfds);

#endif
