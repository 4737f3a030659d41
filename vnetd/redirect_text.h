/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_text.h - addresses of redirections in words.
 */
#ifndef VNET_VNETD_REDIRECT_TEXT_H
#define VNET_VNETD_REDIRECT_TEXT_H

#include "conf/redirect.h"

struct redirection;

#define REDIRECT_LISTEN_LEN 80
#define REDIRECT_TARGET_LEN 272

/* "192.168.8.1:80", "[::]:80", "[fe80::1%eth0]:80" */
char *redirect_addr_text(struct redirect_ip ip, const char *ifname, unsigned port,
			 char buf[REDIRECT_LISTEN_LEN]);
char *redirect_listen_text(const struct redirection *r, char buf[REDIRECT_LISTEN_LEN]);

/* The same of the target, or "web:80" as it is written; "nobody" for a sensor. */
char *redirect_target_text(const struct redirect_service *s, char buf[REDIRECT_TARGET_LEN]);

#endif
