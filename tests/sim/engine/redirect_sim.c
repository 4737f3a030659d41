/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_sim.c - redirections: which run after a start, a reload, a restart, and where they lead.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/engine/play.h"

#define SERVICE(name, port, target)                                                                \
	"service " name "\n{\n\ttype = UNLISTED\n\tport = " port "\n\tredirect = " target "\n}\n"
#define BROKEN "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirekt = 10.0.0.1 80\n}\n"

static const char *
pushed(struct world *w)
{
	return strbuf_str(&w->pushed[ROLE_REDIRD]);
}

static struct world *
play_web(void)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.0.0.1 8080"), false);
	world_start(w);
	return w;
}

/* Without waiting for the answer. */
static struct world_client *
ask_reload(struct world *w)
{
	struct world_client *cl = world_client(w, 0);
	struct msg m = msg_make(MSG_RELOAD_ASK, 0);

	world_ask(w, cl, &m, -1);
	return cl;
}

static void
without_redirections_nobody_runs(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_false(w->redird_wanted);
	assert_int_equal(w->pushes[ROLE_REDIRD], 0);
	assert_string_equal(w->ready, "2 networks");
	world_free(w);
}

static void
a_file_makes_a_redirection(void **state UNUSED)
{
	struct world *w = play_web();

	assert_true(w->redird_wanted);
	assert_string_equal(world_listeners(w), "80 ::\n");
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 8080\n");
	assert_int_equal(
	    play_told(w, "redirect-up: redirection web: [::]:80 leads to 10.0.0.1:8080"), 1);
	world_free(w);
}

static void
the_port_of_a_name_is_that_of_etc_services(void **state UNUSED)
{
	struct world *w = world_new();

	w->host_file[HOST_FILE_SERVICES] = strdup("hoge-ssh 10022/tcp\n");
	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/hoge-ssh",
		       "service hoge-ssh\n{\n\tdisable = no\n\tsocket_type = stream\n"
		       "\tprotocol = tcp\n\twait = no\n\tuser = daemon\n\tgroup = sys\n"
		       "\tredirect = 192.168.20.200 22\n}\n",
		       false);
	world_start(w);
	assert_string_equal(world_listeners(w), "10022 ::\n");
	assert_true(play_has(pushed(w), "target 192.168.20.200 22\n"));
	world_free(w);
}

