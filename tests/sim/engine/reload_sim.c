/* SPDX-License-Identifier: GPL-2.0-or-later
 * reload_sim.c - reload and clashes: which network follows a new configuration, which keeps its old one.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

/* --- reload --- */

static void
reload_without_a_change_does_nothing(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(w->nsteps, 0);
	world_free(w);
}

static void
reload_adds_and_removes_only_what_changed(void **state UNUSED)
{
	struct world *w = play_one_net();
	int ifindex = world_link(w, "vmnet8")->ifindex;

	world_add_net(w, 5, "10.5.0.0", NULL);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	/* bridge, sysctls, three addresses, route */
	assert_int_equal(w->nsteps, 6);
	assert_int_equal(world_link(w, "vmnet8")->ifindex, ifindex);
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, PLAY_NET8, NULL);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_string_equal(strbuf_str(&w->steps), "BRIDGE_DEL\n");
	assert_null(world_link(w, "vmnet5"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_N);
	assert_true(!play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 5"));
	world_free(w);
}

/* What dhcpd.conf says of booting, times and known clients reaches the server that does it. */
static void
reload_tells_the_dhcp_server_all_that_it_can_do(void **state UNUSED)
{
	struct world *w = play_one_net();
	const char *pushed;

	world_write(w, CONF_FILE_DHCPD, 8,
		    "deny booting; allow bootp; min-lease-time 50;\n"
		    "subnet 192.168.8.0 netmask 255.255.255.0 {\n"
		    "\tpool { deny unknown-clients; range 192.168.8.10 192.168.8.20; }\n"
		    "\trange 192.168.8.128 192.168.8.200;\n"
		    "\tnext-server 192.168.8.77;\n"
		    "}\n"
		    "host web {\n"
		    "\thardware ethernet 02:00:00:00:00:01; allow booting;\n"
		    "\tdefault-lease-time 60; max-lease-time 70; min-lease-time 40;\n"
		    "\tnext-server 192.168.8.78;\n"
		    "}\n"
		    "host db { hardware ethernet 02:00:00:00:00:02; deny bootp; }\n");
	assert_int_equal(play_reload(w, NULL), 0);
	pushed = strbuf_str(&w->pushed[ROLE_DHCPD]);
	assert_true(play_has(pushed, "  min 50, next 192.168.8.77, booting 0\n"));
	assert_true(play_has(pushed, "range 8 192.168.8.10 known\nrange 8 192.168.8.128\n"));
	assert_true(play_has(pushed, "host 8 web\n  times 60 70 40, next 192.168.8.78, "
				     "booting 1, bootp 1\n"));
	assert_true(
	    play_has(pushed, "host 8 db\n  times 0 0 0, next 0.0.0.0, booting 0, bootp 0\n"));
	world_free(w);
}

static void
reload_moves_a_network_to_its_new_subnet(void **state UNUSED)
{
	struct world *w = play_one_net();
	int ifindex = world_link(w, "vmnet8")->ifindex;

	/* Somebody's own address on our bridge stays his. */
	world_addr_add(w, "vmnet8", "10.99.0.1", 32);
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, "10.8.0.0", "answer VNET_8_MTU 9000\n");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(world_link(w, "vmnet8")->ifindex, ifindex);
	assert_int_equal(world_link(w, "vmnet8")->mtu, 9000);
	assert_false(world_has_addr(w, "vmnet8", "192.168.8.1"));
	assert_false(world_has_addr(w, "vmnet8", "192.168.8.254"));
	assert_false(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_true(world_has_addr(w, "vmnet8", "10.8.0.1"));
	assert_true(world_has_addr(w, "vmnet8", "10.99.0.1"));
	assert_true(world_has_route(w, "vmnet8", "10.8.0.0/24"));
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8 10.8.0.0/24 mtu 9000\n"));
	world_free(w);
}

static void
two_networks_swap_their_subnets(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 5, "10.5.0.0", NULL);
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 5, PLAY_NET8, NULL);
	world_add_net(w, 8, "10.5.0.0", NULL);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(world_has_route(w, "vmnet8", "10.5.0.0/24"));
	assert_true(world_has_route(w, "vmnet5", "192.168.8.0/24"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
reload_keeps_the_old_configuration_of_a_wrong_network(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, "192.168.300.0", NULL);
	world_add_net(w, 5, "10.5.0.0", NULL);
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "networking:"));
	assert_true(play_has(cl->text, "vmnet8 keeps its running configuration"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_true(play_has(world_warnings(w), "vmnet8: keeps its previous configuration"));
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8 192.168.8.0/24"));
	world_free(w);
}

static void
reload_with_errors_for_all_changes_nothing(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_add_net(w, 5, "10.5.0.0", NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[global]\nlog-levl = info\n");
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "vnetd.conf:2:1"));
	assert_int_equal(w->nsteps, 0);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_N);
	assert_true(play_has(world_warnings(w), "not in force"));
	world_free(w);
}

