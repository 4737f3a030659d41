/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_promisc.c - the verb `promisc`: who wants to see other guests' frames, and who may.
 */
#include <stdio.h>
#include <string.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt opts[] = {
    {"for", 0, "TIME", "allow for so long: 90s, 10m, 1h, 2d"},
    {"once", 0, NULL, "allow until the port goes or stops asking (the default)"},
    {"always", 0, NULL, "allow for good: it is written into vnetd.conf"},
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

static const char *const words[] = {"list", "request", "cancel", "allow", "deny", "revoke", NULL};

static enum ctl_exit
print_list(const struct ctl *c, const struct rows *rows)
{
	struct view v = {.now = ctl_now_ms() / 1000, .colour = c->colour};
	struct facts f = {.promisc = rows->v, .npromisc = rows->n};
	struct strbuf text, hints;
	enum ctl_exit r;

	if (c->json)
		return ctl_print_json(c, json_of_promisc(&f), false);
	strbuf_init(&text);
	strbuf_init(&hints);
	render_promisc(&text, &f, &v);
	r = ctl_print(c, &text);
	render_promisc_hints(&hints, &f, c->config_dir);
	/* Not among the lines of the table, which programs may cut. */
	if (r == CTL_OK && !c->quiet)
		fputs(strbuf_str(&hints), stderr);
	if (f.npromisc == 0)
		ctl_hint(c, "no port asks for promiscuous mode");
	strbuf_fini(&hints);
	return r;
}

static enum ctl_exit
list(struct ctl *c, const struct ctl_args *a)
{
	struct rows rows = ROWS_INIT(PROMISC_ROW, promisc_row);
	struct rows *want[] = {&rows};
	struct msg request = msg_make(MSG_PROMISC_LIST, 0);
	enum ctl_exit r;

	request.u.promisc_list.net = MSG_NET_ALL;
	if (a->npos == 2 && !ctl_parse_net(&request.u.promisc_list.net, a->pos[1]))
		return CTL_USAGE;
	r = ctl_ask(c, &request, want, ARRAY_LEN(want));
	if (r == CTL_OK)
		r = print_list(c, &rows);
	rows_fini(&rows);
	return r;
}

/* What a change brings back. */
struct answer {
	struct msg_promisc_row row;
	bool seen;
};

static void
take_row(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, void *arg)
{
	struct answer *a = arg;

	if (row->type == MSG_PROMISC_ROW) {
		a->row = row->u.promisc_row;
		a->seen = true;
	}
}

static enum ctl_exit
change(struct ctl *c, struct msg *request)
{
	struct view v = {.now = ctl_now_ms() / 1000, .colour = c->colour};
	struct answer got = {.seen = false};
	struct strbuf text;
	enum ctl_exit r;

	strbuf_init(&text);
	r = ctl_change(c, request, take_row, &got, &text);
	if (r == CTL_OK && c->json && got.seen) {
		r = ctl_print_json(c, json_of_promisc_row(&got.row), false);
	} else if (r == CTL_OK) {
		if (text.len)
			strbuf_addc(&text, '\n');
		else if (got.seen)
			render_promisc_fact(&text, &got.row, &v);
		r = ctl_print(c, &text);
	}
	strbuf_fini(&text);
	return r;
}

/* `request` and `cancel`. */
static enum ctl_exit
ask(struct ctl *c, const char *port, bool on)
{
	struct msg request = msg_make(MSG_PROMISC_ASK, 0);

	if (!ctl_port_field(&ctl_verb_promisc, request.u.promisc_ask.port, port))
		return CTL_USAGE;
	request.u.promisc_ask.on = on;
	return change(c, &request);
}

/* What --for, --once and --always say. False after a complaint. */
static bool
parse_term(struct msg_promisc_decide *m, const struct ctl_args *a)
{
	const char *time = ctl_args_get(a, "for");
	bool once = ctl_args_get(a, "once"), always = ctl_args_get(a, "always");

	if (!!time + once + always > 1) {
		ctl_misuse(&ctl_verb_promisc, "--for, --once and --always exclude each other");
		return false;
	}
	if (time && !ctl_parse_duration(&m->seconds, time)) {
		ctl_misuse(
		    &ctl_verb_promisc,
		    "\"%s\" is not a time: a number with s, m, h or d behind it, such as 90s or "
		    "1h, and at most a year",
		    time);
		return false;
	}
	m->verdict = time ? PROMISC_ALLOW_FOR : always ? PROMISC_ALLOW_ALWAYS : PROMISC_ALLOW_ONCE;
	return true;
}

/* `allow`, `deny` and `revoke`. */
static enum ctl_exit
decide(struct ctl *c, const struct ctl_args *a, enum promisc_verdict verdict)
{
	struct msg request = msg_make(MSG_PROMISC_DECIDE, 0);
	struct msg_promisc_decide *m = &request.u.promisc_decide;

	if (!ctl_port_field(&ctl_verb_promisc, m->port, a->pos[1]))
		return CTL_USAGE;
	m->verdict = (uint8_t)verdict;
	if (verdict == PROMISC_ALLOW_ONCE && !parse_term(m, a))
		return CTL_USAGE;
	return change(c, &request);
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	const char *word = a->pos[0], *meant;
	bool term = ctl_args_get(a, "for") || ctl_args_get(a, "once") || ctl_args_get(a, "always");

	if (term && strcmp(word, "allow") != 0)
		return ctl_misuse(&ctl_verb_promisc, "--for, --once and --always go with allow");
	if (strcmp(word, "list") == 0)
		return list(c, a);
	meant = ctl_did_you_mean(word, words);
	for (size_t i = 0; words[i]; i++) {
		if (strcmp(word, words[i]) == 0 && a->npos < 2)
			return ctl_misuse(&ctl_verb_promisc, "%s needs a port", word);
	}
	if (strcmp(word, "request") == 0 || strcmp(word, "cancel") == 0)
		return ask(c, a->pos[1], strcmp(word, "request") == 0);
	if (strcmp(word, "allow") == 0)
		return decide(c, a, PROMISC_ALLOW_ONCE);
	if (strcmp(word, "deny") == 0)
		return decide(c, a, PROMISC_DENY);
	if (strcmp(word, "revoke") == 0)
		return decide(c, a, PROMISC_REVOKE);
	return ctl_misuse(&ctl_verb_promisc, "unknown word \"%s\" behind \"promisc\"%s%s%s", word,
			  meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

const struct ctl_verb ctl_verb_promisc = {
    .name = "promisc",
    .synopsis = "list [vmnetN] [--json]\n"
		"   or: vnetctl promisc request|cancel|deny|revoke PORT\n"
		"   or: vnetctl promisc allow PORT [--for TIME|--once|--always]",
    .summary = "Lists who asks for promiscuous mode, asks for it, allows or denies it",
    .detail =
	"A port in promiscuous mode gets a copy of every unicast frame of its network, and may\n"
	"send from any address: what nested hypervisors and sniffers need.\n"
	"  request  asks for it; cancel takes that back\n"
	"  allow    grants it: once (until the port goes or stops asking), for a time, or always\n"
	"  deny     refuses it; revoke takes an earlier word back, whichever it was\n"
	"A file promiscAuthorized of root's in the configuration folder allows it to every port\n"
	"that asks, one in the folder of a network to those of the network. See vnet-ports(7).",
    .example = "  vnetctl promisc list\n"
	       "  sudo vnetctl promisc allow web1 --for 1h\n"
	       "  sudo vnetctl promisc deny web1\n"
	       "  vnetctl promisc list --json | jq -r '.requests[] | select(.state == "
	       "\"pending\").port'",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 2,
    .run = run,
};
