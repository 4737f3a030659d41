/* SPDX-License-Identifier: GPL-2.0-or-later
 * poolwatch.c - addresses run out: said once, not with every guest that comes and goes. Pure.
 */
#include "dhcpd/poolwatch.h"

bool
poolwatch_low(struct poolwatch *w, uint32_t held, uint32_t total)
{
	uint64_t percent = total ? (uint64_t)held * 100 / total : 0;
	bool was = w->low;

	if (percent >= POOLWATCH_LOW_PERCENT)
		w->low = true;
	else if (percent < POOLWATCH_AGAIN_PERCENT)
		w->low = false;
	return w->low && !was;
}

bool
poolwatch_empty(struct poolwatch *w, uint64_t unserved, struct mono now)
{
	if (unserved == w->unserved || mono_before(now, w->quiet_until))
		return false;
	w->unserved = unserved;
	w->quiet_until = mono_add(now, POOLWATCH_QUIET_MS);
	return true;
}
