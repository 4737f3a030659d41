/* SPDX-License-Identifier: GPL-2.0-or-later
 * relayudp.h - datagrams of the host to forwards by ::1, and their answers.
 */
#ifndef VNET_NATD_RELAYUDP_H
#define VNET_NATD_RELAYUDP_H

#include <stdint.h>

#include "lib/inet.h"
#include "lib/loop.h"
#include "lib/msg.h"

/* Clients at once, of all forwards: whoever has been silent for longest makes room for another. */
enum { RELAYUDP_PEERS_MAX = 256 };

/* A forward. sock: its host port's socket, by which answers leave; it must stay until relayudp_end(). idle_ms: how long a
 * client that says and hears nothing is known. */
struct relayudp_port {
	int sock;
	uint16_t port;
	struct ip4 guest;
	uint16_t guest_port;
	int64_t idle_ms;
};

struct relayudp;

struct relayudp *relayudp_new(struct loop *l); /* NULL: no memory */
void relayudp_free(struct relayudp *u);

/* Passes on what waits at the socket to the guest. */
void relayudp_take(struct relayudp *u, const struct relayudp_port *port);

/* A row for each client that is known. */
void relayudp_each(const struct relayudp *u, void (*fn)(void *arg, const struct msg_relay_row *row),
		   void *arg);

/* Nothing comes back to those of this host port any more. */
void relayudp_end(struct relayudp *u, uint16_t port);

#endif
