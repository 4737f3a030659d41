/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_bus.h - systemd-resolved on the system bus: tell it of a link, take it back.
 */
#ifndef VNET_VNETD_RESOLVED_BUS_H
#define VNET_VNETD_RESOLVED_BUS_H

#include "vnetd/resolved_plan.h"
#include "vnetd/sysbus.h"

#define RESOLVED_SERVICE "org.freedesktop.resolve1"

/* The link's name server and domains, for nothing but these names; or none of it any more. 0; -ENXIO: resolved does not
 * run; -ENODEV: there is no such link; other -errno, of which sysbus_why() tells more. */
int resolved_bus_set(struct sysbus *b, const struct resolved_link *l);
int resolved_bus_revert(struct sysbus *b, int ifindex);

#endif
