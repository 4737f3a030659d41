/* SPDX-License-Identifier: GPL-2.0-or-later
 * play.h - scenes that several of these tests play: a world with one network, a reload, an attach.
 */
#ifndef VNET_TESTS_SIM_ENGINE_PLAY_H
#define VNET_TESTS_SIM_ENGINE_PLAY_H

#include "tests/sim/engine/world.h"

#define PLAY_NET8 "192.168.8.0"

/* A running engine with vmnet8 (NAT) and, as always, vmnet0. */
struct world *play_one_net(void);

/* part is in text. */
bool play_has(const char *text, const char *part);

/* The engine is killed, and the next one finds nothing to do. */
void play_quiet_restart(struct world *w);

/* `vnetctl reload` by root: the answer's errno. The client, for its rows, may be NULL. */
int play_reload(struct world *w, struct world_client **out);

/* A user attaches to vmnet8. */
void play_attach(struct world *w, uint32_t uid, enum port_kind kind, const char *name,
		 struct world_client **out);

/* All ports, a line each: name, network, kind, MAC, address, guest, owner. */
const char *play_ports(struct world *w);

#endif
