/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_sim.c - gates and promiscuous mode in the engine: what priv is told, and when.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

static const struct mac guest = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}};
static const struct mac other = {{0x52, 0x54, 0, 0xaa, 0xbb, 0xcc}};

static void
a_new_port_has_its_gate_before_it_is_up(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_mark(w);
	w->gate_sets = 0;
	play_port(w, "web1");
	assert_string_equal(strbuf_str(&w->steps), "TAP_ADD\nPORT_SET\n");
	assert_int_equal(w->gate_sets, 1);
	assert_true(world_link(w, "vmnet8p1")->up);
	assert_int_equal(play_gate(w, "vmnet8p1")->mac_policy, MAC_POLICY_STICKY);
	assert_int_equal(play_gate(w, "vmnet8p1")->flags, GATE_CONTROL | GATE_DHCP | GATE_RA);
	world_free(w);
}

static void
a_port_whose_gate_fails_is_not_handed_out(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	w->fail_type = MSG_GATE_SET;
	w->fail_times = 1;
	play_attach(w, 0, PORT_NETNS, "ns", &cl);
	assert_int_equal(cl->err, EIO);
	world_run(w);
	assert_null(world_link(w, "vmnet8p1"));
	world_free(w);
}

static void
a_pinned_address_is_locked_and_known_to_the_next_engine(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "web1");
	assert_true(world_link(w, "vmnet8p1")->port_learning);
	world_pin(w, "vmnet8p1", guest);
	assert_true(world_link(w, "vmnet8p1")->port_locked);
	assert_false(world_link(w, "vmnet8p1")->port_learning);
	assert_true(play_has(play_ports(w), "web1 vmnet8 attach 52:54:00:12:34:56"));
	play_quiet_restart(w);
	assert_true(play_has(play_ports(w), "web1 vmnet8 attach 52:54:00:12:34:56"));
	assert_true(world_link(w, "vmnet8p1")->port_locked);
	world_free(w);
}

static void
an_entry_that_the_bridge_forgets_comes_back(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	assert_true(world_gate(w, "vmnet8p1")->entry);
	world_forget_entry(w, "vmnet8p1");
	assert_true(world_gate(w, "vmnet8p1")->entry);
	world_free(w);
}

/* Also while its gate is to be set again: nobody tells it a second time. */
static void
a_learned_address_that_a_bridge_forgets_is_given_up(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct rtnl_fdb f = {.mac = other};

	play_port(w, "esx");
	world_pin(w, "vmnet8p1", guest);
	f.ifindex = world_link(w, "vmnet8p1")->ifindex;
	/* A port that learns nothing has nothing to forget. */
	core_fdb_gone(w->core, w->now, &f);
	world_run(w);
	assert_int_equal(w->forgets, 0);
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_int_equal(play_set(w, "esx", "mac-learning", "8"), 0);
	core_fdb_gone(w->core, w->now, &f);
	world_run(w);
	assert_int_equal(w->forgets, 1);
	core_overrun(w->core, w->now);
	core_fdb_gone(w->core, w->now, &f);
	world_run(w);
	assert_int_equal(w->forgets, 2);
	world_free(w);
}

/* Without it promiscuous ports do not get what the host sends. */
static void
the_program_of_a_bridge_comes_back(void **state UNUSED)
{
	struct world *w = play_one_net();

	for (unsigned i = 0; i < 10; i++) {
		world_mark(w);
		core_filter_gone(w->core, w->now, world_link(w, "vmnet8")->ifindex);
		world_run(w);
		assert_string_equal(strbuf_str(&w->steps), "BRIDGE_SET\n");
	}
	/* It is nobody's attack on the network. */
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_int_equal(play_told(w, "network-repaired"), 0);
	world_mark(w);
	core_filter_gone(w->core, w->now, 1);
	world_run(w);
	assert_string_equal(strbuf_str(&w->steps), "");
	world_free(w);
}

static bool
is_fast(struct world *w, const char *ifname)
{
	return world_gate(w, ifname)->fast;
}

