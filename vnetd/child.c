/* SPDX-License-Identifier: GPL-2.0-or-later
 * child.c - spawning, connecting and restarting the children of priv.
 *
 * A child is over when two things have happened, in any order: it was waited for, and its channel has
 * ended. Waiting for both keeps its last words (ENGINE_REFUSED) from being lost.
 */
#include "vnetd/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/util.h"
#include "vnetd/backoff.h"
#include "vnetd/spawn.h"

/* A child gets its end of the channel to priv as 3, and a worker that of the channel to the engine as 4. */
enum {
	/* A child whose channel ended has this long to end by itself; then SIGTERM, and again, SIGKILL. */
	GRACE_MS = 500,
};

struct child {
	struct children *all;
	enum role role;
	pid_t pid;         /* 0: waited for, or never started */
	int status;        /* of waitpid(), when pid is 0 again */
	struct chan *chan; /* NULL: ended */
	bool wanted;       /* it is to run; else it may end by itself, and stays ended */
	bool running;      /* started, and not over */
	int signals;       /* how many were sent to end it */
	struct mono started;
	struct backoff backoff;
	struct loop_timer *timer; /* running: patience; else: the restart */
};

struct children {
	struct loop *loop;
	const struct start *start;
	const struct child_handler *h;
	void *arg;
	struct child child[ROLE_N];
	bool stopping;
	bool engine_died; /* some engine has, so the next one is told to expect a running system */
};

static const char *
program(enum role role)
{
	switch (role) {
	case ROLE_ENGINE:
		return "vnetd";
	case ROLE_DHCPD:
		return "vnet-dhcpd";
	case ROLE_NATD:
		return "vnet-natd";
	case ROLE_REDIRD:
		return "vnet-redird";
	case ROLE_N:
		break;
	}
	return "?";
}

/* For people: "engine", but the workers by their programs' names. */
static const char *
title(enum role role)
{
	return role == ROLE_ENGINE ? "engine" : program(role);
}

static void finish(struct child *c);

/* ------------------------------------------------------------------ the process */

static pid_t
spawn_role(const struct child *c, const int fds[2], size_t nfds)
{
	const struct dirs *d = c->all->start->dirs;
	char config[4096], state[4096], run[4096], libexec[4096], level[32], path[4096];
	const char *argv[9];
	size_t n = 0;

	snprintf(config, sizeof(config), "--config-dir=%s", d->config);
	snprintf(state, sizeof(state), "--state-dir=%s", d->state);
	snprintf(run, sizeof(run), "--run-dir=%s", d->run);
	snprintf(libexec, sizeof(libexec), "--libexec-dir=%s", d->libexec);
	snprintf(level, sizeof(level), "--log-level=%d", c->all->start->level);
	argv[n++] = program(c->role);
	if (c->role == ROLE_ENGINE) {
		argv[n++] = "-Rengine";
		argv[n++] = config;
		argv[n++] = state;
		argv[n++] = libexec;
		/* The very program that runs here, whatever an upgrade has put in its place since. */
		snprintf(path, sizeof(path), "/proc/self/exe");
	} else {
		snprintf(path, sizeof(path), "%s/%s", d->libexec, program(c->role));
	}
	argv[n++] = run;
	argv[n++] = level;
	argv[n] = NULL;
	return spawn_child(path, argv, fds, nfds);
}

/* ------------------------------------------------------------------ in priv */

static void
on_msg(struct chan *chan, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct child *c = arg;

	c->all->h->msg(c->role, chan, m, fds, nfds, c->all->arg);
}

static void
end_channel(struct child *c)
{
	chan_free(c->chan);
	c->chan = NULL;
	if (c->pid)
		loop_timer_set(c->timer, mono_add(mono_now(), GRACE_MS));
	else
		finish(c);
}

static void
on_gone(struct chan *chan UNUSED, const char *why, void *arg)
{
	struct child *c = arg;

	/* Its end will tell more than the end of its channel, unless it does not end. */
	if (strcmp(why, "closed the channel") != 0) {
		log_error(0, "%s %s: ending it", title(c->role), why);
		if (c->pid)
			kill(c->pid, SIGKILL);
	}
	end_channel(c);
}

