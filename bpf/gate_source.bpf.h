/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_source.bpf.h - may this port send from this address? Pinning and learning happen here.
 *
 * Contract: an address has one owner in a network, whichever processors the frames are on: who inserts
 * it into gate_owners first. A port's own address changes from none to one once, by compare-and-swap.
 */
#ifndef VNET_BPF_GATE_SOURCE_BPF_H
#define VNET_BPF_GATE_SOURCE_BPF_H

#include "bpf/gate_event.bpf.h"

/* How an attempt to own an address ended. */
enum claim {
	CLAIM_NEW,   /* inserted just now */
	CLAIM_OURS,  /* it was this port's already */
	CLAIM_TAKEN, /* another port's, or the host's */
	CLAIM_FULL,  /* no room in the map */
};

static __always_inline enum claim
owner_claim(const struct port *p, __u64 key)
{
	const __u32 *owner;
	long r = bpf_map_update_elem(&gate_owners, &key, &p->slot, BPF_NOEXIST);

	if (!r)
		return CLAIM_NEW;
	owner = bpf_map_lookup_elem(&gate_owners, &key);
	if (owner)
		return *owner == p->slot ? CLAIM_OURS : CLAIM_TAKEN;
	return r == -17 /* EEXIST: it went meanwhile; the next frame may have it */ ? CLAIM_TAKEN
										    : CLAIM_FULL;
}

/* Another address was faster. priv may have made this one somebody else's in between. And a third
 * processor may have pinned this very one, after the port was unpinned: then it is the port's again, or
 * the port is unpinned once more. */
static __always_inline void
owner_give_back(const struct port *p, __u64 key, __u64 mac)
{
	const __u32 *owner = bpf_map_lookup_elem(&gate_owners, &key);
	enum claim c;

	if (!owner || *owner != p->slot)
		return;
	bpf_map_delete_elem(&gate_owners, &key);
	if (read_once(p->state->mac) != mac)
		return;
	c = owner_claim(p, key);
	if (c == CLAIM_TAKEN || c == CLAIM_FULL)
		__sync_val_compare_and_swap(&p->state->mac, mac, 0);
}

/* The port has no address yet: this one, if it is free. */
static __always_inline int
source_pin(const struct port *p, __u64 mac)
{
	__u64 key = GATE_OWNER(p->policy->net, mac), had;
	enum claim c = owner_claim(p, key);

	if (c == CLAIM_TAKEN)
		return DROP_TAKEN;
	if (c == CLAIM_FULL)
		return DROP_FULL;
	had = __sync_val_compare_and_swap(&p->state->mac, 0, mac);
	if (!had) {
		event_put(p, GATE_EVENT_PINNED, 0, mac, 0);
		return GATE_PASS;
	}
	if (had == mac)
		return GATE_PASS;
	if (c == CLAIM_NEW)
		owner_give_back(p, key, mac);
	return DROP_FORGED;
}

/* One more address, while there are fewer than policy.learn; the first is the port's own and does not count. */
static __always_inline int
source_learn(const struct port *p, __u64 mac, __u64 own)
{
	__u64 key = GATE_OWNER(p->policy->net, mac);
	const __u32 *owner = bpf_map_lookup_elem(&gate_owners, &key);
	enum claim c;

	if (owner)
		return *owner == p->slot ? GATE_PASS : DROP_TAKEN;
	if (!own)
		return source_pin(p, mac);
	if (__sync_fetch_and_add(&p->state->learned, 1) >= p->policy->learn) {
		__sync_fetch_and_add(&p->state->learned, -1);
		return DROP_FULL;
	}
	c = owner_claim(p, key);
	if (c != CLAIM_NEW)
		__sync_fetch_and_add(&p->state->learned, -1);
	if (c == CLAIM_TAKEN)
		return DROP_TAKEN;
	if (c == CLAIM_FULL)
		return DROP_FULL;
	if (c == CLAIM_NEW)
		event_put(p, GATE_EVENT_LEARNED, 0, mac, 0);
	return GATE_PASS;
}

/* The address is not the port's own, or it has none. */
cold int
source_other(const struct port *p, __u64 src, __u64 own)
{
	__u8 rule = p->policy->mac_policy;
	int r;

	if (rule == MAC_POLICY_ANY)
		return GATE_PASS;
	if (rule == MAC_POLICY_STICKY && !own)
		r = source_pin(p, src);
	else if (rule == MAC_POLICY_LEARN)
		r = source_learn(p, src, own);
	else
		r = DROP_FORGED;
	return p->policy->flags & GATE_FORGED ? GATE_PASS : r;
}

static __always_inline int
source_check(const struct port *p, __u64 src)
{
	__u64 own = read_once(p->state->mac);

	if (unlikely(!src || is_group(src)))
		return DROP_SOURCE;
	if (src == own)
		return GATE_PASS;
	return source_other(p, src, own);
}

#endif