static void
gates_are_fastened_when_nothing_else_is_to_be_done(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "web1");
	world_wait(w, 1500);
	play_port(w, "web2");
	world_wait(w, 1500);
	assert_int_equal(w->fastens, 0);
	world_wait(w, 1000);
	assert_int_equal(w->fastens, 2);
	assert_true(is_fast(w, "vmnet8p1") && is_fast(w, "vmnet8p2"));
	/* That takes the filters away, which is news about nothing. */
	w->gate_sets = 0;
	core_filter_gone(w->core, w->now, world_link(w, "vmnet8p1")->ifindex);
	world_wait(w, 60000);
	assert_int_equal(w->gate_sets, 0);
	assert_int_equal(w->fastens, 2);
	world_free(w);
}

static void
no_gate_is_fastened_while_somebody_gets_copies(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "web1");
	play_port(w, "sniffer");
	assert_int_equal(play_request(w, 0, "sniffer", true), 0);
	assert_int_equal(play_decide(w, 0, "sniffer", PROMISC_ALLOW_ONCE, 0), 0);
	world_wait(w, 60000);
	assert_int_equal(w->fastens, 0);
	/* What was fastened by an earlier engine's priv, if anything was, is replaced, once. */
	assert_int_equal(w->replaces, 2);
	play_quiet_restart(w);
	world_wait(w, 60000);
	assert_int_equal(w->fastens, 0);
	assert_int_equal(w->replaces, 4);
	assert_int_equal(play_decide(w, 0, "sniffer", PROMISC_REVOKE, 0), 0);
	world_wait(w, 3000);
	assert_true(is_fast(w, "vmnet8p1") && is_fast(w, "vmnet8p2"));
	world_free(w);
}

static void
a_kernel_that_cannot_fasten_is_asked_once(void **state UNUSED)
{
	struct world *w = play_one_net();

	w->no_tcx = true;
	play_port(w, "web1");
	play_port(w, "web2");
	world_wait(w, 60000);
	assert_int_equal(w->fastens, 1);
	/* There a filter that goes is missed. */
	w->gate_sets = 0;
	core_filter_gone(w->core, w->now, world_link(w, "vmnet8p1")->ifindex);
	world_run(w);
	assert_int_equal(w->gate_sets, 1);
	world_wait(w, 60000);
	assert_int_equal(w->fastens, 1);
	world_free(w);
}

static void
attributes_that_others_change_come_back(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct rtnl_link *l;

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	l = world_link(w, "vmnet8p1");
	l->port_learning = l->port_flood = true;
	core_link_event(w->core, w->now, l, false);
	world_run(w);
	assert_false(world_link(w, "vmnet8p1")->port_learning);
	assert_false(world_link(w, "vmnet8p1")->port_flood);
	world_free(w);
}

static void
adopted_ports_are_guests_or_ways_out(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_link_add(w, "vxlan7", "vxlan");
	world_enslave(w, "vxlan7", "vmnet8");
	world_run(w);
	assert_int_equal(play_gate(w, "vnet3")->mac_policy, MAC_POLICY_STICKY);
	assert_int_equal(play_gate(w, "vxlan7")->mac_policy, MAC_POLICY_ANY);
	assert_int_equal(play_gate(w, "vxlan7")->flags, 0);
	assert_int_equal(play_gate(w, "vxlan7")->flood, 0);
	assert_true(world_link(w, "vxlan7")->port_flood);
	world_link_del(w, "vnet3");
	world_run(w);
	assert_int_equal(w->ngates, 1);
	world_free(w);
}

/* libvirt gives the next guest the name vnet3 too; the address is this one's. */
static void
a_setting_of_an_adopted_tap_is_for_its_guest_not_for_its_name(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	world_pin(w, "vnet3", guest);
	assert_int_equal(play_set(w, "vnet3", "dhcp-server", "allow"), 0);
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], MAC_STR(guest)));
	assert_false(play_gate(w, "vnet3")->flags & GATE_DHCP);
	world_link_del(w, "vnet3");
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	world_pin(w, "vnet3", other);
	assert_true(play_gate(w, "vnet3")->flags & GATE_DHCP);
	world_free(w);
}

