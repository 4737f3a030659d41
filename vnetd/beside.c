/* SPDX-License-Identifier: GPL-2.0-or-later
 * beside.c - see beside.h.
 */
#include "vnetd/beside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "paths.h"
#include "vnetd/ctl_args.h"

static const struct ctl_opt opts[] = {
    CTL_OPTS_UNUSED_DIRS, CTL_OPT_RUN_DIR, CTL_OPT_HELP, CTL_OPT_VERSION, {0},
};

void
beside_look_in(struct beside *b, int64_t ms)
{
	struct mono at = mono_add(mono_now(), ms);

	if (mono_before(at, b->look_at))
		b->look_at = at;
}

void
beside_trouble(struct beside *b, bool patient, const char *fmt, ...)
{
	char text[sizeof(b->told)];
	va_list ap;

	beside_look_in(b, BESIDE_RETRY_MS);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if ((b->failures++ == 0 && patient) || !strcmp(text, b->told))
		return;
	memcpy(b->told, text, sizeof(text));
	log_warn(0, "%s", text);
}

void
beside_well(struct beside *b)
{
	b->failures = 0;
	b->told[0] = '\0';
}

bool
beside_gather(struct beside *b, struct msg *request, struct rows *const *want, size_t nwant)
{
	struct client c;
	enum ctl_exit r = client_open(&c, b->run_dir);

	if (r == CTL_OK)
		r = client_gather(&c, request, want, nwant);
	if (r != CTL_OK)
		log_warn(0, "%s", strbuf_str(&c.why));
	client_close(&c);
	return r == CTL_OK;
}

static void
on_news(bool came, void *arg)
{
	struct beside *b = arg;

	if (came && b->does->came)
		b->does->came(b->does->arg);
	b->news = true;
	beside_look_in(b, BESIDE_SETTLE_MS);
}

/* Takes what vnetd says. False: it has gone. */
static bool
take_events(struct beside *b)
{
	enum ctl_exit r = CTL_OK;
	bool end = false;
	struct msg m;

	while (r == CTL_OK && !end && client_pending(&b->events, 0)) {
		r = client_next(&b->events, &m, CLIENT_TIMEOUT_MS, &end);
		beside_look_in(b, BESIDE_SETTLE_MS);
	}
	return r == CTL_OK && !end;
}

static int
wait_ms(const struct beside *b)
{
	int64_t ms = mono_diff(b->look_at, mono_now());

	if (b->look_at.ms == MONO_NEVER.ms)
		return -1;
	return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

/* Until a signal comes (*asked), or vnetd or the bus goes. */
static int
serve(struct beside *b, bool *asked)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = b->signals, .events = POLLIN},
				       {.fd = b->events.sock, .events = POLLIN},
				       {.fd = sysbus_fd(b->bus)}};
		int r;

		if (!mono_before(mono_now(), b->look_at)) {
			b->look_at = MONO_NEVER;
			if (!b->does->look(b, b->does->arg))
				return 1;
			b->news = false;
		}
		r = sysbus_process(b->bus);
		if (r < 0) {
			log_error(-r, "the system bus is gone");
			return 1;
		}
		fds[2].events = sysbus_events(b->bus);
		if (poll(fds, 3, wait_ms(b)) < 0 && errno != EINTR)
			return 1;
		if (fds[0].revents) {
			*asked = true;
			return 0;
		}
		if (fds[1].revents && !take_events(b)) {
			log_info("vnetd has ended");
			return 0;
		}
	}
}

static int
open_bus(struct beside *b)
{
	const char *const *match = b->does->listen;
	int r = sysbus_open(&b->bus, b->does->service, on_news, b);

	for (; r == 0 && match && *match; match++)
		r = sysbus_listen(b->bus, *match);
	if (r < 0)
		log_error(-r, "cannot reach the system bus");
	return r;
}

static int
start(struct beside *b)
{
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	b->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (b->signals < 0)
		return -errno;
	if (client_open(&b->events, b->run_dir) != CTL_OK ||
	    client_start(&b->events, &m) != CTL_OK) {
		log_error(0, "%s", strbuf_str(&b->events.why));
		return -ECONNREFUSED;
	}
	return open_bus(b);
}

static int
run(struct beside *b)
{
	bool asked = false;
	int status = 1;

	b->look_at = mono_now();
	if (start(b) == 0)
		status = serve(b, &asked);
	if (b->bus)
		b->does->end(b, asked, b->does->arg);
	sysbus_close(b->bus);
	client_close(&b->events);
	fd_close(&b->signals);
	return status;
}

static void
help(const struct beside_does *does)
{
	printf("usage: %s [option...]\n\n%s\n\noptions:\n", does->program, does->help);
	for (const struct ctl_opt *o = opts; o->name; o++)
		printf("  --%s%s%-*s  %s\n", o->name, o->value ? "=" : "",
		       (int)(17 - strlen(o->name)), o->value ? o->value : "", o->help);
}

int
beside_main(const struct beside_does *does, char **argv)
{
	struct beside b = {
	    .does = does, .run_dir = VNET_RUN_DIR, .news = true, .signals = -1, .events.sock = -1};
	struct ctl_args a;
	struct strbuf why;
	int status = 0;

	log_open(does->program, LOG_LEVEL_INFO);
	strbuf_init(&why);
	if (!ctl_args_parse(&a, opts, argv + 1, CTL_ARGS_ALL, &why)) {
		log_error(0, "%s", strbuf_str(&why));
		status = CTL_USAGE;
	} else if (ctl_args_get(&a, "help")) {
		help(does);
	} else if (ctl_args_get(&a, "version")) {
		printf("%s " VNET_VERSION "\n", does->program);
	} else if (a.npos || a.rest) {
		log_error(0, "it takes options only, not \"%s\"", a.npos ? a.pos[0] : "--");
		status = CTL_USAGE;
	} else {
		if (ctl_args_get(&a, "run-dir"))
			b.run_dir = ctl_args_get(&a, "run-dir");
		status = run(&b);
	}
	strbuf_fini(&why);
	return status;
}
