/* SPDX-License-Identifier: GPL-2.0-or-later
 * flowdev.h - by which interfaces established connections of guests come: what the flowtable looks at.
 *
 * Pure. Of our own networks those whose connections it takes; of the host's interfaces those with an IPv4 address, but
 * for the loopback: any of them can be the way of some route, a VPN's too. What belongs to a bridge or a bond is not
 * routed by itself, and a port of ours would pass by its bridge.
 */
#ifndef VNET_NATD_FLOWDEV_H
#define VNET_NATD_FLOWDEV_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/rtnl.h"
#include "natd/plan.h"

/* All networks and a good number of others; what comes behind does without. */
enum { FLOWDEVS_MAX = 256 + 64, FLOWDEV_ADDRS_MAX = 1024 };

struct flowdev {
	int ifindex;
	char name[RTNL_NAME_MAX];
};

struct flowdevs {
	struct flowdev v[FLOWDEVS_MAX];
	size_t n;
	int addressed[FLOWDEV_ADDRS_MAX]; /* interfaces with an IPv4 address */
	size_t naddressed;
};

/* The plan asks for a flowtable, and some network of it would use it. */
bool flowdev_any(const struct nat_plan *p);

/* What the host has: first all addresses, then all links. */
void flowdev_addr(struct flowdevs *d, const struct rtnl_addr *a);
void flowdev_link(struct flowdevs *d, const struct nat_plan *p, const struct rtnl_link *l);

/* What can be neither (a port of ours, a loopback): no reason to look again. */
bool flowdev_is_nothing(const struct rtnl_link *l);

/* Calls cb for each that is in `was` and not in `now` (gone), then for each that is only in `now`. The same interface
 * under a new name is the same. */
void flowdev_diff(const struct flowdevs *was, const struct flowdevs *now,
		  void (*cb)(const struct flowdev *d, bool gone, void *arg), void *arg);

#endif
