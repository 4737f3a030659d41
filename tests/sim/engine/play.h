/* SPDX-License-Identifier: GPL-2.0-or-later
 * play.h - scenes that several of these tests play: a world with one network, a reload, an attach, ports and
 * their promiscuous mode.
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

/* Ports of vmnet8. A user attaches one by name; root sets a key (the answer's errno, once it has settled);
 * the gate of an interface, which must have one. */
void play_port(struct world *w, const char *name);
int play_set(struct world *w, const char *port, const char *key, const char *value);
const struct msg_gate_set *play_gate(struct world *w, const char *ifname);

/* A request by attach for a tap with this name; and any request, of which only what happens at once is
 * played: no timer runs. */
struct msg play_attach_msg(const char *name);
void play_post(struct world *w, struct world_client *cl, struct msg *m);

/* Promiscuous mode. The list: port, network, state, who asks, marker; a line each. The guest's card reports;
 * a user asks; somebody says a word (the answer's errno). */
const char *play_promisc(struct world *w);
void play_filter(struct world *w, const char *port, bool on);
int play_request(struct world *w, uint32_t uid, const char *port, bool on);
int play_decide(struct world *w, uint32_t uid, const char *port, enum promisc_verdict v,
		uint32_t seconds);

/* How often a line is among the events that are kept. */
unsigned play_told(struct world *w, const char *line);

#endif
