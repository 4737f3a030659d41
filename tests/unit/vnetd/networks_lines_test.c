/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_lines_test.c - the lines of vnet-networks are those of vmware-networks, to the letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/networks_lines.h"

/* VMware's three networks, all up or all down. */
static size_t
usual(struct net_services *v, bool up)
{
	v[0] = (struct net_services){.net = 0, .bridge = true, .bridge_up = up};
	v[1] = (struct net_services){
	    .net = 1, .adapter = true, .dhcp = true, .adapter_up = up, .dhcp_up = up};
	v[2] = (struct net_services){.net = 8,
				     .adapter = true,
				     .dhcp = true,
				     .nat = true,
				     .adapter_up = up,
				     .dhcp_up = up,
				     .nat_up = up};
	return 3;
}

static void
check(enum lines_verb verb, const struct net_services *v, size_t n, bool all, const char *want)
{
	struct strbuf b;

	strbuf_init(&b);
	assert_int_equal(networks_lines(&b, verb, v, n), all);
	assert_string_equal(strbuf_str(&b), want);
	strbuf_fini(&b);
}

static void
everything_works(void **state UNUSED)
{
	struct net_services v[3];

	check(LINES_START, v, usual(v, true), true,
	      "Started Bridge networking on vmnet0\n"
	      "Enabled hostonly virtual adapter on vmnet1\n"
	      "Started DHCP service on vmnet1\n"
	      "Started NAT service on vmnet8\n"
	      "Enabled hostonly virtual adapter on vmnet8\n"
	      "Started DHCP service on vmnet8\n"
	      "Started all configured services on all networks\n");
	check(LINES_STATUS, v, usual(v, true), true,
	      "Bridge networking on vmnet0 is running\n"
	      "DHCP service on vmnet1 is running\n"
	      "Hostonly virtual adapter on vmnet1 is enabled\n"
	      "DHCP service on vmnet8 is running\n"
	      "NAT service on vmnet8 is running\n"
	      "Hostonly virtual adapter on vmnet8 is enabled\n"
	      "All the services configured on all the networks are running\n");
	check(LINES_STOP, v, usual(v, false), true,
	      "Stopped Bridged networking on vmnet0\n"
	      "Stopped DHCP service on vmnet1\n"
	      "Disabled hostonly virtual adapter on vmnet1\n"
	      "Stopped DHCP service on vmnet8\n"
	      "Stopped NAT service on vmnet8\n"
	      "Disabled hostonly virtual adapter on vmnet8\n"
	      "Stopped all configured services on all networks\n");
}

static void
nothing_works(void **state UNUSED)
{
	struct net_services v[3];

	check(LINES_START, v, usual(v, false), false,
	      "Failed to start Bridge networking on vmnet0\n"
	      "Failed to enable hostonly virtual adapter on vmnet1\n"
	      "Failed to start DHCP service on vmnet1\n"
	      "Failed to start NAT service on vmnet8\n"
	      "Failed to enable hostonly virtual adapter on vmnet8\n"
	      "Failed to start DHCP service on vmnet8\n"
	      "Failed to start some/all services\n");
	check(LINES_STATUS, v, usual(v, false), false,
	      "Bridge networking on vmnet0 is not running\n"
	      "DHCP service on vmnet1 is not running\n"
	      "Hostonly virtual adapter on vmnet1 is disabled\n"
	      "DHCP service on vmnet8 is not running\n"
	      "NAT service on vmnet8 is not running\n"
	      "Hostonly virtual adapter on vmnet8 is disabled\n"
	      "Some/All of the configured services are not running\n");
	check(LINES_STOP, v, usual(v, true), false,
	      "Failed to stop Bridged networking on vmnet0\n"
	      "Failed to stop DHCP service on vmnet1\n"
	      "Failed to disable hostonly virtual adapter on vmnet1\n"
	      "Failed to stop DHCP service on vmnet8\n"
	      "Failed to stop NAT service on vmnet8\n"
	      "Failed to disable hostonly virtual adapter on vmnet8\n"
	      "Failed to stop some/all services\n");
}

static void
one_service_fails(void **state UNUSED)
{
	const struct net_services v = {
	    .net = 8, .dhcp = true, .nat = true, .dhcp_up = false, .nat_up = true};

	check(LINES_START, &v, 1, false,
	      "Started NAT service on vmnet8\n"
	      "Failed to start DHCP service on vmnet8\n"
	      "Failed to start some/all services\n");
}

static void
a_segment_has_no_lines(void **state UNUSED)
{
	const struct net_services v = {.net = 9};

	check(LINES_STATUS, &v, 1, true,
	      "All the services configured on all the networks are running\n");
	check(LINES_START, NULL, 0, true, "Started all configured services on all networks\n");
}

static void
rows_say_what_works(void **state UNUSED)
{
	struct msg_net_row row = {
	    .net = 8, .kind = NET_NAT, .adapter = true, .dhcp = true, .nat = true};
	struct net_services s;

	row.state = NET_STATE_OK;
	s = net_services_of_row(&row);
	assert_false(s.bridge);
	assert_true(s.adapter_up && s.dhcp_up && s.nat_up);
	row.state = NET_STATE_DEGRADED;
	row.services_down = 1 << SERVICE_DHCP;
	s = net_services_of_row(&row);
	assert_true(s.adapter_up && s.nat_up);
	assert_false(s.dhcp_up);
	row.services_down = 1 << SERVICE_DNS | 1 << SERVICE_FIREWALL;
	s = net_services_of_row(&row);
	assert_true(s.adapter_up && s.dhcp_up && s.nat_up);
	row.state = NET_STATE_FAILED;
	row.services_down = 0;
	s = net_services_of_row(&row);
	assert_false(s.adapter_up || s.dhcp_up || s.nat_up);
	row = (struct msg_net_row){.kind = NET_BRIDGED, .state = NET_STATE_NO_UPLINK};
	s = net_services_of_row(&row);
	assert_true(s.bridge && s.bridge_up);
	assert_false(s.adapter || s.dhcp || s.nat);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_works),    cmocka_unit_test(nothing_works),
	    cmocka_unit_test(one_service_fails),   cmocka_unit_test(a_segment_has_no_lines),
	    cmocka_unit_test(rows_say_what_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
