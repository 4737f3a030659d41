/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_change.c - the verbs that change the configuration: `create`, `delete`, `set`, `reload`.
 *
 * vnetd edits the file that owns the fact and reloads; here the words are only put into a message.
 * What is wrong is said by vnetd, once.
 */
#include <string.h>

#include "conf/conf.h"
#include "conf/schema.h"
#include "vnetd/ctl.h"

static const struct ctl_opt opts[] = {CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

/* Who gets the rows of an answer. */
struct relay {
	const struct ctl *c;
	client_row_fn *row;
	void *arg;
};

/* What is wrong with the configuration goes to stderr, everything else to the caller. */
static void
relay_row(const struct msg *row, int *fds, size_t nfds, void *arg)
{
	const struct relay *r = arg;
	const struct msg_diag_row *d = &row->u.diag_row;

	if (row->type != MSG_DIAG_ROW) {
		if (r->row)
			r->row(row, fds, nfds, r->arg);
	} else if (d->level == DIAG_ERROR || (d->level == DIAG_WARNING && !r->c->quiet)) {
		fprintf(stderr, "%s\n", d->text);
	}
}

enum ctl_exit
ctl_change(const struct ctl *c, struct msg *request, client_row_fn *row, void *arg,
	   struct strbuf *text)
{
	struct relay relay = {.c = c, .row = row, .arg = arg};
	struct client client;
	enum ctl_exit r = client_open(&client, c->run_dir);

	if (r == CTL_OK)
		r = client_call(&client, request, -1, CLIENT_CHANGE_MS, relay_row, &relay);
	ctl_explain(r, &client);
	if (r == CTL_OK)
		strbuf_add(text, client.text);
	client_close(&client);
	return r;
}

bool
ctl_key_ok(const struct ctl_verb *v, enum schema_section section, const char *what, const char *key,
	   const char *value, size_t cap)
{
	const char *meant = schema_did_you_mean(section, key);

	if (!schema_find(section, key)) {
		ctl_misuse(v, "%s has no key \"%s\"%s%s%s", what, key,
			   meant ? ", did you mean \"" : "", meant ? meant : "",
			   meant ? "\"?" : "");
		return false;
	}
	if (strlen(value) >= cap) {
		ctl_misuse(v, "the value is longer than %zu bytes", cap - 1);
		return false;
	}
	return true;
}

static void
take_net(const struct msg *row, UNUSED int *fds, UNUSED size_t nfds, void *arg)
{
	if (row->type == MSG_NET_ROW)
		render_net_fact(arg, &row->u.net_row);
}

/* Puts the request and prints the new fact, unless vnetd has better words for it. fact NULL: the
 * network's row is the fact. */
static enum ctl_exit
change(const struct ctl *c, struct msg *request, const char *fact)
{
	struct strbuf text, out;
	enum ctl_exit r;

	strbuf_init(&text);
	strbuf_init(&out);
	r = ctl_change(c, request, fact ? NULL : take_net, &out, &text);
	if (r == CTL_OK) {
		if (text.len)
			strbuf_addf(&out, "%s\n", strbuf_str(&text));
		else if (fact)
			strbuf_addf(&out, "%s\n", fact);
		r = ctl_print(c, &out);
	}
	strbuf_fini(&text);
	strbuf_fini(&out);
	return r;
}

static enum ctl_exit
run_create(struct ctl *c, const struct ctl_args *a)
{
	static const char *const kinds[] = {"nat", "hostonly", "bridged", "segment", NULL};
	struct msg request = msg_make(MSG_NET_CREATE, 0);
	struct msg_net_create *m = &request.u.net_create;
	enum net_kind kind = NET_HOSTONLY;
	struct prefix4 subnet = {0};

	if (!ctl_parse_net(&m->net, a->pos[0]))
		return CTL_USAGE;
	for (size_t i = 1; i < a->npos; i++) {
		const char *meant;

		if (strcmp(a->pos[i], "custom") != 0 && conf_net_type_parse(&kind, a->pos[i]))
			continue;
		if (strchr(a->pos[i], '/')) {
			if (!prefix4_parse(&subnet, a->pos[i]) || subnet.len == 0)
				return ctl_misuse(&ctl_verb_create,
						  "\"%s\" is not a subnet such as 192.168.80.0/24",
						  a->pos[i]);
			continue;
		}
		meant = ctl_did_you_mean(a->pos[i], kinds);
		return ctl_misuse(
		    &ctl_verb_create, "\"%s\" is neither a type (%s) nor a subnet%s%s%s", a->pos[i],
		    "nat, hostonly, bridged, segment", meant ? ", did you mean \"" : "",
		    meant ? meant : "", meant ? "\"?" : "");
	}
	m->kind = (uint8_t)kind;
	m->subnet = subnet.addr;
	m->len = subnet.len;
	return change(c, &request, NULL);
}

static enum ctl_exit
run_delete(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_NET_DELETE, 0);
	struct strbuf fact;
	enum ctl_exit r;

	if (!ctl_parse_net(&request.u.net_delete.net, a->pos[0]))
		return CTL_USAGE;
	strbuf_init(&fact);
	strbuf_addf(&fact, "vmnet%u is deleted", request.u.net_delete.net);
	r = change(c, &request, strbuf_str(&fact));
	strbuf_fini(&fact);
	return r;
}

