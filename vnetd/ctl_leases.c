/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_leases.c - the verb `leases`, once or as they change.
 *
 * Watching takes the event stream as a signal only: each change is found by comparing two lists, so
 * that nothing is missed when events come faster than they are read. On a terminal the table is drawn
 * anew in its place, elsewhere and in JSON the rows that changed follow.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_json.h"
#include "vnetd/ctl_stat_text.h"

/* Events that come within this time are answered by one list. */
#define SETTLE_MS 50

/* So often the times in a table on a terminal are brought up to date. */
#define REDRAW_MS 30000

/* To the upper left corner, and nothing below it. */
#define TERMINAL_HOME "\033[H\033[J"

static const struct ctl_opt opts[] = {
    {"watch", 0, NULL,
     "follow changes: on a terminal in place, else a line for each lease that changes"},
    {"stats", 0, NULL, "count messages by type, and those without an answer by reason, instead"},
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

/* By network, then by address. */
static int
compare(const void *pa, const void *pb)
{
	const struct msg_lease_row *a = pa, *b = pb;

	if (a->net != b->net)
		return a->net < b->net ? -1 : 1;
	if (a->addr.h != b->addr.h)
		return a->addr.h < b->addr.h ? -1 : 1;
	return memcmp(a->mac.b, b->mac.b, 6);
}

static bool
same(const struct msg_lease_row *a, const struct msg_lease_row *b)
{
	return a->state == b->state && a->ends == b->ends && strcmp(a->name, b->name) == 0;
}

static enum ctl_exit
fetch(struct client *client, uint16_t net, struct rows *leases)
{
	struct rows *want[] = {leases};
	struct msg request = msg_make(MSG_LEASE_LIST, 0);
	enum ctl_exit r;

	request.u.lease_list.net = net;
	r = client_gather(client, &request, want, ARRAY_LEN(want));
	if (r == CTL_OK && leases->n)
		qsort(leases->v, leases->n, leases->size, compare);
	return r;
}

static enum ctl_exit
print_rows(const struct ctl *c, const struct msg_lease_row *row, size_t n, bool follows)
{
	struct view v = {.now = ctl_now_ms() / 1000, .colour = c->colour, .follows = follows};
	struct facts f = {.lease = row, .nleases = n};
	struct strbuf text;
	enum ctl_exit r = CTL_OK;

	if (c->json && !follows)
		return ctl_print_json(c, json_of_leases(&f), false);
	for (size_t i = 0; c->json && i < n && r == CTL_OK; i++)
		r = ctl_print_json(c, json_of_lease(&row[i]), true);
	if (c->json)
		return r;
	strbuf_init(&text);
	render_leases(&text, &f, &v);
	return ctl_print(c, &text);
}

/* Prints what differs between two sorted lists; what is gone as expired now. */
static enum ctl_exit
print_changes(const struct ctl *c, const struct rows *before, const struct rows *after)
{
	const struct msg_lease_row *old = before->v, *new = after->v;
	size_t i = 0, k = 0;
	enum ctl_exit r = CTL_OK;

	while (r == CTL_OK && (i < before->n || k < after->n)) {
		int order = i == before->n ? 1 : k == after->n ? -1 : compare(&old[i], &new[k]);

		if (order < 0) {
			struct msg_lease_row gone = old[i++];

			gone.state = LEASE_ROW_EXPIRED;
			gone.ends = ctl_now_ms() / 1000;
			r = print_rows(c, &gone, 1, true);
		} else if (order > 0) {
			r = print_rows(c, &new[k++], 1, true);
		} else {
			if (!same(&old[i], &new[k]))
				r = print_rows(c, &new[k], 1, true);
			i++;
			k++;
		}
	}
	return r;
}

/* The table may look different now: a lease, or the reservations of a new configuration. An offer is none. */
static bool
concerns(const struct msg_event_row *e, uint16_t net)
{
	if (strcmp(e->what, "dhcp-ready") == 0)
		return true;
	return strncmp(e->what, "lease-", 6) == 0 && strcmp(e->what, "lease-offered") != 0 &&
	       (net == MSG_NET_ALL || net == e->net);
}

/* Waits for an event about leases, at most so long; later ones that follow closely are taken with it. */
static enum ctl_exit
await_change(struct client *events, uint16_t net, int timeout_ms, bool *changed)
{
	enum ctl_exit r = CTL_OK;
	struct msg m;
	bool end;

	*changed = false;
	while (r == CTL_OK && client_pending(events, *changed ? SETTLE_MS : timeout_ms)) {
		r = client_next(events, &m, CLIENT_FOREVER, &end);
		if (r == CTL_OK && !end && m.type == MSG_EVENT_ROW)
			*changed |= concerns(&m.u.event_row, net);
	}
	return r;
}

/* The whole table in place of what is on the terminal. */
static enum ctl_exit
redraw(const struct ctl *c, const struct rows *leases)
{
	struct strbuf home;
	enum ctl_exit r;

	strbuf_init(&home);
	strbuf_add(&home, TERMINAL_HOME);
	r = ctl_print(c, &home);
	return r == CTL_OK ? print_rows(c, leases->v, leases->n, false) : r;
}

/* Shows each change from now on; before: what was shown last. */
static enum ctl_exit
follow(const struct ctl *c, struct client *client, struct client *events, uint16_t net,
       struct rows *before)
{
	bool in_place = !c->json && isatty(STDOUT_FILENO), changed;
	enum ctl_exit r =
	    in_place ? redraw(c, before) : print_rows(c, before->v, before->n, c->json);

	while (r == CTL_OK) {
		struct rows after = ROWS_INIT(LEASE_ROW, lease_row);

		r = await_change(events, net, in_place ? REDRAW_MS : CLIENT_FOREVER, &changed);
		r = ctl_explain(r, events);
		if (r == CTL_OK && changed)
			r = ctl_explain(fetch(client, net, &after), client);
		if (r == CTL_OK && changed && !in_place)
			r = print_changes(c, before, &after);
		if (changed) {
			rows_fini(before);
			*before = after;
		}
		if (r == CTL_OK && in_place)
			r = redraw(c, before);
	}
	return r;
}

static enum ctl_exit
watch(const struct ctl *c, struct client *client, uint16_t net)
{
	struct rows leases = ROWS_INIT(LEASE_ROW, lease_row);
	struct msg subscribe = msg_make(MSG_EVENT_WATCH, 0);
	struct client events;
	/* The stream first: what happens between the two would be missed otherwise. */
	enum ctl_exit r = client_open(&events, c->run_dir);

	if (r == CTL_OK)
		r = client_start(&events, &subscribe);
	ctl_explain(r, &events);
	if (r == CTL_OK)
		r = ctl_explain(fetch(client, net, &leases), client);
	if (r == CTL_OK)
		r = follow(c, client, &events, net, &leases);
	rows_fini(&leases);
	client_close(&events);
	return r;
}

/* Counted since vnet-dhcpd began to serve the network. */
static enum ctl_exit
stats(const struct ctl *c, uint16_t net)
{
	struct rows counters = ROWS_INIT(DHCP_STAT, dhcp_stat), *want[] = {&counters};
	struct msg request = msg_make(MSG_DHCP_STATS, 0);
	enum ctl_exit r;
	struct strbuf text;

	request.u.dhcp_stats.net = net;
	r = ctl_ask(c, &request, want, ARRAY_LEN(want));
	if (r == CTL_OK && c->json) {
		r = ctl_print_json(c, stat_json(counters.v, counters.n), false);
	} else if (r == CTL_OK) {
		strbuf_init(&text);
		stat_render(&text, counters.v, counters.n, c->colour);
		r = ctl_print(c, &text);
	}
	rows_fini(&counters);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct rows leases = ROWS_INIT(LEASE_ROW, lease_row);
	uint16_t net = MSG_NET_ALL;
	struct client client;
	enum ctl_exit r;

	if (a->npos == 1 && !ctl_parse_net(&net, a->pos[0]))
		return CTL_USAGE;
	if (ctl_args_get(a, "stats") && ctl_args_get(a, "watch"))
		return ctl_misuse(&ctl_verb_leases, "--stats and --watch exclude each other");
	if (ctl_args_get(a, "stats"))
		return stats(c, net);
	r = client_open(&client, c->run_dir);
	if (r == CTL_OK && ctl_args_get(a, "watch")) {
		r = watch(c, &client, net);
	} else {
		if (r == CTL_OK)
			r = fetch(&client, net, &leases);
		ctl_explain(r, &client);
		if (r == CTL_OK)
			r = print_rows(c, leases.v, leases.n, false);
	}
	rows_fini(&leases);
	client_close(&client);
	return r;
}

const struct ctl_verb ctl_verb_leases = {
    .name = "leases",
    .synopsis = "[vmnetN] [--watch | --stats] [--json]",
    .summary = "Lists which guest has which address",
    .example =
	"  vnetctl leases --watch\n  vnetctl leases vmnet8 --json | jq -r '.leases[].address'\n"
	"  vnetctl leases vmnet8 --stats",
    .opts = opts,
    .max_pos = 1,
    .run = run,
};
