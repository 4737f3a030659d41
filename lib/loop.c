/* SPDX-License-Identifier: GPL-2.0-or-later
 * loop.c - libevent with an explicit base, and deadlines on one timerfd.
 *
 * libevent's timers run on CLOCK_MONOTONIC, which stops while the machine sleeps; leases do not. So
 * the only timer known to the kernel is our timerfd, armed for a moment no later than the earliest
 * deadline; waking too early costs one scan of the list.
 */
#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "fd.h"
#include "util.h"

struct loop_signal {
	struct loop_signal *next;
	struct event *ev;
	void (*cb)(int signo, void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct loop_signal *signals;
	struct loop_timer *timers; /* every timer, armed or not, newest first */
	int timer_fd;
	struct event *timer_ev;
	int clock_fd; /* -1: nobody asks */
	struct loop_io *clock_io;
	void (*clock_cb)(void *arg);
	void *clock_arg;
	struct mono armed; /* what timer_fd is set to */
	uint64_t pass;     /* numbers the scans for due timers */
	bool stop;
};

struct loop_io {
	struct event *ev;
	int fd;
	void (*cb)(int fd, void *arg);
	void *arg;
};

struct loop_timer {
	struct loop_timer *next;
	struct loop *loop;
	struct mono when;
	uint64_t pass; /* the scan in which it fired last */
	void (*cb)(void *arg);
	void *arg;
};

static void
arm(struct loop *l, struct mono when)
{
	struct itimerspec its = {0};

	if (when.ms != MONO_NEVER.ms) {
		its.it_value.tv_sec = when.ms / 1000;
		its.it_value.tv_nsec = when.ms % 1000 * 1000000;
		/* Zero would disarm; the first nanosecond after boot is past as well. */
		if (when.ms <= 0)
			its.it_value = (struct timespec){0, 1};
	}
	timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &its, NULL);
	l->armed = when;
}

/* The earliest timer that is due and has not fired in this scan. A timer that its callback sets to
 * the past again waits for the next turn of the loop, so that it cannot starve the descriptors. */
static struct loop_timer *
find_due(struct loop *l, struct mono now)
{
	struct loop_timer *due = NULL;

	for (struct loop_timer *t = l->timers; t; t = t->next)
		if (!mono_before(now, t->when) && t->pass != l->pass &&
		    (!due || mono_before(t->when, due->when)))
			due = t;
	return due;
}

static void
on_timer_fd(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct loop *l = arg;
	struct loop_timer *t;
	struct mono now, next = MONO_NEVER;
	uint64_t expirations;
	ssize_t n UNUSED;

	n = read(fd, &expirations, sizeof(expirations));
	now = mono_now();
	l->pass++;
	/* Every callback may free or set any timer, so the search starts anew each time. */
	while ((t = find_due(l, now))) {
		t->pass = l->pass;
		t->when = MONO_NEVER;
		t->cb(t->arg);
	}
	for (t = l->timers; t; t = t->next)
		next = mono_min(next, t->when);
	arm(l, next);
}

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct event_config *cfg = NULL;

	if (!l)
		return NULL;
	l->armed = MONO_NEVER;
	l->clock_fd = -1;
	l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->timer_fd < 0)
		goto fail;
	cfg = event_config_new();
	if (!cfg || event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK) < 0)
		goto fail;
	l->base = event_base_new_with_config(cfg);
	if (!l->base)
		goto fail;
	l->timer_ev = event_new(l->base, l->timer_fd, EV_READ | EV_PERSIST, on_timer_fd, l);
	if (!l->timer_ev || event_add(l->timer_ev, NULL) < 0)
		goto fail;
	event_config_free(cfg);
	return l;
fail:
	if (cfg)
		event_config_free(cfg);
	loop_free(l);
	return NULL;
}

