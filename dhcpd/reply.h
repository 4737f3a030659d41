/* SPDX-License-Identifier: GPL-2.0-or-later
 * reply.h - from a decision to the frame that carries it: options, their order, the destination.
 *
 * Pure. RFC 2131 4.1 (where a reply goes) and 4.3.1 (table 3), 2132, 3442, 6842.
 */
#ifndef VNET_DHCPD_REPLY_H
#define VNET_DHCPD_REPLY_H

#include "dhcpd/msg.h"
#include "dhcpd/netconf.h"

/* A request with where it came from. */
struct dhcp_in {
	struct mac eth_src;
	struct ip4 src, dst;
	const struct dhcp_msg *m;
};

/* What to answer. */
struct reply {
	enum dhcp_type type; /* DHCP_OFFER, DHCP_ACK, DHCP_NAK; DHCP_NONE: the answer to BOOTP */
	struct ip4 yiaddr; /* 0 for a NAK, for INFORM, and for an OFFER of no address (RFC 2563) */
	uint32_t lease_s;  /* 0: no times (INFORM, NAK) */
	const char *message; /* option 56 of a NAK */
};

/* Writes the whole frame, at most `cap` bytes, and returns its length; 0 when cap is too small
 * (with DHCP_FRAME_MAX of server.h it never is). `mac`: our address. *full: an option found no
 * room. */
size_t reply_encode(uint8_t *buf, size_t cap, const struct netconf *c, struct mac mac,
		    const struct dhcp_in *in, const struct reply *r, bool *full);

#endif
