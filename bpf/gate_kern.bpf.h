/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_kern.bpf.h - what all programs of the gate share: the maps, a frame's addresses, a port.
 *
 * Contract: a frame is never changed, and its bytes are looked at where they lie.
 */
#ifndef VNET_BPF_GATE_KERN_BPF_H
#define VNET_BPF_GATE_KERN_BPF_H

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/gate_maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GATE_SLOTS);
	__type(key, __u32);
	__type(value, struct gate_policy);
	__uint(map_flags, BPF_F_MMAPABLE); /* begins at a page, see gate_maps.h */
} gate_policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} gate_elsewhere SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GATE_SLOTS);
	__type(key, __u32);
	__type(value, struct gate_state);
	__uint(map_flags, BPF_F_MMAPABLE); /* priv changes single fields, atomically, as we do */
} gate_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GATE_SLOTS);
	__type(key, __u32);
	__type(value, struct gate_drops);
} gate_drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GATE_NETS);
	__type(key, __u32);
	__type(value, struct gate_net);
} gate_nets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_OWNERS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} gate_owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GATE_RING_BYTES);
} gate_events SEC(".maps");

/* GATE_LAYOUT, for the next instance, which decides by it whether the maps are of any use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} gate_layout SEC(".maps");

/* What a check says when the frame may pass; else it says an enum drop_reason. */
#define GATE_PASS (-1)

#define unlikely(x) __builtin_expect(!!(x), 0)
/* What few frames need lies apart, or the others' way through the program would be scattered over it. */
#define cold         static __attribute__((noinline, unused))
#define read_once(x) (*(const volatile __typeof__(x) *)&(x))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define lowest_first16(x) (x)
#define lowest_first32(x) (x)
#else
#define lowest_first16(x) __builtin_bswap16(x)
#define lowest_first32(x) __builtin_bswap32(x)
#endif

/* The port that the program runs for. */
struct port {
	struct gate_policy *policy;
	struct gate_state *state;
	__u32 slot;
};

/* The Ethernet header: addresses as in the maps, type in host order. */
struct frame {
	__u64 dst, src;
	__u16 type;
};

static __always_inline bool
is_group(__u64 mac)
{
	return mac & 1;
}

static __always_inline bool
policy_is(const struct gate_policy *policy, __u32 ifindex)
{
	return policy && policy->ifindex == ifindex;
}

/* The slot of a port that could not have its home; 0: it has none. */
cold __u32
slot_elsewhere(__u32 ifindex)
{
	const __u32 *slot = bpf_map_lookup_elem(&gate_elsewhere, &ifindex);

	return slot ? *slot : 0;
}

/* False: the device has no slot (any more). */
static __always_inline bool
port_find(struct port *p, const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;

	p->slot = GATE_HOME(ifindex);
	p->policy = bpf_map_lookup_elem(&gate_policy, &p->slot);
	if (unlikely(!policy_is(p->policy, ifindex))) {
		p->slot = slot_elsewhere(ifindex);
		p->policy = bpf_map_lookup_elem(&gate_policy, &p->slot);
		if (!p->slot || !policy_is(p->policy, ifindex))
			return false;
	}
	p->state = bpf_map_lookup_elem(&gate_state, &p->slot);
	return p->state;
}

/* Each load is aligned when the IP header is, so that kernels which insist on it take the program. */
static __always_inline void
frame_from(struct frame *f, const void *header)
{
	f->dst = lowest_first16(*(const __u16 *)header) |
		 (__u64)lowest_first32(*(const __u32 *)(header + 2)) << 16;
	f->src = lowest_first32(*(const __u32 *)(header + 6)) |
		 (__u64)lowest_first16(*(const __u16 *)(header + 10)) << 32;
	f->type = bpf_ntohs(*(const __u16 *)(header + 12));
}

/* Drivers leave the header in the linear part; the helper is for one that does not. */
static __always_inline bool
frame_read(struct frame *f, struct __sk_buff *skb)
{
	const void *data = (const void *)(long)skb->data;
	__u32 copy[4];

	if (data + 14 <= (const void *)(long)skb->data_end) {
		frame_from(f, data);
		return true;
	}
	if (bpf_skb_load_bytes(skb, 0, (char *)copy + 2, 14) < 0)
		return false;
	frame_from(f, (char *)copy + 2);
	return true;
}

#endif
