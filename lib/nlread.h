/* SPDX-License-Identifier: GPL-2.0-or-later
 * nlread.h - netlink messages and attributes from bytes that are not trusted, one after the other (netlink(7)).
 *
 * Pure. What is found are copies, and readers of the caller's bytes; numbers are in the machine's own order.
 */
#ifndef VNET_LIB_NLREAD_H
#define VNET_LIB_NLREAD_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "lib/wire.h"

/* The next message: its header, and what follows that. False: there is none, or it does not fit; r->bad tells when it is
 * cut off. */
bool nlread_msg(struct rd *r, struct nlmsghdr *nlh, struct rd *body);

/* The value of the first attribute of this type, without flags. False: there is none before the end, or before one that
 * does not fit. */
bool nlread_attr(struct rd attrs, unsigned type, struct rd *value);

#endif
