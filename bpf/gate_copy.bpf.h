/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_copy.bpf.h - copies of frames: for the promiscuous ports of a network, and for the port that
 * watches another one (span).
 *
 * Contract: nobody gets a frame twice, and its sender never. A copy leaves by the watching port's own
 * device, whose gate_out sees it; it is marked meanwhile, so that no copy of a copy is made.
 */
#ifndef VNET_BPF_GATE_COPY_BPF_H
#define VNET_BPF_GATE_COPY_BPF_H

#include "bpf/gate_kern.bpf.h"

#define COPY_MARK 0x6763 /* in tc_index, which nothing else of the bridge's path reads */

static __always_inline bool
copy_is(const struct __sk_buff *skb)
{
	return skb->tc_index == COPY_MARK;
}

/* A copy that went to a guest in a namespace, or by the host's routing, may come back with the mark. */
static __always_inline void
copy_unmark(struct __sk_buff *skb)
{
	if (unlikely(copy_is(skb)))
		skb->tc_index = 0;
}

static __always_inline void
copy_to(struct __sk_buff *skb, __u32 slot)
{
	const struct gate_policy *to = bpf_map_lookup_elem(&gate_policy, &slot);
	__u32 had = skb->tc_index;

	if (!to || !to->ifindex)
		return;
	skb->tc_index = COPY_MARK;
	bpf_clone_redirect(skb, to->ifindex, 0);
	skb->tc_index = had;
}

static __always_inline const struct gate_net *
net_find(__u32 net)
{
	return bpf_map_lookup_elem(&gate_nets, &net);
}

/* To every promiscuous port of the network but the sender and the one that the frame is for. */
cold void
copy_to_promiscuous(struct __sk_buff *skb, const struct frame *f, __u32 net, __u32 from)
{
	const struct gate_net *all = net_find(net);

	if (!all || !all->n || is_group(f->dst))
		return;
	for (__u32 i = 0; i < GATE_MIRRORS_MAX; i++) {
		const struct gate_state *state;
		__u32 slot = all->slot[i];

		if (i >= all->n)
			break;
		state = bpf_map_lookup_elem(&gate_state, &slot);
		if (slot != from && state && state->mac != f->dst)
			copy_to(skb, slot);
	}
}

static __always_inline bool
is_promiscuous(__u32 net, __u32 slot)
{
	const struct gate_net *all = net_find(net);

	for (__u32 i = 0; all && i < GATE_MIRRORS_MAX; i++)
		if (i < all->n && all->slot[i] == slot)
			return true;
	return false;
}

/* The bridge takes the frame to this port of the same network, or it has its copy already. */
static __always_inline bool
has_anyway(const struct frame *f, __u32 net, __u32 slot)
{
	const struct gate_state *state = bpf_map_lookup_elem(&gate_state, &slot);
	__u64 key = GATE_OWNER(net, f->dst);
	const __u32 *owner;

	if (is_group(f->dst) || (state && f->dst == state->mac) || is_promiscuous(net, slot))
		return true;
	owner = bpf_map_lookup_elem(&gate_owners, &key);
	return owner && *owner == slot;
}

/* To the port that watches this one. */
cold void
copy_to_span(struct __sk_buff *skb, const struct frame *f, const struct port *p)
{
	__u32 slot = p->policy->span;
	const struct gate_policy *to = bpf_map_lookup_elem(&gate_policy, &slot);

	if (!to || slot == p->slot || skb->ingress_ifindex == to->ifindex)
		return;
	if (to->net != p->policy->net || !has_anyway(f, to->net, slot))
		copy_to(skb, slot);
}

#endif
