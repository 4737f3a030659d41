/* SPDX-License-Identifier: GPL-2.0-or-later
 * rtnl.h - the read side of rtnetlink: what exists, and events. Needs no privilege.
 *
 * Kernel changes are verbs executed in vnetd/priv_link.c, never here. netlink types stay inside.
 */
#ifndef VNET_LIB_RTNL_H
#define VNET_LIB_RTNL_H

#include <stdbool.h>
#include <stdint.h>

#include "inet.h"

#define RTNL_NAME_MAX  16
#define RTNL_ALIAS_MAX 256
#define RTNL_KIND_MAX  16

struct rtnl_link {
	int ifindex;
	int master; /* ifindex of the bridge, 0: none */
	int peer;   /* IFLA_LINK, 0: none */
	char name[RTNL_NAME_MAX];
	char kind[RTNL_KIND_MAX]; /* "bridge", "tun", "veth", ... or "" */
	char alias[RTNL_ALIAS_MAX];
	struct mac mac;
	uint32_t mtu, group;
	bool up, lower_up, loopback, bridge_port;
	/* Of a bridge port: its attributes locked, learning and (unicast) flood. */
	bool port_locked, port_learning, port_flood;
	bool tun_persist;   /* IFLA_TUN_PERSIST */
	int64_t tun_owner;  /* IFLA_TUN_OWNER, -1: any */
	uint8_t port_state; /* IFLA_BRPORT_STATE */
	int peer_netnsid;   /* IFLA_LINK_NETNSID, -1: none or ours */
};

struct rtnl_addr {
	int ifindex;
	struct ip4 addr;
	uint8_t plen;  /* prefix length of the address, 0-32 */
	uint8_t proto; /* IFA_PROTO: who added it; 0: not said */
};

struct rtnl_route {
	int oif; /* 0: none. Of a multipath route its first way */
	struct prefix4 dst;
	struct ip4 gateway, src;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol, scope, type;
};

/* An entry of a bridge's forwarding table. */
struct rtnl_fdb {
	int ifindex; /* of the bridge port (or the bridge itself) */
	int master;  /* of the bridge */
	struct mac mac;
	uint16_t vlan; /* 0: none */
	bool local;    /* an address of the host's own links (NUD_PERMANENT), not a learned one */
};

/* An IPv4 neighbour. */
struct rtnl_neigh {
	int ifindex;
	struct ip4 addr;
	struct mac mac; /* zero: not known */
	uint8_t proto;  /* NDA_PROTOCOL: who added it; 0: not said */
	bool permanent;
};

struct rtnl_events {
	void (*link)(const struct rtnl_link *l, bool gone, void *arg);
	void (*addr)(const struct rtnl_addr *a, bool gone, void *arg);
	void (*route)(const struct rtnl_route *r, bool gone, void *arg);
	/* In another table than main and local, where only a policy rule leads to. */
	void (*other_route)(const struct rtnl_route *r, bool gone, void *arg);
	/* A bridge has forgotten an address. */
	void (*fdb_gone)(const struct rtnl_fdb *f, void *arg);
	/* The kernel has forgotten an IPv4 neighbour that somebody had added with a protocol number. */
	void (*neigh_gone)(const struct rtnl_neigh *n, void *arg);
	/* A filter or queueing discipline was taken off a link. */
	void (*filter_gone)(int ifindex, void *arg);
	/* Events were lost (ENOBUFS): read everything again. */
	void (*overrun)(void *arg);
};

struct rtnl;

/* Opens the query and the event socket and joins LINK, IPV4_IFADDR, IPV4_ROUTE, and NEIGH and TC for what goes
 * (a filter on the socket keeps away what comes: floods of learned addresses, ARP). Callbacks may be NULL.
 * NULL on failure (errno). Seccomp: SANDBOX_SOCKET_NETLINK, or open before the filter. */
struct rtnl *rtnl_new(const struct rtnl_events *ev, void *arg);
void rtnl_free(struct rtnl *r);

/* The event socket, to be watched for reading; then rtnl_dispatch(). */
int rtnl_event_fd(const struct rtnl *r);
void rtnl_dispatch(struct rtnl *r);

/* Dumps; cb for each. 0 or -errno. IPv4 only; routes are those of the tables main and local. */
int rtnl_links(struct rtnl *r, void (*cb)(const struct rtnl_link *l, void *arg), void *arg);
int rtnl_addrs(struct rtnl *r, void (*cb)(const struct rtnl_addr *a, void *arg), void *arg);
/* AF_BRIDGE neighbours of every bridge. */
int rtnl_fdb(struct rtnl *r, void (*cb)(const struct rtnl_fdb *f, void *arg), void *arg);
/* IPv4 neighbours of every link. */
int rtnl_neighs(struct rtnl *r, void (*cb)(const struct rtnl_neigh *n, void *arg), void *arg);
/* Once for each way of a multipath route. */
int rtnl_routes(struct rtnl *r, void (*cb)(const struct rtnl_route *rt, void *arg), void *arg);
/* Those of every table. */
int rtnl_all_routes(struct rtnl *r, void (*cb)(const struct rtnl_route *rt, void *arg), void *arg);

#endif
