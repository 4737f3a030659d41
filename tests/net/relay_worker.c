/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay_worker.c - a worker that is a test: priv starts it as one of its workers.
 */
#include <string.h>

#include "lib/log.h"
#include "tests/net/relay.h"

int
main(int argc, char **argv)
{
	static const char option[] = "--run-dir=";
	const char *role = strrchr(argv[0], '-');

	log_open(argv[0], LOG_LEVEL_INFO);
	for (int i = 1; i < argc; i++)
		if (role && !strncmp(argv[i], option, strlen(option)))
			return relay_main(argv[i] + strlen(option), role + 1);
	log_fatal(0, "relay: no role or no run folder");
}
