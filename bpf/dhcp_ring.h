/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcp_ring.h - the ring buffer from the gate to vnet-dhcpd: what guests ask of our DHCP server, of all networks.
 *
 * The gate sees each message anyway and knows by which port it came; so no socket has to listen on a bridge, where
 * it would cost every other packet its time (docs/decisions.md 48). Written by gate_in, read by vnet-dhcpd.
 * A message for which there is no room is lost, as in a socket whose buffer is full: its client asks again.
 * A change of the layout must change GATE_LAYOUT.
 */
#ifndef VNET_BPF_DHCP_RING_H
#define VNET_BPF_DHCP_RING_H

#include <linux/types.h>

/* More than a thousand messages of guests that all boot at once wait here. */
#define DHCP_RING_BYTES (1u << 19)

/* A client's message is far shorter; what is longer is not taken. */
#define DHCP_RING_FRAME_MAX 2048

/* IPv4 and UDP to port 67, of no VLAN, to all or to the host's address of the network; lengths and checksums are
 * not looked at. */
struct dhcp_ring_msg {
	__u32 stamp; /* DHCP_STAMP() of its port, 0: no limit of leases */
	__u16 len;   /* of frame */
	__u8 net;    /* vmnetN */
	__u8 pad;
	__u8 frame[]; /* from the Ethernet header on */
};

#endif
