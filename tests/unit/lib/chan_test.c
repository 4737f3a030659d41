/* SPDX-License-Identifier: GPL-2.0-or-later
 * chan_test.c - messages arrive whole and in order with their descriptors, nothing leaks, and each way
 * to end is told once.
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/chan.h"
#include "run_loop.h"
#include "tests/unit/open_fds.h"

/* A channel whose other end the test holds as a bare socket. */
struct side {
	struct loop *loop;
	struct chan *chan;
	int peer;
	int msgs, gone, stop_after;
	uint32_t last_id;
	size_t last_nfds;
	bool take, free_in_msg, free_in_gone, answer;
	int taken;
	char why[128];
};

static void
on_msg(struct chan *c, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct side *s = arg;

	assert_ptr_equal(c, s->chan);
	s->msgs++;
	s->last_id = m->id;
	s->last_nfds = nfds;
	if (s->take && nfds)
		s->taken = fd_take(&fds[0]);
	if (s->answer) {
		struct msg r = msg_reply(m->id, 0, NULL);

		chan_send(c, &r, NULL, 0);
	}
	if (s->free_in_msg) {
		chan_free(c);
		s->chan = NULL;
	}
	if (s->msgs == s->stop_after)
		loop_stop(s->loop);
}

static void
on_gone(struct chan *c, const char *why, void *arg)
{
	struct side *s = arg;

	assert_ptr_equal(c, s->chan);
	s->gone++;
	snprintf(s->why, sizeof(s->why), "%s", why);
	if (s->free_in_gone) {
		chan_free(c);
		s->chan = NULL;
	}
	loop_stop(s->loop);
}

static const struct chan_handler handler = {.msg = on_msg, .gone = on_gone};
static const struct chan_handler row_handler = {.msg = on_msg, .gone = on_gone, .rows = true};

static void
expect_rows(struct side *s)
{
	int sock = fcntl(chan_fd(s->chan), F_DUPFD_CLOEXEC, 0);

	chan_free(s->chan);
	s->chan = chan_new(s->loop, sock, "natd", &row_handler, s);
	assert_non_null(s->chan);
}

static int
setup(void **state)
{
	struct side *s = calloc(1, sizeof(*s));
	int fds[2];

	s->loop = loop_new();
	if (!s->loop || fd_seqpacket_pair(fds) < 0)
		return -1;
	s->taken = -1;
	s->peer = fds[1];
	s->chan = chan_new(s->loop, fds[0], "engine", &handler, s);
	*state = s;
	return s->chan ? 0 : -1;
}

static int
teardown(void **state)
{
	struct side *s = *state;

	chan_free(s->chan);
	fd_close(&s->peer);
	fd_close(&s->taken);
	loop_free(s->loop);
	free(s);
	return 0;
}

static void
send_reply(int sock, uint32_t id, const int *fds, size_t nfds)
{
	struct msg m = msg_reply(id, 0, "text");

	assert_int_equal(chan_send_blocking(sock, &m, fds, nfds), 0);
}

static void
both_ways(void **state)
{
	struct side *s = *state;
	struct msg m = msg_reply(7, ENOENT, "no such port"), got;
	int fds[FD_PASS_MAX];
	size_t nfds;

	assert_string_equal(chan_name(s->chan), "engine");
	assert_int_equal(chan_send(s->chan, &m, NULL, 0), 0);
	assert_int_equal(chan_queued(s->chan), 0);
	assert_int_equal(chan_recv_blocking(s->peer, &got, fds, &nfds), 0);
	assert_int_equal(got.type, MSG_REPLY);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.u.reply.err, ENOENT);
	assert_string_equal(got.u.reply.text, "no such port");
	for (uint32_t i = 1; i <= 200; i++)
		send_reply(s->peer, i, NULL, 0);
	s->stop_after = 200;
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 200);
	assert_int_equal(s->last_id, 200);
	assert_int_equal(s->gone, 0);
}

