/* SPDX-License-Identifier: GPL-2.0-or-later
 * dirs.h - the four folders that every process of the suite is told of.
 *
 * Absolute paths without a trailing slash. `config` and `state` are opened by priv alone while it is
 * still root; a child knows them for its messages only, since its root is empty.
 */
#ifndef VNET_VNETD_DIRS_H
#define VNET_VNETD_DIRS_H

struct dirs {
	const char *config;  /* /etc/vnet */
	const char *state;   /* /var/lib/vnet */
	const char *run;     /* /run/vnet */
	const char *libexec; /* workers and the bridge helper */
};

#endif
