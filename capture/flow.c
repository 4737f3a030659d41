/* SPDX-License-Identifier: GPL-2.0-or-later
 * flow.c - the headers that tell two sides apart: Ethernet with tags, ARP, IPv4, IPv6 with its extension headers,
 * TCP, UDP, SCTP, ICMP. Reads through a bounded cursor and stops where a frame is cut off.
 */
#include "capture/flow.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "lib/wire.h"

enum { TAGS_MAX = 2, IP6_HEADERS_MAX = 8 };

static bool
is_tag(uint16_t type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

/* len: bytes from the transport header on, as the IP header tells. */
static void
read_transport(struct flow *f, struct rd r, uint32_t len)
{
	uint32_t head = 8;

	if (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6) {
		f->icmp_type = rd_u8(&r);
		f->icmp_code = rd_u8(&r);
		return;
	}
	if (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP && f->proto != IPPROTO_SCTP)
		return;
	f->sport = rd_be16(&r);
	f->dport = rd_be16(&r);
	f->ports = !r.bad;
	if (f->proto == IPPROTO_TCP) {
		rd_bytes(&r, 8);
		head = (uint32_t)(rd_u8(&r) >> 4) * 4;
		f->tcp_flags = rd_u8(&r);
	}
	if (!r.bad && head <= len)
		f->payload = len - head;
}

static void
read_ip4(struct flow *f, struct rd r)
{
	struct rd start = r;
	uint8_t first = rd_u8(&r);
	uint32_t head = (first & 0xf) * 4u, total;
	uint16_t fragment;

	rd_u8(&r);
	total = rd_be16(&r);
	rd_bytes(&r, 2);
	fragment = rd_be16(&r);
	rd_u8(&r);
	f->proto = rd_u8(&r);
	rd_bytes(&r, 2);
	rd_copy(&r, f->src, 4);
	rd_copy(&r, f->dst, 4);
	if (r.bad || first >> 4 != 4 || head < 20)
		return;
	f->kind = FLOW_IP4;
	rd_bytes(&start, head);
	if (!(fragment & 0x1fff))
		read_transport(f, start, total > head ? total - head : 0);
}

/* Over the extension headers; false: the transport header is not behind them. */
static bool
pass_headers(struct flow *f, struct rd *r, uint32_t *len)
{
	for (int i = 0; i < IP6_HEADERS_MAX; i++) {
		uint32_t size = 8;
		uint8_t next, words;
		uint16_t fragment;

		if (f->proto != IPPROTO_HOPOPTS && f->proto != IPPROTO_ROUTING &&
		    f->proto != IPPROTO_DSTOPTS && f->proto != IPPROTO_FRAGMENT)
			return true;
		next = rd_u8(r);
		words = rd_u8(r);
		fragment = rd_be16(r);
		if (f->proto != IPPROTO_FRAGMENT)
			size = (words + 1u) * 8;
		rd_bytes(r, size - 4);
		if (r->bad)
			return false;
		*len = *len > size ? *len - size : 0;
		if (f->proto == IPPROTO_FRAGMENT && fragment & 0xfff8) {
			f->proto = next;
			return false;
		}
		f->proto = next;
	}
	return false;
}

static void
read_ip6(struct flow *f, struct rd r)
{
	uint32_t first = rd_be32(&r), len = rd_be16(&r);

	f->proto = rd_u8(&r);
	rd_u8(&r);
	rd_copy(&r, f->src, 16);
	rd_copy(&r, f->dst, 16);
	if (r.bad || first >> 28 != 6)
		return;
	f->kind = FLOW_IP6;
	if (pass_headers(f, &r, &len))
		read_transport(f, r, len);
}

static void
read_arp(struct flow *f, struct rd r)
{
	uint32_t kinds = rd_be32(&r);

	rd_bytes(&r, 2);
	f->arp_op = rd_be16(&r);
	rd_bytes(&r, 6);
	rd_copy(&r, f->src, 4);
	rd_bytes(&r, 6);
	rd_copy(&r, f->dst, 4);
	if (!r.bad && kinds == (1u << 16 | ETH_P_IP))
		f->kind = FLOW_ARP;
}

bool
flow_read(struct flow *out, const uint8_t *data, size_t len)
{
	struct rd r = rd_init(data, len);

	memset(out, 0, sizeof(*out));
	rd_copy(&r, out->dst_mac.b, 6);
	rd_copy(&r, out->src_mac.b, 6);
	out->type = rd_be16(&r);
	if (r.bad)
		return false;
	for (int i = 0; i < TAGS_MAX && is_tag(out->type); i++) {
		uint16_t tci = rd_be16(&r);

		if (i == 0)
			out->vlan = tci & 0xfff;
		out->type = rd_be16(&r);
	}
	if (out->type == ETH_P_IP)
		read_ip4(out, r);
	else if (out->type == ETH_P_IPV6)
		read_ip6(out, r);
	else if (out->type == ETH_P_ARP)
		read_arp(out, r);
	return true;
}

/* --- text ------------------------------------------------------------------------------------- */

static char *
end_text(const struct flow *f, const uint8_t addr[16], struct mac mac, uint16_t port,
	 char buf[FLOW_END_MAX])
{
	char ip[INET6_ADDRSTRLEN];

	if (f->kind == FLOW_OTHER)
		return mac_str(mac, buf);
	inet_ntop(f->kind == FLOW_IP6 ? AF_INET6 : AF_INET, addr, ip, sizeof(ip));
	if (!f->ports)
		snprintf(buf, FLOW_END_MAX, "%s", ip);
	else if (f->kind == FLOW_IP6)
		snprintf(buf, FLOW_END_MAX, "[%s]:%u", ip, port);
	else
		snprintf(buf, FLOW_END_MAX, "%s:%u", ip, port);
	return buf;
}

char *
flow_source(const struct flow *f, char buf[FLOW_END_MAX])
{
	return end_text(f, f->src, f->src_mac, f->sport, buf);
}

char *
flow_target(const struct flow *f, char buf[FLOW_END_MAX])
{
	return end_text(f, f->dst, f->dst_mac, f->dport, buf);
}

char *
flow_proto(const struct flow *f, char buf[FLOW_PROTO_MAX])
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
	    {IPPROTO_TCP, "tcp"},      {IPPROTO_UDP, "udp"},   {IPPROTO_ICMP, "icmp"},
	    {IPPROTO_ICMPV6, "icmp6"}, {IPPROTO_SCTP, "sctp"}, {IPPROTO_IGMP, "igmp"},
	    {IPPROTO_GRE, "gre"},      {IPPROTO_ESP, "esp"},
	};

	if (f->kind == FLOW_ARP)
		snprintf(buf, FLOW_PROTO_MAX, "arp");
	else if (f->kind == FLOW_OTHER)
		snprintf(buf, FLOW_PROTO_MAX, f->type < ETH_P_802_3_MIN ? "802.3" : "0x%04x",
			 f->type);
	else
		snprintf(buf, FLOW_PROTO_MAX, "ip %u", f->proto);
	for (size_t i = 0; (f->kind == FLOW_IP4 || f->kind == FLOW_IP6) && i < ARRAY_LEN(names);
	     i++)
		if (names[i].number == f->proto)
			snprintf(buf, FLOW_PROTO_MAX, "%s", names[i].name);
	return buf;
}

