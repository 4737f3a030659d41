/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_watch.c - the verb `watch`: tells vnetd what a guest's network card lets in, as QEMU sees it.
 *
 * Two peers, each of which may be away: the monitor's end is the end of the machine and ours, vnetd comes
 * back and is told again. qmp.c talks to the monitor; here are sockets, time and the way between them.
 *
 * There may be a watcher for each of a thousand guests, and vnetd has room for far fewer connections: one
 * is made for each report. Hence nobody tells that vnetd has restarted, and a report is repeated.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mono.h"
#include "vnetd/ctl.h"
#include "vnetd/ctl_text.h"
#include "vnetd/qmp.h"

enum {
	WAIT_S = 30,         /* for the monitor, unless --wait says otherwise */
	REPEAT_S = 60,       /* until vnetd is told again, unless --repeat says otherwise */
	ANSWER_MS = 5000,    /* until a monitor that listens has said something, at least */
	CONNECT_MS = 100,    /* between two attempts at the monitor */
	LATE_MS = 1000,      /* the same when it is overdue */
	RETRY_MS = 500,      /* between two attempts at vnetd */
	TRIES = 20,          /* after so many it is said that they fail */
	GIVEN_UP_MS = 10000, /* and they become rarer */
	PACE_MS = 200,       /* between two reports: a guest can toggle its card's filter all day */
};

