/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_events.c - the verb `events`: what happens, line by line, until vnetd or the user ends it.
 */
#include <time.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt opts[] = {
    {"json", 0, NULL, "print one JSON value per line, for programs"},
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

static enum ctl_exit
print_event(const struct ctl *c, const struct msg_event_row *e)
{
	time_t t = (time_t)(e->when_ms / 1000);
	struct strbuf text;
	char local[16];
	struct tm tm;

	if (c->json)
		return ctl_print_json(c, json_of_event(e), true);
	localtime_r(&t, &tm);
	strftime(local, sizeof(local), "%H:%M:%S", &tm);
	strbuf_init(&text);
	render_event(&text, e, local);
	return ctl_print(c, &text);
}

static enum ctl_exit
run(struct ctl *c, UNUSED const struct ctl_args *a)
{
	struct msg m = msg_make(MSG_EVENT_WATCH, 0);
	struct client client;
	enum ctl_exit r = client_open(&client, c->run_dir);
	bool end;

	if (r == CTL_OK)
		r = client_start(&client, &m);
	ctl_explain(r, &client);
	while (r == CTL_OK) {
		r = ctl_explain(client_next(&client, &m, CLIENT_FOREVER, &end), &client);
		if (r == CTL_OK && !end && m.type == MSG_EVENT_ROW)
			r = print_event(c, &m.u.event_row);
	}
	client_close(&client);
	return r;
}

const struct ctl_verb ctl_verb_events = {
    .name = "events",
    .synopsis = "[--json]",
    .summary = "Prints what happened lately and what happens from now on",
    .detail = "One line per event: time, network, a word for programs, a sentence.",
    .example = "  vnetctl events\n  vnetctl events --json | jq -r 'select(.network == \"vmnet8\") "
	       "| .text'",
    .opts = opts,
    .run = run,
};
