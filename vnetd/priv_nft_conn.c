/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_conn.c - whose connection one is, and how far it has got. Pure.
 */
#include "priv_nft_conn.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>

#include "lib/util.h"

static const uint8_t tcp_states[] = {
    [TCP_CONNTRACK_SYN_SENT] = CONN_SYN_SENT,       [TCP_CONNTRACK_SYN_RECV] = CONN_SYN_RECV,
    [TCP_CONNTRACK_ESTABLISHED] = CONN_ESTABLISHED, [TCP_CONNTRACK_FIN_WAIT] = CONN_FIN_WAIT,
    [TCP_CONNTRACK_CLOSE_WAIT] = CONN_CLOSE_WAIT,   [TCP_CONNTRACK_LAST_ACK] = CONN_LAST_ACK,
    [TCP_CONNTRACK_TIME_WAIT] = CONN_TIME_WAIT,     [TCP_CONNTRACK_CLOSE] = CONN_CLOSE,
    [TCP_CONNTRACK_SYN_SENT2] = CONN_SYN_SENT,
};

static enum conn_state
state_of(const struct nft_ct_entry *e)
{
	/* Of a connection in a flowtable the kernel does not tell the state, and lets go of it with the first FIN. */
	if (e->status & IPS_OFFLOAD && e->orig.proto == IPPROTO_TCP)
		return CONN_ESTABLISHED;
	if (e->tcp_state != TCP_CONNTRACK_NONE && e->tcp_state < ARRAY_LEN(tcp_states))
		return (enum conn_state)tcp_states[e->tcp_state];
	return e->status & IPS_SEEN_REPLY ? CONN_ANSWERED : CONN_UNANSWERED;
}

/* The network of which this is a guest's address, if it is `net`. */
static const struct msg_nat_net *
guest_net(const struct nft_plan *p, uint16_t net, struct ip4 a)
{
	for (size_t i = 0; i < p->nnets; i++) {
		const struct msg_nat_net *m = &p->nets[i];

		if ((net == MSG_NET_ALL || net == m->net) &&
		    prefix4_contains((struct prefix4){m->subnet, m->len}, a) &&
		    !ip4_eq(a, m->host) && !ip4_eq(a, m->gateway))
			return m;
	}
	return NULL;
}

bool
nft_conn_row(struct msg_conn_row *row, const struct nft_plan *p, uint16_t net,
	     const struct nft_ct_entry *e)
{
	bool forwarded = e->status & IPS_DST_NAT;
	const struct msg_nat_net *from = guest_net(p, net, e->orig.src);
	const struct msg_nat_net *to = guest_net(p, net, e->reply.src);
	bool inward = to && (forwarded || !from);

	if (!from && !to)
		return false;
	*row = (struct msg_conn_row){
	    .net = inward ? to->net : from->net,
	    .ip_proto = e->orig.proto,
	    .inward = inward,
	    .guest = inward ? e->reply.src : e->orig.src,
	    .guest_port = inward ? e->reply.sport : e->orig.sport,
	    .peer = inward ? e->orig.src : e->orig.dst,
	    .peer_port = inward ? e->orig.sport : e->orig.dport,
	    .forward = inward && forwarded ? e->orig.dport : 0,
	    .by = inward && forwarded ? e->orig.dst : (struct ip4){0},
	    .state = (uint8_t)state_of(e),
	    .counted = e->counted,
	    .bytes_in = inward ? e->bytes_orig : e->bytes_reply,
	    .bytes_out = inward ? e->bytes_reply : e->bytes_orig,
	    .age_s = e->age_s,
	    .left_s = e->status & IPS_OFFLOAD ? UINT32_MAX : e->left_s,
	};
	return true;
}
