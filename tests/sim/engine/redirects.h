/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirects.h - the part of priv that is about redirections, in memory.
 */
#ifndef VNET_TESTS_SIM_ENGINE_REDIRECTS_H
#define VNET_TESTS_SIM_ENGINE_REDIRECTS_H

#include "tests/sim/engine/world.h"

/* A message without an answer. False: not about redirections. */
bool redirects_told(struct world *w, const struct msg *m);

/* A request: *err is 0 or an errno, with its sentence in why. False: not about redirections. */
bool redirects_execute(struct world *w, const struct msg *m, int *err, char *why, size_t cap);

/* vnet-redird starts when it is wanted. True: it did. */
bool redirects_start(struct world *w);

void world_redirects_fini(struct world *w);

#endif
