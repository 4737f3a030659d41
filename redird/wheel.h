/* SPDX-License-Identifier: GPL-2.0-or-later
 * wheel.h - deadlines of many connections: a hashed wheel, constant time to set and to drop.
 *
 * Pure. An entry may be looked at too early, never more than a tick late: whoever is called compares the real
 * deadline and sets it again if there is time left. So a deadline that moves with every byte costs nothing per byte.
 */
#ifndef VNET_REDIRD_WHEEL_H
#define VNET_REDIRD_WHEEL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/mono.h"

#define WHEEL_SLOTS   512
#define WHEEL_TICK_MS 128

struct wheel_entry {
	struct wheel_entry *next, **link; /* link: NULL when it is not set */
};

struct wheel {
	struct wheel_entry *slot[WHEEL_SLOTS], *due;
	int64_t done; /* the last tick that was looked at */
	size_t n;
};

void wheel_init(struct wheel *w, struct mono now);

/* Sets it (again); when it will be looked at. A deadline beyond the wheel's reach is looked at when the wheel has gone round. */
struct mono wheel_set(struct wheel *w, struct wheel_entry *e, struct mono when);
void wheel_drop(struct wheel *w, struct wheel_entry *e);

/* Takes out one entry whose tick has come; NULL: none. To be called until then. */
struct wheel_entry *wheel_due(struct wheel *w, struct mono now);

/* When the next entry is to be looked at; MONO_NEVER when there is none. */
struct mono wheel_next(const struct wheel *w);

#endif
