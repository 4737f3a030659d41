/* SPDX-License-Identifier: GPL-2.0-or-later
 * grant_sim.c - promiscuous mode in the engine: who asks, who answers, and how long an answer holds.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

static const struct mac guest = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}};
static const struct mac other = {{0x52, 0x54, 0, 0xaa, 0xbb, 0xcc}};

static void
a_guest_asks_waits_and_is_granted_by_the_marker(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_port(w, "web1");
	play_filter(w, "ids", true);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending guest \n");
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	/* One that does not count. */
	world_marker(w, MSG_NET_ALL, 1000, 0100644);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending guest \n");
	world_no_markers(w);
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest promiscAuthorized\n");
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	assert_true(play_gate(w, "vmnet8p1")->flags & GATE_FORGED);
	/* Nobody else's policy changes. */
	assert_false(play_gate(w, "vmnet8p2")->promisc);
	assert_false(play_gate(w, "vmnet8p2")->flags & GATE_FORGED);
	/* The next engine knows who asked. */
	world_restart(w);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest promiscAuthorized\n");
	world_no_markers(w);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending guest \n");
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	play_filter(w, "ids", false);
	assert_string_equal(play_promisc(w), "");
	world_free(w);
}

static void
a_user_who_asks_after_his_guest_is_not_unasked_by_it(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending guest \n");
	assert_int_equal(play_request(w, 1000, "ids", true), 0);
	play_filter(w, "ids", false);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending user \n");
	world_free(w);
}

static void
a_guest_that_asks_all_the_time_is_told_of_once(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	for (int i = 0; i < 50; i++) {
		play_filter(w, "ids", true);
		play_filter(w, "ids", false);
	}
	assert_int_equal(play_told(w, "asked for and pending"), 1);
	world_wait(w, 61000);
	play_filter(w, "ids", true);
	assert_int_equal(play_told(w, "asked for and pending"), 2);
	world_free(w);
}

/* Whatever the answer is: neither the log nor the events are the guest's to fill. What the host changes is told. */
static void
a_guest_that_changes_all_the_time_is_told_of_four_times(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	for (int i = 0; i < 50; i++) {
		play_filter(w, "ids", true);
		play_filter(w, "ids", false);
	}
	assert_int_equal(play_told(w, "promiscuous mode granted"), 2);
	assert_int_equal(play_told(w, "promiscuous mode revoked"), 2);
	assert_int_equal(play_told(w, "it changes often: not told again within a minute"), 1);
	play_filter(w, "ids", true);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest promiscAuthorized\n");
	world_no_markers(w);
	assert_int_equal(play_told(w, "promiscuous mode revoked"), 3);
	world_wait(w, 61000);
	play_filter(w, "ids", false);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_DENY, 0), 0);
	for (int i = 0; i < 50; i++) {
		play_filter(w, "ids", true);
		play_filter(w, "ids", false);
	}
	assert_int_equal(play_told(w, "promiscuous mode refused"), 4);
	assert_int_equal(play_told(w, "it changes often: not told again within a minute"), 2);
	world_free(w);
}

/* The owner of a port asks for it, at attach or later; a guest that stops asking does not unask it. */
static void
users_ask_for_their_own_ports(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = msg_make(MSG_ATTACH, 0);

	m.u.attach.net = 8;
	m.u.attach.kind = PORT_ATTACH;
	m.u.attach.queues = 1;
	m.u.attach.promisc = true;
	MSG_SET_STR(m.u.attach.name, "ids");
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending user \n");
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	play_filter(w, "ids", true);
	play_filter(w, "ids", false);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending user \n");
	world_wait(w, 10000);
	assert_int_equal(play_told(w, "promisc-pending: ids"), 1);

	assert_int_equal(play_request(w, 1001, "ids", false), EPERM);
	assert_int_equal(play_request(w, 5000, "ids", false), EPERM);
	assert_int_equal(play_request(w, 0, "nobody", true), ENOENT);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending user \n");
	assert_int_equal(play_request(w, 1000, "ids", false), 0);
	assert_string_equal(play_promisc(w), "");
	assert_int_equal(play_request(w, 1000, "ids", true), 0);
	world_marker(w, 8, 0, 0100644);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_told(w, "promisc-granted: ids"), 1);
	world_no_markers(w);
	assert_int_equal(play_told(w, "promisc-revoked: ids"), 1);
	world_free(w);
}

