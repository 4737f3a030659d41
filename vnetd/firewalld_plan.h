/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewalld_plan.h - which networks' interfaces are in our zone of firewalld, and which are to be. Pure.
 */
#ifndef VNET_VNETD_FIREWALLD_PLAN_H
#define VNET_VNETD_FIREWALLD_PLAN_H

#include <stdbool.h>

#include "lib/msg.h"

struct firewalld_nets {
	uint8_t b[NAT_ROUTES_LEN];
};

/* Guests of this network send something that firewalld may stop: it has NAT or a name server. Whether it works just now does
 * not matter, a rule for an interface that is not there hurts nobody. */
bool firewalld_wants(const struct msg_net_row *row);

/* An interface of the zone: one of ours is noted, all others are somebody else's. */
void firewalld_note(struct firewalld_nets *in, const char *ifname);

struct firewalld_step {
	unsigned net;
	bool remove; /* else it is to be put there */
};

/* The next thing to do on the way from those that are in the zone to those that are wanted. left: those that are an
 * administrator's business, and stay where they are. False: nothing. */
bool firewalld_next(struct firewalld_step *out, const struct firewalld_nets *in,
		    const struct firewalld_nets *wanted, const struct firewalld_nets *left);

#endif
