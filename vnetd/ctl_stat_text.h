/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_stat_text.h - what `vnetctl leases --stats` prints: rows from vnetd in, text or JSON out. Pure.
 */
#ifndef VNET_VNETD_CTL_STAT_TEXT_H
#define VNET_VNETD_CTL_STAT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"

struct strbuf;

/* A table of the counters that are not zero. */
void stat_render(struct strbuf *out, const struct msg_dhcp_stat *row, size_t n, bool colour);

/* {"networks": [{"network", "received": {"discover": 1, ...}, "sent": {...}, "dropped": {...}}]} with zeros
 * too. The rows of a network stand together. NULL: no memory. */
json_t *stat_json(const struct msg_dhcp_stat *row, size_t n);

#endif
