/* SPDX-License-Identifier: GPL-2.0-or-later
 * way_test.c - what the host lacks of the way out that a network is told to take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>

#include "lib/util.h"
#include "natd/way.h"

static const struct msg_natd_net by_eth1 = {.net = 8, .nat = true, .egress = "eth1"};
static const struct msg_natd_net as_one = {.net = 8, .nat = true, .snat = {0xc6336407}};

static void
expect(const struct way *w, const struct msg_natd_net *net, const char *want)
{
	char text[256];

	if (!want) {
		assert_false(way_is_missing(text, sizeof(text), w, net));
		return;
	}
	assert_true(way_is_missing(text, sizeof(text), w, net));
	assert_string_equal(text, want);
}

#define EGRESS(why)                                                                                \
	"guests may leave by eth1 only (egress of vnetd.conf), and " why                           \
	": what they send outside is refused"

static void
the_interface_comes_and_goes(void **state UNUSED)
{
	struct rtnl_link other = {.ifindex = 2, .name = "eth0", .up = true, .lower_up = true};
	struct rtnl_link link = {.ifindex = 3, .name = "eth1", .up = true};
	struct rtnl_route own = {
	    .oif = 3, .dst = {{0xc6336400}, 24}, .protocol = RTPROT_KERNEL, .type = RTN_UNICAST};
	struct rtnl_route elsewhere = {.oif = 2, .gateway = {0xc6336401}, .type = RTN_UNICAST};
	struct rtnl_route beyond = {
	    .oif = 3, .dst = {{0xcb007100}, 24}, .gateway = {0xc6336401}, .type = RTN_UNICAST};
	struct way w = {0};

	way_link(&w, &by_eth1, &other);
	expect(&w, &by_eth1, EGRESS("there is no such interface"));
	way_link(&w, &by_eth1, &link);
	expect(&w, &by_eth1, EGRESS("it is down"));
	link.lower_up = true;
	way_link(&w, &by_eth1, &link);
	way_route(&w, &own);
	way_route(&w, &elsewhere);
	expect(&w, &by_eth1, EGRESS("no route but that of its own subnet leads there"));
	way_route(&w, &beyond);
	expect(&w, &by_eth1, NULL);
}

/* A tunnel has no gateway, and what leads into it may be part of the world, or in another table. */
static void
a_tunnel_needs_no_gateway(void **state UNUSED)
{
	static const struct rtnl_route ways[] = {
	    {.oif = 3, .table = RT_TABLE_MAIN, .type = RTN_UNICAST},
	    {.oif = 3, .dst = {{0x0a000000}, 8}, .scope = RT_SCOPE_LINK, .type = RTN_UNICAST},
	    {.oif = 3, .table = 51820, .protocol = RTPROT_BOOT, .type = RTN_UNICAST},
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct way w = {.ifindex = 3, .up = true};

		way_route(&w, &ways[i]);
		expect(&w, &by_eth1, NULL);
	}
}

static void
what_leads_nowhere_is_no_way(void **state UNUSED)
{
	static const struct rtnl_route others[] = {
	    {.oif = 3, .dst = {{0xc6336407}, 32}, .protocol = RTPROT_KERNEL, .type = RTN_LOCAL},
	    {.oif = 3, .dst = {{0xc63364ff}, 32}, .protocol = RTPROT_KERNEL, .type = RTN_BROADCAST},
	    {.oif = 3, .dst = {{0xe0000000}, 4}, .protocol = RTPROT_STATIC, .type = RTN_MULTICAST},
	    {.protocol = RTPROT_STATIC, .type = RTN_UNREACHABLE},
	};
	struct way w = {.ifindex = 3, .up = true};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		way_route(&w, &others[i]);
	expect(&w, &by_eth1, EGRESS("no route but that of its own subnet leads there"));
}

static void
the_address_is_missed(void **state UNUSED)
{
	struct rtnl_addr a = {.ifindex = 2, .addr = {0xc6336406}};
	struct way w = {0};

	way_addr(&w, &as_one, &a);
	expect(&w, &as_one,
	       "guests go out as 198.51.100.7 (snat-address of vnetd.conf), which no interface of "
	       "the host has: answers may not come back");
	a.addr.h++;
	way_addr(&w, &as_one, &a);
	expect(&w, &as_one, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_interface_comes_and_goes),
	    cmocka_unit_test(a_tunnel_needs_no_gateway),
	    cmocka_unit_test(what_leads_nowhere_is_no_way),
	    cmocka_unit_test(the_address_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
