/* SPDX-License-Identifier: GPL-2.0-or-later
 * push.h - the configuration as workers get it: rows between CONF_BEGIN and CONF_COMMIT.
 *
 * Complete each time; a worker compares and touches what has changed. Only networks whose links are
 * there are in it.
 */
#ifndef VNET_VNETD_PUSH_H
#define VNET_VNETD_PUSH_H

#include <stdbool.h>

#include "lib/msg.h"

struct conf_forward;
struct core;

/* Pushes a new generation to a worker that is up. A network whose bridge was made anew is left out
 * of a first, extra generation, so that its sockets are closed and asked for again. */
void push_worker(struct core *c, enum role role);

/* To all workers but vnet-redird, which does not care for networks. */
void push_all(struct core *c);

/* To natd: one forward of a network is gone, or new, and all else is as it was. It gets everything if it
 * cannot make that of what it has. */
void push_forward(struct core *c, unsigned net, const struct conf_forward *f, bool gone);

/* A network came up, went down, or has a new bridge since the last push_all(). */
bool push_is_due(const struct core *c);

#endif
