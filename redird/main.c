/* SPDX-License-Identifier: GPL-2.0-or-later
 * main.c - vnet-redird: wires channels, services and the redirector together.
 *
 * Executed by priv with two descriptors: 3 is the channel to priv, 4 is the channel to the engine. Without the
 * engine we go on serving, and priv sends a new one when there is an engine again; so we do when it sends rows that
 * cannot be. Without priv we let nobody in any more, which the next vnetd's vnet-redird does, and end with the last
 * connection; so does one without a service.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/sandbox.h"
#include "lib/worker_main.h"
#include "redird/answer.h"
#include "redird/confrows.h"
#include "redird/redird.h"
#include "redird/served.h"

enum {
	/* An engine that reads no events gets none, rather than losing its channel. */
	EVENT_QUEUE_BYTES = 1 << 20,
	/* A target that cannot be reached is told of so often at most; the log has every line. */
	NO_TARGET_MS = 10000,
};

struct program {
	struct loop *loop;
	struct redird *redird;
	struct loop_io *redird_io;
	struct chan *priv, *engine;
	struct confrows rows;
	struct served *served;
	bool configured;            /* at least once */
	bool draining;              /* nobody is let in any more */
	struct mono no_target_told; /* the last time */
	bool failed;
};

static void
stop(struct program *p, bool failed)
{
	p->failed |= failed;
	loop_stop(p->loop);
}

/* --- what happens in the redirector --- */

static enum redirect_event
word_of(enum redird_event what)
{
	switch (what) {
	case REDIRD_CPS_OFF:
		return REDIRECT_EVENT_OFF;
	case REDIRD_CPS_ON:
		return REDIRECT_EVENT_ON;
	case REDIRD_SENSOR:
		return REDIRECT_EVENT_SENSOR;
	case REDIRD_NO_TARGET:
		return REDIRECT_EVENT_NO_TARGET;
	case REDIRD_FULL:
		return REDIRECT_EVENT_FULL;
	case REDIRD_ROOM:
		return REDIRECT_EVENT_ROOM;
	case REDIRD_LINE:
		break;
	}
	return REDIRECT_EVENT_N;
}

static void
on_event(void *arg, enum redird_event what, uint32_t service, const char *text)
{
	struct program *p = arg;
	struct msg m = msg_make(MSG_REDIRECT_EVENT, 0);

	if (what == REDIRD_LINE && served_log(p->served, service, text))
		return;
	if (what == REDIRD_LINE || what == REDIRD_ROOM || what == REDIRD_CPS_ON)
		log_info("%s", text);
	else
		log_warn(0, "%s", text);
	if (what == REDIRD_LINE || !p->engine || chan_queued(p->engine) > EVENT_QUEUE_BYTES)
		return;
	if (what == REDIRD_NO_TARGET) {
		if (mono_diff(mono_now(), p->no_target_told) < NO_TARGET_MS)
			return;
		p->no_target_told = mono_now();
	}
	m.u.redirect_event.what = (uint8_t)word_of(what);
	MSG_SET_STR(m.u.redirect_event.service, service ? served_name(p->served, service) : "");
	MSG_SET_STR(m.u.redirect_event.text, text);
	chan_send(p->engine, &m, NULL, 0);
}

/* Nothing to serve and nobody served: the host does without this process. */
static void
leave_if_idle(struct program *p)
{
	struct redird_room room;

	if (!p->draining && (!p->configured || served_count(p->served) > 0))
		return;
	redird_room(p->redird, &room);
	if (room.conns == 0)
		stop(p, false);
}

static void
on_redird(int fd UNUSED, void *arg)
{
	struct program *p = arg;

	redird_run(p->redird, 0);
	leave_if_idle(p);
}

/* --- configuration --- */

static void
ask_priv(void *arg, struct msg *m)
{
	struct program *p = arg;

	if (!p->draining)
		chan_send(p->priv, m, NULL, 0);
}

static void
tell_ready(struct program *p, uint32_t generation, int err, const char *text)
{
	struct msg m = msg_make(MSG_CONF_READY, 0);

	m.u.conf_ready.generation = generation;
	m.u.conf_ready.err = (uint32_t)err;
	MSG_SET_STR(m.u.conf_ready.text, text);
	if (p->engine)
		chan_send(p->engine, &m, NULL, 0);
}

static void
on_settled(void *arg, uint32_t generation, int err)
{
	struct program *p = arg;

	p->configured = true;
	tell_ready(p, generation, err, err ? "a redirection cannot be served" : "");
	leave_if_idle(p);
}

static bool
commit(struct program *p, uint32_t generation)
{
	if (p->rows.refused && p->rows.generation == generation) {
		confrows_fini(&p->rows);
		tell_ready(p, generation, EINVAL, "the redirections are refused");
		return true;
	}
	if (!confrows_commit(&p->rows, generation))
		return false;
	served_apply(p->served, &p->rows);
	return true;
}

