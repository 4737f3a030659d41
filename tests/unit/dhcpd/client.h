/* SPDX-License-Identifier: GPL-2.0-or-later
 * client.h - a scripted DHCP client for tests: makes request frames, reads reply frames.
 */
#ifndef VNET_TESTS_DHCPD_CLIENT_H
#define VNET_TESTS_DHCPD_CLIENT_H

#include "dhcpd/msg.h"
#include "lib/frame.h"

struct tclient {
	struct mac mac;
	const uint8_t *uid;
	size_t uid_len;
	const char *hostname;
	const uint8_t *params;
	size_t nparams;
	uint32_t xid;
	bool broadcast;
};

/* What one message says. Zero: absent. dst 0: 255.255.255.255 with the broadcast MAC; else unicast
 * to eth_dst. */
struct trequest {
	enum dhcp_type type;
	struct ip4 ciaddr, requested, server_id, giaddr;
	struct ip4 src, dst;
	struct mac eth_dst;
	struct mac eth_src; /* zero: the client's */
	uint32_t lease_s;
	uint16_t max_size;
	bool auto_config; /* option 116 */
	bool relay_info;  /* option 82 */
};

struct treply {
	struct udp4_frame f; /* points into the frame that was read */
	struct dhcp_msg m;
};

/* The frame's length. */
size_t tclient_frame(uint8_t *buf, size_t cap, const struct tclient *c, const struct trequest *q);

/* False when the frame is not an intact reply (checksums are verified). */
bool tclient_read(struct treply *r, const uint8_t *frame, size_t len);

/* One option of a reply, joined; -1 malformed, 0 absent or empty. */
int treply_opt(const struct treply *r, uint8_t code, void *buf, size_t cap);
uint32_t treply_u32(const struct treply *r, uint8_t code);

#endif
