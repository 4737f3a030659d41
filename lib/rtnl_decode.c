/* SPDX-License-Identifier: GPL-2.0-or-later
 * rtnl_decode.c - rtnetlink attributes to plain structs. Pure: no sockets, no log, no allocation.
 *
 * The bytes come from the kernel, but every length is checked all the same: a kernel newer than this
 * file may add to any attribute, and what is unknown or odd is passed over.
 */
#include "rtnl_decode.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* Attributes by type; types above `max` are passed over. */
struct attrs {
	const struct nlattr **tb;
	uint16_t max;
};

static int
collect(const struct nlattr *attr, void *data)
{
	const struct attrs *a = data;

	if (mnl_attr_get_type(attr) <= a->max)
		a->tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* The message's own header of `len` bytes, or NULL when it is cut short. */
static const void *
family_header(const struct nlmsghdr *nlh, size_t len)
{
	return mnl_nlmsg_get_payload_len(nlh) >= len ? mnl_nlmsg_get_payload(nlh) : NULL;
}

static uint32_t
get_u32(const struct nlattr *attr, uint32_t otherwise)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : otherwise;
}

static uint8_t
get_u8(const struct nlattr *attr, uint8_t otherwise)
{
	return attr && mnl_attr_get_payload_len(attr) >= 1 ? mnl_attr_get_u8(attr) : otherwise;
}

static uint16_t
get_u16(const struct nlattr *attr, uint16_t otherwise)
{
	return attr && mnl_attr_get_payload_len(attr) >= 2 ? mnl_attr_get_u16(attr) : otherwise;
}

static struct ip4
get_ip4(const struct nlattr *attr)
{
	return ip4_from_be(get_u32(attr, 0));
}

/* Zero when it is absent or of another length, as on InfiniBand. */
static struct mac
get_mac(const struct nlattr *attr)
{
	struct mac m = {0};

	if (attr && mnl_attr_get_payload_len(attr) == sizeof(m.b))
		memcpy(m.b, mnl_attr_get_payload(attr), sizeof(m.b));
	return m;
}

static void
get_text(char *dst, size_t cap, const struct nlattr *attr)
{
	size_t len = 0;

	if (attr) {
		const char *s = mnl_attr_get_payload(attr);

		len = strnlen(s, mnl_attr_get_payload_len(attr));
		if (len >= cap)
			len = cap - 1;
		memcpy(dst, s, len);
	}
	dst[len] = '\0';
}

static bool
text_is(const struct nlattr *attr, const char *text)
{
	char buf[RTNL_KIND_MAX];

	get_text(buf, sizeof(buf), attr);
	return strcmp(buf, text) == 0;
}

static void
decode_tun(struct rtnl_link *l, const struct nlattr *data)
{
	const struct nlattr *tb[IFLA_TUN_MAX + 1] = {0};
	struct attrs a = {tb, IFLA_TUN_MAX};

	mnl_attr_parse_nested(data, collect, &a);
	l->tun_persist = get_u8(tb[IFLA_TUN_PERSIST], 0) != 0;
	if (tb[IFLA_TUN_OWNER])
		l->tun_owner = get_u32(tb[IFLA_TUN_OWNER], 0);
}

static void
decode_bridge_slave(struct rtnl_link *l, const struct nlattr *data)
{
	const struct nlattr *tb[IFLA_BRPORT_MAX + 1] = {0};
	struct attrs a = {tb, IFLA_BRPORT_MAX};

	mnl_attr_parse_nested(data, collect, &a);
	l->port_state = get_u8(tb[IFLA_BRPORT_STATE], 0);
	l->port_locked = get_u8(tb[IFLA_BRPORT_LOCKED], 0) != 0;
	l->port_learning = get_u8(tb[IFLA_BRPORT_LEARNING], 0) != 0;
	l->port_flood = get_u8(tb[IFLA_BRPORT_UNICAST_FLOOD], 0) != 0;
}

static void
decode_linkinfo(struct rtnl_link *l, const struct nlattr *info)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1] = {0};
	struct attrs a = {tb, IFLA_INFO_MAX};

	mnl_attr_parse_nested(info, collect, &a);
	get_text(l->kind, sizeof(l->kind), tb[IFLA_INFO_KIND]);
	if (tb[IFLA_INFO_DATA] && text_is(tb[IFLA_INFO_KIND], "tun"))
		decode_tun(l, tb[IFLA_INFO_DATA]);
	l->bridge_port = text_is(tb[IFLA_INFO_SLAVE_KIND], "bridge");
	if (l->bridge_port && tb[IFLA_INFO_SLAVE_DATA])
		decode_bridge_slave(l, tb[IFLA_INFO_SLAVE_DATA]);
}