/* Slots of gates are few: what goes unseen must not keep one. */
static void
gates_of_links_that_went_unseen_are_ended(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg m = msg_make(MSG_ATTACH, 5);
	struct world_client *cl;

	play_port(w, "web1");
	play_port(w, "web2");
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	assert_int_equal(w->ngates, 3);
	/* While there is no engine. */
	world_link(w, "vnet3")->master = 0;
	world_link_del(w, "vmnet8p1");
	world_restart(w);
	assert_int_equal(w->ngates, 1);
	assert_non_null(world_gate(w, "vmnet8p2"));
	/* One that had its gate when its attach failed: it was never seen as a port. */
	m.u.attach.net = 8;
	m.u.attach.kind = PORT_NETNS;
	w->fail_type = MSG_PORT_SET;
	w->fail_times = 1;
	w->gate_sets = 0;
	cl = world_client(w, 0);
	world_ask(w, cl, &m, open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_int_equal(cl->err, EIO);
	assert_int_equal(w->gate_sets, 1);
	assert_null(world_link(w, "vmnet8p1"));
	assert_int_equal(w->ngates, 1);
	world_free(w);
}

static void
a_holder_who_changes_his_taps_address_is_taken_down(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct rtnl_link *l;
	struct mac ours;

	play_port(w, "web1");
	l = world_link(w, "vmnet8p1");
	ours = l->mac;
	l->mac = other;
	core_link_event(w->core, w->now, l, false);
	world_wait(w, 50);
	l = world_link(w, "vmnet8p1");
	assert_true(mac_eq(l->mac, ours));
	assert_false(l->up);
	assert_int_equal(l->master, 0);
	/* The next engine knows it still. */
	play_quiet_restart(w);
	assert_false(world_link(w, "vmnet8p1")->up);
	assert_int_equal(world_link(w, "vmnet8p1")->master, 0);
	assert_int_equal(play_set(w, "web1", "link", "up"), 0);
	assert_true(world_link(w, "vmnet8p1")->up);
	assert_int_equal(world_link(w, "vmnet8p1")->master, world_link(w, "vmnet8")->ifindex);
	world_free(w);
}

/* TUNSETOWNER: somebody else could open it by name then. */
static void
a_tap_that_its_holder_gave_away_is_taken_down(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);
	struct rtnl_link *l;

	play_port(w, "web1");
	play_port(w, "web2");
	l = world_link(w, "vmnet8p1");
	l->tun_owner = 1001;
	core_link_event(w->core, w->now, l, false);
	world_run(w);
	assert_false(world_link(w, "vmnet8p1")->up);
	assert_true(world_link(w, "vmnet8p2")->up);
	world_ask(w, cl, &m, -1);
	assert_true(play_has(strbuf_str(&cl->rows),
			     "port-blocked: web1: its holder changed the interface's owner"));
	/* It is not its network's fault. */
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	world_free(w);
}

static void
a_tap_that_its_holder_made_stay_goes_with_him(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct rtnl_link *l;

	play_port(w, "web1");
	l = world_link(w, "vmnet8p1");
	l->tun_persist = true;
	l->lower_up = false;
	core_link_event(w->core, w->now, l, false);
	world_run(w);
	assert_null(world_link(w, "vmnet8p1"));
	world_free(w);
}

static void
a_cable_is_pulled_and_plugged_by_configuration(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "web1");
	assert_int_equal(play_set(w, "web1", "link", "down"), 0);
	assert_false(world_link(w, "vmnet8p1")->up);
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], "[port web1]"));
	assert_int_equal(play_set(w, "web1", "link", "default"), 0);
	assert_true(world_link(w, "vmnet8p1")->up);
	assert_int_equal(play_set(w, "web1", "rate-in", "fast"), EINVAL);
	assert_int_equal(play_set(w, "nobody", "link", "up"), ENOENT);
	world_free(w);
}

