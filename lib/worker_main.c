/* SPDX-License-Identifier: GPL-2.0-or-later
 * worker_main.c - see worker_main.h.
 */
#include "lib/worker_main.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/sandbox.h"
#include "paths.h"

struct options {
	const char *name, *what;
	const char *run_dir;
	enum log_level level;
};

static void
print_usage(FILE *to, const struct options *o)
{
	fprintf(to,
		"usage: %s [--run-dir=DIR] [--log-level=0-%d]\n"
		"\n"
		"%s of vnetd(8), which starts it; it cannot be started by hand.\n"
		"See %s(8).\n",
		o->name, LOG_LEVEL_DEBUG, o->what, o->name);
}

__attribute__((noreturn)) static void
usage_error(const struct options *o, const char *what, const char *value)
{
	if (what)
		fprintf(stderr, "%s: %s: \"%s\"\n", o->name, what, value);
	print_usage(stderr, o);
	exit(2);
}

static void
parse(int argc, char **argv, struct options *o)
{
	static const struct option longopts[] = {
	    {"config-dir", required_argument, NULL, 'c'},
	    {"state-dir", required_argument, NULL, 's'},
	    {"run-dir", required_argument, NULL, 'r'},
	    {"log-level", required_argument, NULL, 'l'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
		case 's':
			break; /* taken like every program of the suite; the root is empty */
		case 'r':
			o->run_dir = optarg;
			break;
		case 'l':
			if (optarg[0] < '0' || optarg[0] > '0' + LOG_LEVEL_DEBUG || optarg[1])
				usage_error(o, "not a log level", optarg);
			o->level = (enum log_level)(optarg[0] - '0');
			break;
		case 'h':
			print_usage(stdout, o);
			exit(0);
		case 'V':
			printf("%s " VNET_VERSION "\n", o->name);
			exit(0);
		default:
			usage_error(o, NULL, NULL);
		}
	}
	if (optind < argc)
		usage_error(o, "unexpected argument", argv[optind]);
}

void
worker_begin(int argc, char **argv, const char *name, const char *what, char root[4096])
{
	struct options o = {name, what, VNET_RUN_DIR, LOG_LEVEL_INFO};
	int n;

	parse(argc, argv, &o);
	log_open(name, o.level);
	if (fcntl(FD_PRIV, F_GETFD) < 0 || fcntl(FD_ENGINE, F_GETFD) < 0) {
		fprintf(stderr, "%s: started by hand? vnetd(8) starts it.\n", name);
		exit(2);
	}
	n = snprintf(root, 4096, "%s/empty", o.run_dir);
	if (n < 0 || n >= 4096)
		log_fatal(ENAMETOOLONG, "%s", o.run_dir);
}

void
worker_enter(const char *root)
{
	int r = sandbox_enter(root);

	if (r < 0)
		log_fatal(-r, "cannot enter the empty folder \"%s\"", root);
}

void
worker_filter(unsigned allow)
{
	int r = sandbox_seccomp(allow);

	if (r < 0)
		log_fatal(-r, "cannot load the system call filter");
}
