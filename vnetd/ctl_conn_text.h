/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_conn_text.h - connections of guests, as people and programs see them.
 *
 * Pure.
 */
#ifndef VNET_VNETD_CTL_CONN_TEXT_H
#define VNET_VNETD_CTL_CONN_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"

struct strbuf;
struct view;

/* A connection, and whether it has ended since it was listed. */
struct conn_line {
	struct msg_conn_row row;
	bool ended;
};

/* A table; with view.follows rows alone, which stand under an earlier one. */
void render_conns(struct strbuf *out, const struct conn_line *v, size_t n, const struct view *view);

/* {"connections": [...]}, and a member of that. */
json_t *json_of_conns(const struct msg_conn_row *v, size_t n);
json_t *json_of_conn(const struct conn_line *l);

/* Order of a list: network, guest, then what distinguishes connections. 0: the same connection. */
int conn_compare(const void *a, const void *b);

/* Those of the n connections that natd relays from ::1 come by a forward, though the host itself begins them. Sorts the
 * nrelays rows. */
void conn_find_relayed(struct msg_conn_row *v, size_t n, struct msg_relay_row *relay,
		       size_t nrelays);

/* How much goes through forwards now. */
struct forward_use {
	uint32_t live;
	bool counted; /* of all of them the bytes are known */
	uint64_t in, out;
};

/* By protocol and port, to be freed; NULL: no memory. */
struct forward_use (*forward_uses(const struct msg_conn_row *v, size_t n))[65536];

/* Of one forward, of which `use` was made of the same rows. */
struct forward_use forward_use_of(struct forward_use (*use)[65536], const struct msg_conn_row *v,
				  size_t n, const struct msg_forward_row *w);

#endif
