/* SPDX-License-Identifier: GPL-2.0-or-later
 * rights.h - what a client of the socket may do. Pure.
 *
 * The only judge between a request and the engine. Root may do everything. Others read when a section
 * of vnetd.conf (or group vnet) knows them, attach to the networks that it allows, undo what is
 * theirs, and change the configuration only with `change = yes`.
 */
#ifndef VNET_VNETD_RIGHTS_H
#define VNET_VNETD_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/msg.h"

#define RIGHTS_WHY_MAX 192

/* A client, as the kernel vouches for it, and what the configuration says about it. */
struct rights {
	uint32_t uid;
	struct conf_rights conf;
};

/* The client may send this request at all. Requests that need a closer look (below) pass here. why: a
 * sentence with a cure, written when the answer is no. A type that no client may send is refused. */
bool rights_request(char why[RIGHTS_WHY_MAX], const struct rights *r, const struct msg *m);

/* It may put the namespace whose owner (of its user namespace) is this user onto a network. */
bool rights_netns(char why[RIGHTS_WHY_MAX], const struct rights *r, uint32_t owner);

/* It may have one port more than these, which are its own. */
bool rights_ports(char why[RIGHTS_WHY_MAX], const struct rights *r, size_t has);

/* It may take away, or ask something for, a port that this user attached. */
bool rights_detach(char why[RIGHTS_WHY_MAX], const struct rights *r, uint32_t owner);

#endif
