/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved.c - vnet-resolved: tells systemd-resolved of the networks' names, so that the host knows them.
 *
 * A client of vnetd.sock as vnetctl is one, and of the system bus; vnetd.service has it run as a user of its own, to
 * whom a rule of polkit gives what systemd-resolved asks for. It listens to vnetd's events, looks at the networks
 * anew after each, and takes everything back when it is ended or vnetd goes, whose name server goes with it.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mono.h"
#include "paths.h"
#include "vnetd/ctl_args.h"
#include "vnetd/ctl_client.h"
#include "vnetd/resolved_bus.h"

enum {
	SETTLE_MS = 100, /* events come in swarms */
	RETRY_MS = 5000,
};

static const struct ctl_opt opts[] = {
    {"config-dir", 0, "DIR", "accepted like in all programs, not used"},
    {"state-dir", 0, "DIR", "accepted like in all programs, not used"},
    {"run-dir", 0, "DIR", "where vnetd's socket is (default " VNET_RUN_DIR ")"},
    {"help", 'h', NULL, "show this help and exit"},
    {"version", 0, NULL, "print the version and exit"},
    {0},
};

struct program {
	const char *run_dir;
	struct client events;
	struct resolved_bus *bus;
	int signals;
	struct resolved_links done, wanted;
	struct mono look_at; /* at the networks, anew */
	unsigned failures;   /* in a row */
	char told[256];      /* the trouble that the log knows of */
};

static void
look_soon(struct program *p, int64_t ms)
{
	struct mono at = mono_add(mono_now(), ms);

	if (mono_before(at, p->look_at))
		p->look_at = at;
}

/* A sentence once, until all is well again. Not of the first failure: polkit may still be reading its rules. */
static void
trouble(struct program *p, const char *what, unsigned net)
{
	char text[sizeof(p->told)];

	snprintf(text, sizeof(text), "%s", what);
	text[strcspn(text, ".")] = '\0';
	if (p->failures++ == 0 || !strcmp(text, p->told))
		return;
	memcpy(p->told, text, sizeof(text));
	log_warn(0,
		 "vmnet%u: systemd-resolved does not take its names: %s. Without polkitd only root "
		 "may tell it: resolvectl dns, resolvectl domain",
		 net, text);
}

static enum ctl_exit
read_networks(struct program *p)
{
	struct msg m = msg_make(MSG_NET_LIST, 0);
	struct rows rows = ROWS_INIT(NET_ROW, net_row);
	struct client c;
	enum ctl_exit r = client_open(&c, p->run_dir);

	m.u.net_list.net = MSG_NET_ALL;
	if (r == CTL_OK)
		r = client_gather(&c, &m, (struct rows *[]){&rows}, 1);
	if (r != CTL_OK)
		log_warn(0, "%s", strbuf_str(&c.why));
	p->wanted.n = 0;
	for (size_t i = 0; r == CTL_OK && i < rows.n; i++) {
		const struct msg_net_row *row = (const struct msg_net_row *)rows.v + i;
		char name[IF_NAMESIZE];
		int ifindex;

		snprintf(name, sizeof(name), "vmnet%u", row->net);
		ifindex = (int)if_nametoindex(name);
		if (resolved_wants(row) && ifindex > 0 && p->wanted.n < RESOLVED_NETS)
			p->wanted.v[p->wanted.n++] = (struct resolved_link){
			    row->net, ifindex, row->dns, {row->subnet, row->len}};
	}
	rows_fini(&rows);
	client_close(&c);
	return r;
}

/* Tells resolved what has changed. */
static void
tell(struct program *p)
{
	const struct resolved_link *l;
	bool forget;

	while ((l = resolved_next(&p->done, &p->wanted, &forget))) {
		int r =
		    forget ? resolved_bus_revert(p->bus, l->ifindex) : resolved_bus_set(p->bus, l);

		if (r == -ENXIO) {
			p->done.n = 0; /* it will be noticed when it comes */
			return;
		}
		/* A link that is gone took all with it; one that is not there yet comes with an event. */
		if (r < 0 && !(forget && r == -ENODEV)) {
			trouble(p, resolved_bus_why(p->bus), l->net);
			look_soon(p, RETRY_MS);
			return;
		}
		if (!forget)
			log_info("systemd-resolved asks %s about names in vmnet%u", IP4_STR(l->dns),
				 l->net);
		resolved_note(&p->done, l, forget);
	}
	p->failures = 0;
	p->told[0] = '\0';
}

