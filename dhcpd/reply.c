/* SPDX-License-Identifier: GPL-2.0-or-later
 * reply.c - what a reply contains and where it goes. Pure.
 */
#include "dhcpd/reply.h"

#include "lib/frame.h"
#include "lib/util.h"

#define LEASE_INFINITE UINT32_MAX

static const struct mac mac_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct ip4 ip4_broadcast = {UINT32_MAX};

/* A reply's options while they are collected: none comes twice. */
struct options {
	struct dhcp_build b;
	const struct netconf *c;
	const struct netconf_host *host;
	uint8_t done[256 / 8];
};

static bool
is_done(const struct options *o, uint8_t code)
{
	return o->done[code / 8] >> (code % 8) & 1;
}

static void
set_done(struct options *o, uint8_t code)
{
	o->done[code / 8] |= (uint8_t)(1 << (code % 8));
}

/* Options that the protocol itself fills in, whatever the configuration or the client says. */
static void
reserve_protocol_options(struct options *o)
{
	static const uint8_t codes[] = {
	    OPT_PAD,       OPT_REQUESTED_IP, OPT_LEASE_TIME, OPT_OVERLOAD, OPT_TYPE,
	    OPT_SERVER_ID, OPT_PARAM_LIST,   OPT_MESSAGE,    OPT_MAX_SIZE, OPT_T1,
	    OPT_T2,        OPT_CLIENT_ID,    OPT_RELAY_INFO, OPT_END};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		set_done(o, codes[i]);
}

/* The configured value, or the one that follows from the network's own shape. */
static void
put_option(struct options *o, uint8_t code)
{
	const struct netconf_opt *opt;

	if (is_done(o, code))
		return;
	set_done(o, code);
	opt = netconf_option(o->c, o->host, code);
	if (opt)
		dhcp_build_opt(&o->b, code, opt->data, opt->len);
	else if (code == OPT_SUBNET_MASK)
		dhcp_build_ip4(&o->b, code, ip4_mask(o->c->subnet.len));
	else if (code == OPT_BROADCAST)
		dhcp_build_ip4(&o->b, code, prefix4_broadcast(o->c->subnet));
	else if (code == OPT_MTU && o->c->mtu != NETCONF_MTU_DEFAULT)
		dhcp_build_u16(&o->b, code, o->c->mtu);
}

/* RFC 2131 4.3.1: the parameters that the client lists, in its order. */
static void
put_requested(struct options *o, const struct dhcp_bytes *params)
{
	/* RFC 3442: who asks for classless routes and gets them does not get the older two. */
	if (memchr(params->b, OPT_CLASSLESS_ROUTES, params->len) &&
	    netconf_option(o->c, o->host, OPT_CLASSLESS_ROUTES)) {
		set_done(o, OPT_ROUTERS);
		set_done(o, OPT_STATIC_ROUTES);
	}
	for (unsigned i = 0; i < params->len; i++) {
		/* RFC 2132 3.3: the mask comes before the routers. */
		if (params->b[i] == OPT_ROUTERS && memchr(params->b, OPT_SUBNET_MASK, params->len))
			put_option(o, OPT_SUBNET_MASK);
		put_option(o, params->b[i]);
	}
}

/* A client without a list gets all that is configured. */
static void
put_all(struct options *o)
{
	const struct netconf_opts *net = &o->c->opts;

	put_option(o, OPT_SUBNET_MASK);
	put_option(o, OPT_ROUTERS);
	put_option(o, OPT_BROADCAST);
	put_option(o, OPT_MTU);
	for (size_t i = 0; i < net->n; i++)
		put_option(o, net->v[i].code);
	for (size_t i = 0; o->host && i < o->host->opts.n; i++)
		put_option(o, o->host->opts.v[i].code);
}

/* T1 and T2: configured, else half and seven eighths of the lease (RFC 2131 4.4.5). */
static void
put_time(struct options *o, uint8_t code, uint32_t s)
{
	const struct netconf_opt *opt = netconf_option(o->c, o->host, code);

	if (opt)
		dhcp_build_opt(&o->b, code, opt->data, opt->len);
	else
		dhcp_build_u32(&o->b, code, s);
}

static void
put_times(struct options *o, uint32_t lease_s)
{
	uint32_t t1 = lease_s / 2, t2 = lease_s - lease_s / 8;

	dhcp_build_u32(&o->b, OPT_LEASE_TIME, lease_s);
	put_time(o, OPT_T1, lease_s == LEASE_INFINITE ? LEASE_INFINITE : t1);
	put_time(o, OPT_T2, lease_s == LEASE_INFINITE ? LEASE_INFINITE : t2);
}

/* What fits into the client's buffer and the network's frames, as length of the DHCP message. */
static size_t
size_limit(const struct netconf *c, const struct dhcp_msg *m)
{
	size_t max = DHCP_MSG_DEFAULT;

	if (m->max_size > DHCP_MSG_DEFAULT + DHCP_IP_UDP_HLEN)
		max = m->max_size - DHCP_IP_UDP_HLEN;
	if (c->mtu < max + DHCP_IP_UDP_HLEN)
		max = c->mtu > DHCP_IP_UDP_HLEN ? c->mtu - DHCP_IP_UDP_HLEN : 0;
	if (max > DHCP_MSG_MAX)
		max = DHCP_MSG_MAX;
	return max < DHCP_MSG_MIN ? DHCP_MSG_MIN : max;
}

static struct ip4
next_server(const struct netconf *c, const struct netconf_host *host)
{
	return host && host->next_server.h ? host->next_server : c->next_server;
}

