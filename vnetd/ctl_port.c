/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_port.c - the verb `port`: one port, its policy and how to change it.
 */
#include <string.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt opts[] = {CTL_OPT_JSON, CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

const struct msg_port_row *
ctl_find_port(const struct rows *ports, const char *what)
{
	const struct msg_port_row *p = ports->v, *found = NULL;
	struct mac mac;
	bool is_mac = ctl_parse_mac(&mac, what);

	for (size_t i = 0; i < ports->n; i++) {
		if (strcmp(p[i].name, what) == 0)
			return &p[i];
	}
	for (size_t i = 0; i < ports->n && !found; i++) {
		if (strcmp(p[i].ifname, what) == 0 || (is_mac && mac_eq(p[i].mac, mac)))
			found = &p[i];
	}
	return found;
}

bool
ctl_port_field(const struct ctl_verb *v, char field[64], const char *what)
{
	if (strlen(what) >= 64) {
		ctl_misuse(v, "\"%s\" is too long for a port's name", what);
		return false;
	}
	msg_str(field, 64, what);
	return true;
}

/* What is known about the promiscuous mode of one port: of several rows the one with its name. */
static void
keep_request(struct rows *requests, const struct msg_port_row *p)
{
	struct msg_promisc_row *r = requests->v;
	size_t kept = 0;

	for (size_t i = 0; i < requests->n && kept == 0; i++) {
		if (r[i].net == p->net &&
		    (strcmp(r[i].port, p->name) == 0 || strcmp(r[i].port, p->ifname) == 0))
			r[kept++] = r[i];
	}
	requests->n = kept;
}

static enum ctl_exit
gather(struct client *client, const char *what, struct rows *ports, struct rows *requests,
       const struct msg_port_row **port)
{
	struct rows *want_ports[] = {ports}, *want_requests[] = {requests};
	struct msg q = msg_make(MSG_PORT_LIST, 0);
	enum ctl_exit r;

	q.u.port_list.net = MSG_NET_ALL;
	r = client_gather(client, &q, want_ports, 1);
	if (r != CTL_OK)
		return r;
	*port = ctl_find_port(ports, what);
	if (!*port) {
		strbuf_addf(&client->why, "there is no port \"%s\". All ports: vnetctl ports",
			    what);
		return CTL_FAILED;
	}
	q = msg_make(MSG_PROMISC_LIST, 0);
	q.u.promisc_list.net = (*port)->net;
	r = client_gather(client, &q, want_requests, 1);
	if (r == CTL_OK)
		keep_request(requests, *port);
	return r;
}

static enum ctl_exit
show(struct ctl *c, const char *what)
{
	struct rows ports = ROWS_INIT(PORT_ROW, port_row);
	struct rows requests = ROWS_INIT(PROMISC_ROW, promisc_row);
	struct view v = {.now = ctl_now_ms() / 1000, .colour = c->colour};
	const struct msg_port_row *port = NULL;
	struct client client;
	struct strbuf text;
	enum ctl_exit r = client_open(&client, c->run_dir);

	if (r == CTL_OK)
		r = gather(&client, what, &ports, &requests, &port);
	ctl_explain(r, &client);
	client_close(&client);
	if (r == CTL_OK) {
		struct facts f = {
		    .port = port, .nports = 1, .promisc = requests.v, .npromisc = requests.n};

		strbuf_init(&text);
		if (c->json) {
			r = ctl_print_json(c, json_of_one_port(&f), false);
		} else {
			render_port(&text, &f, &v);
			r = ctl_print(c, &text);
		}
	}
	rows_fini(&ports);
	rows_fini(&requests);
	return r;
}

/* Prints vnetd's own words about a change, or ours. */
static enum ctl_exit
print_fact(const struct ctl *c, struct strbuf *text, const char *port, const char *fact)
{
	if (text->len == 0)
		strbuf_addf(text, "%s: %s", port, fact);
	strbuf_addc(text, '\n');
	return ctl_print(c, text);
}

static enum ctl_exit
set(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_PORT_SETTING, 0);
	struct msg_port_setting *m = &request.u.port_setting;
	const char *key = a->pos[2], *value = a->pos[3];
	struct strbuf text, fact;
	enum ctl_exit r;

	if (!ctl_port_field(&ctl_verb_port, m->port, a->pos[0]) ||
	    !ctl_key_ok(&ctl_verb_port, SCHEMA_PORT, "a port", key, value, sizeof(m->value)))
		return CTL_USAGE;
	MSG_SET_STR(m->key, key);
	MSG_SET_STR(m->value, value);
	strbuf_init(&text);
	strbuf_init(&fact);
	strbuf_addf(&fact, "%s = %s", m->key, *m->value ? m->value : "default");
	r = ctl_change(c, &request, NULL, NULL, &text);
	if (r == CTL_OK)
		r = print_fact(c, &text, m->port, strbuf_str(&fact));
	strbuf_fini(&text);
	strbuf_fini(&fact);
	return r;
}

static enum ctl_exit
unpin(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_PORT_UNPIN, 0);
	struct msg_port_unpin *m = &request.u.port_unpin;
	struct strbuf text;
	enum ctl_exit r;

	if (!ctl_port_field(&ctl_verb_port, m->port, a->pos[0]))
		return CTL_USAGE;
	strbuf_init(&text);
	r = ctl_change(c, &request, NULL, NULL, &text);
	if (r == CTL_OK)
		r = print_fact(c, &text, m->port, "the next address that it uses is its own");
	strbuf_fini(&text);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	static const char *const words[] = {"set", "unpin", NULL};
	const char *word = a->npos > 1 ? a->pos[1] : "", *meant;

	if (a->npos == 1)
		return show(c, a->pos[0]);
	if (c->json)
		return ctl_misuse(&ctl_verb_port, "--json is for looking at a port");
	if (strcmp(word, "set") == 0 && a->npos == 4)
		return set(c, a);
	if (strcmp(word, "set") == 0)
		return ctl_misuse(&ctl_verb_port, "set needs a key and its value");
	if (strcmp(word, "unpin") == 0 && a->npos == 2)
		return unpin(c, a);
	if (strcmp(word, "unpin") == 0)
		return ctl_misuse(&ctl_verb_port, "unpin takes no \"%s\"", a->pos[2]);
	meant = ctl_did_you_mean(word, words);
	return ctl_misuse(&ctl_verb_port, "unknown word \"%s\" behind the port%s%s%s", word,
			  meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

static void
list_keys(struct strbuf *out)
{
	ctl_help_keys(out, SCHEMA_PORT);
}

const struct ctl_verb ctl_verb_port = {
    .name = "port",
    .synopsis = "PORT [--json]\n   or: vnetctl port PORT set KEY VALUE\n"
		"   or: vnetctl port PORT unpin",
    .summary = "Shows everything about one port, or changes its policy",
    .detail =
	"PORT is the port's name, its interface or the guest's MAC address, as vnetctl ports\n"
	"shows them. A setting works at once, and is kept in the section [port PORT] of\n"
	"vnetd.conf; the value \"default\" goes back to the default. `unpin` forgets the address\n"
	"that a sticky port has: the next one that it uses is its own. See vnet-ports(7).",
    .example = "  vnetctl port web1\n"
	       "  sudo vnetctl port web1 set rate-out 10M\n"
	       "  sudo vnetctl port web1 set link down\n"
	       "  sudo vnetctl port ids set mirror-of web1\n"
	       "  vnetctl port web1 --json | jq .port.drops",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 4,
    .run = run,
    .more_help = list_keys,
};
