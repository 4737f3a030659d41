/* SPDX-License-Identifier: GPL-2.0-or-later
 * loop_test.c - deadlines fire once, in order, not early; callbacks may free what they are called for.
 */
#include "t.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/loop.h"

/* One timer of a test and what became of it. */
struct shot {
	struct loop *loop;
	struct loop_timer *timer, *other;
	struct mono fired;
	int count, rearm_ms, order, *next_order;
};

static void
on_stop(void *arg)
{
	loop_stop(arg);
}

/* Runs the loop for so many milliseconds. */
static void
run_for(struct loop *l, int ms)
{
	struct loop_timer *t = loop_timer_new(l, on_stop, l);

	assert_non_null(t);
	loop_timer_set(t, mono_add(mono_now(), ms));
	loop_run(l);
	loop_timer_free(t);
}

static void
on_shot(void *arg)
{
	struct shot *s = arg;

	s->fired = mono_now();
	s->count++;
	if (s->next_order)
		s->order = ++*s->next_order;
	if (s->rearm_ms)
		loop_timer_set(s->timer, mono_add(s->fired, s->rearm_ms));
}

static void
deadlines_fire_once_in_order_and_not_early(void **state UNUSED)
{
	static const int delay[] = {30, 10, 0, 20, -5};
	static const int order[] = {5, 3, 2, 4, 1};
	struct loop *l = loop_new();
	struct shot s[ARRAY_LEN(delay)] = {0};
	struct mono start = mono_now();
	int n = 0;

	assert_non_null(l);
	for (size_t i = 0; i < ARRAY_LEN(delay); i++) {
		s[i].next_order = &n;
		s[i].timer = loop_timer_new(l, on_shot, &s[i]);
		loop_timer_set(s[i].timer, mono_add(start, delay[i]));
	}
	run_for(l, 100);
	for (size_t i = 0; i < ARRAY_LEN(delay); i++) {
		assert_int_equal(s[i].count, 1);
		assert_true(mono_diff(s[i].fired, start) >= delay[i]);
		assert_int_equal(s[i].order, order[i]);
	}
	loop_free(l);
}

static void
a_deadline_can_move_and_be_disarmed(void **state UNUSED)
{
	struct loop *l = loop_new();
	int n = 0;
	struct shot later = {.next_order = &n}, sooner = {.next_order = &n}, never = {0};
	struct mono start = mono_now();

	later.timer = loop_timer_new(l, on_shot, &later);
	sooner.timer = loop_timer_new(l, on_shot, &sooner);
	never.timer = loop_timer_new(l, on_shot, &never);
	loop_timer_set(later.timer, mono_add(start, 5));
	loop_timer_set(later.timer, mono_add(start, 40));
	loop_timer_set(sooner.timer, mono_add(start, 10000));
	loop_timer_set(sooner.timer, mono_add(start, 10));
	loop_timer_set(never.timer, mono_add(start, 5));
	loop_timer_set(never.timer, MONO_NEVER);
	run_for(l, 80);
	assert_int_equal(later.count, 1);
	assert_true(mono_diff(later.fired, start) >= 40);
	assert_int_equal(sooner.count, 1);
	assert_true(sooner.order < later.order);
	assert_int_equal(never.count, 0);
	loop_free(l);
}

static void
on_free_both(void *arg)
{
	struct shot *s = arg;

	s->count++;
	loop_timer_free(s->other);
	loop_timer_free(s->timer);
}

static void
callbacks_may_free_timers(void **state UNUSED)
{
	struct loop *l = loop_new();
	struct shot a = {0}, b = {0};
	struct mono now = mono_now();

	a.timer = b.other = loop_timer_new(l, on_free_both, &a);
	b.timer = a.other = loop_timer_new(l, on_free_both, &b);
	loop_timer_set(a.timer, now);
	loop_timer_set(b.timer, now);
	run_for(l, 10);
	assert_int_equal(a.count + b.count, 1);
	loop_timer_free(NULL);
	loop_free(l);
}

static void
on_bytes(int fd, void *arg)
{
	char buf[64];

	*(int *)arg += (int)read(fd, buf, sizeof(buf));
}

static void
on_always_due(void *arg)
{
	struct shot *s = arg;

	s->count++;
	loop_timer_set(s->timer, (struct mono){0});
}

/* A timer that sets itself to the past each time. */
static void
a_busy_timer_does_not_starve_descriptors(void **state UNUSED)
{
	struct loop *l = loop_new();
	struct shot s = {0};
	struct loop_io *io;
	int p[2], bytes = 0;

	assert_int_equal(pipe(p), 0);
	io = loop_add_read(l, p[0], on_bytes, &bytes);
	s.timer = loop_timer_new(l, on_always_due, &s);
	loop_timer_set(s.timer, (struct mono){0});
	assert_int_equal(write(p[1], "abc", 3), 3);
	run_for(l, 20);
	assert_int_equal(bytes, 3);
	assert_true(s.count > 1);
	loop_io_free(io);
	loop_free(l);
	close(p[0]);
	close(p[1]);
}

