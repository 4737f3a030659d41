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

/* What the kernel said about the last failure ("Attribute failed policy validation"), else "". */
const char *nl_words(const struct nl *nl);

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
	/* of a bridge */
	uint32_t stp, forward_delay;
	uint8_t mcast_snooping;
};

/* Looks a link up. 0, -ENODEV, -errno. */
int nl_link_get(struct nl *nl, const char *name, struct nl_link *out);

/* Calls cb for every link. 0, -EAGAIN when links changed meanwhile and some may be missing, -errno. */
int nl_link_each(struct nl *nl, void (*cb)(const struct nl_link *l, void *arg), void *arg);

/* The link was made by us (names_is_ours()); *net as there. */
bool nl_link_is_ours(const struct nl_link *l, unsigned *net);

/* Deletes one link, or all links of a group in one message. 0 or -errno. */
int nl_link_del(struct nl *nl, int ifindex);
int nl_group_del(struct nl *nl, uint32_t group);

#endif
