/* SPDX-License-Identifier: GPL-2.0-or-later
 * logs.h - the files and the socket that services' lines are written to: descriptors from priv, each for all
 * services that share it.
 *
 * Files are asked for again with each configuration, so that one which was renamed meanwhile is let go; the old
 * descriptor serves until the new one is there.
 */
#ifndef VNET_REDIRD_LOGS_H
#define VNET_REDIRD_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "redird/logout.h"

struct logsink;

struct logs {
	struct logsink *head;
	/* Sends a request to priv; the id that it has got. */
	uint32_t (*ask)(void *arg, struct msg *m);
	void *arg;
};

/* What a service has. */
struct log_of {
	struct log_place place;
	struct log_limit limit;
	bool failed; /* the last line could not be written, which has been said */
};

void logs_fini(struct logs *l);

/* A new configuration: logs_want() for each service, also those that are gone and have connections, then logs_renew(),
 * which closes what nobody wants and asks for the rest. */
void logs_want(struct logs *l, const struct log_place *p);
void logs_renew(struct logs *l);

/* Descriptors that there are or will be. */
unsigned logs_count(const struct logs *l);

/* Something is asked for. */
bool logs_waits(const struct logs *l);

/* priv's answer. False: to nothing that was asked for here. The descriptor may be taken. */
bool logs_answer(struct logs *l, const struct msg *m, int *fds, size_t nfds);

/* False: the line could not be written, and belongs into our own log. */
bool logs_write(struct logs *l, struct log_of *to, const char *service, const char *text);

#endif
