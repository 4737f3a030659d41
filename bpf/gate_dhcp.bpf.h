/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_dhcp.bpf.h - messages to DHCP servers that pass: those for ours are told to it.
 *
 * Contract: the frame goes on as it is, to the other ports too, among which may be another server.
 */
#ifndef VNET_BPF_GATE_DHCP_BPF_H
#define VNET_BPF_GATE_DHCP_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>

#include "bpf/dhcp_ring.h"
#include "bpf/gate_kern.bpf.h"

#define DHCP_FRAME_MIN   42  /* Ethernet, IPv4 and UDP headers */
#define DHCP_FRAME_BOOTP 344 /* and a message as long as BOOTP's, as most clients send it */
#define DHCP_FRAME_USUAL 592 /* and one of 548 bytes, which every client can take */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DHCP_RING_BYTES);
} gate_dhcp SEC(".maps");

/* The bridge's address, 00:50:56:c0:00:NN. */
static __always_inline __u64
bridge_mac(__u8 net)
{
	return 0xc0565000 | (__u64)net << 40;
}

static __always_inline bool
is_tagged(const struct __sk_buff *skb)
{
	return skb->vlan_present && skb->vlan_tci & 0x0fff; /* VLAN 0 is a priority, no VLAN */
}

/* What is held in the ring has a size that the verifier knows. */
static __always_inline void
dhcp_put(struct __sk_buff *skb, const struct gate_policy *p, __u32 len, __u32 room)
{
	struct dhcp_ring_msg *m = bpf_ringbuf_reserve(&gate_dhcp, sizeof(*m) + room, 0);

	if (!m)
		return;
	m->stamp = p->dhcp_stamp;
	m->len = len;
	m->net = p->net;
	m->pad = 0;
	if (len > room || bpf_skb_load_bytes(skb, 0, m->frame, len) < 0)
		bpf_ringbuf_discard(m, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(m, 0);
}

/* A message to a DHCP server, whose IPv4 header is at `off`. A port that is moved from a filter to tcx has two programs for a moment, and
 * what comes then is told twice: a client may send it twice as well. */
static __always_inline void
dhcp_tell(struct __sk_buff *skb, const struct gate_policy *p, __u64 dst, __u32 off, __be32 daddr)
{
	__u32 len = skb->len;

	if (!p->dhcp_server || off != ETH_HLEN || is_tagged(skb) ||
	    (daddr != bpf_htonl(INADDR_BROADCAST) && daddr != p->dhcp_server &&
	     daddr != p->dhcp_broadcast) ||
	    (!is_group(dst) && dst != bridge_mac(p->net)))
		return;
	if (len < DHCP_FRAME_MIN || len > DHCP_RING_FRAME_MAX)
		return;
	if (len <= DHCP_FRAME_BOOTP)
		dhcp_put(skb, p, len, DHCP_FRAME_BOOTP);
	else if (len <= DHCP_FRAME_USUAL)
		dhcp_put(skb, p, len, DHCP_FRAME_USUAL);
	else
		dhcp_put(skb, p, len, DHCP_RING_FRAME_MAX);
}

#endif
