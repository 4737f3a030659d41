/* SPDX-License-Identifier: GPL-2.0-or-later
 * proxy.h - what the DNS proxy needs from priv: sockets on the networks, resolv.conf and hosts.
 */
#ifndef VNET_NATD_PROXY_H
#define VNET_NATD_PROXY_H

#include "natd/natd.h"
#include "natd/plan.h"
#include "natd/resolv.h"

/* Asks for resolv.conf and for its changes. NULL: no memory. */
struct proxy *proxy_new(struct natd *d);
void proxy_free(struct proxy *p);

/* A new configuration: what has changed is opened or closed. c must live until the next call. */
void proxy_apply(struct proxy *p, const struct natd_conf *c);

/* Every socket that was asked for is there, or is known not to be, and so is resolv.conf. */
bool proxy_is_settled(const struct proxy *p);

/* The host's way to the outside has changed: what its resolvers said may not be so any more. */
void proxy_forget_answers(struct proxy *p);

/* GUEST_NAME, GUEST_NAMES. */
void proxy_take_name(struct proxy *p, const struct msg *m);

/* DNS_STATS of the engine: rows and REPLY. net: one network, or MSG_NET_ALL. */
void proxy_answer_stats(const struct proxy *p, uint32_t id, unsigned net);

/* The host's resolvers now. */
const struct resolv *proxy_resolv(const struct proxy *p);

#endif
