/* SPDX-License-Identifier: GPL-2.0-or-later
 * rtnl_test.c - netlink messages made by hand are decoded, odd ones refused; the real kernel answers
 * dumps. What needs privileges (bridges, taps, events) is in tests/net/test_rtnl.py.
 */
#include "t.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "lib/rtnl.h"
#include "lib/rtnl_decode.h"

static _Alignas(struct nlmsghdr) uint8_t buf[4096];

static struct nlmsghdr *
start(uint16_t type, const void *header, size_t len)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(nlh, len), header, len);
	return nlh;
}

/* The least that a full link message has. */
static struct nlmsghdr *
start_link(uint16_t type, int ifindex)
{
	struct ifinfomsg ifi = {.ifi_index = ifindex, .ifi_flags = IFF_UP};
	struct nlmsghdr *nlh = start(type, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, "vmnet8p1");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1400);
	return nlh;
}

static void
a_plain_link(void **state UNUSED)
{
	struct rtnl_link l;

	assert_true(rtnl_decode_link(&l, start_link(RTM_NEWLINK, 7)));
	assert_int_equal(l.ifindex, 7);
	assert_string_equal(l.name, "vmnet8p1");
	assert_int_equal(l.mtu, 1400);
	assert_true(l.up);
	assert_false(l.lower_up || l.loopback || l.bridge_port || l.tun_persist);
	assert_int_equal(l.tun_owner, -1);
	assert_int_equal(l.peer_netnsid, -1);
	assert_int_equal(l.master | l.peer, 0);
	assert_string_equal(l.kind, "");
	assert_string_equal(l.alias, "");
	assert_true(mac_is_zero(l.mac));
}

static void
a_tap_on_a_bridge(void **state UNUSED)
{
	struct nlmsghdr *nlh = start_link(RTM_NEWLINK, 7);
	struct nlattr *info, *data;
	struct rtnl_link l;

	mnl_attr_put_u32(nlh, IFLA_MASTER, 3);
	mnl_attr_put_u32(nlh, IFLA_GROUP, 42);
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, "vnetd:8 web server");
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, "\xfe\x00\x01\x02\x03\x04");
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "tun");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_TUN_OWNER, 1000);
	mnl_attr_put_u8(nlh, IFLA_TUN_PERSIST, 1);
	mnl_attr_put_u32(nlh, 4000, 1); /* of a newer kernel */
	mnl_attr_nest_end(nlh, data);
	mnl_attr_put_strz(nlh, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_STATE, 3);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_LOCKED, 1);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_LEARNING, 0);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_UNICAST_FLOOD, 0);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);

	assert_true(rtnl_decode_link(&l, nlh));
	assert_int_equal(l.master, 3);
	assert_int_equal(l.group, 42);
	assert_string_equal(l.alias, "vnetd:8 web server");
	assert_string_equal(MAC_STR(l.mac), "fe:00:01:02:03:04");
	assert_string_equal(l.kind, "tun");
	assert_int_equal(l.tun_owner, 1000);
	assert_true(l.tun_persist);
	assert_true(l.bridge_port);
	assert_int_equal(l.port_state, 3);
	assert_true(l.port_locked);
	assert_false(l.port_learning || l.port_flood);
}

/* Each attribute of a bridge port by itself; what an older kernel does not tell is off. */
static void
what_a_bridge_does_for_a_port(void **state UNUSED)
{
	static const uint16_t attrs[] = {IFLA_BRPORT_LOCKED, IFLA_BRPORT_LEARNING,
					 IFLA_BRPORT_UNICAST_FLOOD, IFLA_BRPORT_MCAST_FLOOD};

	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		struct nlmsghdr *nlh = start_link(RTM_NEWLINK, 7);
		struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data;
		struct rtnl_link l;

		mnl_attr_put_strz(nlh, IFLA_INFO_SLAVE_KIND, "bridge");
		data = mnl_attr_nest_start(nlh, IFLA_INFO_SLAVE_DATA);
		mnl_attr_put_u8(nlh, attrs[i], 1);
		mnl_attr_nest_end(nlh, data);
		mnl_attr_nest_end(nlh, info);
		assert_true(rtnl_decode_link(&l, nlh));
		assert_int_equal(l.port_locked, i == 0);
		assert_int_equal(l.port_learning, i == 1);
		assert_int_equal(l.port_flood, i == 2);
	}
}

