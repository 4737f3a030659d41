/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame.c - whole Ethernet frames with UDP over IPv4, ARP, or a neighbour advertisement. Pure; decoders are total.
 */
#include "frame.h"

enum {
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP4 = 0x0806,
	ETH_FRAME_MIN = 60, /* without the frame check sequence */
	IP4_PROTO_UDP = 17,
	IP4_TTL = 64,
	IP4_LEN_MAX = 65535,
	IP4_MF_OR_OFFSET = 0x3fff, /* RFC 791: "more fragments" and the fragment offset */
	ARP_HTYPE_ETHER = 1,
	ARP_OP_REQUEST = 1,
	ARP_OP_REPLY = 2,
	ETHERTYPE_IP6 = 0x86dd,
	IP6_PROTO_ICMP = 58,
	ICMP6_NA = 136,
	NA_LEN = 32, /* with the option */
	NA_OVERRIDE = 1 << 29,
	NA_OPT_TARGET_MAC = 2,
};

static struct mac
rd_mac(struct rd *r)
{
	struct mac m;

	rd_copy(r, m.b, sizeof(m.b));
	return m;
}

static struct ip4
rd_ip4(struct rd *r)
{
	return (struct ip4){rd_be32(r)};
}

static void
wr_mac(struct wr *w, struct mac m)
{
	wr_bytes(w, m.b, sizeof(m.b));
}

/* RFC 768: source, destination, zero, protocol, UDP length. */
static uint32_t
pseudo_sum(struct ip4 src, struct ip4 dst, size_t udp_len)
{
	uint8_t buf[12];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, src.h);
	wr_be32(&w, dst.h);
	wr_be16(&w, IP4_PROTO_UDP);
	wr_be16(&w, (uint16_t)udp_len);
	return inet_sum(buf, sizeof(buf), 0);
}

/* Reads the IPv4 header and leaves r on the bytes of its payload, without Ethernet padding. */
static bool
ip4_header_decode(struct udp4_frame *f, struct rd *r)
{
	const uint8_t *start = r->p;
	uint8_t vihl = rd_u8(r);
	size_t hlen = (size_t)(vihl & 15) * 4;
	size_t total;
	uint16_t frag;

	rd_u8(r); /* DSCP and ECN */
	total = rd_be16(r);
	rd_be16(r); /* id */
	frag = rd_be16(r);
	rd_u8(r); /* TTL: we are the destination's link, not a router */
	if (rd_u8(r) != IP4_PROTO_UDP)
		return false;
	rd_be16(r); /* header checksum */
	f->src = rd_ip4(r);
	f->dst = rd_ip4(r);
	if (r->bad || vihl >> 4 != 4 || hlen < IP4_HLEN || total < hlen)
		return false;
	if (frag & IP4_MF_OR_OFFSET)
		return false;
	rd_bytes(r, hlen - IP4_HLEN);
	*r = rd_sub(r, total - hlen);
	return !r->bad && inet_sum_fold(inet_sum(start, hlen, 0)) == 0;
}

/* The checksum of a datagram, its field included, comes out right, or is what a kernel leaves to hardware. */
static bool
udp_csum_ok(const uint8_t *udp, size_t len, uint16_t field, uint32_t pseudo, enum frame_csum mode)
{
	const uint16_t partial = (uint16_t)~inet_sum_fold(pseudo);

	if (mode == FRAME_CSUM_MAYBE && field == partial)
		return true;
	return inet_sum_fold(inet_sum(udp, len, pseudo)) == 0;
}

bool
udp4_frame_decode(struct udp4_frame *out, const void *frame, size_t len, enum frame_csum mode)
{
	struct rd r = rd_init(frame, len);
	struct udp4_frame f;
	const uint8_t *udp;
	size_t udp_len;
	uint16_t csum;

	f.eth_dst = rd_mac(&r);
	f.eth_src = rd_mac(&r);
	if (rd_be16(&r) != ETHERTYPE_IP4 || !ip4_header_decode(&f, &r))
		return false;

	udp = r.p;
	f.sport = rd_be16(&r);
	f.dport = rd_be16(&r);
	udp_len = rd_be16(&r);
	csum = rd_be16(&r);
	if (r.bad || udp_len < UDP_HLEN)
		return false;
	f.len = udp_len - UDP_HLEN;
	f.data = rd_bytes(&r, f.len);
	if (r.bad)
		return false;
	if (csum != 0 && !udp_csum_ok(udp, udp_len, csum, pseudo_sum(f.src, f.dst, udp_len), mode))
		return false;
	*out = f;
	return true;
}

static void
ip4_header_encode(struct wr *w, struct ip4 src, struct ip4 dst, size_t payload)
{
	uint8_t buf[IP4_HLEN];
	struct wr h = wr_init(buf, sizeof(buf));
	uint16_t csum;

	wr_u8(&h, 4 << 4 | IP4_HLEN / 4);
	wr_u8(&h, 0);
	wr_be16(&h, (uint16_t)(IP4_HLEN + payload));
	wr_be32(&h, 0); /* id, flags, fragment offset */
	wr_u8(&h, IP4_TTL);
	wr_u8(&h, IP4_PROTO_UDP);
	wr_be16(&h, 0);
	wr_be32(&h, src.h);
	wr_be32(&h, dst.h);
	csum = inet_sum_fold(inet_sum(buf, sizeof(buf), 0));
	buf[10] = (uint8_t)(csum >> 8);
	buf[11] = (uint8_t)csum;
	wr_bytes(w, buf, sizeof(buf));
}

