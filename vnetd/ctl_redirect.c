/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_redirect.c - the verb `redirect`: what the services of redirect.d do.
 */
#include <string.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_redirect_text.h"

static const struct ctl_opt opts[] = {CTL_OPT_JSON, CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

static const char *const words[] = {"list", "show", "kill", NULL};

static enum ctl_exit
list(struct ctl *c)
{
	struct rows rows = ROWS_INIT(REDIRECT_ROW, redirect_row);
	struct rows *want[] = {&rows};
	struct msg request = msg_make(MSG_REDIRECT_LIST, 0);
	enum ctl_exit r = ctl_ask(c, &request, want, ARRAY_LEN(want));
	struct strbuf text;

	if (r == CTL_OK && c->json) {
		r = ctl_print_json(c, redirect_json_list(rows.v, rows.n), false);
	} else if (r == CTL_OK) {
		strbuf_init(&text);
		redirect_render_list(&text, rows.v, rows.n, c->colour);
		r = ctl_print(c, &text);
		if (rows.n == 0)
			ctl_hint(c, "nothing is redirected: see vnet-redirect.conf(5)");
	}
	rows_fini(&rows);
	return r;
}

/* Both answers over one connection. */
static enum ctl_exit
gather(struct client *client, const char *name, struct rows *row, struct rows *conns)
{
	struct msg q = msg_make(MSG_REDIRECT_LIST, 0);
	enum ctl_exit r;

	MSG_SET_STR(q.u.redirect_list.name, name);
	r = client_gather(client, &q, &row, 1);
	if (r != CTL_OK)
		return r;
	q = msg_make(MSG_REDIRECT_SHOW, 0);
	MSG_SET_STR(q.u.redirect_show.name, name);
	return client_gather(client, &q, &conns, 1);
}

static enum ctl_exit
print_one(const struct ctl *c, const struct rows *row, const struct rows *conns, const char *remark)
{
	struct strbuf text;
	enum ctl_exit r;

	if (row->n != 1) {
		ctl_complain("vnetd answered without the redirection");
		return CTL_FAILED;
	}
	if (c->json)
		return ctl_print_json(c, redirect_json_show(row->v, conns->v, conns->n), false);
	strbuf_init(&text);
	redirect_render_show(&text, row->v, conns->v, conns->n, c->colour);
	r = ctl_print(c, &text);
	if (*remark)
		ctl_hint(c, remark);
	return r;
}

/* A name as vnetd takes it. */
static bool
name_ok(const char *name, size_t cap)
{
	if (*name && strlen(name) < cap)
		return true;
	ctl_misuse(&ctl_verb_redirect, "\"%s\" is not the name of a redirection", name);
	return false;
}

static enum ctl_exit
show(struct ctl *c, const char *name)
{
	struct rows row = ROWS_INIT(REDIRECT_ROW, redirect_row);
	struct rows conns = ROWS_INIT(REDIRECT_CONN, redirect_conn);
	struct client client;
	enum ctl_exit r;

	if (!name_ok(name, sizeof(((struct msg_redirect_list *)0)->name)))
		return CTL_USAGE;
	r = client_open(&client, c->run_dir);
	if (r == CTL_OK)
		r = gather(&client, name, &row, &conns);
	ctl_explain(r, &client);
	if (r == CTL_OK)
		r = print_one(c, &row, &conns, client.text);
	client_close(&client);
	rows_fini(&row);
	rows_fini(&conns);
	return r;
}

static enum ctl_exit
end_some(struct ctl *c, const char *what)
{
	struct msg request = msg_make(MSG_REDIRECT_KILL, 0);
	struct strbuf text;
	enum ctl_exit r;

	if (!name_ok(what, sizeof(request.u.redirect_kill.what)))
		return CTL_USAGE;
	MSG_SET_STR(request.u.redirect_kill.what, what);
	strbuf_init(&text);
	r = ctl_change(c, &request, NULL, NULL, &text);
	if (r == CTL_OK) {
		strbuf_addc(&text, '\n');
		r = ctl_print(c, &text);
	}
	strbuf_fini(&text);
	return r;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	const char *word = a->pos[0], *meant = ctl_did_you_mean(word, words);

	if (strcmp(word, "list") == 0)
		return a->npos == 1
			   ? list(c)
			   : ctl_misuse(&ctl_verb_redirect, "list takes no \"%s\"", a->pos[1]);
	if ((strcmp(word, "show") == 0 || strcmp(word, "kill") == 0) && a->npos < 2)
		return ctl_misuse(&ctl_verb_redirect, "%s needs the name of a redirection", word);
	if (strcmp(word, "show") == 0)
		return show(c, a->pos[1]);
	if (strcmp(word, "kill") == 0 && c->json)
		return ctl_misuse(&ctl_verb_redirect, "--json is for looking");
	if (strcmp(word, "kill") == 0)
		return end_some(c, a->pos[1]);
	return ctl_misuse(&ctl_verb_redirect, "unknown word \"%s\" behind \"redirect\"%s%s%s", word,
			  meant ? ", did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

const struct ctl_verb ctl_verb_redirect = {
    .name = "redirect",
    .synopsis = "list [--json]\n"
		"   or: vnetctl redirect show NAME [--json]\n"
		"   or: vnetctl redirect kill NAME|ID",
    .summary = "Lists the TCP redirections, shows or ends their connections",
    .detail =
	"Redirections are kept in the files of redirect.d; edit them, then: vnetctl reload\n"
	"  list  where each listens and leads, bytes from (IN) and to (OUT) its clients, and how\n"
	"        many were refused and why\n"
	"  show  everything about one, and its connections\n"
	"  kill  ends the connections of one, or the one with that ID; new ones are welcome\n"
	"One that is \"removed\" is not in redirect.d any more, but has connections still.\n"
	"Numbers count from the start of vnet-redird. See vnet-redirect.conf(5).",
    .example = "  vnetctl redirect list\n"
	       "  sudo vnetctl redirect kill 17\n"
	       "  vnetctl redirect list --json | jq '.redirections[] | {name, bytes_in}'",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 2,
    .run = run,
};
