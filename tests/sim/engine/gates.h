/* SPDX-License-Identifier: GPL-2.0-or-later
 * gates.h - the simulated gates and marker files.
 */
#ifndef VNET_TESTS_SIM_ENGINE_GATES_H
#define VNET_TESTS_SIM_ENGINE_GATES_H

#include "tests/sim/engine/world.h"

/* A verb about gates or markers. False: it is another one. */
bool gates_execute(struct world *w, const struct msg *m, int *err, int *fds, size_t *nfds,
		   char *why, size_t cap);

#endif
