/* SPDX-License-Identifier: GPL-2.0-or-later
 * backoff.h - how long a child that died waits before it is started again. Pure.
 */
#ifndef VNET_VNETD_BACKOFF_H
#define VNET_VNETD_BACKOFF_H

#include <stdint.h>

/* A child that has run this long has got over whatever it died of before. */
#define BACKOFF_STABLE_MS 10000
#define BACKOFF_FIRST_MS  100
#define BACKOFF_MAX_MS    10000

struct backoff {
	unsigned failures; /* deaths in a row, each soon after its start */
};

/* The child has died after it ran for `ran_ms`. Returns the milliseconds to wait: 0 the first time, then
 * 100, doubling up to 10 s. */
uint32_t backoff_next_ms(struct backoff *b, int64_t ran_ms);

#endif
