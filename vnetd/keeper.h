/* SPDX-License-Identifier: GPL-2.0-or-later
 * keeper.h - the gates of all ports: what each should be (gate.h), what priv made of it, and what the
 * programs and the bridges report.
 *
 * The list of ports is port.h's; this is the part of a port that is about its gate. A gate that priv has
 * not confirmed to this engine is set again: doing so changes nothing where nothing is wrong. What must
 * outlive an engine (pinned addresses, requests for promiscuous mode) lies beside the gate in the kernel and
 * is read once, at the start.
 */
#ifndef VNET_VNETD_KEEPER_H
#define VNET_VNETD_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mono.h"
#include "lib/msg.h"
#include "lib/rtnl.h"
#include "vnetd/plan.h"

struct client;
struct core;
struct port;

struct port_gate {
	bool known;              /* priv has confirmed `set` */
	bool unpin;              /* the next one forgets the pinned address */
	bool loose;              /* it is to be fastened (fasten.h) */
	bool renewed;            /* what an earlier instance has fastened there was replaced */
	bool fastened;           /* it was, or is being: its filters are taken away by us */
	struct msg_gate_set set; /* the last one that was confirmed */
	/* The last one that could not be set: it is not tried before retry_at, another one is. */
	struct msg_gate_set failed;
	struct mac mac;       /* the port's own address: given or pinned; zero: none so far */
	struct ip4 ip;        /* its lease or reservation; 0: none known */
	struct mono retry_at; /* when it is looked at again; MONO_NEVER: with the next event */
	char *trouble;        /* why it has no gate, or is down; NULL: all is well */
};

/* What the kernel held when this engine started, or told before the port was seen. */
struct keeper {
	struct msg_gate_row *seen;
	size_t nseen, cap;
	bool leases_wanted; /* this look found addresses to which leases may belong */
	bool leases_asked;  /* a LEASE_LIST is under way */
	bool leases_known;  /* one was answered */
};

void keeper_init(struct keeper *k);
void keeper_fini(struct keeper *k);

/* At the start, before anything else is asked of priv. */
void keeper_start(struct core *c);

void port_gate_init(struct port_gate *g);
void port_gate_fini(struct port_gate *g);

/* All ports have been brought up to date from a snapshot: ends the gates of links that are none. */
void keeper_looked(struct core *c, const struct snapshot *now);

/* A port of this network went before it was seen: asks priv for its gate, so that a look can end it. */
void keeper_sweep(struct core *c, unsigned net);

/* The port was seen as this link for the first time: takes up what was kept for it. */
void keeper_found(struct core *c, struct port *p);

/* The port has been gone through in a snapshot: l is its link. Notices what a tap's holder did to it. */
void keeper_inspect(struct core *c, struct port *p, const struct rtnl_link *l);

/* It is not on the bridge that it was on (had_one), or was on none: what a bridge keeps for a port went with
 * the old one. */
void keeper_lost_bridge(struct core *c, struct port *p, bool had_one);

/* Its link is gone. */
void keeper_gone(struct core *c, const struct port *p);

/* What vnetd.conf says of the port. */
struct conf_port keeper_conf(const struct core *c, const struct port *p);

/* The gate that the port should have now. */
void keeper_want(const struct core *c, const struct port *p, struct msg_gate_set *out);

/* Its cable is out, by configuration. */
bool keeper_is_unplugged(const struct core *c, const struct port *p);

/* All ports as a plan needs them, by ifindex. *n of them; free(). NULL: no memory. */
struct plan_port *keeper_plan(struct core *c, size_t *n);

/* priv has answered a GATE_SET. */
void keeper_done(struct core *c, const struct msg_gate_set *m, const struct msg_reply *r);

/* Forgets the pinned address, and answers the client then: the next one that the guest uses is its own. */
void keeper_unpin(struct core *c, struct port *p, const struct client *cl, uint32_t request);

/* A blocked port may be up again. */
void keeper_pardon(struct core *c, struct port *p);

/* A lease has changed. */
void keeper_lease(struct core *c, const struct msg_lease_changed *m);

/* Asks dhcpd for the addresses of ports whose IP is guarded; the first time for those of all, so that a guard that is turned
 * on later has nothing to wait for. */
void keeper_ask_leases(struct core *c);

/* When a failed gate is tried again; MONO_NEVER. */
struct mono keeper_deadline(const struct core *c);

#endif