/* A descriptor whose callback frees its own watch and that of its neighbour. */
struct watch {
	struct loop_io *io, *other;
	int *calls;
};

static void
on_free_watch(int fd UNUSED, void *arg)
{
	struct watch *w = arg;

	++*w->calls;
	loop_io_free(w->other);
	loop_io_free(w->io);
}

static void
callbacks_may_free_watches(void **state UNUSED)
{
	struct loop *l = loop_new();
	struct watch a = {0}, b = {0};
	int p[2], q[2], calls = 0;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(pipe(q), 0);
	a.calls = b.calls = &calls;
	a.io = b.other = loop_add_read(l, p[0], on_free_watch, &a);
	b.io = a.other = loop_add_read(l, q[0], on_free_watch, &b);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(write(q[1], "x", 1), 1);
	run_for(l, 20);
	assert_int_equal(calls, 1);
	loop_io_free(NULL);
	loop_free(l);
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
}

static void
on_hangup(int fd UNUSED, void *arg)
{
	struct watch *w = arg;

	++*w->calls;
	loop_io_enable(w->io, false);
}

static void
hangup_is_readable_and_writable_starts_disabled(void **state UNUSED)
{
	struct loop *l = loop_new();
	struct watch rd = {0}, wr = {0};
	int s[2], reads = 0, writes = 0;

	assert_int_equal(fd_seqpacket_pair(s), 0);
	rd.calls = &reads;
	wr.calls = &writes;
	rd.io = loop_add_read(l, s[0], on_hangup, &rd);
	wr.io = loop_add_write(l, s[0], on_hangup, &wr);
	run_for(l, 10);
	assert_int_equal(reads, 0);
	assert_int_equal(writes, 0);
	loop_io_enable(wr.io, true);
	run_for(l, 10);
	assert_int_equal(writes, 1);
	close(s[1]);
	run_for(l, 10);
	assert_int_equal(reads, 1);
	assert_int_equal(writes, 1);
	loop_io_free(rd.io);
	loop_io_free(wr.io);
	close(s[0]);
	loop_free(l);
}

static void
on_sig(int signo, void *arg)
{
	*(int *)arg += signo;
}

static void
signals_arrive_in_the_loop(void **state UNUSED)
{
	struct loop *l = loop_new();
	int sum = 0;

	assert_int_equal(loop_add_signal(l, SIGUSR1, on_sig, &sum), 0);
	assert_int_equal(loop_add_signal(l, SIGUSR2, on_sig, &sum), 0);
	raise(SIGUSR1);
	assert_int_equal(sum, 0);
	run_for(l, 10);
	assert_int_equal(sum, SIGUSR1);
	raise(SIGUSR2);
	run_for(l, 10);
	assert_int_equal(sum, SIGUSR1 + SIGUSR2);
	loop_free(l);
}

static void
stop_before_run_is_kept(void **state UNUSED)
{
	struct loop *l = loop_new();
	struct shot s = {0};

	s.timer = loop_timer_new(l, on_shot, &s);
	loop_timer_set(s.timer, (struct mono){0});
	loop_stop(l);
	loop_run(l);
	assert_int_equal(s.count, 0);
	run_for(l, 10);
	assert_int_equal(s.count, 1);
	assert_non_null(loop_base(l));
	loop_free(l);
	loop_free(NULL);
}

static void
what_cannot_be_watched_is_refused(void **state UNUSED)
{
	struct loop *l = loop_new();
	int fd = fd_memfd("file", "x", 1), n = 0;

	assert_null(loop_add_read(l, fd, on_bytes, &n)); /* epoll takes no plain file */
	close(fd);
	loop_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(deadlines_fire_once_in_order_and_not_early),
	    cmocka_unit_test(a_deadline_can_move_and_be_disarmed),
	    cmocka_unit_test(callbacks_may_free_timers),
	    cmocka_unit_test(a_busy_timer_does_not_starve_descriptors),
	    cmocka_unit_test(callbacks_may_free_watches),
	    cmocka_unit_test(hangup_is_readable_and_writable_starts_disabled),
	    cmocka_unit_test(signals_arrive_in_the_loop),
	    cmocka_unit_test(stop_before_run_is_kept),
	    cmocka_unit_test(what_cannot_be_watched_is_refused),
	};

	return T_RUN(tests);
}