static void
descriptors_are_closed_unless_taken(void **state)
{
	struct side *s = *state;
	int fds[3], before;

	for (int i = 0; i < 3; i++)
		fds[i] = fd_memfd("t", "x", 1);
	before = open_fds();
	s->stop_after = 1;
	send_reply(s->peer, 1, fds, 3);
	run_loop(s->loop, 2000);
	assert_int_equal(s->last_nfds, 3);
	assert_int_equal(open_fds(), before);
	s->take = true;
	s->stop_after = 2;
	send_reply(s->peer, 2, fds, 3);
	run_loop(s->loop, 2000);
	assert_int_equal(open_fds(), before + 1);
	assert_true(fcntl(s->taken, F_GETFD) >= 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void
sent_descriptors_stay_the_callers(void **state)
{
	struct side *s = *state;
	struct msg m = msg_reply(1, 0, NULL), got;
	int fd = fd_memfd("t", "x", 1), fds[FD_PASS_MAX];
	size_t nfds;

	assert_int_equal(chan_send(s->chan, &m, &fd, 1), 0);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_int_equal(chan_send_fd(s->chan, &m, fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(chan_send_fd(s->chan, &m, -1), 0);
	for (size_t want = 3; want > 0; want--) {
		assert_int_equal(chan_recv_blocking(s->peer, &got, fds, &nfds), 0);
		assert_int_equal(nfds, want > 1 ? 1 : 0);
		if (nfds)
			close(fds[0]);
	}
}

/* Ids that the peer finds from `next` on; how many. */
static uint32_t
take_in_order(const struct side *s, uint32_t next)
{
	uint8_t buf[MSG_MAX];
	int fds[FD_PASS_MAX];
	size_t nfds;
	ssize_t len;
	uint32_t n = 0;

	while ((len = fd_recvmsg(s->peer, buf, sizeof(buf), fds, &nfds)) > 0) {
		struct msg got;

		assert_true(msg_decode(&got, buf, (size_t)len));
		assert_int_equal(got.id, next + n++);
		for (size_t i = 0; i < nfds; i++)
			close(fds[i]);
	}
	return n;
}

static void
soon(const struct side *s, uint32_t id)
{
	struct msg m = msg_reply(id, 0, "row");

	assert_int_equal(chan_send_soon(s->chan, &m, 30), 0);
}

/* The first at once, the others together: more than one call takes, and more than the socket does. */
static void
what_has_time_leaves_together(void **state)
{
	enum { N = 3000 };
	struct side *s = *state;
	uint32_t next = 2;

	soon(s, 1);
	assert_int_equal(take_in_order(s, 1), 1);
	for (uint32_t i = 2; i <= N; i++)
		soon(s, i);
	assert_int_equal(take_in_order(s, 2), 0);
	for (int i = 0; next <= N && i < 1000; i++) {
		run_loop(s->loop, 5);
		next += take_in_order(s, next);
	}
	assert_int_equal(next, N + 1);
	assert_int_equal(chan_queued(s->chan), 0);
	run_loop(s->loop, 40);
	soon(s, next);
	assert_int_equal(take_in_order(s, next), 1);
}

static void
what_has_no_time_takes_along_what_waits(void **state)
{
	struct side *s = *state;
	int before = open_fds(), fd = fd_memfd("t", "x", 1);
	struct msg m = msg_reply(4, 0, "row");

	for (uint32_t i = 1; i <= 3; i++)
		soon(s, i);
	assert_int_equal(take_in_order(s, 1), 1);
	assert_int_equal(chan_send(s->chan, &m, &fd, 1), 0);
	assert_int_equal(take_in_order(s, 2), 3);
	close(fd);
	assert_int_equal(open_fds(), before);
	/* Nothing is left for the timer. */
	run_loop(s->loop, 40);
	assert_int_equal(s->gone, 0);
}

static void
what_waits_for_a_peer_that_goes_ends_the_channel(void **state)
{
	struct side *s = *state;

	soon(s, 1);
	soon(s, 2);
	fd_close(&s->peer);
	run_loop(s->loop, 1000);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "closed the channel");
}

static struct msg
forward(uint32_t i)
{
	struct msg m = msg_make(MSG_NATD_FORWARD, 0);

	m.u.natd_forward.net = 8;
	m.u.natd_forward.port = (uint16_t)i;
	return m;
}

/* How many rows the peer finds, in order, before a message with an id. Fewer datagrams than rows. */
static uint32_t
take_rows(const struct side *s, uint32_t id, uint32_t *datagrams)
{
	struct msg m, row;
	int fds[FD_PASS_MAX];
	size_t nfds;
	uint32_t n = 0;

	for (*datagrams = 0; chan_recv_blocking(s->peer, &m, fds, &nfds) == 0; ++*datagrams) {
		if (m.type == MSG_REPLY) {
			assert_int_equal(m.id, id);
			return n;
		}
		assert_int_equal(m.type, MSG_ROWS);
		for (size_t at = 0; at < m.u.rows.rows.len; n++) {
			assert_true(msg_unpack(&row, &m.u.rows, &at));
			assert_int_equal(row.type, MSG_NATD_FORWARD);
			assert_int_equal(row.u.natd_forward.port, n);
		}
	}
	fail();
	return 0;
}

/* Each with an end of its own; also one that takes its time. */
static void
rows_leave_before_the_message_that_ends_them(void **state)
{
	enum { N = 1000 };
	struct side *s = *state;
	uint32_t datagrams;

	for (uint32_t turn = 1; turn <= 2; turn++) {
		struct msg end = msg_reply(turn, 0, NULL);

		for (uint32_t i = 0; i < N; i++) {
			struct msg m = forward(i);

			assert_int_equal(chan_send_row(s->chan, &m), 0);
		}
		if (turn == 1)
			assert_int_equal(chan_send(s->chan, &end, NULL, 0), 0);
		else
			assert_int_equal(chan_send_soon(s->chan, &end, 0), 0);
		assert_int_equal(take_rows(s, turn, &datagrams), N);
		assert_in_range(datagrams, 1, N / 20);
	}
}

/* It cannot be packed: it goes by itself, and behind those that were. */
static void
a_row_that_fills_a_datagram_keeps_its_place(void **state)
{
	struct side *s = *state;
	struct msg small = forward(0), large = msg_make(MSG_ROWS, 0), m;
	int fds[FD_PASS_MAX];
	size_t nfds;

	large.u.rows.rows.len = sizeof(large.u.rows.rows.b);
	assert_int_equal(chan_send_row(s->chan, &small), 0);
	assert_int_equal(chan_send_row(s->chan, &large), 0);
	assert_int_equal(chan_recv_blocking(s->peer, &m, fds, &nfds), 0);
	assert_true(m.u.rows.rows.len < 100);
	assert_int_equal(chan_recv_blocking(s->peer, &m, fds, &nfds), 0);
	assert_int_equal(m.u.rows.rows.len, sizeof(m.u.rows.rows.b));
}

static void
send_forwards(struct side *s, uint32_t n, uint32_t last_id)
{
	struct msg rows = msg_make(MSG_ROWS, 0);

	for (uint32_t i = 0; i < n; i++) {
		struct msg m = forward(i);

		m.id = i + 1 == n ? last_id : 0;
		assert_true(msg_pack(&rows.u.rows, &m));
	}
	assert_int_equal(chan_send_blocking(s->peer, &rows, NULL, 0), 0);
}

static void
each_row_is_a_message(void **state)
{
	struct side *s = *state;

	expect_rows(s);
	s->stop_after = 51;
	send_forwards(s, 50, 0);
	send_reply(s->peer, 7, NULL, 0);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 51);
	assert_int_equal(s->last_id, 7);
}

static void
who_expects_no_rows_gets_them_as_they_are(void **state)
{
	struct side *s = *state;

	s->stop_after = 1;
	send_forwards(s, 50, 0);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 1);
}

/* An answer to it could not be told from others'. */
static void
a_row_with_an_id_breaks_the_protocol(void **state)
{
	struct side *s = *state;

	expect_rows(s);
	send_forwards(s, 50, 1);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 49);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "sent malformed rows");
}

