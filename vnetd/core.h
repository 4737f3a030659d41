/* SPDX-License-Identifier: GPL-2.0-or-later
 * core.h - the engine's context, and how it meets the world.
 *
 * The core is all of the engine but sockets, clock and the loop: messages, kernel events and the time
 * come in by the calls below, everything it does goes out by the calls of struct core_io. engine.c
 * connects it to the real world, tests/sim/engine to a world in memory.
 *
 *     load.c     reads the files           job.c      start, reload, create, delete, set
 *     forward.c  one forward, without reading all
 *     net.c      one network's life        settle.c   snapshot -> plan -> steps, until nothing is left
 *     port.c     the guests' ports         attach.c   a new port, and its end
 *     keeper.c   the gates of ports        grant.c    promiscuous mode
 *     redirect.c TCP redirections              guest_names.c  what the DNS proxy calls guests
 *     redirect.c TCP redirections             captures.c captures of frames
 *     push.c     configuration of workers  worker.c   what they report and answer
 *     control.c  clients and requests      rows.c     answers     warn.c  warnings     events.c  events
 *
 * One thread, no waiting: a request to priv (ask.c) names the function that goes on with its reply.
 */
#ifndef VNET_VNETD_CORE_H
#define VNET_VNETD_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/log.h"
#include "lib/mono.h"
#include "lib/msg.h"
#include "lib/rtnl.h"
#include "vnetd/ask.h"
#include "vnetd/captures.h"
#include "vnetd/control.h"
#include "vnetd/events.h"
#include "vnetd/fasten.h"
#include "vnetd/forward.h"
#include "vnetd/grant.h"
#include "vnetd/guest_names.h"
#include "vnetd/job.h"
#include "vnetd/keeper.h"
#include "vnetd/net.h"
#include "vnetd/port.h"
#include "vnetd/redirect.h"
#include "vnetd/settle.h"
#include "vnetd/snapshot.h"
#include "vnetd/users.h"
#include "vnetd/worker.h"

struct gate_event;

/* Descriptors of priv that become readable when something has happened. */
enum watch { WATCH_GATE, WATCH_MARKER };

/* What the core does to the world. `arg` is core.io_arg. Messages and descriptors are borrowed. */
struct core_io {
	void (*to_priv)(void *arg, const struct msg *m, const int *fds, size_t nfds);
	void (*to_worker)(void *arg, enum role role, const struct msg *m);
	/* One of many rows, which a message of to_worker() ends. */
	void (*row_to_worker)(void *arg, enum role role, const struct msg *m);
	/* peer: what core_client_new() was told. */
	void (*to_client)(void *arg, void *peer, const struct msg *m, const int *fds, size_t nfds);
	/* From now on clients may connect: the first plan is applied. */
	void (*serve)(void *arg);
	/* Everything that exists now. Events that wait are reported first, so that a look is never older
	 * than they are. 0 or -errno. */
	int (*snapshot)(void *arg, struct snapshot *out);
	/* Forwarding tables of all bridges. 0 or -errno. */
	int (*fdb)(void *arg, void (*cb)(const struct rtnl_fdb *f, void *arg), void *cb_arg);
	/* Owner of the user namespace that a network namespace belongs to. 0, -EINVAL when the descriptor
	 * is none, or -errno. */
	int (*netns_owner)(void *arg, int fd, uint32_t *uid);
	/* core_timer() is to be called at this time (MONO_NEVER: not at all). */
	void (*wake_at)(void *arg, struct mono when);
	void (*log_level)(void *arg, enum log_level level);
	/* Takes the descriptor (fd_take) and calls core_gate_event() or core_marker_event() from now on; an
	 * earlier one of the kind is closed. */
	void (*watch)(void *arg, enum watch what, int *fd);
	uint64_t (*utc_ms)(void *arg);
	uint64_t (*random)(void *arg);
};

struct core {
	const struct core_io *io;
	void *io_arg;
	struct mono now; /* of the call that is being handled */

