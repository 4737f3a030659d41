/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_rows.h - requests of clients about redirections.
 */
#ifndef VNET_VNETD_REDIRECT_ROWS_H
#define VNET_VNETD_REDIRECT_ROWS_H

struct client;
struct core;
struct msg;

/* REDIRECT_LIST, REDIRECT_SHOW, REDIRECT_KILL. All of them ask vnet-redird. */
void redirect_list_request(struct core *c, const struct client *cl, const struct msg *m);
void redirect_show_request(struct core *c, const struct client *cl, const struct msg *m);
void redirect_kill_request(struct core *c, const struct client *cl, const struct msg *m);

#endif
