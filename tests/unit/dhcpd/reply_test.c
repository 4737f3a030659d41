/* SPDX-License-Identifier: GPL-2.0-or-later
 * reply_test.c - a reply's options, their order and size, and where the frame goes.
 */
#include "../lib/t.h"

#include "fixture.h"

static const struct mac all = {{255, 255, 255, 255, 255, 255}};

/* The codes of a reply in their order. */
static size_t
codes_of(const struct treply *r, uint8_t *out, size_t cap)
{
	struct dhcp_opt_iter it;
	struct rd val;
	uint8_t code;
	size_t n = 0;

	dhcp_opt_iter_init(&it, r->f.data, r->f.len);
	while (dhcp_opt_iter_next(&it, &code, &val) && n < cap)
		out[n++] = code;
	assert_false(it.bad);
	return n;
}

static void
assert_codes(const struct treply *r, const uint8_t *want, size_t n)
{
	uint8_t got[64];

	assert_int_equal(codes_of(r, got, sizeof(got)), n);
	assert_memory_equal(got, want, n);
}

#define ASSERT_CODES(r, ...)                                                                       \
	do {                                                                                       \
		static const uint8_t want_[] = {__VA_ARGS__};                                      \
		assert_codes(r, want_, sizeof(want_));                                             \
	} while (0)

static struct tclient
client_asking(const void *params, size_t n)
{
	return (struct tclient){.mac = MAC(1), .params = params, .nparams = n};
}

static void
without_a_list_everything_is_sent(void **state UNUSED)
{
	struct tclient c = client_asking(NULL, 0);
	struct fixture x;
	char domain[32];

	fx_init(&x, NULL);
	assert_int_equal(fx_discover(&x, &c), DHCP_OFFER);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 1, 3, 28, 6, 15);
	assert_int_equal(treply_u32(&x.reply, OPT_SUBNET_MASK), 0xffffff00);
	assert_int_equal(treply_u32(&x.reply, OPT_ROUTERS), AT(2).h);
	assert_int_equal(treply_u32(&x.reply, OPT_BROADCAST), AT(255).h);
	assert_int_equal(treply_opt(&x.reply, 15, domain, sizeof(domain)), 11);
	assert_memory_equal(domain, "localdomain", 11);
	fx_reboot(&x, &c, (struct ip4){0x0a000009});
	ASSERT_CODES(&x.reply, 53, 54, 56);
	assert_int_equal(x.reply.f.len, DHCP_MSG_MIN);
	fx_fini(&x);
}

static void
listed_options_come_in_the_clients_order(void **state UNUSED)
{
	struct tclient c = client_asking("\x0f\x06\x1c\x63\x01\x06", 6);
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &c);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 15, 6, 28, 1);
	fx_fini(&x);
}

/* RFC 2132 3.3 */
static void
mask_comes_before_routers(void **state UNUSED)
{
	struct tclient c = client_asking("\x03\x06\x01", 3);
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &c);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 1, 3, 6);
	fx_fini(&x);
}

/* Whatever a client lists, the protocol's own options are ours to fill in. */
static void
protocol_options_cannot_be_asked_for(void **state UNUSED)
{
	struct tclient c =
	    client_asking("\x00\x32\x33\x34\x35\x36\x37\x38\x39\x3a\x3b\x3d\x52\xff", 14);
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &c);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59);
	fx_fini(&x);
}

/* RFC 3442 */
static void
classless_routes_replace_routers(void **state UNUSED)
{
	struct tclient both = client_asking("\x79\x03\x21\x01", 4), old = client_asking("\x03", 1);
	struct netconf *c = fx_conf();
	struct fixture x;

	netconf_add_option(c, NETCONF_HOST_NONE, OPT_CLASSLESS_ROUTES, "\0\xc0\xa8\x08\x02", 5);
	netconf_add_option(c, NETCONF_HOST_NONE, OPT_STATIC_ROUTES, "\1\2\3\4\5\6\7\x8", 8);
	fx_init(&x, c);
	fx_discover(&x, &both);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 121, 1);
	fx_discover(&x, &old);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 3);
	fx_fini(&x);
	/* None configured: routers as ever. */
	fx_init(&x, NULL);
	fx_discover(&x, &both);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 1, 3);
	fx_fini(&x);
}

