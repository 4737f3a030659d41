/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_loop.h - for tests that let a loop run for a while.
 */
#ifndef VNET_UNIT_LIB_RUN_LOOP_H
#define VNET_UNIT_LIB_RUN_LOOP_H

#include "lib/loop.h"

static inline void
run_loop_ends(void *arg)
{
	loop_stop(arg);
}

/* Until somebody stops it, or ms have passed. */
static inline void
run_loop(struct loop *l, int ms)
{
	struct loop_timer *t = loop_timer_new(l, run_loop_ends, l);

	loop_timer_set(t, mono_add(mono_now(), ms));
	loop_run(l);
	loop_timer_free(t);
}

#endif
