/* SPDX-License-Identifier: GPL-2.0-or-later
 * main.c - vnetd's options and roles, nothing else: priv (the default), engine (-R engine), --teardown,
 * the check of the configuration (-n, -nn).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/log.h"
#include "paths.h"
#include "vnetd/check.h"
#include "vnetd/engine.h"
#include "vnetd/priv.h"
#include "vnetd/start.h"
#include "vnetd/teardown.h"

enum { EXIT_USAGE = 2 };

enum what { RUN, RUN_ENGINE, TEARDOWN };

struct options {
	struct dirs dirs;
	enum what what;
	unsigned foreground; /* how many -d */
	unsigned check;      /* how many -n */
	enum log_level level;
};

static const char usage[] =
    "usage: vnetd [-d | -dd] [OPTION]...\n"
    "       vnetd -n | -nn [OPTION]...\n"
    "       vnetd --teardown [OPTION]...\n"
    "\n"
    "Runs the virtual networks vmnet0 to vmnet255. Without -d vnetd goes to the background as\n"
    "soon as they are up.\n"
    "\n"
    "  -d                 stay in the foreground, log to stderr (-dd: everything)\n"
    "  -n                 check the configuration and exit (-nn: print the effective one too)\n"
    "      --teardown     stop vnetd and remove all networks from this host\n"
    "      --config-dir=DIR   configuration [" VNET_CONFIG_DIR "]\n"
    "      --state-dir=DIR    leases [" VNET_STATE_DIR "]\n"
    "      --run-dir=DIR      client socket and lock [" VNET_RUN_DIR "]\n"
    "      --libexec-dir=DIR  the programs of the workers [" VNET_LIBEXECDIR "]\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version\n";

enum { OPT_CONFIG = 256, OPT_STATE, OPT_RUN, OPT_LIBEXEC, OPT_TEARDOWN, OPT_LEVEL };

static const struct option longs[] = {
    {"config-dir", required_argument, NULL, OPT_CONFIG},
    {"state-dir", required_argument, NULL, OPT_STATE},
    {"run-dir", required_argument, NULL, OPT_RUN},
    {"libexec-dir", required_argument, NULL, OPT_LIBEXEC},
    {"teardown", no_argument, NULL, OPT_TEARDOWN},
    {"log-level", required_argument, NULL, OPT_LEVEL}, /* from priv to the engine */
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

__attribute__((noreturn)) static void
complain(const char *subject, const char *what)
{
	fprintf(stderr, "vnetd: %s%s. Try: vnetd --help\n", subject, what);
	exit(EXIT_USAGE);
}

/* The daemon changes its root and its working folder, so a relative path would lead elsewhere. */
static const char *
folder(char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/')
		complain(path, ": not an absolute path");
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	return path;
}

static enum log_level
level(const char *arg)
{
	if (arg[0] < '0' || arg[0] > '0' + LOG_LEVEL_DEBUG || arg[1])
		complain(arg, ": not a log level");
	return (enum log_level)(arg[0] - '0');
}

static void
parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "dnhVR:", longs, NULL)) != -1)
		switch (c) {
		case 'd':
			o->foreground++;
			break;
		case 'n':
			o->check++;
			break;
		case 'R':
			if (strcmp(optarg, "engine") != 0)
				complain(optarg, ": no such role");
			o->what = RUN_ENGINE;
			break;
		case OPT_CONFIG:
			o->dirs.config = folder(optarg);
			break;
		case OPT_STATE:
			o->dirs.state = folder(optarg);
			break;
		case OPT_RUN:
			o->dirs.run = folder(optarg);
			break;
		case OPT_LIBEXEC:
			o->dirs.libexec = folder(optarg);
			break;
		case OPT_TEARDOWN:
			o->what = TEARDOWN;
			break;
		case OPT_LEVEL:
			o->level = level(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("vnetd " VNET_VERSION);
			exit(0);
		default:
			exit(EXIT_USAGE); /* getopt has said why */
		}
	if (optind < argc)
		complain(argv[optind], ": unexpected argument");
}

static int
run(const struct options *o)
{
	const struct start_options so = {
	    .dirs = &o->dirs,
	    .level = o->level,
	    .level_fixed = o->foreground > 1,
	    .foreground = o->foreground > 0,
	};
	struct start s;

	return start_up(&s, &so) < 0 ? 1 : priv_main(&s);
}

int
main(int argc, char **argv)
{
	struct options o = {
	    .dirs = {VNET_CONFIG_DIR, VNET_STATE_DIR, VNET_RUN_DIR, VNET_LIBEXECDIR},
	    .level = LOG_LEVEL_INFO,
	};

	/* The engine is executed as /proc/self/exe, which would be its name in ps. */
	prctl(PR_SET_NAME, "vnetd");
	parse(&o, argc, argv);
	if (o.foreground > 1)
		o.level = LOG_LEVEL_DEBUG;
	log_open("vnetd", o.level);
	if (o.check)
		return check_main(&o.dirs, o.check > 1);
	switch (o.what) {
	case RUN:
		return run(&o);
	case RUN_ENGINE:
		return engine_main(&o.dirs, o.level);
	case TEARDOWN:
		return teardown_main(&o.dirs);
	}
	return EXIT_USAGE;
}
