/* SPDX-License-Identifier: GPL-2.0-or-later
 * redird.h - TCP redirection: services are given as plain structs with a listening socket each, the rest happens inside.
 *
 * One `struct redird` is one epoll set of its own. A program runs it either by redird_run(r, -1) in a loop of its
 * own, with redird_watch() for its other descriptors, or by watching redird_fd() in any other loop and calling
 * redird_run(r, 0) when it is readable. Nothing here blocks, resolves names or opens files; after redird_new() the
 * system calls are those of sockets, pipes, epoll, timerfd and eventfd, so it runs in an empty root below a filter.
 *
 * A connection that was let in belongs to nobody but itself: changing or removing its service leaves it alone.
 */
#ifndef VNET_REDIRD_REDIRD_H
#define VNET_REDIRD_REDIRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mono.h"
#include "redird/access.h"
#include "redird/logline.h"

#define REDIRD_TARGETS_MAX        8
#define REDIRD_CONNECT_DEFAULT_MS 10000
#define REDIRD_BANNER_MAX         8192 /* what a fresh socket takes without waiting */

struct redird_endpoint {
	struct ip6 addr;
	uint16_t port;
	uint32_t scope; /* interface index of a link-local IPv6 address */
};

struct redird_text {
	const char *s;
	size_t len;
};

struct redird_service {
	uint32_t id;      /* the caller's number for it, not 0 */
	const char *name; /* xinetd's id, as in the log */
	/* Tried in this order, each for timeout_connect_ms. None: everybody is refused after the banner. */
	struct redird_endpoint targets[REDIRD_TARGETS_MAX];
	size_t n_targets;
	struct access_conf access;
	unsigned on_success, on_failure;                        /* LOG_SUCCESS_*, LOG_FAILURE_* */
	struct redird_text banner, banner_success, banner_fail; /* each at most REDIRD_BANNER_MAX */
	bool keepalive;              /* flags = KEEPALIVE: SO_KEEPALIVE on both sides */
	uint32_t timeout_connect_ms; /* 0: REDIRD_CONNECT_DEFAULT_MS */
	uint32_t timeout_idle_ms;    /* neither direction moved a byte for so long; 0: for ever */
};

/* What happens inside, for a log and for events. */
enum redird_event {
	REDIRD_LINE,    /* a line of xinetd's that the service's options ask for */
	REDIRD_CPS_OFF, /* a service refuses everybody for a while; REDIRD_CPS_ON: no more */
	REDIRD_CPS_ON,
	REDIRD_SENSOR,    /* a source is denied everything from now on */
	REDIRD_NO_TARGET, /* no target could be reached for a connection */
	REDIRD_FULL,      /* out of descriptors: accepting pauses; REDIRD_ROOM: it goes on */
	REDIRD_ROOM,
};

struct redird_handler {
	/* `text` is a sentence without newline; `service` is 0 for REDIRD_FULL and REDIRD_ROOM. May not call back. */
	void (*event)(void *arg, enum redird_event what, uint32_t service, const char *text);
	void *arg;
};

/* Why a connection ended. */
enum redird_end {
	REDIRD_END_ORDER,     /* both sides had said all */
	REDIRD_END_CLIENT,    /* reset, or lost, by the client; passed on as a reset */
	REDIRD_END_TARGET,    /* the same by the target */
	REDIRD_END_NO_TARGET, /* no target answered */
	REDIRD_END_IDLE,
	REDIRD_END_KILLED,
	REDIRD_END_FAULT, /* we ran out of memory or descriptors for it */
	REDIRD_END_N
};

/* In lower case, for tables: "closed", "reset by client", ... */
const char *redird_end_word(enum redird_end why);

struct redird_counters {
	uint64_t accepted;           /* let in */
	uint64_t refused[VERDICT_N]; /* by reason; [VERDICT_OK] stays 0 */
	uint64_t ended[REDIRD_END_N];
	uint64_t bytes_in,
	    bytes_out; /* client to target, target to client: what the other side's socket took */
	uint32_t live, connecting; /* of them: still on the way to the target */
};

struct redird_conn {
	uint64_t id; /* never used again */
	uint32_t service;
	struct redird_endpoint client,
	    target; /* target: the one that answered, or is being tried */
	bool connecting;
	uint64_t bytes_in, bytes_out;
	int64_t age_ms, idle_ms;
};

/* How many descriptors there are, and what they are for. */
struct redird_room {
	unsigned limit;     /* RLIMIT_NOFILE, raised to what is allowed */
	unsigned reserved;  /* of them for the process's own and for pipes */
	unsigned conns_max; /* connections that fit into the rest now (fewer with each listener) */
	unsigned conns;     /* as many there are */
	bool full;          /* accepting pauses */
};

struct redird;

/* Raises the soft limit of descriptors to the hard one and divides them; ignores SIGPIPE; opens the epoll set. Before any filter that
 * forbids setrlimit. If a service has access_times, call tzset() before the root goes. 0 or -errno. */
int redird_new(struct redird **out, const struct redird_handler *h);
/* Cuts every connection and closes every listener. NULL is allowed. */
void redird_free(struct redird *r);

/* Everything of `s` is copied. `listener` is a listening TCP socket, which becomes ours even on failure. 0, -EEXIST
 * (that id is there), -EINVAL (a banner too long, too many targets), -ENOMEM, -errno. */
int redird_add(struct redird *r, const struct redird_service *s, int listener);
/* The service with that id has other settings from the next connection on, and other time-outs at once. With
 * listener -1 it keeps its socket, queue and all. After an error nothing has changed. 0, -ENOENT, as above. */
int redird_change(struct redird *r, const struct redird_service *s, int listener);
/* On: nobody is accepted; who connects waits in the queue. Everything else goes on. 0 or -ENOENT. */
int redird_pause(struct redird *r, uint32_t id, bool on);
/* Closes its listener; its connections go on, and are still listed, until they end. 0 or -ENOENT. */
int redird_remove(struct redird *r, uint32_t id);
/* Closes every listener, for a process that another one takes over from; done when redird_room() counts none. */
void redird_drain(struct redird *r);

/* 0 or -ENOENT, also for a removed service whose last connection has ended. */
int redird_counters(const struct redird *r, uint32_t id, struct redird_counters *out);
void redird_room(const struct redird *r, struct redird_room *out);
/* The caller has so many descriptors beyond what is reserved: so many less are there for connections. */
void redird_others(struct redird *r, unsigned n);
/* Calls cb for each live connection, of all services (0) or of one, oldest first. cb may not call back. */
void redird_list(struct redird *r, uint32_t service, void (*cb)(const struct redird_conn *, void *),
		 void *arg);
/* Resets both sides. 0 or -ENOENT. */
int redird_kill(struct redird *r, uint64_t conn);
/* All connections of a service; their number. */
unsigned redird_kill_all(struct redird *r, uint32_t service);

/* Readable when there is something to do. */
int redird_fd(const struct redird *r);
/* Waits at most wait_ms (-1: for ever) and does what there is to do. */
void redird_run(struct redird *r, int wait_ms);
/* Calls cb(fd, arg) from redird_run() whenever fd is readable; the fd stays the caller's. NULL forgets it. One only.
 * 0 or -errno. */
int redird_watch(struct redird *r, int fd, void (*cb)(int fd, void *arg), void *arg);

#endif