/* Boot loaders look into the fields, many of them whatever options they get. */
static void
put_boot_field(struct options *o, enum dhcp_area area, uint8_t code)
{
	const struct netconf_opt *opt = netconf_option(o->c, o->host, code);

	if (opt)
		dhcp_build_field(&o->b, area, opt->data, opt->len);
}

/* RFC 1534 2: what stands in front of the configured options is for DHCP clients only. */
static void
put_protocol(struct options *o, const struct dhcp_msg *m, const struct reply *r)
{
	if (r->type == DHCP_NONE) {
		/* RFC 2132 9.3: overload is one of these too. */
		dhcp_build_field(&o->b, AREA_FILE, "", 0);
		dhcp_build_field(&o->b, AREA_SNAME, "", 0);
		return;
	}
	dhcp_build_u8(&o->b, OPT_TYPE, (uint8_t)r->type);
	dhcp_build_ip4(&o->b, OPT_SERVER_ID, o->c->server);
	if (r->lease_s)
		put_times(o, r->lease_s);
	/* RFC 6842: always echoed, so that clients behind one MAC can tell their replies apart. */
	if (m->client_id.len)
		dhcp_build_opt(&o->b, OPT_CLIENT_ID, m->client_id.b, m->client_id.len);
}

/* What the configuration has to say to this client. */
static void
put_configured(struct options *o, const struct dhcp_msg *m, const struct reply *r)
{
	if (r->type == DHCP_NAK) {
		if (r->message)
			dhcp_build_opt(&o->b, OPT_MESSAGE, r->message, strlen(r->message));
	} else if (r->type == DHCP_OFFER && r->yiaddr.h == 0) {
		put_option(o, OPT_AUTO_CONFIG);
	} else if (m->params.len) {
		put_requested(o, &m->params);
	} else {
		put_all(o);
	}
}

/* RFC 2131 4.3.1, table 3. */
static struct dhcp_head
head_of(const struct netconf *c, const struct dhcp_in *in, const struct reply *r)
{
	const struct dhcp_msg *m = in->m;
	struct dhcp_head h = {
	    .xid = m->xid,
	    .broadcast = m->broadcast,
	    .yiaddr = r->yiaddr,
	    .giaddr = m->giaddr,
	    .chaddr = m->chaddr,
	};

	if (r->type == DHCP_ACK || r->type == DHCP_NONE)
		h.ciaddr = m->ciaddr;
	if (r->type != DHCP_NAK)
		h.siaddr = next_server(c, netconf_host_find(c, m->chaddr));
	/* 4.3.2: a relay agent must broadcast the NAK to a client that has no good address. */
	if (r->type == DHCP_NAK && m->giaddr.h)
		h.broadcast = true;
	return h;
}

static size_t
message_encode(uint8_t *buf, const struct netconf *c, const struct dhcp_in *in,
	       const struct reply *r, bool *full)
{
	const struct dhcp_msg *m = in->m;
	struct dhcp_head h = head_of(c, in, r);
	struct options o = {.c = c, .host = netconf_host_find(c, m->chaddr)};
	size_t len;

	/* A BOOTP client takes 300 bytes and no more (RFC 1542 2.1). */
	dhcp_build_begin(&o.b, buf, r->type == DHCP_NONE ? DHCP_MSG_MIN : size_limit(c, m), &h);
	reserve_protocol_options(&o);
	if (r->type != DHCP_NAK) {
		put_boot_field(&o, AREA_FILE, OPT_FILE_NAME);
		put_boot_field(&o, AREA_SNAME, OPT_SERVER_NAME);
	}
	put_protocol(&o, m, r);
	put_configured(&o, m, r);
	len = dhcp_build_end(&o.b);
	*full = o.b.full;
	return len;
}

/* RFC 2131 4.1. A client without an address gets a unicast to its MAC, which needs no ARP. */
static void
set_destination(struct udp4_frame *f, const struct dhcp_in *in, const struct reply *r)
{
	const struct dhcp_msg *m = in->m;

	f->dport = DHCP_CLIENT_PORT;
	if (m->giaddr.h) {
		f->dport = DHCP_SERVER_PORT;
		f->dst = m->giaddr;
		f->eth_dst = in->eth_src;
	} else if (r->type == DHCP_NAK) {
		f->dst = ip4_broadcast;
		f->eth_dst = mac_broadcast;
	} else if (r->type != DHCP_OFFER && m->ciaddr.h) {
		f->dst = m->ciaddr;
		f->eth_dst = ip4_eq(in->src, m->ciaddr) ? in->eth_src : m->chaddr;
	} else if (m->broadcast || r->yiaddr.h == 0) {
		f->dst = ip4_broadcast;
		f->eth_dst = mac_broadcast;
	} else {
		f->dst = r->yiaddr;
		f->eth_dst = m->chaddr;
	}
}

size_t
reply_encode(uint8_t *buf, size_t cap, const struct netconf *c, struct mac mac,
	     const struct dhcp_in *in, const struct reply *r, bool *full)
{
	uint8_t msg[DHCP_MSG_MAX];
	struct udp4_frame f = {.eth_src = mac, .src = c->server, .sport = DHCP_SERVER_PORT};
	struct wr w = wr_init(buf, cap);

	f.data = msg;
	f.len = message_encode(msg, c, in, r, full);
	set_destination(&f, in, r);
	udp4_frame_encode(&w, &f);
	return w.bad ? 0 : wr_len(&w);
}
