/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan.h - wanted minus actual = steps. Pure.
 *
 * Start, reload, recovery after a crash and the repair of what others changed are this one function:
 * it is told what should be (want.h) and what is (snapshot.h) and emits, in order, the messages to priv
 * that lead from one to the other. What is right already causes no step. Only what is ours
 * (names_is_ours(), and addresses and routes with our protocol number) is ever changed or removed.
 */
#ifndef VNET_VNETD_PLAN_H
#define VNET_VNETD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"
#include "vnetd/snapshot.h"
#include "vnetd/want.h"

#define PLAN_WHY_MAX 256

enum plan_verdict {
	PLAN_FREE,
	PLAN_CONTESTED, /* it runs, but meanwhile something else uses its subnet too */
	PLAN_BLOCKED,   /* it cannot be made: a foreign link has its name, or its subnet is taken */
};

/* May network n be as wanted? A subnet that is taken blocks a network that does not run yet; one that
 * runs (as the caller knows, or because its route is there) was there first and goes on. why: a sentence
 * without a subject ("its subnet ... is also used by ..."), "" for PLAN_FREE; cure: what to do. */
enum plan_verdict plan_judge(char why[PLAN_WHY_MAX], char cure[PLAN_WHY_MAX],
			     const struct snapshot *now, unsigned n, const struct want_net *w,
			     bool runs);

/* A foreign port whose bridge was deleted under it: to be put back onto the new one. */
struct plan_stray {
	char ifname[16];
	unsigned net;
};

/* A port as the engine knows it, beside what the snapshot says of its link. */
struct plan_port {
	int ifindex;
	unsigned net;
	bool gated;               /* its gate stands: it may be up */
	bool down;                /* its cable is out, or its holder misbehaved */
	bool blocked;             /* the latter */
	bool set;                 /* the gate is to be set: */
	struct msg_gate_set gate; /* to this */
};

struct plan {
	const struct want *want;
	const struct snapshot *now;
	/* Sysctls cannot be seen in a snapshot: the bridges (ifindex by network, 0: none) on which they
	 * were set already. */
	const int *sysctls_set;
	/* The gate's program was taken off its bridge, which no snapshot shows. NULL: off none. */
	const bool *unhooked;
	const struct plan_stray *stray;
	size_t nstrays;
	const struct plan_port *port; /* by ifindex */
	size_t nports;
	/* Priv is making this port just now: it is not judged by what it looks like half-way. One that is
	 * half made and not busy was left by a priv that died over it, and goes. */
	bool (*busy)(const char *ifname, void *arg);
	/* One step, a request for priv without its id. */
	void (*step)(const struct msg *m, unsigned net, void *arg);
	void *arg;
};

/* Emits the steps: first everything that goes, then networks, then ports. A port that is new comes up with
 * the plan after the one that set its gate: never before priv has said that the gate stands. */
void plan_make(const struct plan *p);

/* What a step is about, for people: "address 192.168.8.1". */
#define PLAN_STEP_MAX 64
char *plan_step_name(char buf[PLAN_STEP_MAX], const struct msg *step);

#endif
