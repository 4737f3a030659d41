/* SPDX-License-Identifier: GPL-2.0-or-later
 * nftevent.h - which rule sets have changed, from a datagram of nf_tables events.
 *
 * Pure. The bytes come from the kernel, but they are read as if they did not.
 */
#ifndef VNET_NATD_NFTEVENT_H
#define VNET_NATD_NFTEVENT_H

#include <stddef.h>

enum {
	NFTEVENT_OURS = 1 << 0,   /* table inet vnetd */
	NFTEVENT_OTHERS = 1 << 1, /* some other table */
};

/* The bits for everything that a datagram tells; 0 when there is nothing in it for us. */
unsigned nftevent_decode(const void *buf, size_t len);

#endif
