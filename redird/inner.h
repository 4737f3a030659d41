/* SPDX-License-Identifier: GPL-2.0-or-later
 * inner.h - what redird.c, listen.c and relay.c share; nobody else sees it.
 *
 * A service lives as long as it is configured or has a connection. Whatever ends within a round of events is freed
 * after it, because a later event of the round may still point there.
 */
#ifndef VNET_REDIRD_INNER_H
#define VNET_REDIRD_INNER_H

#include "redird/pipes.h"
#include "redird/redird.h"
#include "redird/wheel.h"

#define FDS_PER_CONN 2

struct svc {
	struct svc *next;
	struct redird_service conf; /* its texts and arrays are in `text` and follow it */
	void *text;
	struct access_state state;
	struct redird_counters n;
	int listener; /* -1: none any more */
	bool watched; /* the listener is in the epoll set */
	bool paused;  /* nobody is accepted for now */
	bool removed;
};

/* One end of a connection. Edges are level for us: what an event said stays true until a call said EAGAIN. */
struct side {
	int fd;
	bool in, out; /* reading, writing may do something */
	bool fin;     /* the peer has sent its FIN: after a short read there is nothing behind */
	bool urgent;  /* reads end at a mark, so a short one says nothing */
	bool broken;  /* EPOLLERR was seen */
	bool at_once; /* TCP_NODELAY is set */
};

/* From one side to the other. */
struct dir {
	uint64_t bytes; /* delivered */
	struct pipe *pipe;
	uint32_t in_pipe;
	bool bulk; /* reads fill the buffer: splice */
	bool eof;  /* the source has ended */
	bool done; /* and that was passed on */
	bool held; /* bytes of it wait for relay_flush() */
};

enum { CLIENT, TARGET }; /* sides; and directions, by their source */

struct conn {
	struct side side[2];
	struct dir dir[2];
	struct svc *svc;
	struct conn *next, **link; /* all connections, oldest first */
	struct conn *more;         /* on the list of those with more to move, or of the dead */
	struct wheel_entry timer;
	struct mono since, last; /* began; something happened: a byte, an attempt to connect */
	uint64_t id;
	struct redird_endpoint from, to;
	uint8_t target; /* being tried, or used */
	bool connecting, waits, dead;
	bool fresh; /* in redird's list of the fresh */
};

/* Bytes that were read and are sent when this round of events has read everything. */
struct held {
	struct conn *c;
	unsigned from;
	uint32_t at, n; /* in the buffer of relay.c */
};

#define HELD_MAX  64
#define FRESH_MAX 64

struct redird {
	struct redird_handler handler;
	struct svc *svcs;
	struct conn *conns, **last;
	struct conn *waiting, *dead;
	struct sensors sensors;
	struct pipes pipes;
	struct wheel wheel;
	struct mono now, armed,
	    soonest; /* what the timerfd is set to; the first look at the wheel */
	uint64_t next_id, key[2];
	unsigned n_conns, n_listeners, n_others, limit;
	unsigned minute, load_milli; /* as of `looked` */
	struct mono looked,
	    retry; /* retry: when accepting is tried again after the system was short of something */
	int epoll, timer, again;
	struct held held[HELD_MAX];
	unsigned n_held;
	bool holds; /* this round has more than one event */
	/* Whose handshake with the target has been left without our last ACK; the first n_old of them in an
	 * earlier round. */
	struct conn *fresh[FRESH_MAX];
	unsigned n_fresh, n_old;
	bool full, told;       /* accepting pauses; and that was said */
	bool ticked;           /* the timer has run out */
	bool patient;          /* nobody waits for an answer to what this round did */
	bool again_set, sweep; /* sweep: a removed service may be free of connections */
	struct {
		int fd;
		void (*cb)(int fd, void *arg);
		void *arg;
	} watch;
};

/* What an epoll event is about: a pointer with a mark in its low bits. */
enum tag { TAG_CLIENT, TAG_TARGET, TAG_LISTENER, TAG_OTHER, TAG_MASK = 3 };

static inline uint64_t
tagged(const void *p, enum tag t)
{
	return (uint64_t)(uintptr_t)p | t;
}

void redird_say(struct redird *r, enum redird_event what, const struct svc *s, const char *text);

/* Descriptors that further connections may use. */
unsigned redird_conns_max(const struct redird *r);
/* A connection or a listener has gone. */
void redird_room_again(struct redird *r);
/* Looked at no later than `when`. */
void redird_timer(struct redird *r, struct conn *c, struct mono when);

#endif
