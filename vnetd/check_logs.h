/* SPDX-License-Identifier: GPL-2.0-or-later
 * check_logs.h - files of `log_type = FILE` that vnetd would not get open, as far as whoever asks can see.
 */
#ifndef VNET_VNETD_CHECK_LOGS_H
#define VNET_VNETD_CHECK_LOGS_H

#include "conf/diag.h"
#include "conf/redirect.h"

/* Adds a warning for each. Nothing is opened or made, and what cannot be looked at is no reason for one. */
void check_logs(const struct redirect *r, struct diags *d);

#endif
