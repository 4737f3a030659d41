/* SPDX-License-Identifier: GPL-2.0-or-later
 * netns.h - who owns a network namespace that a client has passed in.
 */
#ifndef VNET_VNETD_NETNS_H
#define VNET_VNETD_NETNS_H

#include <stdint.h>

/* The user who made the user namespace that the network namespace belongs to; root for the host's own
 * user namespace. 0, -EINVAL when the descriptor is no network namespace, -EPERM when it belongs to
 * a user namespace outside ours, -errno. Seccomp: SANDBOX_NSFS. */
int netns_owner(int fd, uint32_t *uid);

#endif
