/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_bridge_nf.h - whether the kernel shows frames between guests to the host's rules for IPv4.
 *
 * It does when the switch of the host is on, or that of the bridge. Read at the moment of the question,
 * since nothing tells when somebody turns one.
 */
#ifndef VNET_VNETD_CTL_BRIDGE_NF_H
#define VNET_VNETD_CTL_BRIDGE_NF_H

#include <stdbool.h>

#include "vnetd/ctl_client.h"

/* net.bridge.bridge-nf-call-iptables: 0 or 1; -1: the kernel has none. */
int ctl_bridge_nf_host(void);

/* The switch of the bridge vmnetN is on. */
bool ctl_bridge_nf_of(unsigned net);

/* Takes out those WARNING_ROWs that hold only while such a switch is on, and none is. */
void ctl_bridge_nf_keep(struct rows *warnings);

#endif
