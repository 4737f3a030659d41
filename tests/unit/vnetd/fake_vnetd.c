/* SPDX-License-Identifier: GPL-2.0-or-later
 * fake_vnetd.c - the stand-in server. One process listens, one more per connection.
 */
#include "fake_vnetd.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl_sample.h"
#include "lib/chan.h"
#include "lib/util.h"

#define FORBIDDEN 66
#define UNKNOWN   99

/* Lists of leases sent over this connection so far (each has a process): the second differs. */
static unsigned lists;

/* When the server was started, UTC: what it says does not change by itself. */
static uint64_t started;

static void
say(int sock, struct msg m, uint32_t id, const int *fds, size_t nfds)
{
	m.id = id;
	if (chan_send_blocking(sock, &m, fds, nfds) < 0)
		_exit(0); /* the tool has gone */
}

static void
end(int sock, uint32_t id, int err, const char *text)
{
	say(sock, msg_reply(id, err, text), id, NULL, 0);
}

/* One row of type MSG_<NAME>. */
#define ROW(sock, id, NAME, name, value)                                                           \
	do {                                                                                       \
		struct msg m_ = msg_make(MSG_##NAME, 0);                                           \
		m_.u.name = (value);                                                               \
		say((sock), m_, (id), NULL, 0);                                                    \
	} while (0)

static void
send_nets(int sock, uint32_t id, const struct facts *f, uint16_t net)
{
	for (size_t i = 0; i < f->nnets; i++) {
		if (net == MSG_NET_ALL || net == f->net[i].net)
			ROW(sock, id, NET_ROW, net_row, f->net[i]);
	}
}

static void
send_leases(int sock, uint32_t id, const struct facts *f, uint16_t net)
{
	unsigned list = lists++;

	for (size_t i = 0; i < f->nleases; i++) {
		struct msg_lease_row l = f->lease[i];

		if (net != MSG_NET_ALL && net != l.net)
			continue;
		/* Later the first guest has a new name, and the abandoned address is free. */
		if (list > 0 && l.state == LEASE_ROW_ACTIVE)
			MSG_SET_STR(l.name, "renamed");
		if (list > 0 && l.state == LEASE_ROW_ABANDONED)
			continue;
		ROW(sock, id, LEASE_ROW, lease_row, l);
	}
	end(sock, id, 0, NULL);
}

/* Echoes what was asked for, so that the tests see it. */
static void
attach(int sock, const struct msg *m, size_t nfds)
{
	const struct msg_attach *a = &m->u.attach;
	struct msg row = msg_make(MSG_ATTACHED, 0);
	int taps[FD_PASS_MAX];
	size_t ntaps = 0;

	if (a->net == FORBIDDEN) {
		end(sock, m->id, 1, "you may not attach to vmnet66");
		return;
	}
	for (unsigned q = 0; a->kind != PORT_NETNS && q < a->queues; q++) {
		char text[32];

		snprintf(text, sizeof(text), "tap %u%s\n", q, a->vnet_hdr ? " vnet_hdr" : "");
		taps[ntaps++] = fd_memfd("tap", text, strlen(text));
	}
	if (a->kind == PORT_NETNS && nfds != 1)
		end(sock, m->id, 22, "no namespace came along");
	MSG_SET_STR(row.u.attached.name, a->name[0] ? a->name : "vmnet8p1");
	MSG_SET_STR(row.u.attached.ifname, "vmnet8p1");
	row.u.attached.mac = a->mac;
	say(sock, row, m->id, taps, ntaps);
	for (size_t i = 0; i < ntaps; i++)
		fd_close(&taps[i]);
	end(sock, m->id, 0, NULL);
}

static void
create(int sock, const struct msg *m)
{
	const struct msg_net_create *c = &m->u.net_create;
	struct msg_net_row n = {.net = c->net, .kind = c->kind, .state = NET_STATE_OK};

	if (c->net == FORBIDDEN) {
		end(sock, m->id, 1, NULL);
		return;
	}
	n.subnet = c->subnet;
	n.len = c->len;
	ROW(sock, m->id, NET_ROW, net_row, n);
	end(sock, m->id, 0, NULL);
}

static void
reload(int sock, uint32_t id)
{
	struct msg_diag_row d = {.level = DIAG_ERROR};

	MSG_SET_STR(d.text, "networking:14:22: not an IPv4 subnet: \"192.168.8.300\"");
	ROW(sock, id, DIAG_ROW, diag_row, d);
	end(sock, id, 22, "vmnet8 keeps its running configuration");
}

static void
status(int sock, uint32_t id, const struct facts *f)
{
	ROW(sock, id, STATUS_ROW, status_row, *f->status);
	for (size_t i = 0; i < f->nwarnings; i++)
		ROW(sock, id, WARNING_ROW, warning_row, f->warning[i]);
	send_nets(sock, id, f, MSG_NET_ALL);
	end(sock, id, 0, NULL);
}

static void
answer(int sock, const struct msg *m, size_t nfds)
{
	struct facts f = sample(started);

	if (m->type == MSG_STATUS_GET) {
		status(sock, m->id, &f);
	} else if (m->type == MSG_NET_LIST) {
		send_nets(sock, m->id, &f, m->u.net_list.net);
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_PORT_LIST) {
		for (size_t i = 0; i < f.nports; i++)
			ROW(sock, m->id, PORT_ROW, port_row, f.port[i]);
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_FORWARD_LIST) {
		for (size_t i = 0; i < f.nforwards; i++)
			ROW(sock, m->id, FORWARD_ROW, forward_row, f.forward[i]);
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_LEASE_LIST) {
		send_leases(sock, m->id, &f, m->u.lease_list.net);
	} else if (m->type == MSG_EVENT_WATCH) {
		/* The first after the watcher has its first list; then the end. */
		usleep(200000);
		ROW(sock, m->id, EVENT_ROW, event_row, sample_event());
		usleep(200000);
		_exit(0);
	} else if (m->type == MSG_ATTACH) {
		attach(sock, m, nfds);
	} else if (m->type == MSG_NET_CREATE) {
		create(sock, m);
	} else if (m->type == MSG_NET_DELETE && m->u.net_delete.net == UNKNOWN) {
		end(sock, m->id, 2, "there is no network vmnet99");
	} else if (m->type == MSG_RELOAD_ASK) {
		reload(sock, m->id);
	} else if (m->type == MSG_NET_SET) {
		char text[400];

		snprintf(text, sizeof(text), "vmnet%u: %s is now %s", m->u.net_set.net,
			 m->u.net_set.key, m->u.net_set.value);
		end(sock, m->id, 0, text);
	} else {
		end(sock, m->id, 0, NULL);
	}
}

__attribute__((noreturn)) static void
talk(int sock, enum fake_mood mood)
{
	int fds[FD_PASS_MAX];
	struct msg m;
	size_t nfds;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (chan_recv_blocking(sock, &m, fds, &nfds) == 0) {
		if (mood == FAKE_HANGS_UP)
			_exit(0);
		if (mood == FAKE_BABBLES)
			send(sock, "?", 1, MSG_NOSIGNAL);
		if (mood == FAKE_ANSWERS)
			answer(sock, &m, nfds);
		for (size_t i = 0; i < nfds; i++)
			fd_close(&fds[i]);
	}
	_exit(0);
}

__attribute__((noreturn)) static void
serve(int listener, enum fake_mood mood)
{
	/* A test that fails leaves its servers behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int sock = accept(listener, NULL, NULL);

		if (sock < 0)
			_exit(1);
		if (fork() == 0)
			talk(sock, mood);
		close(sock);
	}
}

void
fake_absent(struct fake *f)
{
	*f = (struct fake){.dir = "/tmp/fake-vnetd-XXXXXX"};
	assert_non_null(mkdtemp(f->dir));
	chmod(f->dir, 0755);
}

void
fake_start(struct fake *f, enum fake_mood mood)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	fake_absent(f);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/vnetd.sock", f->dir);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(listener, 16), 0);
	started = (uint64_t)time(NULL);
	f->pid = fork();
	if (f->pid == 0) {
		setpgid(0, 0);
		serve(listener, mood);
	}
	assert_true(f->pid > 0);
	setpgid(f->pid, f->pid);
	close(listener);
}

void
fake_stop(struct fake *f)
{
	char path[128];

	if (f->pid > 0) {
		kill(-f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	snprintf(path, sizeof(path), "%s/vnetd.sock", f->dir);
	unlink(path);
	rmdir(f->dir);
}
