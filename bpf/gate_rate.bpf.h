/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_rate.bpf.h - limits of packets and bytes.
 *
 * The generic cell rate algorithm: one number, the theoretical arrival time. A frame that comes no
 * further than the burst ahead of it passes and moves it by the time that the frame is worth.
 */
#ifndef VNET_BPF_GATE_RATE_BPF_H
#define VNET_BPF_GATE_RATE_BPF_H

#include "bpf/gate_kern.bpf.h"

#define RATE_TRIES      4
#define SEGMENT_HEADERS 54 /* Ethernet, IPv4 and TCP without options */

cold bool
rate_ok(__u64 *tat, __u64 cost_ns, __u64 burst_ns)
{
	__u64 now = bpf_ktime_get_ns();

	for (int i = 0; i < RATE_TRIES; i++) {
		__u64 old = read_once(*tat);
		__u64 start = old > now ? old : now;

		if (start - now > burst_ns)
			return false;
		if (__sync_val_compare_and_swap(tat, old, start + cost_ns) == old)
			return true;
	}
	/* Others have moved it that often just now, so it is not in the past. */
	__sync_fetch_and_add(tat, cost_ns);
	return true;
}

/* Bytes on a cable. A frame that is still to be cut into segments has one header for all of them. */
static __always_inline __u32
rate_bytes(const struct __sk_buff *skb)
{
	__u32 len = skb->len, segment = skb->gso_size;

	if (!segment || len <= SEGMENT_HEADERS)
		return len;
	return len + (len - SEGMENT_HEADERS - 1) / segment * SEGMENT_HEADERS;
}

/* per_kib_ns: nanoseconds for 1024 bytes; 0: no limit. */
static __always_inline bool
rate_bytes_ok(const struct __sk_buff *skb, __u64 *tat, __u64 per_kib_ns, __u64 burst_ns)
{
	return !per_kib_ns || rate_ok(tat, per_kib_ns * rate_bytes(skb) >> 10, burst_ns);
}

#endif
