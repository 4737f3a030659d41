/* SPDX-License-Identifier: GPL-2.0-or-later
 * check.h - `vnetd -n` and `vnetd -nn`: the configuration judged without being used.
 */
#ifndef VNET_VNETD_CHECK_H
#define VNET_VNETD_CHECK_H

#include <stdbool.h>

#include "vnetd/dirs.h"

/* Prints every diagnostic to stderr and, with `print`, the effective configuration to stdout, in the
 * grammar of vnetd.conf. Needs no root, only the right to read. Returns the exit status: 1 when something
 * is refused. */
int check_main(const struct dirs *dirs, bool print);

#endif
