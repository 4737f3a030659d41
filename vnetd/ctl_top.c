/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_top.c - the verb `top`: rates of a network's ports and conversations.
 *
 * Ports are what the kernel counts at their links; conversations are what a capture of a few bytes of each packet sees,
 * and need the right to capture.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/mono.h"
#include "vnetd/ctl.h"
#include "vnetd/ctl_lines.h"
#include "vnetd/ctl_session.h"
#include "vnetd/ctl_top.h"

enum {
	SNAPLEN = 128, /* Ethernet, two tags, IPv6 with some extension headers, ports */
	TALKS = 20,
	SECONDS_MAX = 3600,
};

static const struct ctl_opt opts[] = {
    {"interval", 'i', "SECONDS", "renew so often (default 2)"},
    {"count", 'c', "N", "end after so many times"},
    {"json", 0, NULL, "print one JSON value per interval, for programs"},
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

/* Counts of a link at the beginning of the interval. */
struct before {
	char ifname[16];
	struct top_count count;
};

struct top {
	struct ctl *ctl;
	uint16_t net;
	unsigned interval_s, count;
	struct tally *tally; /* NULL: conversations may not be seen */
	struct session session;
	struct frames frames;
	struct before *before;
	size_t nbefore;
	uint64_t dropped; /* by the capture, until the interval began */
	struct mono begun;
};

/* --- ports --- */

static uint64_t
read_count(const char *ifname, const char *what)
{
	char path[128];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", ifname, what);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%" SCNu64, &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

/* What our end receives is what the guest sends. */
static struct top_count
read_counts(const char *ifname)
{
	return (struct top_count){.bytes_in = read_count(ifname, "tx_bytes"),
				  .bytes_out = read_count(ifname, "rx_bytes"),
				  .packets_in = read_count(ifname, "tx_packets"),
				  .packets_out = read_count(ifname, "rx_packets")};
}

static const struct before *
find_before(const struct top *t, const char *ifname)
{
	for (size_t i = 0; i < t->nbefore; i++)
		if (!strcmp(t->before[i].ifname, ifname))
			return &t->before[i];
	return NULL;
}

/* A link that was made anew begins at 0. */
static uint64_t
since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

/* The rates of all ports, and the counts for the next time. NULL: no memory. */
static struct top_port *
count_ports(struct top *t, const struct rows *rows)
{
	struct top_port *ports = calloc(rows->n + 1, sizeof(*ports));
	struct before *next = calloc(rows->n + 1, sizeof(*next));

	for (size_t i = 0; ports && next && i < rows->n; i++) {
		const struct msg_port_row *row = (const struct msg_port_row *)rows->v + i;
		const struct before *b = find_before(t, row->ifname);
		struct top_count now = read_counts(row->ifname), was = b ? b->count : now;

		snprintf(next[i].ifname, sizeof(next[i].ifname), "%s", row->ifname);
		next[i].count = now;
		ports[i].row = row;
		ports[i].now =
		    (struct top_count){.bytes_in = since(now.bytes_in, was.bytes_in),
				       .bytes_out = since(now.bytes_out, was.bytes_out),
				       .packets_in = since(now.packets_in, was.packets_in),
				       .packets_out = since(now.packets_out, was.packets_out)};
	}
	if (!next || !ports) {
		free(next);
		free(ports);
		return NULL;
	}
	free(t->before);
	t->before = next;
	t->nbefore = rows->n;
	return ports;
}

/* --- conversations --- */

static void
take_frame(const struct pcapng_frame *frame, void *arg)
{
	struct top *t = arg;
	struct flow flow;

	if (flow_read(&flow, frame->data, frame->caplen))
		tally_add(t->tally, &flow, frame->len);
}

/* Without the right to, ports are shown alone. */
static enum ctl_exit
open_capture(struct top *t)
{
	struct session_want want = {
	    .run_dir = t->ctl->run_dir, .net = t->net, .snaplen = SNAPLEN, .nfds = 1};
	AUTO_FD theirs = -1;
	enum ctl_exit r;

	if (!frames_open(&t->frames, &theirs))
		return CTL_OK;
	want.fd = &theirs;
	r = session_open(&t->session, &want);
	if (r == CTL_OK) {
		t->tally = calloc(1, sizeof(*t->tally));
		return CTL_OK;
	}
	if (t->session.client.err != EACCES)
		return ctl_explain(r, &t->session.client);
	if (!t->ctl->quiet)
		fprintf(stderr, "without conversations: %s\n", strbuf_str(&t->session.client.why));
	return CTL_OK;
}

/* Counts frames until the interval is over. */
static enum ctl_exit
watch(struct top *t, struct mono until)
{
	struct pollfd p[] = {{.fd = t->tally ? t->session.sock : -1, .events = POLLIN},
			     {.fd = t->tally ? t->frames.fd : -1, .events = POLLIN}};
	enum ctl_exit r = CTL_OK;
	bool over = false;
	int64_t left;

	while (r == CTL_OK && !over && !session_interrupted() &&
	       (left = mono_diff(until, mono_now())) > 0) {
		if (poll(p, 2, (int)left) <= 0)
			continue;
		if (p[0].revents)
			r = ctl_explain(session_step(&t->session, 0, &over), &t->session.client);
		if (p[1].revents && !frames_read(&t->frames, take_frame, t))
			p[1].fd = -1;
	}
	return over ? CTL_FAILED : r;
}

/* --- output --- */

static enum ctl_exit
print_tables(const struct top *t, const struct top_view *v, bool first)
{
	struct strbuf text;

	strbuf_init(&text);
	/* In place on a terminal: to its upper left corner, then clear what was below. */
	if (isatty(STDOUT_FILENO))
		strbuf_add(&text, "\033[H\033[J");
	else if (!first)
		strbuf_addc(&text, '\n');
	top_print(&text, v);
	return ctl_print(t->ctl, &text);
}

static enum ctl_exit
show(struct top *t, const struct rows *rows, bool first)
{
	struct mono now = mono_now();
	struct top_port *ports = count_ports(t, rows);
	struct top_view v = {.net = t->net,
			     .seconds = (double)mono_diff(now, t->begun) / 1000,
			     .when_ms = ctl_now_ms(),
			     .port = ports,
			     .nports = rows->n,
			     .tally = t->tally,
			     .most = TALKS,
			     .colour = t->ctl->colour};
	enum ctl_exit r;

	if (!ports) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	if (t->tally) {
		v.dropped = t->session.dropped - t->dropped;
		tally_sort(t->tally);
	}
	r = t->ctl->json ? ctl_print_json(t->ctl, top_json(&v), true) : print_tables(t, &v, first);
	if (t->tally)
		tally_clear(t->tally);
	t->dropped = t->session.dropped;
	t->begun = now;
	free(ports);
	return r;
}

static enum ctl_exit
list_ports(const struct top *t, struct rows *rows)
{
	struct msg m = msg_make(MSG_PORT_LIST, 0);
	struct rows *want[] = {rows};

	*rows = (struct rows)ROWS_INIT(PORT_ROW, port_row);
	m.u.port_list.net = t->net;
	return ctl_ask(t->ctl, &m, want, 1);
}

static enum ctl_exit
turn(struct top *t, bool first, bool quiet)
{
	struct rows rows;
	enum ctl_exit r = list_ports(t, &rows);

	if (r == CTL_OK && quiet) {
		free(count_ports(t, &rows));
		t->begun = mono_now();
	} else if (r == CTL_OK) {
		r = show(t, &rows, first);
	}
	rows_fini(&rows);
	return r;
}

static enum ctl_exit
loop(struct top *t)
{
	/* The first time counts begin, and nothing is shown. */
	enum ctl_exit r = turn(t, true, true);

	for (unsigned i = 0; r == CTL_OK && (t->count == 0 || i < t->count); i++) {
		r = watch(t, mono_add(t->begun, (int64_t)t->interval_s * 1000));
		if (session_interrupted())
			return CTL_OK;
		if (r == CTL_OK)
			r = turn(t, i == 0, false);
	}
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	const char *interval = ctl_args_get(a, "interval"), *count = ctl_args_get(a, "count");
	struct top t = {.ctl = c,
			.interval_s = 2,
			.frames.fd = -1,
			.session.sock = -1,
			.session.client.sock = -1};
	enum ctl_exit r;

	if (!ctl_parse_net(&t.net, a->pos[0]))
		return CTL_USAGE;
	if (interval && !ctl_parse_number(&t.interval_s, interval, 1, SECONDS_MAX))
		return ctl_misuse(&ctl_verb_top, "\"%s\" is no interval: 1 to %d seconds", interval,
				  SECONDS_MAX);
	if (count && !ctl_parse_number(&t.count, count, 1, INT32_MAX))
		return ctl_misuse(&ctl_verb_top, "\"%s\" is no number of times", count);
	session_catch_signals();
	r = open_capture(&t);
	if (r == CTL_OK)
		r = loop(&t);
	session_close(&t.session);
	frames_close(&t.frames);
	free(t.tally);
	free(t.before);
	return r;
}

const struct ctl_verb ctl_verb_top = {
    .name = "top",
    .synopsis = "vmnetN [--interval SECONDS] [--count N] [--json]",
    .summary = "Shows the rates of a network's ports and conversations",
    .detail =
	"Bits and packets a second of each port, as the kernel counts them, and of the\n"
	"conversations that move most. These need the right to capture, see vnetctl capture "
	"--help;\n"
	"without it there are the ports alone. On a terminal it is renewed in place until ^C.",
    .example = "  vnetctl top vmnet8\n"
	       "  vnetctl top vmnet8 --json --count 1 --interval 10 | jq '.conversations[0]'",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run,
};
