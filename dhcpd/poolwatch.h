/* SPDX-License-Identifier: GPL-2.0-or-later
 * poolwatch.h - when it is worth saying that a network runs out of addresses. Pure.
 */
#ifndef VNET_DHCPD_POOLWATCH_H
#define VNET_DHCPD_POOLWATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"

/* Low from here on, in percent of the ranges' addresses; said again only after it was below the second. */
#define POOLWATCH_LOW_PERCENT   90
#define POOLWATCH_AGAIN_PERCENT 80

/* Between two words about clients that could not be served. */
#define POOLWATCH_QUIET_MS INT64_C(600000)

/* All zero at first. */
struct poolwatch {
	bool low;
	uint64_t unserved; /* clients turned away, when that was said last */
	struct mono quiet_until;
};

/* held of total addresses are not free: true when that is news. */
bool poolwatch_low(struct poolwatch *w, uint32_t held, uint32_t total);

/* So many clients were turned away for lack of an address since the start: true when that is news. */
bool poolwatch_empty(struct poolwatch *w, uint64_t unserved, struct mono now);

#endif
