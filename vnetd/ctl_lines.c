/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_lines.c - a line for each frame.
 */
#include "vnetd/ctl_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/flow.h"
#include "lib/fd.h"
#include "lib/util.h"

enum {
	READ_BYTES = 1 << 16,
	FRAMES_MAX = 1 << 22,
	NS_A_US = 1000,
	NS_A_S = 1000000000,
	ARGS_MAX = 16,
	TCPDUMP_MS = 20, /* how often is looked whether it has ended */
};

/* --- frames out of a pipe --- */

bool
frames_open(struct frames *f, int *theirs)
{
	int pair[2];

	*f = (struct frames){.fd = -1};
	if (pipe2(pair, O_CLOEXEC) < 0)
		return false;
	/* More than a block of the ring, so that a slow terminal does not lose frames at once. */
	fcntl(pair[1], F_SETPIPE_SZ, 1 << 20);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	f->fd = pair[0];
	*theirs = pair[1];
	return true;
}

void
frames_close(struct frames *f)
{
	fd_close(&f->fd);
	free(f->buf);
	f->buf = NULL;
}

static bool
make_room(struct frames *f)
{
	size_t cap = f->cap ? 2 * f->cap : 2 * READ_BYTES;
	uint8_t *more;

	if (f->cap - f->len >= READ_BYTES)
		return true;
	more = cap <= FRAMES_MAX ? realloc(f->buf, cap) : NULL;
	if (!more)
		return false;
	f->buf = more;
	f->cap = cap;
	return true;
}

/* False: these are no blocks. */
static bool
take_blocks(struct frames *f, void (*cb)(const struct pcapng_frame *frame, void *arg), void *arg)
{
	enum pcapng_what what;
	struct pcapng_frame frame;
	size_t done = 0, used;

	while ((what = pcapng_next(f->buf + done, f->len - done, &used, &frame)) == PCAPNG_FRAME ||
	       what == PCAPNG_OTHER) {
		if (what == PCAPNG_FRAME)
			cb(&frame, arg);
		done += used;
	}
	f->len -= done;
	memmove(f->buf, f->buf + done, f->len);
	return what == PCAPNG_MORE;
}

bool
frames_read(struct frames *f, void (*cb)(const struct pcapng_frame *frame, void *arg), void *arg)
{
	ssize_t n;

	if (!make_room(f))
		return false;
	n = read(f->fd, f->buf + f->len, f->cap - f->len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	f->len += (size_t)n;
	return n > 0 && take_blocks(f, cb, arg);
}

/* --- our own form --- */

static void
print_frame(const struct pcapng_frame *frame, void *arg)
{
	const bool *ethernet = arg;
	time_t t = (time_t)(frame->ns / NS_A_S);
	struct strbuf line;
	char local[16];
	struct flow flow;
	struct tm tm;

	if (!flow_read(&flow, frame->data, frame->caplen))
		return;
	localtime_r(&t, &tm);
	strftime(local, sizeof(local), "%H:%M:%S", &tm);
	strbuf_init(&line);
	strbuf_addf(&line, "%s.%06u ", local, (unsigned)(frame->ns % NS_A_S / NS_A_US));
	if (*ethernet && flow.kind != FLOW_OTHER)
		strbuf_addf(&line, "%s > %s, ", MAC_STR(flow.src_mac), MAC_STR(flow.dst_mac));
	flow_line(&line, &flow, frame->len);
	puts(strbuf_str(&line));
	strbuf_fini(&line);
}

/* Until both the capture and what is in the pipe have ended. */
static enum ctl_exit
print_all(struct session *s, struct frames *f, bool ethernet)
{
	struct pollfd p[] = {{.fd = s->sock, .events = POLLIN}, {.fd = f->fd, .events = POLLIN}};
	enum ctl_exit r = CTL_OK;
	bool over = false;

	while (p[1].fd >= 0) {
		poll(p, 2, -1);
		if (session_interrupted() && !over)
			session_end(s);
		if (p[0].revents && !over) {
			r = session_step(s, 0, &over);
			/* The pipe tells the rest. */
			if (over)
				p[0].fd = -1;
		}
		if (p[1].revents && !frames_read(f, print_frame, &ethernet))
			p[1].fd = -1;
		p[0].revents = p[1].revents = 0;
		if (fflush(stdout) != 0) {
			/* Who read has had enough. */
			fd_close(&f->fd);
			p[1].fd = -1;
			session_end(s);
		}
	}
	while (r == CTL_OK && !over)
		r = session_step(s, -1, &over);
	return r;
}

/* --- tcpdump's --- */

static bool
has_tcpdump(void)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"), *save = NULL;
	bool found = false;

	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/tcpdump", dir);
		found = access(name, X_OK) == 0;
	}
	free(copy);
	return found;
}

/* In a process group of its own: a ^C is for us, who end the capture, and with it tcpdump. */
static pid_t
start_tcpdump(int in, bool ethernet)
{
	const char *argv[] = {"tcpdump", "-n", "-l", "-r", "-", ethernet ? "-e" : NULL, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGPIPE, SIG_DFL);
		if (dup2(in, STDIN_FILENO) >= 0) {
			fcntl(STDIN_FILENO, F_SETFL, 0);
			execvp(argv[0], (char *const *)argv);
		}
		_exit(127);
	}
	return pid;
}

static enum ctl_exit
await_tcpdump(struct session *s, pid_t pid)
{
	enum ctl_exit r = session_wait(s, NULL);

	/* What is in the pipe is still to be printed. */
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (session_interrupted())
			session_end(s);
		if (session_is_late(s)) {
			kill(pid, SIGKILL);
			r = session_give_up(s);
		}
		poll(NULL, 0, TCPDUMP_MS);
	}
	return r;
}

/* --- both --- */

static enum ctl_exit
print(struct session *s, struct frames *f, bool ethernet)
{
	pid_t pid = has_tcpdump() ? start_tcpdump(f->fd, ethernet) : -1;

	if (pid < 0)
		return print_all(s, f, ethernet);
	/* tcpdump has it: when that ends, the capture does. */
	fd_close(&f->fd);
	return await_tcpdump(s, pid);
}

enum ctl_exit
lines_capture(struct session_want *want, bool quiet, bool ethernet, struct strbuf *why)
{
	int theirs = -1;
	struct session s;
	struct frames f;
	enum ctl_exit r;

	if (!frames_open(&f, &theirs)) {
		strbuf_addf(why, "cannot make a pipe: %s", strerror(errno));
		return CTL_FAILED;
	}
	want->fd = &theirs;
	want->nfds = 1;
	r = session_open(&s, want);
	fd_close(&theirs);
	if (r == CTL_OK) {
		if (!quiet)
			fprintf(stderr, "capturing on %s\n", s.name);
		r = print(&s, &f, ethernet);
		if (!quiet)
			fprintf(stderr, "%s, %" PRIu64 " packets, %" PRIu64 " dropped\n", s.name,
				s.frames, s.dropped);
	}
	if (s.client.err == EPIPE)
		r = CTL_OK;
	if (r != CTL_OK)
		strbuf_add(why, strbuf_str(&s.client.why));
	session_close(&s);
	frames_close(&f);
	return r;
}
