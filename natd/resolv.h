/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolv.h - the name servers of resolv.conf(5).
 *
 * Pure: text in, servers out; no files, no log. Read as the C library reads it, so that guests ask whom
 * the host asks: a keyword starts its line, an address ends at a blank, '#' or ';', everything else
 * (domain, search, sortlist, options, comments, unknown lines) is passed over. Nothing is fatal.
 */
#ifndef VNET_NATD_RESOLV_H
#define VNET_NATD_RESOLV_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/inet.h"
#include "natd/dnsaddr.h"

/* As many as the C library uses. */
#define RESOLV_SERVERS_MAX 3
#define RESOLV_SCOPE_MAX   16 /* an interface name and NUL */

struct resolv_server {
	struct dns_addr addr;         /* port 53; scope 0 */
	char scope[RESOLV_SCOPE_MAX]; /* "fe80::1%eth0": "eth0" (or "2"); else "" */
};

struct resolv {
	struct resolv_server server[RESOLV_SERVERS_MAX];
	unsigned n;
	unsigned lines;  /* nameserver lines of all sorts */
	unsigned own;    /* left out: one of our own addresses, which would ask us again */
	unsigned bad;    /* left out: not an address */
	unsigned excess; /* left out: more than RESOLV_SERVERS_MAX */
};

/* Reads `text` (any bytes, no NUL needed). `own`: our own addresses, on which the proxy may answer. A
 * server that is named twice counts once. Without any nameserver line (lines is 0) there is one server,
 * 127.0.0.1, as resolv.conf(5) says. n is 0 when every line was left out. */
void resolv_parse(struct resolv *out, const char *text, size_t len, const struct ip4 *own,
		  size_t n_own);

#endif
