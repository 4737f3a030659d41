/* SPDX-License-Identifier: GPL-2.0-or-later
 * events.c - a ring of events, and its watchers.
 */
#include "vnetd/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/core.h"

void
events_init(struct events *e)
{
	e->ring = calloc(EVENTS_KEPT, sizeof(*e->ring));
	e->next = e->n = 0;
}

void
events_fini(struct events *e)
{
	free(e->ring);
	e->ring = NULL;
}

static void
send_to(struct core *c, const struct client *cl, const struct msg_event_row *row)
{
	struct msg m = msg_make(MSG_EVENT_ROW, cl->watch);

	m.u.event_row = *row;
	c->io->to_client(c->io_arg, cl->peer, &m, NULL, 0);
}

void
events_add(struct core *c, const char *what, unsigned net, const char *port, const char *fmt, ...)
{
	struct events *e = &c->events;
	struct msg_event_row row;
	char text[256];
	va_list ap;

	memset(&row, 0, sizeof(row));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	row.when_ms = c->io->utc_ms(c->io_arg);
	MSG_SET_STR(row.what, what);
	row.net = (uint16_t)net;
	MSG_SET_STR(row.port, port);
	MSG_SET_STR(row.text, text);
	if (e->ring) {
		e->ring[e->next] = row;
		e->next = (e->next + 1) % EVENTS_KEPT;
		e->n += e->n < EVENTS_KEPT;
	}
	for (const struct client *cl = c->clients.head; cl; cl = cl->next)
		if (cl->watching)
			send_to(c, cl, &row);
}

void
events_watch(struct core *c, struct client *cl, uint32_t request)
{
	const struct events *e = &c->events;
	bool again = cl->watching;

	cl->watching = true;
	cl->watch = request;
	if (again)
		return; /* it has had these */
	for (size_t i = 0; i < e->n; i++)
		send_to(c, cl, &e->ring[(e->next + EVENTS_KEPT - e->n + i) % EVENTS_KEPT]);
}
