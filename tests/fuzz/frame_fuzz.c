/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame_fuzz.c - any bytes as a frame: decoders stay inside them, and what they accept survives being
 * encoded and decoded again.
 */
#include <stdlib.h>

#include "lib/frame.h"
#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
udp(const uint8_t *data, size_t len, enum frame_csum mode)
{
	static uint8_t buf[ETH_HLEN_ + 65535];
	struct udp4_frame f, g;
	struct wr w = wr_init(buf, sizeof(buf));

	if (!udp4_frame_decode(&f, data, len, mode))
		return;
	must(f.data >= data && f.len <= len && (size_t)(f.data - data) <= len - f.len);
	udp4_frame_encode(&w, &f);
	must(!w.bad);
	must(udp4_frame_decode(&g, buf, wr_len(&w), FRAME_CSUM_CHECK));
	must(mac_eq(f.eth_dst, g.eth_dst) && mac_eq(f.eth_src, g.eth_src));
	must(ip4_eq(f.src, g.src) && ip4_eq(f.dst, g.dst));
	must(f.sport == g.sport && f.dport == g.dport && f.len == g.len);
	must(f.len == 0 || memcmp(f.data, g.data, f.len) == 0);
}

static void
arp(const uint8_t *data, size_t len)
{
	struct arp4 a, b;
	struct mac src, again, dst = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	if (!arp4_frame_decode(&a, &src, data, len))
		return;
	arp4_frame_encode(&w, dst, &a);
	must(!w.bad && wr_len(&w) == 60);
	must(arp4_frame_decode(&b, &again, buf, wr_len(&w)));
	must(a.reply == b.reply && mac_eq(a.sender_mac, b.sender_mac) &&
	     mac_eq(again, a.sender_mac));
	must(mac_eq(a.target_mac, b.target_mac));
	must(ip4_eq(a.sender_ip, b.sender_ip) && ip4_eq(a.target_ip, b.target_ip));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	udp(data, len, FRAME_CSUM_CHECK);
	udp(data, len, FRAME_CSUM_MAYBE);
	arp(data, len);
	return 0;
}
