/* SPDX-License-Identifier: GPL-2.0-or-later
 * mono.h - monotonic time as a type, so that it cannot be mixed up with wall clock or durations.
 *
 * The clock is CLOCK_BOOTTIME: it goes on while the machine is suspended, as leases do.
 * Pure code never reads the clock: `now` is a parameter. Only mono_now() touches the system, and
 * only main.c files call it.
 */
#ifndef VNET_LIB_MONO_H
#define VNET_LIB_MONO_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A point in time: milliseconds of CLOCK_BOOTTIME. */
struct mono {
	int64_t ms;
};

/* "Never": later than every real deadline. */
#define MONO_NEVER ((struct mono){INT64_MAX})

/* The current time. */
static inline struct mono
mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct mono){(int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000};
}

/* t + ms milliseconds; MONO_NEVER stays MONO_NEVER. */
static inline struct mono
mono_add(struct mono t, int64_t ms)
{
	if (t.ms == INT64_MAX)
		return t;
	return (struct mono){t.ms + ms};
}

/* Milliseconds from `from` to `to`; negative when `to` is earlier. */
static inline int64_t
mono_diff(struct mono to, struct mono from)
{
	return to.ms - from.ms;
}

/* a is earlier than b. */
static inline bool
mono_before(struct mono a, struct mono b)
{
	return a.ms < b.ms;
}

/* The earlier of the two. */
static inline struct mono
mono_min(struct mono a, struct mono b)
{
	return a.ms < b.ms ? a : b;
}

#endif
