/* SPDX-License-Identifier: GPL-2.0-or-later
 * relayudp.h - datagrams of the host to forwards by ::1, and their answers.
 */
#ifndef VNET_NATD_RELAYUDP_H
#define VNET_NATD_RELAYUDP_H

#include <stdint.h>

#include "lib/inet.h"
#include "lib/loop.h"

/* Clients at once, of all forwards: whoever has been silent for longest makes room for another. */
enum { RELAYUDP_PEERS_MAX = 256 };

/* How long a client's port at the guest is kept in silence: no shorter than nf_conntrack_udp_timeout_stream. */
enum { RELAYUDP_IDLE_MS = 180000 };

struct relayudp;

struct relayudp *relayudp_new(struct loop *l); /* NULL: no memory */
void relayudp_free(struct relayudp *u);

/* Passes on what waits at this socket, of host port `port`, to the guest. The answers leave by the socket, which must
 * stay until relayudp_end(). */
void relayudp_take(struct relayudp *u, int sock, uint16_t port, struct ip4 guest,
		   uint16_t guest_port);

/* Nothing comes back to those of this host port any more. */
void relayudp_end(struct relayudp *u, uint16_t port);

#endif