void
udp4_frame_encode(struct wr *w, const struct udp4_frame *f)
{
	uint8_t buf[UDP_HLEN];
	struct wr h = wr_init(buf, sizeof(buf));
	size_t udp_len = UDP_HLEN + f->len;
	uint32_t sum;
	uint16_t csum;

	if (f->len > IP4_LEN_MAX - IP4_HLEN - UDP_HLEN) {
		w->bad = true;
		return;
	}
	wr_be16(&h, f->sport);
	wr_be16(&h, f->dport);
	wr_be16(&h, (uint16_t)udp_len);
	wr_be16(&h, 0);
	sum = inet_sum(buf, sizeof(buf), pseudo_sum(f->src, f->dst, udp_len));
	csum = inet_sum_fold(inet_sum(f->data, f->len, sum));
	if (csum == 0)
		csum = 0xffff; /* RFC 768: zero would mean "no checksum" */
	buf[6] = (uint8_t)(csum >> 8);
	buf[7] = (uint8_t)csum;

	wr_mac(w, f->eth_dst);
	wr_mac(w, f->eth_src);
	wr_be16(w, ETHERTYPE_IP4);
	ip4_header_encode(w, f->src, f->dst, udp_len);
	wr_bytes(w, buf, sizeof(buf));
	wr_bytes(w, f->data, f->len);
}

bool
arp4_frame_claims(const void *frame, size_t len)
{
	struct rd r = rd_init(frame, len);

	rd_bytes(&r, 12);
	return rd_be16(&r) == ETHERTYPE_ARP4;
}

bool
arp4_frame_decode(struct arp4 *out, struct mac *eth_src, const void *frame, size_t len)
{
	struct rd r = rd_init(frame, len);
	struct mac src;
	struct arp4 a;
	uint16_t op;

	rd_mac(&r); /* destination: a probe may be unicast */
	src = rd_mac(&r);
	if (rd_be16(&r) != ETHERTYPE_ARP4)
		return false;
	if (rd_be16(&r) != ARP_HTYPE_ETHER || rd_be16(&r) != ETHERTYPE_IP4)
		return false;
	if (rd_u8(&r) != 6 || rd_u8(&r) != 4)
		return false;
	op = rd_be16(&r);
	if (op != ARP_OP_REQUEST && op != ARP_OP_REPLY)
		return false;
	a.reply = op == ARP_OP_REPLY;
	a.sender_mac = rd_mac(&r);
	a.sender_ip = rd_ip4(&r);
	a.target_mac = rd_mac(&r);
	a.target_ip = rd_ip4(&r);
	if (r.bad)
		return false;
	*out = a;
	*eth_src = src;
	return true;
}

void
arp4_frame_encode(struct wr *w, struct mac eth_dst, const struct arp4 *a)
{
	size_t start = wr_len(w);

	wr_mac(w, eth_dst);
	wr_mac(w, a->sender_mac);
	wr_be16(w, ETHERTYPE_ARP4);
	wr_be16(w, ARP_HTYPE_ETHER);
	wr_be16(w, ETHERTYPE_IP4);
	wr_u8(w, 6);
	wr_u8(w, 4);
	wr_be16(w, a->reply ? ARP_OP_REPLY : ARP_OP_REQUEST);
	wr_mac(w, a->sender_mac);
	wr_be32(w, a->sender_ip.h);
	wr_mac(w, a->target_mac);
	wr_be32(w, a->target_ip.h);
	if (!w->bad)
		wr_zero(w, ETH_FRAME_MIN - (wr_len(w) - start));
}

void
na6_frame_encode(struct wr *w, struct mac mac, const uint8_t addr[16])
{
	static const struct mac all_nodes_mac = {{0x33, 0x33, 0, 0, 0, 1}};
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
	uint8_t buf[2 * 16 + 8 + NA_LEN];
	struct wr h = wr_init(buf, sizeof(buf));
	uint8_t *na = buf + 2 * 16 + 8;
	uint16_t csum;

	/* The pseudo header, RFC 8200 8.1. */
	wr_bytes(&h, addr, 16);
	wr_bytes(&h, all_nodes, sizeof(all_nodes));
	wr_be32(&h, NA_LEN);
	wr_be32(&h, IP6_PROTO_ICMP);
	/* The message and one option, RFC 4861 4.4, 4.6.1. */
	wr_u8(&h, ICMP6_NA);
	wr_u8(&h, 0);
	wr_be16(&h, 0);
	wr_be32(&h, NA_OVERRIDE);
	wr_bytes(&h, addr, 16);
	wr_u8(&h, NA_OPT_TARGET_MAC);
	wr_u8(&h, 1);
	wr_mac(&h, mac);
	csum = inet_sum_fold(inet_sum(buf, sizeof(buf), 0));
	na[2] = (uint8_t)(csum >> 8);
	na[3] = (uint8_t)csum;

	wr_mac(w, all_nodes_mac);
	wr_mac(w, mac);
	wr_be16(w, ETHERTYPE_IP6);
	wr_be32(w, UINT32_C(6) << 28);
	wr_be16(w, NA_LEN);
	wr_u8(w, IP6_PROTO_ICMP);
	wr_u8(w, 255);
	wr_bytes(w, addr, 16);
	wr_bytes(w, all_nodes, sizeof(all_nodes));
	wr_bytes(w, na, NA_LEN);
}
