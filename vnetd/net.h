/* SPDX-License-Identifier: GPL-2.0-or-later
 * net.h - one virtual network as the engine knows it: its configuration in force, what happened to
 * it, what its services report, and the state that follows from these.
 */
#ifndef VNET_VNETD_NET_H
#define VNET_VNETD_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/mono.h"
#include "lib/msg.h"
#include "vnetd/want.h"

struct core;

/* A configuration that networks refer to. At a reload with errors some keep an older one. */
struct generation {
	struct conf *conf;
	unsigned refs;
};

struct generation *generation_new(struct conf *conf); /* takes over conf; NULL: no memory */
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g); /* NULL is allowed */

/* What a worker reports about one service of a network. */
struct service_state {
	bool known, ok;
	bool can_cure;     /* foreign-rules = allow would */
	char *text, *cure; /* NULL: "" */
};

struct net {
	unsigned n;
	const struct conf_net *conf; /* in force; NULL: there is no such network */
	struct generation *gen;      /* that conf belongs to */
	char *kept;           /* why a newer configuration of it was refused; NULL: it was not */
	char *blocked;        /* why it cannot be made now */
	char *contested;      /* what else uses its subnet */
	char *cure;           /* for either of the two */
	char *failure;        /* the step that went wrong */
	char *tap_taken;      /* a static tap whose name is taken */
	bool runs;            /* its plan was carried out at least once since it came */
	bool renewed;         /* its bridge was made anew: workers must let their sockets go */
	bool pushed;          /* workers were told of it */
	int ifindex;          /* of its bridge, 0: none */
	unsigned tries;       /* failed ones in a row; */
	struct mono retry_at; /* it is left alone until then; MONO_NEVER: no failure */
	/* Repairs of what others changed. Too many of them: somebody fights us, and it is paused. */
	unsigned repairs;
	struct mono repairs_since, paused_until; /* MONO_NEVER: not paused */
	char *fight; /* what somebody keeps undoing, while it is paused */
	struct service_state service[SERVICE_N];
	uint32_t leases, lease_total;
	enum net_state announced; /* the state that the last event told; NET_STATE_N: none */
};

void net_init(struct net *n, unsigned number);
void net_fini(struct net *n);

/* Puts a configuration in force (NULL: the network ends; what was known of it is forgotten). */
void net_configure(struct net *n, struct generation *g, const struct conf_net *conf);

/* What should be in the kernel now: nothing, the network, or no change while it is in trouble. */
void net_want(struct want_net *w, const struct net *n, struct mono now);

/* A step failed / everything worked / a repair was needed. */
void net_failed(struct net *n, struct mono now, const char *why);
void net_succeeded(struct net *n, struct mono now);
void net_repaired(struct net *n, struct mono now, const char *what);

/* The next time at which net_want() may say something else; MONO_NEVER. */
struct mono net_deadline(const struct net *n);

/* The state, and why (a sentence without the network's name, "" when ok). The text is borrowed. */
enum net_state net_state(const struct core *c, const struct net *n, const char **why);

/* Has this service by its configuration. */
bool net_has_service(const struct net *n, enum service s);

/* Has the service, and it does not work. */
bool net_service_is_down(const struct core *c, const struct net *n, enum service s);

/* Tells the state to the log and as an event, if it is another one than last time. */
void net_announce(struct core *c, struct net *n);

/* *field = a copy of text without "vmnetN: " in front; NULL or "" make it NULL. True: it has changed. */
bool net_text(char **field, unsigned n, const char *text);

#endif