static enum ctl_exit
run_set(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_NET_SET, 0);
	struct msg_net_set *m = &request.u.net_set;
	struct strbuf fact;
	enum ctl_exit r;

	if (!ctl_parse_net(&m->net, a->pos[0]))
		return CTL_USAGE;
	if (!ctl_key_ok(&ctl_verb_set, SCHEMA_NET, "a network", a->pos[1], a->pos[2],
			sizeof(m->value)))
		return CTL_USAGE;
	MSG_SET_STR(m->key, a->pos[1]);
	MSG_SET_STR(m->value, a->pos[2]);
	strbuf_init(&fact);
	strbuf_addf(&fact, "vmnet%u: %s = %s", m->net, m->key, *m->value ? m->value : "default");
	r = change(c, &request, strbuf_str(&fact));
	strbuf_fini(&fact);
	return r;
}

/* From the table that also drives the parser. */
void
ctl_help_keys(struct strbuf *out, enum schema_section section)
{
	strbuf_add(out, "\nkeys:\n");
	for (size_t i = 0; i < schema_rows; i++) {
		const struct schema_row *row = &schema_table[i];

		if (row->section != section)
			continue;
		strbuf_addf(out, "  %-16s  ", row->key);
		schema_type_print(out, row);
		strbuf_addf(out, ": %s\n", row->help);
	}
}

static void
list_keys(struct strbuf *out)
{
	ctl_help_keys(out, SCHEMA_NET);
}

static enum ctl_exit
run_reload(struct ctl *c, UNUSED const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_RELOAD_ASK, 0);

	return change(c, &request, "the configuration is in force");
}

const struct ctl_verb ctl_verb_create = {
    .name = "create",
    .synopsis = "vmnetN [nat|hostonly|bridged|segment] [SUBNET/LEN]",
    .summary = "Makes a network",
    .detail = "Without a type it is hostonly; without a subnet an unused private one is chosen.",
    .example =
	"  sudo vnetctl create vmnet2 nat\n  sudo vnetctl create vmnet3 hostonly 10.3.0.0/16",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 3,
    .run = run_create,
};

const struct ctl_verb ctl_verb_delete = {
    .name = "delete",
    .synopsis = "vmnetN",
    .summary = "Removes a network and its settings",
    .example = "  sudo vnetctl delete vmnet2",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run_delete,
};

const struct ctl_verb ctl_verb_set = {
    .name = "set",
    .synopsis = "vmnetN KEY VALUE",
    .summary = "Changes one setting of a network",
    .detail =
	"The file that owns the setting is edited, then the configuration is read again. The\n"
	"value \"default\" goes back to the default.",
    .example = "  sudo vnetctl set vmnet8 mtu 9000",
    .opts = opts,
    .min_pos = 3,
    .max_pos = 3,
    .run = run_set,
    .more_help = list_keys,
};

const struct ctl_verb ctl_verb_reload = {
    .name = "reload",
    .synopsis = "",
    .summary = "Reads the configuration again and applies what changed",
    .detail =
	"What did not change is not touched: no guest loses its link, no connection breaks. A\n"
	"network whose files have errors keeps its running configuration.",
    .example = "  sudo vnetctl reload",
    .opts = opts,
    .run = run_reload,
};
