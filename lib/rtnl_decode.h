/* SPDX-License-Identifier: GPL-2.0-or-later
 * rtnl_decode.h - rtnetlink messages of the kernel -> the structs of rtnl.h. Private to rtnl.c and its
 * tests.
 *
 * Pure. `nlh` must lie wholly in the buffer (mnl_nlmsg_ok()). False: not this kind of message, too
 * short, or not what rtnl.h reports (another address family, another table).
 */
#ifndef VNET_LIB_RTNL_DECODE_H
#define VNET_LIB_RTNL_DECODE_H

#include "rtnl.h"

struct nlmsghdr;

/* RTM_NEWLINK, RTM_DELLINK of family AF_UNSPEC. */
bool rtnl_decode_link(struct rtnl_link *out, const struct nlmsghdr *nlh);

/* RTM_NEWLINK or RTM_DELLINK of family AF_BRIDGE: a bridge speaks about its port, and "deleted" only
 * means that the port has left. Such a message has few attributes. The port's ifindex, else 0. */
int rtnl_decode_bridge_port(const struct nlmsghdr *nlh);

/* RTM_NEWADDR, RTM_DELADDR of IPv4. */
bool rtnl_decode_addr(struct rtnl_addr *out, const struct nlmsghdr *nlh);

/* RTM_NEWROUTE, RTM_DELROUTE of IPv4, tables main and local, no cache entries. */
bool rtnl_decode_route(struct rtnl_route *out, const struct nlmsghdr *nlh);
/* The same, of every table. */
bool rtnl_decode_any_route(struct rtnl_route *out, const struct nlmsghdr *nlh);
/* A decoded multipath route has its first way. Puts the n-th in its place; false: it has not so many. */
bool rtnl_decode_way(struct rtnl_route *r, const struct nlmsghdr *nlh, unsigned n);

/* RTM_NEWNEIGH, RTM_DELNEIGH of family AF_BRIDGE from a bridge; not the address lists that every device has. */
bool rtnl_decode_fdb(struct rtnl_fdb *out, const struct nlmsghdr *nlh);

/* RTM_NEWNEIGH, RTM_DELNEIGH of IPv4. */
bool rtnl_decode_neigh(struct rtnl_neigh *out, const struct nlmsghdr *nlh);

/* RTM_DELTFILTER, RTM_DELQDISC: the link that it was taken off, else 0. */
int rtnl_decode_filter_gone(const struct nlmsghdr *nlh);

#endif
