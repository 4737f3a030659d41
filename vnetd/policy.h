/* SPDX-License-Identifier: GPL-2.0-or-later
 * policy.h - what priv does, and for whom. Pure.
 *
 * The only judge between a message of an unprivileged process and a change of the host. A verb that has
 * no row in policy.c does not exist; a row names the roles that may ask and the check of its arguments.
 */
#ifndef VNET_VNETD_POLICY_H
#define VNET_VNETD_POLICY_H

#include <stdbool.h>

#include "lib/msg.h"

#define POLICY_QUEUES_MAX 16 /* descriptors that travel with one message */
#define POLICY_MTU_MIN    68
#define POLICY_LEN_MIN    8 /* subnets from /8 to /30 */
#define POLICY_LEN_MAX    30

enum policy {
	POLICY_ALLOWED,
	POLICY_REFUSED, /* the role may ask for this, but not with these arguments: REPLY EPERM */
	POLICY_BREACH,  /* the role never says this: the peer is broken or taken over, end it */
};

/* Judges message m that came in on the channel of role `from`. *why: a sentence part for REPLY and log,
 * NULL when allowed. */
enum policy policy_check(enum role from, const struct msg *m, const char **why);

/* The verb is answered by exactly one REPLY; the others are rows and events. */
bool policy_is_request(enum msg_type type);

#endif
