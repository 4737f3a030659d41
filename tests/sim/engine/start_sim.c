/* SPDX-License-Identifier: GPL-2.0-or-later
 * start_sim.c - start and crashes: what is made, what is written, what a new engine finds.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

/* --- start --- */

static void
start_makes_the_configured_networks(void **state UNUSED)
{
	struct world *w = play_one_net();
	const struct rtnl_link *l = world_link(w, "vmnet8");

	assert_non_null(l);
	assert_string_equal(l->alias, "vnetd:8 NAT");
	assert_string_equal(MAC_STR(l->mac), "00:50:56:c0:00:08");
	assert_true(world_has_addr(w, "vmnet8", "192.168.8.1"));
	assert_true(world_has_addr(w, "vmnet8", "192.168.8.2"));
	assert_true(world_has_addr(w, "vmnet8", "192.168.8.254"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	/* vmnet0 is there without being mentioned. */
	assert_non_null(world_link(w, "vmnet0"));
	assert_int_equal(world_state(w, 0, NULL), NET_STATE_NO_UPLINK);
	assert_true(w->serving);
	assert_string_equal(w->ready, "2 networks");
	assert_true(
	    play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8 192.168.8.0/24 mtu 1500\n"));
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "nat 8 192.168.8.0/24 yes\n"));
	world_free(w);
}

static void
start_without_configuration_writes_defaults(void **state UNUSED)
{
	struct world *w = world_new();

	world_start(w);
	assert_non_null(w->file[CONF_FILE_NETWORKING][0]);
	assert_non_null(w->file[CONF_FILE_DHCPD][8]);
	assert_non_null(w->file[CONF_FILE_NAT][8]);
	assert_non_null(w->file[CONF_FILE_NETMAP][0]);
	assert_int_equal(world_state(w, 0, NULL), NET_STATE_NO_UPLINK);
	assert_int_equal(world_state(w, 1, NULL), NET_STATE_OK);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(w->ready, "3 networks");
	world_free(w);
}

static void
defaults_avoid_what_the_host_uses(void **state UNUSED)
{
	struct world *w = world_new();
	struct rtnl_link *l;

	/* All of 172.16/12 and 192.168/16 but one are taken. */
	world_route_add(w, "eth0", "172.16.0.0/12");
	for (unsigned x = 0; x < 256; x++) {
		char dst[PREFIX4_STRLEN];

		snprintf(dst, sizeof(dst), "192.168.%u.0/24", x);
		if (x != 77 && x != 78)
			world_route_add(w, "eth0", dst);
	}
	w->host_file[HOST_FILE_RESOLV_CONF] = strdup("# x\n nameserver\t192.168.78.9\noptions a\n");
	world_start(w);
	l = world_link(w, "vmnet1");
	assert_non_null(l);
	assert_true(world_has_route(w, "vmnet1", "192.168.77.0/24"));
	assert_false(world_has_route(w, "vmnet8", "192.168.78.0/24"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
defaults_that_cannot_be_written_refuse_the_start(void **state UNUSED)
{
	struct world *w = world_new();

	w->read_only = true;
	world_start(w);
	assert_true(play_has(w->refused, "Read-only file system"));
	assert_int_equal(w->nsteps, 0);
	assert_string_equal(w->ready, "");
	world_free(w);
}

static void
derived_files_that_cannot_be_written_are_no_obstacle(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	w->read_only = true;
	world_start(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_broken_version_line_refuses_the_start(void **state UNUSED)
{
	struct world *w = world_new();

	world_write(w, CONF_FILE_NETWORKING, 0, "VERSION=9\nanswer VNET_8_NAT yes\n");
	world_start(w);
	assert_true(play_has(w->refused, "networking:1:"));
	assert_int_equal(w->nsteps, 0);
	assert_false(w->serving);
	world_free(w);
}

static void
ip_forward_is_asked_once_and_tells_natd(void **state UNUSED)
{
	struct world *w = world_new();

	w->router = true;
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "others 1\n"));
	world_free(w);
	w = play_one_net();
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "others 0\n"));
	world_free(w);
}

static void
natd_is_told_of_the_flowtable(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[global]\nflowtable = no\n");
	world_start(w);
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "others 0, no flowtable\n"));
	world_free(w);
}

