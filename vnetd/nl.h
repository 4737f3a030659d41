/* SPDX-License-Identifier: GPL-2.0-or-later
 * nl.h - one netlink socket of priv: build a request, send it, read the kernel's answer.
 *
 * Synchronous: the kernel has answered by the time a send returns, so nothing here ever waits. Used by
 * priv's handlers, by --teardown and by the checks of start-up; processes that only read use lib/rtnl.h.
 */
#ifndef VNET_VNETD_NL_H
#define VNET_VNETD_NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"
#include "vnetd/names.h"

struct nl;

/* protocol: NETLINK_ROUTE, NETLINK_NETFILTER. NULL: errno. */
struct nl *nl_open(int protocol);
void nl_close(struct nl *nl);

/* Begins a request in nl's buffer: a header with these flags (NLM_F_REQUEST and NLM_F_ACK are added)
 * and a zeroed family header of `extra` bytes, *family. Attributes follow by libmnl's mnl_attr_put_*. */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags, void **family,
			  size_t extra);

/* Sends the request and reads its acknowledgement: 0 or the kernel's -errno. */
int nl_ack(struct nl *nl);

/* The same, and cb for every message of the answer before it; cb must not begin a request. */
int nl_ask(struct nl *nl, void (*cb)(const struct nlmsghdr *h, void *arg), void *arg);

/* What the kernel said about the last failure ("Attribute failed policy validation"), else "". */
const char *nl_words(const struct nl *nl);

/* Attributes of a bridge port, as far as the gate sets them. */
struct nl_port {
	bool locked;   /* only frames from addresses in static entries come in */
	bool learning; /* sources become entries */
	bool flood;    /* frames to unknown unicast addresses go out */
};

/* A link as far as priv has to know it. */
struct nl_link {
	int ifindex;
	int master;     /* ifindex, 0: none */
	unsigned flags; /* IFF_* */
	uint32_t mtu, group;
	char name[NAMES_IFNAME_MAX];
	char kind[16]; /* "bridge", "tun", ...; "": hardware, or a driver without rtnetlink */
	char alias[NAMES_ALIAS_MAX];
	struct mac mac;
	bool tun_persist; /* a tap that outlives its holder */
	/* of a bridge */
	uint32_t stp, forward_delay;
	uint8_t mcast_snooping;
	/* of a bridge's port */
	struct nl_port port;
};

/* Looks a link up. 0, -ENODEV, -errno. */
int nl_link_get(struct nl *nl, const char *name, struct nl_link *out);
int nl_link_get_index(struct nl *nl, int ifindex, struct nl_link *out);

/* Calls cb for every link. 0, -EAGAIN when links changed meanwhile and some may be missing, -errno. */
int nl_link_each(struct nl *nl, void (*cb)(const struct nl_link *l, void *arg), void *arg);

/* The link was made by us (names_is_ours()); *net as there. */
bool nl_link_is_ours(const struct nl_link *l, unsigned *net);

/* Deletes one link, or all links of a group in one message. 0 or -errno. */
int nl_link_del(struct nl *nl, int ifindex);
int nl_group_del(struct nl *nl, uint32_t group);

/* -- nl_addr.c: addresses that redirections add -- */

struct nl_alias {
	int ifindex;
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/* 0; 1 when the interface has the address already, whosever it is; or -errno. */
int nl_alias_add(struct nl *nl, const struct nl_alias *a);

/* 0, also when it is gone, or -errno. */
int nl_alias_del(struct nl *nl, const struct nl_alias *a);

/* Calls cb for each that carries our number. 0, -EAGAIN when some may be missing, -errno. */
int nl_alias_each(struct nl *nl, void (*cb)(const struct nl_alias *a, void *arg), void *arg);

/* -- nl_bridge.c: ports of bridges -- */

/* Sets a port's attributes in one message; flush: what it has learned goes. 0 or -errno. */
int nl_port_set(struct nl *nl, int ifindex, const struct nl_port *port, bool flush);

/* A static entry of the port's bridge that no frame from another port can move; one for this address that
 * another port has is moved. 0 or -errno. */
int nl_fdb_set(struct nl *nl, int ifindex, struct mac mac);

/* Deletes an entry, static or learned. 0, also when there is none, or -errno. */
int nl_fdb_del(struct nl *nl, int ifindex, struct mac mac);

/* Calls cb for the address of every entry of the port. 0, -EAGAIN when some may be missing, -errno. */
int nl_fdb_each(struct nl *nl, int ifindex, void (*cb)(struct mac mac, void *arg), void *arg);

/* -- nl_tc.c: the gate's programs as filters on the hooks of a link; use hook.h -- */

/* What the link sends is its egress. */
enum nl_hook { NL_INGRESS, NL_EGRESS };

/* Those that a qdisc has: an ingress qdisc the one, a clsact qdisc both. A link has one of them at most. */
enum nl_hooks { NL_INGRESS_ONLY, NL_BOTH };

/* Makes such a qdisc unless the link has one of either kind. The frames that the link is to send at this moment
 * are lost: the kernel stops its queues meanwhile. 0 or -errno. */
int nl_tc_open(struct nl *nl, int ifindex, enum nl_hooks hooks);

/* It has the hook NL_EGRESS too: with an ingress qdisc that would be NL_INGRESS once more. */
bool nl_tc_has_egress(struct nl *nl, int ifindex);

/* Puts a program there, instead of an earlier one of ours in one step. 0 or -errno. */
int nl_tc_attach(struct nl *nl, int ifindex, enum nl_hook hook, int prog);

/* Takes it away. 0, -ENOENT when there is none, -errno. */
int nl_tc_detach(struct nl *nl, int ifindex, enum nl_hook hook);

/* Takes the qdisc away, whoever made it, if there is one and it has no filter; frames are lost as by
 * nl_tc_open(). 0 or -errno. */
int nl_tc_close(struct nl *nl, int ifindex);

/* Kernel id of the program of ours that is there, *id; 0: none. 0 or -errno. */
int nl_tc_running(struct nl *nl, int ifindex, enum nl_hook hook, uint32_t *id);

#endif
