/* SPDX-License-Identifier: GPL-2.0-or-later
 * worker.h - dhcpd, natd and redird as the engine sees them: there or not, configured or not, what they
 * report, and questions to them.
 */
#ifndef VNET_VNETD_WORKER_H
#define VNET_VNETD_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/msg.h"

struct core;

/* A row of an answer, or with m->type MSG_REPLY its end. Called at least once (the end). */
typedef void worker_row_fn(struct core *c, const struct msg *m, void *p);

struct worker_ask {
	struct worker_ask *next;
	uint32_t id;
	worker_row_fn *row;
	void *p;
};

struct worker {
	bool idle;           /* it need not run: nothing is to be redirected */
	bool up;             /* the channel is there */
	char *gone;          /* how it ended; NULL: it has not, or is back and configured */
	uint32_t generation; /* pushed last */
	bool changed;        /* that was a change of the one before */
	uint32_t answered;   /* the last CONF_READY */
	char *fault;         /* why it did not take that; NULL: it did */
	uint32_t last_id;
	struct worker_ask *asks;
};

void worker_init(struct worker *w);
void worker_fini(struct worker *w);

/* It has taken the configuration that was pushed last. */
bool worker_is_ready(const struct worker *w);

/* All have that are to run. */
bool workers_are_ready(const struct core *c);

/* Sends a request; `row` gets the rows and the end. When the worker is not there, or ends meanwhile,
 * the end is a REPLY with EAGAIN. */
void worker_ask(struct core *c, enum role role, struct msg *m, worker_row_fn *row, void *p);

/* WORKER_GONE of priv. */
void worker_ended(struct core *c, const struct msg_worker_gone *m);

#endif
