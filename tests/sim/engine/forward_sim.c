/* SPDX-License-Identifier: GPL-2.0-or-later
 * forward_sim.c - forwards added and removed while everything runs, by the short way and by the long one.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <stdio.h>

#include "tests/sim/engine/play.h"

static struct msg
add_msg(uint16_t port, const char *guest)
{
	struct msg m = msg_make(MSG_FORWARD_ADD, 0);

	m.u.forward_add.net = 8;
	m.u.forward_add.proto = PROTO_TCP;
	m.u.forward_add.port = port;
	m.u.forward_add.guest_port = 80;
	assert_true(ip4_parse(&m.u.forward_add.guest, guest));
	MSG_SET_STR(m.u.forward_add.text, "web");
	return m;
}

static int
ask(struct world *w, struct msg *m, struct world_client **out)
{
	struct world_client *cl = world_client(w, 0);

	world_ask(w, cl, m, -1);
	world_run(w);
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	if (out)
		*out = cl;
	return cl->err;
}

static int
add(struct world *w, uint16_t port)
{
	struct msg m = add_msg(port, "192.168.8.130");

	return ask(w, &m, NULL);
}

static int
drop(struct world *w, uint16_t port)
{
	struct msg m = msg_make(MSG_FORWARD_REMOVE, 0);

	m.u.forward_remove.net = 8;
	m.u.forward_remove.proto = PROTO_TCP;
	m.u.forward_remove.port = port;
	return ask(w, &m, NULL);
}

static const char *
natd_has(struct world *w)
{
	return strbuf_str(&w->pushed[ROLE_NATD]);
}

static void
one_forward_is_one_message_and_one_file(void **state UNUSED)
{
	struct world *w = play_one_net();
	unsigned pushes = w->pushes[ROLE_NATD], dhcpd = w->pushes[ROLE_DHCPD];
	unsigned writes = w->writes, looks = w->snapshots;

	assert_int_equal(add(w, 8080), 0);
	assert_true(play_has(natd_has(w), "new 8 tcp 8080 192.168.8.130 80\n"));
	assert_true(play_has(w->file[CONF_FILE_NETWORKING][0],
			     "add_nat_portfwd 8 tcp 8080 192.168.8.130 80 web\n"));
	assert_int_equal(drop(w, 8080), 0);
	assert_true(play_has(natd_has(w), "gone 8 tcp 8080 192.168.8.130 80\n"));
	assert_false(play_has(w->file[CONF_FILE_NETWORKING][0], "portfwd"));
	assert_int_equal(w->writes, writes + 2);
	assert_int_equal(w->pushes[ROLE_NATD], pushes);
	assert_int_equal(w->pushes[ROLE_DHCPD], dhcpd);
	assert_int_equal(w->snapshots, looks);
	assert_int_equal(play_told(w, "vmnet8: changed: forwards"), 2);
	world_free(w);
}

/* What it leaves behind is what a reload finds, and what the next one builds on. */
static void
a_reload_finds_nothing_to_change(void **state UNUSED)
{
	struct world *w = play_one_net();

	for (uint16_t port = 8000; port < 8040; port++)
		assert_int_equal(add(w, port), 0);
	for (uint16_t port = 8000; port < 8040; port += 2)
		assert_int_equal(drop(w, port), 0);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(play_told(w, "vmnet8: changed: forwards"), 60);
	assert_false(play_has(natd_has(w), "forward 8 8000\n"));
	assert_true(play_has(natd_has(w), "forward 8 8001\n"));
	assert_true(play_has(natd_has(w), "forward 8 8039\n"));
	assert_int_equal(drop(w, 8001), 0);
	assert_true(play_has(natd_has(w), "gone 8 tcp 8001 192.168.8.130 80\n"));
	world_free(w);
}

/* Somebody has edited the file: everything is read. */
static void
an_edited_file_goes_the_long_way(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct strbuf text;
	unsigned pushes;

	assert_int_equal(add(w, 8080), 0);
	strbuf_init(&text);
	strbuf_addf(&text, "%s%s", w->file[CONF_FILE_NETWORKING][0],
		    "add_nat_portfwd 8 tcp 9000 192.168.8.131 90\n");
	world_write(w, CONF_FILE_NETWORKING, 0, strbuf_str(&text));
	strbuf_fini(&text);
	pushes = w->pushes[ROLE_NATD];
	assert_int_equal(add(w, 8081), 0);
	assert_true(w->pushes[ROLE_NATD] > pushes);
	assert_true(play_has(natd_has(w), "forward 8 8080\nforward 8 8081\nforward 8 9000\n"));
	/* And from there the short way again. */
	pushes = w->pushes[ROLE_NATD];
	assert_int_equal(drop(w, 9000), 0);
	assert_int_equal(w->pushes[ROLE_NATD], pushes);
	assert_true(play_has(natd_has(w), "gone 8 tcp 9000 192.168.8.131 90\n"));
	/* The other file with forwards. */
	world_write(w, CONF_FILE_NAT, 8, "[incomingtcp]\n7000 = 192.168.8.131:70\n");
	assert_int_equal(add(w, 8082), 0);
	assert_true(play_has(natd_has(w), "forward 8 7000\n"));
	assert_int_equal(drop(w, 7000), 0);
	assert_false(play_has(natd_has(w), "forward 8 7000\n"));
	assert_false(play_has(w->file[CONF_FILE_NAT][8], "7000"));
	world_free(w);
}

