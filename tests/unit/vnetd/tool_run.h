/* SPDX-License-Identifier: GPL-2.0-or-later
 * tool_run.h - runs a built program to its end and keeps what it printed.
 */
#ifndef VNET_TESTS_UNIT_VNETD_TOOL_RUN_H
#define VNET_TESTS_UNIT_VNETD_TOOL_RUN_H

#include <stdbool.h>

struct tool {
	int status; /* exit status; 1000 + signal */
	char out[65536], err[65536];
};

struct tool_how {
	bool terminal;        /* stdout is a terminal */
	bool nobody;          /* as an unprivileged user, where we are root */
	const char *no_color; /* value of NO_COLOR, NULL: unset */
	int inherit;          /* a descriptor that it inherits under the same number; 0: none */
};

/* argv[0] is "vnetctl", "vnet-networks" or "vnet-bridge-helper", found in the build folder, which the
 * environment names in TOOLS_DIR. NULL-terminated. */
void tool_run(struct tool *t, const char *const *argv, const struct tool_how *how);

#define TOOL(t, ...) tool_run((t), (const char *const[]){__VA_ARGS__, NULL}, &(struct tool_how){0})

#endif