/* The same attribute numbers mean other things to other kinds. */
static void
tun_data_of_another_kind_is_ignored(void **state UNUSED)
{
	struct nlmsghdr *nlh = start_link(RTM_NEWLINK, 7);
	struct nlattr *info, *data;
	struct rtnl_link l;

	mnl_attr_put_u32(nlh, IFLA_LINK, 12);
	mnl_attr_put_u32(nlh, IFLA_LINK_NETNSID, 0);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_TUN_OWNER, 1000);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_put_strz(nlh, IFLA_INFO_SLAVE_KIND, "bond");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(nlh, IFLA_BRPORT_STATE, 3);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	assert_true(rtnl_decode_link(&l, nlh));
	assert_string_equal(l.kind, "veth");
	assert_int_equal(l.tun_owner, -1);
	assert_int_equal(l.peer, 12);
	assert_int_equal(l.peer_netnsid, 0);
	assert_false(l.bridge_port || l.port_locked || l.port_learning || l.port_flood);
	assert_int_equal(l.port_state, 0);
}

static void
odd_links(void **state UNUSED)
{
	struct ifinfomsg ifi = {.ifi_index = 7};
	struct nlmsghdr *nlh;
	struct rtnl_link l;
	char big[400];

	/* A wireless scan: a name and an event, nothing else. */
	nlh = start(RTM_NEWLINK, &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "wlan0");
	assert_false(rtnl_decode_link(&l, nlh));
	assert_int_equal(rtnl_decode_bridge_port(nlh), 0);
	/* A bridge about its port. */
	ifi.ifi_family = AF_BRIDGE;
	nlh = start(RTM_DELLINK, &ifi, sizeof(ifi));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "vmnet8p1");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	assert_false(rtnl_decode_link(&l, nlh));
	assert_int_equal(rtnl_decode_bridge_port(nlh), 7);
	/* Cut short, or of another type. */
	nlh = start_link(RTM_NEWLINK, 7);
	nlh->nlmsg_type = RTM_NEWADDR;
	assert_false(rtnl_decode_link(&l, nlh));
	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_len = NLMSG_HDRLEN + 4;
	assert_false(rtnl_decode_link(&l, nlh));
	assert_int_equal(rtnl_decode_bridge_port(nlh), 0);
	/* Values of wrong sizes. */
	memset(big, 'x', sizeof(big));
	nlh = start_link(RTM_NEWLINK, 7);
	mnl_attr_put(nlh, IFLA_IFALIAS, sizeof(big), big); /* without a NUL, and too long */
	mnl_attr_put(nlh, IFLA_ADDRESS, 20, big);          /* InfiniBand */
	mnl_attr_put(nlh, IFLA_GROUP, 1, big);
	mnl_attr_put(nlh, IFLA_MASTER, 0, NULL);
	mnl_attr_put(nlh, IFLA_LINKINFO, 2, big);
	assert_true(rtnl_decode_link(&l, nlh));
	assert_int_equal(strlen(l.alias), RTNL_ALIAS_MAX - 1);
	assert_true(mac_is_zero(l.mac));
	assert_int_equal(l.group | (uint32_t)l.master, 0);
}

static void
addresses(void **state UNUSED)
{
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 9};
	struct nlmsghdr *nlh = start(RTM_NEWADDR, &ifa, sizeof(ifa));
	struct rtnl_addr a;

	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(0x0a000002));
	assert_true(rtnl_decode_addr(&a, nlh));
	assert_int_equal(a.ifindex, 9);
	assert_int_equal(a.plen, 32);
	assert_string_equal(IP4_STR(a.addr), "10.0.0.2");
	assert_int_equal(a.proto, 0);
	mnl_attr_put_u8(nlh, IFA_PROTO, 201);
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(0x0a000001));
	assert_true(rtnl_decode_addr(&a, nlh));
	assert_string_equal(IP4_STR(a.addr), "10.0.0.1");
	assert_int_equal(a.proto, 201);
	ifa.ifa_family = AF_INET6;
	assert_false(rtnl_decode_addr(&a, start(RTM_NEWADDR, &ifa, sizeof(ifa))));
	ifa = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 33};
	assert_false(rtnl_decode_addr(&a, start(RTM_NEWADDR, &ifa, sizeof(ifa))));
}

