/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks.c - vnet-networks: the front end of vmware-networks, so that what calls that one can call
 * this one. Verbs, lines on stdout and exit status are VMware's; explanations go to stderr.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/diag.h"
#include "paths.h"
#include "vnetd/conf_folder.h"
#include "vnetd/ctl_args.h"
#include "vnetd/networks_conf.h"
#include "vnetd/networks_service.h"

static const struct ctl_opt opts[] = {
    {"start", 0, NULL, "start all services of all networks"},
    {"stop", 0, NULL, "stop them and remove everything that vnetd made"},
    {"status", 0, NULL, "show each service; status 0 when all of them run"},
    {"postinstall", 0, "PRODUCT,OLD,NEW", "write the default configuration unless there is one"},
    {"migrate-network-settings", 0, "FILE",
     "take over the settings in FILE; an empty file means the defaults"},
    {"config-dir", 0, "DIR", "configuration (default " VNET_CONFIG_DIR ")"},
    {"state-dir", 0, "DIR", "leases (default " VNET_STATE_DIR ")"},
    CTL_OPT_RUN_DIR,
    CTL_OPT_HELP,
    CTL_OPT_VERSION,
    {0},
};

/* The first five options are the verbs. */
#define VERBS 5

PRINTF_LIKE(1, 2)
static void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("vnet-networks: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static void
help(void)
{
	puts("usage: vnet-networks [--config-dir DIR] [--state-dir DIR] [--run-dir DIR] VERB\n");
	for (const struct ctl_opt *o = opts; o->name; o++)
		printf("  --%s%s%s\n        %s\n", o->name, o->value ? " " : "",
		       o->value ? o->value : "", o->help);
	puts("\nexample:\n  sudo vnet-networks --stop && sudo vnet-networks --start");
}

/* The services that the configuration wants, none of them working. */
static size_t
services_of_folder(const struct service_dirs *dirs, struct net_services *net)
{
	struct conf_folder folder;
	struct conf *conf = NULL;
	struct strbuf why;
	struct diags d;
	size_t n = 0;

	diags_init(&d);
	strbuf_init(&why);
	if (!conf_folder_read(&folder, dirs->config, &why))
		complain("%s", strbuf_str(&why));
	else
		conf = conf_build(&folder.src, &d);
	if (conf && !conf->default_conf_needed)
		n = net_services_of_conf(net, conf);
	conf_free(conf);
	conf_folder_fini(&folder);
	strbuf_fini(&why);
	diags_fini(&d);
	return n;
}

/* What runs, or else what should. */
static size_t
gather(const struct service_dirs *dirs, struct net_services *net, bool explain)
{
	struct strbuf why;
	size_t n;

	strbuf_init(&why);
	if (service_ask(dirs, net, &n, &why) != CTL_OK) {
		if (explain)
			complain("%s", strbuf_str(&why));
		n = services_of_folder(dirs, net);
	}
	strbuf_fini(&why);
	return n;
}

/* Prints the lines. done: the verb itself did not fail. */
static enum ctl_exit
print(enum lines_verb verb, const struct net_services *net, size_t n, bool done)
{
	struct strbuf out;
	bool all;

	strbuf_init(&out);
	all = networks_lines(&out, verb, net, n) && done;
	fputs(strbuf_str(&out), stdout);
	strbuf_fini(&out);
	return fflush(stdout) == 0 && all ? CTL_OK : CTL_FAILED;
}

static enum ctl_exit
start(const struct service_dirs *dirs)
{
	struct net_services net[CONF_NETS];
	struct strbuf why;
	bool ok;

	strbuf_init(&why);
	ok = service_start(dirs, &why);
	if (!ok)
		complain("%s", strbuf_str(&why));
	strbuf_fini(&why);
	return print(LINES_START, net, gather(dirs, net, ok), ok);
}

static enum ctl_exit
stop(const struct service_dirs *dirs)
{
	struct net_services net[CONF_NETS];
	size_t n = gather(dirs, net, false);
	struct strbuf why;
	bool ok;

	strbuf_init(&why);
	ok = service_stop(dirs, &why);
	if (!ok)
		complain("%s", strbuf_str(&why));
	for (size_t i = 0; i < n; i++)
		net[i].bridge_up = net[i].adapter_up = net[i].dhcp_up = net[i].nat_up = !ok;
	strbuf_fini(&why);
	return print(LINES_STOP, net, n, ok);
}

static enum ctl_exit
change_files(const struct service_dirs *dirs, const char *product, const char *settings)
{
	struct net_services net[CONF_NETS];
	struct strbuf why;
	size_t n;
	bool ok;

	strbuf_init(&why);
	if (product) {
		ok = networks_postinstall(dirs->config, product, &why);
	} else if (service_ask(dirs, net, &n, &why) == CTL_OK) {
		strbuf_add(&why, "vnetd runs. First: vnet-networks --stop");
		ok = false;
	} else {
		strbuf_fini(&why);
		ok = networks_migrate(dirs->config, settings, &why);
	}
	if (!ok)
		complain("%s", strbuf_str(&why));
	strbuf_fini(&why);
	return ok ? CTL_OK : CTL_FAILED;
}

static enum ctl_exit
run(const struct ctl_args *a)
{
	const char *config = ctl_args_get(a, "config-dir"), *state = ctl_args_get(a, "state-dir");
	const char *run_dir = ctl_args_get(a, "run-dir"), *verb = NULL;
	const struct service_dirs dirs = {
	    config ? config : VNET_CONFIG_DIR,
	    state ? state : VNET_STATE_DIR,
	    run_dir ? run_dir : VNET_RUN_DIR,
	};
	struct net_services net[CONF_NETS];
	unsigned verbs = 0;

	for (size_t i = 0; i < VERBS; i++) {
		if (ctl_args_get(a, opts[i].name)) {
			verb = opts[i].name;
			verbs++;
		}
	}
	if (verbs != 1) {
		complain("exactly one of --start, --stop, --status, --postinstall and "
			 "--migrate-network-settings is needed. Help: vnet-networks --help");
		return CTL_USAGE;
	}
	if (strcmp(verb, "status") == 0)
		return print(LINES_STATUS, net, gather(&dirs, net, true), true);
	if (geteuid() != 0) {
		complain("this needs root. Try: sudo vnet-networks --%s", verb);
		return CTL_FAILED;
	}
	if (strcmp(verb, "start") == 0)
		return start(&dirs);
	if (strcmp(verb, "stop") == 0)
		return stop(&dirs);
	return change_files(&dirs, ctl_args_get(a, "postinstall"),
			    ctl_args_get(a, "migrate-network-settings"));
}

int
main(UNUSED int argc, char **argv)
{
	enum ctl_exit r = CTL_OK;
	struct ctl_args a;
	struct strbuf why;

	strbuf_init(&why);
	if (!ctl_args_parse(&a, opts, argv + 1, CTL_ARGS_ALL, &why)) {
		complain("%s. Help: vnet-networks --help", strbuf_str(&why));
		r = CTL_USAGE;
	} else if (ctl_args_get(&a, "help")) {
		help();
	} else if (ctl_args_get(&a, "version")) {
		puts("vnet-networks " VNET_VERSION);
	} else if (a.npos || a.rest) {
		complain("unknown word \"%s\". Help: vnet-networks --help",
			 a.npos ? a.pos[0] : "--");
		r = CTL_USAGE;
	} else {
		r = run(&a);
	}
	strbuf_fini(&why);
	return (int)r;
}
