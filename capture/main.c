/* SPDX-License-Identifier: GPL-2.0-or-later
 * main.c - vnet-capture: one capture of one network or port, for one client.
 *
 * Executed by priv with three descriptors: 3 ends it when it is closed, 4 is one end of a connection with the client,
 * 5 a packet socket bound to what is captured, through which nothing passes so far. It has no capability and an empty
 * root; when the first frame comes, it can neither send nor open anything.
 *
 * With --compile it is no such process but the tools' compiler of filters, executed by them and as who called them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/gate_maps.h"
#include "capture/code.h"
#include "capture/job.h"
#include "capture/ring.h"
#include "capture/run.h"
#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "paths.h"

enum { FD_PRIV = 3, FD_CLIENT = 4, FD_PACKET = 5 };

struct options {
	const char *run_dir;
	enum log_level level;
	uint32_t ifindex;    /* what the socket is bound to */
	uint32_t slot;       /* of the gate of the port; 0: a whole network */
	uint32_t ring_mib;   /* room for frames that wait to be written */
	const char *compile; /* an expression: nothing else is done */
};

static const char usage[] =
    "usage: vnet-capture --link=INDEX [--slot=N] [--ring=MIB] [--run-dir=DIR] [--log-level=0-3]\n"
    "   or: vnet-capture --compile=FILTER\n"
    "\n"
    "Captures frames for vnetctl(8) capture; vnetd(8) starts it, and it cannot be started by "
    "hand. With --compile it writes a filter of pcap-filter(7) as instructions for them.\n"
    "See vnet-capture(8).\n";

__attribute__((noreturn)) static void
usage_error(const char *what, const char *value)
{
	if (what)
		fprintf(stderr, "vnet-capture: %s: \"%s\"\n", what, value);
	fputs(usage, stderr);
	exit(2);
}

static uint32_t
number(const char *what, const char *s, unsigned long max)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || end == s || *end || v > max)
		usage_error(what, s);
	return (uint32_t)v;
}

/* Exits for --help, --version and what is wrong. */
static void
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longopts[] = {
	    {"config-dir", required_argument, NULL, 'c'},
	    {"state-dir", required_argument, NULL, 'c'},
	    {"run-dir", required_argument, NULL, 'r'},
	    {"log-level", required_argument, NULL, 'l'},
	    {"link", required_argument, NULL, 'i'},
	    {"slot", required_argument, NULL, 's'},
	    {"ring", required_argument, NULL, 'm'},
	    {"compile", required_argument, NULL, 'C'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){
	    .run_dir = VNET_RUN_DIR, .level = LOG_LEVEL_INFO, .ring_mib = RING_MIB_MAX};
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
			break; /* taken like every program of the suite; our root is empty */
		case 'r':
			o->run_dir = optarg;
			break;
		case 'l':
			o->level =
			    (enum log_level)number("not a log level", optarg, LOG_LEVEL_DEBUG);
			break;
		case 'i':
			o->ifindex = number("not an interface's index", optarg, INT_MAX);
			break;
		case 's':
			o->slot = number("not a slot", optarg, GATE_SLOTS - 1);
			break;
		case 'm':
			o->ring_mib = number("not the size of a ring", optarg, RING_MIB_MAX);
			break;
		case 'C':
			o->compile = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("vnet-capture " VNET_VERSION);
			exit(0);
		default:
			usage_error(NULL, NULL);
		}
	}
	if (optind < argc)
		usage_error("unexpected argument", argv[optind]);
}

/* Writes the program, or why there is none. */
static int
compile(const char *expr)
{
	static uint8_t code[FILTER_MAX * CODE_BYTES];
	static struct filter f;
	char why[FILTER_WHY_MAX];
	bool ok = filter_compile(&f, expr, why);

	putchar(ok ? CODE_FOLLOWS : CODE_WHY);
	if (ok)
		fwrite(code, 1, code_put(code, f.code, f.n), stdout);
	else
		fputs(why, stdout);
	return fflush(stdout) == 0 && ok ? 0 : 1;
}

/* Until the client says something. False: priv ends the capture. */
static bool
wait_for_client(void)
{
	struct pollfd p[] = {{.fd = FD_PRIV, .events = POLLIN},
			     {.fd = FD_CLIENT, .events = POLLIN}};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	return !p[0].revents;
}

