/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_names.h - what names in redirections stand for: of targets, own addresses and clients.
 *
 * Asked, in this order: the host's /etc/hosts, our reservations, leases of our guests, the host's resolvers through
 * vnet-natd. The first that knows a name decides. A guest says itself what it is called, so leases count for targets
 * alone, and for no name in somebody's domain (lib/guestname.h). Names are asked for again when a lease or the
 * configuration changes and every minute. Nobody waits here: what is not known yet is nothing.
 */
#ifndef VNET_VNETD_REDIRECT_NAMES_H
#define VNET_VNETD_REDIRECT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/redirect.h"
#include "lib/mono.h"
#include "lib/msg.h"

struct core;
struct redirect_name;

#define REDIRECT_NAME_ADDRS 8 /* of one name; more are left out */

struct redirect_names {
	struct redirect_name *head;
	bool asking;
	bool resolving;  /* leases and hosts are known, now it is the resolvers' turn */
	bool again;      /* something changed meanwhile */
	bool incomplete; /* somebody who may know could not be asked */
	unsigned pending;
	unsigned lookups; /* of these, resolvers' */
	bool sending;     /* more of them, just now */
	struct mono due;  /* the next round; MONO_NEVER: there are no names */
};

void redirect_names_init(struct redirect_names *n);
void redirect_names_fini(struct redirect_names *n);

/* The redirections have changed: which names they need now. */
void redirect_names_want(struct core *c);

/* A lease came, went or changed; somebody can be asked who could not before. */
void redirect_names_lease(struct core *c, const struct msg_lease_changed *m);
void redirect_names_soon(struct core *c);

/* Addresses of the name, of a client or of our own, that a socket of this family takes, at most max: their number. */
size_t redirect_names_get(const struct core *c, const char *name, enum redirect_family family,
			  struct redirect_ip *out, size_t max);

/* The name of an own address has none, and not everybody has said so: a socket of before may be the right one. */
bool redirect_names_binds_open(const struct core *c);

/* Every name of the service has been asked for at least once. */
bool redirect_names_known(const struct core *c, const struct redirect_service *s);

/* Where the service leads to now: number of addresses, at most max. */
size_t redirect_targets(const struct core *c, const struct redirect_service *s,
			struct redirect_ip *out, size_t max);

struct mono redirect_names_deadline(const struct core *c);
void redirect_names_timer(struct core *c);

#endif
