/* SPDX-License-Identifier: GPL-2.0-or-later
 * flow.h - who talks to whom in a frame, and one line about it. Pure; the frames come from guests.
 */
#ifndef VNET_CAPTURE_FLOW_H
#define VNET_CAPTURE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"
#include "lib/strbuf.h"

enum flow_kind {
	FLOW_OTHER, /* told by its Ethernet addresses and type */
	FLOW_ARP,
	FLOW_IP4,
	FLOW_IP6
};

/* What could be read of a frame that may be cut off; the rest is zero. */
struct flow {
	enum flow_kind kind;
	struct mac src_mac, dst_mac;
	uint16_t type;            /* Ethernet type behind the tags; below 0x600 a length */
	uint16_t vlan;            /* VLAN number of the outermost tag, 0: none */
	uint8_t src[16], dst[16]; /* IPv4 and ARP: the first 4 bytes */
	uint8_t proto;            /* IP */
	bool ports;               /* the two numbers are there */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint32_t payload; /* bytes behind the TCP or UDP header, as the packet tells */
	uint8_t icmp_type, icmp_code;
	uint16_t arp_op;
};

/* False: not even an Ethernet header. */
bool flow_read(struct flow *out, const uint8_t *data, size_t len);

#define FLOW_END_MAX 56 /* "[ffff:...:ffff]:65535" */
/* One side: "10.0.0.1:80", an IPv6 address in brackets before a port, a MAC address without IP. */
char *flow_source(const struct flow *f, char buf[FLOW_END_MAX]);
char *flow_target(const struct flow *f, char buf[FLOW_END_MAX]);

#define FLOW_PROTO_MAX 16
/* "tcp", "udp", "icmp", "arp", "ip 89", "0x88cc". */
char *flow_proto(const struct flow *f, char buf[FLOW_PROTO_MAX]);

/* "tcp 10.0.0.1:80 > 10.0.0.2:4711 [S.] 0 bytes", without a line end. */
void flow_line(struct strbuf *out, const struct flow *f, uint32_t len);

#endif
