/* SPDX-License-Identifier: GPL-2.0-or-later
 * nat.h - keeps table inet vnetd as the configuration wants it, through priv.
 */
#ifndef VNET_NATD_NAT_H
#define VNET_NATD_NAT_H

#include "natd/natd.h"
#include "natd/plan.h"

/* Asks for the event socket and for a first scan. NULL: no memory. */
struct nat *nat_new(struct natd *d);
void nat_free(struct nat *n);

/* A new configuration: commits what differs. c stays the caller's and must live until the next
 * call. False: no memory. */
bool nat_apply(struct nat *n, const struct natd_conf *c);

/* The latest configuration but for one forward that is gone, or new: commits just that. False: it must be applied
 * as a whole, as plan_change() says; nothing has changed. */
bool nat_change(struct nat *n, const struct msg_nat_forward *f, bool gone, bool shadow);

/* The latest configuration is in force, or is known not to be (*err, text: why). */
bool nat_is_settled(const struct nat *n, int *err, const char **text);

/* What there is to say about the networks' NAT may have changed: tells the engine. */
void nat_report(struct nat *n);

/* Foreign rule sets matter in a new way (the route to the outside has changed): scan soon. */
void nat_rescan(struct nat *n);

/* A link, an address or a route of the host has changed: the same, if some network's way out needs it. */
void nat_host_changed(struct nat *n);

#endif
