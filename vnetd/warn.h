/* SPDX-License-Identifier: GPL-2.0-or-later
 * warn.h - what is wrong now, each in one line with what to do about it.
 */
#ifndef VNET_VNETD_WARN_H
#define VNET_VNETD_WARN_H

#include <stdint.h>

struct core;
struct client;

/* WARNING_ROWs; the most important first. */
void warn_rows(struct core *c, const struct client *cl, uint32_t request);

#endif