static void
files_that_vanish_are_no_reason_to_make_new_networks(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_int_equal(w->nsteps, 0);
	assert_null(w->file[CONF_FILE_NETWORKING][0]);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

/* --- clashes --- */

static void
a_subnet_that_the_host_uses_fails_alone(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	world_route_add(w, "eth0", "192.168.0.0/20");
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_add_net(w, 5, "10.5.0.0", NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(play_has(text, "route 192.168.0.0/20 dev eth0"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_null(world_link(w, "vmnet8"));
	assert_string_equal(w->ready, "3 networks, 1 failed");
	assert_true(!play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	/* It comes up by itself when the route goes. */
	world_route_del(w, "192.168.0.0/20");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	assert_string_equal(w->ready, "3 networks");
	world_free(w);
}

static void
an_address_of_the_host_blocks_too(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	world_addr_add(w, "eth0", "192.168.8.77", 32);
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(play_has(text, "192.168.8.77"));
	world_free(w);
}

static void
default_routes_in_disguise_do_not_block(void **state UNUSED)
{
	struct world *w = world_new();

	world_route_add(w, "eth0", "128.0.0.0/1");
	world_route_add(w, "eth0", "192.0.0.0/7");
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_clash_that_comes_later_is_a_warning(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_link_add(w, "tun0", "tun");
	world_route_add(w, "tun0", "192.168.0.0/16");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(play_has(world_warnings(w),
			     "vmnet8: its subnet 192.168.8.0/24 is also used by the "
			     "route 192.168.0.0/16 dev tun0 [vnetctl set vmnet8"));
	/* Neither a new engine nor a lost route changes who was first. */
	world_restart(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_route_del(w, "192.168.8.0/24");
	world_run(w);
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	world_route_del(w, "192.168.0.0/16");
	world_run(w);
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

static void
reload_onto_a_taken_subnet_keeps_the_old_one(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_route_add(w, "eth0", "10.0.0.0/8");
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, "10.8.0.0", NULL);
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "10.0.0.0/8"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_int_equal(w->nsteps, 0);
	world_free(w);
}

static void
a_foreign_interface_with_our_name_fails_alone(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	world_link_add(w, "vmnet8", "dummy");
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_add_net(w, 5, "10.5.0.0", NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(play_has(text, "an interface called vmnet8"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_string_equal(world_link(w, "vmnet8")->kind, "dummy");
	world_link_del(w, "vmnet8");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_link(w, "vmnet8")->kind, "bridge");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reload_without_a_change_does_nothing),
	    cmocka_unit_test(reload_adds_and_removes_only_what_changed),
	    cmocka_unit_test(reload_tells_the_dhcp_server_all_that_it_can_do),
	    cmocka_unit_test(reload_moves_a_network_to_its_new_subnet),
	    cmocka_unit_test(two_networks_swap_their_subnets),
	    cmocka_unit_test(reload_keeps_the_old_configuration_of_a_wrong_network),
	    cmocka_unit_test(reload_with_errors_for_all_changes_nothing),
	    cmocka_unit_test(files_that_vanish_are_no_reason_to_make_new_networks),
	    cmocka_unit_test(a_subnet_that_the_host_uses_fails_alone),
	    cmocka_unit_test(an_address_of_the_host_blocks_too),
	    cmocka_unit_test(default_routes_in_disguise_do_not_block),
	    cmocka_unit_test(a_clash_that_comes_later_is_a_warning),
	    cmocka_unit_test(reload_onto_a_taken_subnet_keeps_the_old_one),
	    cmocka_unit_test(a_foreign_interface_with_our_name_fails_alone),
	};

	return T_RUN(tests);
}