static void
reload_with_an_error_keeps_the_old_service_and_changes_others(void **state UNUSED)
{
	struct world *w = play_web();
	struct world_client *cl;

	world_redirect(w, "redirect.d/web", BROKEN, false);
	world_redirect(w, "redirect.d/mail", SERVICE("mail", "25", "10.0.0.2 25"), false);
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows), "redirect.d/web:5:"));
	assert_true(play_has(cl->text, "Redirection web keeps its running configuration."));
	assert_true(play_has(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 8080\n"));
	assert_true(play_has(pushed(w), "target 10.0.0.2 25\n"));
	assert_true(play_has(world_warnings(w), "redirection web: a newer version"));
	/* and is well again */
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.0.0.3 80"), false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(play_has(pushed(w), "target 10.0.0.3 80\n"));
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

static void
what_is_missing_in_a_broken_file_stays(void **state UNUSED)
{
	struct world *w = play_web();

	world_redirect(w, "redirect.d/web", "service web\n{\n", false);
	assert_int_equal(play_reload(w, NULL), EINVAL);
	assert_true(play_has(pushed(w), "service web "));
	world_redirect(w, "redirect.d/web", NULL, true);
	assert_int_equal(play_reload(w, NULL), EINVAL);
	assert_true(play_has(pushed(w), "service web "));
	world_redirect(w, "redirect.d/web", NULL, false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_string_equal(pushed(w), "");
	assert_string_equal(world_listeners(w), "");
	assert_false(w->redird_wanted);
	world_free(w);
}

static void
a_new_service_does_not_take_the_place_of_a_kept_one(void **state UNUSED)
{
	struct world *w = play_web();

	world_redirect(w, "redirect.d/web", BROKEN, false);
	world_redirect(w, "redirect.d/aaa", SERVICE("aaa", "80", "10.0.0.9 80"), false);
	assert_int_equal(play_reload(w, NULL), EINVAL);
	assert_true(play_has(pushed(w), "target 10.0.0.1 8080\n"));
	assert_false(play_has(pushed(w), "10.0.0.9"));
	assert_true(play_has(world_warnings(w), "redirection aaa: redirection web listens there"));
	world_free(w);
}

static void
a_good_service_takes_the_id_of_a_bad_one(void **state UNUSED)
{
	struct world *w = play_web();

	world_redirect(w, "redirect.d/web", BROKEN SERVICE("web", "81", "10.0.0.2 80"), false);
	assert_int_equal(play_reload(w, NULL), EINVAL);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.2 80\n");
	world_redirect(w, "redirect.d/web", SERVICE("web", "82", "10.0.0.3 80") BROKEN, false);
	assert_int_equal(play_reload(w, NULL), EINVAL);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.3 80\n");
	world_free(w);
}

static void
a_reading_that_the_redirector_does_not_take_is_no_success(void **state UNUSED)
{
	struct world *w = play_web();
	struct msg ready = msg_make(MSG_CONF_READY, 0);
	struct world_client *cl;

	w->worker_mute[ROLE_REDIRD] = true;
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.0.0.2 80"), false);
	cl = ask_reload(w);
	ready.u.conf_ready.generation = w->core->worker[ROLE_REDIRD].generation;
	ready.u.conf_ready.err = EINVAL;
	MSG_SET_STR(ready.u.conf_ready.text, "the redirections are refused");
	world_report(w, ROLE_REDIRD, &ready);
	world_run(w);
	assert_int_equal(cl->nreplies, 1);
	assert_int_equal(cl->err, EINVAL);
	assert_string_equal(cl->text, "vnet-redird: the redirections are refused (see the log)");
	/* nor is one that it says nothing of */
	cl = ask_reload(w);
	world_wait(w, 20000);
	assert_int_equal(cl->err, EAGAIN);
	w->worker_mute[ROLE_REDIRD] = false;
	assert_int_equal(play_reload(w, NULL), 0);
	world_free(w);
}

static void
a_broken_file_at_the_start_refuses_one_service(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web", BROKEN, false);
	world_redirect(w, "redirect.d/mail", SERVICE("mail", "25", "10.0.0.2 25"), false);
	world_start(w);
	assert_int_equal(world_state(w, 8, NULL), NET_STATE_OK);
	assert_string_equal(world_listeners(w), "25 ::\n");
	world_free(w);
}

static void
a_port_that_is_taken_is_tried_again(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	w->taken_port = 80;
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.0.0.1 8080"), false);
	world_start(w);
	assert_false(w->redird_wanted);
	assert_true(play_has(world_warnings(w), "redirection web: TCP port 80 of that"));
	w->taken_port = 0;
	world_wait(w, 6000);
	assert_true(play_has(pushed(w), "service web "));
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

static void
a_new_engine_finds_the_same_sockets(void **state UNUSED)
{
	struct world *w = play_web();

	world_redirect(w, "redirect.d/mail", SERVICE("mail", "25", "10.0.0.2 25"), false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_string_equal(world_listeners(w), "80 ::\n25 ::\n");
	world_redirect(w, "redirect.d/web", NULL, false);
	world_restart(w);
	assert_string_equal(world_listeners(w), "25 ::\n");
	assert_string_equal(pushed(w), "service mail socket 2 cps 50\ntarget 10.0.0.2 25\n");
	world_free(w);
}

static void
what_our_redirector_cannot_do_is_refused(void **state UNUSED)
{
	struct world *w = play_web();
	struct world_client *cl;

	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirect = 10.0.0.1 80\n"
		       "\tonly_from = .example.com\n}\n",
		       false);
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(play_has(strbuf_str(&cl->rows),
			     "redirect.d/web:1:9: service web: clients are told "
			     "apart by address"));
	assert_true(play_has(pushed(w), "target 10.0.0.1 8080\n"));
	world_free(w);
}

static void
rules_and_banners_are_handed_on(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/banners/no", "not you\n", false);
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tbind = 10.8.0.1\n"
		       "\tredirect = 10.0.0.1 80\n\tonly_from = 10.0.0.0 10.1.{2,3}\n"
		       "\tno_access = 10.0.0.7\n\tbanner_fail = banners/no\n}\n",
		       false);
	world_start(w);
	assert_string_equal(world_listeners(w), "80 10.8.0.1\n");
	assert_string_equal(pushed(w), "service web socket 1 cps 50\ntarget 10.0.0.1 80\n"
				       "only_from 3\nno_access 1\nbanner 2 not you\n\n");
	world_free(w);
}

static void
logged(struct world *w, const char *log_type)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirect = 10.0.0.1 80\n"
		 "\tlog_type = %s\n}\n",
		 log_type);
	world_redirect(w, "redirect.d/web", text, false);
	assert_int_equal(play_reload(w, NULL), 0);
}

static void
its_lines_go_to_a_file_or_to_syslog(void **state UNUSED)
{
	struct world *w = play_web();

	assert_false(play_has(pushed(w), "log "));
	logged(w, "FILE /var/log/web 1000 2000");
	assert_string_equal(w->log, "/var/log/web\n");
	assert_true(play_has(pushed(w), "log 1 pri 0 limits 1000 2000\n"));
	logged(w, "SYSLOG local3 notice");
	assert_string_equal(w->log, "");
	assert_true(play_has(pushed(w), "log 0 pri 157 limits 0 0\n"));
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

static void
a_file_that_cannot_be_written_to_is_told_and_tried_again(void **state UNUSED)
{
	struct world *w = play_web();

	logged(w, "FILE /root/web");
	assert_string_equal(world_listeners(w), "80 ::\n");
	assert_true(play_has(pushed(w), "service web socket 1 "));
	assert_false(play_has(pushed(w), "log "));
	assert_true(
	    play_has(world_warnings(w), "redirection web: user _vnet cannot write to /root/web"));
	assert_true(play_has(world_warnings(w), "As root: touch /root/web; chown _vnet /root/web"));
	w->root_is_open = true;
	world_wait(w, 6000);
	assert_true(play_has(pushed(w), "log 1 pri 0 limits 0 0\n"));
	assert_string_equal(world_warnings(w), "");
	w->root_is_open = false;
	logged(w, "FILE /root/web");
	logged(w, "FILE /var/log/web");
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

static void
aliased(struct world *w, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tbind = 192.168.8.77\n"
		 "\tredirect = 10.0.0.1 80\n\tlisten_alias = %s\n}\n",
		 value);
	world_redirect(w, "redirect.d/web", text, false);
}

static void
its_own_address_is_added_and_removed(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	aliased(w, "yes");
	world_start(w);
	assert_string_equal(w->alias, "vmnet8 192.168.8.77\n");
	assert_int_equal(w->announced, 1);
	world_wait(w, 60000);
	assert_int_equal(w->announced, 2);
	assert_int_equal(play_reload(w, NULL), 0);
	world_restart(w);
	world_wait(w, 60000);
	assert_int_equal(w->announced, 2);
	aliased(w, "eth7");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_string_equal(w->alias, "");
	assert_true(play_has(world_warnings(w), "redirection web: there is no interface \"eth7\""));
	assert_true(play_has(pushed(w), "service web "));
	/* it comes */
	world_link_add(w, "eth7", "");
	world_wait(w, 1000);
	assert_string_equal(w->alias, "eth7 192.168.8.77\n");
	assert_string_equal(world_warnings(w), "");
	world_redirect(w, "redirect.d/web", NULL, false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_string_equal(w->alias, "");
	world_free(w);
}

static void
its_own_address_goes_after_its_connections(void **state UNUSED)
{
	struct world *w = world_new();
	struct world_client *cl;

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/mail", SERVICE("mail", "25", "10.0.0.2 25"), false);
	aliased(w, "yes");
	world_start(w);
	assert_true(play_has(pushed(w), "alias 192.168.8.77\n"));
	assert_true(play_has(pushed(w), "service web socket 2 cps 50 alias\n"));
	/* The address stays until vnet-redird has answered, */
	w->worker_mute[ROLE_REDIRD] = true;
	world_redirect(w, "redirect.d/web", NULL, false);
	cl = ask_reload(w);
	assert_int_equal(cl->nreplies, 0);
	assert_string_equal(pushed(w), "service mail socket 1 cps 50\ntarget 10.0.0.2 25\n");
	assert_string_equal(w->alias, "vmnet8 192.168.8.77\n");
	/* has had time enough, */
	world_wait(w, 2500);
	assert_string_equal(w->alias, "");
	world_wait(w, 20000); /* for the reload's end */
	/* or has ended. */
	w->worker_mute[ROLE_REDIRD] = false;
	aliased(w, "yes");
	assert_int_equal(play_reload(w, NULL), 0);
	assert_string_equal(w->alias, "vmnet8 192.168.8.77\n");
	w->worker_mute[ROLE_REDIRD] = true;
	world_redirect(w, "redirect.d/web", NULL, false);
	ask_reload(w);
	assert_string_equal(w->alias, "vmnet8 192.168.8.77\n");
	core_worker_lost(w->core, w->now, ROLE_REDIRD);
	world_wait(w, 1);
	assert_string_equal(w->alias, "");
	world_free(w);
}

static void
a_reading_that_follows_at_once_takes_its_address_away(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/mail", SERVICE("mail", "25", "10.0.0.2 25"), false);
	world_start(w);
	w->worker_mute[ROLE_REDIRD] = true;
	aliased(w, "yes");
	ask_reload(w);
	world_redirect(w, "redirect.d/web", NULL, false);
	w->worker_mute[ROLE_REDIRD] = false;
	ask_reload(w);
	world_wait(w, 20000);
	assert_string_equal(w->alias, "");
	world_free(w);
}

static void
a_captured_port_is_told_to_natd(void **state UNUSED)
{
	struct world *w = world_new();
	struct world_client *cl;

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 10080\n\tbind = 10.8.0.1\n"
		       "\tredirect = 10.0.0.1 80\n\tcapture_port = 80\n}\n",
		       false);
	world_start(w);
	assert_true(
	    play_has(strbuf_str(&w->pushed[ROLE_NATD]), "others 0\ncapture 10.8.0.1 80 10080\n"));
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 10080\n\tbind = 2001:db8::1\n"
		       "\tredirect = 10.0.0.1 80\n\tcapture_port = 80\n}\n",
		       false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "capture 2001:db8::1 80 10080\n"));
	assert_false(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "capture 10.8.0.1"));
	world_link_add(w, "eth7", "");
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 10080\n\tbind = fe80::1%eth7\n"
		       "\tredirect = 10.0.0.1 80\n\tcapture_port = 80\n}\n",
		       false);
	assert_int_equal(play_reload(w, &cl), EINVAL);
	assert_true(
	    play_has(strbuf_str(&cl->rows), "capture_port is not for a link-local address"));
	assert_true(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "capture 2001:db8::1 80 10080\n"));
	world_redirect(w, "redirect.d/web", NULL, false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_false(play_has(strbuf_str(&w->pushed[ROLE_NATD]), "capture"));
	world_free(w);
}

