/* SPDX-License-Identifier: GPL-2.0-or-later
 * netconf.h - what the DHCP server knows of one network's configuration.
 *
 * Built row by row while the engine sends it, sealed (sorted, clipped, checked), then read-only:
 * the server takes it as a whole and drops the old one. Pure but for allocation while building.
 */
#ifndef VNET_DHCPD_NETCONF_H
#define VNET_DHCPD_NETCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

#define NETCONF_HOST_NONE     0xffff /* "the whole network" where a host's index is expected */
#define NETCONF_HOSTS_MAX     0xffff
#define NETCONF_POOL_MAX      (1u << 17) /* addresses that one network's table keeps track of */
#define NETCONF_HOST_NAME     64
#define NETCONF_OPTION_MAX    4096 /* bytes of one joined option */
#define NETCONF_MTU_DEFAULT   1500
#define NETCONF_LEASE_DEFAULT 1800 /* seconds */

/* An option's bytes, joined. len 0: the option is suppressed (`option domain-name ""`). */
struct netconf_opt {
	uint8_t code;
	uint16_t len;
	uint8_t *data;
};

/* At most one entry per code. */
struct netconf_opts {
	struct netconf_opt *v;
	size_t n;
};

struct netconf_range {
	struct ip4 lo, hi; /* both dynamic */
	bool known;        /* for clients with a host block only */
};

/* A client that is known by its MAC. ip 0: it has no fixed address. */
struct netconf_host {
	struct mac mac;
	struct ip4 ip;
	char name[NETCONF_HOST_NAME];
	uint32_t default_lease_s, max_lease_s, min_lease_s; /* 0: the network's */
	struct ip4 next_server;                             /* 0: the network's */
	bool booting;                                       /* it is answered */
	bool bootp; /* also when it does not speak DHCP; then it needs a fixed address */
	struct netconf_opts opts;
};

struct netconf {
	unsigned net;
	struct prefix4 subnet;
	struct ip4 server; /* our own address: option 54, source of every reply */
	struct ip4 host;   /* host adapter and NAT gateway; 0: none */
	struct ip4 gateway;
	uint16_t mtu;
	uint32_t default_lease_s, max_lease_s;
	uint32_t min_lease_s;    /* 0: DHCP_LEASE_MIN_S */
	struct ip4 next_server;  /* where the boot file is: siaddr; 0: nowhere */
	bool booting;            /* clients without a host block are answered */
	bool unknown_clients;    /* false: only clients with a host block are served */
	bool authoritative;      /* nobody else gives addresses on this network */
	bool ping_check;         /* an address is probed by ARP when it is offered */
	uint16_t ping_timeout_s; /* so long after that an answer counts when it has been granted */

	struct netconf_range *range; /* sorted, disjoint, inside the subnet, once sealed */
	size_t nranges;
	struct netconf_host *host_v; /* sorted by MAC once sealed */
	size_t nhosts;
	struct netconf_opts opts;

	/* Made by netconf_seal(). */
	uint32_t *host_by_ip; /* indices of hosts with an address, sorted by it */
	size_t nhost_by_ip;
	uint32_t pool; /* dynamic addresses that may be given away */
};

/* An empty configuration; NULL: no memory. */
struct netconf *netconf_new(unsigned net);
void netconf_free(struct netconf *c);

/* Rows, in any order but for options of a host, which come after it. `index` counts hosts from 0
 * without gaps. An option that comes again is continued (RFC 3396). 0, -EINVAL for an impossible
 * row, -ENOMEM, -E2BIG beyond the limits above. */
int netconf_add_range(struct netconf *c, struct ip4 lo, struct ip4 hi, bool known);
int netconf_add_host(struct netconf *c, unsigned index, struct mac mac, struct ip4 ip,
		     const char *name);
int netconf_add_option(struct netconf *c, unsigned host, uint8_t code, const void *data,
		       size_t len);

/* Ends building: sorts, merges and clips ranges, builds the indices; lease times that make no sense
 * (0, a maximum below the default) are mended. Must be called once, before use.
 * 0, -ENOMEM; -EINVAL when the server's address is not inside the subnet. */
int netconf_seal(struct netconf *c);

/* The client's host block, or NULL. */
const struct netconf_host *netconf_host_find(const struct netconf *c, struct mac mac);

/* The host block that owns this address, or NULL. */
const struct netconf_host *netconf_host_by_ip(const struct netconf *c, struct ip4 ip);

/* One of the network's own addresses, or its network or broadcast address: never a guest's. */
bool netconf_owns(const struct netconf *c, struct ip4 ip);

/* Inside a range (own addresses included). */
bool netconf_in_range(const struct netconf *c, struct ip4 ip);

/* May be given to anybody: in a range for all, not ours, not reserved. */
bool netconf_is_dynamic(const struct netconf *c, struct ip4 ip);

/* The same of a range for known clients. */
bool netconf_is_for_known(const struct netconf *c, struct ip4 ip);

/* May be given to this client: its own reservation, or an address of a range that it may use. */
bool netconf_fits(const struct netconf *c, struct ip4 ip, struct mac mac);

/* The value in force for a client: its host's, else the network's. NULL: none, or suppressed by
 * an empty value or (routers, DNS, WINS) by 0.0.0.0. `host` may be NULL. */
const struct netconf_opt *netconf_option(const struct netconf *c, const struct netconf_host *host,
					 uint8_t code);

#endif
