/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_guard.bpf.h - what a guest may not say: DHCP server's messages, router advertisements, IP and
 * ARP in another address's name; and how often it may ask DHCP servers.
 *
 * Contract: reads only, and tells our DHCP server what passes to it. What a receiver might understand and this file cannot read does not pass while
 * a guard is on: more than two VLAN tags, headers that are cut off or unknown, long chains of them.
 * Of a fragmented packet the first fragment decides; the others say nothing without it. So nothing is
 * read behind the end that the packet itself tells: a receiver takes that from the next fragment.
 */
#ifndef VNET_BPF_GATE_GUARD_BPF_H
#define VNET_BPF_GATE_GUARD_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "bpf/gate_dhcp.bpf.h"
#include "bpf/gate_kern.bpf.h"
#include "bpf/gate_rate.bpf.h"

/* What looks behind the Ethernet header. */
#define GATE_READS (GATE_DHCP | GATE_RA | GATE_IP | GATE_REQUESTS)

#define VLAN_TAGS_MAX   2
#define END_UNKNOWN     0x7fffffff
#define IP6_HEADERS_MAX 8
#define ND_OPTIONS_MAX  4

enum { DHCP4_SERVER = 67, DHCP4_CLIENT = 68, DHCP6_CLIENT = 546, BOOTREPLY = 2 };
enum { ND_ADVERT = 134, ND_SOLICIT = 135, ND_NEIGHBOUR = 136, ND_REDIRECT = 137 };

/* A frame that is being read: `off` is where, and `end` is where its packet ends. */
struct guarded {
	struct __sk_buff *skb;
	const struct gate_policy *policy;
	struct gate_state *state;
	__u64 dst, src;
	__u32 off, end;
	__u32 flags;
	__u32 ip; /* where its IPv4 header is */
};

struct arp4_packet {
	__be16 hrd, pro;
	__u8 hln, pln;
	__be16 op;
	__be16 sender_mac[3];
	__be16 sender_ip[2];
	__be16 target_mac[3];
	__be16 target_ip[2];
};

static __always_inline bool
get(const struct guarded *g, __u32 off, void *to, __u32 len)
{
	/* All ones when it is behind the end, and the helper refuses such an offset. Not a branch: each would
	 * double the ways that the verifier has to go. */
	__u32 behind = (__u32)((__s32)(g->end - off - len) >> 31);

	return bpf_skb_load_bytes(g->skb, off | behind, to, len) == 0;
}

/* The packet is told to have `len` bytes from there. One that the kernel is still to cut into segments may
 * be too long for its own field, which is 0 then. */
static __always_inline void
guard_end(struct guarded *g, __u32 from, __u32 len)
{
	if (len || !g->skb->gso_size)
		g->end = from + len;
}

/* Not to be read: counted for the strictest guard that is on. */
static __always_inline int
unread4(const struct guarded *g)
{
	if (g->flags & GATE_DHCP)
		return DROP_DHCP;
	return g->flags & GATE_IP ? DROP_IP : GATE_PASS;
}

static __always_inline int
unread(const struct guarded *g)
{
	return g->flags & GATE_RA ? DROP_RA : unread4(g);
}

/* --- IPv4 and ARP ----------------------------------------------------------------------------- */

static __always_inline bool
is_own_source4(const struct gate_policy *p, __be32 saddr)
{
	return !(p->flags & GATE_IP) || (saddr && saddr == p->ip);
}

static __always_inline int
guard_source4(const struct guarded *g, __be32 saddr)
{
	return is_own_source4(g->policy, saddr) ? GATE_PASS : DROP_IP;
}

/* A message to a DHCP server that passes all guards. */
static __always_inline int
request_check(const struct guarded *g, __be32 daddr)
{
	const struct gate_policy *p = g->policy;

	if (!(g->flags & GATE_REQUESTS))
		return GATE_PASS;
	if (p->dhcp_ns && !rate_ok(&g->state->dhcp_tat, p->dhcp_ns, p->dhcp_burst_ns))
		return DROP_DHCP_RATE;
	dhcp_tell(g->skb, p, g->dst, g->ip, daddr);
	return GATE_PASS;
}

/* A client that has no address yet may ask for one. */
static __always_inline int
guard_udp4(const struct guarded *g, __be32 saddr, __be32 daddr)
{
	struct udphdr udp;
	int r = GATE_PASS;
	__u8 op;

	if (!get(g, g->off, &udp, sizeof(udp)))
		return unread4(g);
	if (g->flags & GATE_DHCP) {
		if (udp.dest == bpf_htons(DHCP4_CLIENT))
			return DROP_DHCP;
		if (udp.dest == bpf_htons(DHCP4_SERVER) &&
		    (!get(g, g->off + sizeof(udp), &op, 1) || op == BOOTREPLY))
			return DROP_DHCP;
	}
	if (saddr || udp.source != bpf_htons(DHCP4_CLIENT) || udp.dest != bpf_htons(DHCP4_SERVER))
		r = guard_source4(g, saddr);
	if (r == GATE_PASS && udp.dest == bpf_htons(DHCP4_SERVER))
		r = request_check(g, daddr);
	return r;
}