static void
rows_that_are_cut_break_the_protocol(void **state)
{
	struct side *s = *state;
	struct msg rows = msg_make(MSG_ROWS, 0), m = forward(1);

	expect_rows(s);
	assert_true(msg_pack(&rows.u.rows, &m));
	rows.u.rows.rows.len--;
	assert_int_equal(chan_send_blocking(s->peer, &rows, NULL, 0), 0);
	s->free_in_gone = true;
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 0);
	assert_string_equal(s->why, "sent malformed rows");
}

static void
a_handler_frees_the_channel_within_rows(void **state)
{
	struct side *s = *state;

	expect_rows(s);
	s->free_in_msg = true;
	s->stop_after = 1;
	send_forwards(s, 50, 0);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 1);
	assert_int_equal(s->gone, 0);
}

/* More than the socket takes: nothing is lost, the order stays, queued descriptors arrive. */
static void
a_full_socket_queues(void **state)
{
	enum { N = 3000 };
	struct side *s = *state;
	int before = open_fds(), fd = fd_memfd("t", "x", 1);
	uint32_t next = 1;

	for (uint32_t i = 1; i <= N; i++) {
		struct msg m = msg_reply(i, 0, "row");

		assert_int_equal(chan_send(s->chan, &m, &fd, i % 100 == 0 ? 1 : 0), 0);
	}
	close(fd);
	assert_true(chan_queued(s->chan) > 0);
	while (next <= N) {
		struct msg got;
		int fds[FD_PASS_MAX];
		size_t nfds;
		uint8_t buf[MSG_MAX];
		ssize_t len = fd_recvmsg(s->peer, buf, sizeof(buf), fds, &nfds);

		if (len == -EAGAIN) { /* let the channel write */
			run_loop(s->loop, 1);
			continue;
		}
		assert_true(len > 0 && msg_decode(&got, buf, (size_t)len));
		assert_int_equal(got.id, next);
		assert_int_equal(nfds, next % 100 == 0 ? 1 : 0);
		if (nfds)
			close(fds[0]);
		next++;
	}
	assert_int_equal(chan_queued(s->chan), 0);
	assert_int_equal(open_fds(), before);
}

