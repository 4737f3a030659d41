/* SPDX-License-Identifier: GPL-2.0-or-later
 * lookup.h - addresses of names for the engine, from the host's resolvers.
 */
#ifndef VNET_NATD_LOOKUP_H
#define VNET_NATD_LOOKUP_H

#include "natd/natd.h"
#include "natd/resolv.h"

struct lookup;

/* LOOKUP of the engine: LOOKUP_ADDRs and a REPLY follow, within some seconds. */
void lookup_start(struct natd *d, const struct msg *m);

/* The engine that asked is gone. */
void lookup_drop_all(struct natd *d);

#endif
