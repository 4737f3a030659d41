/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine_sim.c - the engine's core against a kernel, a priv and workers in memory: start, reload, crashes,
 * what other programs do to our links, and what goes wrong.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/world.h"

#define NET8 "192.168.8.0"

static struct world *
one_net(void)
{
	struct world *w = world_new();

	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	return w;
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* --- start --- */

static void
start_makes_the_configured_networks(void **state UNUSED)
{
	struct world *w = one_net();
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
	assert_true(has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8 192.168.8.0/24 mtu 1500\n"));
	assert_true(has(strbuf_str(&w->pushed[ROLE_NATD]), "nat 8 192.168.8.0/24 yes\n"));
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
	assert_true(has(w->refused, "Read-only file system"));
	assert_int_equal(w->nsteps, 0);
	assert_string_equal(w->ready, "");
	world_free(w);
}

static void
derived_files_that_cannot_be_written_are_no_obstacle(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, NET8, NULL);
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
	assert_true(has(w->refused, "networking:1:"));
	assert_int_equal(w->nsteps, 0);
	assert_false(w->serving);
	world_free(w);
}

static void
ip_forward_is_asked_once_and_tells_natd(void **state UNUSED)
{
	struct world *w = world_new();

	w->router = true;
	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	assert_true(has(strbuf_str(&w->pushed[ROLE_NATD]), "others 1\n"));
	world_free(w);
	w = one_net();
	assert_true(has(strbuf_str(&w->pushed[ROLE_NATD]), "others 0\n"));
	world_free(w);
}

static void
a_worker_that_does_not_answer_delays_ready_and_nothing_else(void **state UNUSED)
{
	struct world *w = world_new();

	w->worker_mute[ROLE_DHCPD] = true;
	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	assert_true(w->serving);
	assert_string_equal(w->ready, "");
	world_wait(w, 6000);
	assert_string_equal(w->ready, "2 networks");
	world_free(w);
}

/* --- crashes --- */

static void
expect_quiet_restart(struct world *w)
{
	world_mark(w);
	world_restart(w);
	/* Sysctls cannot be seen, so they are set anew: nothing else. */
	for (const char *p = strbuf_str(&w->steps); *p; p = strchr(p, '\n') + 1)
		assert_memory_equal(p, "SYSCTL_SET\n", strlen("SYSCTL_SET\n"));
}

static void
a_new_engine_finds_nothing_to_do(void **state UNUSED)
{
	struct world *w = one_net();
	int ifindex = world_link(w, "vmnet8")->ifindex;

	expect_quiet_restart(w);
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

		world_add_net(w, 8, NET8, NULL);
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
		expect_quiet_restart(w);
		world_free(w);
	}
}

static void
a_restart_with_a_broken_configuration_touches_nothing(void **state UNUSED)
{
	struct world *w = one_net();
	unsigned pushes = w->pushes[ROLE_DHCPD];

	world_write(w, CONF_FILE_VNETD, 0, "[global]\nnonsense = 1\n");
	world_mark(w);
	world_restart(w);
	assert_int_equal(w->nsteps, 0);
	assert_int_equal(w->pushes[ROLE_DHCPD], pushes);
	assert_true(has(world_warnings(w), "vnetd.conf:2:1"));
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

/* --- reload --- */

static int
reload(struct world *w, struct world_client **out)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_RELOAD_ASK, 0);

	world_mark(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->nreplies, 1);
	if (out)
		*out = cl;
	return cl->err;
}

static void
reload_without_a_change_does_nothing(void **state UNUSED)
{
	struct world *w = one_net();

	assert_int_equal(reload(w, NULL), 0);
	assert_int_equal(w->nsteps, 0);
	world_free(w);
}