	const char *config_dir; /* for messages; NULL: the usual one */
	enum log_level level;   /* from the command line; debug wins over the configuration */
	uint32_t vnet_gid;      /* group vnet */
	struct mono started;    /* the suite, not this engine */
	bool restarted;         /* an earlier engine died */
	bool serving;           /* clients are let in */
	char ready[64];         /* what priv was told runs; "": nothing so far */
	struct mono ready_by;   /* told then, whatever the workers do */
	bool forward_asked;     /* IP_FORWARD is under way, or done */
	bool forward_known;     /* it is done: was_router is true or false */
	bool was_router;        /* ip_forward was 1 before we came */
	char *forward_error;    /* why it could not be set; NULL: it could */

	struct users users;
	struct generation *gen; /* the newest configuration that was accepted; NULL: none so far */
	uint32_t generation;    /* counts them */
	char *conf_error;       /* why what is on disk was not; NULL: it was */
	struct net net[NAMES_NETS];
	struct ports ports;
	struct keeper keeper;
	struct forward_texts forward_texts;
	struct guest_names guest_names;
	struct fasten fasten;
	struct grants grants;
	struct captures captures;
	struct redirects redirects;
	struct worker worker[ROLE_N];

	struct asks asks;
	struct settle settle;
	struct jobs jobs;
	struct clients clients;
	struct events events;
};

/* A new core; nothing happens before core_start(). NULL: no memory. */
struct core *core_new(const struct core_io *io, void *io_arg, enum log_level level);
void core_free(struct core *c);

/* ENGINE_INIT has come: reads the configuration and goes to work. */
void core_start(struct core *c, struct mono now, const struct msg_engine_init *m);

/* Any other message of priv. Descriptors may be taken (fd_take). False: priv may not say this. */
bool core_priv_msg(struct core *c, struct mono now, const struct msg *m, int *fds, size_t nfds);

/* The channel to a worker is there / is gone / says something. False: it may not say this. */
void core_worker_up(struct core *c, struct mono now, enum role role);
void core_worker_lost(struct core *c, struct mono now, enum role role);
bool core_worker_msg(struct core *c, struct mono now, enum role role, const struct msg *m);

/* A client of the socket. The result is its number for the other two calls; 0: no memory. False: it
 * broke the protocol, close it. */
uint32_t core_client_new(struct core *c, struct mono now, void *peer, uint32_t uid,
			 const uint32_t *gid, size_t ngids);
bool core_client_msg(struct core *c, struct mono now, uint32_t client, const struct msg *m,
		     int *fds, size_t nfds);
void core_client_gone(struct core *c, struct mono now, uint32_t client);

/* Kernel events. */
void core_link_event(struct core *c, struct mono now, const struct rtnl_link *l, bool gone);
void core_addr_event(struct core *c, struct mono now, const struct rtnl_addr *a);
void core_route_event(struct core *c, struct mono now, const struct rtnl_route *r);
/* A bridge has forgotten an address. */
void core_fdb_gone(struct core *c, struct mono now, const struct rtnl_fdb *f);
/* The kernel has forgotten a neighbour. */
void core_neigh_gone(struct core *c, struct mono now, const struct rtnl_neigh *n);
/* A filter was taken off a link. */
void core_filter_gone(struct core *c, struct mono now, int ifindex);
void core_overrun(struct core *c, struct mono now);

/* The gate's programs report. */
void core_gate_event(struct core *c, struct mono now, const struct gate_event *e);

/* A marker file may have come, gone or changed; anew: what there is to be watched has changed, too. */
void core_marker_event(struct core *c, struct mono now, bool anew);

void core_timer(struct core *c, struct mono now);

/* For the modules: tells io when the next deadline is; whoever changes one calls it. */
void core_wake(struct core *c);

/* For the modules: the first plan is applied; a worker answered. Opens for clients, tells priv. */
void core_progress(struct core *c);

#endif
