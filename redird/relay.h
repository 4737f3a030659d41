/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.h - one connection, from the attempt to reach its target to its end.
 */
#ifndef VNET_REDIRD_RELAY_H
#define VNET_REDIRD_RELAY_H

#include "redird/inner.h"

/* A client that was let in: `fd` is the connection's from here on, whatever happens. */
void relay_begin(struct redird *r, struct svc *s, int fd, const struct redird_endpoint *from);
/* epoll's events for one of its sides. */
void relay_event(struct redird *r, struct conn *c, unsigned side, uint32_t events);
/* It stopped to let others have their turn. */
void relay_more(struct redird *r, struct conn *c);
/* The end of a round's events: sends what they left to be sent together. */
void relay_flush(struct redird *r);
/* Ends the handshakes with targets whose clients have had a round's time to say something; or all. */
void relay_acknowledge(struct redird *r, bool all);
/* Its timer has come. */
void relay_timer(struct redird *r, struct conn *c);
/* Ends it; a reset for both sides unless it ended in order or was idle. */
void relay_end(struct redird *r, struct conn *c, enum redird_end why);
/* When it will be due. */
struct mono relay_deadline(const struct conn *c);

#endif
