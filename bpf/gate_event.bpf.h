/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_event.bpf.h - what the gate tells the engine, and how it counts what it drops.
 */
#ifndef VNET_BPF_GATE_EVENT_BPF_H
#define VNET_BPF_GATE_EVENT_BPF_H

#include "bpf/gate_kern.bpf.h"

#define EVENT_GAP_NS 1000000000ll /* between two events of one port about drops */

/* With a full ring the event is lost; counters and state are not. */
static __always_inline void
event_put(const struct port *p, __u8 kind, __u8 reason, __u64 mac, __u64 drops)
{
	struct gate_event *e = bpf_ringbuf_reserve(&gate_events, sizeof(*e), 0);

	if (!e)
		return;
	e->ifindex = p->policy->ifindex;
	e->slot = p->slot;
	e->kind = kind;
	e->reason = reason;
	e->mac = mac;
	e->drops = drops;
	bpf_ringbuf_submit(e, 0);
}

/* Counts, tells it at times, and returns what the program has to return. */
cold int
frame_drop(const struct port *p, __u32 reason, __u64 src)
{
	__u64 last = read_once(p->state->event_ns), now = bpf_ktime_get_ns(), n;
	struct gate_drops *drops = bpf_map_lookup_elem(&gate_drops, &p->slot);

	if (!drops || reason >= DROP_REASON_N)
		return TC_ACT_SHOT;
	n = __sync_fetch_and_add(&drops->n[reason], 1) + 1;
	/* Signed: the clocks of two processors may differ a little. */
	if (last && (__s64)(now - last) < EVENT_GAP_NS)
		return TC_ACT_SHOT;
	if (__sync_val_compare_and_swap(&p->state->event_ns, last, now) == last)
		event_put(p, GATE_EVENT_DROPPED, reason, src, n);
	return TC_ACT_SHOT;
}

#endif
