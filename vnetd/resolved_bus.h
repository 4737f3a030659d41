/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_bus.h - systemd-resolved on the system bus: tell it of a link, take it back, notice that it comes.
 */
#ifndef VNET_VNETD_RESOLVED_BUS_H
#define VNET_VNETD_RESOLVED_BUS_H

#include "vnetd/resolved_plan.h"

struct resolved_bus;

/* came: called from resolved_bus_process() when resolved has been started, or started again: it may know nothing. 0,
 * -errno. */
int resolved_bus_open(struct resolved_bus **out, void (*came)(void *arg), void *arg);
void resolved_bus_close(struct resolved_bus *b);

/* To be waited for, with these events. */
int resolved_bus_fd(const struct resolved_bus *b);
short resolved_bus_events(const struct resolved_bus *b);

/* Takes what has come. 0, -errno: the bus is gone. */
int resolved_bus_process(struct resolved_bus *b);

/* The link's name server and domains, for nothing but these names; or none of it any more. 0; -ENXIO: resolved does not
 * run; -ENODEV: there is no such link; other -errno, why then is D-Bus' own sentence. */
int resolved_bus_set(struct resolved_bus *b, const struct resolved_link *l);
int resolved_bus_revert(struct resolved_bus *b, int ifindex);
const char *resolved_bus_why(const struct resolved_bus *b);

#endif
