/* SPDX-License-Identifier: GPL-2.0-or-later
 * rows.h - answers to requests that only read: rows, then the REPLY.
 */
#ifndef VNET_VNETD_ROWS_H
#define VNET_VNETD_ROWS_H

#include <stdint.h>

struct core;
struct client;
struct net;
struct port;

void rows_status(struct core *c, const struct client *cl, uint32_t request);

/* net: one network, or MSG_NET_ALL. */
void rows_nets(struct core *c, const struct client *cl, uint32_t request, unsigned net);
void rows_forwards(struct core *c, const struct client *cl, uint32_t request, unsigned net);

/* This one asks priv first. */
void rows_conns(struct core *c, const struct client *cl, uint32_t request, unsigned net);

/* Ports of forwards that are held: natd knows. */
void rows_holds(struct core *c, const struct client *cl, uint32_t request);

/* What it relays from ::1. */
void rows_relays(struct core *c, const struct client *cl, uint32_t request);

/* What the DNS proxy has counted, and its servers: natd, too. */
void rows_dns_stats(struct core *c, const struct client *cl, uint32_t request, unsigned net);

/* These four ask dhcpd first. */
void rows_ports(struct core *c, const struct client *cl, uint32_t request, unsigned net);
void rows_leases(struct core *c, const struct client *cl, uint32_t request, unsigned net);
void rows_dhcp_stats(struct core *c, const struct client *cl, uint32_t request, unsigned net);
void rows_promisc(struct core *c, const struct client *cl, uint32_t request, unsigned net);

/* One port's row and the REPLY; the same. */
void rows_port(struct core *c, const struct client *cl, uint32_t request, const struct port *p);

/* One network's row, without a REPLY. client: its serial number. */
void rows_net(struct core *c, uint32_t client, uint32_t request, const struct net *n);

/* Guests on a network. */
unsigned rows_guests(const struct core *c, unsigned net);

#endif