static void
ip_forward_that_cannot_be_set_degrades_nat_networks(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	w->fail_type = MSG_IP_FORWARD;
	w->fail_times = 1;
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(play_has(text, "bad mood"));
	/* The next job tries again. */
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_worker_that_does_not_answer_delays_ready_and_nothing_else(void **state UNUSED)
{
	struct world *w = world_new();

	w->worker_mute[ROLE_DHCPD] = true;
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_true(w->serving);
	assert_string_equal(w->ready, "");
	world_wait(w, 6000);
	assert_string_equal(w->ready, "2 networks");
	world_free(w);
}

/* --- crashes --- */

static void
a_new_engine_finds_nothing_to_do(void **state UNUSED)
{
	struct world *w = play_one_net();
	int ifindex = world_link(w, "vmnet8")->ifindex;

	play_quiet_restart(w);
	assert_int_equal(world_link(w, "vmnet8")->ifindex, ifindex);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(w->ready, "2 networks");
	world_free(w);
}

/* Wherever the engine dies during its start, the next one finishes the work. */
static void
a_crash_at_any_step_of_the_start_heals(void **state UNUSED)
{
	for (unsigned steps = 1; steps < 12; steps++) {
		struct world *w = world_new();

		world_add_net(w, 8, PLAY_NET8, NULL);
		w->fail_type = MSG_NONE;
		world_start(w);
		/* Take apart what the steps after the crash would have made. */
		if (steps < 2)
			world_link_del(w, "vmnet8");
		else if (steps < 6)
			world_route_del(w, "192.168.8.0/24");
		if (steps >= 2 && steps < 5)
			world_addr_del(w, "vmnet8", "192.168.8.254");
		if (steps == 2)
			world_link(w, "vmnet8")->alias[0] = '\0';
		world_restart(w);
		assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
		assert_true(world_has_addr(w, "vmnet8", "192.168.8.254"));
		assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
		assert_string_equal(world_link(w, "vmnet8")->alias, "vnetd:8 NAT");
		play_quiet_restart(w);
		world_free(w);
	}
}

static void
a_restart_with_a_broken_configuration_touches_nothing(void **state UNUSED)
{
	struct world *w = play_one_net();
	unsigned pushes = w->pushes[ROLE_DHCPD];

	world_write(w, CONF_FILE_VNETD, 0, "[global]\nnonsense = 1\n");
	world_mark(w);
	world_restart(w);
	assert_int_equal(w->nsteps, 0);
	assert_int_equal(w->pushes[ROLE_DHCPD], pushes);
	assert_true(play_has(world_warnings(w), "vnetd.conf:2:1"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	/* Once it is right, everything goes on. */
	world_write(w, CONF_FILE_VNETD, 0, "[global]\n");
	struct msg m = msg_make(MSG_RELOAD_ASK, 0);
	struct world_client *cl = world_client(w, 0);

	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

/* --- size --- */

static void
all_networks_at_once(void **state UNUSED)
{
	struct world *w = world_new();
	unsigned steps;

	for (unsigned n = 1; n < NAMES_NETS; n++) {
		char subnet[IP4_STRLEN];

		snprintf(subnet, sizeof(subnet), "10.77.%u.0", n);
		world_add_net(w, n, subnet, NULL);
	}
	w->replies_first = true;
	world_start(w);
	assert_string_equal(w->ready, "256 networks");
	/* Six steps each, two for vmnet0, and each of them once. */
	assert_int_equal(w->nsteps, 255 * 6 + 2);
	for (unsigned n = 1; n < NAMES_NETS; n++)
		assert_int_equal(world_state(w, n, NULL), NET_STATE_OK);
	steps = w->nsteps;
	world_wait(w, 60000);
	assert_int_equal(w->nsteps, steps);
	play_quiet_restart(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(start_makes_the_configured_networks),
	    cmocka_unit_test(start_without_configuration_writes_defaults),
	    cmocka_unit_test(defaults_avoid_what_the_host_uses),
	    cmocka_unit_test(defaults_that_cannot_be_written_refuse_the_start),
	    cmocka_unit_test(derived_files_that_cannot_be_written_are_no_obstacle),
	    cmocka_unit_test(a_broken_version_line_refuses_the_start),
	    cmocka_unit_test(ip_forward_is_asked_once_and_tells_natd),
	    cmocka_unit_test(natd_is_told_of_the_flowtable),
	    cmocka_unit_test(ip_forward_that_cannot_be_set_degrades_nat_networks),
	    cmocka_unit_test(a_worker_that_does_not_answer_delays_ready_and_nothing_else),
	    cmocka_unit_test(a_new_engine_finds_nothing_to_do),
	    cmocka_unit_test(a_crash_at_any_step_of_the_start_heals),
	    cmocka_unit_test(a_restart_with_a_broken_configuration_touches_nothing),
	    cmocka_unit_test(all_networks_at_once),
	};

	return T_RUN(tests);
}
