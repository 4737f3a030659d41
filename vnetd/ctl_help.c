/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_help.c - the verb `help`, and the text of every --help, made from the tables.
 */
#include <string.h>

#include "vnetd/ctl.h"

/* More than there are. */
#define VERBS_MAX 40

static void
add_opts(struct strbuf *out, const struct ctl_opt *opts)
{
	for (; opts->name; opts++) {
		struct strbuf left;

		strbuf_init(&left);
		if (opts->letter)
			strbuf_addf(&left, "-%c, ", opts->letter);
		strbuf_addf(&left, "--%s", opts->name);
		if (opts->value)
			strbuf_addf(&left, " %s", opts->value);
		strbuf_addf(out, "  %-20s  %s\n", strbuf_str(&left), opts->help);
		strbuf_fini(&left);
	}
}

void
ctl_help_verb(struct strbuf *out, const struct ctl_verb *v)
{
	strbuf_addf(out, "usage: vnetctl %s%s%s\n\n%s.\n", v->name, *v->synopsis ? " " : "",
		    v->synopsis, v->summary);
	if (v->detail)
		strbuf_addf(out, "\n%s\n", v->detail);
	strbuf_add(out, "\noptions:\n");
	add_opts(out, v->opts);
	if (v->more_help)
		v->more_help(out);
	strbuf_addf(out, "\nexample:\n%s\n", v->example);
}

void
ctl_help_program(struct strbuf *out)
{
	strbuf_add(out, "usage: vnetctl [option...] verb ...\n\nverbs:\n");
	for (size_t i = 0; ctl_verbs[i]; i++)
		strbuf_addf(out, "  %-10s  %s\n", ctl_verbs[i]->name, ctl_verbs[i]->summary);
	strbuf_add(out, "\noptions before the verb:\n");
	add_opts(out, ctl_program_opts);
	strbuf_add(out, "\nMore about a verb: vnetctl VERB --help. Manual: vnetctl(8)\n"
			"Exit status: 0 done, 1 failed, 2 wrong usage, 3 vnetd does not answer\n");
}

enum ctl_exit
ctl_unknown_verb(const char *name)
{
	const char *names[VERBS_MAX + 1] = {0};
	const char *meant;

	for (size_t i = 0; ctl_verbs[i] && i < VERBS_MAX; i++)
		names[i] = ctl_verbs[i]->name;
	meant = ctl_did_you_mean(name, names);
	if (meant)
		ctl_complain("unknown verb \"%s\", did you mean \"%s\"? All verbs: vnetctl help",
			     name, meant);
	else
		ctl_complain("unknown verb \"%s\". All verbs: vnetctl help", name);
	return CTL_USAGE;
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	const struct ctl_verb *v = NULL;
	struct strbuf text;

	if (a->npos == 1) {
		v = ctl_find_verb(a->pos[0]);
		if (!v)
			return ctl_unknown_verb(a->pos[0]);
	}
	strbuf_init(&text);
	if (v)
		ctl_help_verb(&text, v);
	else
		ctl_help_program(&text);
	return ctl_print(c, &text);
}

static const struct ctl_opt opts[] = {CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

const struct ctl_verb ctl_verb_help = {
    .name = "help",
    .synopsis = "[VERB]",
    .summary = "Lists all verbs, or explains one",
    .example = "  vnetctl help attach",
    .opts = opts,
    .max_pos = 1,
    .run = run,
};
