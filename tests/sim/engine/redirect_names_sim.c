/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_names_sim.c - redirections by names: of targets, own addresses and clients.
 */
#include "tests/unit/lib/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/engine/play.h"

static const char *
pushed(struct world *w)
{
	return strbuf_str(&w->pushed[ROLE_REDIRD]);
}

static struct world *
play_named(const char *target)
{
	struct world *w = world_new();
	char text[256];

	snprintf(text, sizeof(text),
		 "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirect = %s 80\n}\n", target);
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web", text, false);
	return w;
}

static void
lease_to(struct world *w, const char *name, const char *addr, enum lease_row_state state)
{
	struct msg m = msg_make(MSG_LEASE_CHANGED, 0);
	struct msg *row = &w->lease[0];

	*row = msg_make(MSG_LEASE_ROW, 0);
	row->u.lease_row.net = 8;
	row->u.lease_row.state = (uint8_t)state;
	MSG_SET_STR(row->u.lease_row.name, name);
	assert_true(ip4_parse(&row->u.lease_row.addr, addr));
	w->nleases = 1;
	m.u.lease_changed.net = 8;
	m.u.lease_changed.event = state == LEASE_ROW_ACTIVE ? LEASE_NEW : LEASE_EXPIRED;
	MSG_SET_STR(m.u.lease_changed.name, name);
	if (w->core)
		world_report(w, ROLE_DHCPD, &m);
}

static void
lease(struct world *w, const char *addr, enum lease_row_state state)
{
	lease_to(w, "db", addr, state);
}

static void
a_name_follows_its_lease(void **state UNUSED)
{
	struct world *w = play_named("DB");

	lease(w, "192.168.8.130", LEASE_ROW_ACTIVE);
	w->dns_name = "db"; /* a guest counts more */
	w->dns_addr = "10.9.9.9";
	world_start(w);
	assert_true(play_has(pushed(w), "target 192.168.8.130 80\n"));
	assert_int_equal(w->lookups, 0);
	lease(w, "192.168.8.131", LEASE_ROW_ACTIVE);
	world_run(w);
	assert_true(play_has(pushed(w), "target 192.168.8.131 80\n"));
	/* a guest that is gone leaves its name to the resolvers */
	lease(w, "192.168.8.131", LEASE_ROW_EXPIRED);
	world_run(w);
	assert_true(play_has(pushed(w), "target 10.9.9.9 80\n"));
	world_free(w);
}

static void
a_guest_keeps_its_name_while_leases_are_not_known(void **state UNUSED)
{
	struct world *w = play_named("db");

	lease(w, "192.168.8.130", LEASE_ROW_ACTIVE);
	world_start(w);
	assert_true(play_has(pushed(w), "target 192.168.8.130 80\n"));
	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	w->dns_name = "db"; /* a guest counts more */
	w->dns_addr = "10.9.9.9";
	world_wait(w, 61000);
	assert_true(play_has(pushed(w), "target 192.168.8.130 80\n"));
	w->dns_name = NULL;
	world_wait(w, 61000);
	assert_true(play_has(pushed(w), "target 192.168.8.130 80\n"));
	core_worker_up(w->core, w->now, ROLE_DHCPD);
	w->nleases = 0;
	world_wait(w, 6000);
	assert_false(play_has(pushed(w), "target"));
	world_free(w);
}

