/* SPDX-License-Identifier: GPL-2.0-or-later
 * served.h - the services that run: the engine's configuration compared with them, and a listening socket from
 * priv for each that is new or listens elsewhere now.
 *
 * A service is known by its name. A new configuration of one leaves its connections alone, and its socket
 * too, unless priv has made another for it. Connections to an address that is about to be taken off its interface
 * are reset before settled() is called: afterwards nobody could tell their clients.
 */
#ifndef VNET_REDIRD_SERVED_H
#define VNET_REDIRD_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redird/confrows.h"
#include "redird/redird.h"

struct served;

struct served_env {
	struct redird *redird;
	/* Sends a request to priv, whose id is filled in. */
	void (*ask)(void *arg, struct msg *m);
	/* What the latest configuration said is in force, or is known not to be. */
	void (*settled)(void *arg, uint32_t generation, int err);
	void *arg;
};

struct served *served_new(const struct served_env *env); /* NULL: no memory */
void served_free(struct served *s);

/* Takes the rows over. settled() follows, perhaps at once. */
void served_apply(struct served *s, struct confrows *rows);

/* priv's answer. False: it answers nothing that was asked here. The descriptor may be taken. */
bool served_answer(struct served *s, const struct msg *m, int *fds, size_t nfds);

/* Writes a line of the service with that number of redird's where its configuration says. False: it belongs into our
 * own log. */
bool served_log(struct served *s, uint32_t id, const char *text);

/* Services of the latest configuration. */
size_t served_count(const struct served *s);

/* Name of the service with that number of redird's, also of one that is removed and still has connections; "": it
 * is forgotten. */
const char *served_name(const struct served *s, uint32_t id);

/* Calls cb for each service that redird has: those of the latest configuration, and with `removed` those that
 * only have connections still. name: only those of this name; "": all. */
void served_each(const struct served *s, const char *name,
		 void (*cb)(const char *name, uint32_t id, bool removed, void *arg), void *arg);

#endif
