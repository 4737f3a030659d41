/* SPDX-License-Identifier: GPL-2.0-or-later
 * confrows.h - the engine's rows between CONF_BEGIN and CONF_COMMIT -> services as redird.h takes them. Pure.
 *
 * The engine has judged the configuration; here only what would break a rule of redird.h is refused.
 */
#ifndef VNET_REDIRD_CONFROWS_H
#define VNET_REDIRD_CONFROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "redird/logout.h"
#include "redird/redird.h"

#define CONFROWS_SERVICES_MAX 1024
#define CONFROWS_RULES_MAX    65536 /* of one list */
#define CONFROWS_TIMES_MAX    64
#define CONFROWS_ALIASES_MAX  CONFROWS_SERVICES_MAX

/* A service and what it points to. */
struct confrow {
	char name[64];
	uint32_t listener; /* priv's number of its socket */
	struct ip6 alias;  /* the address that was added for it; all zeros: none */
	bool waits;        /* nobody is let in so far */
	struct redird_service s;
	struct log_place log;
	struct access_rule *only_from, *no_access;
	struct access_span *times;
	char *banner[REDIRECT_BANNER_N];
};

struct confrows {
	bool open;    /* CONF_BEGIN has come */
	bool refused; /* and a row that cannot be: those to come are passed over */
	uint32_t generation;
	struct confrow *v;
	size_t n, cap;
	struct ip6 *alias; /* those that stay */
	size_t naliases;
};

void confrows_init(struct confrows *c);
void confrows_fini(struct confrows *c); /* it can be used again */

/* CONF_BEGIN or a row. False: no row, or one that cannot be (nothing is to be believed then), or no memory. */
bool confrows_add(struct confrows *c, const struct msg *m);

/* Nothing of this generation is believed. */
void confrows_refuse(struct confrows *c);

/* The rows are complete, and of this generation: their pointers are set. False: they are not, or were refused. */
bool confrows_commit(struct confrows *c, uint32_t generation);

/* An address that was added for redirections and stays. */
bool confrows_has_alias(const struct confrows *c, const struct ip6 *a);

#endif
