/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_check.c - the verb `check`: the configuration folder parsed and judged, with or without vnetd.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/diag.h"
#include "paths.h"
#include "vnetd/conf_folder.h"
#include "vnetd/ctl.h"
#include "vnetd/ctl_check.h"
#include "vnetd/ctl_json.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

/* The closing line names so many networks; more are counted. */
#define NAMES_MAX 8

static const struct ctl_opt opts[] = {
    {"verbose", 'v', NULL, "also what is odd but tolerated"},
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

static void
mark_running(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, void *arg)
{
	struct check_running *running = arg;

	if (row->type == MSG_NET_ROW && row->u.net_row.net < CONF_NETS &&
	    row->u.net_row.state != NET_STATE_FAILED)
		running->net[row->u.net_row.net] = true;
}

/* Asks a vnetd, if there is one and it uses this very folder. No answer is an answer too. */
static void
ask_running(const struct ctl *c, struct check_running *running)
{
	bool default_config = strcmp(c->config_dir, VNET_CONFIG_DIR) == 0;
	bool default_run = strcmp(c->run_dir, VNET_RUN_DIR) == 0;
	struct msg request = msg_make(MSG_NET_LIST, 0);
	struct client client;

	memset(running, 0, sizeof(*running));
	if (default_config != default_run)
		return;
	request.u.net_list.net = MSG_NET_ALL;
	running->vnetd =
	    client_open(&client, c->run_dir) == CTL_OK &&
	    client_call(&client, &request, -1, CLIENT_TIMEOUT_MS, mark_running, running) == CTL_OK;
	client_close(&client);
}

static void
add_diag(struct strbuf *out, const struct diag *d, bool colour)
{
	struct strbuf line;

	strbuf_init(&line);
	diag_print(&line, d);
	tint_add(out, d->severity == DIAG_ERROR ? TINT_BAD : TINT_NONE, colour, strbuf_str(&line));
	if (d->severity == DIAG_WARNING)
		strbuf_add(out, " (warning)");
	else if (d->severity == DIAG_NOTICE)
		strbuf_add(out, " (tolerated)");
	strbuf_addc(out, '\n');
	out->bad = out->bad || line.bad;
	strbuf_fini(&line);
}

/* vmnet8, vmnet9: names of the networks for which `pick` holds; how many there are. */
static unsigned
list_nets(struct strbuf *out, const struct conf *conf, const struct check_running *running,
	  bool (*pick)(const struct conf_net *, const struct check_running *))
{
	unsigned n = 0;

	for (unsigned i = 0; i < CONF_NETS; i++) {
		if (conf->net[i].present && pick(&conf->net[i], running))
			strbuf_addf(out, "%svmnet%u", n++ ? ", " : "", i);
	}
	return n;
}

static bool
pick_kept(const struct conf_net *n, const struct check_running *running)
{
	return n->failed && running->net[n->n];
}

static bool
pick_refused(const struct conf_net *n, const struct check_running *running)
{
	return n->failed && !running->net[n->n];
}

static bool
pick_good(const struct conf_net *n, UNUSED const struct check_running *running)
{
	return !n->failed;
}

/* "vmnet8 keeps", "vmnet8, vmnet9 keep" */
static void
add_clause(struct strbuf *out, const char **sep, const struct conf *conf,
	   const struct check_running *running,
	   bool (*pick)(const struct conf_net *, const struct check_running *), const char *one,
	   const char *many)
{
	struct strbuf names;
	unsigned n;

	strbuf_init(&names);
	n = list_nets(&names, conf, running, pick);
	if (n > NAMES_MAX)
		strbuf_addf(out, "%s%u networks %s", *sep, n, many);
	else if (n > 0)
		strbuf_addf(out, "%s%s %s", *sep, strbuf_str(&names), n == 1 ? one : many);
	if (n > 0)
		*sep = "; ";
	strbuf_fini(&names);
}

void
check_summary(struct strbuf *out, const struct conf *conf, const struct diags *d,
	      const struct check_running *running)
{
	const char *sep = ". ";

	if (d->count[DIAG_ERROR] == 0 && d->count[DIAG_WARNING] == 0)
		strbuf_add(out, "no errors");
	if (d->count[DIAG_ERROR] > 0)
		ctl_text_count(out, d->count[DIAG_ERROR], "error", "errors");
	if (d->count[DIAG_WARNING] > 0) {
		strbuf_add(out, d->count[DIAG_ERROR] ? ", " : "");
		ctl_text_count(out, d->count[DIAG_WARNING], "warning", "warnings");
	}
	if (conf->fatal) {
		strbuf_add(out, running->vnetd ? ". All networks keep their running configuration"
					       : ". vnetd would not start");
	} else if (conf->default_conf_needed) {
		strbuf_add(out,
			   ". There is no file \"networking\" yet: vnetd makes one when it starts");
	} else {
		add_clause(out, &sep, conf, running, pick_kept, "keeps its running configuration",
			   "keep their running configuration");
		add_clause(out, &sep, conf, running, pick_refused, "would not start",
			   "would not start");
		if (d->count[DIAG_ERROR] > 0)
			add_clause(out, &sep, conf, running, pick_good, "is not affected",
				   "are not affected");
		else
			add_clause(out, &sep, conf, running, pick_good, "is fine", "are fine");
	}
	strbuf_add(out, ".\n");
}

static json_t *
json_of_diag(const struct diag *d)
{
	static const char *const severity[] = {
	    [DIAG_NOTICE] = "notice", [DIAG_WARNING] = "warning", [DIAG_ERROR] = "error"};

	return json_pack("{ss so so so so so}", "severity", severity[d->severity], "file",
			 json_of_text(d->pos.file ? d->pos.file : ""), "line",
			 d->pos.line ? json_integer(d->pos.line) : json_null(), "column",
			 d->pos.line ? json_integer(d->pos.col) : json_null(), "network",
			 d->net >= 0 ? json_sprintf("vmnet%d", d->net) : json_null(), "text",
			 json_of_text(d->text));
}

static json_t *
json_of_check(const struct diags *d, bool verbose)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < d->n; i++) {
		if (d->v[i].severity == DIAG_NOTICE && !verbose)
			continue;
		if (json_array_append_new(list, json_of_diag(&d->v[i])) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_pack("{so si si}", "diagnostics", list, "errors", (int)d->count[DIAG_ERROR],
			 "warnings", (int)d->count[DIAG_WARNING]);
}

static enum ctl_exit
report(const struct ctl *c, const struct conf *conf, const struct diags *d, bool verbose)
{
	struct check_running running;
	struct strbuf text;

	if (c->json)
		return ctl_print_json(c, json_of_check(d, verbose), false);
	ask_running(c, &running);
	strbuf_init(&text);
	for (size_t i = 0; i < d->n; i++) {
		if (verbose || d->v[i].severity != DIAG_NOTICE)
			add_diag(&text, &d->v[i], c->colour);
	}
	check_summary(&text, conf, d, &running);
	return ctl_print(c, &text);
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct conf *conf = NULL;
	struct conf_folder folder;
	struct strbuf why;
	struct diags d;
	enum ctl_exit r = CTL_FAILED;

	diags_init(&d);
	strbuf_init(&why);
	if (!conf_folder_read(&folder, c->config_dir, &why)) {
		ctl_complain("%s", strbuf_str(&why));
	} else if (!(conf = conf_build(&folder.src, &d)) ||
		   !conf_folder_redirects(&folder, c->config_dir, &d)) {
		ctl_complain("out of memory");
	} else {
		r = report(c, conf, &d, ctl_args_get(a, "verbose"));
		if (d.count[DIAG_ERROR] > 0)
			r = CTL_FAILED;
	}
	conf_free(conf);
	conf_folder_fini(&folder);
	strbuf_fini(&why);
	diags_fini(&d);
	return r;
}

const struct ctl_verb ctl_verb_check = {
    .name = "check",
    .synopsis = "[-v] [--json]",
    .summary = "Says what is wrong with the configuration",
    .detail =
	"Reads the files; vnetd need not run and nothing is changed. The exit status is 1 when\n"
	"there is an error.",
    .example = "  vnetctl check -v\n  vnetctl --config-dir /etc/vmware check",
    .opts = opts,
    .run = run,
};
