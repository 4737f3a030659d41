/* SPDX-License-Identifier: GPL-2.0-or-later
 * repair_sim.c - what other programs and the kernel do to our links, and steps that fail.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

/* --- repairs --- */

static void
what_others_change_is_put_back_within_50_ms(void **state UNUSED)
{
	struct world *w = play_one_net();

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
a_deleted_bridge_comes_back_with_its_ports(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;
	unsigned pushes;
	int ifindex;

	play_attach(w, 1000, PORT_HELPER, "", &cl);
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
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_foreign_port_that_is_taken_off_stays_off(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	play_attach(w, 1000, PORT_HELPER, "", &cl);
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
	struct world *w = play_one_net();
	char text[256];
	unsigned steps;

	for (unsigned i = 0; i < 30; i++) {
		if (world_has_addr(w, "vmnet8", "192.168.8.2"))
			world_addr_del(w, "vmnet8", "192.168.8.2");
		world_wait(w, 20);
	}
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(play_has(text, "another program"));
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
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_string_equal(text, "the kernel is in a bad mood");
	assert_int_equal(world_state(w, 0, NULL), NET_STATE_NO_UPLINK);
	world_wait(w, 1000);
	world_wait(w, 2000);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_true(world_has_route(w, "vmnet8", "192.168.8.0/24"));
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_DHCPD]), "dhcp 8"));
	world_free(w);
}

static void
a_step_without_effect_does_not_loop(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	w->deaf = true;
	world_add_net(w, 8, PLAY_NET8, "answer VNET_8_MTU 9000\n");
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_FAILED);
	assert_true(play_has(text, "does not stay"));
	world_mark(w);
	world_wait(w, 60000);
	assert_true(w->nsteps < 40);
	w->deaf = false;
	world_wait(w, 60000);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
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
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[port fc0]\ntap = yes\nnetwork = vmnet8\n");
	world_start(w);
	play_attach(w, 1000, PORT_HELPER, "", &cl);
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
	play_quiet_restart(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_others_change_is_put_back_within_50_ms),
	    cmocka_unit_test(a_deleted_bridge_comes_back_with_its_ports),
	    cmocka_unit_test(a_foreign_port_that_is_taken_off_stays_off),
	    cmocka_unit_test(a_fight_is_given_up_for_a_while),
	    cmocka_unit_test(a_step_that_fails_is_tried_again_later),
	    cmocka_unit_test(a_step_without_effect_does_not_loop),
	    cmocka_unit_test(random_interference_ends_well),
	};

	return T_RUN(tests);
}