static void
on_resolved_came(void *arg)
{
	struct program *p = arg;

	p->done.n = 0;
	look_soon(p, SETTLE_MS);
}

/* Takes what vnetd says. False: it has gone. */
static bool
take_events(struct program *p)
{
	enum ctl_exit r = CTL_OK;
	bool end = false;
	struct msg m;

	while (r == CTL_OK && !end && client_pending(&p->events, 0)) {
		r = client_next(&p->events, &m, CLIENT_TIMEOUT_MS, &end);
		look_soon(p, SETTLE_MS);
	}
	return r == CTL_OK && !end;
}

static int
wait_ms(const struct program *p)
{
	int64_t ms = mono_diff(p->look_at, mono_now());

	if (p->look_at.ms == MONO_NEVER.ms)
		return -1;
	return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

/* Until a signal comes, or vnetd or the bus goes. */
static int
serve(struct program *p)
{
	for (;;) {
		struct pollfd fds[] = {{.fd = p->signals, .events = POLLIN},
				       {.fd = p->events.sock, .events = POLLIN},
				       {.fd = resolved_bus_fd(p->bus)}};
		int r;

		if (!mono_before(mono_now(), p->look_at)) {
			p->look_at = MONO_NEVER;
			if (read_networks(p) != CTL_OK)
				return 1;
			tell(p);
		}
		r = resolved_bus_process(p->bus);
		if (r < 0) {
			log_error(-r, "the system bus is gone");
			return 1;
		}
		fds[2].events = resolved_bus_events(p->bus);
		if (poll(fds, 3, wait_ms(p)) < 0 && errno != EINTR)
			return 1;
		if (fds[0].revents)
			return 0;
		if (fds[1].revents && !take_events(p)) {
			log_info("vnetd has ended");
			return 0;
		}
	}
}

static int
start(struct program *p)
{
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		return -errno;
	if (client_open(&p->events, p->run_dir) != CTL_OK ||
	    client_start(&p->events, &m) != CTL_OK) {
		log_error(0, "%s", strbuf_str(&p->events.why));
		return -ECONNREFUSED;
	}
	r = resolved_bus_open(&p->bus, on_resolved_came, p);
	if (r < 0)
		log_error(-r, "cannot reach the system bus");
	return r;
}

static int
run(struct program *p)
{
	int status = 1;

	p->look_at = mono_now();
	if (start(p) == 0)
		status = serve(p);
	p->wanted.n = 0;
	if (p->bus)
		tell(p);
	resolved_bus_close(p->bus);
	client_close(&p->events);
	fd_close(&p->signals);
	return status;
}

static void
help(void)
{
	puts("usage: vnet-resolved [option...]\n\n"
	     "Tells systemd-resolved to ask the virtual networks' own name servers about names in "
	     "vmnet8 and\n"
	     "the like, so that `ssh web1.vmnet8` works on this host. vnet-resolved.service runs "
	     "it.\n\n"
	     "options:");
	for (const struct ctl_opt *o = opts; o->name; o++)
		printf("  --%s%s%-*s  %s\n", o->name, o->value ? "=" : "",
		       (int)(17 - strlen(o->name)), o->value ? o->value : "", o->help);
}

int
main(UNUSED int argc, char **argv)
{
	struct program p = {.run_dir = VNET_RUN_DIR, .signals = -1, .events.sock = -1};
	struct ctl_args a;
	struct strbuf why;
	int status = 0;

	log_open("vnet-resolved", LOG_LEVEL_INFO);
	strbuf_init(&why);
	if (!ctl_args_parse(&a, opts, argv + 1, CTL_ARGS_ALL, &why)) {
		log_error(0, "%s", strbuf_str(&why));
		status = CTL_USAGE;
	} else if (ctl_args_get(&a, "help")) {
		help();
	} else if (ctl_args_get(&a, "version")) {
		puts("vnet-resolved " VNET_VERSION);
	} else if (a.npos || a.rest) {
		log_error(0, "it takes options only, not \"%s\"", a.npos ? a.pos[0] : "--");
		status = CTL_USAGE;
	} else {
		if (ctl_args_get(&a, "run-dir"))
			p.run_dir = ctl_args_get(&a, "run-dir");
		status = run(&p);
	}
	strbuf_fini(&why);
	return status;
}
