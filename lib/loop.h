/* SPDX-License-Identifier: GPL-2.0-or-later
 * loop.h - libevent behind four calls: readable descriptors, signals, one deadline, run.
 *
 * Timers are deadlines in struct mono: a loop has one timerfd on CLOCK_BOOTTIME (libevent's own timers
 * stop while the machine is suspended), and a `deadline` callback that the owner re-arms.
 * Only loop.c, chan.c and the daemons' mains see libevent.
 */
#ifndef VNET_LIB_LOOP_H
#define VNET_LIB_LOOP_H

#include <stdbool.h>

#include "mono.h"

struct loop;
struct loop_io;
struct loop_timer;

/* NULL when out of memory or descriptors. */
struct loop *loop_new(void);
/* Frees its timers and signals too; watches (struct loop_io) must be freed before. NULL is allowed. */
void loop_free(struct loop *l);

/* Runs until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* Calls cb(fd, arg) whenever fd is readable (or hung up). The fd stays the caller's. NULL: no memory. */
struct loop_io *loop_add_read(struct loop *l, int fd, void (*cb)(int fd, void *arg), void *arg);
/* The same for writable; starts disabled. */
struct loop_io *loop_add_write(struct loop *l, int fd, void (*cb)(int fd, void *arg), void *arg);
void loop_io_enable(struct loop_io *io, bool on);
/* Forgets the watch; safe inside its own callback. NULL is allowed. Close the fd after this, not before. */
void loop_io_free(struct loop_io *io);

/* Calls cb(signo, arg) in normal context. 0 or -ENOMEM. */
int loop_add_signal(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg);

/* A one-shot timer; disarmed at first. */
struct loop_timer *loop_timer_new(struct loop *l, void (*cb)(void *arg), void *arg);
void loop_timer_free(struct loop_timer *t);
/* Fires once at `when` (at once if past); MONO_NEVER disarms. */
void loop_timer_set(struct loop_timer *t, struct mono when);

/* Calls cb(arg) whenever the wall clock was set to another time (not when it is only made faster or slower), and when
 * the machine wakes up. Once per loop. 0 or -errno. */
int loop_on_clock_set(struct loop *l, void (*cb)(void *arg), void *arg);

/* libevent's base, for the rare library that wants it. */
struct event_base;
struct event_base *loop_base(struct loop *l);

#endif