static void
routes(void **state UNUSED)
{
	struct rtmsg rtm = {.rtm_family = AF_INET,
			    .rtm_dst_len = 24,
			    .rtm_table = RT_TABLE_MAIN,
			    .rtm_protocol = RTPROT_KERNEL,
			    .rtm_scope = RT_SCOPE_LINK,
			    .rtm_type = RTN_UNICAST};
	struct nlmsghdr *nlh = start(RTM_NEWROUTE, &rtm, sizeof(rtm));
	struct rtnl_route r;

	mnl_attr_put_u32(nlh, RTA_DST, htonl(0xc0a80800));
	mnl_attr_put_u32(nlh, RTA_OIF, 4);
	mnl_attr_put_u32(nlh, RTA_PREFSRC, htonl(0xc0a80801));
	mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(0xc0a80802));
	mnl_attr_put_u32(nlh, RTA_PRIORITY, 100);
	assert_true(rtnl_decode_route(&r, nlh));
	assert_string_equal(PREFIX4_STR(r.dst), "192.168.8.0/24");
	assert_string_equal(IP4_STR(r.src), "192.168.8.1");
	assert_string_equal(IP4_STR(r.gateway), "192.168.8.2");
	assert_int_equal(r.oif, 4);
	assert_int_equal(r.table, RT_TABLE_MAIN);
	assert_int_equal(r.metric, 100);
	assert_int_equal(r.protocol, RTPROT_KERNEL);
	assert_int_equal(r.scope, RT_SCOPE_LINK);
	assert_int_equal(r.type, RTN_UNICAST);
	mnl_attr_put_u32(nlh, RTA_TABLE, 1000); /* wins over the eight bits of the header */
	assert_false(rtnl_decode_route(&r, nlh));
	assert_true(rtnl_decode_any_route(&r, nlh));
	assert_int_equal(r.table, 1000);

	rtm.rtm_dst_len = 0;
	assert_true(rtnl_decode_route(&r, start(RTM_DELROUTE, &rtm, sizeof(rtm))));
	assert_string_equal(PREFIX4_STR(r.dst), "0.0.0.0/0");
	rtm.rtm_flags = RTM_F_CLONED;
	assert_false(rtnl_decode_any_route(&r, start(RTM_NEWROUTE, &rtm, sizeof(rtm))));
	assert_false(rtnl_decode_route(&r, start(RTM_NEWROUTE, &rtm, sizeof(rtm))));
	rtm.rtm_flags = 0;
	rtm.rtm_dst_len = 33;
	assert_false(rtnl_decode_route(&r, start(RTM_NEWROUTE, &rtm, sizeof(rtm))));
}

static void
put_way(struct nlmsghdr *nlh, int oif, uint32_t gateway)
{
	struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(nlh);
	uint32_t before = nlh->nlmsg_len;

	memset(nh, 0, sizeof(*nh));
	nh->rtnh_ifindex = oif;
	nlh->nlmsg_len += sizeof(*nh);
	if (gateway)
		mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(gateway));
	nh->rtnh_len = (uint16_t)(nlh->nlmsg_len - before);
}

