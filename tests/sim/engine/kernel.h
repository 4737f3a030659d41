/* SPDX-License-Identifier: GPL-2.0-or-later
 * kernel.h - the simulated kernel, and the part of priv that talks to it.
 */
#ifndef VNET_TESTS_SIM_ENGINE_KERNEL_H
#define VNET_TESTS_SIM_ENGINE_KERNEL_H

#include "tests/sim/engine/world.h"

/* A loopback and an uplink with a default route. */
void kernel_init(struct world *w);
void kernel_fini(struct world *w);

/* A verb of priv. 0 or an errno with its sentence; descriptors for the reply. */
int kernel_execute(struct world *w, const struct msg *m, int *fds, size_t *nfds, char *why,
		   size_t cap);

/* Hands all events to the core. */
void kernel_deliver(struct world *w);
void kernel_forget_events(struct world *w);

#endif
