/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_hosts.h - /etc/hosts (hosts(5)): addresses of a name. Pure.
 */
#ifndef VNET_VNETD_REDIRECT_HOSTS_H
#define VNET_VNETD_REDIRECT_HOSTS_H

#include <stddef.h>

#include "conf/redirect.h"

/* Addresses of the name in the order of the file, at most max: their number. Upper and lower case are the same. */
size_t redirect_hosts_find(const char *text, const char *name, struct redirect_ip *out, size_t max);

#endif