static void
a_peer_that_never_reads_is_given_up(void **state)
{
	struct side *s = *state;
	struct msg m = msg_make(MSG_DIAG_ROW, 1);
	int r, before, n = 0;

	memset(m.u.diag_row.text, 'x', sizeof(m.u.diag_row.text) - 1);
	before = open_fds();
	while ((r = chan_send(s->chan, &m, NULL, 0)) == 0)
		assert_true(++n < 20000);
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(s->gone, 0); /* never from inside the call */
	assert_int_equal(chan_send(s->chan, &m, NULL, 0), -EPIPE);
	run_loop(s->loop, 2000);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "does not read its messages");
	assert_int_equal(chan_queued(s->chan), 0);
	assert_int_equal(open_fds(), before - 1);
}

static void
too_many_queued_descriptors_are_given_up_without_leak(void **state)
{
	struct side *s = *state;
	struct msg m = msg_reply(1, 0, NULL);
	int fd = fd_memfd("t", "x", 1), before = open_fds(), r, n = 0;

	while ((r = chan_send(s->chan, &m, &fd, 1)) == 0)
		assert_true(++n < 20000);
	assert_int_equal(r, -ENOBUFS);
	run_loop(s->loop, 2000);
	assert_int_equal(s->gone, 1);
	assert_int_equal(open_fds(), before - 1);
	close(fd);
}

