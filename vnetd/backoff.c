/* SPDX-License-Identifier: GPL-2.0-or-later
 * backoff.c - restart delays. Pure: the caller measures and waits.
 */
#include "vnetd/backoff.h"

uint32_t
backoff_next_ms(struct backoff *b, int64_t ran_ms)
{
	uint32_t ms = BACKOFF_FIRST_MS;

	if (ran_ms >= BACKOFF_STABLE_MS)
		b->failures = 0;
	if (b->failures == 0) {
		b->failures = 1;
		return 0;
	}
	for (unsigned i = 1; i < b->failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms < BACKOFF_MAX_MS)
		b->failures++;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}
