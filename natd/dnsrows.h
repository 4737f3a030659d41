/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsrows.h - what the DNS proxy has counted and what it knows of its servers, as rows for the engine. Pure.
 */
#ifndef VNET_NATD_DNSROWS_H
#define VNET_NATD_DNSROWS_H

#include "lib/msg.h"
#include "natd/dns.h"

/* The i-th counter, in the order in which people read them; row->net is left alone. False: there are not so
 * many. */
bool dnsrows_stat(struct msg_dns_stat *row, const struct dns_stats *s, unsigned i);

/* row->net is left alone. */
void dnsrows_server(struct msg_dns_server *row, const struct dns_server *s);

#endif
