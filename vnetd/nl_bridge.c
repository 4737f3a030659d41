/* SPDX-License-Identifier: GPL-2.0-or-later
 * nl_bridge.c - requests about a bridge's ports: their attributes and forwarding entries. No policy.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "vnetd/nl.h"

int
nl_port_set(struct nl *nl, int ifindex, const struct nl_port *port, bool flush)
{
	struct nlattr *info, *data;
	void *ifi;
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, 0, &ifi, sizeof(struct ifinfomsg));

	((struct ifinfomsg *)ifi)->ifi_index = ifindex;
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(h, IFLA_BRPORT_LEARNING, port->learning);
	mnl_attr_put_u8(h, IFLA_BRPORT_UNICAST_FLOOD, port->flood);
	mnl_attr_put_u8(h, IFLA_BRPORT_LOCKED, port->locked);
	if (flush)
		mnl_attr_put(h, IFLA_BRPORT_FLUSH, 0, NULL);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return nl_ack(nl);
}

static int
entry(struct nl *nl, uint16_t type, uint16_t flags, int ifindex, struct mac mac)
{
	struct ndmsg *nd;
	void *extra;
	struct nlmsghdr *h = nl_begin(nl, type, flags, &extra, sizeof(*nd));

	nd = extra;
	nd->ndm_family = AF_BRIDGE;
	nd->ndm_ifindex = ifindex;
	nd->ndm_state = NUD_NOARP; /* static */
	nd->ndm_flags = NTF_MASTER | NTF_STICKY;
	mnl_attr_put(h, NDA_LLADDR, sizeof(mac.b), mac.b);
	return nl_ack(nl);
}

int
nl_fdb_set(struct nl *nl, int ifindex, struct mac mac)
{
	return entry(nl, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, mac);
}

int
nl_fdb_del(struct nl *nl, int ifindex, struct mac mac)
{
	int r = entry(nl, RTM_DELNEIGH, 0, ifindex, mac);

	return r == -ENOENT ? 0 : r;
}

struct each {
	int ifindex;
	void (*cb)(struct mac mac, void *arg);
	void *arg;
};

/* Only a bridge names itself; the lists that every link has are not meant. */
static void
on_entry(const struct nlmsghdr *h, void *arg)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	const struct each *each = arg;
	const struct nlattr *a;
	bool of_bridge = false, has_mac = false;
	struct mac mac;

	if (h->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(h) < sizeof(*nd) ||
	    nd->ndm_ifindex != each->ifindex)
		return;
	mnl_attr_for_each(a, h, sizeof(*nd))
	{
		of_bridge |= mnl_attr_get_type(a) == NDA_MASTER;
		if (mnl_attr_get_type(a) != NDA_LLADDR ||
		    mnl_attr_get_payload_len(a) != sizeof(mac.b))
			continue;
		memcpy(mac.b, mnl_attr_get_payload(a), sizeof(mac.b));
		has_mac = true;
	}
	if (of_bridge && has_mac)
		each->cb(mac, each->arg);
}

int
nl_fdb_each(struct nl *nl, int ifindex, void (*cb)(struct mac mac, void *arg), void *arg)
{
	struct each each = {ifindex, cb, arg};
	struct ndmsg *nd;
	void *extra;

	nl_begin(nl, RTM_GETNEIGH, NLM_F_DUMP, &extra, sizeof(*nd));
	nd = extra;
	nd->ndm_family = AF_BRIDGE;
	nd->ndm_ifindex = ifindex;
	return nl_ask(nl, on_entry, &each);
}
