/* SPDX-License-Identifier: GPL-2.0-or-later
 * child.h - the children of priv: start, connect, restart, end.
 *
 * A child that dies is started again (backoff.h), the others do not notice. Workers and engine talk over
 * channels that priv makes and keeps no end of.
 */
#ifndef VNET_VNETD_CHILD_H
#define VNET_VNETD_CHILD_H

#include "lib/chan.h"
#include "lib/loop.h"
#include "vnetd/priv.h"

struct children;

struct child_handler {
	/* A message from a child; as chan_handler.msg. */
	void (*msg)(enum role role, struct chan *c, const struct msg *m, int *fds, size_t nfds,
		    void *arg);
	/* A process that is none of the children has ended. */
	void (*other)(pid_t pid, int status, void *arg);
	/* The last child has ended after children_stop(). */
	void (*stopped)(void *arg);
};

/* Starts engine and workers. NULL: no memory. A child that cannot be started is tried again. */
struct children *children_new(struct loop *l, const struct start *s, const struct child_handler *h,
			      void *arg);
void children_free(struct children *all);

/* "exit status 1", "killed by signal 9 (Killed)". */
void child_describe(char *buf, size_t cap, int status);

/* SIGCHLD has come. */
void children_reap(struct children *all);

/* Ends every child: its channel closes, then SIGTERM, then SIGKILL. stopped() follows from the loop. */
void children_stop(struct children *all);

/* The child broke the protocol: ends it at once; it is started again. */
void children_breach(struct children *all, enum role role, const char *what);

/* Whether the child is to run. One that is not wanted any more is left to end by itself. */
void children_want(struct children *all, enum role role, bool on);

/* Sends an event to a child; one that is not running misses it. */
void children_tell(struct children *all, enum role role, const struct msg *m);

#endif
