/* SPDX-License-Identifier: GPL-2.0-or-later
 * control.h - clients of the socket: who they are, their requests, their answers.
 *
 * A client is named by a serial number everywhere else: it may go away while its request is with priv.
 */
#ifndef VNET_VNETD_CONTROL_H
#define VNET_VNETD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"

struct core;
struct rights;

struct client {
	struct client *next;
	uint32_t serial;
	void *peer;     /* io's name for it */
	bool watching;  /* gets every event */
	uint32_t watch; /* the request that asked for them */
	uint32_t uid;
	size_t ngids;
	uint32_t gid[];
};

struct clients {
	struct client *head;
	uint32_t last_serial;
};

void clients_fini(struct clients *cs);

/* NULL: it is gone. */
struct client *client_find(const struct core *c, uint32_t serial);

/* What the configuration in force allows it. */
void client_rights(const struct core *c, const struct client *cl, struct rights *r);

/* Sends a row; serial 0 and clients that are gone are ignored. */
void client_send(struct core *c, uint32_t serial, const struct msg *m, const int *fds, size_t nfds);

/* Ends an answer. */
void client_reply(struct core *c, const struct client *cl, uint32_t request, int err,
		  const char *text);

#endif
