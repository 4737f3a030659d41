/* SPDX-License-Identifier: GPL-2.0-or-later
 * request_sim.c - create, delete, set; rights; what workers report; events.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

/* --- create, delete, set --- */

static void
create_set_and_delete_edit_files_and_reload(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_NET_CREATE, 0);

	m.u.net_create.net = 3;
	m.u.net_create.kind = NET_HOSTONLY;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_int_equal(cl->last_row.type, MSG_NET_ROW);
	assert_int_equal(cl->last_row.u.net_row.state, NET_STATE_OK);
	assert_true(play_has(w->file[CONF_FILE_NETWORKING][0], "VNET_3_HOSTONLY_SUBNET"));
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
	assert_true(play_has(strbuf_str(&cl->rows), "mtuu"));

	/* Not onto a subnet that the host uses, and then the file is not touched. */
	world_route_add(w, "eth0", "10.0.0.0/8");
	MSG_SET_STR(m.u.net_set.key, "subnet");
	MSG_SET_STR(m.u.net_set.value, "10.3.0.0/24");
	world_ask(w, cl, &m, -1);
	assert_true(cl->err != 0);
	assert_true(play_has(strbuf_str(&cl->rows), "10.3.0.0/24") ||
		    play_has(cl->text, "10.3.0.0/24"));
	assert_false(play_has(w->file[CONF_FILE_NETWORKING][0], "10.3.0.0"));
	/* Nor where somebody else's interface is. */
	world_link_add(w, "vmnet4", "dummy");
	m = msg_make(MSG_NET_CREATE, 0);
	m.u.net_create.net = 4;
	m.u.net_create.kind = NET_HOSTONLY;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EADDRINUSE);
	assert_false(play_has(w->file[CONF_FILE_NETWORKING][0], "VNET_4"));

	m = msg_make(MSG_NET_DELETE, 0);
	m.u.net_delete.net = 3;
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet3");
	world_run(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EBUSY);
	assert_true(play_has(cl->text, "vnet3"));
	world_link_del(w, "vnet3");
	world_run(w);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_null(world_link(w, "vmnet3"));
	assert_false(play_has(w->file[CONF_FILE_NETWORKING][0], "VNET_3"));
	world_free(w);
}

/* What is wrong elsewhere is told by `check` and `reload`, not by every change. */
static void
a_change_tells_about_its_own_network_only(void **state UNUSED)
{
	struct world *w = world_new();
	struct world_client *cl;
	struct msg m = msg_make(MSG_NET_SET, 0);

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_add_net(w, 5, "10.5.300.0", NULL);
	world_start(w);
	assert_int_equal(world_state(w, 5, NULL), NET_STATE_FAILED);
	cl = world_client(w, 0);
	m.u.net_set.net = 8;
	MSG_SET_STR(m.u.net_set.key, "mtu");
	MSG_SET_STR(m.u.net_set.value, "1400");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_string_equal(strbuf_str(&cl->rows), "");
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "10.5.300.0"));
	assert_true(play_has(cl->text, "vmnet5 is refused"));
	world_free(w);
}

static void
a_write_that_fails_puts_nothing_in_force(void **state UNUSED)
{
	struct world *w = play_one_net();
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
	struct world *w = play_one_net();
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
	struct world *w = play_one_net();
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
	assert_int_equal(play_reload(w, NULL), 0);
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
	struct world *w = play_one_net();
	struct msg m = msg_make(MSG_SERVICE_STATE, 0);
	char text[256];

	m.u.service_state.net = 8;
	m.u.service_state.service = SERVICE_DHCP;
	MSG_SET_STR(m.u.service_state.text, "port 67 of 192.168.8.254 is taken by dnsmasq");
	MSG_SET_STR(m.u.service_state.cure, "stop it");
	world_report(w, ROLE_DHCPD, &m);
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(play_has(text, "taken by dnsmasq"));
	assert_true(play_has(world_warnings(w), "taken by dnsmasq [stop it]"));
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
	struct world *w = play_one_net();
	struct msg m = msg_make(MSG_WORKER_GONE, 0);
	char text[256];

	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	m.u.worker_gone.role = ROLE_DHCPD;
	MSG_SET_STR(m.u.worker_gone.how, "signal 9");
	assert_true(core_priv_msg(w->core, w->now, &m, NULL, 0));
	assert_int_equal(world_state(w, 8, text), NET_STATE_DEGRADED);
	assert_true(play_has(text, "vnet-dhcpd has ended (signal 9)"));
	core_worker_up(w->core, w->now, ROLE_DHCPD);
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

/* priv closes the channel of an engine that asks it about a network which cannot be. */
static void
ports_of_a_network_that_cannot_be_are_refused(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = msg_make(MSG_PORT_LIST, 0);

	m.u.port_list.net = NAMES_NETS;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EINVAL);
	m.u.port_list.net = NAMES_NETS - 1;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	m = msg_make(MSG_PROMISC_LIST, 0);
	m.u.promisc_list.net = MSG_NET_ALL - 1;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EINVAL);
	world_free(w);
}

static void
watchers_get_the_past_and_the_present(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);

	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->nreplies, 0);
	assert_true(play_has(strbuf_str(&cl->rows), "network-up: vmnet8 is up"));
	m = msg_make(MSG_LEASE_CHANGED, 0);
	m.u.lease_changed.net = 8;
	m.u.lease_changed.event = LEASE_NEW;
	world_report(w, ROLE_DHCPD, &m);
	assert_true(play_has(strbuf_str(&cl->rows), "lease-leased: vmnet8"));
	m.u.lease_changed.event = LEASE_OFFER;
	world_report(w, ROLE_DHCPD, &m);
	assert_true(play_has(strbuf_str(&cl->rows), "lease-offered: vmnet8"));
	m = msg_make(MSG_DHCP_POOL, 0);
	m.u.dhcp_pool = (struct msg_dhcp_pool){.net = 8, .event = POOL_LOW, .held = 9, .total = 10};
	world_report(w, ROLE_DHCPD, &m);
	assert_true(
	    play_has(strbuf_str(&cl->rows),
		     "pool-low: vmnet8: 9 of the 10 addresses that DHCP can give are in use"));
	m.u.dhcp_pool.event = POOL_EMPTY;
	m.u.dhcp_pool.held = 10;
	world_report(w, ROLE_DHCPD, &m);
	assert_true(
	    play_has(strbuf_str(&cl->rows),
		     "pool-empty: vmnet8: no address is free for a new guest, 10 of 10 are"));
	/* The kernel tells what happens to others too; it is no concern of ours. */
	world_mark(w);
	w->snapshots = 0;
	world_link_add(w, "docker0", "bridge");
	world_route_add(w, "docker0", "172.17.0.0/16");
	world_run(w);
	assert_int_equal(w->snapshots, 0);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ports_of_a_network_that_cannot_be_are_refused),
	    cmocka_unit_test(create_set_and_delete_edit_files_and_reload),
	    cmocka_unit_test(a_change_tells_about_its_own_network_only),
	    cmocka_unit_test(a_write_that_fails_puts_nothing_in_force),
	    cmocka_unit_test(changes_of_several_clients_wait_for_each_other),
	    cmocka_unit_test(strangers_and_members_are_told_apart),
	    cmocka_unit_test(services_make_networks_degraded_and_warn),
	    cmocka_unit_test(a_worker_that_dies_shows_until_it_is_back),
	    cmocka_unit_test(watchers_get_the_past_and_the_present),
	};

	return T_RUN(tests);
}