/* Rows are natd's; as each is a message of its own to the policy, they need no other than the rest. */
static const struct chan_handler chan_handler = {.msg = on_msg, .gone = on_gone, .rows = true};

/* Gives engine and worker a channel of their own. worker_end: where the worker's end goes; NULL: to the
 * running worker by ENGINE_CHAN. */
static void
connect_worker(struct children *all, enum role role, int *worker_end)
{
	struct chan *engine = all->child[ROLE_ENGINE].chan, *worker = all->child[role].chan;
	struct msg up = msg_make(MSG_WORKER_UP, 0), to = msg_make(MSG_ENGINE_CHAN, 0);
	int pair[2];

	if (fd_seqpacket_pair(pair) < 0) {
		log_error(errno, "cannot connect %s with the engine", title(role));
		return;
	}
	up.u.worker_up.role = (uint8_t)role;
	if (worker_end)
		*worker_end = pair[1];
	else
		chan_send_fd(worker, &to, pair[1]);
	/* Without an engine the worker finds its channel closed, and gets one when there is. */
	if (engine)
		chan_send_fd(engine, &up, pair[0]);
	else
		fd_close(&pair[0]);
}

static void
greet_engine(struct children *all)
{
	const struct start *s = all->start;
	struct msg m = msg_make(MSG_ENGINE_INIT, 0);

	m.u.engine_init.group_gid = s->group;
	m.u.engine_init.started_mono_ms = (uint64_t)s->started.ms;
	m.u.engine_init.restarted = all->engine_died;
	chan_send(all->child[ROLE_ENGINE].chan, &m, &s->listener, 1);
	for (enum role r = 0; r < ROLE_N; r++)
		if (r != ROLE_ENGINE && all->child[r].chan)
			connect_worker(all, r, NULL);
}

static int
spawn(struct child *c)
{
	AUTO_FD engine = -1;
	int pair[2], r = fd_seqpacket_pair(pair);
	AUTO_FD child_end = -1;

	if (r < 0)
		return r;
	child_end = pair[1];
	c->chan = chan_new(c->all->loop, pair[0], title(c->role), &chan_handler, c);
	if (!c->chan)
		return -ENOMEM;
	if (c->role != ROLE_ENGINE)
		connect_worker(c->all, c->role, &engine);
	r = spawn_role(c, (const int[]){child_end, engine}, engine >= 0 ? 2 : 1);
	if (r < 0) {
		chan_free(c->chan);
		c->chan = NULL;
		return r;
	}
	c->pid = r;
	c->running = true;
	c->signals = 0;
	c->started = mono_now();
	log_debug("started %s, process %d", title(c->role), (int)c->pid);
	if (c->role == ROLE_ENGINE)
		greet_engine(c->all);
	return 0;
}

static void
retry(struct child *c, uint32_t ms)
{
	loop_timer_set(c->timer, mono_add(mono_now(), ms));
}

static void
start_child(struct child *c)
{
	int r = spawn(c);

	if (r < 0) {
		uint32_t ms = backoff_next_ms(&c->backoff, 0);

		log_error(-r, "cannot start %s, trying again in %u ms", title(c->role), ms);
		retry(c, ms);
	}
}

/* The timer: a child that should have ended is urged, one that is due is started. */
static void
on_timer(void *arg)
{
	struct child *c = arg;

	if (c->pid && !c->chan) {
		kill(c->pid, c->signals++ == 0 ? SIGTERM : SIGKILL);
		loop_timer_set(c->timer, mono_add(mono_now(), GRACE_MS));
	} else if (!c->running && c->wanted && !c->all->stopping) {
		start_child(c);
	}
}

void
child_describe(char *buf, size_t cap, int status)
{
	if (WIFSIGNALED(status))
		snprintf(buf, cap, "killed by signal %d (%s)", WTERMSIG(status),
			 sigdescr_np(WTERMSIG(status)) ? sigdescr_np(WTERMSIG(status)) : "?");
	else
		snprintf(buf, cap, "exit status %d", WEXITSTATUS(status));
}

