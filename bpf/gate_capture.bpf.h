/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_capture.bpf.h - copies of frames for who captures at a port.
 *
 * Contract: the frame goes on as it was, but for its hash, which is computed anew when somebody wants it. The copy
 * carries GATE_TAG() in that place, by which a packet socket on the device that gets it tells ports apart.
 */
#ifndef VNET_BPF_GATE_CAPTURE_BPF_H
#define VNET_BPF_GATE_CAPTURE_BPF_H

#include "bpf/gate_kern.bpf.h"

/* how: GATE_PASS or an enum drop_reason. */
cold void
capture_copy(struct __sk_buff *skb, const struct port *p, bool to_guest, int how)
{
	bpf_set_hash(skb, GATE_TAG(p->slot, to_guest, how == GATE_PASS ? 0 : how + 1));
	bpf_clone_redirect(skb, p->policy->capture, 0);
	bpf_set_hash_invalid(skb);
}

#endif