/* What `ip route add default nexthop via 192.168.8.2 dev A nexthop dev B` makes. */
static void
routes_of_several_ways(void **state UNUSED)
{
	const struct rtmsg rtm = {
	    .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_UNICAST};
	struct nlmsghdr *nlh = start(RTM_NEWROUTE, &rtm, sizeof(rtm));
	struct rtnl_route r;
	struct nlattr *ways;
	struct rtnexthop *first;

	assert_true(rtnl_decode_route(&r, nlh));
	assert_int_equal(r.oif, 0);
	assert_false(rtnl_decode_way(&r, nlh, 0));
	ways = mnl_attr_nest_start(nlh, RTA_MULTIPATH);
	first = mnl_attr_get_payload(ways);
	put_way(nlh, 4, 0xc0a80802);
	put_way(nlh, 7, 0);
	mnl_attr_nest_end(nlh, ways);
	assert_true(rtnl_decode_route(&r, nlh));
	assert_int_equal(r.oif, 4);
	assert_string_equal(IP4_STR(r.gateway), "192.168.8.2");
	assert_true(rtnl_decode_way(&r, nlh, 1));
	assert_int_equal(r.oif, 7);
	assert_int_equal(r.gateway.h, 0);
	assert_false(rtnl_decode_way(&r, nlh, 2));
	assert_int_equal(r.oif, 7);
	/* Lengths that cannot be. */
	for (unsigned len = 0; len < 64; len++) {
		unsigned n = 0;

		first->rtnh_len = (uint16_t)len;
		while (rtnl_decode_way(&r, nlh, n))
			n++;
		assert_in_range(n, 0, 3);
		if (len < sizeof(*first) || len > 24)
			assert_int_equal(n, 0);
	}
}

static void
forwarding_entries(void **state UNUSED)
{
	struct ndmsg ndm = {.ndm_family = AF_BRIDGE, .ndm_ifindex = 5, .ndm_state = NUD_PERMANENT};
	struct nlmsghdr *nlh = start(RTM_NEWNEIGH, &ndm, sizeof(ndm));
	struct rtnl_fdb f;

	mnl_attr_put(nlh, NDA_LLADDR, 6, "\x00\x0c\x29\x01\x02\x03");
	assert_false(rtnl_decode_fdb(&f, nlh)); /* a device's own list */
	mnl_attr_put_u32(nlh, NDA_MASTER, 3);
	assert_true(rtnl_decode_fdb(&f, nlh));
	assert_int_equal(f.ifindex, 5);
	assert_int_equal(f.master, 3);
	assert_string_equal(MAC_STR(f.mac), "00:0c:29:01:02:03");
	assert_int_equal(f.vlan, 0);
	assert_true(f.local);
	ndm.ndm_state = NUD_NOARP;
	nlh = start(RTM_NEWNEIGH, &ndm, sizeof(ndm));
	mnl_attr_put(nlh, NDA_LLADDR, 6, "\x00\x0c\x29\x01\x02\x03");
	mnl_attr_put_u32(nlh, NDA_MASTER, 3);
	mnl_attr_put_u16(nlh, NDA_VLAN, 100);
	assert_true(rtnl_decode_fdb(&f, nlh));
	assert_false(f.local);
	assert_int_equal(f.vlan, 100);
	nlh->nlmsg_type = RTM_DELNEIGH;
	assert_true(rtnl_decode_fdb(&f, nlh));
	assert_string_equal(MAC_STR(f.mac), "00:0c:29:01:02:03");
	assert_int_equal(f.ifindex, 5);
	nlh->nlmsg_type = RTM_GETNEIGH;
	assert_false(rtnl_decode_fdb(&f, nlh));
	ndm.ndm_family = AF_INET;
	nlh = start(RTM_NEWNEIGH, &ndm, sizeof(ndm));
	mnl_attr_put(nlh, NDA_LLADDR, 6, "\x00\x0c\x29\x01\x02\x03");
	mnl_attr_put_u32(nlh, NDA_MASTER, 3);
	assert_false(rtnl_decode_fdb(&f, nlh));
	nlh->nlmsg_len = NLMSG_HDRLEN + 4;
	assert_false(rtnl_decode_fdb(&f, nlh));
}

