/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_filter.h - filter expressions, compiled for the tools by a process of their own.
 */
#ifndef VNET_VNETD_CTL_FILTER_H
#define VNET_VNETD_CTL_FILTER_H

#include "capture/filter.h"
#include "vnetd/ctl_client.h"

/* filter_compile() by `vnet-capture --compile`, with the rights of the caller: what libpcap is linked with would cost
 * every start of a tool milliseconds. CTL_USAGE: why has libpcap's sentence. CTL_FAILED: why says what kept it from
 * being compiled. NULL and "" pass everything, and start nothing. */
enum ctl_exit ctl_filter(struct filter *out, const char *expr, char why[FILTER_WHY_MAX]);

#endif
