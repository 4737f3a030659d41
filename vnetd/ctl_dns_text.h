/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_dns_text.h - what `vnetctl dns` prints: rows from vnetd in, text or JSON out. Pure.
 */
#ifndef VNET_VNETD_CTL_DNS_TEXT_H
#define VNET_VNETD_CTL_DNS_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"

struct strbuf;

/* The rows of a network stand together in both lists, and the networks in the same order. */
struct dns_facts {
	const struct msg_dns_server *server;
	size_t nservers;
	const struct msg_dns_stat *stat;
	size_t nstats;
};

/* A table of the servers, and one of the counters that are not zero. */
void dns_render(struct strbuf *out, const struct dns_facts *f, bool colour);

/* {"networks": [{"network", "servers": [...], "guests": {"queries": 1, ...}, "asked": {...}, "dropped": {...}}]} with
 * zeros too. "network" is null for what belongs to none. NULL: no memory. */
json_t *dns_json(const struct dns_facts *f);

#endif