/* Named with its reason, once, however often somebody looks. */
static void
a_marker_that_does_not_count_is_named(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_marker(w, 8, 0, 0100666);
	core_marker_event(w->core, w->now, false);
	world_run(w);
	core_marker_event(w->core, w->now, true);
	world_run(w);
	assert_int_equal(
	    play_told(w, "marker-refused: vmnet8/promiscAuthorized does not count: others "
			 "than root may write to it (mode 0666)\n"),
	    1);
	/* For another reason. */
	w->marker[0].uid = 1000;
	core_marker_event(w->core, w->now, false);
	world_run(w);
	assert_int_equal(play_told(w, "marker-refused: "), 2);
	world_free(w);
}

static void
the_marker_of_one_network_is_for_that_network(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	world_marker(w, 1, 0, 0100644);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending guest \n");
	world_marker(w, 8, 0, 0100644);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest vmnet8/promiscAuthorized\n");
	world_free(w);
}

static void
an_administrators_word_lasts_as_long_as_he_said(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	assert_int_equal(play_decide(w, 1000, "ids", PROMISC_ALLOW_ONCE, 0), EPERM);
	play_filter(w, "ids", true);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_FOR, 60), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_wait(w, 59000);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_wait(w, 2000);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending guest \n");
	/* Once: until it stops asking. */
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_ONCE, 0), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	play_filter(w, "ids", false);
	play_filter(w, "ids", true);
	world_run(w);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	/* Denied although the marker is there. */
	world_marker(w, MSG_NET_ALL, 0, 0100600);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_DENY, 0), 0);
	world_run(w);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_string_equal(play_promisc(w), "ids vmnet8 refused guest \n");
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_REVOKE, 0), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_free(w);
}

/* Then the other answers count, as if nothing had been said. */
static void
a_word_for_a_time_ends_also_where_it_was_not_needed(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_FOR, 3 * 3600), 0);
	world_run(w);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest \n");
	/* The next engine keeps it. */
	play_quiet_restart(w);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest \n");
	world_wait(w, 3 * 3600 * 1000 + 2000);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted guest promiscAuthorized\n");
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_no_markers(w);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	/* So long that no clock reaches it. */
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_FOR, UINT32_MAX), 0);
	world_wait(w, 24 * 3600 * 1000);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_free(w);
}

static void
always_is_written_and_revoke_takes_it_back(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_ALWAYS, 0), 0);
	world_run(w);
	/* For this user's guest, not for whoever takes the name after it. */
	assert_true(play_has(w->file[CONF_FILE_VNETD][0],
			     "[port ids]\nowner = alice\npromiscuous = allow"));
	assert_string_equal(play_promisc(w), "ids vmnet8 granted configuration \n");
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_REVOKE, 0), 0);
	world_run(w);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_false(play_has(w->file[CONF_FILE_VNETD][0], "promiscuous"));
	world_free(w);
}

/* Who has no name in the passwd file, and root, have heirs as well. */
static void
always_is_bound_to_root_and_to_users_without_a_name(void **state UNUSED)
{
	static const struct {
		uint32_t uid;
		const char *section;
	} rows[] = {
	    {0, "[port ids]\nowner = root\npromiscuous = allow"},
	    {4242, "[port ids]\nowner = 4242\npromiscuous = allow"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = play_one_net();
		struct world_client *cl;

		world_write(w, CONF_FILE_VNETD, 0, "[user 4242]\nallow = all\n");
		assert_int_equal(play_reload(w, NULL), 0);
		play_attach(w, rows[i].uid, PORT_ATTACH, "ids", &cl);
		assert_int_equal(cl->err, 0);
		assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_ALWAYS, 0), 0);
		world_run(w);
		assert_true(play_has(w->file[CONF_FILE_VNETD][0], rows[i].section));
		assert_true(play_gate(w, "vmnet8p1")->promisc);
		world_link_del(w, "vmnet8p1");
		world_run(w);
		play_port(w, "ids");
		assert_false(play_gate(w, "vmnet8p1")->promisc);
		world_free(w);
	}
}

