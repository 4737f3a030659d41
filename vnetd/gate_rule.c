/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_rule.c - from a GATE_SET to numbers for the programs. Pure.
 */
#include "vnetd/gate_rule.h"

#include <assert.h>
#include <string.h>

enum {
	NS_PER_MS = 1000000,
	/* A burst: so long at full rate, and at least so much. */
	RATE_BURST_MS = 50,
	RATE_BURST_KIB = 128, /* two frames as large as segmentation offload makes them */
	FLOOD_BURST_MS = 100,
	FLOOD_BURST_FRAMES = 20, /* a guest that boots */
	DHCP_BURST_MS = 1000,    /* a lab behind one port that boots */
};

#define NS_PER_S    1000000000ull
#define KIB_BITS    8192ull
#define BITS_A_KBIT 1000ull

uint64_t
gate_mac_number(struct mac m)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < sizeof(m.b); i++)
		v |= (uint64_t)m.b[i] << 8 * i;
	return v;
}

struct mac
gate_mac_of(uint64_t number)
{
	struct mac m;

	for (unsigned i = 0; i < sizeof(m.b); i++)
		m.b[i] = (uint8_t)(number >> 8 * i);
	return m;
}

/* At least 1: 0 would be no limit. */
static uint64_t
rounded(uint64_t dividend, uint64_t divisor)
{
	uint64_t v = (dividend + divisor / 2) / divisor;

	return v ? v : 1;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t
gate_rate_ns(uint32_t kbit)
{
	return kbit ? rounded(KIB_BITS * NS_PER_S / BITS_A_KBIT, kbit) : 0;
}

uint64_t
gate_rate_burst_ns(uint32_t kbit)
{
	return kbit ? larger((uint64_t)RATE_BURST_MS * NS_PER_MS,
			     RATE_BURST_KIB * gate_rate_ns(kbit))
		    : 0;
}

uint64_t
gate_flood_ns(uint32_t per_second)
{
	return per_second ? rounded(NS_PER_S, per_second) : 0;
}

uint64_t
gate_flood_burst_ns(uint32_t per_second)
{
	return per_second ? larger((uint64_t)FLOOD_BURST_MS * NS_PER_MS,
				   FLOOD_BURST_FRAMES * gate_flood_ns(per_second))
			  : 0;
}

uint64_t
gate_dhcp_burst_ns(uint32_t per_second)
{
	return per_second ? larger((uint64_t)DHCP_BURST_MS * NS_PER_MS,
				   FLOOD_BURST_FRAMES * gate_flood_ns(per_second))
			  : 0;
}

/* What is asked of DHCP servers. */
static void
rule_requests(struct gate_policy *out, const struct msg_gate_set *m, unsigned slot)
{
	if (m->dhcp_rate || m->dhcp_server.h)
		out->flags |= GATE_REQUESTS;
	out->dhcp_ns = gate_flood_ns(m->dhcp_rate);
	out->dhcp_burst_ns = gate_dhcp_burst_ns(m->dhcp_rate);
	if (m->dhcp_leases || (m->flags & GATE_IP && m->dhcp_server.h))
		out->dhcp_stamp =
		    DHCP_STAMP(slot, m->dhcp_leases) | (m->flags & GATE_IP ? DHCP_STAMP_GUARD : 0);
	out->dhcp_server = ip4_be(m->dhcp_server);
	out->dhcp_broadcast = ip4_be(m->dhcp_broadcast);
}

void
gate_rule_policy(struct gate_policy *out, const struct msg_gate_set *m, uint32_t ifindex,
		 unsigned slot, unsigned span)
{
	static_assert(DHCP_STAMP_SLOTS == GATE_SLOTS, "a stamp has room for every slot");
	/* Padding included: entries are compared as memory. */
	memset(out, 0, sizeof(*out));
	out->ifindex = ifindex;
	out->flags = m->flags;
	out->mac_policy = m->mac_policy;
	out->net = (uint8_t)m->net;
	out->learn = m->mac_policy == MAC_POLICY_LEARN ? m->learn : 0;
	out->span = span;
	out->ip = m->flags & GATE_IP ? ip4_be(m->ip) : 0;
	out->flood_ns = gate_flood_ns(m->flood);
	out->flood_burst_ns = gate_flood_burst_ns(m->flood);
	out->in_ns = gate_rate_ns(m->rate_in_kbit);
	out->in_burst_ns = gate_rate_burst_ns(m->rate_in_kbit);
	out->out_ns = gate_rate_ns(m->rate_out_kbit);
	out->out_burst_ns = gate_rate_burst_ns(m->rate_out_kbit);
	rule_requests(out, m, slot);
	memcpy(out->memo, m->memo.b, m->memo.len);
}

bool
gate_rule_watches_egress(const struct gate_policy *p)
{
	return p->in_ns || p->span || p->capture;
}
