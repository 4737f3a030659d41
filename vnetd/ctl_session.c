/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_session.c - the tools' side of a capture.
 */
#include "vnetd/ctl_session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/code.h"
#include "capture/pcap.h"
#include "lib/chan.h"
#include "lib/fd.h"
#include "lib/util.h"
#include "vnetd/ctl_filter.h"

enum {
	START_MS = 10000,
	/* A worker that was told to end says so often at least that it still writes. */
	END_MS = 5000,
	/* Somebody who wants it to end twice; timeout(1) sends its signal two times at once. */
	URGED_MS = 1000,
	STEP_MS = 500,
};

/* --- signals --- */

static volatile sig_atomic_t interrupted;

static void
on_signal(int signo UNUSED)
{
	if (interrupted < 2)
		interrupted++;
}

void
session_catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool
session_interrupted(void)
{
	return interrupted > 0;
}

/* --- what the file says about where it comes from --- */

struct about {
	struct msg_net_row net;
	struct msg_port_row port;
	const char *want;
	bool has_net, has_port;
};

static void
take_about(const struct msg *row, int *fds UNUSED, size_t nfds UNUSED, void *arg)
{
	struct about *a = arg;
	const struct msg_port_row *p = &row->u.port_row;
	struct mac mac;

	if (row->type == MSG_NET_ROW) {
		a->net = row->u.net_row;
		a->has_net = true;
	} else if (row->type == MSG_PORT_ROW && a->want && !a->has_port &&
		   (!strcmp(p->name, a->want) || !strcmp(p->ifname, a->want) ||
		    (mac_parse(&mac, a->want) && mac_eq(mac, p->mac)))) {
		a->port = *p;
		a->has_port = true;
	}
}

static void
describe_net(char *out, size_t cap, const struct msg_net_row *n)
{
	int len = snprintf(out, cap, "%s network", net_kind_name((enum net_kind)n->kind));

	if (n->len && len > 0 && (size_t)len < cap)
		snprintf(out + len, cap - (size_t)len, " %s",
			 PREFIX4_STR(((struct prefix4){n->subnet, n->len})));
}

static void
describe(struct msg_capture_setup *m, struct session *s, const struct about *a,
	 const struct session_want *want)
{
	char net[64] = "network";
	const struct passwd *pw = getpwuid(getuid());
	struct utsname u;

	if (a->has_net)
		describe_net(net, sizeof(net), &a->net);
	if (want->port) {
		const char *guest = a->port.guest[0] ? a->port.guest : a->port.name;

		snprintf(m->description, sizeof(m->description),
			 "%.63s, port %.63s of vmnet%u (%s)", guest,
			 a->has_port ? a->port.name : want->port, want->net, net);
		snprintf(m->ifname, sizeof(m->ifname), "%.15s", a->port.ifname);
		snprintf(s->name, sizeof(s->name), "vmnet%u port %.63s", want->net, want->port);
	} else {
		snprintf(m->description, sizeof(m->description), "%s", net);
		snprintf(m->ifname, sizeof(m->ifname), "vmnet%u", want->net);
		snprintf(s->name, sizeof(s->name), "vmnet%u", want->net);
	}
	if (uname(&u) == 0) {
		snprintf(m->comment, sizeof(m->comment), "captured on host %s by %.64s", u.nodename,
			 pw ? pw->pw_name : "?");
		snprintf(m->os, sizeof(m->os), "%.60s %.60s", u.sysname, u.release);
	}
}

/* --- files --- */

static int
std_output(struct strbuf *why)
{
	int fd;

	if (isatty(STDOUT_FILENO)) {
		strbuf_add(why, "a terminal cannot show packets. Write to a file or a pipe, or "
				"leave -w out");
		return -1;
	}
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		strbuf_addf(why, "cannot write to standard output: %s", strerror(errno));
	return fd;
}