void
loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->signals) {
		struct loop_signal *s = l->signals;

		l->signals = s->next;
		event_free(s->ev);
		free(s);
	}
	while (l->timers)
		loop_timer_free(l->timers);
	loop_io_free(l->clock_io);
	fd_close(&l->clock_fd);
	if (l->timer_ev)
		event_free(l->timer_ev);
	if (l->base)
		event_base_free(l->base);
	fd_close(&l->timer_fd);
	free(l);
}

void
loop_run(struct loop *l)
{
	while (!l->stop)
		if (event_base_loop(l->base, EVLOOP_ONCE) < 0)
			break;
	l->stop = false;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
	event_base_loopbreak(l->base);
}

static void
on_io(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct loop_io *io = arg;

	io->cb(fd, io->arg); /* may free io */
}

static struct loop_io *
add_io(struct loop *l, int fd, short what, void (*cb)(int fd, void *arg), void *arg)
{
	struct loop_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	*io = (struct loop_io){.fd = fd, .cb = cb, .arg = arg};
	io->ev = event_new(l->base, fd, (short)(what | EV_PERSIST), on_io, io);
	if (!io->ev) {
		free(io);
		return NULL;
	}
	return io;
}

struct loop_io *
loop_add_read(struct loop *l, int fd, void (*cb)(int fd, void *arg), void *arg)
{
	struct loop_io *io = add_io(l, fd, EV_READ, cb, arg);

	if (io && event_add(io->ev, NULL) < 0) {
		loop_io_free(io);
		return NULL;
	}
	return io;
}

struct loop_io *
loop_add_write(struct loop *l, int fd, void (*cb)(int fd, void *arg), void *arg)
{
	return add_io(l, fd, EV_WRITE, cb, arg);
}

void
loop_io_enable(struct loop_io *io, bool on)
{
	if (on)
		event_add(io->ev, NULL);
	else
		event_del(io->ev);
}

void
loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	event_free(io->ev);
	free(io);
}

static void
on_signal(evutil_socket_t signo, short what UNUSED, void *arg)
{
	struct loop_signal *s = arg;

	s->cb(signo, s->arg);
}

int
loop_add_signal(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct loop_signal){.cb = cb, .arg = arg};
	s->ev = evsignal_new(l->base, signo, on_signal, s);
	if (!s->ev || evsignal_add(s->ev, NULL) < 0) {
		if (s->ev)
			event_free(s->ev);
		free(s);
		return -ENOMEM;
	}
	s->next = l->signals;
	l->signals = s;
	return 0;
}

struct loop_timer *
loop_timer_new(struct loop *l, void (*cb)(void *arg), void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct loop_timer){
	    .next = l->timers, .loop = l, .when = MONO_NEVER, .cb = cb, .arg = arg};
	l->timers = t;
	return t;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	for (struct loop_timer **pt = &t->loop->timers; *pt; pt = &(*pt)->next) {
		if (*pt == t) {
			*pt = t->next;
			break;
		}
	}
	free(t);
}

void
loop_timer_set(struct loop_timer *t, struct mono when)
{
	t->when = when;
	if (mono_before(when, t->loop->armed))
		arm(t->loop, when);
}

/* Far beyond every date, and within what the kernel takes. */
#define NEVER_S ((time_t)1 << 34)

static void
on_clock_fd(int fd, void *arg)
{
	struct loop *l = arg;
	uint64_t expirations;

	if (read(fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED)
		l->clock_cb(l->clock_arg);
}

int
loop_on_clock_set(struct loop *l, void (*cb)(void *arg), void *arg)
{
	const struct itimerspec its = {.it_value = {.tv_sec = NEVER_S}};

	l->clock_cb = cb;
	l->clock_arg = arg;
	l->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->clock_fd < 0 ||
	    timerfd_settime(l->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL) <
		0)
		return -errno;
	l->clock_io = loop_add_read(l, l->clock_fd, on_clock_fd, l);
	return l->clock_io ? 0 : -ENOMEM;
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}
