/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_top.h - what `top` shows: rates of ports and conversations over an interval. Pure.
 */
#ifndef VNET_VNETD_CTL_TOP_H
#define VNET_VNETD_CTL_TOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/tally.h"
#include "lib/msg.h"

/* What the kernel counts at a port's link. */
struct top_count {
	uint64_t bytes_in, bytes_out, packets_in, packets_out; /* to the guest, from the guest */
};

struct top_port {
	const struct msg_port_row *row;
	struct top_count now; /* during the interval */
};

struct top_view {
	unsigned net;
	double seconds;   /* the interval */
	uint64_t when_ms; /* its end, UTC */
	const struct top_port *port;
	size_t nports;
	const struct tally *tally; /* sorted; NULL: conversations may not be seen */
	size_t most;               /* conversations that are shown */
	uint64_t dropped;          /* frames that were not looked at */
	bool colour;
};

struct strbuf;

/* Two tables. */
void top_print(struct strbuf *out, const struct top_view *v);

/* One value for an interval. NULL: no memory. */
json_t *top_json(const struct top_view *v);

#define TOP_RATE_MAX 16
/* "0", "950b", "1.5M", "23M", "1.2G": bits a second. */
char *top_rate(double bits, char buf[TOP_RATE_MAX]);

#endif