static void
reload_adds_and_removes_only_what_changed(void **state UNUSED)
{
	struct world *w = one_net();
	int ifindex = world_link(w, "vmnet8")->ifindex;

	world_add_net(w, 5, "10.5.0.0", NULL);
	assert_int_equal(reload(w, NULL), 0);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	/* bridge, sysctls, three addresses, route */
	assert_int_equal(w->nsteps, 6);
	assert_int_equal(world_link(w, "vmnet8")->ifindex, ifindex);
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, NET8, NULL);
	assert_int_equal(reload(w, NULL), 0);
	assert_string_equal(strbuf_str(&w->steps), "BRIDGE_DEL\n");
	assert_null(world_link(w, "vmnet5"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_N);
	assert_true(!has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 5"));
	world_free(w);
}

static void
reload_moves_a_network_to_its_new_subnet(void **state UNUSED)
{
	struct world *w = one_net();
	int ifindex = world_link(w, "vmnet8")->ifindex;

	/* Somebody's own address on our bridge stays his. */
	world_addr_add(w, "vmnet8", "10.99.0.1", 32);
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, "10.8.0.0", "answer VNET_8_MTU 9000\n");
	assert_int_equal(reload(w, NULL), 0);
	assert_int_equal(world_link(w, "vmnet8")->ifindex, ifindex);
	assert_int_equal(world_link(w, "vmnet8")->mtu, 9000);
	assert_false(world_has_addr(w, "vmnet8", "192.168.8.1"));
	assert_false(world_has_addr(w, "vmnet8", "192.168.8.254"));
	assert_false(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_true(world_has_addr(w, "vmnet8", "10.8.0.1"));
	assert_true(world_has_addr(w, "vmnet8", "10.99.0.1"));
	assert_true(world_has_route(w, "vmnet8", "10.8.0.0/24"));
	assert_true(has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8 10.8.0.0/24 mtu 9000\n"));
	world_free(w);
}

static void
two_networks_swap_their_subnets(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 5, "10.5.0.0", NULL);
	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 5, NET8, NULL);
	world_add_net(w, 8, "10.5.0.0", NULL);
	assert_int_equal(reload(w, NULL), 0);
	assert_true(world_has_route(w, "vmnet8", "10.5.0.0/24"));
	assert_true(world_has_route(w, "vmnet5", "192.168.8.0/24"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
reload_keeps_the_old_configuration_of_a_wrong_network(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;

	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, "192.168.300.0", NULL);
	world_add_net(w, 5, "10.5.0.0", NULL);
	assert_int_equal(reload(w, &cl), EINVAL);
	assert_true(has(strbuf_str(&cl->rows), "networking:"));
	assert_true(has(cl->text, "vmnet8 keeps its running configuration"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_true(has(world_warnings(w), "vmnet8: keeps its previous configuration"));
	assert_true(has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8 192.168.8.0/24"));
	world_free(w);
}

static void
reload_with_errors_for_all_changes_nothing(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;

	world_add_net(w, 5, "10.5.0.0", NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[global]\nlog-levl = info\n");
	assert_int_equal(reload(w, &cl), EINVAL);
	assert_true(has(strbuf_str(&cl->rows), "vnetd.conf:2:1"));
	assert_int_equal(w->nsteps, 0);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_N);
	assert_true(has(world_warnings(w), "not in force"));
	world_free(w);
}

static void
files_that_vanish_are_no_reason_to_make_new_networks(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;

	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	assert_int_equal(reload(w, &cl), EINVAL);
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
	world_add_net(w, 8, NET8, NULL);
	world_add_net(w, 5, "10.5.0.0", NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(has(text, "route 192.168.0.0/20 dev eth0"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_null(world_link(w, "vmnet8"));
	assert_string_equal(w->ready, "3 networks, 1 failed");
	assert_true(!has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	/* It comes up by itself when the route goes. */
	world_route_del(w, "192.168.0.0/20");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	assert_string_equal(w->ready, "3 networks");
	world_free(w);
}

static void
an_address_of_the_host_blocks_too(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	world_addr_add(w, "eth0", "192.168.8.77", 32);
	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(has(text, "192.168.8.77"));
	world_free(w);
}

static void
default_routes_in_disguise_do_not_block(void **state UNUSED)
{
	struct world *w = world_new();

	world_route_add(w, "eth0", "128.0.0.0/1");
	world_route_add(w, "eth0", "192.0.0.0/7");
	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_clash_that_comes_later_is_a_warning(void **state UNUSED)
{
	struct world *w = one_net();

	world_link_add(w, "tun0", "tun");
	world_route_add(w, "tun0", "192.168.0.0/16");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(has(world_warnings(w), "vmnet8: its subnet 192.168.8.0/24 is also used by the "
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
	struct world *w = one_net();
	struct world_client *cl;

	world_route_add(w, "eth0", "10.0.0.0/8");
	world_write(w, CONF_FILE_NETWORKING, 0, NULL);
	world_add_net(w, 8, "10.8.0.0", NULL);
	assert_int_equal(reload(w, &cl), EINVAL);
	assert_true(has(strbuf_str(&cl->rows), "10.0.0.0/8"));
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
	world_add_net(w, 8, NET8, NULL);
	world_add_net(w, 5, "10.5.0.0", NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(has(text, "an interface called vmnet8"));
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_string_equal(world_link(w, "vmnet8")->kind, "dummy");
	world_link_del(w, "vmnet8");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_link(w, "vmnet8")->kind, "bridge");
	world_free(w);
}

/* --- repairs --- */

static void
what_others_change_is_put_back_within_50_ms(void **state UNUSED)
{
	struct world *w = one_net();

	world_addr_del(w, "vmnet8", "192.168.8.1");
	world_wait(w, 40);
	assert_true(world_has_addr(w, "vmnet8", "192.168.8.1"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	world_link_down(w, "vmnet8");
	world_wait(w, 40);
	assert_true(world_link(w, "vmnet8")->up);
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	world_link(w, "vmnet8")->mtu = 576;
	world_enslave(w, "vmnet8", NULL); /* an event */
	world_wait(w, 40);
	assert_int_equal(world_link(w, "vmnet8")->mtu, 1500);
	world_free(w);
}

static void
attach(struct world *w, uint32_t uid, enum port_kind kind, const char *name,
       struct world_client **out)
{
	struct world_client *cl = world_client(w, uid);
	struct msg m = msg_make(MSG_ATTACH, 0);

	m.u.attach.net = 8;
	m.u.attach.kind = (uint8_t)kind;
	m.u.attach.queues = 1;
	MSG_SET_STR(m.u.attach.name, name);
	world_ask(w, cl, &m, kind == PORT_NETNS ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
	assert_int_equal(cl->nreplies, 1);
	*out = cl;
}

static void
a_deleted_bridge_comes_back_with_its_ports(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;
	unsigned pushes;
	int ifindex;

	attach(w, 1000, PORT_HELPER, "", &cl);
	assert_int_equal(cl->err, 0);
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_link_add(w, "eth7", "");
	world_enslave(w, "eth7", "vmnet8");
	world_run(w);
	pushes = w->pushes[ROLE_DHCPD];
	ifindex = world_link(w, "vmnet8")->ifindex;
	world_link_del(w, "vmnet8");
	world_wait(w, 40);
	assert_true(world_link(w, "vmnet8")->ifindex != ifindex);
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_int_equal(world_link(w, "vmnet8p1")->master, world_link(w, "vmnet8")->ifindex);
	assert_int_equal(world_link(w, "vnet3")->master, world_link(w, "vmnet8")->ifindex);
	/* A NIC is nobody's guest: who put it there puts it back. */
	assert_int_equal(world_link(w, "eth7")->master, 0);
	/* Once without the network, so that sockets on the old bridge go; then with it. */
	assert_int_equal(w->pushes[ROLE_DHCPD], pushes + 2);
	assert_true(has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_foreign_port_that_is_taken_off_stays_off(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;

	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	attach(w, 1000, PORT_HELPER, "", &cl);
	world_enslave(w, "vnet3", NULL);
	world_enslave(w, "vmnet8p1", NULL);
	world_run(w);
	assert_int_equal(world_link(w, "vnet3")->master, 0);
	/* Ours goes back. */
	assert_int_equal(world_link(w, "vmnet8p1")->master, world_link(w, "vmnet8")->ifindex);
	world_free(w);
}

static void
a_fight_is_given_up_for_a_while(void **state UNUSED)
{
	struct world *w = one_net();
	char text[256];
	unsigned steps;

	for (unsigned i = 0; i < 30; i++) {
		if (world_has_addr(w, "vmnet8", "192.168.8.2"))
			world_addr_del(w, "vmnet8", "192.168.8.2");
		world_wait(w, 20);
	}
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(has(text, "another program"));
	world_mark(w);
	world_wait(w, 5000);
	assert_int_equal(w->nsteps, 0);
	/* The other one has given up. */
	world_wait(w, 30000);
	assert_true(world_has_addr(w, "vmnet8", "192.168.8.2"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	steps = w->nsteps;
	world_wait(w, 100000);
	assert_int_equal(w->nsteps, steps);
	world_free(w);
}

static void
a_step_that_fails_is_tried_again_later(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	w->fail_type = MSG_ADDR_ADD;
	w->fail_times = 4;
	world_add_net(w, 8, NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_string_equal(text, "the kernel is in a bad mood");
	assert_int_equal(world_state(w, 0, NULL), NET_STATE_NO_UPLINK);
	world_wait(w, 1000);
	world_wait(w, 2000);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_true(has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	world_free(w);
}

static void
a_step_without_effect_does_not_loop(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	w->deaf = true;
	world_add_net(w, 8, NET8, "answer VNET_8_MTU 9000\n");
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(has(text, "does not stay"));
	world_mark(w);
	world_wait(w, 60000);
	assert_true(w->nsteps < 40);
	w->deaf = false;
	world_wait(w, 60000);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

/* --- ports --- */

static const char *
ports(struct world *w)
{
	static char text[2048];
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_LIST, 0);

	m.u.port_list.net = MSG_NET_ALL;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	snprintf(text, sizeof(text), "%s", strbuf_str(&cl->rows));
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return text;
}

static void
attach_gives_a_tap_and_remembers_it(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;

	attach(w, 1000, PORT_ATTACH, "web1", &cl);
	assert_int_equal(cl->err, 0);
	assert_int_equal(cl->nfds, 1);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p1");
	assert_string_equal(cl->last_row.u.attached.name, "web1");
	assert_string_equal(world_link(w, "vmnet8p1")->alias,
			    "vnetd:8 kind=attach name=web1 owner=1000");
	assert_true(has(ports(w), "web1 vmnet8 attach"));
	attach(w, 1000, PORT_ATTACH, "web1", &cl);
	assert_int_equal(cl->err, EEXIST);
	attach(w, 1000, PORT_HELPER, "", &cl);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p2");
	expect_quiet_restart(w);
	assert_true(has(ports(w), "web1 vmnet8 attach 00:00:00:00:00:00 0.0.0.0  alice\n"));
	assert_true(has(ports(w), "vmnet8p2 vmnet8 helper"));
	/* The guest ends, its number is free again. */
	world_link_del(w, "vmnet8p1");
	world_run(w);
	assert_false(has(ports(w), "web1"));
	attach(w, 1000, PORT_HELPER, "", &cl);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p1");
	world_free(w);
}

static void
a_name_that_is_taken_leads_to_the_next_number(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;

	world_link_add(w, "vmnet8p1", "dummy");
	attach(w, 1000, PORT_HELPER, "", &cl);
	assert_int_equal(cl->err, 0);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p2");
	world_free(w);
}

static void
a_namespace_is_attached_with_an_address_of_ours(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;
	struct mac mac;

	w->netns_owner = 1000;
	attach(w, 1000, PORT_NETNS, "ns1", &cl);
	assert_int_equal(cl->err, 0);
	mac = cl->last_row.u.attached.mac;
	assert_int_equal(mac.b[0], 0x00);
	assert_int_equal(mac.b[1], 0x50);
	assert_int_equal(mac.b[2], 0x56);
	assert_true(mac.b[3] < 0x40);
	attach(w, 1001, PORT_NETNS, "ns2", &cl);
	assert_int_equal(cl->err, EPERM);
	attach(w, 0, PORT_NETNS, "ns2", &cl);
	assert_int_equal(cl->err, 0);
	assert_false(mac_eq(mac, cl->last_row.u.attached.mac));
	world_free(w);
}

static void
ports_are_joined_with_leases_and_learned_addresses(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl;
	struct msg_lease_row *r;

	attach(w, 1000, PORT_HELPER, "", &cl);
	w->fdb[0] = (struct rtnl_fdb){.ifindex = world_link(w, "vmnet8p1")->ifindex,
				      .mac = {{0xfe, 0, 8, 0, 0, 1}}, .local = true};
	w->fdb[1] = (struct rtnl_fdb){.ifindex = world_link(w, "vmnet8p1")->ifindex,
				      .mac = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}}};
	w->nfdb = 2;
	w->lease[0] = msg_make(MSG_LEASE_ROW, 0);
	r = &w->lease[0].u.lease_row;
	r->net = 8;
	r->mac = w->fdb[1].mac;
	r->state = LEASE_ROW_ACTIVE;
	assert_true(ip4_parse(&r->addr, "192.168.8.128"));
	MSG_SET_STR(r->name, "web1");
	w->nleases = 1;
	assert_string_equal(ports(w),
			    "vmnet8p1 vmnet8 helper 52:54:00:12:34:56 192.168.8.128 web1 alice\n");
	/* Without dhcpd the ports are still told. */
	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	assert_string_equal(ports(w), "vmnet8p1 vmnet8 helper 52:54:00:12:34:56 0.0.0.0  alice\n");
	world_free(w);
}

static void
a_client_that_leaves_early_leaves_nothing(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_ATTACH, 5);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	m.u.attach.net = 8;
	m.u.attach.kind = PORT_NETNS;
	assert_true(core_client_msg(w->core, w->now, cl->serial, &m, &fd, 1));
	core_client_gone(w->core, w->now, cl->serial);
	world_run(w);
	assert_null(world_link(w, "vmnet8p1"));
	assert_string_equal(ports(w), "");
	world_free(w);
}

static void
static_taps_come_and_go_with_the_configuration(void **state UNUSED)
{
	struct world *w = world_new();
	const struct rtnl_link *l;
	int ifindex;

	world_add_net(w, 8, NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0,
		    "[port fc0]\ntap = yes\nnetwork = vmnet8\nowner = alice\n");
	world_start(w);
	l = world_link(w, "fc0");
	assert_non_null(l);
	assert_int_equal(l->tun_owner, 1000);
	assert_true(l->tun_persist);
	assert_int_equal(l->master, world_link(w, "vmnet8")->ifindex);
	assert_true(has(ports(w), "fc0 vmnet8 static"));
	ifindex = l->ifindex;
	expect_quiet_restart(w);
	assert_int_equal(world_link(w, "fc0")->ifindex, ifindex);
	/* Another owner needs another tap. */
	world_write(w, CONF_FILE_VNETD, 0, "[port fc0]\ntap = yes\nnetwork = vmnet8\nowner = 7\n");
	assert_int_equal(reload(w, NULL), 0);
	assert_int_equal(world_link(w, "fc0")->tun_owner, 7);
	/* A repair. */
	world_link_del(w, "fc0");
	world_run(w);
	assert_non_null(world_link(w, "fc0"));
	world_write(w, CONF_FILE_VNETD, 0, "");
	assert_int_equal(reload(w, NULL), 0);
	assert_null(world_link(w, "fc0"));
	world_free(w);
}

static void
a_static_tap_whose_name_is_taken_harms_nobody_else(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	world_link_add(w, "fc0", "dummy");
	world_add_net(w, 8, NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[port fc0]\ntap = yes\nnetwork = vmnet8\n");
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(has(text, "\"fc0\""));
	world_link_del(w, "fc0");
	world_wait(w, 100);
	assert_int_equal(reload(w, NULL), 0);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_link(w, "fc0")->kind, "tun");
	world_free(w);
}

static void
detach_needs_the_right_and_the_right_kind(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl, *other = world_client(w, 1001);
	struct msg m = msg_make(MSG_DETACH, 0);

	attach(w, 1000, PORT_ATTACH, "web1", &cl);
	MSG_SET_STR(m.u.detach.port, "web1");
	world_ask(w, other, &m, -1);
	assert_int_equal(other->err, EPERM);
	assert_non_null(world_link(w, "vmnet8p1"));
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_null(world_link(w, "vmnet8p1"));
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	MSG_SET_STR(m.u.detach.port, "vnet3");
	world_ask(w, world_client(w, 0), &m, -1);
	assert_int_equal(world_link(w, "vnet3")->master, world_link(w, "vmnet8")->ifindex);
	world_free(w);
}

/* --- create, delete, set --- */

static void
create_set_and_delete_edit_files_and_reload(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_NET_CREATE, 0);

	m.u.net_create.net = 3;
	m.u.net_create.kind = NET_HOSTONLY;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_int_equal(cl->last_row.type, MSG_NET_ROW);
	assert_int_equal(cl->last_row.u.net_row.state, NET_STATE_OK);
	assert_true(has(w->file[CONF_FILE_NETWORKING][0], "VNET_3_HOSTONLY_SUBNET"));
	assert_non_null(world_link(w, "vmnet3"));

	m = msg_make(MSG_NET_SET, 0);
	m.u.net_set.net = 3;
	MSG_SET_STR(m.u.net_set.key, "mtu");
	MSG_SET_STR(m.u.net_set.value, "9000");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_int_equal(world_link(w, "vmnet3")->mtu, 9000);
	MSG_SET_STR(m.u.net_set.key, "mtuu");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EINVAL);
	assert_true(has(strbuf_str(&cl->rows), "mtuu"));

	/* Not onto a subnet that the host uses, and then the file is not touched. */
	world_route_add(w, "eth0", "10.0.0.0/8");
	MSG_SET_STR(m.u.net_set.key, "subnet");
	MSG_SET_STR(m.u.net_set.value, "10.3.0.0/24");
	world_ask(w, cl, &m, -1);
	assert_true(cl->err != 0);
	assert_true(has(strbuf_str(&cl->rows), "10.3.0.0/24") || has(cl->text, "10.3.0.0/24"));
	assert_false(has(w->file[CONF_FILE_NETWORKING][0], "10.3.0.0"));
	/* Nor where somebody else's interface is. */
	world_link_add(w, "vmnet4", "dummy");
	m = msg_make(MSG_NET_CREATE, 0);
	m.u.net_create.net = 4;
	m.u.net_create.kind = NET_HOSTONLY;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EADDRINUSE);
	assert_false(has(w->file[CONF_FILE_NETWORKING][0], "VNET_4"));

	m = msg_make(MSG_NET_DELETE, 0);
	m.u.net_delete.net = 3;
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet3");
	world_run(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EBUSY);
	assert_true(has(cl->text, "vnet3"));
	world_link_del(w, "vnet3");
	world_run(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_null(world_link(w, "vmnet3"));
	assert_false(has(w->file[CONF_FILE_NETWORKING][0], "VNET_3"));
	world_free(w);
}

static void
a_write_that_fails_puts_nothing_in_force(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_NET_CREATE, 0);

	w->read_only = true;
	m.u.net_create.net = 3;
	m.u.net_create.kind = NET_NAT;
	world_mark(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EROFS);
	assert_int_equal(w->nsteps, 0);
	assert_int_equal(world_state(w, 3, NULL), NET_STATE_N);
	world_free(w);
}

static void
changes_of_several_clients_wait_for_each_other(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl[4];

	for (unsigned i = 0; i < ARRAY_LEN(cl); i++) {
		struct msg m = msg_make(MSG_NET_CREATE, 77);

		cl[i] = world_client(w, 0);
		m.u.net_create.net = (uint16_t)(20 + i);
		m.u.net_create.kind = NET_HOSTONLY;
		assert_true(core_client_msg(w->core, w->now, cl[i]->serial, &m, NULL, 0));
	}
	world_run(w);
	for (unsigned i = 0; i < ARRAY_LEN(cl); i++) {
		assert_int_equal(cl[i]->err, 0);
		assert_int_equal(world_state(w, 20 + i, NULL), NET_STATE_OK);
	}
	world_free(w);
}

/* --- rights, reports, events --- */

static void
strangers_and_members_are_told_apart(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl = world_client(w, 5000);
	struct msg m = msg_make(MSG_STATUS_GET, 0);

	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EPERM);
	cl = world_client(w, 1000);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	m = msg_make(MSG_NET_DELETE, 0);
	m.u.net_delete.net = 8;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EPERM);
	m = msg_make(MSG_BRIDGE_DEL, 0);
	m.u.bridge_del.net = 8;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EPERM);
	assert_non_null(world_link(w, "vmnet8"));
	/* A right that the configuration gives holds from the reload on. */
	world_write(w, CONF_FILE_VNETD, 0, "[user alice]\nchange = yes\nallow = none\n");
	assert_int_equal(reload(w, NULL), 0);
	m = msg_make(MSG_RELOAD_ASK, 0);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	m = msg_make(MSG_ATTACH, 0);
	m.u.attach.net = 8;
	m.u.attach.queues = 1;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EPERM);
	world_free(w);
}

static void
services_make_networks_degraded_and_warn(void **state UNUSED)
{
	struct world *w = one_net();
	struct msg m = msg_make(MSG_SERVICE_STATE, 0);
	char text[256];

	m.u.service_state.net = 8;
	m.u.service_state.service = SERVICE_DHCP;
	MSG_SET_STR(m.u.service_state.text, "port 67 of 192.168.8.254 is taken by dnsmasq");
	MSG_SET_STR(m.u.service_state.cure, "stop it");
	world_report(w, ROLE_DHCPD, &m);
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(has(text, "taken by dnsmasq"));
	assert_true(has(world_warnings(w), "taken by dnsmasq [stop it]"));
	m.u.service_state.ok = true;
	world_report(w, ROLE_DHCPD, &m);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	/* A firewall is a warning, said once. */
	m.u.service_state.ok = false;
	m.u.service_state.service = SERVICE_FIREWALL;
	MSG_SET_STR(m.u.service_state.text, "ufw drops what vmnets forward");
	MSG_SET_STR(m.u.service_state.cure, "ufw route allow in on vmnet8");
	world_report(w, ROLE_NATD, &m);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_warnings(w),
			    "ufw drops what vmnets forward [ufw route allow in on vmnet8]\n");
	world_free(w);
}

static void
a_worker_that_dies_shows_until_it_is_back(void **state UNUSED)
{
	struct world *w = one_net();
	struct msg m = msg_make(MSG_WORKER_GONE, 0);
	char text[256];

	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	m.u.worker_gone.role = ROLE_DHCPD;
	MSG_SET_STR(m.u.worker_gone.how, "signal 9");
	assert_true(core_priv_msg(w->core, w->now, &m, NULL, 0));
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(has(text, "vnet-dhcpd has ended (signal 9)"));
	core_worker_up(w->core, w->now, ROLE_DHCPD);
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
watchers_get_the_past_and_the_present(void **state UNUSED)
{
	struct world *w = one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);

	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->nreplies, 0);
	assert_true(has(strbuf_str(&cl->rows), "network-up: vmnet8 is up"));
	m = msg_make(MSG_LEASE_CHANGED, 0);
	m.u.lease_changed.net = 8;
	m.u.lease_changed.event = LEASE_NEW;
	world_report(w, ROLE_DHCPD, &m);
	assert_true(has(strbuf_str(&cl->rows), "lease-new: vmnet8"));
	/* The kernel tells what happens to others too; it is no concern of ours. */
	world_mark(w);
	w->snapshots = 0;
	world_link_add(w, "docker0", "bridge");
	world_route_add(w, "docker0", "172.17.0.0/16");
	world_run(w);
	assert_int_equal(w->snapshots, 0);
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
	expect_quiet_restart(w);
	world_free(w);
}

/* Random interference for a while, then peace: whatever happened, all is well in the end. */

static void
delete_an_address_of_ours(struct world *w, uint64_t r)
{
	const struct rtnl_addr *a = &w->addr[r % w->naddrs];

	if (a->proto != NAMES_ROUTE_PROTO)
		return;
	for (size_t i = 0; i < w->nlinks; i++) {
		if (w->link[i].ifindex == a->ifindex) {
			world_addr_del(w, w->link[i].name, IP4_STR(a->addr));
			return;
		}
	}
}

static void
interfere(struct world *w, uint64_t r)
{
	/* What stands in the first two columns comes back only by its holder. */
	static const char *const links[] = {"vmnet8p1", "vnet3", "vmnet5", "vmnet8", "fc0"};
	unsigned which = r % ARRAY_LEN(links);
	const char *name = links[which];

	if (!world_link(w, name))
		return;
	switch (r >> 8 & 3) {
	case 0:
		world_link_down(w, name);
		break;
	case 1:
		if (which >= 2)
			world_link_del(w, name);
		break;
	case 2:
		if (which == 0)
			world_enslave(w, name, NULL);
		break;
	default:
		delete_an_address_of_ours(w, r >> 16);
	}
}

static void
random_interference_ends_well(void **state UNUSED)
{
	struct world *w = world_new();
	struct world_client *cl;

	world_add_net(w, 5, "10.5.0.0", NULL);
	world_add_net(w, 8, NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[port fc0]\ntap = yes\nnetwork = vmnet8\n");
	world_start(w);
	attach(w, 1000, PORT_HELPER, "", &cl);
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t r = w->core->io->random(w);

		w->replies_first = r >> 40 & 1;
		interfere(w, r);
		if (r % 97 == 0 && world_link(w, "vmnet8") && world_link(w, "vnet3")->master)
			world_restart(w);
		world_wait(w, (int64_t)(r >> 20) % 3000);
	}
	world_wait(w, 200000);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_OK);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(world_has_route(w, "vmnet5", "10.5.0.0/24"));
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_int_equal(world_link(w, "vmnet8p1")->master, world_link(w, "vmnet8")->ifindex);
	assert_int_equal(world_link(w, "vnet3")->master, world_link(w, "vmnet8")->ifindex);
	assert_int_equal(world_link(w, "fc0")->master, world_link(w, "vmnet8")->ifindex);
	expect_quiet_restart(w);
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
	    cmocka_unit_test(a_worker_that_does_not_answer_delays_ready_and_nothing_else),
	    cmocka_unit_test(a_new_engine_finds_nothing_to_do),
	    cmocka_unit_test(a_crash_at_any_step_of_the_start_heals),
	    cmocka_unit_test(a_restart_with_a_broken_configuration_touches_nothing),
	    cmocka_unit_test(reload_without_a_change_does_nothing),
	    cmocka_unit_test(reload_adds_and_removes_only_what_changed),
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
	    cmocka_unit_test(what_others_change_is_put_back_within_50_ms),
	    cmocka_unit_test(a_deleted_bridge_comes_back_with_its_ports),
	    cmocka_unit_test(a_foreign_port_that_is_taken_off_stays_off),
	    cmocka_unit_test(a_fight_is_given_up_for_a_while),
	    cmocka_unit_test(a_step_that_fails_is_tried_again_later),
	    cmocka_unit_test(a_step_without_effect_does_not_loop),
	    cmocka_unit_test(attach_gives_a_tap_and_remembers_it),
	    cmocka_unit_test(a_name_that_is_taken_leads_to_the_next_number),
	    cmocka_unit_test(a_namespace_is_attached_with_an_address_of_ours),
	    cmocka_unit_test(ports_are_joined_with_leases_and_learned_addresses),
	    cmocka_unit_test(a_client_that_leaves_early_leaves_nothing),
	    cmocka_unit_test(static_taps_come_and_go_with_the_configuration),
	    cmocka_unit_test(a_static_tap_whose_name_is_taken_harms_nobody_else),
	    cmocka_unit_test(detach_needs_the_right_and_the_right_kind),
	    cmocka_unit_test(create_set_and_delete_edit_files_and_reload),
	    cmocka_unit_test(a_write_that_fails_puts_nothing_in_force),
	    cmocka_unit_test(changes_of_several_clients_wait_for_each_other),
	    cmocka_unit_test(strangers_and_members_are_told_apart),
	    cmocka_unit_test(services_make_networks_degraded_and_warn),
	    cmocka_unit_test(a_worker_that_dies_shows_until_it_is_back),
	    cmocka_unit_test(watchers_get_the_past_and_the_present),
	    cmocka_unit_test(all_networks_at_once),
	    cmocka_unit_test(random_interference_ends_well),
	};

	return T_RUN(tests);
}