static void
mtu_is_announced_when_unusual(void **state UNUSED)
{
	struct tclient c = client_asking("\x1a", 1);
	struct netconf *conf = fx_conf();
	struct fixture x;
	uint8_t mtu[2];

	fx_init(&x, NULL);
	fx_discover(&x, &c);
	assert_int_equal(treply_opt(&x.reply, OPT_MTU, mtu, 2), 0);
	fx_fini(&x);
	conf->mtu = 9000;
	fx_init(&x, conf);
	fx_discover(&x, &c);
	assert_int_equal(treply_opt(&x.reply, OPT_MTU, mtu, 2), 2);
	assert_memory_equal(mtu, "\x23\x28", 2);
	fx_fini(&x);
}

static void
renewal_times_can_be_configured(void **state UNUSED)
{
	struct tclient c = client_asking("\x01", 1);
	struct netconf *conf = fx_conf();
	struct fixture x;

	netconf_add_option(conf, NETCONF_HOST_NONE, OPT_T1, "\0\0\0\x05", 4);
	fx_init(&x, conf);
	fx_discover(&x, &c);
	assert_int_equal(treply_u32(&x.reply, OPT_T1), 5);
	assert_int_equal(treply_u32(&x.reply, OPT_T2), 1575);
	fx_fini(&x);
}

static void
hosts_have_options_of_their_own(void **state UNUSED)
{
	struct tclient c = client_asking("\x01\x03\x06\x0f\x2a", 5);
	struct netconf *conf = fx_conf();
	struct fixture x;

	netconf_add_host(conf, 0, MAC(1), AT(50), "db");
	netconf_add_option(conf, 0, OPT_ROUTERS, "\0\0\0\0", 4);
	netconf_add_option(conf, 0, 15, "", 0);
	netconf_add_option(conf, 0, OPT_DNS, "\1\1\1\1", 4);
	netconf_add_option(conf, 0, 42, "\2\2\2\2", 4);
	fx_init(&x, conf);
	fx_discover(&x, &c);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 1, 6, 42);
	assert_int_equal(treply_u32(&x.reply, OPT_DNS), 0x01010101);
	/* The other client gets the network's, and never the host's. */
	c.mac = MAC(2);
	fx_discover(&x, &c);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 1, 3, 6, 15);
	/* Host-only options also reach a host that sends no list. */
	c.mac = MAC(1);
	c.nparams = 0;
	fx_discover(&x, &c);
	ASSERT_CODES(&x.reply, 53, 54, 51, 58, 59, 1, 28, 6, 42);
	fx_fini(&x);
}

/* --- destination, RFC 2131 4.1 --- */

static void
client_without_address_gets_a_unicast_to_its_mac(void **state UNUSED)
{
	struct tclient c = client_asking(NULL, 0);
	struct fixture x;

	fx_init(&x, NULL);
	fx_discover(&x, &c);
	assert_int_equal(x.reply.f.dst.h, AT(128).h);
	assert_true(mac_eq(x.reply.f.eth_dst, c.mac));
	assert_int_equal(x.reply.f.dport, DHCP_CLIENT_PORT);
	fx_select(&x, &c, AT(128));
	assert_int_equal(x.reply.f.dst.h, AT(128).h);
	assert_true(mac_eq(x.reply.f.eth_dst, c.mac));
	fx_fini(&x);
}

static void
broadcast_flag_is_honoured(void **state UNUSED)
{
	struct tclient c = client_asking(NULL, 0);
	struct fixture x;

	c.broadcast = true;
	fx_init(&x, NULL);
	fx_discover(&x, &c);
	assert_int_equal(x.reply.f.dst.h, UINT32_MAX);
	assert_true(mac_eq(x.reply.f.eth_dst, all));
	fx_select(&x, &c, AT(128));
	assert_true(mac_eq(x.reply.f.eth_dst, all));
	/* Not for a client that has its address. */
	fx_renew(&x, &c, AT(128));
	assert_int_equal(x.reply.f.dst.h, AT(128).h);
	assert_true(mac_eq(x.reply.f.eth_dst, c.mac));
	fx_fini(&x);
}

