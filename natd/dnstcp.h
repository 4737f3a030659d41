/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnstcp.h - the DNS proxy over TCP (RFC 7766): guests' connections, and one to a server for each query that has to be
 * forwarded.
 *
 * A guest asks for as long as it likes, one query after the other. Transfers of zones are refused: their answers are
 * many messages, and who wants one can ask its server itself.
 */
#ifndef VNET_NATD_DNSTCP_H
#define VNET_NATD_DNSTCP_H

#include "lib/loop.h"
#include "natd/dns.h"

#define DNSTCP_CONNS_MAX                                                                           \
	128 /* of all guests; one more closes one of the network that has the most */
#define DNSTCP_PER_CLIENT_MAX 16    /* of one address; more are closed at once */
#define DNSTCP_IDLE_MS        10000 /* without a whole query, or without taking our answer */

struct dnstcp;

/* d: who decides; must outlive it. due(arg): dns_next_deadline() may be earlier now. NULL: no memory. */
struct dnstcp *dnstcp_new(struct loop *loop, struct dns *d, void (*due)(void *arg), void *arg);
void dnstcp_free(struct dnstcp *t);

/* Takes guests' connections of a network from this listening socket, which is taken over (also on failure), instead of
 * the one before. 0, -EINVAL, -ENOMEM. */
int dnstcp_set_net(struct dnstcp *t, unsigned net, int *fd);
/* Closes it, and the network's connections. */
void dnstcp_drop_net(struct dnstcp *t, unsigned net);

#endif
