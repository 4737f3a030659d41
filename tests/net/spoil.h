/* SPDX-License-Identifier: GPL-2.0-or-later
 * spoil.h - netlink messages that a preloaded library changes on their way, so that the kernel refuses them.
 */
#ifndef VNET_TESTS_NET_SPOIL_H
#define VNET_TESTS_NET_SPOIL_H

#include <linux/netlink.h>

/* Sees each netlink message that the process is about to send; to be defined by the library. The message may be changed, its
 * length not. */
void spoil(const struct nlmsghdr *nlh);

#endif