/* A renewal goes back to where it came from, be that a translating bridge. */
static void
renewal_is_answered_to_its_sender(void **state UNUSED)
{
	struct tclient c = client_asking(NULL, 0);
	struct fixture x;

	fx_init(&x, NULL);
	fx_lease(&x, &c);
	fx_send(&x, &c,
		&(struct trequest){.type = DHCP_REQUEST,
				   .ciaddr = AT(128),
				   .src = AT(128),
				   .dst = SERVER,
				   .eth_dst = x.mac,
				   .eth_src = MAC(77)});
	assert_true(mac_eq(x.reply.f.eth_dst, MAC(77)));
	/* Not when the source address is another one. */
	fx_send(&x, &c,
		&(struct trequest){.type = DHCP_REQUEST,
				   .ciaddr = AT(128),
				   .src = AT(5),
				   .dst = SERVER,
				   .eth_dst = x.mac,
				   .eth_src = MAC(77)});
	assert_true(mac_eq(x.reply.f.eth_dst, c.mac));
	fx_fini(&x);
}

static void
relayed_nak_is_to_be_broadcast(void **state UNUSED)
{
	struct tclient c = client_asking(NULL, 0);
	struct fixture x;
	uint8_t buf[1500];
	size_t len;

	fx_init(&x, NULL);
	len = tclient_frame(buf, sizeof(buf), &c,
			    &(struct trequest){.type = DHCP_REQUEST,
					       .requested = {0x0a000009},
					       .giaddr = AT(20),
					       .src = AT(20),
					       .dst = SERVER,
					       .eth_dst = x.mac,
					       .eth_src = MAC(20)});
	dhcp_server_input(x.s, buf, len, x.clk, x.frame, &x.out);
	assert_int_equal(x.out.reply, DHCP_NAK);
	assert_true(tclient_read(&x.reply, x.frame, x.out.frame_len));
	assert_true(x.reply.m.broadcast);
	assert_int_equal(x.reply.f.dst.h, AT(20).h);
	assert_true(mac_eq(x.reply.f.eth_dst, MAC(20)));
	fx_fini(&x);
}

/* --- size --- */

static struct netconf *
fat_conf(void)
{
	struct netconf *c = fx_conf();
	uint8_t value[100];

	memset(value, 'x', sizeof(value));
	for (unsigned i = 0; i < 12; i++)
		netconf_add_option(c, NETCONF_HOST_NONE, (uint8_t)(200 + i), value, sizeof(value));
	return c;
}

static void
replies_keep_to_the_clients_size(void **state UNUSED)
{
	static const struct {
		uint16_t asked, mtu;
		size_t limit;
		bool full;
	} v[] = {
	    {0, 1500, 548, true},    {100, 1500, 548, true},    {576, 1500, 548, true},
	    {1000, 1500, 972, true}, {1500, 1500, 1472, false}, {65535, 1500, 1472, false},
	    {1500, 800, 772, true},  {0, 400, 372, true},       {0, 68, 300, true},
	};
	struct tclient c = client_asking(NULL, 0);

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct trequest q = {.type = DHCP_DISCOVER, .max_size = v[i].asked};
		struct netconf *conf = fat_conf();
		struct fixture x;

		conf->mtu = v[i].mtu;
		fx_init(&x, conf);
		assert_int_equal(fx_send(&x, &c, &q), DHCP_OFFER);
		assert_true(x.reply.f.len <= v[i].limit);
		assert_true(x.reply.f.len > v[i].limit - 110 || !v[i].full);
		assert_int_equal(dhcp_server_stats(x.s)->reply_full, v[i].full);
		/* What matters most is never what is left out. */
		assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 1800);
		assert_int_equal(treply_u32(&x.reply, OPT_SUBNET_MASK), 0xffffff00);
		assert_int_equal(treply_u32(&x.reply, OPT_DNS), AT(2).h);
		fx_fini(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_list_everything_is_sent),
	    cmocka_unit_test(listed_options_come_in_the_clients_order),
	    cmocka_unit_test(mask_comes_before_routers),
	    cmocka_unit_test(protocol_options_cannot_be_asked_for),
	    cmocka_unit_test(classless_routes_replace_routers),
	    cmocka_unit_test(mtu_is_announced_when_unusual),
	    cmocka_unit_test(renewal_times_can_be_configured),
	    cmocka_unit_test(hosts_have_options_of_their_own),
	    cmocka_unit_test(client_without_address_gets_a_unicast_to_its_mac),
	    cmocka_unit_test(broadcast_flag_is_honoured),
	    cmocka_unit_test(renewal_is_answered_to_its_sender),
	    cmocka_unit_test(relayed_nak_is_to_be_broadcast),
	    cmocka_unit_test(replies_keep_to_the_clients_size),
	};

	return T_RUN(tests);
}
