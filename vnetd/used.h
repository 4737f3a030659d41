/* SPDX-License-Identifier: GPL-2.0-or-later
 * used.h - which IPv4 prefixes the host uses, so that a subnet can be chosen beside them. Pure.
 */
#ifndef VNET_VNETD_USED_H
#define VNET_VNETD_USED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/inet.h"
#include "vnetd/snapshot.h"

struct used {
	struct prefix4 *v;
	size_t n;
	bool bad; /* out of memory */
};

/* Routes (but for default routes in any disguise) and addresses of the snapshot, and the name servers of
 * resolv.conf (text may be NULL). What is on our own bridges does not count: the configuration knows it. */
void used_collect(struct used *u, const struct snapshot *s, const char *resolv_conf);
void used_fini(struct used *u);

#endif
