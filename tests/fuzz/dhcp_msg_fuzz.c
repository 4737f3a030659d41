/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcp_msg_fuzz.c - everything that a guest can send to the DHCP server.
 *
 * Input: messages, each behind a big-endian u16 length. A message is a bare DHCP message that
 * gets its frame put around it, so that mutations are not wasted on checksums; when the length's
 * top bit is set it is a whole frame, for example ARP. All of them go to one server, so that states
 * are reached. What must hold: no crash, every reply and every probe is intact, a reply's options can
 * be walked to their end, and no more than half of the pool is abandoned because of answers.
 */
#include <stdlib.h>
#include <string.h>

#include "dhcpd/server.h"
#include "tests/fuzz/check.h"

#define NET 0xc0a80800u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct mac server_mac = {{0x00, 0x50, 0x56, 0xc0, 0x00, 0x08}};
/* Of a frame without IPv4 options. */
#define UDP_CSUM_END 42

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac reserved_mac = {{0x00, 0x0c, 0x29, 0x00, 0x00, 0x07}};

/* A pool of six, so that a short input can exhaust it. */
static struct dhcp_server *
make_server(void)
{
	static const struct hash_key key = {{1, 2, 3}};
	struct netconf *c = netconf_new(8);

	CHECK(c);
	c->subnet = (struct prefix4){{NET}, 24};
	c->server.h = NET + 254;
	c->host.h = NET + 1;
	c->gateway.h = NET + 2;
	c->default_lease_s = 1800;
	c->max_lease_s = 7200;
	c->unknown_clients = c->authoritative = c->ping_check = true;
	c->ping_timeout_s = 30; /* one message later, see below */
	CHECK(netconf_add_range(c, (struct ip4){NET + 128}, (struct ip4){NET + 133}, false) == 0);
	CHECK(netconf_add_host(c, 0, reserved_mac, (struct ip4){NET + 50}, "db") == 0);
	c->host_v[0].bootp = true;
	CHECK(netconf_add_option(c, NETCONF_HOST_NONE, OPT_FILE_NAME, "boot", 4) == 0);
	CHECK(netconf_add_option(c, NETCONF_HOST_NONE, OPT_AUTO_CONFIG, "", 1) == 0);
	CHECK(netconf_add_option(c, NETCONF_HOST_NONE, OPT_ROUTERS, "\xc0\xa8\x08\x02", 4) == 0);
	CHECK(netconf_add_option(c, NETCONF_HOST_NONE, OPT_DNS, "\xc0\xa8\x08\x02", 4) == 0);
	CHECK(netconf_seal(c) == 0);
	return dhcp_server_new(c, server_mac, &key);
}

static void
check_reply(const uint8_t *frame, const struct dhcp_out *out)
{
	struct udp4_frame f;
	struct dhcp_msg m;

	CHECK(out->frame_len > 0);
	CHECK(udp4_frame_decode(&f, frame, out->frame_len, FRAME_CSUM_CHECK));
	CHECK(dhcp_msg_decode(&m, f.data, f.len) == DHCP_DECODE_OK);
	CHECK(m.op == BOOTP_REPLY && m.type == out->reply);
	CHECK(m.server_id.h == (m.type == DHCP_NONE ? 0 : NET + 254));
	if (m.yiaddr.h)
		CHECK((m.yiaddr.h >= NET + 128 && m.yiaddr.h <= NET + 133) ||
		      (m.yiaddr.h == NET + 50 && mac_eq(m.chaddr, reserved_mac)));
	CHECK(out->reply != DHCP_ACK || m.yiaddr.h == 0 || out->nchanges > 0);
}

static void
check_probe(const struct dhcp_server *s, const struct dhcp_out *out)
{
	struct mac src;
	struct arp4 a;
	const struct lease *l;

	CHECK(out->reply == DHCP_OFFER);
	CHECK(arp4_frame_decode(&a, &src, out->probe, out->probe_len));
	CHECK(!a.reply && mac_eq(src, server_mac) && a.sender_ip.h == 0);
	l = lease_find_ip(dhcp_server_leases(s), a.target_ip);
	CHECK(l && l->state == LEASE_OFFERED);
}

static void
check_conflict(const struct dhcp_server *s, const struct dhcp_out *out)
{
	const struct lease *l = lease_find_ip(dhcp_server_leases(s), out->conflict.ip);

	CHECK(l && out->frame_len == 0 && !mac_eq(out->conflict.client, out->conflict.other));
	CHECK((out->conflict.found == CONFLICT_ABANDONED) == (out->nchanges == 1));
	CHECK((l->state == LEASE_ABANDONED) == (out->nchanges == 1));
	if (out->nchanges)
		CHECK(lease_table_count(dhcp_server_leases(s), LEASE_ABANDONED) <= 3);
}

static void
feed(struct dhcp_server *s, const uint8_t *msg, size_t len, bool whole, struct dhcp_clock clk)
{
	static uint8_t frame[70000], reply[DHCP_FRAME_MAX];
	struct wr w = wr_init(frame, sizeof(frame));
	struct dhcp_out out;
	uint8_t *exact;

	if (whole) {
		wr_bytes(&w, msg, len);
	} else {
		struct udp4_frame f = {.eth_dst = everybody,
				       .dst = {UINT32_MAX},
				       .sport = 68,
				       .dport = 67,
				       .data = msg,
				       .len = len};

		if (len >= 34)
			memcpy(f.eth_src.b, msg + 28, 6);
		udp4_frame_encode(&w, &f);
	}
	CHECK(!w.bad);
	exact = malloc(wr_len(&w) ? wr_len(&w) : 1);
	CHECK(exact);
	memcpy(exact, frame, wr_len(&w));
	if (whole && len >= UDP_CSUM_END)
		memset(exact + UDP_CSUM_END - 2, 0, 2); /* as if it had none */
	dhcp_server_input(s, exact, wr_len(&w), clk, reply, &out);
	free(exact);
	if (out.frame_len)
		check_reply(reply, &out);
	if (out.probe_len)
		check_probe(s, &out);
	if (out.conflict.found != CONFLICT_NONE)
		check_conflict(s, &out);
	for (unsigned i = 0; i < out.nchanges; i++) {
		char text[JOURNAL_REC_MAX];

		CHECK(journal_encode(text, sizeof(text), &out.change[i].rec) > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dhcp_server *s = make_server();
	struct dhcp_clock clk = {{1000}, INT64_C(1700000000123)};
	struct rd r = rd_init(data, len);

	CHECK(s);
	while (rd_left(&r) >= 2) {
		uint16_t head = rd_be16(&r);
		size_t n = head & 0x7fff;
		struct dhcp_change ch;

		if (n > rd_left(&r))
			n = rd_left(&r);
		feed(s, rd_bytes(&r, n), n, head >> 15, clk);
		clk.now.ms += 20000;
		clk.wall_ms += 20000;
		while (dhcp_server_expire(s, clk, &ch))
			;
	}
	dhcp_server_free(s);
	return 0;
}
