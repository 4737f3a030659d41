/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_way.c - the chain of a network that does not simply masquerade. Pure.
 */
#include "priv_nft_plan.h"

#include <netinet/in.h>
#include <stdio.h>

/* Source ports that only a privileged program can have; Linux keeps the very low ones for those of old. */
enum { LOW_FIRST = 600, LOW_LAST = 1023 };

bool
nft_way_has_chain(const struct msg_nat_net *m)
{
	return m->nat && (m->snat.h || m->snat_lo || m->low_tcp.len || m->low_udp.len);
}

void
nft_way_chain(char *buf, size_t cap, const struct msg_nat_net *m)
{
	snprintf(buf, cap, "way_vmnet%u", m->net);
}

static void
low_rules(const struct msg_nat_net *m, uint8_t proto, const uint8_t *ports, size_t len,
	  void (*cb)(const struct nft_stmt *stmt, void *arg), void *arg)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		const struct nft_stmt rule[NFT_STMTS_MAX] = {
		    {NFT_OP_L4PROTO, proto, 0},
		    {NFT_OP_DPORT, (uint32_t)(ports[i] << 8 | ports[i + 1]), 0},
		    {NFT_OP_OUT_AS, m->snat.h, LOW_FIRST << 16 | LOW_LAST}};

		cb(rule, arg);
	}
}

void
nft_way_rules(const struct msg_nat_net *m, void (*cb)(const struct nft_stmt *stmt, void *arg),
	      void *arg)
{
	const struct nft_stmt any[NFT_STMTS_MAX] = {{NFT_OP_OUT_AS, m->snat.h, 0}};
	const uint32_t ports = (uint32_t)m->snat_lo << 16 | m->snat_hi;

	low_rules(m, IPPROTO_TCP, m->low_tcp.b, m->low_tcp.len, cb, arg);
	low_rules(m, IPPROTO_UDP, m->low_udp.b, m->low_udp.len, cb, arg);
	for (unsigned i = 0; i < PROTO_N && ports; i++) {
		const struct nft_stmt rule[NFT_STMTS_MAX] = {
		    {NFT_OP_L4PROTO, i == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP, 0},
		    {NFT_OP_OUT_AS, m->snat.h, ports}};

		cb(rule, arg);
	}
	cb(any, arg);
}