/* Somebody else's link has no user: who is told so can name the guest better. */
static void
always_at_an_adopted_port_says_for_whom_it_is(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_PROMISC_DECIDE, 0);

	world_link_add(w, "vnet3", "tun");
	world_enslave(w, "vnet3", "vmnet8");
	world_run(w);
	MSG_SET_STR(m.u.promisc_decide.port, "vnet3");
	m.u.promisc_decide.verdict = PROMISC_ALLOW_ALWAYS;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_true(play_has(strbuf_str(&cl->rows), "[port vnet3] is for whoever has that name\n"));
	world_pin(w, "vnet3", guest);
	assert_int_equal(play_decide(w, 0, "vnet3", PROMISC_REVOKE, 0), 0);
	world_write(w, CONF_FILE_VNETD, 0, "");
	assert_int_equal(play_reload(w, NULL), 0);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_true(play_has(strbuf_str(&cl->rows),
			     "[port 52:54:00:12:34:56] is for whoever has that address\n"));
	assert_false(play_has(w->file[CONF_FILE_VNETD][0], "owner"));
	world_free(w);
}

static void
mac_learning_is_the_milder_grant(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "esx");
	assert_int_equal(play_set(w, "esx", "mac-learning", "8"), 0);
	assert_string_equal(play_promisc(w), "esx vmnet8 pending configuration \n");
	assert_int_equal(play_gate(w, "vmnet8p1")->mac_policy, MAC_POLICY_STICKY);
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_int_equal(play_gate(w, "vmnet8p1")->mac_policy, MAC_POLICY_LEARN);
	assert_int_equal(play_gate(w, "vmnet8p1")->learn, 8);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_false(play_gate(w, "vmnet8p1")->flags & GATE_FORGED);
	world_free(w);
}

/* A NIC has any number of machines behind it, and asks for nothing. */
static void
mac_learning_of_a_network_is_for_its_guests(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_write(w, CONF_FILE_VNETD, 0,
		    "[vmnet8]\nmac-learning = 8\n[port router]\nmac-policy = any\n");
	assert_int_equal(play_reload(w, NULL), 0);
	world_link_add(w, "eth1", "");
	world_enslave(w, "eth1", "vmnet8");
	play_port(w, "esx");
	play_port(w, "router");
	assert_string_equal(play_promisc(w), "esx vmnet8 pending configuration \n");
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_int_equal(play_gate(w, "vmnet8p1")->learn, 8);
	assert_int_equal(play_gate(w, "vmnet8p2")->mac_policy, MAC_POLICY_ANY);
	assert_int_equal(play_gate(w, "eth1")->mac_policy, MAC_POLICY_ANY);
	assert_false(play_gate(w, "eth1")->promisc);
	world_free(w);
}

/* Who is denied would only have to turn it off and on. */
static void
a_denied_guest_cannot_ask_the_denial_away(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	play_filter(w, "ids", true);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_DENY, 0), 0);
	play_filter(w, "ids", false);
	play_filter(w, "ids", true);
	assert_string_equal(play_promisc(w), "ids vmnet8 refused guest \n");
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	/* Nor can its owner. */
	assert_int_equal(play_request(w, 1000, "ids", false), 0);
	assert_int_equal(play_request(w, 1000, "ids", true), 0);
	assert_string_equal(play_promisc(w), "ids vmnet8 refused user \n");
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_REVOKE, 0), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_free(w);
}

/* Several sections may speak of one port. */
static void
revoke_takes_it_back_wherever_it_is_written(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	world_pin(w, "vmnet8p1", guest);
	world_write(w, CONF_FILE_VNETD, 0,
		    "[port 52:54:00:12:34:56]\npromiscuous = allow\n"
		    "[port vmnet8p1]\npromiscuous = allow\n"
		    "[port ids]\nrate-in = 1M\n");
	assert_int_equal(play_reload(w, NULL), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_REVOKE, 0), 0);
	world_run(w);
	assert_string_equal(play_promisc(w), "");
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_false(play_has(w->file[CONF_FILE_VNETD][0], "promiscuous"));
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], "rate-in"));
	world_free(w);
}

