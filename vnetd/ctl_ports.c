/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_ports.c - the verbs `ports` and `detach`.
 */
#include "vnetd/ctl.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt list_opts[] = {CTL_OPT_JSON, CTL_OPT_QUIET, CTL_OPT_HELP, {0}};
static const struct ctl_opt detach_opts[] = {CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

static enum ctl_exit
run_ports(struct ctl *c, const struct ctl_args *a)
{
	struct rows ports = ROWS_INIT(PORT_ROW, port_row);
	struct rows *want[] = {&ports};
	struct msg request = msg_make(MSG_PORT_LIST, 0);
	struct view v = {.colour = c->colour};
	struct strbuf text;
	enum ctl_exit r;

	request.u.port_list.net = MSG_NET_ALL;
	if (a->npos == 1 && !ctl_parse_net(&request.u.port_list.net, a->pos[0]))
		return CTL_USAGE;
	r = ctl_ask(c, &request, want, ARRAY_LEN(want));
	if (r == CTL_OK) {
		struct facts f = {.port = ports.v, .nports = ports.n};

		if (c->json) {
			r = ctl_print_json(c, json_of_ports(&f), false);
		} else {
			strbuf_init(&text);
			render_ports(&text, &f, &v);
			r = ctl_print(c, &text);
			if (ports.n == 0)
				ctl_hint(c, "no guest is attached. How to attach one: vnetctl "
					    "attach --help");
		}
	}
	rows_fini(&ports);
	return r;
}

static enum ctl_exit
run_detach(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_DETACH, 0);
	struct client client;
	struct strbuf text;
	enum ctl_exit r;

	if (!ctl_port_field(&ctl_verb_detach, request.u.detach.port, a->pos[0]))
		return CTL_USAGE;
	r = client_open(&client, c->run_dir);
	if (r == CTL_OK)
		r = client_call(&client, &request, -1, CLIENT_CHANGE_MS, NULL, NULL);
	ctl_explain(r, &client);
	if (r == CTL_OK) {
		strbuf_init(&text);
		if (client.text[0])
			strbuf_addf(&text, "%s\n", client.text);
		else
			strbuf_addf(&text, "%s is detached\n", a->pos[0]);
		r = ctl_print(c, &text);
	}
	client_close(&client);
	return r;
}

const struct ctl_verb ctl_verb_ports = {
    .name = "ports",
    .synopsis = "[vmnetN] [--json]",
    .summary = "Lists the guests that are attached",
    .detail =
	"POLICY says which source addresses the guest may use: given (the one that was told),\n"
	"sticky (the first that it uses), learn (several), any. PROMISC says whether it sees the\n"
	"frames of others, DROPPED how many of its own the gate did not let pass, and mostly why.\n"
	"Everything about one port: vnetctl port PORT. See vnet-ports(7).",
    .example =
	"  vnetctl ports vmnet8\n  vnetctl ports --json | jq -r '.ports[] | .name, .address'",
    .opts = list_opts,
    .max_pos = 1,
    .run = run_ports,
};

const struct ctl_verb ctl_verb_detach = {
    .name = "detach",
    .synopsis = "PORT",
    .summary = "Unplugs a guest",
    .detail =
	"PORT is the port's name, its interface or the guest's MAC address, as vnetctl ports\n"
	"shows them.",
    .example = "  vnetctl detach vmnet8p3",
    .opts = detach_opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run_detach,
};