/* False: not a message for us, or not now. */
static bool
take_engine_msg(struct program *p, const struct msg *m)
{
	if (m->id != 0)
		return answer(p->redird, p->served, p->engine, m);
	if (m->type == MSG_CONF_COMMIT)
		return commit(p, m->u.conf_commit.generation);
	if (confrows_add(&p->rows, m))
		return true;
	if (!p->rows.open)
		return false;
	log_error(
	    0, "the engine sent %s, which redirection cannot take; what is served stays as it is",
	    msg_name(m->type));
	confrows_refuse(&p->rows);
	return true;
}

/* --- channels --- */

static void
lose_engine(struct program *p)
{
	chan_free(p->engine);
	p->engine = NULL;
	confrows_fini(&p->rows);
}

static void
on_engine_msg(struct chan *c UNUSED, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED,
	      void *arg)
{
	if (take_engine_msg(arg, m))
		return;
	/* Nobody would make another channel; priv makes another process. */
	log_error(0, "the engine sent %s, which redirection cannot take now", msg_name(m->type));
	stop(arg, true);
}

static void
on_engine_gone(struct chan *c UNUSED, const char *why, void *arg)
{
	log_debug("the engine %s", why);
	lose_engine(arg);
}

static const struct chan_handler engine_handler = {.msg = on_engine_msg, .gone = on_engine_gone};

static void
take_engine(struct program *p, int fd)
{
	lose_engine(p);
	p->engine = chan_new(p->loop, fd, "engine", &engine_handler, p);
	if (!p->engine)
		stop(p, true);
}

static void
on_priv_msg(struct chan *c UNUSED, const struct msg *m, int *fds, size_t nfds, void *arg)
{
	struct program *p = arg;

	if (m->id != 0 && served_answer(p->served, m, fds, nfds))
		return;
	if (m->type == MSG_ENGINE_CHAN) {
		take_engine(p, fd_take(&fds[0]));
	} else if (m->type == MSG_LOG_LEVEL && m->u.log_level.level <= LOG_LEVEL_DEBUG) {
		log_set_level((enum log_level)m->u.log_level.level);
	} else {
		log_error(0, "priv sent %s, which is not for redirection", msg_name(m->type));
		stop(p, true);
	}
}

/* vnetd ends, or was killed. */
static void
drain(struct program *p)
{
	struct redird_room room;

	p->draining = true;
	lose_engine(p);
	redird_drain(p->redird);
	redird_room(p->redird, &room);
	if (room.conns)
		log_info("vnetd is gone; what is redirected now goes on: %u", room.conns);
	leave_if_idle(p);
}

static void
on_priv_gone(struct chan *c UNUSED, const char *why, void *arg)
{
	if (!strcmp(why, "closed the channel")) {
		drain(arg);
		return;
	}
	log_error(0, "priv %s", why);
	stop(arg, true);
}

static const struct chan_handler priv_handler = {.msg = on_priv_msg, .gone = on_priv_gone};

static void
on_sigterm(int signo UNUSED, void *arg)
{
	stop(arg, false);
}

/* --- life --- */

static void
start(struct program *p)
{
	const struct served_env env = {
	    .redird = p->redird, .ask = ask_priv, .settled = on_settled, .arg = p};

	p->loop = loop_new();
	p->served = served_new(&env);
	if (!p->loop || !p->served)
		log_fatal(0, "out of memory");
	p->priv = chan_new(p->loop, FD_PRIV, "priv", &priv_handler, p);
	p->engine = chan_new(p->loop, FD_ENGINE, "engine", &engine_handler, p);
	p->redird_io = loop_add_read(p->loop, redird_fd(p->redird), on_redird, p);
	if (!p->priv || !p->engine || !p->redird_io ||
	    loop_add_signal(p->loop, SIGTERM, on_sigterm, p) < 0)
		log_fatal(0, "out of memory");
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
}

static void
end(struct program *p)
{
	lose_engine(p);
	loop_io_free(p->redird_io);
	chan_free(p->priv);
	served_free(p->served);
	redird_free(p->redird);
	loop_free(p->loop);
}

/* What needs files or limits comes before the sandbox: the time zone, and as many descriptors as there are. */
static void
prepare(struct program *p)
{
	const struct redird_handler h = {on_event, p};
	int r;

	memset(p, 0, sizeof(*p));
	p->no_target_told = (struct mono){INT64_MIN / 2};
	confrows_init(&p->rows);
	tzset();
	r = redird_new(&p->redird, &h);
	if (r < 0)
		log_fatal(-r, "cannot open what redirection needs");
}

int
main(int argc, char **argv)
{
	struct program p;
	char root[4096];
	bool failed;

	worker_begin(argc, argv, "vnet-redird", "TCP redirection", root);
	prepare(&p);
	worker_enter(root);
	start(&p);
	worker_filter(SANDBOX_TCP_RELAY);
	loop_run(p.loop);
	failed = p.failed;
	end(&p);
	return failed ? 1 : 0;
}
