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

/* Reports go here. */
static char report_path[128];

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
send_stats(int sock, uint32_t id, uint16_t net)
{
	static const struct msg_dhcp_stat rows[] = {
	    {.net = 1, .kind = DHCP_STAT_RECEIVED, .name = "discover", .text = "", .n = 0},
	    {.net = 8, .kind = DHCP_STAT_RECEIVED, .name = "bootp", .text = "", .n = 0},
	    {.net = 8, .kind = DHCP_STAT_RECEIVED, .name = "discover", .text = "", .n = 2000},
	    {.net = 8, .kind = DHCP_STAT_SENT, .name = "offer", .text = "", .n = 16},
	    {.net = 8,
	     .kind = DHCP_STAT_DROPPED,
	     .name = "no-address",
	     .text = "no free address",
	     .n = 0},
	    {.net = 8,
	     .kind = DHCP_STAT_DROPPED,
	     .name = "quota",
	     .text = "one address more than \033[31mallowed",
	     .n = 1984},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (net == MSG_NET_ALL || net == rows[i].net)
			ROW(sock, id, DHCP_STAT, dhcp_stat, rows[i]);
	end(sock, id, 0, NULL);
}

static void
send_dns(int sock, uint32_t id, uint16_t net)
{
	static const struct msg_dns_server servers[] = {
	    {.net = 8,
	     .addr = {.len = 16, .b = {[10] = 0xff, 0xff, 192, 0, 2, 7}},
	     .state = DNS_SERVER_SILENT,
	     .fails = 5,
	     .retry_ms = 12300},
	    {.net = 8,
	     .addr = {.len = 16, .b = {0x20, 1, 0xd, 0xb8, [15] = 1}},
	     .host = true,
	     .state = DNS_SERVER_OK},
	    {.net = 8,
	     .addr = {.len = 16, .b = {0xfe, 0x80, [15] = 1}},
	     .scope = INT32_MAX,
	     .host = true,
	     .state = DNS_SERVER_FAILING,
	     .fails = 1},
	    {.net = 9,
	     .addr = {.len = 16, .b = {[10] = 0xff, 0xff, 127, 0, 0, 53}},
	     .host = true,
	     .state = DNS_SERVER_UNTRIED},
	};
	static const struct msg_dns_stat rows[] = {
	    {.net = 8, .kind = DNS_STAT_GUESTS, .name = "queries", .text = "all", .n = 1000},
	    {.net = 8, .kind = DNS_STAT_GUESTS, .name = "cached", .text = "kept", .n = 600},
	    {.net = 8, .kind = DNS_STAT_SERVERS, .name = "sent", .text = "sent", .n = 405},
	    {.net = 8, .kind = DNS_STAT_DROPPED, .name = "server", .text = "forged", .n = 2},
	    {.net = 9, .kind = DNS_STAT_GUESTS, .name = "queries", .text = "all", .n = 0},
	    {.net = 9, .kind = DNS_STAT_SERVERS, .name = "sent", .text = "sent", .n = 0},
	    {.net = MSG_NET_ALL,
	     .kind = DNS_STAT_DROPPED,
	     .name = "no-id",
	     .text = "an answer to \033[31mnothing",
	     .n = 77},
	};

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (net == MSG_NET_ALL || net == servers[i].net)
			ROW(sock, id, DNS_SERVER, dns_server, servers[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (net == MSG_NET_ALL || net == rows[i].net)
			ROW(sock, id, DNS_STAT, dns_stat, rows[i]);
	end(sock, id, 0, NULL);
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

		snprintf(text, sizeof(text), "tap %u%s%s\n", q, a->vnet_hdr ? " vnet_hdr" : "",
			 a->promisc ? " promisc" : "");
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

/* The port of a request is one that may be asked about. */
static bool
port_ok(int sock, uint32_t id, const char *port)
{
	bool gone = strcmp(port, "gone") == 0, forbidden = strcmp(port, "forbidden") == 0;

	if (gone)
		end(sock, id, 2, "there is no port \"gone\" (see vnetctl ports)");
	if (forbidden)
		end(sock, id, 1, "the port is not yours");
	return !gone && !forbidden;
}

static void
set_port(int sock, const struct msg *m, const struct facts *f)
{
	const struct msg_port_setting *s = &m->u.port_setting;
	struct msg_diag_row d = {.level = DIAG_ERROR};
	char text[400] = "";

	if (!port_ok(sock, m->id, s->port))
		return;
	if (strcmp(s->value, "bad") == 0) {
		snprintf(d.text, sizeof(d.text), "vnetd.conf: \"bad\" is no value of %s", s->key);
		ROW(sock, m->id, DIAG_ROW, diag_row, d);
		end(sock, m->id, 22, "nothing is changed");
		return;
	}
	if (strcmp(s->key, "link") == 0)
		snprintf(text, sizeof(text), "%s: asked for %s = %s", s->port, s->key, s->value);
	ROW(sock, m->id, PORT_ROW, port_row, f->port[0]);
	end(sock, m->id, 0, text);
}

static void
list_promisc(int sock, const struct msg *m, const struct facts *f)
{
	uint16_t net = m->u.promisc_list.net;

	for (size_t i = 0; i < f->npromisc; i++) {
		if (net == MSG_NET_ALL || net == f->promisc[i].net)
			ROW(sock, m->id, PROMISC_ROW, promisc_row, f->promisc[i]);
	}
	end(sock, m->id, 0, NULL);
}

static void
ask_promisc(int sock, const struct msg *m)
{
	const struct msg_promisc_ask *a = &m->u.promisc_ask;
	struct msg_promisc_row r = {.net = 8};

	if (!port_ok(sock, m->id, a->port))
		return;
	MSG_SET_STR(r.port, a->port);
	if (a->on) {
		r.state = PROMISC_PENDING;
		r.by = PROMISC_BY_USER;
		r.asked = started;
		MSG_SET_STR(r.text, "no promiscAuthorized marker");
	}
	ROW(sock, m->id, PROMISC_ROW, promisc_row, r);
	end(sock, m->id, 0, NULL);
}

static void
decide_promisc(int sock, const struct msg *m)
{
	static const uint8_t states[] = {
	    [PROMISC_ALLOW_ONCE] = PROMISC_GRANTED,   [PROMISC_ALLOW_FOR] = PROMISC_GRANTED,
	    [PROMISC_ALLOW_ALWAYS] = PROMISC_GRANTED, [PROMISC_DENY] = PROMISC_REFUSED,
	    [PROMISC_REVOKE] = PROMISC_PENDING,
	};
	static const char *const words[] = {
	    [PROMISC_ALLOW_ONCE] = "once",     [PROMISC_ALLOW_FOR] = "for a time",
	    [PROMISC_ALLOW_ALWAYS] = "always", [PROMISC_DENY] = "denied",
	    [PROMISC_REVOKE] = "revoked",
	};
	const struct msg_promisc_decide *d = &m->u.promisc_decide;
	struct msg_promisc_row r = {.net = 8, .by = PROMISC_BY_USER};

	if (!port_ok(sock, m->id, d->port))
		return;
	MSG_SET_STR(r.port, d->port);
	r.state = states[d->verdict];
	/* Half a minute more: rounding down says what was asked for. */
	r.until = d->seconds ? started + d->seconds + 30 : 0;
	MSG_SET_STR(r.text, words[d->verdict]);
	ROW(sock, m->id, PROMISC_ROW, promisc_row, r);
	end(sock, m->id, 0, NULL);
}

/* A guest that asks is granted it. */
static void
take_filter(int sock, const struct msg *m)
{
	const struct msg_rx_filter *r = &m->u.rx_filter;
	struct msg_promisc_row row = {.net = 8};
	FILE *f;

	if (strcmp(r->port, "tap-evil") == 0) {
		end(sock, m->id, 1, "the port is not yours");
		return;
	}
	f = fopen(report_path, "ae");
	if (!f)
		_exit(1);
	fprintf(f, "%s %s %s unicasts %u multicasts %u+%u%s\n", r->port, MAC_STR(r->mac),
		r->promisc ? "promisc" : "-", r->unicasts, r->multicasts, r->multicast.len / 6,
		r->allmulti ? " all" : "");
	fclose(f);
	MSG_SET_STR(row.port, r->port);
	row.state = r->promisc ? PROMISC_GRANTED : PROMISC_NO;
	row.by = r->promisc ? PROMISC_BY_GUEST : PROMISC_BY_NOBODY;
	ROW(sock, m->id, PROMISC_ROW, promisc_row, row);
	end(sock, m->id, 0, NULL);
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
		struct msg rows = msg_make(MSG_ROWS, m->id);

		for (size_t i = 0; i < f.nforwards; i++) {
			struct msg row = msg_make(MSG_FORWARD_ROW, m->id);

			row.u.forward_row = f.forward[i];
			msg_pack(&rows.u.rows, &row);
		}
		chan_send_blocking(sock, &rows, NULL, 0);
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_CONN_LIST) {
		for (size_t i = 0; i < f.nconns; i++)
			ROW(sock, m->id, CONN_ROW, conn_row, f.conn[i]);
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_HOLD_LIST) {
		for (size_t i = 0; i < f.nholds; i++)
			ROW(sock, m->id, HOLD_ROW, hold_row, f.hold[i]);
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_FORWARD_ADD && m->u.forward_add.port == 22) {
		end(sock, m->id, 22, "tcp port 22 is forwarded by vmnet1 already; choose another");
	} else if (m->type == MSG_FORWARD_ADD || m->type == MSG_FORWARD_REMOVE) {
		end(sock, m->id, 0, NULL);
	} else if (m->type == MSG_LEASE_LIST) {
		send_leases(sock, m->id, &f, m->u.lease_list.net);
	} else if (m->type == MSG_DHCP_STATS) {
		send_stats(sock, m->id, m->u.dhcp_stats.net);
	} else if (m->type == MSG_DNS_STATS) {
		send_dns(sock, m->id, m->u.dns_stats.net);
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
	} else if (m->type == MSG_PORT_SETTING) {
		set_port(sock, m, &f);
	} else if (m->type == MSG_PORT_UNPIN && strcmp(m->u.port_unpin.port, "build") == 0) {
		end(sock, m->id, 22, "the address of build was given, not pinned");
	} else if (m->type == MSG_PROMISC_LIST) {
		list_promisc(sock, m, &f);
	} else if (m->type == MSG_PROMISC_ASK) {
		ask_promisc(sock, m);
	} else if (m->type == MSG_PROMISC_DECIDE) {
		decide_promisc(sock, m);
	} else if (m->type == MSG_RX_FILTER) {
		take_filter(sock, m);
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
fake_listen(struct fake *f, enum fake_mood mood)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(report_path, sizeof(report_path), "%s/reports", f->dir);
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
fake_start(struct fake *f, enum fake_mood mood)
{
	fake_absent(f);
	fake_listen(f, mood);
}

void
fake_kill(const struct fake *f)
{
	char path[128];

	kill(-f->pid, SIGKILL);
	snprintf(path, sizeof(path), "%s/vnetd.sock", f->dir);
	unlink(path);
}

void
fake_reports(const struct fake *f, char *buf, size_t cap)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/reports", f->dir);
	file = fopen(path, "re");
	buf[file ? fread(buf, 1, cap - 1, file) : 0] = '\0';
	if (file)
		fclose(file);
}

void
fake_stop(struct fake *f)
{
	char path[128];

	if (f->pid > 0) {
		fake_kill(f);
		waitpid(f->pid, NULL, 0);
	}
	snprintf(path, sizeof(path), "%s/reports", f->dir);
	unlink(path);
	rmdir(f->dir);
}