static void
neighbours(void **state UNUSED)
{
	struct ndmsg ndm = {.ndm_family = AF_INET, .ndm_ifindex = 5, .ndm_state = NUD_PERMANENT};
	struct nlmsghdr *nlh = start(RTM_NEWNEIGH, &ndm, sizeof(ndm));
	struct rtnl_neigh n;

	assert_false(rtnl_decode_neigh(&n, nlh)); /* whose? */
	mnl_attr_put(nlh, NDA_DST, 4, "\x0a\x08\x00\x09");
	assert_true(rtnl_decode_neigh(&n, nlh));
	assert_true(mac_is_zero(n.mac) && n.permanent && n.proto == 0);
	mnl_attr_put(nlh, NDA_LLADDR, 6, "\x00\x0c\x29\x01\x02\x03");
	mnl_attr_put_u8(nlh, NDA_PROTOCOL, 118);
	assert_true(rtnl_decode_neigh(&n, nlh));
	assert_int_equal(n.ifindex, 5);
	assert_int_equal(n.addr.h, 0x0a080009);
	assert_int_equal(n.proto, 118);
	assert_string_equal(MAC_STR(n.mac), "00:0c:29:01:02:03");
	nlh->nlmsg_type = RTM_GETNEIGH;
	assert_false(rtnl_decode_neigh(&n, nlh));
	nlh->nlmsg_type = RTM_DELNEIGH;
	assert_true(rtnl_decode_neigh(&n, nlh));
	nlh->nlmsg_len = NLMSG_HDRLEN + 4;
	assert_false(rtnl_decode_neigh(&n, nlh));
	ndm.ndm_family = AF_INET6;
	nlh = start(RTM_NEWNEIGH, &ndm, sizeof(ndm));
	mnl_attr_put(nlh, NDA_DST, 4, "\x0a\x08\x00\x09");
	assert_false(rtnl_decode_neigh(&n, nlh));
}

static void
filters_and_disciplines_that_go(void **state UNUSED)
{
	static const struct {
		uint16_t type;
		int ifindex, gone;
	} rows[] = {
	    {RTM_DELTFILTER, 5, 5}, {RTM_DELQDISC, 5, 5},    {RTM_NEWTFILTER, 5, 0},
	    {RTM_NEWQDISC, 5, 0},   {RTM_DELTCLASS, 5, 0},   {RTM_DELLINK, 5, 0},
	    {RTM_DELTFILTER, 0, 0}, {RTM_DELTFILTER, -1, 0}, /* of a shared block */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tcmsg tcm = {.tcm_ifindex = rows[i].ifindex};
		struct nlmsghdr *nlh = start(rows[i].type, &tcm, sizeof(tcm));

		assert_int_equal(rtnl_decode_filter_gone(nlh), rows[i].gone);
		nlh->nlmsg_len = NLMSG_HDRLEN + 4;
		assert_int_equal(rtnl_decode_filter_gone(nlh), 0);
	}
}

static void
on_link(const struct rtnl_link *l, void *arg)
{
	if (l->loopback) {
		*(int *)arg += 1;
		assert_string_equal(l->name, "lo");
		assert_true(l->ifindex > 0 && l->mtu > 0);
	}
}

static void
on_addr(const struct rtnl_addr *a, void *arg)
{
	assert_true(a->ifindex > 0 && a->plen <= 32 && a->addr.h != 0);
	*(int *)arg += 1;
}

static void
on_route(const struct rtnl_route *r, void *arg)
{
	assert_true(r->table == RT_TABLE_MAIN || r->table == RT_TABLE_LOCAL);
	assert_true(r->dst.len <= 32);
	*(int *)arg += 1;
}

static void
the_kernel_answers(void **state UNUSED)
{
	const struct rtnl_events none = {0};
	struct rtnl *r = rtnl_new(&none, NULL);
	int links = 0, n = 0;

	assert_non_null(r);
	assert_true(rtnl_event_fd(r) >= 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rtnl_links(r, on_link, &links), 0);
	assert_int_equal(links, 3); /* every network namespace has one */
	assert_int_equal(rtnl_addrs(r, on_addr, &n), 0);
	assert_int_equal(rtnl_routes(r, on_route, &n), 0);
	rtnl_dispatch(r); /* returns with nothing there */
	rtnl_free(r);
	rtnl_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_link),
	    cmocka_unit_test(a_tap_on_a_bridge),
	    cmocka_unit_test(what_a_bridge_does_for_a_port),
	    cmocka_unit_test(tun_data_of_another_kind_is_ignored),
	    cmocka_unit_test(odd_links),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(routes),
	    cmocka_unit_test(routes_of_several_ways),
	    cmocka_unit_test(forwarding_entries),
	    cmocka_unit_test(neighbours),
	    cmocka_unit_test(filters_and_disciplines_that_go),
	    cmocka_unit_test(the_kernel_answers),
	};

	return T_RUN(tests);
}