/* The engine looks at the host while the attach is still with priv, and nothing happens afterwards. */
static void
a_grant_that_ends_during_the_attach_is_revoked(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = play_attach_msg("ids");

	world_marker(w, MSG_NET_ALL, 0, 0100644);
	m.u.attach.promisc = true;
	m.id = 77;
	w->slow_type = MSG_PORT_SET;
	assert_true(core_client_msg(w->core, w->now, cl->serial, &m, NULL, 0));
	/* Its PORT_SET is answered after this look; its gate has been asked for before. */
	w->nmarkers = 0;
	world_wait(w, 0);
	core_marker_event(w->core, w->now, false);
	w->slow_type = MSG_NONE;
	world_run(w);
	assert_string_equal(play_promisc(w), "ids vmnet8 pending user \n");
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_told(w, "promisc-pending: ids"), 1);
	world_free(w);
}

static void
a_port_is_looked_at_once_it_is_handed_over(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 1000);
	struct msg m = play_attach_msg("ids");

	m.u.attach.promisc = true;
	w->slow_type = MSG_PORT_SET;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->err, 0);
	assert_int_equal(play_told(w, "promisc-pending: ids"), 1);
	world_free(w);
}

static void
a_word_said_before_the_port_was_seen_counts(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg a = play_attach_msg("ids"), b = play_attach_msg("web1");
	struct msg d = msg_make(MSG_PROMISC_DECIDE, 0);

	play_post(w, cl, &a);
	/* Another attach fails, and what it left is looked for. */
	w->fail_type = MSG_PORT_SET;
	w->fail_times = 1;
	play_post(w, cl, &b);
	MSG_SET_STR(d.u.promisc_decide.port, "ids");
	d.u.promisc_decide.verdict = PROMISC_ALLOW_ONCE;
	play_post(w, cl, &d);
	world_run(w);
	assert_string_equal(play_promisc(w), "ids vmnet8 granted user \n");
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_free(w);
}

static void
a_revocation_does_not_wait_for_a_network_in_trouble(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	w->fail_type = MSG_ADDR_ADD;
	w->fail_times = 1000;
	world_addr_del(w, "vmnet8", "192.168.8.1");
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_DEGRADED);
	world_no_markers(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_DEGRADED);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	/* Nor does a holder who disturbs his neighbours. */
	world_link(w, "vmnet8p1")->mac = other;
	core_link_event(w->core, w->now, world_link(w, "vmnet8p1"), false);
	world_run(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_DEGRADED);
	assert_int_equal(world_link(w, "vmnet8p1")->master, 0);
	world_free(w);
}

