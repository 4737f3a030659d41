/* SPDX-License-Identifier: GPL-2.0-or-later
 * chan_pace_test.c - a peer that is behind with reading is not heard until it has caught up.
 */
#include "t.h"

#include "lib/chan.h"
#include "run_loop.h"

struct side {
	struct loop *loop;
	struct chan *chan;
	int peer; /* the other end, a bare socket */
	int msgs, gone, drained;
};

static void
on_msg(struct chan *c UNUSED, const struct msg *m UNUSED, int *fds UNUSED, size_t nfds UNUSED,
       void *arg)
{
	struct side *s = arg;

	s->msgs++;
	loop_stop(s->loop);
}

static void
on_gone(struct chan *c UNUSED, const char *why UNUSED, void *arg)
{
	struct side *s = arg;

	s->gone++;
	loop_stop(s->loop);
}

static void
on_drained(struct chan *c, void *arg)
{
	struct side *s = arg;

	assert_int_equal(chan_queued(c), 0);
	s->drained++;
	loop_stop(s->loop);
}

static void
say(int sock, uint32_t id)
{
	struct msg m = msg_reply(id, 0, "text");

	assert_int_equal(chan_send_blocking(sock, &m, NULL, 0), 0);
}

/* What it asks meanwhile waits in its socket, and none of it is lost. */
static void
a_peer_that_is_behind_is_not_heard(void **state UNUSED)
{
	static const struct chan_handler h = {
	    .msg = on_msg, .gone = on_gone, .drained = on_drained};
	struct side s = {.loop = loop_new()};
	int fds[FD_PASS_MAX], pair[2];
	uint32_t sent = 0;
	size_t nfds;
	struct msg m;

	assert_int_equal(fd_seqpacket_pair(pair), 0);
	s.peer = pair[1];
	s.chan = chan_new(s.loop, pair[0], "client", &h, &s);
	while (chan_queued(s.chan) == 0) {
		m = msg_reply(++sent, 0, "row");
		assert_int_equal(chan_send(s.chan, &m, NULL, 0), 0);
	}
	assert_int_equal(chan_queued_fds(s.chan), 0);
	chan_pause(s.chan, true);
	say(s.peer, 1);
	run_loop(s.loop, 20);
	assert_int_equal(s.msgs + s.drained, 0);
	for (uint32_t i = 1; i < sent; i++)
		assert_int_equal(chan_recv_blocking(s.peer, &m, fds, &nfds), 0);
	run_loop(s.loop, 10000);
	assert_int_equal(s.drained, 1);
	assert_int_equal(s.msgs, 0);
	chan_pause(s.chan, false);
	run_loop(s.loop, 10000);
	assert_int_equal(s.msgs, 1);
	/* One that has closed is noticed then, too. */
	chan_pause(s.chan, true);
	fd_close(&s.peer);
	run_loop(s.loop, 20);
	assert_int_equal(s.gone, 0);
	chan_pause(s.chan, false);
	run_loop(s.loop, 10000);
	assert_int_equal(s.gone, 1);
	chan_free(s.chan);
	loop_free(s.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_peer_that_is_behind_is_not_heard),
	};

	return T_RUN(tests);
}
