/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_redirect_text.h - what `vnetctl redirect` prints: rows from vnetd in, text or JSON out. Pure.
 */
#ifndef VNET_VNETD_CTL_REDIRECT_TEXT_H
#define VNET_VNETD_CTL_REDIRECT_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "lib/msg.h"

struct strbuf;

/* A table, and below it a line that begins with "!" for each that something is wrong with. */
void redirect_render_list(struct strbuf *out, const struct msg_redirect_row *row, size_t n,
			  bool colour);
/* The redirection, then a table of its connections. */
void redirect_render_show(struct strbuf *out, const struct msg_redirect_row *row,
			  const struct msg_redirect_conn *conn, size_t n, bool colour);

/* {"redirections": [...]}; {"redirection": {...}, "connections": [...]}. NULL: no memory. */
json_t *redirect_json_list(const struct msg_redirect_row *row, size_t n);
json_t *redirect_json_show(const struct msg_redirect_row *row, const struct msg_redirect_conn *conn,
			   size_t n);

#endif