/* Until the client has said everything: 0. -errno: it is not to be, and *why may say what is wrong. */
static int
listen_to_client(struct job *job, const char **why)
{
	while (!job->complete) {
		int fds[FD_PASS_MAX], r;
		size_t nfds;
		struct msg m;

		if (!wait_for_client())
			return -ECANCELED;
		r = chan_recv_blocking(FD_CLIENT, &m, fds, &nfds);
		if (r == -EPROTO)
			*why = "it does not speak this version of the protocol";
		if (r < 0)
			return r;
		*why = job_take(job, &m, fds, nfds);
		for (size_t i = 0; i < nfds; i++)
			fd_close(&fds[i]);
		if (*why)
			return -EINVAL;
	}
	return 0;
}

static int
open_ring(struct ring *ring, const struct job *job, const struct options *o)
{
	static struct sock_filter code[FILTER_MAX + FILTER_EXTRA];
	const struct filter_scope scope = {
	    .ifindex = o->ifindex,
	    .tag = o->slot ? GATE_TAG(o->slot, false, 0) : 0,
	    .mask = o->slot == 0       ? 0
		    : job->setup.drops ? GATE_TAG_MASK
				       : GATE_TAG_PASSED_MASK,
	    .snaplen = job->setup.snaplen,
	};
	size_t n = filter_for_socket(code, &job->filter, &scope);

	return ring_open(ring, SANDBOX_PACKET_FD, o->ring_mib, code, n);
}

static void
end(int err, const char *why)
{
	struct msg m;

	if (!why)
		why = err == 0           ? ""
		      : err == EPIPE     ? "nobody reads the capture any more"
		      : err == ECANCELED ? "vnetd ended it: vnetctl events tells why"
		      : err == ENETDOWN || err == ENODEV || err == ENXIO ? "the interface is gone"
									 : strerrordesc_np(err);
	m = msg_reply(0, err, why);
	run_tell(FD_CLIENT, &m);
}

/* Everything that needs a system call which the last filter denies. */
static int
capture(struct job *job, const struct options *o)
{
	struct ring ring;
	struct run run = {
	    .job = job, .ring = &ring, .priv = FD_PRIV, .client = FD_CLIENT, .port = o->slot};
	int r = open_ring(&ring, job, o);

	if (r < 0) {
		log_error(-r, "cannot set up the ring of a packet socket");
		return r;
	}
	r = sandbox_seccomp_capture();
	if (r < 0)
		log_fatal(-r, "cannot load the system call filter");
	r = run_capture(&run);
	return r;
}

static void
enter_sandbox(const struct options *o)
{
	char empty[PATH_MAX];
	int r = snprintf(empty, sizeof(empty), "%s/empty", o->run_dir);

	if (r < 0 || (size_t)r >= sizeof(empty))
		log_fatal(ENAMETOOLONG, "%s", o->run_dir);
	/* What the last filter knows the socket by. */
	if (dup3(FD_PACKET, SANDBOX_PACKET_FD, O_CLOEXEC) < 0)
		log_fatal(errno, "cannot move the packet socket");
	close(FD_PACKET);
	r = sandbox_enter(empty);
	if (r < 0)
		log_fatal(-r, "cannot enter the empty folder \"%s\"", empty);
	r = sandbox_seccomp(SANDBOX_PACKET_RING);
	if (r < 0)
		log_fatal(-r, "cannot load the system call filter");
}

int
main(int argc, char **argv)
{
	static struct job job;
	const char *why = NULL;
	struct options o;
	int r;

	parse_options(argc, argv, &o);
	if (o.compile)
		return compile(o.compile);
	log_open("vnet-capture", o.level);
	if (fcntl(FD_PRIV, F_GETFD) < 0 || fcntl(FD_CLIENT, F_GETFD) < 0 ||
	    fcntl(FD_PACKET, F_GETFD) < 0 || o.ifindex == 0) {
		fputs("vnet-capture: started by hand? vnetd(8) starts it.\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	enter_sandbox(&o);
	if (!job_init(&job))
		log_fatal(0, "out of memory");
	r = listen_to_client(&job, &why);
	if (r == 0)
		r = capture(&job, &o);
	end(-r, why);
	return r < 0 ? 1 : 0;
}