bool
rtnl_decode_link(struct rtnl_link *out, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = family_header(nlh, sizeof(*ifi));
	const struct nlattr *tb[IFLA_MAX + 1] = {0};
	struct attrs a = {tb, IFLA_MAX};
	struct rtnl_link l = {.tun_owner = -1, .peer_netnsid = -1};

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return false;
	if (!ifi || ifi->ifi_family != AF_UNSPEC || ifi->ifi_index <= 0)
		return false;
	mnl_attr_parse(nlh, sizeof(*ifi), collect, &a);
	/* Wireless drivers announce scans as RTM_NEWLINK with the name and little else. */
	if (!tb[IFLA_IFNAME] || !tb[IFLA_MTU])
		return false;

	l.ifindex = ifi->ifi_index;
	l.up = ifi->ifi_flags & IFF_UP;
	l.lower_up = ifi->ifi_flags & IFF_LOWER_UP;
	l.loopback = ifi->ifi_flags & IFF_LOOPBACK;
	l.master = (int)get_u32(tb[IFLA_MASTER], 0);
	l.peer = (int)get_u32(tb[IFLA_LINK], 0);
	l.peer_netnsid = (int)get_u32(tb[IFLA_LINK_NETNSID], UINT32_MAX);
	l.mtu = get_u32(tb[IFLA_MTU], 0);
	l.group = get_u32(tb[IFLA_GROUP], 0);
	get_text(l.name, sizeof(l.name), tb[IFLA_IFNAME]);
	get_text(l.alias, sizeof(l.alias), tb[IFLA_IFALIAS]);
	l.mac = get_mac(tb[IFLA_ADDRESS]);
	if (tb[IFLA_LINKINFO])
		decode_linkinfo(&l, tb[IFLA_LINKINFO]);
	*out = l;
	return true;
}

int
rtnl_decode_bridge_port(const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = family_header(nlh, sizeof(*ifi));

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return 0;
	if (!ifi || ifi->ifi_family != AF_BRIDGE || ifi->ifi_index <= 0)
		return 0;
	return ifi->ifi_index;
}

bool
rtnl_decode_addr(struct rtnl_addr *out, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = family_header(nlh, sizeof(*ifa));
	const struct nlattr *tb[IFA_MAX + 1] = {0};
	struct attrs a = {tb, IFA_MAX};

	if (nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR)
		return false;
	if (!ifa || ifa->ifa_family != AF_INET || ifa->ifa_prefixlen > 32)
		return false;
	mnl_attr_parse(nlh, sizeof(*ifa), collect, &a);
	/* On a point-to-point link IFA_ADDRESS is the other end. */
	*out = (struct rtnl_addr){
	    .ifindex = (int)ifa->ifa_index,
	    .addr = get_ip4(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS]),
	    .plen = ifa->ifa_prefixlen,
	    .proto = get_u8(tb[IFA_PROTO], 0),
	};
	return true;
}

/* The n-th of RTA_MULTIPATH: struct rtnexthop each, with attributes of its own behind. */
static const struct rtnexthop *
nth_way(const struct nlattr *ways, unsigned n)
{
	const uint8_t *at = mnl_attr_get_payload(ways);
	size_t left = mnl_attr_get_payload_len(ways);

	for (;;) {
		const struct rtnexthop *nh = (const void *)at;
		size_t len;

		if (left < sizeof(*nh) || nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > left)
			return NULL;
		if (n-- == 0)
			return nh;
		len = RTNH_ALIGN(nh->rtnh_len);
		if (len >= left)
			return NULL;
		at += len;
		left -= len;
	}
}

static bool
take_way(struct rtnl_route *out, const struct nlattr *ways, unsigned n)
{
	const struct rtnexthop *nh = nth_way(ways, n);
	const struct nlattr *tb[RTA_MAX + 1] = {0};
	struct attrs a = {tb, RTA_MAX};

	if (!nh)
		return false;
	mnl_attr_parse_payload(nh + 1, nh->rtnh_len - sizeof(*nh), collect, &a);
	out->oif = nh->rtnh_ifindex;
	out->gateway = get_ip4(tb[RTA_GATEWAY]);
	return true;
}