/* It is somebody else's: nothing would happen. */
static void
the_cable_of_an_adopted_port_is_not_ours(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_SETTING, 0);

	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	MSG_SET_STR(m.u.port_setting.port, "vnet3");
	MSG_SET_STR(m.u.port_setting.key, "link");
	MSG_SET_STR(m.u.port_setting.value, "down");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EINVAL);
	assert_true(play_has(cl->text, "virsh domif-setlink DOMAIN vnet3 down"));
	assert_true(play_has(cl->text, "ip link set vnet3 down"));
	assert_false(play_has(world_warnings(w), "vnet3"));
	/* By hand, or before the link came. */
	world_write(w, CONF_FILE_VNETD, 0, "[port vnet3]\nlink = down\n");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(play_has(world_warnings(w), "link = down of port vnet3 has no effect"));
	m = msg_make(MSG_PORT_LIST, 0);
	m.u.port_list.net = MSG_NET_ALL;
	world_ask(w, cl, &m, -1);
	assert_string_equal(cl->last_row.u.port_row.ifname, "vnet3");
	assert_true(cl->last_row.u.port_row.link);
	assert_int_equal(play_set(w, "vnet3", "link", "up"), 0);
	assert_false(play_has(world_warnings(w), "vnet3"));
	world_free(w);
}

static void
a_port_gets_copies_of_another_ones_frames(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "span");
	play_port(w, "web1");
	assert_int_equal(play_set(w, "span", "mirror-of", "web1"), 0);
	assert_string_equal(play_gate(w, "vmnet8p2")->span, "vmnet8p1");
	world_link_del(w, "vmnet8p1");
	world_run(w);
	assert_string_equal(play_gate(w, "vmnet8p2")->span, "");
	world_free(w);
}

/* Anybody who may attach can take the name, or the address, while it is not in use. */
static void
copies_are_for_the_owner_of_the_section(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl;

	world_write(w, CONF_FILE_VNETD, 0,
		    "[port ids]\nowner = alice\nmirror-of = web1\n"
		    "[port 52:54:00:12:34:56]\nowner = alice\nmirror-of = web1\n");
	assert_int_equal(play_reload(w, NULL), 0);
	play_port(w, "web1");
	play_attach(w, 0, PORT_ATTACH, "ids", &cl);
	assert_int_equal(cl->err, 0);
	world_pin(w, "vmnet8p2", guest);
	assert_string_equal(play_gate(w, "vmnet8p1")->span, "");
	world_link_del(w, "vmnet8p2");
	world_run(w);
	play_port(w, "ids");
	assert_string_equal(play_gate(w, "vmnet8p1")->span, "vmnet8p2");
	/* By its address; and not where its name says otherwise. */
	world_link_del(w, "vmnet8p2");
	world_run(w);
	play_port(w, "recorder");
	world_pin(w, "vmnet8p2", guest);
	assert_string_equal(play_gate(w, "vmnet8p1")->span, "vmnet8p2");
	assert_int_equal(play_set(w, "recorder", "mirror-of", "web2"), 0);
	assert_string_equal(play_gate(w, "vmnet8p1")->span, "");
	world_free(w);
}

/* What a client is told besides, after setting mirror-of. */
static const char *
mirror_of(struct world *w, const char *port, const char *of, int err)
{
	static char text[512];
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_SETTING, 0);

	MSG_SET_STR(m.u.port_setting.port, port);
	MSG_SET_STR(m.u.port_setting.key, "mirror-of");
	MSG_SET_STR(m.u.port_setting.value, of);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, err);
	snprintf(text, sizeof(text), "%s%s", strbuf_str(&cl->rows), err ? cl->text : "");
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return text;
}

