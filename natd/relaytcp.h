/* SPDX-License-Identifier: GPL-2.0-or-later
 * relaytcp.h - connections of the host to forwards by ::1, each with one to the guest.
 */
#ifndef VNET_NATD_RELAYTCP_H
#define VNET_NATD_RELAYTCP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inet.h"
#include "lib/loop.h"
#include "lib/msg.h"

/* At once, of all forwards; further ones are reset. */
enum { RELAYTCP_CONNS_MAX = 512 };

struct relaytcp;

struct relaytcp *relaytcp_new(struct loop *l); /* NULL: no memory */
void relaytcp_free(struct relaytcp *t);        /* resets what there is */

/* Takes up a connection that waits at this listening socket, if one does: from host port `port` to the guest. False: there
 * are no descriptors or no memory, and one waits still. */
bool relaytcp_accept(struct relaytcp *t, int listener, uint16_t port, struct ip4 guest,
		     uint16_t guest_port);

/* A row for each connection there is. */
void relaytcp_each(const struct relaytcp *t, void (*fn)(void *arg, const struct msg_relay_row *row),
		   void *arg);

/* Resets those from this host port. */
void relaytcp_end(struct relaytcp *t, uint16_t port);

#endif