static int
named_file(const char *name, struct strbuf *why)
{
	struct stat st;
	/* Read too: after a sudden end they are cut back to the last whole packet. But if we could read from a pipe,
	 * nobody would notice that its reader has gone. */
	int flags = stat(name, &st) < 0 || S_ISREG(st.st_mode) ? O_RDWR | O_CREAT : O_WRONLY;
	int fd = open(name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		strbuf_addf(why, "cannot write \"%s\": %s", name, strerror(errno));
	return fd;
}

int
session_file(const char *name, struct strbuf *why)
{
	return strcmp(name, "-") != 0 ? named_file(name, why) : std_output(why);
}

/* --- the beginning --- */

static enum ctl_exit
explain(struct session *s, enum ctl_exit r, const char *text)
{
	strbuf_fini(&s->client.why);
	strbuf_add(&s->client.why, text);
	return r;
}

static enum ctl_exit
lost(struct session *s)
{
	s->died = true;
	return explain(
	    s, CTL_FAILED,
	    "vnet-capture has ended unexpectedly; vnetd's log says why: journalctl -u vnetd");
}

static enum ctl_exit
ask_about(struct session *s, const struct session_want *want, struct about *a)
{
	struct msg m = msg_make(MSG_NET_LIST, 0);
	enum ctl_exit r;

	m.u.net_list.net = want->net;
	r = client_call(&s->client, &m, -1, CLIENT_TIMEOUT_MS, take_about, a);
	if (r != CTL_OK || !want->port)
		return r;
	m = msg_make(MSG_PORT_LIST, 0);
	m.u.port_list.net = want->net;
	return client_call(&s->client, &m, -1, CLIENT_TIMEOUT_MS, take_about, a);
}

static enum ctl_exit
start_worker(struct session *s, const struct session_want *want)
{
	struct msg m = msg_make(MSG_CAPTURE, 0);
	int pair[2], r = fd_seqpacket_pair(pair);
	enum ctl_exit e;

	if (r < 0)
		return explain(s, CTL_FAILED, strerror(-r));
	s->sock = pair[0];
	m.u.capture.net = want->net;
	MSG_SET_STR(m.u.capture.port, want->port ? want->port : "");
	e = client_call(&s->client, &m, pair[1], CLIENT_TIMEOUT_MS, NULL, NULL);
	fd_close(&pair[1]);
	return e;
}

static enum ctl_exit
empty_files(struct session *s, const struct session_want *want)
{
	for (unsigned i = 0; i < want->nfds; i++) {
		struct stat st;

		if (fstat(want->fd[i], &st) < 0 ||
		    (S_ISREG(st.st_mode) && ftruncate(want->fd[i], 0) < 0)) {
			explain(s, CTL_FAILED, "cannot empty the file to capture into: ");
			strbuf_add(&s->client.why, strerror(errno));
			return CTL_FAILED;
		}
	}
	return CTL_OK;
}

static bool
say(struct session *s, const struct msg *m, const int *fds, size_t nfds)
{
	return chan_send_blocking(s->sock, m, fds, nfds) == 0;
}

static bool
say_all(struct session *s, const struct msg *setup, const struct filter *f,
	const struct session_want *want)
{
	struct msg go = msg_make(MSG_CAPTURE_GO, 0);
	bool ok = say(s, setup, NULL, 0);

	for (size_t i = 0; ok && i < f->n; i += CODE_PART_MAX) {
		struct msg m = msg_make(MSG_CAPTURE_FILTER, 0);
		size_t n = f->n - i < CODE_PART_MAX ? f->n - i : CODE_PART_MAX;

		static_assert(CODE_PART_MAX * CODE_BYTES <= sizeof(m.u.capture_filter.code.b),
			      "a part fits");
		m.u.capture_filter.code.len =
		    (uint16_t)code_put(m.u.capture_filter.code.b, f->code + i, n);
		ok = say(s, &m, NULL, 0);
	}
	for (unsigned i = 0; ok && i < want->nfds; i++) {
		struct msg m = msg_make(MSG_CAPTURE_OUT, 0);

		ok = say(s, &m, &want->fd[i], 1);
	}
	return ok && say(s, &go, NULL, 0);
}

static enum ctl_exit
set_up(struct session *s, const struct session_want *want, const struct filter *f,
       const struct about *a)
{
	struct msg m = msg_make(MSG_CAPTURE_SETUP, 0);
	struct msg_capture_setup *setup = &m.u.capture_setup;
	bool over;

	describe(setup, s, a, want);
	setup->snaplen = want->snaplen;
	setup->count = want->count;
	setup->file_max = want->file_max;
	setup->drops = want->drops;
	setup->pcap = s->pcap = want->pcap;
	MSG_SET_STR(setup->filter, want->filter ? want->filter : "");
	if (!say_all(s, &m, f, want)) {
		/* It may have said why before. */
		enum ctl_exit r = session_step(s, 0, &over);

		return r == CTL_OK ? lost(s) : r;
	}
	/* Its first word is that it captures, or why not. */
	return session_step(s, START_MS, &over);
}

enum ctl_exit
session_open(struct session *s, const struct session_want *want)
{
	static struct filter f;
	char why[FILTER_WHY_MAX];
	struct about a = {.want = want->port};
	enum ctl_exit r;

	memset(s, 0, sizeof(*s));
	s->sock = -1;
	r = ctl_filter(&f, want->filter, why);
	if (r != CTL_OK) {
		s->client.sock = -1;
		strbuf_init(&s->client.why);
		if (r == CTL_USAGE)
			strbuf_addf(&s->client.why, "\"%s\" is no filter: ", want->filter);
		strbuf_add(&s->client.why, why);
		return r;
	}
	r = client_open(&s->client, want->run_dir);
	if (r == CTL_OK)
		r = ask_about(s, want, &a);
	if (r == CTL_OK)
		r = start_worker(s, want);
	/* It is granted, and nothing of it is written so far. */
	if (r == CTL_OK && want->anew)
		r = empty_files(s, want);
	return r == CTL_OK ? set_up(s, want, &f, &a) : r;
}

void
session_close(struct session *s)
{
	fd_close(&s->sock);
	client_close(&s->client);
}

/* --- until it ends --- */

static enum ctl_exit
take_end(struct session *s, const struct msg_reply *r)
{
	if (r->err == 0 || (r->err == EPIPE && s->ending))
		return CTL_OK;
	strbuf_fini(&s->client.why);
	s->client.err = (int)r->err;
	strbuf_addf(&s->client.why, "%s: %s", s->name,
		    r->text[0] ? r->text : strerror((int)r->err));
	return CTL_FAILED;
}

enum ctl_exit
session_step(struct session *s, int timeout_ms, bool *over)
{
	struct pollfd p = {.fd = s->sock, .events = POLLIN};
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	struct msg m;
	int r;

	*over = false;
	if (poll(&p, 1, timeout_ms) <= 0)
		return CTL_OK;
	r = chan_recv_blocking(s->sock, &m, fds, &nfds);
	/* It has ended without reading our END, which is told before its last words. */
	if (r == -ECONNRESET)
		r = chan_recv_blocking(s->sock, &m, fds, &nfds);
	if (r < 0) {
		*over = true;
		return lost(s);
	}
	for (size_t i = 0; i < nfds; i++)
		fd_close(&fds[i]);
	s->heard = mono_now();
	if (m.type == MSG_CAPTURE_STATS) {
		s->frames = m.u.capture_stats.frames;
		s->dropped = m.u.capture_stats.dropped;
		s->file = m.u.capture_stats.file;
		s->file_bytes = m.u.capture_stats.file_bytes;
	} else if (m.type == MSG_REPLY) {
		*over = true;
		return take_end(s, &m.u.reply);
	}
	return CTL_OK;
}

void
session_end(struct session *s)
{
	struct msg m = msg_make(MSG_CAPTURE_END, 0);

	if (s->ending)
		return;
	say(s, &m, NULL, 0);
	s->ending = true;
	s->told = s->heard = mono_now();
}

bool
session_is_late(const struct session *s)
{
	return s->ending && (mono_diff(mono_now(), s->heard) >= END_MS ||
			     (interrupted > 1 && mono_diff(mono_now(), s->told) >= URGED_MS));
}

enum ctl_exit
session_give_up(struct session *s)
{
	explain(s, CTL_FAILED, s->name);
	strbuf_add(&s->client.why,
		   ": the capture was told to end, but still writes to what is not read or is "
		   "slow. It ends when that is read, or closed");
	return CTL_FAILED;
}

enum ctl_exit
session_wait(struct session *s, void (*each)(const struct session *s))
{
	enum ctl_exit r = CTL_OK;
	bool over = false;

	while (r == CTL_OK && !over) {
		if (session_interrupted())
			session_end(s);
		if (session_is_late(s))
			return session_give_up(s);
		r = session_step(s, STEP_MS, &over);
		if (each && r == CTL_OK && !over)
			each(s);
	}
	return r;
}

/* --- what a dead worker leaves --- */

/* Length of the block, or record, that stands there; 0: it is not whole. */
static uint32_t
whole(int fd, uint64_t at, bool pcap)
{
	uint8_t head[PCAP_RECORD_HEAD];
	size_t want = pcap ? PCAP_RECORD_HEAD : PCAPNG_BLOCK_HEAD;

	if (pread(fd, head, want, (off_t)at) != (ssize_t)want)
		return 0;
	return pcap ? pcap_record_len(head) : pcapng_block_len(head);
}

static void
cut(int fd, uint64_t from, bool pcap)
{
	struct stat st;
	uint64_t at = pcap && from == 0 ? PCAP_HEADER : from;
	uint32_t len;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return;
	while ((len = whole(fd, at, pcap)) && at + len <= (uint64_t)st.st_size)
		at += len;
	if (at < (uint64_t)st.st_size && ftruncate(fd, (off_t)at) < 0)
		fprintf(stderr, "cannot cut a capture file back to its last frame: %s\n",
			strerror(errno));
}

void
session_repair(const struct session *s, const int *fd, unsigned nfds)
{
	if (!s->died || s->file >= nfds)
		return;
	cut(fd[s->file], s->file_bytes, s->pcap);
	/* It may have gone on to the next one since. */
	if (nfds > 1)
		cut(fd[(s->file + 1) % nfds], 0, s->pcap);
}