/* When the files could not be watched. */
static void
reload_looks_at_the_markers(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	w->marker[w->nmarkers++] = (struct msg_marker_row){
	    .net = MSG_NET_ALL, .regular = true, .links = 1, .mode = 0100644};
	assert_int_equal(play_reload(w, NULL), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	world_free(w);
}

static void
a_word_for_a_time_ends_although_the_clock_is_set(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	assert_int_equal(play_decide(w, 0, "ids", PROMISC_ALLOW_FOR, 3600), 0);
	world_run(w);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	/* A machine that came up with a wrong time has found the right one. */
	w->clock_step_ms = 7200 * 1000;
	world_wait(w, 61 * 1000);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	world_free(w);
}

/* 16 ports of a network are granted, the 17th waits; what else its gate is does not. */
static void
a_grant_without_room_leaves_the_rest_of_the_gate_in_force(void **state UNUSED)
{
	const char *full = "promisc-waits: p17: promiscuous mode has no room: vmnet8 has 16 "
			   "promiscuous ports already";
	struct world *w = play_one_net();
	char name[8];

	world_marker(w, MSG_NET_ALL, 0, 0100644);
	for (int n = 1; n <= GATE_MIRRORS_MAX + 1; n++) {
		snprintf(name, sizeof(name), "p%d", n);
		play_port(w, name);
		play_filter(w, name, true);
	}
	world_run(w);
	assert_true(play_gate(w, "vmnet8p16")->promisc);
	assert_false(play_gate(w, "vmnet8p17")->promisc);
	assert_int_equal(play_told(w, full), 1);
	assert_int_equal(play_told(w, "port-ungated"), 0);
	world_wait(w, 10000);
	assert_int_equal(play_told(w, full), 1);
	assert_true(play_gate(w, "vmnet8p17")->flags & GATE_DHCP);
	assert_int_equal(play_set(w, "p17", "dhcp-server", "allow"), 0);
	assert_int_equal(play_gate(w, "vmnet8p17")->flags, GATE_CONTROL | GATE_RA);
	play_filter(w, "p1", false);
	world_wait(w, 3000);
	assert_true(play_gate(w, "vmnet8p17")->promisc);
	assert_int_equal(play_gate(w, "vmnet8p17")->flags, GATE_CONTROL | GATE_RA | GATE_FORGED);
	world_free(w);
}

/* Only what failed waits before it is tried again. */
static void
a_revocation_does_not_wait_for_a_gate_that_failed(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "ids");
	play_filter(w, "ids", true);
	world_marker(w, MSG_NET_ALL, 0, 0100644);
	assert_true(play_gate(w, "vmnet8p1")->promisc);
	w->fail_type = MSG_GATE_SET;
	w->fail_times = 1;
	assert_int_equal(play_set(w, "ids", "rate-in", "8000k"), 0);
	assert_int_equal(w->fail_times, 0);
	w->gate_sets = 0;
	core_filter_gone(w->core, w->now, world_link(w, "vmnet8p1")->ifindex);
	world_run(w);
	assert_int_equal(w->gate_sets, 0);
	assert_int_equal(play_gate(w, "vmnet8p1")->rate_in_kbit, 0);
	world_no_markers(w);
	assert_int_equal(w->gate_sets, 1);
	assert_false(play_gate(w, "vmnet8p1")->promisc);
	assert_int_equal(play_gate(w, "vmnet8p1")->rate_in_kbit, 8000);
	/* That was tried, and stands. */
	world_wait(w, 10000);
	assert_int_equal(w->gate_sets, 1);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_guest_asks_waits_and_is_granted_by_the_marker),
	    cmocka_unit_test(a_user_who_asks_after_his_guest_is_not_unasked_by_it),
	    cmocka_unit_test(a_guest_that_asks_all_the_time_is_told_of_once),
	    cmocka_unit_test(a_guest_that_changes_all_the_time_is_told_of_four_times),
	    cmocka_unit_test(users_ask_for_their_own_ports),
	    cmocka_unit_test(a_marker_that_does_not_count_is_named),
	    cmocka_unit_test(the_marker_of_one_network_is_for_that_network),
	    cmocka_unit_test(an_administrators_word_lasts_as_long_as_he_said),
	    cmocka_unit_test(a_word_for_a_time_ends_also_where_it_was_not_needed),
	    cmocka_unit_test(always_is_written_and_revoke_takes_it_back),
	    cmocka_unit_test(always_is_bound_to_root_and_to_users_without_a_name),
	    cmocka_unit_test(always_at_an_adopted_port_says_for_whom_it_is),
	    cmocka_unit_test(mac_learning_is_the_milder_grant),
	    cmocka_unit_test(mac_learning_of_a_network_is_for_its_guests),
	    cmocka_unit_test(a_denied_guest_cannot_ask_the_denial_away),
	    cmocka_unit_test(revoke_takes_it_back_wherever_it_is_written),
	    cmocka_unit_test(a_grant_that_ends_during_the_attach_is_revoked),
	    cmocka_unit_test(a_port_is_looked_at_once_it_is_handed_over),
	    cmocka_unit_test(a_word_said_before_the_port_was_seen_counts),
	    cmocka_unit_test(a_revocation_does_not_wait_for_a_network_in_trouble),
	    cmocka_unit_test(reload_looks_at_the_markers),
	    cmocka_unit_test(a_grant_without_room_leaves_the_rest_of_the_gate_in_force),
	    cmocka_unit_test(a_revocation_does_not_wait_for_a_gate_that_failed),
	    cmocka_unit_test(a_word_for_a_time_ends_although_the_clock_is_set),
	};

	return T_RUN(tests);
}
