/* SPDX-License-Identifier: GPL-2.0-or-later
 * want.h - the wanted state: what the configuration means for the kernel. Pure.
 */
#ifndef VNET_VNETD_WANT_H
#define VNET_VNETD_WANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/msg.h"
#include "vnetd/names.h"

#define WANT_ADDRS_MAX 3 /* host adapter, NAT gateway, DHCP server */

enum want_what {
	WANT_NOTHING,  /* no such network: what is left of ours goes */
	WANT_AS_IT_IS, /* refused or in trouble: nothing of it is touched */
	WANT_NET,
};

struct want_net {
	enum want_what what;
	uint16_t mtu;
	enum sysctl_profile profile;
	const char *text; /* of the bridge's alias, static */
	struct ip4 addr[WANT_ADDRS_MAX];
	size_t naddrs;
	struct prefix4 subnet; /* of our connected route; len 0: none */
	struct ip4 src;        /* its preferred source */
	/* Those with static_arp are neighbours that the host knows; borrowed from the configuration. */
	const struct dhcp_host *host;
	size_t nhosts;
};

/* A static tap: [port NAME] tap = yes. */
struct want_tap {
	const char *name; /* borrowed from the configuration */
	unsigned net;
	uint32_t owner;
	unsigned queues;
	struct mac mac; /* the guest's, zero: any */
};

struct want {
	struct want_net net[NAMES_NETS];
	struct want_tap *tap;
	size_t ntaps;
};

/* What a network means. The host's own address comes first among the addresses and is the route's
 * source; without an adapter it is the gateway's, else the DHCP server's. */
void want_net(struct want_net *w, const struct conf_net *n);

/* All static taps of a configuration whose owner is known. False: no memory. */
bool want_taps(struct want *w, const struct conf *c);

void want_fini(struct want *w);

#endif
