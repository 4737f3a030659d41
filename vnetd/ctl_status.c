/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_status.c - the verbs `status`, `networks` and `show`.
 */
#include <stdlib.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_bridge_nf.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt opts[] = {CTL_OPT_JSON, CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

static struct view
view_of(const struct ctl *c)
{
	return (struct view){.now = ctl_now_ms() / 1000, .colour = c->colour};
}

/* Text or JSON of the same facts. */
static enum ctl_exit
print_facts(const struct ctl *c, const struct facts *f, json_t *json,
	    void (*render)(struct strbuf *, const struct facts *, const struct view *))
{
	struct view v = view_of(c);
	struct strbuf text;

	if (c->json)
		return ctl_print_json(c, json, false);
	strbuf_init(&text);
	render(&text, f, &v);
	return ctl_print(c, &text);
}

static enum ctl_exit
run_status(struct ctl *c, UNUSED const struct ctl_args *a)
{
	struct rows status = ROWS_INIT(STATUS_ROW, status_row);
	struct rows warnings = ROWS_INIT(WARNING_ROW, warning_row);
	struct rows nets = ROWS_INIT(NET_ROW, net_row);
	struct rows *want[] = {&status, &warnings, &nets};
	struct msg request = msg_make(MSG_STATUS_GET, 0);
	enum ctl_exit r = ctl_ask(c, &request, want, ARRAY_LEN(want));

	if (r == CTL_OK && status.n != 1) {
		ctl_complain("vnetd answered without its status");
		r = CTL_FAILED;
	}
	ctl_bridge_nf_keep(&warnings);
	if (r == CTL_OK) {
		struct facts f = {.status = status.v,
				  .warning = warnings.v,
				  .nwarnings = warnings.n,
				  .net = nets.v,
				  .nnets = nets.n};

		r = print_facts(c, &f, c->json ? json_of_status(&f, ctl_now_ms()) : NULL,
				render_status);
	}
	rows_fini(&status);
	rows_fini(&warnings);
	rows_fini(&nets);
	return r;
}

static enum ctl_exit
run_networks(struct ctl *c, UNUSED const struct ctl_args *a)
{
	struct rows nets = ROWS_INIT(NET_ROW, net_row);
	struct rows *want[] = {&nets};
	struct msg request = msg_make(MSG_NET_LIST, 0);
	enum ctl_exit r;

	request.u.net_list.net = MSG_NET_ALL;
	r = ctl_ask(c, &request, want, ARRAY_LEN(want));
	if (r == CTL_OK) {
		struct facts f = {.net = nets.v, .nnets = nets.n};

		r = print_facts(c, &f, c->json ? json_of_networks(&f) : NULL, render_networks);
	}
	rows_fini(&nets);
	return r;
}

/* What `show` gathers, by several requests over one connection. */
struct show {
	uint16_t net;
	struct rows nets, warnings, ports, forwards, conns, holds;
	bool holds_known;
};

static enum ctl_exit
gather_show(struct client *client, struct show *s)
{
	struct rows *nets[] = {&s->nets}, *ports[] = {&s->ports}, *forwards[] = {&s->forwards};
	struct rows *warnings[] = {&s->warnings}, *holds[] = {&s->holds};
	struct msg q = msg_make(MSG_NET_LIST, 0);
	enum ctl_exit r;

	q.u.net_list.net = s->net;
	r = client_gather(client, &q, nets, 1);
	if (r == CTL_OK && s->nets.n == 0) {
		strbuf_addf(&client->why,
			    "there is no network vmnet%u. All networks: vnetctl networks", s->net);
		r = CTL_FAILED;
	}
	if (r == CTL_OK) {
		q = msg_make(MSG_STATUS_GET, 0);
		r = client_gather(client, &q, warnings, 1);
	}
	if (r == CTL_OK) {
		q = msg_make(MSG_PORT_LIST, 0);
		q.u.port_list.net = s->net;
		r = client_gather(client, &q, ports, 1);
	}
	if (r == CTL_OK) {
		q = msg_make(MSG_FORWARD_LIST, 0);
		q.u.forward_list.net = s->net;
		r = client_gather(client, &q, forwards, 1);
	}
	if (r == CTL_OK && s->forwards.n)
		r = ctl_gather_conns(client, s->net, &s->conns);
	if (r == CTL_OK && s->forwards.n) {
		/* While natd is being started nobody knows. */
		q = msg_make(MSG_HOLD_LIST, 0);
		s->holds_known = client_gather(client, &q, holds, 1) == CTL_OK;
	}
	return r;
}