static const struct ctl_opt opts[] = {
    {"qmp", 0, "SOCKET", "QEMU's monitor: -qmp unix:SOCKET,server=on,wait=off"},
    {"port", 0, "PORT", "the port that the machine is plugged into"},
    {"nic", 0, "NAME", "its network card: the id of its -device (default: by the port's address)"},
    {"wait", 0, "SECONDS", "wait so long until QEMU answers (default 30)"},
    {"repeat", 0, "SECONDS",
     "tell vnetd again after so long, as it may have restarted (default 60)"},
    {"pid", 0, "PID", "wait as long as this process lives, which is or becomes QEMU"},
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

struct watch {
	const struct ctl *c;
	const char *path, *port, *nic; /* as given; nic may be NULL */
	unsigned wait_s, repeat_s;
	struct mono deadline; /* for the monitor's first answer */
	bool late;   /* it has passed once, which was said; QEMU's process lives, so go on */
	int qmp;     /* the monitor */
	int parent;  /* pidfd of --pid, -1: none, or it has ended */
	bool orphan; /* it has */
	struct qmp_lines lines;
	struct qmp_session session;
	struct qmp_filters filters;
	bool known; /* filters were read */
	struct client client;
	char chosen[QMP_NAME_MAX]; /* the card, "": not known yet */
	bool several;              /* it cannot be known yet */
	char ifname[IF_NAMESIZE];  /* of the port, with the index that it had in the beginning; */
	unsigned ifindex;          /* 0: it is in another namespace than ours */
	struct msg_rx_filter told; /* what vnetd knows */
	enum promisc_state state;  /* and answered */
	bool ever_told;
	struct mono told_at, repeat_at;
	struct mono next;    /* nothing is told before */
	unsigned failures;   /* since it worked */
	char complaint[512]; /* the last one */
};

/* Once, however often the same thing goes wrong. */
static void
complain_once(struct watch *w, const char *text)
{
	if (strcmp(w->complaint, text) != 0 && *text)
		ctl_complain("%s", text);
	MSG_SET_STR(w->complaint, text);
}

static enum ctl_exit
fail(struct watch *w, const char *text)
{
	strbuf_fini(&w->client.why);
	strbuf_add(&w->client.why, text);
	return CTL_FAILED;
}

/* The row of our port. */
static enum ctl_exit
find_port(struct watch *w, struct msg_port_row *out)
{
	struct rows ports = ROWS_INIT(PORT_ROW, port_row);
	struct rows *want[] = {&ports};
	struct msg q = msg_make(MSG_PORT_LIST, 0);
	const struct msg_port_row *p;
	enum ctl_exit r;

	q.u.port_list.net = MSG_NET_ALL;
	r = client_gather(&w->client, &q, want, 1);
	p = r == CTL_OK ? ctl_find_port(&ports, w->port) : NULL;
	if (p) {
		*out = *p;
	} else if (r == CTL_OK) {
		r = fail(w, "");
		strbuf_addf(&w->client.why, "there is no port \"%s\". All ports: vnetctl ports",
			    w->port);
	}
	rows_fini(&ports);
	return r;
}

/* Decides which card is the port's. */
static enum ctl_exit
choose(struct watch *w)
{
	struct msg_port_row port;
	size_t index = 0;
	enum ctl_exit r = find_port(w, &port);

	if (r != CTL_OK)
		return r;
	MSG_SET_STR(w->ifname, port.ifname);
	w->ifindex = if_nametoindex(port.ifname);
	w->several = false;
	switch (qmp_choose(&w->filters, w->nic, port.mac, &index)) {
	case QMP_CHOICE_ONE:
		MSG_SET_STR(w->chosen, w->filters.nic[index].name);
		return CTL_OK;
	case QMP_CHOICE_NOBODY:
		r = fail(w, "");
		strbuf_addf(&w->client.why,
			    "no network card of this machine reports its filter, only virtio-net "
			    "does. Ask by hand: vnetctl promisc request %s",
			    w->port);
		return r;
	case QMP_CHOICE_UNKNOWN:
		r = fail(w, "the network card \"");
		ctl_text_clean(&w->client.why, w->nic, false);
		strbuf_add(&w->client.why, "\" does not report its filter, but these do:");
		break;
	case QMP_CHOICE_SEVERAL:
		w->several = true;
		r = fail(w, "several network cards report their filters. Which one is the port's "
			    "shows its first frame, or say --nic:");
		break;
	}
	for (size_t i = 0; i < w->filters.n; i++) {
		strbuf_addc(&w->client.why, ' ');
		ctl_text_clean(&w->client.why, w->filters.nic[i].name, true);
		strbuf_addf(&w->client.why, " (%s)", MAC_STR(w->filters.nic[i].mac));
	}
	return r;
}

/* The message about our card; one that is gone asks for nothing. */
static void
fill(struct msg_rx_filter *m, const struct watch *w)
{
	const struct qmp_nic *nic;
	size_t index;

	memset(m, 0, sizeof(*m));
	MSG_SET_STR(m->port, w->port);
	if (qmp_choose(&w->filters, w->chosen, (struct mac){0}, &index) != QMP_CHOICE_ONE)
		return;
	nic = &w->filters.nic[index];
	m->promisc = nic->promisc;
	m->allmulti = nic->allmulti;
	m->mac = nic->mac;
	m->unicasts = nic->unicasts;
	m->multicasts = nic->multicasts;
	for (size_t i = 0; i < nic->ngroups && m->multicast.len + 6u <= sizeof(m->multicast.b);
	     i++) {
		memcpy(m->multicast.b + m->multicast.len, nic->multicast[i].b, 6);
		m->multicast.len = (uint16_t)(m->multicast.len + 6);
	}
}

static void
take_row(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, void *arg)
{
	if (row->type == MSG_PROMISC_ROW)
		*(struct msg_promisc_row *)arg = row->u.promisc_row;
}

static enum ctl_exit
print_told(const struct watch *w, const struct msg_promisc_row *row)
{
	struct view v = {.now = ctl_now_ms() / 1000, .colour = w->c->colour};
	struct strbuf text;

	strbuf_init(&text);
	render_rx_filter(&text, &w->told, row, &v);
	return ctl_print(w->c, &text);
}

/* Tells vnetd. *news: for people to read. */
static enum ctl_exit
tell(struct watch *w, struct msg_promisc_row *row, bool *news)
{
	struct msg m = msg_make(MSG_RX_FILTER, 0);
	enum ctl_exit r = w->chosen[0] ? CTL_OK : choose(w);

	if (r != CTL_OK)
		return r;
	fill(&m.u.rx_filter, w);
	r = client_call(&w->client, &m, -1, CLIENT_TIMEOUT_MS, take_row, row);
	if (r != CTL_OK)
		return r;
	*news = !w->ever_told || memcmp(&w->told, &m.u.rx_filter, sizeof(w->told)) != 0 ||
		w->state != row->state;
	w->told = m.u.rx_filter;
	w->state = (enum promisc_state)row->state;
	w->ever_told = true;
	w->told_at = mono_now();
	w->repeat_at = w->next = mono_add(w->told_at, (int64_t)w->repeat_s * 1000);
	w->failures = 0;
	w->complaint[0] = '\0';
	return CTL_OK;
}

/* vnetd has heard this already, and not too long ago. */
static bool
is_old_news(const struct watch *w)
{
	struct msg_rx_filter now;

	if (!w->ever_told || !mono_before(mono_now(), w->repeat_at))
		return false;
	fill(&now, w);
	return memcmp(&w->told, &now, sizeof(now)) == 0;
}

/* The interface has gone. Its name may be another guest's by now, which must not get what ours asks for. */
static bool
port_is_gone(const struct watch *w)
{
	return w->ifindex && if_nametoindex(w->ifname) != w->ifindex;
}

/* It could not be told. CTL_OK: it may be later on. */
static enum ctl_exit
bear(struct watch *w, enum ctl_exit r)
{
	bool refused = r == CTL_FAILED && w->client.err;

	/* The port's address is known with the guest's first frame. */
	if (w->several) {
		w->next = mono_add(mono_now(), LATE_MS);
		complain_once(w, strbuf_str(&w->client.why));
		return CTL_OK;
	}
	if (!w->ever_told && r != CTL_NO_ANSWER)
		return ctl_explain(r, &w->client);
	/* One that has just started may not know its ports yet. */
	if (++w->failures < TRIES)
		return CTL_OK;
	if (refused && w->client.err == ENOENT)
		return ctl_explain(r, &w->client);
	complain_once(w, strbuf_str(&w->client.why));
	w->next = mono_add(mono_now(), GIVEN_UP_MS);
	return CTL_OK;
}

/* Tells what there is to tell, now or later. CTL_OK: go on. */
static enum ctl_exit
catch_up(struct watch *w)
{
	struct msg_promisc_row row = {0};
	bool news = false;
	enum ctl_exit r;

	if (!w->known || mono_before(mono_now(), w->next))
		return CTL_OK;
	if (is_old_news(w)) {
		w->next = w->repeat_at;
		return CTL_OK;
	}
	if (port_is_gone(w)) {
		ctl_complain("the port \"%s\" is gone", w->port);
		return CTL_FAILED;
	}
	w->next = mono_add(mono_now(), RETRY_MS);
	r = client_open(&w->client, w->c->run_dir);
	if (r == CTL_OK)
		r = tell(w, &row, &news);
	if (r != CTL_OK)
		r = bear(w, r);
	else if (news)
		r = print_told(w, &row);
	client_close(&w->client);
	return r;
}

/* The monitor's socket, or -errno. */
static int
connect_once(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(sa.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return -errno;
	return fd_take(&fd);
}

static int
left_ms(const struct watch *w)
{
	int64_t ms = mono_diff(w->deadline, mono_now());

	return ms < 0 ? 0 : (int)ms;
}

/* The process that is to become QEMU, or has, ends. A QEMU that went into the background lives on; whoever
 * reads our messages to their end must not wait for it. */
static void
parent_ended(struct watch *w)
{
	AUTO_FD null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	w->orphan = true;
	fd_close(&w->parent);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

static struct mono
later(struct mono a, struct mono b)
{
	return mono_before(a, b) ? b : a;
}

/* One attempt at the monitor. False: another one may be worth while. */
static bool
try_qemu(struct watch *w, enum ctl_exit *r)
{
	int fd = connect_once(w->path);

	if (fd == -ENOENT || fd == -ECONNREFUSED || fd == -EAGAIN)
		return false;
	if (fd < 0) {
		ctl_complain("cannot connect to QEMU's monitor \"%s\": %s", w->path, strerror(-fd));
		*r = CTL_FAILED;
		return true;
	}
	w->qmp = fd;
	w->deadline = later(w->deadline, mono_add(mono_now(), ANSWER_MS));
	return true;
}

/* Waits until the monitor listens. CTL_OK with qmp -1: there will be none. */
static enum ctl_exit
reach_qemu(struct watch *w)
{
	enum ctl_exit r = CTL_OK;

	while (!try_qemu(w, &r)) {
		struct pollfd p = {.fd = w->parent, .events = POLLIN};
		int left = left_ms(w);

		if (w->orphan)
			return CTL_OK;
		if (left == 0 && !w->late) {
			ctl_complain("nobody listens on \"%s\" after %u s. QEMU needs: -qmp "
				     "unix:%s,server=on,wait=off",
				     w->path, w->wait_s, w->path);
			w->late = true;
		}
		if (w->late && w->parent < 0)
			return CTL_FAILED;
		/* QEMU's first process ends when the one in the background listens: look once more. */
		if (poll(&p, 1, w->late ? LATE_MS : CONNECT_MS) > 0)
			parent_ended(w);
	}
	return r;
}

static enum ctl_exit
send_line(struct watch *w, const char *text)
{
	size_t len = strlen(text);

	/* One command is under way at a time: it always fits. A QEMU that is gone is seen by reading. */
	if (send(w->qmp, text, len, MSG_NOSIGNAL) == (ssize_t)len || errno == EPIPE ||
	    errno == ECONNRESET)
		return CTL_OK;
	ctl_complain("cannot talk to QEMU's monitor \"%s\": %m", w->path);
	return CTL_FAILED;
}

static enum ctl_exit
take_line(struct watch *w, const char *line, size_t len)
{
	struct qmp_step step;
	struct strbuf why, clean;
	enum ctl_exit r = CTL_OK;

	strbuf_init(&why);
	strbuf_init(&clean);
	if (!qmp_input(&w->session, line, len, &step, &w->filters, &why)) {
		ctl_text_clean(&clean, strbuf_str(&why), false);
		ctl_complain("%s", strbuf_str(&clean));
		r = CTL_FAILED;
	} else if (step.send[0]) {
		r = send_line(w, step.send);
	}
	if (r == CTL_OK && step.filters) {
		w->known = true;
		w->next = mono_min(w->next, mono_add(w->told_at, PACE_MS));
	}
	strbuf_fini(&why);
	strbuf_fini(&clean);
	return r;
}

/* Reads what the monitor says. *end: it has gone. */
static enum ctl_exit
read_qemu(struct watch *w, bool *end)
{
	char buf[65536];
	ssize_t n = recv(w->qmp, buf, sizeof(buf), 0);
	enum ctl_exit r = CTL_OK;
	const char *line;
	size_t len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CTL_OK;
	*end = n <= 0;
	if (*end)
		return CTL_OK;
	if (!qmp_lines_add(&w->lines, buf, (size_t)n)) {
		ctl_complain("QEMU's monitor sends a line of more than %u bytes", QMP_LINE_MAX);
		return CTL_FAILED;
	}
	while (r == CTL_OK && (line = qmp_lines_next(&w->lines, &len)))
		r = take_line(w, line, len);
	return r;
}

/* How long to sleep: until the first answer is overdue, and until the next report. */
static int
sleep_ms(const struct watch *w)
{
	int64_t ms = mono_diff(w->next, mono_now());

	if (w->session.state < QMP_IDLE)
		return left_ms(w);
	if (!w->known)
		return -1;
	return ms < 0 ? 0 : (int)ms;
}

/* The monitor has not said in time that it is one. CTL_OK: let us connect anew. A large machine takes its
 * time to start, and what we have got may be an old machine's, at whose path ours listens by now. */
static enum ctl_exit
bear_silence(struct watch *w)
{
	if (!w->late)
		ctl_complain("QEMU's monitor \"%s\" does not answer: it serves one client at a "
			     "time, and another one may have it",
			     w->path);
	w->late = true;
	return w->parent >= 0 ? CTL_OK : CTL_FAILED;
}

static enum ctl_exit
follow(struct watch *w)
{
	enum ctl_exit r = CTL_OK;
	bool end = false;

	while (r == CTL_OK && !end) {
		struct pollfd p[] = {{.fd = w->qmp, .events = POLLIN},
				     {.fd = w->parent, .events = POLLIN}};
		int n = poll(p, ARRAY_LEN(p), sleep_ms(w));

		if (n < 0)
			continue;
		if (n == 0 && w->session.state < QMP_IDLE)
			return bear_silence(w);
		if (p[1].revents)
			parent_ended(w);
		if (p[0].revents)
			r = read_qemu(w, &end);
		if (r == CTL_OK && !end)
			r = catch_up(w);
	}
	return r;
}

/* A monitor from its greeting to its end; *end: none was reached. */
static enum ctl_exit
watch_once(struct watch *w, bool *end)
{
	enum ctl_exit r;

	w->deadline = mono_add(mono_now(), (int64_t)w->wait_s * 1000);
	r = reach_qemu(w);
	*end = w->qmp < 0;
	if (r == CTL_OK && !*end)
		r = follow(w);
	fd_close(&w->qmp);
	qmp_lines_fini(&w->lines);
	memset(&w->session, 0, sizeof(w->session));
	w->known = false;
	return r;
}

/* With --pid a monitor that ends while the process lives was the last machine's, which had the same path;
 * ours is still to come. */
static enum ctl_exit
watch_all(struct watch *w)
{
	enum ctl_exit r = CTL_OK;
	bool end = false;

	while (r == CTL_OK && !end) {
		struct pollfd p = {.fd = w->parent, .events = POLLIN};

		r = watch_once(w, &end);
		/* Its process ends when its monitor does, or a moment later. */
		end |= w->parent < 0 || poll(&p, 1, CONNECT_MS) > 0;
	}
	return r;
}

/* The process of --pid. One that is gone already leaves what listens now. */
static void
find_parent(struct watch *w, unsigned pid)
{
	w->parent = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (w->parent < 0)
		parent_ended(w);
}

static bool
parse(struct watch *w, unsigned *pid, const struct ctl_args *a)
{
	const char *wait = ctl_args_get(a, "wait"), *process = ctl_args_get(a, "pid"),
		   *repeat = ctl_args_get(a, "repeat");

	w->path = ctl_args_get(a, "qmp");
	w->port = ctl_args_get(a, "port");
	w->nic = ctl_args_get(a, "nic");
	if (!w->path || !w->port)
		ctl_misuse(&ctl_verb_watch, "watch needs --qmp SOCKET and --port PORT");
	else if (strlen(w->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		ctl_misuse(&ctl_verb_watch, "\"%s\" is too long for a socket's path", w->path);
	else if (strlen(w->port) >= sizeof(w->told.port))
		ctl_misuse(&ctl_verb_watch, "\"%s\" is too long for a port's name", w->port);
	else if (wait && !ctl_parse_number(&w->wait_s, wait, 0, 86400))
		ctl_misuse(&ctl_verb_watch, "--wait takes seconds from 0 to 86400, not \"%s\"",
			   wait);
	else if (repeat && !ctl_parse_number(&w->repeat_s, repeat, 1, 86400))
		ctl_misuse(&ctl_verb_watch, "--repeat takes seconds from 1 to 86400, not \"%s\"",
			   repeat);
	else if (process && !ctl_parse_number(pid, process, 1, INT32_MAX))
		ctl_misuse(&ctl_verb_watch, "\"%s\" is not the id of a process", process);
	else
		return true;
	return false;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct watch w = {.c = c,
			  .wait_s = WAIT_S,
			  .repeat_s = REPEAT_S,
			  .qmp = -1,
			  .parent = -1,
			  .client = {.sock = -1}};
	unsigned pid = 0;
	enum ctl_exit r;

	if (!parse(&w, &pid, a))
		return CTL_USAGE;
	/* Who starts this by hand hears at once that vnetd does not run. */
	r = client_open(&w.client, c->run_dir);
	ctl_explain(r, &w.client);
	client_close(&w.client);
	if (r != CTL_OK)
		return r;
	if (pid)
		find_parent(&w, pid);
	r = watch_all(&w);
	fd_close(&w.parent);
	return r;
}

const struct ctl_verb ctl_verb_watch = {
    .name = "watch",
    .synopsis = "--qmp SOCKET --port PORT [--nic NAME] [--wait SECONDS]",
    .summary = "Tells vnetd when a guest under QEMU asks for promiscuous mode",
    .detail =
	"Follows the filter of the guest's network card through a monitor socket (QMP) of QEMU's\n"
	"that nobody else uses, and ends with the machine. A guest that turns promiscuous mode on\n"
	"then appears in vnetctl promisc list. Only virtio-net cards report their filter; for\n"
	"others: vnetctl promisc request. vnetctl attach starts this by itself when the command\n"
	"has a monitor socket whose file name begins with \"vnet\". A line is printed per change.",
    .example =
	"  qemu-system-x86_64 ... -qmp unix:/run/user/1000/vnet-web1.sock,server=on,wait=off &\n"
	"  vnetctl watch --qmp /run/user/1000/vnet-web1.sock --port vmnet8p1",
    .opts = opts,
    .run = run,
};
