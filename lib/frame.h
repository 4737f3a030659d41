/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame.h - Ethernet, ARP, IPv4 and UDP headers: decode and encode whole frames. Of IPv6 only what announces an address.
 *
 * Pure. RFC 894, 826, 791, 768, 4861. Decoders take bytes from outside: they are total and check lengths,
 * header checksums and (when not zero) the UDP checksum.
 */
#ifndef VNET_LIB_FRAME_H
#define VNET_LIB_FRAME_H

#include "inet.h"
#include "wire.h"

enum { ETH_HLEN_ = 14, IP4_HLEN = 20, UDP_HLEN = 8 };

/* A UDP datagram inside an Ethernet frame. `data` points into the frame. */
struct udp4_frame {
	struct mac eth_dst, eth_src;
	struct ip4 src, dst;
	uint16_t sport, dport;
	const uint8_t *data;
	size_t len;
};

enum frame_csum {
	FRAME_CSUM_CHECK, /* verify the UDP checksum when it is there */
	/* The same, but the sender's kernel may have left it to hardware, and there is none between guests and host: then it is
	 * the sum of the pseudo-header alone, which says nothing of the data. */
	FRAME_CSUM_MAYBE,
};

/* Decodes Ethernet (one optional 802.1Q tag is NOT accepted) / IPv4 / UDP. False when it is anything
 * else, a fragment, too short, or a checksum is wrong. Trailing Ethernet padding is ignored. */
bool udp4_frame_decode(struct udp4_frame *out, const void *frame, size_t len, enum frame_csum mode);

/* Writes the complete frame with both checksums (TTL 64, DF not set, id 0). Sets w->bad when it does
 * not fit. */
void udp4_frame_encode(struct wr *w, const struct udp4_frame *f);

enum { ARP4_FRAME_LEN = 60 }; /* as written here: padded */

/* ARP for IPv4 over Ethernet. */
struct arp4 {
	bool reply; /* else a request */
	struct mac sender_mac, target_mac;
	struct ip4 sender_ip, target_ip;
};

/* Whether the Ethernet type says ARP; nothing else is looked at. */
bool arp4_frame_claims(const void *frame, size_t len);

/* Decodes an Ethernet frame with ARP for IPv4 over Ethernet. False for anything else. */
bool arp4_frame_decode(struct arp4 *out, struct mac *eth_src, const void *frame, size_t len);

/* Writes an ARP frame to eth_dst from sender_mac, padded to 60 bytes. */
void arp4_frame_encode(struct wr *w, struct mac eth_dst, const struct arp4 *a);

/* Writes an unsolicited neighbour advertisement to all nodes: who has a cache entry for the address replaces its link-layer
 * address by `mac`. RFC 4861 7.2.6. */
void na6_frame_encode(struct wr *w, struct mac mac, const uint8_t addr[16]);

#endif