static bool
any_running(const struct children *all)
{
	for (enum role r = 0; r < ROLE_N; r++)
		if (all->child[r].running)
			return true;
	return false;
}

/* Both waited for and without a channel. */
static void
finish(struct child *c)
{
	struct children *all = c->all;
	struct msg gone = msg_make(MSG_WORKER_GONE, 0);
	char how[96];
	uint32_t ms;

	c->running = false;
	loop_timer_set(c->timer, MONO_NEVER);
	if (all->stopping) {
		if (!any_running(all))
			all->h->stopped(all->arg);
		return;
	}
	child_describe(how, sizeof(how), c->status);
	if (!c->wanted) {
		log_debug("%s has ended (%s): there is nothing for it to do", title(c->role), how);
		return;
	}
	ms = backoff_next_ms(&c->backoff, mono_diff(mono_now(), c->started));
	if (ms)
		log_warn(0, "%s has ended (%s); starting it again in %u ms", title(c->role), how,
			 ms);
	else
		log_warn(0, "%s has ended (%s); starting it again", title(c->role), how);
	if (c->role == ROLE_ENGINE) {
		all->engine_died = true;
	} else {
		gone.u.worker_gone.role = (uint8_t)c->role;
		gone.u.worker_gone.retry_ms = ms;
		MSG_SET_STR(gone.u.worker_gone.how, how);
		children_tell(all, ROLE_ENGINE, &gone);
	}
	retry(c, ms);
}

void
children_reap(struct children *all)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		bool known = false;

		for (enum role r = 0; r < ROLE_N; r++) {
			struct child *c = &all->child[r];

			if (c->pid != pid)
				continue;
			known = true;
			c->pid = 0;
			c->status = status;
			if (!c->chan)
				finish(c);
		}
		if (!known)
			all->h->other(pid, status, all->arg);
	}
}

void
children_breach(struct children *all, enum role role, const char *what)
{
	struct child *c = &all->child[role];

	log_error(0, "%s %s: ending it", title(role), what);
	if (c->pid)
		kill(c->pid, SIGKILL);
	end_channel(c);
}

/* It ends with its last connection, which may be long after us. */
static void
leave(struct child *c)
{
	chan_free(c->chan);
	c->chan = NULL;
	c->running = false;
	loop_timer_set(c->timer, MONO_NEVER);
}

void
children_stop(struct children *all)
{
	if (all->stopping)
		return;
	all->stopping = true;
	for (enum role r = 0; r < ROLE_N; r++) {
		struct child *c = &all->child[r];

		if (c->running && r == ROLE_REDIRD)
			leave(c);
		else if (c->running && c->chan)
			end_channel(c);
	}
	if (!any_running(all))
		all->h->stopped(all->arg);
}

void
children_tell(struct children *all, enum role role, const struct msg *m)
{
	if (all->child[role].chan)
		chan_send(all->child[role].chan, m, NULL, 0);
}

void
children_want(struct children *all, enum role role, bool on)
{
	struct child *c = &all->child[role];

	if (c->wanted == on || all->stopping)
		return;
	c->wanted = on;
	if (on && !c->running)
		start_child(c);
}

struct children *
children_new(struct loop *l, const struct start *s, const struct child_handler *h, void *arg)
{
	struct children *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->loop = l;
	all->start = s;
	all->h = h;
	all->arg = arg;
	for (enum role r = 0; r < ROLE_N; r++) {
		struct child *c = &all->child[r];

		c->all = all;
		c->role = r;
		/* Most hosts redirect nothing. */
		c->wanted = r != ROLE_REDIRD;
		c->timer = loop_timer_new(l, on_timer, c);
		if (!c->timer) {
			children_free(all);
			return NULL;
		}
	}
	for (enum role r = 0; r < ROLE_N; r++)
		if (all->child[r].wanted)
			start_child(&all->child[r]);
	return all;
}

void
children_free(struct children *all)
{
	if (!all)
		return;
	for (enum role r = 0; r < ROLE_N; r++) {
		chan_free(all->child[r].chan);
		loop_timer_free(all->child[r].timer);
	}
	free(all);
}
