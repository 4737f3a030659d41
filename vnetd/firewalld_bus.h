/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewalld_bus.h - firewalld on the system bus: our zone, and who is in it.
 *
 * All are about the rules in force, not about the permanent configuration, unless they say so. All return 0; -ENXIO:
 * firewalld does not run; -ENOENT: it does not know our zone; other -errno, of which sysbus_why() tells more.
 */
#ifndef VNET_VNETD_FIREWALLD_BUS_H
#define VNET_VNETD_FIREWALLD_BUS_H

#include "vnetd/firewalld_plan.h"
#include "vnetd/sysbus.h"

#define FIREWALLD_SERVICE  "org.fedoraproject.FirewallD1"
#define FIREWALLD_ZONE_CAP 64

/* Signals that tell of a change, for sysbus_listen(); NULL-terminated. */
extern const char *const firewalld_bus_signals[];

/* The networks whose interfaces are in our zone. */
int firewalld_bus_read(struct sysbus *b, struct firewalld_nets *in);

/* The zone of an interface in the permanent configuration, "": none. */
int firewalld_bus_permanent(struct sysbus *b, unsigned net, char zone[FIREWALLD_ZONE_CAP]);

/* The zone it is in now, "": none. */
int firewalld_bus_zone(struct sysbus *b, unsigned net, char zone[FIREWALLD_ZONE_CAP]);

/* Puts a network's interface into the zone; -EBUSY: it is in another one, and stays there. Or takes it out, if it is in
 * there. */
int firewalld_bus_add(struct sysbus *b, unsigned net);
int firewalld_bus_remove(struct sysbus *b, unsigned net);

#endif
