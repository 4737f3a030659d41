/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_service.h - vnetd started and stopped, by systemd where it runs, else directly.
 */
#ifndef VNET_VNETD_NETWORKS_SERVICE_H
#define VNET_VNETD_NETWORKS_SERVICE_H

#include <stdbool.h>

#include "vnetd/ctl_client.h"
#include "vnetd/networks_lines.h"

struct service_dirs {
	const char *config, *state, *run;
};

/* Starts vnetd and returns once it answers, that is when all networks were dealt with. One that
 * runs already reads its configuration again. False with a sentence in `why`. */
bool service_start(const struct service_dirs *dirs, struct strbuf *why);

/* Ends vnetd, then removes everything that it made, also what an earlier one left. */
bool service_stop(const struct service_dirs *dirs, struct strbuf *why);

/* What vnetd says of its networks; net must have room for 256. CTL_OK, or why not in `why`. Never
 * starts a vnetd that systemd would start at a connection. */
enum ctl_exit service_ask(const struct service_dirs *dirs, struct net_services *net, size_t *n,
			  struct strbuf *why);

#endif
