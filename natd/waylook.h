/* SPDX-License-Identifier: GPL-2.0-or-later
 * waylook.h - asks the kernel whether a network has the way out that it is told to take.
 */
#ifndef VNET_NATD_WAYLOOK_H
#define VNET_NATD_WAYLOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"
#include "lib/rtnl.h"

/* The network is told one at all: an interface, or an address to go out with. */
bool waylook_concerns(const struct msg_natd_net *net);

/* It is told one that the host does not have; text says what is wrong with it. False also when the host does not
 * answer: it is not said to lack anything then. */
bool waylook_lacks(struct rtnl *rtnl, const struct msg_natd_net *net, char *text, size_t cap);

#endif
