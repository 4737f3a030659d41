/* SPDX-License-Identifier: GPL-2.0-or-later
 * teardown.h - removes everything that vnetd has made on this host.
 */
#ifndef VNET_VNETD_TEARDOWN_H
#define VNET_VNETD_TEARDOWN_H

#include "vnetd/dirs.h"

/* Ends a running vnetd and removes our links, the nft table and what is in the run folder; works
 * without a running vnetd and after a crash. Configuration and leases stay. Returns the exit status. */
int teardown_main(const struct dirs *dirs);

#endif
