/* SPDX-License-Identifier: GPL-2.0-or-later
 * client.c - the scripted client.
 */
#include "client.h"

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

size_t
tclient_frame(uint8_t *buf, size_t cap, const struct tclient *c, const struct trequest *q)
{
	uint8_t msg[DHCP_MSG_DEFAULT];
	struct dhcp_build b;
	struct dhcp_head h = {.xid = c->xid,
			      .broadcast = c->broadcast,
			      .ciaddr = q->ciaddr,
			      .giaddr = q->giaddr,
			      .chaddr = c->mac};
	struct udp4_frame f = {.eth_dst = q->dst.h ? q->eth_dst : everybody,
			       .eth_src = mac_is_zero(q->eth_src) ? c->mac : q->eth_src,
			       .src = q->src,
			       .dst = {q->dst.h ? q->dst.h : UINT32_MAX},
			       .sport = q->giaddr.h ? DHCP_SERVER_PORT : DHCP_CLIENT_PORT,
			       .dport = DHCP_SERVER_PORT,
			       .data = msg};
	struct wr w = wr_init(buf, cap);

	dhcp_build_begin_request(&b, msg, sizeof(msg), &h);
	if (q->type != DHCP_NONE)
		dhcp_build_u8(&b, OPT_TYPE, (uint8_t)q->type);
	if (c->uid_len)
		dhcp_build_opt(&b, OPT_CLIENT_ID, c->uid, c->uid_len);
	if (q->requested.h)
		dhcp_build_ip4(&b, OPT_REQUESTED_IP, q->requested);
	if (q->server_id.h)
		dhcp_build_ip4(&b, OPT_SERVER_ID, q->server_id);
	if (q->lease_s)
		dhcp_build_u32(&b, OPT_LEASE_TIME, q->lease_s);
	if (q->max_size)
		dhcp_build_u16(&b, OPT_MAX_SIZE, q->max_size);
	if (q->auto_config)
		dhcp_build_u8(&b, OPT_AUTO_CONFIG, 1);
	if (q->relay_info)
		dhcp_build_opt(&b, OPT_RELAY_INFO, "\x01\x02\x41\x42", 4);
	if (c->hostname)
		dhcp_build_opt(&b, OPT_HOST_NAME, c->hostname, strlen(c->hostname));
	if (c->nparams)
		dhcp_build_opt(&b, OPT_PARAM_LIST, c->params, c->nparams);
	f.len = dhcp_build_end(&b);
	udp4_frame_encode(&w, &f);
	return w.bad ? 0 : wr_len(&w);
}

bool
tclient_read(struct treply *r, const uint8_t *frame, size_t len)
{
	if (!udp4_frame_decode(&r->f, frame, len, FRAME_CSUM_CHECK))
		return false;
	return dhcp_msg_decode(&r->m, r->f.data, r->f.len) == DHCP_DECODE_OK &&
	       r->m.op == BOOTP_REPLY;
}

int
treply_opt(const struct treply *r, uint8_t code, void *buf, size_t cap)
{
	return dhcp_opt_get(r->f.data, r->f.len, code, buf, cap);
}

uint32_t
treply_u32(const struct treply *r, uint8_t code)
{
	uint8_t b[4] = {0};
	struct rd rd = rd_init(b, sizeof(b));

	return treply_opt(r, code, b, sizeof(b)) == 4 ? rd_be32(&rd) : 0;
}
