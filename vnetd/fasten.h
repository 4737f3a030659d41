/* SPDX-License-Identifier: GPL-2.0-or-later
 * fasten.h - when the programs of ports are moved to where frames pass them fastest (hook.h).
 *
 * That takes priv some milliseconds a port, so it is done when nobody has asked for a gate for a while, port by
 * port with a pause between them, and not in networks where somebody gets copies of frames: there what an earlier
 * instance has fastened is only replaced.
 */
#ifndef VNET_VNETD_FASTEN_H
#define VNET_VNETD_FASTEN_H

#include <stdbool.h>

#include "lib/mono.h"

struct core;
struct port;

struct fasten {
	struct mono at; /* the next port; MONO_NEVER: there is none */
	bool asked;     /* priv is at it */
	bool never;     /* this kernel cannot */
};

void fasten_init(struct fasten *f);

/* priv has set the gate of the port. */
void fasten_later(struct core *c, struct port *p);

/* When fasten_timer() is to be called; MONO_NEVER. */
struct mono fasten_deadline(const struct core *c);

/* Asks priv for the next port, when it is time. */
void fasten_timer(struct core *c);

/* What kept a gate from being fastened may be over. */
void fasten_again(struct core *c);

#endif