static void
a_mirror_that_copies_nothing_is_said(void **state UNUSED)
{
	struct world *w = play_one_net();
	static const char gone[] = "there is no port \"web9\" now; span gets its copies once there "
				   "is one\n";

	world_add_net(w, 9, "192.168.9.0", NULL);
	assert_int_equal(play_reload(w, NULL), 0);
	play_port(w, "span");
	play_port(w, "web1");
	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet9");
	world_run(w);
	assert_true(play_has(mirror_of(w, "span", "web9", 0), gone));
	assert_true(
	    play_has(mirror_of(w, "span", "vnet3", 0),
		     "vnet3 is on vmnet9 and span on vmnet8; copies stay within a network\n"));
	assert_false(play_has(mirror_of(w, "span", "web1", 0), "copies"));
	/* By its interface's name. */
	assert_string_equal(mirror_of(w, "span", "vmnet8p1", EINVAL), "span cannot mirror itself");
	assert_false(play_has(mirror_of(w, "span", "default", 0), "copies"));
	/* It comes, and has its copies. */
	assert_true(play_has(mirror_of(w, "span", "web9", 0), gone));
	play_port(w, "web9");
	assert_string_equal(play_gate(w, "vmnet8p3")->span, "vmnet8p1");
	world_free(w);
}

static void
a_guarded_port_follows_its_lease(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg m = msg_make(MSG_LEASE_CHANGED, 0);

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	assert_int_equal(play_set(w, "web1", "ip-guard", "yes"), 0);
	assert_true(play_gate(w, "vmnet8p1")->flags & GATE_IP);
	assert_int_equal(play_gate(w, "vmnet8p1")->ip.h, 0);
	m.u.lease_changed.net = 8;
	m.u.lease_changed.event = LEASE_NEW;
	m.u.lease_changed.mac = guest;
	assert_true(ip4_parse(&m.u.lease_changed.addr, "192.168.8.130"));
	world_report(w, ROLE_DHCPD, &m);
	world_run(w);
	assert_string_equal(IP4_STR(play_gate(w, "vmnet8p1")->ip), "192.168.8.130");
	/* No gap for the next engine, although it knows of no lease yet. */
	w->gate_sets = 0;
	w->worker_mute[ROLE_DHCPD] = true;
	world_restart(w);
	assert_string_equal(IP4_STR(play_gate(w, "vmnet8p1")->ip), "192.168.8.130");
	world_free(w);
}

static void
unpin_lets_the_next_address_in(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_UNPIN, 0);

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	MSG_SET_STR(m.u.port_unpin.port, "web1");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	world_run(w);
	assert_true(mac_is_zero(world_gate(w, "vmnet8p1")->mac));
	world_pin(w, "vmnet8p1", other);
	assert_true(mac_eq(world_gate(w, "vmnet8p1")->mac, other));
	assert_true(world_link(w, "vmnet8p1")->port_locked);
	world_free(w);
}

/* Also one that was told: until the guest has sent something, and for the next engine. */
static void
unpin_takes_an_address_away_that_was_configured(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PORT_UNPIN, 0);

	play_port(w, "web1");
	assert_int_equal(play_set(w, "web1", "mac", MAC_STR(guest)), 0);
	MSG_SET_STR(m.u.port_unpin.port, "web1");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, EINVAL);
	assert_non_null(strstr(cl->text, "mac-policy sticky"));
	assert_int_equal(play_set(w, "web1", "mac-policy", "sticky"), 0);
	assert_true(mac_eq(world_gate(w, "vmnet8p1")->mac, guest));
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_true(mac_is_zero(world_gate(w, "vmnet8p1")->mac));
	assert_int_equal(play_set(w, "web1", "rate-in", "1M"), 0);
	assert_true(mac_is_zero(world_gate(w, "vmnet8p1")->mac));
	play_quiet_restart(w);
	assert_true(mac_is_zero(world_gate(w, "vmnet8p1")->mac));
	world_pin(w, "vmnet8p1", other);
	assert_true(mac_eq(world_gate(w, "vmnet8p1")->mac, other));
	/* A new word in the file counts again, when there is none. */
	cl = world_client(w, 0);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_int_equal(play_set(w, "web1", "mac", MAC_STR(guest)), 0);
	assert_true(mac_eq(world_gate(w, "vmnet8p1")->mac, guest));
	world_free(w);
}

