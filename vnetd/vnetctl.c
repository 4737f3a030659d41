/* SPDX-License-Identifier: GPL-2.0-or-later
 * vnetctl.c - the control tool: its verbs, the options before them, and the way to the right one.
 */
#include "vnetd/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"
#include "vnetd/ctl_text.h"

const struct ctl_verb *const ctl_verbs[] = {
    &ctl_verb_status,
    &ctl_verb_networks,
    &ctl_verb_show,
    &ctl_verb_check,
    &ctl_verb_doctor,
    &ctl_verb_reload,
    &ctl_verb_events,
    &ctl_verb_leases,
    &ctl_verb_ip,
    &ctl_verb_forward,
    &ctl_verb_redirect,
    &ctl_verb_connections,
    &ctl_verb_dns,
    &ctl_verb_ports,
    &ctl_verb_port,
    &ctl_verb_promisc,
    &ctl_verb_attach,
    &ctl_verb_detach,
    &ctl_verb_watch,
    &ctl_verb_capture,
    &ctl_verb_top,
    &ctl_verb_create,
    &ctl_verb_delete,
    &ctl_verb_set,
    &ctl_verb_reserve,
    &ctl_verb_unreserve,
    &ctl_verb_libvirt,
    &ctl_verb_help,
    NULL,
};

const struct ctl_opt ctl_program_opts[] = {
    {"config-dir", 0, "DIR", "configuration (default " VNET_CONFIG_DIR ")"},
    {"state-dir", 0, "DIR", "leases (default " VNET_STATE_DIR ")"},
    CTL_OPT_RUN_DIR,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    CTL_OPT_VERSION,
    {0},
};

const struct ctl_verb *
ctl_find_verb(const char *name)
{
	for (size_t i = 0; ctl_verbs[i]; i++) {
		if (strcmp(ctl_verbs[i]->name, name) == 0)
			return ctl_verbs[i];
	}
	return NULL;
}

static enum ctl_exit
print_help(struct ctl *c, const struct ctl_verb *v)
{
	struct strbuf text;

	strbuf_init(&text);
	if (v)
		ctl_help_verb(&text, v);
	else
		ctl_help_program(&text);
	return ctl_print(c, &text);
}

/* argv: the verb and what follows it. */
static enum ctl_exit
run_verb(struct ctl *c, char **argv)
{
	const struct ctl_verb *v = ctl_find_verb(argv[0]);
	enum ctl_exit r = CTL_USAGE;
	struct ctl_args a;
	struct strbuf why;

	if (!v)
		return ctl_unknown_verb(argv[0]);
	strbuf_init(&why);
	if (!ctl_args_parse(&a, v->opts, argv + 1, CTL_ARGS_ALL, &why))
		r = ctl_misuse(v, "%s", strbuf_str(&why));
	else if (ctl_args_get(&a, "help"))
		r = print_help(c, v);
	else if (a.npos < v->min_pos)
		r = ctl_misuse(v, "%s needs more than that", v->name);
	else if (a.npos > v->max_pos)
		r = ctl_misuse(v, "%s takes no \"%s\"", v->name, a.pos[v->max_pos]);
	else if (a.rest && !v->command)
		r = ctl_misuse(v, "%s runs no command", v->name);
	else {
		c->quiet = c->quiet || ctl_args_get(&a, "quiet");
		c->json = ctl_args_get(&a, "json") != NULL;
		r = v->run(c, &a);
	}
	strbuf_fini(&why);
	return r;
}

/* Colour helps on a terminal only, and some people do not want it (no-color.org). */
static bool
wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

int
main(UNUSED int argc, char **argv)
{
	struct ctl c = {.config_dir = VNET_CONFIG_DIR, .run_dir = VNET_RUN_DIR};
	enum ctl_exit r = CTL_USAGE;
	struct ctl_args a;
	struct strbuf why;

	ctl_text_init();
	strbuf_init(&why);
	c.colour = wants_colour();
	if (!ctl_args_parse(&a, ctl_program_opts, argv + 1, CTL_ARGS_UNTIL_VERB, &why)) {
		ctl_complain("%s. Help: vnetctl help", strbuf_str(&why));
	} else if (ctl_args_get(&a, "version")) {
		puts("vnetctl " VNET_VERSION);
		r = CTL_OK;
	} else if (ctl_args_get(&a, "help")) {
		r = print_help(&c, NULL);
	} else if (a.npos == 0) {
		ctl_complain(
		    "a verb is missing. All verbs: vnetctl help. To begin with: vnetctl status");
	} else {
		c.quiet = ctl_args_get(&a, "quiet") != NULL;
		if (ctl_args_get(&a, "config-dir"))
			c.config_dir = ctl_args_get(&a, "config-dir");
		if (ctl_args_get(&a, "run-dir"))
			c.run_dir = ctl_args_get(&a, "run-dir");
		r = run_verb(&c, a.pos);
	}
	strbuf_fini(&why);
	return (int)r;
}
