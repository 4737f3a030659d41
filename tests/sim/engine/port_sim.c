/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_sim.c - attach, detach, static taps, ports of others.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

/* --- ports --- */

static void
attach_gives_a_tap_and_remembers_it(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	play_attach(w, 1000, PORT_ATTACH, "web1", &cl);
	assert_int_equal(cl->err, 0);
	assert_int_equal(cl->nfds, 1);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p1");
	assert_string_equal(cl->last_row.u.attached.name, "web1");
	assert_string_equal(world_link(w, "vmnet8p1")->alias,
			    "vnetd:8 kind=attach name=web1 owner=1000");
	assert_true(play_has(play_ports(w), "web1 vmnet8 attach"));
	play_attach(w, 1000, PORT_ATTACH, "web1", &cl);
	assert_int_equal(cl->err, EEXIST);
	play_attach(w, 1000, PORT_HELPER, "", &cl);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p2");
	play_quiet_restart(w);
	assert_true(
	    play_has(play_ports(w), "web1 vmnet8 attach 00:00:00:00:00:00 0.0.0.0  alice\n"));
	assert_true(play_has(play_ports(w), "vmnet8p2 vmnet8 helper"));
	/* The guest ends, its number is free again. */
	world_link_del(w, "vmnet8p1");
	world_run(w);
	assert_false(play_has(play_ports(w), "web1"));
	play_attach(w, 1000, PORT_HELPER, "", &cl);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p1");
	world_free(w);
}

/* Links appear step by step; what looks wrong half-way is no business of a repair. */
static void
a_look_while_a_port_is_being_made_does_not_disturb_it(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	w->peeking = true;
	world_mark(w);
	play_attach(w, 1000, PORT_HELPER, "", &cl);
	assert_int_equal(cl->err, 0);
	play_attach(w, 0, PORT_NETNS, "", &cl);
	assert_int_equal(cl->err, 0);
	assert_string_equal(strbuf_str(&w->steps), "TAP_ADD\nPORT_SET\nVETH_ADD\nPORT_SET\n");
	assert_int_equal(world_link(w, "vmnet8p1")->master, world_link(w, "vmnet8")->ifindex);
	assert_int_equal(world_link(w, "vmnet8p2")->master, world_link(w, "vmnet8")->ifindex);
	world_free(w);
}

static void
a_name_that_is_taken_leads_to_the_next_number(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_link_add(w, "vmnet8p1", "dummy");
	play_attach(w, 1000, PORT_HELPER, "", &cl);
	assert_int_equal(cl->err, 0);
	assert_string_equal(cl->last_row.u.attached.ifname, "vmnet8p2");
	world_free(w);
}

static void
a_namespace_is_attached_with_an_address_of_ours(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;
	struct mac mac;

	w->netns_owner = 1000;
	play_attach(w, 1000, PORT_NETNS, "ns1", &cl);
	assert_int_equal(cl->err, 0);
	mac = cl->last_row.u.attached.mac;
	assert_int_equal(mac.b[0], 0x00);
	assert_int_equal(mac.b[1], 0x50);
	assert_int_equal(mac.b[2], 0x56);
	assert_true(mac.b[3] < 0x40);
	play_attach(w, 1001, PORT_NETNS, "ns2", &cl);
	assert_int_equal(cl->err, EPERM);
	play_attach(w, 0, PORT_NETNS, "ns2", &cl);
	assert_int_equal(cl->err, 0);
	assert_false(mac_eq(mac, cl->last_row.u.attached.mac));
	world_free(w);
}

static void
ports_are_joined_with_leases_and_learned_addresses(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;
	struct msg_lease_row *r;

	play_attach(w, 1000, PORT_HELPER, "", &cl);
	w->fdb[0] = (struct rtnl_fdb){.ifindex = world_link(w, "vmnet8p1")->ifindex,
				      .mac = {{0xfe, 0, 8, 0, 0, 1}},
				      .local = true};
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
	assert_string_equal(play_ports(w),
			    "vmnet8p1 vmnet8 helper 52:54:00:12:34:56 192.168.8.128 web1 alice\n");
	/* Without dhcpd the ports are still told. */
	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	assert_string_equal(play_ports(w),
			    "vmnet8p1 vmnet8 helper 52:54:00:12:34:56 0.0.0.0  alice\n");
	world_free(w);
}

