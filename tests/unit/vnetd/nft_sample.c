/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_sample.c - NAT plans by name.
 */
#include "nft_sample.h"

#include <string.h>

#define IP(a, b, c, d) ((struct ip4){(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)})

struct msg_nat_net
nft_sample_net(uint16_t net)
{
	return (struct msg_nat_net){
	    .net = net,
	    .subnet = IP(10, net, 0, 0),
	    .len = 24,
	    .host = IP(10, net, 0, 1),
	    .gateway = IP(10, net, 0, 2),
	    .adapter = true,
	    .nat = true,
	    .udp_timeout_s = 30,
	};
}

struct msg_nat_forward
nft_sample_forward(uint16_t net, enum ip_proto proto, uint16_t port)
{
	return (struct msg_nat_forward){
	    .net = net,
	    .proto = (uint8_t)proto,
	    .port = port,
	    .guest = IP(10, net, 0, 130),
	    .guest_port = 80,
	};
}

/* What every installation starts with: vmnet1 host-only, vmnet8 NAT. */
static void
two(struct nft_sample *s)
{
	s->nets[0] = nft_sample_net(1);
	s->nets[0].nat = false;
	s->nets[0].gateway = IP(0, 0, 0, 0);
	s->nets[1] = nft_sample_net(8);
	s->nnets = 2;
}

/* Without adapters, other masks, several timeouts, forwards of both protocols. */
static void
all(struct nft_sample *s)
{
	s->nets[0] = (struct msg_nat_net){.net = 5, .subnet = IP(10, 5, 0, 0), .len = 16};
	s->nets[1] = nft_sample_net(8);
	s->nets[2] = nft_sample_net(9);
	s->nets[2].adapter = false;
	s->nets[2].host = IP(0, 0, 0, 0);
	s->nets[2].len = 28;
	s->nets[2].udp_timeout_s = 60;
	s->nets[3] = nft_sample_net(255);
	s->nets[3].udp_timeout_s = 0;
	s->nets[3].routes.len = NAT_ROUTES_LEN;
	s->nets[3].routes.b[0] = 1 << 5; /* vmnet5 */
	s->nets[3].routes.b[1] = 1;      /* vmnet8 */
	s->nnets = 4;
	s->forwards[0] = nft_sample_forward(8, PROTO_TCP, 8080);
	s->forwards[1] = nft_sample_forward(9, PROTO_UDP, 8080);
	s->forwards[1].guest = IP(10, 9, 0, 14);
	s->forwards[2] = nft_sample_forward(255, PROTO_TCP, 65535);
	/* Of addresses of the host, two of which share a port. */
	s->forwards[3] = nft_sample_forward(8, PROTO_TCP, 443);
	s->forwards[3].host = IP(192, 0, 2, 1);
	s->forwards[4] = nft_sample_forward(9, PROTO_TCP, 443);
	s->forwards[4].guest = IP(10, 9, 0, 13);
	s->forwards[4].host = IP(192, 0, 2, 2);
	s->forwards[5] = nft_sample_forward(8, PROTO_UDP, 53);
	s->forwards[5].host = IP(127, 0, 0, 1);
	s->nforwards = 6;
	s->captures[0] = (struct msg_nat_capture){
	    .addr = {16, {[10] = 0xff, [11] = 0xff, 10, 8, 0, 1}}, .port = 80, .to_port = 10080};
	s->captures[1] = (struct msg_nat_capture){
	    .addr = {16, {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}}, .port = 22, .to_port = 10022};
	s->captures[2] = (struct msg_nat_capture){
	    .addr = {16, {0x20, 1, 0xd, 0xb8, [15] = 1}}, .port = 80, .to_port = 10080};
	s->ncaptures = 3;
}

/* All that can be said of how guests go out; and networks of which little or nothing is said. */
static void
ways(struct nft_sample *s)
{
	s->nets[0] = nft_sample_net(1);
	s->nets[0].nat = false;
	s->nets[0].gateway = IP(0, 0, 0, 0);
	s->nets[1] = nft_sample_net(8);
	s->nets[1].snat = IP(198, 51, 100, 1);
	s->nets[1].snat_lo = 20000;
	s->nets[1].snat_hi = 29999;
	strcpy(s->nets[1].egress, "eth1");
	s->nets[1].tcp_time_wait_s = 30;
	s->nets[1].ftp = s->nets[1].vmware_only = true;
	s->nets[1].open_gateway = s->nets[1].reset_lost = true;
	s->nets[1].low_tcp.len = 2;
	s->nets[1].low_tcp.b[0] = 513 >> 8;
	s->nets[1].low_tcp.b[1] = 513 & 0xff;
	s->nets[1].low_udp.len = 2;
	s->nets[1].low_udp.b[1] = 111;
	s->nets[2] = nft_sample_net(9);
	s->nets[2].snat_lo = 1024;
	s->nets[2].snat_hi = 1024;
	s->nets[2].tcp_time_wait_s = 5;
	s->nets[3] = nft_sample_net(10);
	s->nets[3].snat = IP(198, 51, 100, 2);
	s->nets[4] = nft_sample_net(11);
	s->nets[4].ftp = true;
	s->nnets = 5;
	s->forwards[0] = nft_sample_forward(8, PROTO_TCP, 8887);
	s->forwards[0].guest_port = 21;
	s->forwards[1] = nft_sample_forward(9, PROTO_TCP, 2121);
	s->forwards[1].guest_port = 21;
	s->forwards[2] = nft_sample_forward(11, PROTO_UDP, 2121);
	s->forwards[2].guest_port = 21;
	s->nforwards = 3;
}

/* Some of them in a flowtable. */
static void
flows(struct nft_sample *s)
{
	s->begin.flowtable = true;
	s->nets[0] = nft_sample_net(1);
	s->nets[0].nat = false;
	s->nets[1] = nft_sample_net(8);
	s->nets[2] = nft_sample_net(9);
	strcpy(s->nets[2].egress, "eth1");
	s->nets[3] = nft_sample_net(10);
	s->nets[3].tcp_time_wait_s = 30;
	s->nets[3].ftp = s->nets[3].vmware_only = s->nets[3].reset_lost = true;
	s->nnets = 4;
	s->forwards[0] = nft_sample_forward(8, PROTO_TCP, 8080);
	s->nforwards = 1;
}

bool
nft_sample(struct nft_sample *s, const char *name)
{
	memset(s, 0, sizeof(*s));
	if (!strcmp(name, "empty"))
		return true;
	if (!strcmp(name, "router"))
		s->begin.forward_others = true;
	else if (!strcmp(name, "two"))
		two(s);
	else if (!strcmp(name, "all"))
		all(s);
	else if (!strcmp(name, "ways"))
		ways(s);
	else if (!strcmp(name, "flows"))
		flows(s);
	else
		return false;
	return true;
}
