/* SPDX-License-Identifier: GPL-2.0-or-later
 * grant.h - promiscuous mode in the engine: requests, the administrator's words, the marker files; the
 * decision itself is promisc.h's.
 */
#ifndef VNET_VNETD_GRANT_H
#define VNET_VNETD_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"
#include "lib/msg.h"
#include "vnetd/control.h"
#include "vnetd/names.h"
#include "vnetd/promisc.h"

struct core;
struct port;

/* Index NAMES_NETS: the marker for all networks. */
#define GRANT_MARKERS (NAMES_NETS + 1)

struct grants {
	bool counts[GRANT_MARKERS];
	char *refused
	    [GRANT_MARKERS];      /* why the file does not count; NULL: it does, or is not there */
	bool seen[GRANT_MARKERS]; /* in the list that is being received */
	bool listing;             /* MARKER_LIST is with priv */
	bool again;               /* something happened meanwhile */
};

void grants_init(struct grants *g);
void grants_fini(struct grants *g);

/* At the start: asks for the markers, and to hear of changes. */
void grant_start(struct core *c);

/* Folders of networks came or went: watches and reads anew. */
void grant_watch(struct core *c);

/* The answer for a port now, and the name of the marker that grants it ("": none does). */
struct promisc_answer grant_judge(const struct core *c, const struct port *p, const char **marker);

/* Name of the marker file that counts for a network; "": none does. */
const char *grant_marker(const struct core *c, unsigned net);

/* Tells every change of a port's state, once. */
void grant_announce(struct core *c);

/* Somebody asks for a port, or no longer. */
void grant_ask(struct core *c, struct port *p, enum promisc_by by, bool on);

/* Takes back the words whose time is over; true: there were some. */
bool grant_expire(struct core *c);

/* The next time at which it has something to do; MONO_NEVER. */
struct mono grant_deadline(const struct core *c);

/* Requests of clients; each answers. */
void grant_ask_request(struct core *c, const struct client *cl, const struct msg *m);
void grant_decide_request(struct core *c, const struct client *cl, const struct msg *m);
void grant_filter_request(struct core *c, const struct client *cl, const struct msg *m);

/* The word (PROMISC_DECIDE) is one that is written to vnetd.conf, or takes one back that is. */
bool grant_is_written(const struct core *c, const struct msg *m);

/* The row of one port, but for its guest's name, which is in the leases; and sends it. */
void grant_fill(const struct core *c, const struct port *p, struct msg_promisc_row *r);
void grant_row(struct core *c, uint32_t client, uint32_t request, const struct port *p);

#endif