static void
closing_is_told_once_after_the_last_words(void **state)
{
	struct side *s = *state;

	send_reply(s->peer, 1, NULL, 0);
	send_reply(s->peer, 2, NULL, 0);
	fd_close(&s->peer);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 2);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "closed the channel");
	run_loop(s->loop, 20);
	assert_int_equal(s->gone, 1);
}

/* The peer dies with mail unread: the kernel reports ECONNRESET before its last words. */
static void
last_words_survive_a_reset(void **state)
{
	struct side *s = *state;
	struct msg m = msg_reply(9, 0, NULL);

	assert_int_equal(chan_send(s->chan, &m, NULL, 0), 0);
	send_reply(s->peer, 1, NULL, 0);
	fd_close(&s->peer);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 1);
	assert_int_equal(s->gone, 1);
}

/* Our own send notices first that the peer is gone. */
static void
last_words_survive_a_broken_pipe(void **state)
{
	struct side *s = *state;
	struct msg m = msg_reply(9, 0, NULL);

	s->answer = true; /* sending in the handler is refused quietly */
	send_reply(s->peer, 1, NULL, 0);
	send_reply(s->peer, 2, NULL, 0);
	fd_close(&s->peer);
	assert_int_equal(chan_send(s->chan, &m, NULL, 0), -EPIPE);
	assert_int_equal(s->gone, 0);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 2);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "closed the channel");
}

static void
expect_broken(struct side *s, const char *why)
{
	s->free_in_gone = true;
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 0);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, why);
	assert_null(s->chan);
}

static void
malformed(void **state)
{
	struct side *s = *state;
	struct msg m = msg_reply(1, 0, "text");
	uint8_t buf[MSG_MAX];
	size_t len = msg_encode(&m, buf, sizeof(buf));

	assert_int_equal(fd_sendmsg(s->peer, buf, len - 1, NULL, 0), 0);
	expect_broken(s, "sent a malformed REPLY");
}

static void
garbage(void **state)
{
	struct side *s = *state;

	assert_int_equal(fd_sendmsg(s->peer, "\xff", 1, NULL, 0), 0);
	expect_broken(s, "sent a malformed ?");
}

static void
oversized(void **state)
{
	static const uint8_t big[MSG_MAX + 1];
	struct side *s = *state;

	assert_int_equal(fd_sendmsg(s->peer, big, sizeof(big), NULL, 0), 0);
	expect_broken(s, "sent an oversized message");
}

static void
undeclared_descriptor(void **state)
{
	struct side *s = *state;
	struct msg m = msg_make(MSG_STATUS_GET, 1);
	uint8_t buf[MSG_MAX];
	size_t len = msg_encode(&m, buf, sizeof(buf));
	int fd = fd_memfd("t", "x", 1), before = open_fds();

	assert_int_equal(fd_sendmsg(s->peer, buf, len, &fd, 1), 0);
	expect_broken(s, "sent STATUS_GET with 1 descriptors");
	assert_int_equal(open_fds(), before - 1); /* the channel's own socket */
	close(fd);
}

static void
the_handler_may_free_the_channel(void **state)
{
	struct side *s = *state;
	int fd = fd_memfd("t", "x", 1), before;

	s->free_in_msg = true;
	s->stop_after = 1;
	before = open_fds();
	send_reply(s->peer, 1, &fd, 1);
	send_reply(s->peer, 2, NULL, 0);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 1);
	assert_int_equal(s->gone, 0);
	assert_int_equal(open_fds(), before - 1);
	close(fd);
}

/* Messages come many at a time; what is behind the last one that counts must not leak. */
static void
what_comes_behind_the_end_is_closed(void **state)
{
	struct side *s = *state;
	int fd = fd_memfd("t", "x", 1), before = open_fds();

	for (uint32_t i = 1; i <= 5; i++)
		send_reply(s->peer, i, &fd, 1);
	assert_int_equal(fd_sendmsg(s->peer, "\xff", 1, &fd, 1), 0);
	for (uint32_t i = 6; i <= 40; i++)
		send_reply(s->peer, i, &fd, 1);
	fd_close(&s->peer);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 5);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "sent a malformed ?");
	assert_int_equal(open_fds(), before - 2);
	close(fd);
}