/* Its interface's index was never seen: whoever may attach could use up all gates. */
static void
a_port_that_went_before_it_was_seen_leaves_no_gate(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = play_attach_msg("web1"), d = msg_make(MSG_DETACH, 0);

	play_post(w, cl, &m);
	assert_int_equal(w->ngates, 1);
	world_link_del(w, "vmnet8p1");
	world_run(w);
	assert_int_equal(w->ngates, 0);
	play_post(w, cl, &m);
	assert_int_equal(w->ngates, 1);
	MSG_SET_STR(d.u.detach.port, "web1");
	play_post(w, cl, &d);
	world_run(w);
	assert_null(world_link(w, "vmnet8p1"));
	assert_int_equal(w->ngates, 0);
	world_free(w);
}

/* What the bridges have learned is not read for each port in each plan. */
static void
a_mirror_of_an_unknown_address_costs_nothing(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "span");
	play_port(w, "web1");
	assert_int_equal(play_set(w, "span", "mirror-of", MAC_STR(other)), 0);
	w->fdb_dumps = 0;
	play_port(w, "web2");
	assert_int_equal(w->fdb_dumps, 0);
	world_pin(w, "vmnet8p3", other);
	assert_string_equal(play_gate(w, "vmnet8p3")->span, "vmnet8p1");
	assert_string_equal(play_gate(w, "vmnet8p2")->span, "");
	world_free(w);
}

static void
a_lease_that_is_over_guards_no_longer(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg m = msg_make(MSG_LEASE_CHANGED, 0), row = msg_make(MSG_LEASE_ROW, 0);

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	m.u.lease_changed.net = 8;
	m.u.lease_changed.mac = guest;
	assert_true(ip4_parse(&m.u.lease_changed.addr, "192.168.8.130"));
	assert_int_equal(play_set(w, "web1", "ip-guard", "yes"), 0);
	for (unsigned over = LEASE_RELEASED; over <= LEASE_DECLINED; over++) {
		m.u.lease_changed.event = LEASE_NEW;
		world_report(w, ROLE_DHCPD, &m);
		world_run(w);
		assert_string_equal(IP4_STR(play_gate(w, "vmnet8p1")->ip), "192.168.8.130");
		m.u.lease_changed.event = (uint8_t)over;
		world_report(w, ROLE_DHCPD, &m);
		world_run(w);
		assert_int_equal(play_gate(w, "vmnet8p1")->ip.h, 0);
	}
	/* One that has a reservation goes back to that. */
	row.u.lease_row.net = 8;
	row.u.lease_row.mac = guest;
	row.u.lease_row.state = LEASE_ROW_RESERVED;
	assert_true(ip4_parse(&row.u.lease_row.addr, "192.168.8.20"));
	w->lease[w->nleases++] = row;
	m.u.lease_changed.event = LEASE_NEW;
	world_report(w, ROLE_DHCPD, &m);
	m.u.lease_changed.event = LEASE_EXPIRED;
	world_report(w, ROLE_DHCPD, &m);
	world_run(w);
	assert_string_equal(IP4_STR(play_gate(w, "vmnet8p1")->ip), "192.168.8.20");
	world_free(w);
}

/* The lease is older than the engine and than the guard. */
static void
a_guard_that_is_turned_on_knows_the_lease(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg row = msg_make(MSG_LEASE_ROW, 0);

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	play_quiet_restart(w);
	row.u.lease_row.net = 8;
	row.u.lease_row.mac = guest;
	row.u.lease_row.state = LEASE_ROW_ACTIVE;
	assert_true(ip4_parse(&row.u.lease_row.addr, "192.168.8.130"));
	w->lease[w->nleases++] = row;
	assert_int_equal(play_set(w, "web1", "ip-guard", "yes"), 0);
	assert_string_equal(IP4_STR(play_gate(w, "vmnet8p1")->ip), "192.168.8.130");
	world_free(w);
}

