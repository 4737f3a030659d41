/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate.bpf.c - the port gate in the kernel: three classifiers in direct-action mode, see gate_maps.h.
 *
 *     gate_in     ingress of every port: what a guest sends
 *     gate_out    egress of a port that has a rate to the guest, that another port watches, or where
 *                 somebody captures
 *     gate_host   egress of a bridge: what the host sends
 *
 * A frame passes as TC_ACT_UNSPEC, so that programs and filters of others go on. The order of the checks is that of
 * their cost; a check that is off costs one test of a flag. Frames that pass no check are not copied.
 */
#include "bpf/gate_capture.bpf.h"
#include "bpf/gate_copy.bpf.h"
#include "bpf/gate_event.bpf.h"
#include "bpf/gate_guard.bpf.h"
#include "bpf/gate_kern.bpf.h"
#include "bpf/gate_rate.bpf.h"
#include "bpf/gate_source.bpf.h"

/* 01:80:c2:00:00:0x (BPDU, pause, LACP, LLDP) and :2x (GARP): between neighbours on one cable. */
static __always_inline bool
is_control(__u64 mac)
{
	return (mac & 0xffffffffff) == 0x0000c28001 && !(mac >> 40 & 0xd0);
}

static __always_inline int
in_check(struct __sk_buff *skb, const struct port *p, const struct frame *f)
{
	const struct gate_policy *policy = p->policy;
	struct gate_state *state = p->state;
	int r = source_check(p, f->src);

	if (r != GATE_PASS)
		return r;
	if (is_group(f->dst)) {
		if (policy->flags & GATE_CONTROL && is_control(f->dst))
			return DROP_CONTROL;
		if (policy->flood_ns &&
		    !rate_ok(&state->flood_tat, policy->flood_ns, policy->flood_burst_ns))
			return DROP_FLOOD;
	}
	if (!rate_bytes_ok(skb, &state->out_tat, policy->out_ns, policy->out_burst_ns))
		return DROP_RATE_OUT;
	return policy->flags & GATE_READS ? guard_check(skb, p, f) : GATE_PASS;
}

SEC("tc")
int
gate_in(struct __sk_buff *skb)
{
	struct frame f = {0, 0, 0};
	struct port p;
	int r;

	if (!port_find(&p, skb))
		return TC_ACT_SHOT;
	r = frame_read(&f, skb) ? in_check(skb, &p, &f) : DROP_SOURCE;
	if (unlikely(p.policy->capture))
		capture_copy(skb, &p, false, r);
	if (r != GATE_PASS)
		return frame_drop(&p, (__u32)r, f.src);
	copy_unmark(skb);
	if (unlikely(p.policy->span))
		copy_to_span(skb, &f, &p);
	if (unlikely(p.policy->flags & GATE_COPIES))
		copy_to_promiscuous(skb, &f, p.policy->net, p.slot);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int
gate_out(struct __sk_buff *skb)
{
	struct frame f = {0, 0, 0};
	struct port p;
	bool passes;

	if (!port_find(&p, skb) || !frame_read(&f, skb))
		return TC_ACT_UNSPEC;
	passes = rate_bytes_ok(skb, &p.state->in_tat, p.policy->in_ns, p.policy->in_burst_ns);
	if (unlikely(p.policy->capture))
		capture_copy(skb, &p, true, passes ? GATE_PASS : DROP_RATE_IN);
	if (!passes)
		return frame_drop(&p, DROP_RATE_IN, f.src);
	if (p.policy->span && !copy_is(skb))
		copy_to_span(skb, &f, &p);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int
gate_host(struct __sk_buff *skb)
{
	struct frame f = {0, 0, 0};
	struct port p;

	if (!port_find(&p, skb) || !frame_read(&f, skb))
		return TC_ACT_UNSPEC;
	copy_unmark(skb);
	copy_to_promiscuous(skb, &f, p.policy->net, p.slot);
	return TC_ACT_UNSPEC;
}

char gate_license[] SEC("license") = "GPL";
