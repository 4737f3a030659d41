/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_lines.h - what vnet-networks prints: the lines of vmware-networks, in its order.
 *
 * Pure. Programs compare these lines; nothing else may appear among them on stdout.
 */
#ifndef VNET_VNETD_NETWORKS_LINES_H
#define VNET_VNETD_NETWORKS_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"

struct conf;
struct strbuf;

/* The services that VMware knows of one network: configured, and working. */
struct net_services {
	unsigned net;
	bool bridge, adapter, dhcp, nat;
	bool bridge_up, adapter_up, dhcp_up, nat_up;
};

enum lines_verb { LINES_START, LINES_STOP, LINES_STATUS };

/* What vnetd says about a network. */
struct net_services net_services_of_row(const struct msg_net_row *row);

/* What the configuration wants; nothing of it works. Writes at most 256, returns how many. */
size_t net_services_of_conf(struct net_services *v, const struct conf *conf);

/* Appends all lines with the closing one. Returns whether everything is as the verb wants it: for
 * LINES_STOP a service counts as stopped when it does not work. */
bool networks_lines(struct strbuf *out, enum lines_verb verb, const struct net_services *v,
		    size_t n);

#endif