static void
a_handler_frees_the_channel_within_a_batch(void **state)
{
	struct side *s = *state;
	int fd = fd_memfd("t", "x", 1), before = open_fds();

	s->free_in_msg = true;
	s->stop_after = 1;
	for (uint32_t i = 1; i <= 40; i++)
		send_reply(s->peer, i, &fd, 1);
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, 1);
	assert_int_equal(s->gone, 0);
	assert_int_equal(open_fds(), before - 1);
	close(fd);
}

static void
more_than_one_turn_of_the_loop_takes(void **state)
{
	enum { N = 200 };
	struct side *s = *state;

	for (uint32_t i = 1; i <= N; i++)
		send_reply(s->peer, i, NULL, 0);
	s->stop_after = N;
	run_loop(s->loop, 2000);
	assert_int_equal(s->msgs, N);
	assert_int_equal(s->last_id, N);
	fd_close(&s->peer);
	run_loop(s->loop, 2000);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "closed the channel");
}

static void
an_impossible_message_ends_the_channel(void **state)
{
	struct side *s = *state;
	struct msg m = msg_make(MSG_NONE, 1);

	assert_int_equal(chan_send(s->chan, &m, NULL, 0), -EMSGSIZE);
	run_loop(s->loop, 2000);
	assert_int_equal(s->gone, 1);
	assert_string_equal(s->why, "was to be sent an impossible ?");
}

static void
blocking_receive_refuses(void **state)
{
	struct side *s = *state;
	struct msg m;
	int fds[FD_PASS_MAX], s2[2];
	size_t nfds;

	assert_int_equal(fd_seqpacket_pair(s2), 0);
	assert_int_equal(fd_sendmsg(s2[0], "junk", 4, &s->peer, 1), 0);
	assert_int_equal(chan_recv_blocking(s2[1], &m, fds, &nfds), -EPROTO);
	assert_int_equal(nfds, 0);
	close(s2[0]);
	assert_int_equal(chan_recv_blocking(s2[1], &m, fds, &nfds), -EPIPE);
	m = msg_make(MSG_NONE, 0);
	assert_int_equal(chan_send_blocking(s2[1], &m, NULL, 0), -EMSGSIZE);
	close(s2[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(both_ways),
	    TEST(descriptors_are_closed_unless_taken),
	    TEST(sent_descriptors_stay_the_callers),
	    TEST(what_has_time_leaves_together),
	    TEST(what_has_no_time_takes_along_what_waits),
	    TEST(what_waits_for_a_peer_that_goes_ends_the_channel),
	    TEST(rows_leave_before_the_message_that_ends_them),
	    TEST(a_row_that_fills_a_datagram_keeps_its_place),
	    TEST(each_row_is_a_message),
	    TEST(who_expects_no_rows_gets_them_as_they_are),
	    TEST(a_row_with_an_id_breaks_the_protocol),
	    TEST(rows_that_are_cut_break_the_protocol),
	    TEST(a_handler_frees_the_channel_within_rows),
	    TEST(a_full_socket_queues),
	    TEST(a_peer_that_never_reads_is_given_up),
	    TEST(too_many_queued_descriptors_are_given_up_without_leak),
	    TEST(closing_is_told_once_after_the_last_words),
	    TEST(last_words_survive_a_reset),
	    TEST(last_words_survive_a_broken_pipe),
	    TEST(malformed),
	    TEST(garbage),
	    TEST(oversized),
	    TEST(undeclared_descriptor),
	    TEST(the_handler_may_free_the_channel),
	    TEST(what_comes_behind_the_end_is_closed),
	    TEST(a_handler_frees_the_channel_within_a_batch),
	    TEST(more_than_one_turn_of_the_loop_takes),
	    TEST(an_impossible_message_ends_the_channel),
	    TEST(blocking_receive_refuses),
	};

	return T_RUN(tests);
}