static __always_inline int
guard_ip4(struct guarded *g)
{
	struct iphdr ip;

	if (!(g->flags & (GATE_DHCP | GATE_IP | GATE_REQUESTS)))
		return GATE_PASS;
	if (!get(g, g->off, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return unread4(g);
	guard_end(g, g->off, bpf_ntohs(ip.tot_len));
	g->ip = g->off;
	g->off += ip.ihl * 4u;
	if (ip.protocol != IPPROTO_UDP || ip.frag_off & bpf_htons(0x1fff))
		return guard_source4(g, ip.saddr);
	return guard_udp4(g, ip.saddr, ip.daddr);
}

/* Most of what passes, read where it lies: IPv4 without options that is not DHCP. False: guard_ip4() has to
 * look, which says the same about these. */
static __always_inline bool
is_usual_ip4(const struct __sk_buff *skb, const struct gate_policy *policy)
{
	const char *data = (const void *)(long)skb->data;
	const struct iphdr *ip = (const void *)(data + ETH_HLEN);
	const struct udphdr *udp = (const void *)(ip + 1);

	if ((const void *)(udp + 1) > (const void *)(long)skb->data_end ||
	    *(const __u8 *)ip != 0x45)
		return false;
	if (ip->protocol == IPPROTO_UDP &&
	    (bpf_ntohs(ip->tot_len) < sizeof(*ip) + sizeof(*udp) ||
	     udp->dest == bpf_htons(DHCP4_CLIENT) || udp->dest == bpf_htons(DHCP4_SERVER)))
		return false;
	return is_own_source4(policy, ip->saddr);
}

static __always_inline int
guard_arp(const struct guarded *g)
{
	struct arp4_packet arp;
	__u64 mac;
	__be32 ip;

	if (!(g->flags & GATE_IP))
		return GATE_PASS;
	if (!get(g, g->off, &arp, sizeof(arp)))
		return DROP_ARP;
	mac = (__u64)lowest_first16(arp.sender_mac[0]) |
	      (__u64)lowest_first16(arp.sender_mac[1]) << 16 |
	      (__u64)lowest_first16(arp.sender_mac[2]) << 32;
	if (arp.hrd != bpf_htons(1) || arp.pro != bpf_htons(ETH_P_IP) || arp.hln != 6 ||
	    arp.pln != 4 || mac != g->src)
		return DROP_ARP;
	__builtin_memcpy(&ip, arp.sender_ip, sizeof(ip));
	if (ip ? ip == g->policy->ip : arp.op == bpf_htons(1) /* a probe */)
		return GATE_PASS;
	return DROP_ARP;
}

/* --- IPv6 ------------------------------------------------------------------------------------- */

static __always_inline bool
is_link_local(const struct in6_addr *a)
{
	return (a->s6_addr32[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline bool
is_unspecified(const struct in6_addr *a)
{
	return !(a->s6_addr32[0] | a->s6_addr32[1] | a->s6_addr32[2] | a->s6_addr32[3]);
}

/* The link-layer addresses in a neighbour message's options are the frame's source. */
static __always_inline int
guard_nd_options(const struct guarded *g, __u32 off)
{
	struct {
		__u8 type, len;
		__be16 mac[3];
	} o;

	for (int i = 0; i < ND_OPTIONS_MAX; i++) {
		if (!get(g, off, &o, sizeof(o)))
			return GATE_PASS;
		if (!o.len)
			return DROP_ARP;
		if ((o.type == 1 || o.type == 2) &&
		    ((__u64)lowest_first16(o.mac[0]) | (__u64)lowest_first16(o.mac[1]) << 16 |
		     (__u64)lowest_first16(o.mac[2]) << 32) != g->src)
			return DROP_ARP;
		off += o.len * 8u;
	}
	return get(g, off, &o, sizeof(o)) ? DROP_ARP : GATE_PASS;
}

static __always_inline int
guard_icmp6(const struct guarded *g)
{
	struct in6_addr target;
	__u8 type;

	if (!get(g, g->off, &type, 1))
		return unread(g);
	if (type == ND_ADVERT || type == ND_REDIRECT)
		return g->flags & GATE_RA ? DROP_RA : GATE_PASS;
	if (!(g->flags & GATE_IP) || (type != ND_SOLICIT && type != ND_NEIGHBOUR))
		return GATE_PASS;
	if (!get(g, g->off + 8, &target, sizeof(target)))
		return DROP_ARP;
	if (type == ND_NEIGHBOUR && !is_link_local(&target))
		return DROP_ARP;
	return guard_nd_options(g, g->off + 24);
}

static __always_inline int
guard_udp6(const struct guarded *g)
{
	struct udphdr udp;

	if (!(g->flags & GATE_DHCP))
		return GATE_PASS;
	if (!get(g, g->off, &udp, sizeof(udp)) || udp.dest == bpf_htons(DHCP6_CLIENT))
		return DROP_DHCP;
	return GATE_PASS;
}

/* Protocols behind which nothing is that a guard asks for. */
static __always_inline bool
is_other_protocol(__u8 next)
{
	switch (next) {
	case IPPROTO_TCP:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
	case IPPROTO_ESP:
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
	case IPPROTO_PIM:
	case IPPROTO_L2TP:
	case IPPROTO_MPLS:
	case 59:  /* none */
	case 89:  /* OSPF */
	case 112: /* VRRP */
		return true;
	default: /* numbers from the wire */
		return false;
	}
}

/* One extension header: *next is the kind of the one at g->off, and then of the one behind it. */
enum step { STEP_ON, STEP_END, STEP_PASS, STEP_CUT };

static __always_inline enum step
ip6_step(struct guarded *g, __u8 *next)
{
	struct {
		__u8 next, len;
		__be16 frag;
	} h;

	switch (*next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_MH:
	case 139: /* HIP */
	case 140: /* Shim6 */
		break;
	default: /* numbers from the wire */
		return STEP_END;
	}
	if (!get(g, g->off, &h, sizeof(h)))
		return STEP_CUT;
	if (*next == IPPROTO_FRAGMENT) {
		if (h.frag & bpf_htons(0xfff8))
			return STEP_PASS;
		g->off += 8;
	} else if (*next == IPPROTO_AH) {
		g->off += (h.len + 2u) * 4;
	} else {
		g->off += (h.len + 1u) * 8;
	}
	*next = h.next;
	return STEP_ON;
}

static __always_inline int
guard_ip6(struct guarded *g)
{
	enum step step = STEP_ON;
	struct ipv6hdr ip;
	__u8 next;

	if (!get(g, g->off, &ip, sizeof(ip)) || ip.version != 6)
		return unread(g);
	if (g->flags & GATE_IP && !is_link_local(&ip.saddr) && !is_unspecified(&ip.saddr))
		return DROP_IP;
	g->off += sizeof(ip);
	guard_end(g, g->off, bpf_ntohs(ip.payload_len));
	next = ip.nexthdr;
	for (int i = 0; i < IP6_HEADERS_MAX && step == STEP_ON; i++)
		step = ip6_step(g, &next);
	if (step == STEP_PASS)
		return GATE_PASS;
	if (step == STEP_CUT)
		return unread(g);
	if (next == IPPROTO_UDP)
		return guard_udp6(g);
	if (next == IPPROTO_ICMPV6)
		return guard_icmp6(g);
	return is_other_protocol(next) ? GATE_PASS : unread(g);
}

/* --- Ethernet --------------------------------------------------------------------------------- */

static __always_inline bool
is_tag(__u16 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

/* IP in 802.3 with LLC and SNAP, which some systems take like Ethernet II (RFC 1042). */
static __always_inline __u16
snap_type(struct guarded *g, __u16 type)
{
	__be16 llc[4]; /* DSAP SSAP, control OUI, OUI, type */

	if (!get(g, g->off, llc, sizeof(llc)) || llc[0] != bpf_htons(0xaaaa) ||
	    llc[1] != bpf_htons(0x0300) || llc[2])
		return type;
	g->off += sizeof(llc);
	return bpf_ntohs(llc[3]);
}

/* What is not usual. A tag that the kernel has moved out of the frame already is no matter here. */
cold int
guard_read(struct __sk_buff *skb, const struct port *p, const struct frame *f)
{
	struct guarded g = {.skb = skb,
			    .policy = p->policy,
			    .state = p->state,
			    .dst = f->dst,
			    .src = f->src,
			    .off = ETH_HLEN,
			    .end = END_UNKNOWN,
			    .flags = p->policy->flags};
	__u16 type = f->type;
	__be16 tag[2];

	for (int i = 0; i < VLAN_TAGS_MAX && is_tag(type); i++) {
		if (!get(&g, g.off, tag, sizeof(tag)))
			return unread(&g);
		type = bpf_ntohs(tag[1]);
		g.off += sizeof(tag);
	}
	if (type < ETH_P_802_3_MIN)
		type = snap_type(&g, type);
	if (type == ETH_P_IP)
		return guard_ip4(&g);
	if (type == ETH_P_ARP)
		return guard_arp(&g);
	if (type == ETH_P_IPV6)
		return guard_ip6(&g);
	return is_tag(type) ? unread(&g) : GATE_PASS;
}

/* All guards behind the Ethernet header. Call it when one of GATE_READS is on. */
static __always_inline int
guard_check(struct __sk_buff *skb, const struct port *p, const struct frame *f)
{
	if (f->type == ETH_P_IP && is_usual_ip4(skb, p->policy))
		return GATE_PASS;
	return guard_read(skb, p, f);
}

#endif