static void
a_client_that_leaves_early_leaves_nothing(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_ATTACH, 5);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	m.u.attach.net = 8;
	m.u.attach.kind = PORT_NETNS;
	assert_true(core_client_msg(w->core, w->now, cl->serial, &m, &fd, 1));
	core_client_gone(w->core, w->now, cl->serial);
	world_run(w);
	assert_null(world_link(w, "vmnet8p1"));
	assert_int_equal(w->ngates, 0);
	assert_string_equal(play_ports(w), "");
	world_free(w);
}

static void
static_taps_come_and_go_with_the_configuration(void **state UNUSED)
{
	struct world *w = world_new();
	const struct rtnl_link *l;
	int ifindex;

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0,
		    "[port fc0]\ntap = yes\nnetwork = vmnet8\nowner = alice\n");
	world_start(w);
	l = world_link(w, "fc0");
	assert_non_null(l);
	assert_int_equal(l->tun_owner, 1000);
	assert_true(l->tun_persist);
	assert_int_equal(l->master, world_link(w, "vmnet8")->ifindex);
	assert_true(play_has(play_ports(w), "fc0 vmnet8 static"));
	ifindex = l->ifindex;
	play_quiet_restart(w);
	assert_int_equal(world_link(w, "fc0")->ifindex, ifindex);
	/* Another owner needs another tap. */
	world_write(w, CONF_FILE_VNETD, 0, "[port fc0]\ntap = yes\nnetwork = vmnet8\nowner = 7\n");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(world_link(w, "fc0")->tun_owner, 7);
	/* A repair. */
	world_link_del(w, "fc0");
	world_run(w);
	assert_non_null(world_link(w, "fc0"));
	world_write(w, CONF_FILE_VNETD, 0, "");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_null(world_link(w, "fc0"));
	world_free(w);
}

static void
a_static_tap_whose_name_is_taken_harms_nobody_else(void **state UNUSED)
{
	struct world *w = world_new();
	char text[256];

	world_link_add(w, "fc0", "dummy");
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_write(w, CONF_FILE_VNETD, 0, "[port fc0]\ntap = yes\nnetwork = vmnet8\n");
	world_start(w);
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(play_has(text, "\"fc0\""));
	world_link_del(w, "fc0");
	world_wait(w, 100);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_link(w, "fc0")->kind, "tun");
	world_free(w);
}

static void
detach_finds_a_port_by_what_the_bridge_has_learned(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;
	struct msg m = msg_make(MSG_DETACH, 0);

	play_attach(w, 1000, PORT_ATTACH, "web1", &cl);
	w->fdb[0] = (struct rtnl_fdb){.ifindex = world_link(w, "vmnet8p1")->ifindex,
				      .mac = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}}};
	w->nfdb = 1;
	MSG_SET_STR(m.u.detach.port, "52:54:00:12:34:57");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, ENOENT);
	MSG_SET_STR(m.u.detach.port, "52:54:00:12:34:56");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_null(world_link(w, "vmnet8p1"));
	world_free(w);
}

static void
detach_needs_the_right_and_the_right_kind(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl, *other = world_client(w, 1001);
	struct msg m = msg_make(MSG_DETACH, 0);

	play_attach(w, 1000, PORT_ATTACH, "web1", &cl);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attach_gives_a_tap_and_remembers_it),
	    cmocka_unit_test(a_look_while_a_port_is_being_made_does_not_disturb_it),
	    cmocka_unit_test(a_name_that_is_taken_leads_to_the_next_number),
	    cmocka_unit_test(a_namespace_is_attached_with_an_address_of_ours),
	    cmocka_unit_test(ports_are_joined_with_leases_and_learned_addresses),
	    cmocka_unit_test(a_client_that_leaves_early_leaves_nothing),
	    cmocka_unit_test(static_taps_come_and_go_with_the_configuration),
	    cmocka_unit_test(a_static_tap_whose_name_is_taken_harms_nobody_else),
	    cmocka_unit_test(detach_finds_a_port_by_what_the_bridge_has_learned),
	    cmocka_unit_test(detach_needs_the_right_and_the_right_kind),
	};

	return T_RUN(tests);
}