/* Keeps the warnings about one network. */
static void
keep_warnings(struct rows *warnings, uint16_t net)
{
	struct msg_warning_row *w = warnings->v;
	size_t kept = 0;

	for (size_t i = 0; i < warnings->n; i++) {
		if (w[i].net == net)
			w[kept++] = w[i];
	}
	warnings->n = kept;
}

static enum ctl_exit
run_show(struct ctl *c, const struct ctl_args *a)
{
	struct show s = {.nets = ROWS_INIT(NET_ROW, net_row),
			 .warnings = ROWS_INIT(WARNING_ROW, warning_row),
			 .ports = ROWS_INIT(PORT_ROW, port_row),
			 .forwards = ROWS_INIT(FORWARD_ROW, forward_row),
			 .conns = ROWS_INIT(CONN_ROW, conn_row),
			 .holds = ROWS_INIT(HOLD_ROW, hold_row)};
	struct client client;
	enum ctl_exit r;

	if (!ctl_parse_net(&s.net, a->pos[0]))
		return CTL_USAGE;
	r = client_open(&client, c->run_dir);
	if (r == CTL_OK)
		r = gather_show(&client, &s);
	ctl_explain(r, &client);
	client_close(&client);
	if (r == CTL_OK) {
		keep_warnings(&s.warnings, s.net);
		ctl_bridge_nf_keep(&s.warnings);
		struct facts f = {.net = s.nets.v,
				  .nnets = s.nets.n,
				  .warning = s.warnings.v,
				  .nwarnings = s.warnings.n,
				  .port = s.ports.v,
				  .nports = s.ports.n,
				  .forward = s.forwards.v,
				  .nforwards = s.forwards.n,
				  .conn = s.conns.v,
				  .nconns = s.conns.n,
				  .conns_known = true,
				  .hold = s.holds.v,
				  .nholds = s.holds.n,
				  .holds_known = s.holds_known};

		r = print_facts(c, &f, c->json ? json_of_show(&f) : NULL, render_show);
	}
	rows_fini(&s.nets);
	rows_fini(&s.warnings);
	rows_fini(&s.ports);
	rows_fini(&s.forwards);
	rows_fini(&s.conns);
	rows_fini(&s.holds);
	return r;
}

const struct ctl_verb ctl_verb_status = {
    .name = "status",
    .synopsis = "[--json]",
    .summary = "Shows in one screen whether everything works",
    .detail =
	"Lines that begin with \"!\" say what does not, and what cures it. The exit status is 0\n"
	"as soon as all networks were dealt with, also when one of them is degraded.",
    .example = "  vnetctl status\n  vnetctl status --json | jq '.networks[] | {name, state}'",
    .opts = opts,
    .run = run_status,
};

const struct ctl_verb ctl_verb_networks = {
    .name = "networks",
    .synopsis = "[--json]",
    .summary = "Lists the networks with their addresses",
    .example = "  vnetctl networks\n  vnetctl networks --json | jq -r '.networks[].subnet'",
    .opts = opts,
    .run = run_networks,
};

const struct ctl_verb ctl_verb_show = {
    .name = "show",
    .synopsis = "vmnetN [--json]",
    .summary = "Shows everything about one network",
    .example = "  vnetctl show vmnet8",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run_show,
};
