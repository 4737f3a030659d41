/* SPDX-License-Identifier: GPL-2.0-or-later
 * guest_names.h - host names of guests, from leases, for the DNS proxy of vnet-natd.
 */
#ifndef VNET_VNETD_GUEST_NAMES_H
#define VNET_VNETD_GUEST_NAMES_H

#include <stdbool.h>

#include "lib/msg.h"

struct core;

struct guest_names {
	bool asked; /* vnet-dhcpd, for all leases */
	bool again; /* they may have changed since */
	bool begun; /* the first has been passed on */
};

/* One of the two has a configuration: natd is told of every guest. */
void guest_names_ready(struct core *c, enum role role);

/* A lease came, changed or went. */
void guest_names_lease(struct core *c, const struct msg_lease_changed *m);

#endif
