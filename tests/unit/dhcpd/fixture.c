/* SPDX-License-Identifier: GPL-2.0-or-later
 * fixture.c - see fixture.h.
 */
#include "../lib/t.h"

#include "fixture.h"

struct netconf *
fx_conf(void)
{
	struct netconf *c = netconf_new(8);

	assert_non_null(c);
	c->subnet = (struct prefix4){AT(0), 24};
	c->server = SERVER;
	c->host = AT(1);
	c->gateway = AT(2);
	c->default_lease_s = 1800;
	c->max_lease_s = 7200;
	c->unknown_clients = true;
	c->authoritative = true;
	assert_int_equal(netconf_add_range(c, AT(128), AT(254), false), 0);
	netconf_add_option(c, NETCONF_HOST_NONE, OPT_DNS, "\xc0\xa8\x08\x02", 4);
	netconf_add_option(c, NETCONF_HOST_NONE, 15, "localdomain", 11);
	netconf_add_option(c, NETCONF_HOST_NONE, OPT_ROUTERS, "\xc0\xa8\x08\x02", 4);
	return c;
}

void
fx_init(struct fixture *x, struct netconf *c)
{
	static const struct hash_key key = {{7}};

	memset(x, 0, sizeof(*x));
	if (!c)
		c = fx_conf();
	assert_int_equal(netconf_seal(c), 0);
	x->mac = (struct mac){{0x00, 0x50, 0x56, 0xc0, 0x00, 0x08}};
	x->clk.now.ms = 5000000;
	x->clk.wall_ms = INT64_C(1700000000123);
	x->s = dhcp_server_new(c, x->mac, &key);
	assert_non_null(x->s);
}

void
fx_fini(struct fixture *x)
{
	dhcp_server_free(x->s);
}

void
fx_pass(struct fixture *x, int64_t ms)
{
	x->clk.now.ms += ms;
	x->clk.wall_ms += ms;
}

enum dhcp_type
fx_send(struct fixture *x, const struct tclient *c, const struct trequest *q)
{
	uint8_t buf[1500];
	size_t len = tclient_frame(buf, sizeof(buf), c, q);
	uint8_t *exact = t_exact(buf, len);

	assert_true(len > 0);
	memset(&x->reply, 0, sizeof(x->reply));
	dhcp_server_input(x->s, exact, len, x->clk, x->frame, &x->out);
	free(exact);
	assert_int_equal(x->out.reply == DHCP_NONE, x->out.drop != DHCP_DROP_NONE);
	if (x->out.reply == DHCP_NONE)
		return DHCP_NONE;
	assert_true(tclient_read(&x->reply, x->frame, x->out.frame_len));
	assert_int_equal(x->reply.m.type, x->out.reply);
	assert_int_equal(x->reply.m.xid, c->xid);
	assert_true(mac_eq(x->reply.m.chaddr, c->mac));
	assert_int_equal(x->reply.m.server_id.h, dhcp_server_conf(x->s)->server.h);
	assert_int_equal(x->reply.f.src.h, dhcp_server_conf(x->s)->server.h);
	assert_int_equal(x->reply.f.sport, DHCP_SERVER_PORT);
	assert_true(mac_eq(x->reply.f.eth_src, x->mac));
	assert_int_equal(x->reply.m.broadcast, c->broadcast);
	/* RFC 6842 */
	assert_int_equal(x->reply.m.client_id.len, c->uid_len);
	if (c->uid_len)
		assert_memory_equal(x->reply.m.client_id.b, c->uid, c->uid_len);
	return x->out.reply;
}

enum dhcp_type
fx_discover(struct fixture *x, const struct tclient *c)
{
	return fx_send(x, c, &(struct trequest){.type = DHCP_DISCOVER});
}

enum dhcp_type
fx_select(struct fixture *x, const struct tclient *c, struct ip4 ip)
{
	return fx_send(x, c,
		       &(struct trequest){.type = DHCP_REQUEST,
					  .requested = ip,
					  .server_id = dhcp_server_conf(x->s)->server});
}

enum dhcp_type
fx_reboot(struct fixture *x, const struct tclient *c, struct ip4 ip)
{
	return fx_send(x, c, &(struct trequest){.type = DHCP_REQUEST, .requested = ip});
}

enum dhcp_type
fx_renew(struct fixture *x, const struct tclient *c, struct ip4 ip)
{
	return fx_send(x, c,
		       &(struct trequest){.type = DHCP_REQUEST,
					  .ciaddr = ip,
					  .src = ip,
					  .dst = dhcp_server_conf(x->s)->server,
					  .eth_dst = x->mac});
}

enum dhcp_type
fx_rebind(struct fixture *x, const struct tclient *c, struct ip4 ip)
{
	return fx_send(x, c, &(struct trequest){.type = DHCP_REQUEST, .ciaddr = ip, .src = ip});
}

void
fx_release(struct fixture *x, const struct tclient *c, struct ip4 ip)
{
	enum dhcp_type r = fx_send(x, c,
				   &(struct trequest){.type = DHCP_RELEASE,
						      .ciaddr = ip,
						      .server_id = dhcp_server_conf(x->s)->server,
						      .src = ip,
						      .dst = dhcp_server_conf(x->s)->server,
						      .eth_dst = x->mac});

	assert_int_equal(r, DHCP_NONE);
}

void
fx_decline(struct fixture *x, const struct tclient *c, struct ip4 ip)
{
	enum dhcp_type r = fx_send(x, c,
				   &(struct trequest){.type = DHCP_DECLINE,
						      .requested = ip,
						      .server_id = dhcp_server_conf(x->s)->server});

	assert_int_equal(r, DHCP_NONE);
}

struct ip4
fx_lease(struct fixture *x, const struct tclient *c)
{
	struct ip4 ip;

	if (fx_discover(x, c) != DHCP_OFFER)
		return (struct ip4){0};
	ip = x->reply.m.yiaddr;
	if (fx_select(x, c, ip) != DHCP_ACK)
		return (struct ip4){0};
	assert_int_equal(x->reply.m.yiaddr.h, ip.h);
	assert_true(x->out.nchanges > 0);
	return ip;
}
