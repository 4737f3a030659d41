/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.h - forwards on ::1. The table inet vnetd translates IPv4 alone; who connects to localhost may try ::1 first.
 */
#ifndef VNET_NATD_RELAY_H
#define VNET_NATD_RELAY_H

#include "natd/natd.h"
#include "natd/plan.h"

struct relay;

struct relay *relay_new(struct natd *d); /* NULL: no memory */
void relay_free(struct relay *r);

/* The ports of the plan that are to be relayed (plan_relays()) are, the first `most`, and no others. Connections of a
 * forward that is gone, or leads elsewhere, are reset. A port that somebody has on ::1 is asked for again from
 * time to time. */
void relay_apply(struct relay *r, const struct nat_plan *p, size_t most);

/* RELAY_LIST of the engine: rows and REPLY. */
void relay_answer(const struct relay *r, uint32_t id);

/* A service of the host has the port of a forward of this network on ::1: what there is to say and to type. */
bool relay_is_missing(const struct relay *r, uint16_t net, struct plan_problem *out);

#endif