static void
mistakes_are_told_as_ever(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg m = add_msg(8080, "192.168.9.1");
	struct world_client *cl;
	unsigned writes = w->writes;

	assert_int_equal(ask(w, &m, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "192.168.9.1"));
	assert_int_equal(drop(w, 8080), EINVAL);
	m = add_msg(8080, "192.168.8.130");
	m.u.forward_add.net = 7;
	assert_int_equal(ask(w, &m, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "vmnet7 does not exist"));
	assert_int_equal(w->writes, writes);
	/* Nothing is in force before it is on disk. */
	w->read_only = true;
	assert_int_equal(add(w, 8080), EROFS);
	assert_false(play_has(natd_has(w), "8080"));
	w->read_only = false;
	assert_int_equal(add(w, 8080), 0);
	assert_true(play_has(natd_has(w), "new 8 tcp 8080"));
	world_free(w);
}

/* natd has something else than the engine thinks. */
static void
a_worker_that_cannot_follow_gets_everything(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct world_client *cl = world_client(w, 0);
	struct msg m = add_msg(8080, "192.168.8.130"), ready = msg_make(MSG_CONF_READY, 0);
	unsigned pushes = w->pushes[ROLE_NATD];

	w->worker_mute[ROLE_NATD] = true;
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->nreplies, 0);
	assert_true(play_has(natd_has(w), "new 8 tcp 8080"));
	w->worker_mute[ROLE_NATD] = false;
	ready.u.conf_ready.generation = w->core->worker[ROLE_NATD].generation;
	ready.u.conf_ready.err = ESTALE;
	world_report(w, ROLE_NATD, &ready);
	world_run(w);
	assert_int_equal(w->pushes[ROLE_NATD], pushes + 1);
	assert_true(play_has(natd_has(w), "forward 8 8080\n"));
	assert_int_equal(cl->nreplies, 1);
	assert_int_equal(cl->err, 0);
	world_free(w);
}

/* A worker that starts again is told of what came by the short way. */
static void
changes_outlive_the_worker_and_the_engine(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg m = add_msg(8081, "192.168.8.130");
	struct world_client *cl;

	assert_int_equal(add(w, 8080), 0);
	core_worker_lost(w->core, w->now, ROLE_NATD);
	cl = world_client(w, 0);
	world_ask(w, cl, &m, -1);
	assert_int_equal(cl->nreplies, 0);
	core_worker_up(w->core, w->now, ROLE_NATD);
	world_run(w);
	assert_int_equal(cl->err, 0);
	assert_true(play_has(natd_has(w), "forward 8 8080\nforward 8 8081\n"));
	play_quiet_restart(w);
	assert_true(play_has(natd_has(w), "forward 8 8080\nforward 8 8081\n"));
	assert_int_equal(drop(w, 8081), 0);
	assert_true(play_has(natd_has(w), "gone 8 tcp 8081"));
	world_free(w);
}

/* A port that a service of the host may lose is named in vnetd.conf, as VMware's files know no such thing. */
static void
shadow_is_a_word_of_vnetd_conf(void **state UNUSED)
{
	struct world *w = play_one_net();
	struct msg m = add_msg(80, "192.168.8.130");

	m.u.forward_add.shadow = true;
	assert_int_equal(ask(w, &m, NULL), 0);
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], "[vmnet8]\nshadow = tcp/80\n"));
	assert_true(play_has(natd_has(w), "forward 8 80 shadow\n"));
	/* Others go the short way still. */
	assert_int_equal(add(w, 8080), 0);
	assert_true(play_has(natd_has(w), "new 8 tcp 8080"));
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(play_has(natd_has(w), "forward 8 80 shadow\nforward 8 8080\n"));
	/* It goes with its forward. */
	assert_int_equal(drop(w, 80), 0);
	assert_false(play_has(w->file[CONF_FILE_VNETD][0], "shadow"));
	assert_false(play_has(natd_has(w), "shadow"));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_forward_is_one_message_and_one_file),
	    cmocka_unit_test(a_reload_finds_nothing_to_change),
	    cmocka_unit_test(an_edited_file_goes_the_long_way),
	    cmocka_unit_test(mistakes_are_told_as_ever),
	    cmocka_unit_test(a_worker_that_cannot_follow_gets_everything),
	    cmocka_unit_test(changes_outlive_the_worker_and_the_engine),
	    cmocka_unit_test(shadow_is_a_word_of_vnetd_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
