/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_sample.h - NAT plans by name, as rows: for the golden texts and for the test that commits
 * them.
 */
#ifndef VNET_TESTS_UNIT_VNETD_NFT_SAMPLE_H
#define VNET_TESTS_UNIT_VNETD_NFT_SAMPLE_H

#include "lib/msg.h"

struct nft_sample {
	struct msg_nat_begin begin;
	struct msg_nat_net nets[8];
	struct msg_nat_forward forwards[8];
	struct msg_nat_capture captures[3];
	size_t nnets, nforwards, ncaptures;
};

/* "empty", "router", "two", "all". False: no such plan. */
bool nft_sample(struct nft_sample *s, const char *name);

/* A NAT network 10.N.0.0/24, and a forward of it to 10.N.0.130:80. */
struct msg_nat_net nft_sample_net(uint16_t net);
struct msg_nat_forward nft_sample_forward(uint16_t net, enum ip_proto proto, uint16_t port);

#endif