bool
rtnl_decode_way(struct rtnl_route *r, const struct nlmsghdr *nlh, unsigned n)
{
	const struct nlattr *tb[RTA_MAX + 1] = {0};
	struct attrs a = {tb, RTA_MAX};

	if (!family_header(nlh, sizeof(struct rtmsg)))
		return false;
	mnl_attr_parse(nlh, sizeof(struct rtmsg), collect, &a);
	return tb[RTA_MULTIPATH] && take_way(r, tb[RTA_MULTIPATH], n);
}

bool
rtnl_decode_any_route(struct rtnl_route *out, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = family_header(nlh, sizeof(*rtm));
	const struct nlattr *tb[RTA_MAX + 1] = {0};
	struct attrs a = {tb, RTA_MAX};

	if (nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE)
		return false;
	if (!rtm || rtm->rtm_family != AF_INET || rtm->rtm_dst_len > 32 ||
	    rtm->rtm_flags & RTM_F_CLONED)
		return false;
	mnl_attr_parse(nlh, sizeof(*rtm), collect, &a);
	*out = (struct rtnl_route){
	    .oif = (int)get_u32(tb[RTA_OIF], 0),
	    .dst = {get_ip4(tb[RTA_DST]), rtm->rtm_dst_len},
	    .gateway = get_ip4(tb[RTA_GATEWAY]),
	    .src = get_ip4(tb[RTA_PREFSRC]),
	    .table = get_u32(tb[RTA_TABLE], rtm->rtm_table),
	    .metric = get_u32(tb[RTA_PRIORITY], 0),
	    .protocol = rtm->rtm_protocol,
	    .scope = rtm->rtm_scope,
	    .type = rtm->rtm_type,
	};
	out->dst.addr.h &= ip4_mask(out->dst.len).h;
	if (tb[RTA_MULTIPATH])
		take_way(out, tb[RTA_MULTIPATH], 0);
	return true;
}

bool
rtnl_decode_route(struct rtnl_route *out, const struct nlmsghdr *nlh)
{
	struct rtnl_route r;

	if (!rtnl_decode_any_route(&r, nlh) ||
	    (r.table != RT_TABLE_MAIN && r.table != RT_TABLE_LOCAL))
		return false;
	*out = r;
	return true;
}

bool
rtnl_decode_fdb(struct rtnl_fdb *out, const struct nlmsghdr *nlh)
{
	const struct ndmsg *ndm = family_header(nlh, sizeof(*ndm));
	const struct nlattr *tb[NDA_MAX + 1] = {0};
	struct attrs a = {tb, NDA_MAX};

	if ((nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) || !ndm ||
	    ndm->ndm_family != AF_BRIDGE)
		return false;
	mnl_attr_parse(nlh, sizeof(*ndm), collect, &a);
	/* Only a bridge names itself. */
	if (!tb[NDA_MASTER] || !tb[NDA_LLADDR])
		return false;
	*out = (struct rtnl_fdb){
	    .ifindex = ndm->ndm_ifindex,
	    .master = (int)get_u32(tb[NDA_MASTER], 0),
	    .mac = get_mac(tb[NDA_LLADDR]),
	    .vlan = get_u16(tb[NDA_VLAN], 0),
	    .local = ndm->ndm_state & NUD_PERMANENT,
	};
	return true;
}

bool
rtnl_decode_neigh(struct rtnl_neigh *out, const struct nlmsghdr *nlh)
{
	const struct ndmsg *ndm = family_header(nlh, sizeof(*ndm));
	const struct nlattr *tb[NDA_MAX + 1] = {0};
	struct attrs a = {tb, NDA_MAX};

	if ((nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) || !ndm ||
	    ndm->ndm_family != AF_INET)
		return false;
	mnl_attr_parse(nlh, sizeof(*ndm), collect, &a);
	if (!tb[NDA_DST])
		return false;
	*out = (struct rtnl_neigh){
	    .ifindex = ndm->ndm_ifindex,
	    .addr = get_ip4(tb[NDA_DST]),
	    .mac = get_mac(tb[NDA_LLADDR]),
	    .proto = get_u8(tb[NDA_PROTOCOL], 0),
	    .permanent = ndm->ndm_state & NUD_PERMANENT,
	};
	return true;
}

int
rtnl_decode_filter_gone(const struct nlmsghdr *nlh)
{
	const struct tcmsg *tcm = family_header(nlh, sizeof(*tcm));

	if ((nlh->nlmsg_type != RTM_DELTFILTER && nlh->nlmsg_type != RTM_DELQDISC) || !tcm)
		return 0;
	return tcm->tcm_ifindex > 0 ? tcm->tcm_ifindex : 0;
}