static void
a_guest_takes_no_name_of_others(void **state UNUSED)
{
	static const struct {
		const char *target, *told;
		bool leads_there;
	} v[] = {
	    {"db.localdomain", "db", true},    {"db.vmnet8", "DB.example.test", true},
	    {"db.vmnet9", "db", false},        {"www.example.test", "www.example.test", false},
	    {"localhost", "localhost", false}, {"wpad", "wpad", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct world *w = play_named(v[i].target);

		lease_to(w, v[i].told, "192.168.8.130", LEASE_ROW_ACTIVE);
		world_start(w);
		assert_int_equal(play_has(pushed(w), "target 192.168.8.130 80\n"),
				 v[i].leads_there);
		world_free(w);
	}
}

static void
etc_hosts_counts_more_than_a_guest(void **state UNUSED)
{
	struct world *w = play_named("db");

	w->host_file[HOST_FILE_HOSTS] = strdup("10.0.0.2 db\n");
	lease(w, "192.168.8.130", LEASE_ROW_ACTIVE);
	world_start(w);
	assert_true(play_has(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.2 80\n"));
	assert_false(play_has(pushed(w), "192.168.8.130"));
	world_free(w);
}

static void
a_guest_does_not_decide_who_may_connect(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirect = db 80\n"
		       "\tonly_from = db\n\tno_access = db\n}\n",
		       false);
	lease(w, "192.168.8.130", LEASE_ROW_ACTIVE);
	world_start(w);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 192.168.8.130 80\n");
	/* whose name is the configuration's word does */
	world_write(w, CONF_FILE_DHCPD, 8,
		    "host db {\n\thardware ethernet 00:50:56:00:00:01;\n"
		    "\tfixed-address 192.168.8.20;\n}\n");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(play_has(pushed(w), "target 192.168.8.20 80\nonly_from 1\nno_access 1\n"));
	world_free(w);
}

static void
a_name_of_etc_hosts(void **state UNUSED)
{
	struct world *w = play_named("old.example.test");

	w->host_file[HOST_FILE_HOSTS] =
	    strdup("127.0.0.1\tlocalhost\n# 10.0.0.1 old.example.test\n10.0.0.2 x "
		   "Old.Example.Test # y\n10.0.0.3 old.example.test.x\n");
	world_start(w);
	assert_true(play_has(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.2 80\n"));
	assert_false(play_has(pushed(w), "10.0.0.3"));
	world_free(w);
}

static void
resolvers_are_asked_again_every_minute(void **state UNUSED)
{
	struct world *w = play_named("www.example.test");
	unsigned asked, pushes;

	w->dns_name = "www.example.test";
	w->dns_addr = "10.0.0.1";
	world_start(w);
	assert_true(play_has(pushed(w), "target 10.0.0.1 80\n"));
	asked = w->lookups;
	pushes = w->pushes[ROLE_REDIRD];
	world_wait(w, 61000);
	assert_int_equal(w->lookups, asked + 1);
	assert_int_equal(w->pushes[ROLE_REDIRD], pushes); /* the same: nothing is told */
	w->dns_addr = "10.0.0.2";
	world_wait(w, 61000);
	assert_true(play_has(pushed(w), "target 10.0.0.2 80\n"));
	/* Silence is no news, another word is. */
	w->dns_silent = true;
	world_wait(w, 61000);
	assert_true(play_has(pushed(w), "target 10.0.0.2 80\n"));
	w->dns_silent = false;
	w->dns_name = NULL;
	world_wait(w, 61000);
	assert_false(play_has(pushed(w), "target"));
	assert_true(play_has(pushed(w), "service web "));
	assert_true(play_has(world_warnings(w), "redirection web: its target has no address"));
	world_free(w);
}

static void
a_name_closes_a_circle(void **state UNUSED)
{
	struct world *w = play_named("old.example.test");

	world_link_add(w, "eth7", "");
	world_addr_add(w, "eth7", "10.7.0.1", 24);
	w->host_file[HOST_FILE_HOSTS] =
	    strdup("10.7.0.1 old.example.test\n10.0.0.2 old.example.test\n");
	world_start(w);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.2 80\n");
	free(w->host_file[HOST_FILE_HOSTS]);
	w->host_file[HOST_FILE_HOSTS] = strdup("127.0.1.1 old.example.test\n");
	world_wait(w, 61000);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\n");
	assert_true(play_has(world_warnings(w), "it listens at 127.0.1.1:80, its target"));
	world_free(w);
}

static void
a_lot_of_names_is_asked_for_one_after_the_other(void **state UNUSED)
{
	struct world *w = world_new();
	const char *at;
	unsigned n = 0;
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add(&text, "service web\n{\n\ttype = UNLISTED\n\tport = 80\n"
			  "\tredirect = 10.0.0.1 80\n\tonly_from =");
	for (unsigned i = 0; i < 150; i++)
		strbuf_addf(&text, " n%u.example.test", i);
	strbuf_add(&text, "\n}\n");
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web", strbuf_str(&text), false);
	strbuf_fini(&text);
	w->dns_name = "*";
	w->dns_addr = "10.0.0.9";
	world_start(w);
	for (at = pushed(w); (at = strstr(at, "only_from ")); at++)
		n += (unsigned)atoi(at + strlen("only_from "));
	assert_int_equal(n, 150);
	/* nobody is there to be asked */
	core_worker_lost(w->core, w->now, ROLE_NATD);
	world_wait(w, 61000);
	assert_true(play_has(pushed(w), "only_from "));
	world_free(w);
}

static void
nobody_is_let_in_before_names_have_been_asked_for(void **state UNUSED)
{
	struct world *w = play_named("www.example.test");

	w->worker_mute[ROLE_DHCPD] = true; /* it never says which leases there are */
	world_start(w);
	assert_string_equal(world_listeners(w), "80 ::\n");
	assert_string_equal(pushed(w), "service web socket 1 cps 50 waits\n");
	world_free(w);
}

/* One service at an own address that the resolvers know; more: further lines of it. */
static struct world *
play_bound(const char *more)
{
	struct world *w = world_new();
	char text[512];

	snprintf(text, sizeof(text),
		 "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tbind = me.example.test\n"
		 "\tredirect = 10.0.0.1 80\n%s}\n",
		 more);
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web", text, false);
	w->dns_name = "me.example.test";
	w->dns_addr = "10.8.0.9";
	world_start(w);
	return w;
}

static void
an_own_address_by_name(void **state UNUSED)
{
	struct world *w = play_bound("\tonly_from = friend.example.test\n");

	assert_string_equal(world_listeners(w), "80 10.8.0.9\n");
	/* whose name has no address admits nobody */
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 80\n");
	w->dns_addr = "10.8.0.10";
	world_wait(w, 61000);
	assert_string_equal(world_listeners(w), "80 10.8.0.10\n");
	world_free(w);
}

static void
a_new_name_leaves_its_service_there(void **state UNUSED)
{
	struct world *w = play_named("10.0.0.1");
	struct msg reload = msg_make(MSG_RELOAD_ASK, 0);

	world_start(w);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 80\n");
	w->worker_mute[ROLE_DHCPD] = true;
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirect = 10.0.0.1 80\n"
		       "\tno_access = foe.example.test\n}\n",
		       false);
	world_ask(w, world_client(w, 0), &reload, -1);
	assert_true(play_has(pushed(w), "service web socket 1 cps 50 waits\n"));
	core_worker_lost(w->core, w->now, ROLE_DHCPD);
	w->worker_mute[ROLE_DHCPD] = false;
	core_worker_up(w->core, w->now, ROLE_DHCPD);
	world_run(w);
	assert_true(play_has(pushed(w), "service web socket 1 cps 50\n"));
	world_free(w);
}

static void
a_socket_stays_while_its_name_is_asked_for(void **state UNUSED)
{
	struct world *w = play_bound("");

	w->dns_silent = true;
	world_restart(w);
	assert_string_equal(world_listeners(w), "80 10.8.0.9\n");
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 80\n");
	w->dns_silent = false;
	core_worker_lost(w->core, w->now, ROLE_NATD);
	core_worker_up(w->core, w->now, ROLE_NATD);
	world_wait(w, 1000);
	assert_string_equal(world_listeners(w), "80 10.8.0.9\n");
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 80\n");
	/* Nor does it stay for ever. */
	w->dns_silent = true;
	world_restart(w);
	world_wait(w, 5000);
	assert_string_equal(world_listeners(w), "");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_follows_its_lease),
	    cmocka_unit_test(a_guest_keeps_its_name_while_leases_are_not_known),
	    cmocka_unit_test(a_guest_takes_no_name_of_others),
	    cmocka_unit_test(etc_hosts_counts_more_than_a_guest),
	    cmocka_unit_test(a_guest_does_not_decide_who_may_connect),
	    cmocka_unit_test(a_name_of_etc_hosts),
	    cmocka_unit_test(resolvers_are_asked_again_every_minute),
	    cmocka_unit_test(a_name_closes_a_circle),
	    cmocka_unit_test(a_lot_of_names_is_asked_for_one_after_the_other),
	    cmocka_unit_test(nobody_is_let_in_before_names_have_been_asked_for),
	    cmocka_unit_test(an_own_address_by_name),
	    cmocka_unit_test(a_new_name_leaves_its_service_there),
	    cmocka_unit_test(a_socket_stays_while_its_name_is_asked_for),
	};

	return cmocka_run_group_tests_name("engine redirect names", tests, NULL, NULL);
}