static void
it_does_not_lead_to_itself(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_link_add(w, "eth7", "");
	world_addr_add(w, "eth7", "10.7.0.1", 24);
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.7.0.1 80"), false);
	world_start(w);
	assert_string_equal(pushed(w), "service web socket 1 cps 50\n");
	assert_true(play_has(world_warnings(w),
			     "redirection web: it redirects to itself: it listens at 10.7.0.1:80, "
			     "its target; choose another target or bind"));
	/* by way of another, which an address of its own would part */
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.7.0.1 81"), false);
	world_redirect(w, "redirect.d/mail", SERVICE("mail", "81", "10.7.0.1 80"), false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_false(play_has(pushed(w), "target"));
	assert_true(play_has(world_warnings(w), "at 10.7.0.1:81, its target, listens redirection "
						"mail, which leads back"));
	/* one after the other is none */
	world_redirect(w, "redirect.d/mail", SERVICE("mail", "81", "10.0.0.1 80"), false);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_true(play_has(pushed(w), "target 10.7.0.1 81\n"));
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

static void
another_address_of_the_host_closes_a_circle(void **state UNUSED)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_link_add(w, "eth7", "");
	world_redirect(w, "redirect.d/web", SERVICE("web", "80", "10.7.0.1 80"), false);
	world_start(w);
	assert_true(play_has(pushed(w), "target 10.7.0.1 80\n"));
	world_addr_add(w, "eth7", "10.7.0.1", 24);
	world_wait(w, 1000);
	assert_false(play_has(pushed(w), "target"));
	world_addr_del(w, "eth7", "10.7.0.1");
	world_wait(w, 1000);
	assert_true(play_has(pushed(w), "target 10.7.0.1 80\n"));
	assert_string_equal(world_warnings(w), "");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_redirections_nobody_runs),
	    cmocka_unit_test(a_file_makes_a_redirection),
	    cmocka_unit_test(the_port_of_a_name_is_that_of_etc_services),
	    cmocka_unit_test(reload_with_an_error_keeps_the_old_service_and_changes_others),
	    cmocka_unit_test(what_is_missing_in_a_broken_file_stays),
	    cmocka_unit_test(a_new_service_does_not_take_the_place_of_a_kept_one),
	    cmocka_unit_test(a_good_service_takes_the_id_of_a_bad_one),
	    cmocka_unit_test(a_reading_that_the_redirector_does_not_take_is_no_success),
	    cmocka_unit_test(a_broken_file_at_the_start_refuses_one_service),
	    cmocka_unit_test(a_port_that_is_taken_is_tried_again),
	    cmocka_unit_test(a_new_engine_finds_the_same_sockets),
	    cmocka_unit_test(what_our_redirector_cannot_do_is_refused),
	    cmocka_unit_test(rules_and_banners_are_handed_on),
	    cmocka_unit_test(its_own_address_is_added_and_removed),
	    cmocka_unit_test(its_lines_go_to_a_file_or_to_syslog),
	    cmocka_unit_test(a_file_that_cannot_be_written_to_is_told_and_tried_again),
	    cmocka_unit_test(its_own_address_goes_after_its_connections),
	    cmocka_unit_test(a_reading_that_follows_at_once_takes_its_address_away),
	    cmocka_unit_test(a_captured_port_is_told_to_natd),
	    cmocka_unit_test(it_does_not_lead_to_itself),
	    cmocka_unit_test(another_address_of_the_host_closes_a_circle),
	};

	return cmocka_run_group_tests_name("engine redirect", tests, NULL, NULL);
}
