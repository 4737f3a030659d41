/* SPDX-License-Identifier: GPL-2.0-or-later
 * captures.h - captures in the engine: who may, which run, and that they end when they may not go on.
 *
 * Capturing shows what promiscuous mode shows, so the same decides: the marker files, the network's key, and the words
 * of an administrator, who says "capture:USER" where a port would stand. Words are kept in memory: they end with the
 * engine, but for the one that is written to vnetd.conf. root may always.
 */
#ifndef VNET_VNETD_CAPTURES_H
#define VNET_VNETD_CAPTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mono.h"
#include "lib/msg.h"
#include "vnetd/control.h"
#include "vnetd/names.h"
#include "vnetd/promisc.h"

#define CAPTURES_USER     "capture:" /* before a user's name where promisc verbs name a port */
#define CAPTURES_PER_USER 16

struct core;
struct port;
struct job;

/* A user other than root who captures, wants to, or about whom there is a word. */
struct capture_user {
	struct capture_user *next;
	uint32_t uid;
	unsigned net; /* for which was asked last; MSG_NET_ALL: for none so far */
	struct promisc promisc;
};

struct capture {
	struct capture *next;
	uint32_t number;
	uint32_t client, request; /* who waits for the start */
	uint32_t uid;
	unsigned net;
	int bridge; /* its ifindex */
	int port;   /* of a port; 0: the whole network */
	bool once;  /* by a word for one capture: it goes on when that is used up */
	bool ending;
	size_t ngids;
	uint32_t gid[]; /* of the client, which may be gone */
};

struct captures {
	struct capture *head;
	struct capture_user *users;
	uint32_t last_number;
};

void captures_fini(struct captures *cs);

/* At the start: captures of an earlier engine end. */
void captures_start(struct core *c);

/* Requests of clients; each answers. */
void captures_request(struct core *c, const struct client *cl, const struct msg *m, const int *fds);
void captures_decide_request(struct core *c, const struct client *cl, const struct msg *m);

/* The name is one of captures_users, not a port's. */
bool captures_is_user(const char *name);

/* The word is one that is written to vnetd.conf, or takes one back that is. */
bool captures_is_written(const struct core *c, const struct msg_promisc_decide *m);

/* Writes it. False after job_fail() or with a diagnostic. */
bool captures_edit(struct core *c, struct job *j);

/* What was written counts: the spoken word goes. Sends the row. */
void captures_written(struct core *c, const struct job *j);

/* priv says: one has ended. */
void captures_gone(struct core *c, const struct msg_capture_gone *m);

/* Ends those that may not go on: nobody allows them any more, or what they capture is gone. */
void captures_review(struct core *c);

/* Somebody captures at this port. */
bool captures_at(const struct core *c, const struct port *p);

/* The next time at which a word ends; MONO_NEVER. True: one has. */
struct mono captures_deadline(const struct core *c);
bool captures_expire(struct core *c);

/* Rows of PROMISC_LIST, at most `max` of them into `out`; the number that there are. */
size_t captures_rows(const struct core *c, unsigned net, struct msg_promisc_row *out, size_t max);

#endif
