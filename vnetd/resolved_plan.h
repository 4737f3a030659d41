/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_plan.h - what systemd-resolved is told of our networks: what is wanted, and what that changes. Pure.
 */
#ifndef VNET_VNETD_RESOLVED_PLAN_H
#define VNET_VNETD_RESOLVED_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/inet.h"
#include "lib/msg.h"

#define RESOLVED_NETS        256
#define RESOLVED_DOMAIN_LEN  40 /* a domain and NUL */
#define RESOLVED_DOMAINS_MAX 2

/* A link as resolved is told of it. */
struct resolved_link {
	unsigned net;
	int ifindex;
	struct ip4 dns; /* the name server */
	struct prefix4 subnet;
};

struct resolved_links {
	struct resolved_link v[RESOLVED_NETS];
	size_t n;
};

/* The names of this network can be asked for: it is up and has a name server that answers. */
bool resolved_wants(const struct msg_net_row *row);

/* The domains of a link, "vmnet8" and where the subnet ends at a byte the reverse one, "8.168.192.in-addr.arpa". How many. */
size_t resolved_domains(char out[RESOLVED_DOMAINS_MAX][RESOLVED_DOMAIN_LEN],
			const struct resolved_link *l);

bool resolved_link_eq(const struct resolved_link *a, const struct resolved_link *b);

/* The next thing to do on the way from what resolved has been told (done) to what is wanted. NULL: nothing. *forget: it
 * is a link of `done` that is to be taken back, else one of `wanted` that is to be told. The caller does it, and notes it
 * by resolved_note(). */
const struct resolved_link *resolved_next(const struct resolved_links *done,
					  const struct resolved_links *wanted, bool *forget);

/* What was told, or taken back, in `done`. */
void resolved_note(struct resolved_links *done, const struct resolved_link *l, bool forget);

#endif
