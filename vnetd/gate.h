/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate.h - what a port's gate should be: configuration and facts -> GATE_SET. Pure.
 *
 * A port is one of two things: a guest (a tap or veth: one machine at the other end, which gets one
 * address and the guards), or a way into another network (a NIC, a bond, a tunnel that somebody put onto
 * the bridge: any address, no guards).
 */
#ifndef VNET_VNETD_GATE_H
#define VNET_VNETD_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/msg.h"
#include "vnetd/promisc.h"

#define GATE_FLOOD_DEFAULT       10000 /* broadcasts and multicasts a second */
#define GATE_DHCP_LEASES_DEFAULT 256   /* but at most half of the addresses that there are */
#define GATE_DHCP_RATE_DEFAULT   200   /* messages a second */

/* By what sections of vnetd.conf may speak of a port. */
struct gate_port {
	const char *name, *ifname; /* name: may be "" */
	struct mac mac;            /* may be zero */
	uint32_t owner;            /* a section with `owner` is for ports of that user only */
};

/* The sections that do: of its MAC, of its interface, of its name. Returns their number. */
#define GATE_SECTIONS_MAX 3
size_t gate_sections(const struct conf_port *out[GATE_SECTIONS_MAX], const struct conf *c,
		     const struct gate_port *p);

/* Lays them over each other, the later one winning key by key. */
struct conf_port gate_conf(const struct conf *c, const struct gate_port *p);

/* Some section names the port as name, interface or MAC: which one `vnetctl port P set` edits. NULL: none
 * does so far. */
const struct conf_port *gate_section(const struct conf *c, const struct gate_port *p);

/* Everything that a gate depends on. */
struct gate_case {
	unsigned net;
	const char *ifname;
	const struct conf_net *conf;  /* of the network; NULL: it has none any more */
	const struct conf_port *port; /* gate_conf() */
	bool guest;                   /* a tap or veth */
	struct mac told;              /* at attach; zero: not told */
	struct ip4 ip;                /* its lease or reservation; 0: none known */
	bool granted;                 /* promiscuous mode, or what stands for it */
	const char *span;             /* port that gets copies of its frames, "": none */
	const struct promisc *promisc;
};

/* The same, but for promiscuous mode and what comes with it. */
void gate_without_promisc(struct msg_gate_set *g);

/* The wanted GATE_SET, without `unpin`. */
void gate_want(struct msg_gate_set *out, const struct gate_case *c);

/* mac-learning in force for the port: with it, it asks for the milder grant. The network's key is for guests,
 * and not for one whose own mac-policy is any. */
unsigned gate_learning(const struct conf_net *net, const struct conf_port *port, bool guest);

/* ip-guard is on for it. */
bool gate_guards_ip(const struct conf_net *net, const struct conf_port *port);

/* What the bridge is told of a port with this gate. has_mac: its own address is known. */
struct gate_brport {
	bool locked, learning, flood;
	bool entry; /* its own address has a static entry in the forwarding table */
};
void gate_brport(struct gate_brport *out, const struct msg_gate_set *g, bool has_mac);

/* Two messages mean the same gate. */
bool gate_same(const struct msg_gate_set *a, const struct msg_gate_set *b);

#endif
