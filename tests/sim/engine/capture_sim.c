/* SPDX-License-Identifier: GPL-2.0-or-later
 * capture_sim.c - captures in the engine: who may, and when one ends.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/sim/engine/play.h"

#define ALICE 1000

/* The answer's errno. */
static int
capture(struct world *w, uint32_t uid, unsigned net, const char *port)
{
	struct world_client *cl = world_client(w, uid);
	struct msg m = msg_make(MSG_CAPTURE, 0);
	int err, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	m.u.capture.net = (uint16_t)net;
	MSG_SET_STR(m.u.capture.port, port);
	world_ask(w, cl, &m, fd);
	err = cl->err;
	core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
	return err;
}

static void
root_captures_what_there_is(void **state UNUSED)
{
	struct world *w = play_one_net();

	play_port(w, "web1");
	assert_int_equal(capture(w, 0, 8, ""), 0);
	assert_string_equal(w->capture.ifname, "");
	assert_int_equal(capture(w, 0, 8, "web1"), 0);
	assert_string_equal(w->capture.ifname, "vmnet8p1");
	assert_int_equal(w->captures_started, 2);
	assert_int_equal(capture(w, 0, 9, ""), ENOENT);
	assert_int_equal(capture(w, 0, 8, "db"), ENOENT);
	assert_int_equal(capture(w, 0, 300, ""), EINVAL);
	assert_int_equal(w->captures_started, 2);
	assert_string_equal(play_promisc(w), "");
	world_free(w);
}

static void
a_member_waits_for_a_word_and_loses_it(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_int_equal(capture(w, ALICE, 8, ""), EACCES);
	assert_string_equal(play_promisc(w), "capture:alice vmnet8 pending user \n");
	assert_int_equal(play_decide(w, ALICE, "capture:alice", PROMISC_ALLOW_ONCE, 0), EPERM);
	assert_int_equal(play_decide(w, 0, "capture:nobody", PROMISC_ALLOW_ONCE, 0), ENOENT);
	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_ALLOW_FOR, 60), 0);
	assert_int_equal(capture(w, ALICE, 8, ""), 0);
	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_REVOKE, 0), 0);
	assert_int_equal(w->captures_stopped, 1);
	assert_int_equal(capture(w, ALICE, 8, ""), EACCES);
	/* Somebody whom nobody knows does not get that far. */
	assert_int_equal(capture(w, 5000, 8, ""), EPERM);
	world_free(w);
}

static void
a_time_ends(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_ALLOW_FOR, 60), 0);
	assert_int_equal(capture(w, ALICE, 8, ""), 0);
	world_wait(w, 50000);
	assert_int_equal(w->captures_stopped, 0);
	world_wait(w, 12000);
	assert_int_equal(w->captures_stopped, 1);
	world_free(w);
}

static void
once_is_for_one_capture_to_its_end(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_ALLOW_ONCE, 0), 0);
	assert_int_equal(capture(w, ALICE, 8, ""), 0);
	assert_int_equal(capture(w, ALICE, 8, ""), EACCES);
	assert_int_equal(play_reload(w, NULL), 0);
	assert_int_equal(w->captures_stopped, 0);
	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_DENY, 0), 0);
	assert_int_equal(w->captures_stopped, 1);
	world_free(w);
}

static void
the_marker_allows_and_ends(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_marker(w, 8, 0, 0100644);
	assert_int_equal(capture(w, ALICE, 8, ""), 0);
	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_DENY, 0), 0);
	assert_int_equal(w->captures_stopped, 1);
	assert_int_equal(capture(w, ALICE, 8, ""), EACCES);
	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_REVOKE, 0), 0);
	assert_int_equal(capture(w, ALICE, 8, ""), 0);
	world_no_markers(w);
	assert_int_equal(w->captures_stopped, 2);
	world_free(w);
}

static void
always_is_written(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_ALLOW_ALWAYS, 0), 0);
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], "[user alice]"));
	assert_true(play_has(w->file[CONF_FILE_VNETD][0], "capture = yes"));
	world_restart(w);
	assert_int_equal(capture(w, ALICE, 8, ""), 0);
	assert_int_equal(play_decide(w, 0, "capture:alice", PROMISC_REVOKE, 0), 0);
	assert_false(play_has(w->file[CONF_FILE_VNETD][0], "capture = yes"));
	assert_int_equal(capture(w, ALICE, 8, ""), EACCES);
	world_free(w);
}

static void
a_new_engine_ends_the_captures_of_the_old_one(void **state UNUSED)
{
	struct world *w = play_one_net();

	assert_int_equal(capture(w, 0, 8, ""), 0);
	assert_int_equal(w->captures_stopped, 0);
	world_restart(w);
	assert_int_equal(w->captures_stopped, 1);
	world_free(w);
}

static void
one_user_cannot_take_all(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_marker(w, 8, 0, 0100644);
	for (int i = 0; i < CAPTURES_PER_USER; i++)
		assert_int_equal(capture(w, ALICE, 8, ""), 0);
	assert_int_equal(capture(w, ALICE, 8, ""), EUSERS);
	assert_int_equal(capture(w, 0, 8, ""), 0);
	world_free(w);
}

static void
the_first_of_a_users_captures_gets_most_memory(void **state UNUSED)
{
	struct world *w = play_one_net();

	world_marker(w, 8, 0, 0100644);
	for (uint32_t uid = 0; uid <= ALICE; uid += ALICE) {
		assert_int_equal(capture(w, uid, 8, ""), 0);
		assert_false(w->capture.further);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(capture(w, uid, 8, ""), 0);
			assert_true(w->capture.further);
		}
	}
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_captures_what_there_is),
	    cmocka_unit_test(a_member_waits_for_a_word_and_loses_it),
	    cmocka_unit_test(a_time_ends),
	    cmocka_unit_test(once_is_for_one_capture_to_its_end),
	    cmocka_unit_test(the_marker_allows_and_ends),
	    cmocka_unit_test(always_is_written),
	    cmocka_unit_test(a_new_engine_ends_the_captures_of_the_old_one),
	    cmocka_unit_test(one_user_cannot_take_all),
	    cmocka_unit_test(the_first_of_a_users_captures_gets_most_memory),
	};

	return T_RUN(tests);
}
