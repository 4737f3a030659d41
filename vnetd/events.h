/* SPDX-License-Identifier: GPL-2.0-or-later
 * events.h - what happened: the last events, and clients that want to hear of every one.
 */
#ifndef VNET_VNETD_EVENTS_H
#define VNET_VNETD_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "lib/util.h"

struct core;
struct client;

#define EVENTS_KEPT 128

struct events {
	struct msg_event_row *ring; /* EVENTS_KEPT of them; NULL: no memory, nothing is kept */
	size_t next, n;
};

void events_init(struct events *e);
void events_fini(struct events *e);

/* what: a word for programs ("network-up"); net: MSG_NET_ALL for none in particular; port: its name or
 * ""; then the sentence. */
void events_add(struct core *c, const char *what, unsigned net, const char *port, const char *fmt,
		...) PRINTF_LIKE(5, 6);

/* EVENT_WATCH: what is kept at once, and everything from now on. It never gets a REPLY. */
void events_watch(struct core *c, struct client *cl, uint32_t request);

#endif
