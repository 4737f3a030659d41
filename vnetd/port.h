/* SPDX-License-Identifier: GPL-2.0-or-later
 * port.h - the guests' ports of all networks.
 *
 * A port is a link: ours, made by an attach or for a static tap, or somebody else's that he put onto a
 * bridge of ours (adopted). The list follows the kernel: every snapshot brings it up to date, the
 * links' aliases and their gates carry what a new engine must know, and nothing is kept anywhere else. The
 * one exception is a foreign port whose bridge was deleted under it: this engine remembers to put it back.
 */
#ifndef VNET_VNETD_PORT_H
#define VNET_VNETD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mono.h"
#include "vnetd/alias.h"
#include "vnetd/gate.h"
#include "vnetd/keeper.h"
#include "vnetd/plan.h"
#include "vnetd/promisc.h"
#include "vnetd/snapshot.h"

struct core;

struct port {
	struct port *next;
	unsigned net;
	char ifname[NAMES_IFNAME_MAX];
	int ifindex;        /* 0: not seen in a snapshot so far */
	bool making;        /* priv is at it: not to be missed in a snapshot */
	struct alias alias; /* of an adopted port: kind and owner only */
	int bridge;         /* ifindex of our bridge that it is or was last on */
	bool on_bridge;     /* now */
	bool up;            /* somebody is at the other end */
	bool is_guest;      /* a tun or veth; not a NIC, a bond, a tunnel */
	bool is_tap;        /* the former */
	bool seen;          /* in the snapshot that is being gone through */
	struct port_gate gate;
	struct promisc promisc;
	enum promisc_state told;   /* of its promiscuous mode, the last that was told */
	struct mono pending_quiet; /* until then it is not told again that it asks */
	struct mono changes_until; /* so far changes by the guest are counted */
	unsigned changes;          /* told since */
};

struct ports {
	struct port *head;
	struct port *likely; /* while a snapshot is gone through: the next one, in all likelihood */
	bool synced;         /* the first snapshot has been gone through: what comes now is news */
};

void ports_fini(struct ports *p);

/* Brings the list up to date and tells what came and went. */
void ports_sync(struct core *c, const struct snapshot *now);

/* Foreign ports that lost their bridge, for a plan. *n of them; free(). */
struct plan_stray *port_strays(const struct core *c, size_t *n);

/* A port that an attach is going to make: takes the lowest free number of the network. NULL: none is
 * free, or no memory. */
struct port *port_reserve(struct core *c, unsigned net, const struct alias *a);

/* An attach is making the link of this name just now. */
bool port_is_making(const struct core *c, const char *ifname);

/* It was not made. */
void port_forget(struct core *c, struct port *p);

/* The link of this index, or of this name; NULL: no port. */
struct port *port_of_index(const struct core *c, int ifindex);
struct port *port_of_ifname(const struct core *c, const char *ifname);

/* Its link was deleted on request: it goes at once, and not with the next snapshot. */
void port_deleted(struct core *c, const char *ifname);

/* By its own name, interface name or a guest's MAC, told at attach or learned by the bridge. */
struct port *port_find(const struct core *c, const char *name);

/* A name, an interface or an address, told or pinned, that is this port's. The bridges' tables are not asked. */
bool port_is_named(const struct port *p, const char *name);

/* What people call it. */
const char *port_name(const struct port *p);

/* One machine is at its other end, there or not: no way into another network (gate.h). */
bool port_is_machine(const struct port *p);

/* It counts as a guest of its network: a virtual machine or namespace is at the other end. */
bool port_is_guest(const struct port *p);

/* The address by which it is known, as told or as pinned; zero: not known. */
struct mac port_mac(const struct port *p);

/* By what sections of vnetd.conf may speak of it. */
struct gate_port port_identity(const struct port *p);

/* The address that it uses: the same, or the one that its section gives it. */
struct mac port_address(const struct port *p);

/* A port has this interface index. */
bool port_knows(const struct core *c, int ifindex);

/* Some port of any network was told this MAC. */
bool port_mac_is_taken(const struct core *c, struct mac mac);

#endif