static void
tcp_flags(struct strbuf *out, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";

	strbuf_add(out, " [");
	for (unsigned i = 0; i < 8; i++)
		if (flags >> i & 1)
			strbuf_addc(out, letters[i]);
	strbuf_add(out, "]");
}

void
flow_line(struct strbuf *out, const struct flow *f, uint32_t len)
{
	char a[FLOW_END_MAX], b[FLOW_END_MAX], proto[FLOW_PROTO_MAX];

	if (f->vlan)
		strbuf_addf(out, "vlan %u ", f->vlan);
	flow_source(f, a);
	flow_target(f, b);
	if (f->kind == FLOW_ARP && f->arp_op == 1) {
		strbuf_addf(out, "arp who has %s, tell %s", b, a);
		return;
	}
	if (f->kind == FLOW_ARP && f->arp_op == 2) {
		strbuf_addf(out, "arp %s is at %s", a, MAC_STR(f->src_mac));
		return;
	}
	strbuf_addf(out, "%s %s > %s", flow_proto(f, proto), a, b);
	if (f->ports && f->proto == IPPROTO_TCP)
		tcp_flags(out, f->tcp_flags);
	if (f->ports)
		strbuf_addf(out, " %u bytes", f->payload);
	else if (f->kind != FLOW_OTHER && (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6))
		strbuf_addf(out, " type %u code %u", f->icmp_type, f->icmp_code);
	else
		strbuf_addf(out, " %u bytes", len);
}
