/* SPDX-License-Identifier: GPL-2.0-or-later
 * defaults.h - the first configuration, where none exists: vmnet0 bridged, vmnet1 host-only, vmnet8
 * NAT, with unused private subnets, as VMware's installer makes them.
 *
 * Pure: the host's addresses and random numbers come from the caller.
 */
#ifndef VNET_CONF_DEFAULTS_H
#define VNET_CONF_DEFAULTS_H

#include "conf/change.h"

/* An unused private /24 for network n: 172.16.x.0 for even numbers, 192.168.x.0 for odd ones, x
 * from env->random; when that half is full the other, then 10.x.y.0. Never one that overlaps
 * env->used, of which prefixes shorter than /8 (the default route, the halves that VPNs set) are
 * left out. False when everything is taken. */
bool conf_pick_subnet(struct prefix4 *out, unsigned n, const struct conf_env *env);

/* The same, avoiding the `own` subnets as well. */
bool conf_pick_subnet_beside(struct prefix4 *out, unsigned n, const struct conf_env *env,
			     const struct prefix4 *own, size_t own_n);

/* The files of a fresh installation: `networking`, netmap.conf, vnetd.conf (all comments; left
 * alone where it exists), and dhcpd.conf and nat.conf of vmnet1 and vmnet8. User parts of existing
 * dhcpd.conf files are kept. */
bool conf_defaults(struct conf_changes *ch, const struct conf_sources *src,
		   const struct conf_env *env, struct diags *d);

#endif
