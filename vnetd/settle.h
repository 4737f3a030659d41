/* SPDX-License-Identifier: GPL-2.0-or-later
 * settle.h - making the kernel agree with the configuration, and keeping it so.
 *
 * One run: snapshot, plan, all steps to priv at once, and when their replies are in, another look
 * until a plan is empty. Events that concern us start a run a few milliseconds later; a job starts one
 * at once. Nothing else ever changes links, addresses and routes of networks.
 */
#ifndef VNET_VNETD_SETTLE_H
#define VNET_VNETD_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"
#include "lib/rtnl.h"
#include "vnetd/names.h"
#include "vnetd/want.h"

struct core;

typedef void settle_fn(struct core *c, void *arg);

struct settle {
	bool first_done;             /* a first plan has been carried out */
	bool running;                /* steps are with priv */
	bool repairing;              /* this run was started by an event, not by a job */
	unsigned pending;            /* replies to come */
	unsigned round;              /* looks of this run */
	struct mono due;             /* the next run; MONO_NEVER: none */
	int64_t links;               /* seen by the last look */
	bool again;                  /* something happened while running */
	struct want want;            /* of this run */
	bool failed[NAMES_NETS];     /* a step of this run went wrong */
	bool stepped[NAMES_NETS];    /* this run had steps for it */
	bool made[NAMES_NETS];       /* its bridge was made or its settings applied by this run */
	int sysctls_set[NAMES_NETS]; /* see plan.h */
	bool unhooked[NAMES_NETS];   /* see plan.h */
	/* The job that waits for the end of a run. */
	settle_fn *done, *next_done;
	void *arg, *next_arg;
};

void settle_init(struct settle *s);
void settle_fini(struct settle *s);

/* Runs at once, or after the run under way; then calls done. One job waits at a time. */
void settle_now(struct core *c, settle_fn *done, void *arg);

/* Something changed, or a deadline has come: a run follows soon. */
void settle_soon(struct core *c);

/* Does what is due. */
void settle_timer(struct core *c);

/* The next time at which settle_timer() has something to do. */
struct mono settle_deadline(const struct core *c);

#endif
