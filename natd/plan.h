/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan.h - configuration rows -> NAT rows, and what changed between two plans.
 *
 * Pure: no clock, no sockets, no log. What is wrong with one network or forward takes that one
 * out of the plan and is told as a problem; the others are served.
 */
#ifndef VNET_NATD_PLAN_H
#define VNET_NATD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "lib/listeners.h"

/* A complete configuration as the engine sent it, row by row. */
struct natd_conf {
	uint32_t generation;
	bool forward_others, foreign_allow, flowtable;
	uint16_t hold_ports;
	uint8_t bridges[NAT_ROUTES_LEN]; /* networks without an address, a set */
	struct msg_natd_net *nets;
	struct msg_natd_forward *forwards;
	struct msg_natd_resolver *resolvers;
	struct msg_natd_dns *dns;
	struct msg_natd_capture captures[NAT_CAPTURES_MAX];
	size_t nnets, nforwards, nresolvers, ndns, ncaptures;
	size_t nets_cap, forwards_cap, resolvers_cap, dns_cap;
};

/* Adds a NATD_* row (CONF_BEGIN gives the generation). False: no memory, or not such a row. */
bool natd_conf_add(struct natd_conf *c, const struct msg *m);
void natd_conf_fini(struct natd_conf *c);

/* The row of a network, or NULL. */
const struct msg_natd_net *natd_conf_net(const struct natd_conf *c, uint16_t net);

/* What is wrong with a network's NAT: the first thing, and how many more there are. */
struct plan_problem {
	uint16_t net;
	char text[200];
	char cure[64]; /* what to type, or "" */
	size_t more;
};

struct nat_plan {
	bool forward_others, flowtable;
	struct msg_nat_net *nets;         /* by number */
	struct msg_nat_forward *forwards; /* by protocol and port */
	struct msg_nat_capture captures[NAT_CAPTURES_MAX];
	size_t ncaptures;
	struct plan_problem *problems; /* at most one for a network */
	size_t nnets, nforwards, nproblems;
	size_t forwards_cap;
	size_t nhidden; /* forwards that were left out, as a service of the host has their port */
	uint8_t shadowed[PROTO_N][65536 / 8]; /* host ports of forwards with `shadow` */
	uint8_t unheld[PROTO_N][65536 / 8];   /* host ports that are forwarded and not to be held */
	uint8_t unrelayed[PROTO_N][65536 / 8]; /* those that are not to be relayed */
};

/* Makes the plan; of two forwards of one host port the earlier row stays. host: services that only forwards with
 * `shadow` may hide, or NULL. there: the plan so far, or NULL; a port that it forwards without
 * `shadow` was the forward's first, and stays so whoever has opened it since. False: no memory (out is empty then). */
bool plan_make(struct nat_plan *out, const struct natd_conf *c, const struct listeners *host,
	       const struct nat_plan *there);
void plan_fini(struct nat_plan *p);

/* One forward less (gone), which must be there exactly so, or one more, whose port nothing has. False: this plan
 * cannot be changed so, or there is no memory; it is as it was. A plan with problems is not changed: what
 * goes may have been in the way of something else. */
bool plan_change(struct nat_plan *p, const struct msg_nat_forward *f, bool gone);

/* plan_change() has added it with `shadow`. */
void plan_note_shadow(struct nat_plan *p, const struct msg_nat_forward *f);

/* An equal plan, but for problems and what concerns sockets, in place of *to. False: no memory. */
bool plan_copy(struct nat_plan *to, const struct nat_plan *from);

/* The host port of this forward is to be held: not where a service of the host may have it too, nor our own. */
bool plan_holds(const struct nat_plan *p, const struct msg_nat_forward *f);

/* The host port of this forward is to lead to the guest on ::1 too: that of a forward of all addresses, where
 * plan_holds() would hold it, or of a range of not more ports than are held at most. */
bool plan_relays(const struct nat_plan *p, const struct msg_nat_forward *f);

/* The kernel would be told the same. */
bool plan_same(const struct nat_plan *a, const struct nat_plan *b);

/* They differ in nothing but forwards. */
bool plan_same_nets(const struct nat_plan *a, const struct nat_plan *b);

/* How many forwards differ: of both kinds that plan_diff() tells. */
size_t plan_distance(const struct nat_plan *was, const struct nat_plan *now);

/* Calls cb for each forward of `was` that is not exactly so in `now` (gone), and for each of `now`
 * that was not. All that are gone come first. */
void plan_diff(const struct nat_plan *was, const struct nat_plan *now,
	       void (*cb)(const struct msg_nat_forward *f, bool gone, void *arg), void *arg);

/* A host port leads to this guest and port in the plan. */
bool plan_leads(const struct nat_plan *p, const struct msg_nat_flush_forward *f);

/* Calls cb for each forward of `was` that `now` does not have, or leads elsewhere: its
 * connections end. */
void plan_removed(const struct nat_plan *was, const struct nat_plan *now,
		  void (*cb)(const struct msg_nat_flush_forward *f, void *arg), void *arg);

#endif
