/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect.h - TCP redirections as the engine knows them: which run by which reading of redirect.d, with
 * which of priv's listening sockets, leading where.
 *
 *     redirect.c        adoption of a new reading; sockets; the life of vnet-redird
 *     redirect_alias.c  own addresses that are added to an interface
 *     redirect_log.c    files that their lines are written to
 *     redirect_push.c   rows for vnet-redird
 *     redirect_circle.c targets that lead back
 *     redirect_names.c  names of targets, own addresses and clients
 *     redirect_rows.c   answers to clients
 *
 * A service that is wrong in a new reading goes on by the old one. Sockets are priv's: an engine that starts
 * names those that it wants, and what is left over ends.
 */
#ifndef VNET_VNETD_REDIRECT_H
#define VNET_VNETD_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/redirect_texts.h"
#include "lib/mono.h"
#include "lib/msg.h"
#include "vnetd/redirect_names.h"

struct core;
struct job;

struct redirection {
	struct redirection *next;
	uint32_t serial; /* of this engine; never used again */
	const struct redirect_service *conf;
	struct redirect_texts *texts; /* that conf belongs to */
	bool kept;                    /* a newer reading of it is wrong */
	struct msg_sock_listen at; /* where it is to listen; port 0: its own name has no address */
	uint32_t listener;         /* priv's number; 0: it does not listen */
	char *trouble;             /* why not; NULL: not known so far, or it does */
	char *alias_trouble;       /* why its own address could not be added; NULL: it was */
	char alias_on[16];         /* the interface that has it, or is asked to */
	unsigned announce;         /* so often its neighbours are still to be told; and when */
	struct mono announce_at;
	uint8_t back; /* bits of its targets that lead back to it, and */
	char *circle; /* why; NULL: none does */
	bool told;    /* that it listens */
	uint32_t log; /* priv's number of the file of its lines; 0: none */
	char *
	    log_trouble; /* why they cannot be written there; NULL: they can, or no file is wanted */
};

struct redirects {
	struct redirection *head;
	uint32_t last_serial;
	bool adopted;        /* at least one reading */
	bool synced;         /* the sockets are those of the readings, or are known not to be */
	bool held;           /* the first sync waits for names of own addresses, */
	struct mono hold_by; /* until then; MONO_NEVER: none was due */
	bool syncing;        /* requests are with priv */
	bool again;          /* something changed meanwhile */
	bool
	    pushed; /* sockets are known and told; vnet-redird is to answer before addresses are taken away */
	bool sweeping;        /* that request is with priv */
	struct mono sweep_by; /* it is sent without an answer */
	unsigned pending;
	bool said, on;        /* what priv was told about vnet-redird */
	struct mono retry_at; /* of sockets; MONO_NEVER: nothing to retry */
	struct redirect_names names;
};

void redirects_init(struct redirects *r);
void redirects_fini(struct redirects *r);

/* Takes up the job's reading. What is wrong has been said, but for clashes with what is kept, which are added
 * to its diagnostics. */
void redirect_adopt(struct core *c, struct job *j);

/* Brings priv's sockets into line, then vnet-redird. */
void redirect_sync(struct core *c);

/* Names stand for other addresses now, which may be own ones. */
void redirect_renamed(struct core *c);

/* redirect_alias.c: asks for the addresses that are to be added, as a part of a sync. */
void redirect_alias_sync(struct core *c);
/* Its own address is one of them. */
bool redirect_has_alias(const struct redirection *r);
/* The end of a sync: what was not asked for is taken away, as soon as vnet-redird has reset the connections there. */
void redirect_alias_sweep(struct core *c);

/* The neighbours of new ones are told, twice. */
struct mono redirect_alias_deadline(const struct core *c);
void redirect_alias_timer(struct core *c);

/* redirect_log.c: the same for the files of their lines. */
void redirect_log_sync(struct core *c);

/* redirect_circle.c: finds the targets that lead back, which nobody is led to. */
void redirect_circles(struct core *c);
/* Those that do not, as of then: their number. out has REDIRECT_NAME_ADDRS. */
size_t redirect_ways(const struct core *c, const struct redirection *r, struct redirect_ip *out);
/* Another address of the host may close a circle. */
bool redirect_may_circle(const struct core *c);

/* The host's addresses or interfaces have changed: what was added may be gone, or can be added now. */
void redirect_addrs_changed(struct core *c);

/* For the parts of a sync: the one with that number, NULL: it is gone; a request of it is answered. */
struct redirection *redirect_by_serial(const struct core *c, uint32_t serial);
void redirect_one_less(struct core *c);

/* The channel to vnet-redird is there; it is not any more; or it has taken what was pushed last. */
void redirect_worker_up(struct core *c);
void redirect_worker_settled(struct core *c);

/* REDIRECT_EVENT of vnet-redird. */
void redirect_event(struct core *c, const struct msg_redirect_event *m);

/* NULL: there is none. */
const struct redirection *redirect_of(const struct core *c, const char *id);

enum redirect_state redirect_state(const struct core *c, const struct redirection *r,
				   const char **why);

struct mono redirect_deadline(const struct core *c);
void redirect_timer(struct core *c);

/* redirect_push.c: everything that listens, as a new generation. */
void redirect_push(struct core *c);

#endif
