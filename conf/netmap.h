/* SPDX-License-Identifier: GPL-2.0-or-later
 * netmap.h - VMware's `netmap.conf`: names of networks, for tools. vnetd writes it and warns about
 * what does not agree with `networking`; nothing else is decided by it.
 *
 * Pure. `network<i>.name = "NAT"` and `network<i>.device = "vmnet8"`; the index is arbitrary.
 */
#ifndef VNET_CONF_NETMAP_H
#define VNET_CONF_NETMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/diag.h"

struct strbuf;

#define NETMAP_MAX 1024 /* entries kept */

struct netmap_entry {
	uint32_t index;
	const char *name;   /* NULL: not given */
	const char *device; /* NULL: not given */
	struct conf_pos pos;
};

/* Sorted by index. */
struct netmap {
	struct netmap_entry *v;
	size_t n;
};

/* Malformed lines are warnings (a tool that reads the file would stop there); nothing is fatal. */
void netmap_parse(struct netmap *m, struct arena *a, const char *name, const char *text, size_t len,
		  struct diags *d);

/* The entry whose device is that ("vmnet8", any case), or NULL. */
const struct netmap_entry *netmap_find(const struct netmap *m, const char *device);

/* Canonical text with VMware's header. parse(print(x)) == x. */
void netmap_print(struct strbuf *out, const struct netmap *m);

/* Edits: every other line unchanged. Sets the name of a device's entry (adding it under the index
 * of the network's number, or the first free one from 256 on); name NULL removes the entry's
 * lines. */
void netmap_set(struct strbuf *out, const char *text, size_t len, unsigned net, const char *name);

#endif