/* Without a moment in which it may say nothing. */
static void
a_guard_that_is_turned_on_lets_the_lease_pass_at_once(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg row = msg_make(MSG_LEASE_ROW, 0);

	play_port(w, "web1");
	world_pin(w, "vmnet8p1", guest);
	row.u.lease_row.net = 8;
	row.u.lease_row.mac = guest;
	row.u.lease_row.state = LEASE_ROW_ACTIVE;
	assert_true(ip4_parse(&row.u.lease_row.addr, "192.168.8.130"));
	w->lease[w->nleases++] = row;
	play_quiet_restart(w);
	w->gate_sets = 0;
	assert_int_equal(play_set(w, "web1", "ip-guard", "yes"), 0);
	assert_string_equal(IP4_STR(play_gate(w, "vmnet8p1")->ip), "192.168.8.130");
	assert_int_equal(w->gate_sets, 1);
	world_free(w);
}

/* Only `up` is a pardon: with its cable out it would be back on the bridge. */
static void
a_blocked_port_stays_off_its_bridge_with_its_cable_out(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct rtnl_link *l;

	play_port(w, "web1");
	l = world_link(w, "vmnet8p1");
	l->mac = other;
	core_link_event(w->core, w->now, l, false);
	world_run(w);
	assert_int_equal(play_set(w, "web1", "link", "down"), 0);
	assert_int_equal(world_link(w, "vmnet8p1")->master, 0);
	assert_int_equal(play_set(w, "web1", "link", "up"), 0);
	assert_int_equal(world_link(w, "vmnet8p1")->master, world_link(w, "vmnet8")->ifindex);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_port_has_its_gate_before_it_is_up),
	    cmocka_unit_test(a_port_whose_gate_fails_is_not_handed_out),
	    cmocka_unit_test(a_pinned_address_is_locked_and_known_to_the_next_engine),
	    cmocka_unit_test(an_entry_that_the_bridge_forgets_comes_back),
	    cmocka_unit_test(a_learned_address_that_a_bridge_forgets_is_given_up),
	    cmocka_unit_test(the_program_of_a_bridge_comes_back),
	    cmocka_unit_test(gates_are_fastened_when_nothing_else_is_to_be_done),
	    cmocka_unit_test(no_gate_is_fastened_while_somebody_gets_copies),
	    cmocka_unit_test(a_kernel_that_cannot_fasten_is_asked_once),
	    cmocka_unit_test(attributes_that_others_change_come_back),
	    cmocka_unit_test(adopted_ports_are_guests_or_ways_out),
	    cmocka_unit_test(a_setting_of_an_adopted_tap_is_for_its_guest_not_for_its_name),
	    cmocka_unit_test(gates_of_links_that_went_unseen_are_ended),
	    cmocka_unit_test(a_holder_who_changes_his_taps_address_is_taken_down),
	    cmocka_unit_test(a_tap_that_its_holder_gave_away_is_taken_down),
	    cmocka_unit_test(a_tap_that_its_holder_made_stay_goes_with_him),
	    cmocka_unit_test(a_cable_is_pulled_and_plugged_by_configuration),
	    cmocka_unit_test(the_cable_of_an_adopted_port_is_not_ours),
	    cmocka_unit_test(a_port_gets_copies_of_another_ones_frames),
	    cmocka_unit_test(copies_are_for_the_owner_of_the_section),
	    cmocka_unit_test(a_mirror_that_copies_nothing_is_said),
	    cmocka_unit_test(a_guarded_port_follows_its_lease),
	    cmocka_unit_test(unpin_lets_the_next_address_in),
	    cmocka_unit_test(unpin_takes_an_address_away_that_was_configured),
	    cmocka_unit_test(a_port_that_went_before_it_was_seen_leaves_no_gate),
	    cmocka_unit_test(a_mirror_of_an_unknown_address_costs_nothing),
	    cmocka_unit_test(a_lease_that_is_over_guards_no_longer),
	    cmocka_unit_test(a_guard_that_is_turned_on_knows_the_lease),
	    cmocka_unit_test(a_guard_that_is_turned_on_lets_the_lease_pass_at_once),
	    cmocka_unit_test(a_blocked_port_stays_off_its_bridge_with_its_cable_out),
	};

	return T_RUN(tests);
}
