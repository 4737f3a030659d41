/* SPDX-License-Identifier: GPL-2.0-or-later
 * want_test.c - what kinds of networks mean for the kernel, and which prefixes the host uses.
 */
#include "../lib/t.h"

#include <linux/rtnetlink.h>
#include <stdio.h>

#include "vnetd/used.h"
#include "vnetd/want.h"

static struct conf *
configure(const char *networking)
{
	struct conf_sources src = {.networking = {networking, strlen(networking)}};
	struct diags d;
	struct conf *c;

	diags_init(&d);
	c = conf_build(&src, &d);
	assert_non_null(c);
	diags_fini(&d);
	return c;
}

#define SUBNET                                                                                     \
	"answer VNET_8_HOSTONLY_NETMASK 255.255.255.0\nanswer VNET_8_HOSTONLY_SUBNET 10.8.0.0\n"

static void
want8(struct want_net *w, const char *answers)
{
	char text[512];
	struct conf *c;

	snprintf(text, sizeof(text), "VERSION=1,0\n" SUBNET "%s", answers);
	c = configure(text);
	assert_true(c->net[8].present && !c->net[8].failed);
	want_net(w, &c->net[8]);
	conf_free(c);
}

static void
expect_addrs(const struct want_net *w, const char *list)
{
	char text[128] = "";

	for (size_t i = 0; i < w->naddrs; i++) {
		strcat(text, i ? " " : "");
		strcat(text, IP4_STR(w->addr[i]));
	}
	assert_string_equal(text, list);
}

static void
nat_networks_have_three_addresses(void **state UNUSED)
{
	struct want_net w;

	want8(&w,
	      "answer VNET_8_DHCP yes\nanswer VNET_8_NAT yes\nanswer VNET_8_VIRTUAL_ADAPTER yes\n"
	      "answer VNET_8_MTU 9000\n");
	expect_addrs(&w, "10.8.0.1 10.8.0.2 10.8.0.254");
	assert_string_equal(PREFIX4_STR(w.subnet), "10.8.0.0/24");
	assert_string_equal(IP4_STR(w.src), "10.8.0.1");
	assert_int_equal(w.profile, SYSCTL_PROFILE_HOST);
	assert_int_equal(w.mtu, 9000);
	assert_string_equal(w.text, "NAT");
}

static void
without_an_adapter_the_server_is_the_source(void **state UNUSED)
{
	struct want_net w;

	want8(&w, "answer VNET_8_DHCP yes\nanswer VNET_8_VIRTUAL_ADAPTER no\n");
	expect_addrs(&w, "10.8.0.254");
	assert_string_equal(IP4_STR(w.src), "10.8.0.254");
	assert_int_equal(w.profile, SYSCTL_PROFILE_SERVICE);
}

static void
an_adapter_alone_has_one_address(void **state UNUSED)
{
	struct want_net w;

	want8(&w,
	      "answer VNET_8_VIRTUAL_ADAPTER yes\nanswer VNET_8_VIRTUAL_ADAPTER_ADDR 10.8.0.77\n");
	expect_addrs(&w, "10.8.0.77");
	assert_int_equal(w.profile, SYSCTL_PROFILE_HOST);
}

static void
a_segment_has_nothing(void **state UNUSED)
{
	struct want_net w;

	want8(&w, "answer VNET_8_VIRTUAL_ADAPTER no\nanswer VNET_8_DHCP no\n");
	expect_addrs(&w, "");
	assert_int_equal(w.subnet.len, 0);
	assert_int_equal(w.profile, SYSCTL_PROFILE_SEGMENT);
	assert_string_equal(w.text, "segment");
}

static void
add_route(struct snapshot *s, int oif, const char *dst)
{
	struct rtnl_route r = {.oif = oif, .table = RT_TABLE_MAIN};

	assert_true(prefix4_parse(&r.dst, dst));
	snapshot_add_route(&r, s);
}

static void
the_host_uses_routes_addresses_and_name_servers(void **state UNUSED)
{
	struct rtnl_link ours = {
	    .ifindex = 8, .name = "vmnet8", .kind = "bridge", .alias = "vnetd:8"};
	struct rtnl_addr a = {.ifindex = 2, .plen = 24};
	struct snapshot s;
	struct used u;
	char text[256] = "";

	snapshot_init(&s);
	snapshot_add_link(&ours, &s);
	add_route(&s, 2, "0.0.0.0/0");
	add_route(&s, 2, "128.0.0.0/1");
	add_route(&s, 2, "10.1.0.0/16");
	add_route(&s, 8, "10.8.0.0/24");
	assert_true(ip4_parse(&a.addr, "192.168.1.5"));
	snapshot_add_addr(&a, &s);
	a.ifindex = 8;
	snapshot_add_addr(&a, &s);
	snapshot_seal(&s);
	used_collect(
	    &u, &s,
	    "# nameserver 1.1.1.1\nnameserver 9.9.9.9\n\nnameserver\t8.8.8.8 x\n"
	    "nameserver ::1\nnameserver 1.2.3.4.5\nnameservers 7.7.7.7\nnameserver 6.6.6.6");
	for (size_t i = 0; i < u.n; i++) {
		strcat(text, PREFIX4_STR(u.v[i]));
		strcat(text, " ");
	}
	assert_string_equal(text, "10.1.0.0/16 192.168.1.0/24 9.9.9.9/32 8.8.8.8/32 6.6.6.6/32 ");
	used_fini(&u);
	used_collect(&u, &s, NULL);
	assert_int_equal(u.n, 2);
	used_fini(&u);
	snapshot_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nat_networks_have_three_addresses),
	    cmocka_unit_test(without_an_adapter_the_server_is_the_source),
	    cmocka_unit_test(an_adapter_alone_has_one_address),
	    cmocka_unit_test(a_segment_has_nothing),
	    cmocka_unit_test(the_host_uses_routes_addresses_and_name_servers),
	};

	return T_RUN(tests);
}
