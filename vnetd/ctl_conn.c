/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_conn.c - the verb `connections`, once or as they come, change their state and go.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_conn_text.h"

/* The kernel tells no client of ours about connections, so watching is asking. */
#define WATCH_US 1000000

static const struct ctl_opt opts[] = {
    {"watch", 0, NULL,
     "go on and print what begins, changes its state or ends (JSON: one per line)"},
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

enum ctl_exit
ctl_gather_conns(struct client *client, uint16_t net, struct rows *conns)
{
	struct rows relays = ROWS_INIT(RELAY_ROW, relay_row);
	struct rows *want_relays[] = {&relays}, *want[] = {conns};
	struct msg request = msg_make(MSG_RELAY_LIST, 0);
	enum ctl_exit r = client_gather(client, &request, want_relays, 1);

	/* While natd is not there nothing is relayed. The connections come last: what vnetd has to say of them stays. */
	if (r == CTL_OK || r == CTL_FAILED) {
		request = msg_make(MSG_CONN_LIST, 0);
		request.u.conn_list.net = net;
		r = client_gather(client, &request, want, 1);
	}
	if (r == CTL_OK)
		conn_find_relayed(conns->v, conns->n, relays.v, relays.n);
	rows_fini(&relays);
	return r;
}

static enum ctl_exit
fetch(struct client *client, uint16_t net, struct rows *conns)
{
	enum ctl_exit r = ctl_explain(ctl_gather_conns(client, net, conns), client);

	if (r == CTL_OK && conns->n)
		qsort(conns->v, conns->n, conns->size, conn_compare);
	return r;
}

static enum ctl_exit
print_line(const struct ctl *c, const struct msg_conn_row *row, bool ended)
{
	const struct conn_line line = {*row, ended};
	struct view v = {.colour = c->colour, .follows = true};
	struct strbuf text;

	if (c->json)
		return ctl_print_json(c, json_of_conn(&line), true);
	strbuf_init(&text);
	render_conns(&text, &line, 1, &v);
	return ctl_print(c, &text);
}

static enum ctl_exit
print_all(const struct ctl *c, const struct rows *conns, const char *remark)
{
	const struct msg_conn_row *row = conns->v;
	struct view v = {.colour = c->colour};
	struct conn_line *lines;
	struct strbuf text;

	if (*remark)
		ctl_complain("%s", remark);
	if (c->json)
		return ctl_print_json(c, json_of_conns(row, conns->n), false);
	lines = calloc(conns->n + 1, sizeof(*lines));
	if (!lines) {
		ctl_complain("out of memory");
		return CTL_FAILED;
	}
	for (size_t i = 0; i < conns->n; i++)
		lines[i].row = row[i];
	strbuf_init(&text);
	render_conns(&text, lines, conns->n, &v);
	free(lines);
	return ctl_print(c, &text);
}

/* Prints what differs between two sorted lists; counters alone are no difference. */
static enum ctl_exit
print_changes(const struct ctl *c, const struct rows *before, const struct rows *after)
{
	const struct msg_conn_row *old = before->v, *new = after->v;
	size_t i = 0, k = 0;
	enum ctl_exit r = CTL_OK;

	while (r == CTL_OK && (i < before->n || k < after->n)) {
		int order = i == before->n  ? 1
			    : k == after->n ? -1
					    : conn_compare(&old[i], &new[k]);

		if (order < 0) {
			r = print_line(c, &old[i++], true);
		} else if (order > 0) {
			r = print_line(c, &new[k++], false);
		} else {
			if (old[i].state != new[k].state)
				r = print_line(c, &new[k], false);
			i++;
			k++;
		}
	}
	return r;
}

static enum ctl_exit
watch(const struct ctl *c, struct client *client, uint16_t net)
{
	struct rows before = ROWS_INIT(CONN_ROW, conn_row), after = before;
	enum ctl_exit r = fetch(client, net, &before);

	if (r == CTL_OK && c->json)
		r = print_changes(c, &after, &before);
	else if (r == CTL_OK)
		r = print_all(c, &before, client->text);
	while (r == CTL_OK) {
		usleep(WATCH_US);
		r = fetch(client, net, &after);
		if (r == CTL_OK)
			r = print_changes(c, &before, &after);
		rows_fini(&before);
		before = after;
		after = (struct rows)ROWS_INIT(CONN_ROW, conn_row);
	}
	rows_fini(&before);
	rows_fini(&after);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct rows conns = ROWS_INIT(CONN_ROW, conn_row);
	uint16_t net = MSG_NET_ALL;
	struct client client;
	enum ctl_exit r;

	if (a->npos == 1 && !ctl_parse_net(&net, a->pos[0]))
		return CTL_USAGE;
	r = ctl_explain(client_open(&client, c->run_dir), &client);
	if (r == CTL_OK && ctl_args_get(a, "watch")) {
		r = watch(c, &client, net);
	} else if (r == CTL_OK) {
		r = fetch(&client, net, &conns);
		if (r == CTL_OK)
			r = print_all(c, &conns, client.text);
		rows_fini(&conns);
	}
	client_close(&client);
	return r;
}

const struct ctl_verb ctl_verb_connections = {
    .name = "connections",
    .synopsis = "[vmnetN] [--watch] [--json]",
    .summary = "Lists the connections of guests with other networks and the host",
    .detail =
	"As the kernel tracks them: what passes between guests of one network is not among them.\n"
	"WAY is \"->\" when the guest began; FORWARD is the port of this host by which the peer "
	"came.\n"
	"IN (to the guest) and OUT are bytes. What the kernel does not know, as of connections "
	"from\n"
	"before vnetd's start, is \"-\".",
    .example =
	"  vnetctl connections vmnet8\n"
	"  vnetctl connections --json | jq -r '.connections[] | select(.forward == 8080).peer'",
    .opts = opts,
    .max_pos = 1,
    .run = run,
};
