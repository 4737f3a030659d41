/* SPDX-License-Identifier: GPL-2.0-or-later
 * server_conf_test.c - conversations with the server about what dhcpd.conf can say beyond options and
 * fixed addresses: boot files, BOOTP, who is answered, times of one host, ranges for known clients.
 */
#include "../lib/t.h"

#include "fixture.h"

static const struct tclient alice = {.mac = MAC(1), .xid = 0xa11ce};
static const struct tclient bob = {.mac = MAC(2), .xid = 0xb0b};
static const struct tclient carol = {.mac = MAC(3), .xid = 0xca401};

static struct netconf *
conf_with_host(struct mac mac, struct ip4 ip)
{
	struct netconf *c = fx_conf();

	assert_int_equal(netconf_add_host(c, 0, mac, ip, "db"), 0);
	return c;
}

static void
set_text(struct netconf *c, unsigned host, uint8_t code, const char *text)
{
	assert_int_equal(netconf_add_option(c, host, code, text, strlen(text)), 0);
}

static const char *
file_of(const struct treply *r)
{
	return (const char *)r->f.data + 108;
}

static const char *
sname_of(const struct treply *r)
{
	return (const char *)r->f.data + 44;
}

/* --- boot files --- */

/* iPXE and the ROMs before it read siaddr and the file field, not only options. */
static void
boot_file_is_in_the_header(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	c->next_server = AT(77);
	set_text(c, NETCONF_HOST_NONE, OPT_FILE_NAME, "pxelinux.0");
	set_text(c, NETCONF_HOST_NONE, OPT_SERVER_NAME, "boot");
	fx_init(&x, c);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.reply.m.siaddr.h, AT(77).h);
	assert_string_equal(file_of(&x.reply), "pxelinux.0");
	assert_string_equal(sname_of(&x.reply), "boot");
	assert_int_equal(fx_select(&x, &alice, AT(128)), DHCP_ACK);
	assert_int_equal(x.reply.m.siaddr.h, AT(77).h);
	assert_string_equal(file_of(&x.reply), "pxelinux.0");
	/* A refusal has nothing to boot from. */
	assert_int_equal(fx_reboot(&x, &bob, (struct ip4){0x0a000009}), DHCP_NAK);
	assert_int_equal(x.reply.m.siaddr.h, 0);
	assert_string_equal(file_of(&x.reply), "");
	fx_fini(&x);
}

static void
host_has_a_boot_file_of_its_own(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;

	c->next_server = AT(77);
	c->host_v[0].next_server = AT(78);
	set_text(c, NETCONF_HOST_NONE, OPT_FILE_NAME, "pxelinux.0");
	set_text(c, 0, OPT_FILE_NAME, "ipxe.efi");
	fx_init(&x, c);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.reply.m.siaddr.h, AT(78).h);
	assert_string_equal(file_of(&x.reply), "ipxe.efi");
	assert_int_equal(fx_discover(&x, &bob), DHCP_OFFER);
	assert_int_equal(x.reply.m.siaddr.h, AT(77).h);
	assert_string_equal(file_of(&x.reply), "pxelinux.0");
	fx_fini(&x);
}

/* A field cannot be both a file name and room for options. */
static void
boot_file_is_not_overwritten_by_overload(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	uint8_t value[100], overload;
	struct fixture x;

	memset(value, 'x', sizeof(value));
	set_text(c, NETCONF_HOST_NONE, OPT_FILE_NAME, "pxelinux.0");
	for (unsigned i = 0; i < 12; i++)
		netconf_add_option(c, NETCONF_HOST_NONE, (uint8_t)(200 + i), value, 40);
	fx_init(&x, c);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_string_equal(file_of(&x.reply), "pxelinux.0");
	overload = 0;
	for (size_t i = DHCP_OPTIONS_AT; i + 2 < x.reply.f.len && x.reply.f.data[i] != OPT_END;
	     i += 2u + x.reply.f.data[i + 1])
		if (x.reply.f.data[i] == OPT_OVERLOAD)
			overload = x.reply.f.data[i + 2];
	assert_int_equal(overload, 2); /* sname alone */
	fx_fini(&x);
}

/* 128 characters leave no room for the NUL: the option still has them. */
static void
long_boot_file_is_an_option_only(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	char name[129], got[200];
	struct fixture x;

	memset(name, 'f', 128);
	name[128] = '\0';
	set_text(c, NETCONF_HOST_NONE, OPT_FILE_NAME, name);
	fx_init(&x, c);
	assert_int_equal(fx_discover(&x, &alice), DHCP_OFFER);
	assert_string_equal(file_of(&x.reply), "");
	assert_int_equal(treply_opt(&x.reply, OPT_FILE_NAME, got, sizeof(got)), 128);
	fx_fini(&x);
}

/* --- BOOTP --- */

/* The answer to a BOOTP request; false when there is none. */
static bool
bootp(struct fixture *x, const struct tclient *c)
{
	uint8_t buf[1500];
	size_t len = tclient_frame(buf, sizeof(buf), c, &(struct trequest){.type = DHCP_NONE});

	dhcp_server_input(x->s, buf, len, x->clk, x->frame, &x->out);
	assert_int_equal(x->out.nchanges, 0);
	assert_int_equal(x->out.frame_len != 0, x->out.drop == DHCP_DROP_NONE);
	return x->out.frame_len && tclient_read(&x->reply, x->frame, x->out.frame_len);
}

static void
bootp_client_gets_its_fixed_address(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct dhcp_opt_iter it;
	struct fixture x;
	struct rd val;
	uint8_t code;

	c->host_v[0].bootp = true;
	set_text(c, NETCONF_HOST_NONE, OPT_FILE_NAME, "vmlinux");
	fx_init(&x, c);
	assert_true(bootp(&x, &alice));
	assert_int_equal(x.reply.m.type, DHCP_NONE);
	assert_int_equal(x.reply.m.yiaddr.h, AT(50).h);
	assert_int_equal(x.reply.f.len, 300);
	assert_string_equal(file_of(&x.reply), "vmlinux");
	assert_int_equal(treply_u32(&x.reply, OPT_SUBNET_MASK), 0xffffff00);
	assert_int_equal(treply_u32(&x.reply, OPT_ROUTERS), AT(2).h);
	/* RFC 1534 2: none of DHCP's own options. */
	dhcp_opt_iter_init(&it, x.reply.f.data, x.reply.f.len);
	while (dhcp_opt_iter_next(&it, &code, &val))
		assert_false(code >= OPT_REQUESTED_IP && code <= OPT_CLIENT_ID);
	assert_int_equal(dhcp_server_stats(x.s)->sent[DHCP_NONE], 1);
	fx_fini(&x);
}

/* Two machines with one address are worse than one without. */
static void
bootp_client_waits_while_another_has_its_address(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(128));
	struct fixture x;
	bool forgot;

	fx_init(&x, NULL);
	assert_int_equal(fx_lease(&x, &bob).h, AT(128).h);
	c->host_v[0].bootp = true;
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	assert_false(bootp(&x, &alice));
	assert_int_equal(x.out.drop, DHCP_DROP_NO_ADDRESS);
	fx_release(&x, &bob, AT(128));
	assert_true(bootp(&x, &alice));
	fx_fini(&x);
}

static void
bootp_is_only_for_clients_that_have_a_fixed_address(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;

	netconf_add_host(c, 1, bob.mac, (struct ip4){0}, "no address");
	c->host_v[1].bootp = true;
	fx_init(&x, c);
	assert_false(bootp(&x, &alice)); /* not allowed */
	assert_int_equal(x.out.drop, DHCP_DROP_BOOTP);
	assert_false(bootp(&x, &bob));
	assert_int_equal(x.out.drop, DHCP_DROP_BOOTP);
	assert_false(bootp(&x, &carol)); /* unknown */
	assert_int_equal(x.out.drop, DHCP_DROP_BOOTP);
	fx_fini(&x);
}

/* --- who is answered --- */

static void
host_that_must_not_boot_is_ignored(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;

	c->host_v[0].booting = false;
	fx_init(&x, c);
	assert_int_equal(fx_discover(&x, &alice), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_BOOTING);
	assert_int_equal(fx_reboot(&x, &alice, AT(50)), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_BOOTING);
	assert_int_equal(dhcp_server_stats(x.s)->dropped[DHCP_DROP_NOT_BOOTING], 2);
	assert_int_equal(fx_discover(&x, &bob), DHCP_OFFER);
	fx_fini(&x);
}

static void
network_that_denies_booting_answers_hosts_that_may(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;

	c->booting = false;
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	assert_int_equal(fx_discover(&x, &bob), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NOT_BOOTING);
	fx_fini(&x);
}

/* A lease given back is free, whatever its client may do next. */
static void
release_is_heard_from_a_host_that_must_not_boot(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct fixture x;
	bool forgot;

	fx_init(&x, conf_with_host(alice.mac, AT(50)));
	assert_int_equal(fx_lease(&x, &alice).h, AT(50).h);
	c->host_v[0].booting = false;
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x.s, c, x.clk, &forgot), 0);
	fx_release(&x, &alice, AT(50));
	assert_int_equal(x.out.nchanges, 1);
	fx_fini(&x);
}

/* --- RFC 2563 --- */

static enum dhcp_type
discover_auto_config(struct fixture *x, const struct tclient *c)
{
	return fx_send(x, c, &(struct trequest){.type = DHCP_DISCOVER, .auto_config = true});
}

static void
client_without_an_address_hears_whether_to_choose_one(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;
	uint8_t v = 1;

	c->unknown_clients = false;
	netconf_add_option(c, NETCONF_HOST_NONE, OPT_AUTO_CONFIG, "\0", 1);
	fx_init(&x, c);
	assert_int_equal(discover_auto_config(&x, &alice), DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, 0);
	assert_int_equal(x.reply.f.dst.h, UINT32_MAX);
	assert_int_equal(treply_opt(&x.reply, OPT_AUTO_CONFIG, &v, 1), 1);
	assert_int_equal(v, 0);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 0);
	assert_int_equal(treply_u32(&x.reply, OPT_ROUTERS), 0);
	assert_int_equal(dhcp_server_stats(x.s)->dropped[DHCP_DROP_UNKNOWN_CLIENT], 1);
	/* Who does not ask would take it for an address. */
	assert_int_equal(fx_discover(&x, &alice), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_UNKNOWN_CLIENT);
	fx_fini(&x);
}

static void
nothing_is_offered_where_nothing_is_configured(void **state UNUSED)
{
	struct netconf *c = fx_conf();
	struct fixture x;

	c->unknown_clients = false;
	fx_init(&x, c);
	assert_int_equal(discover_auto_config(&x, &alice), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_UNKNOWN_CLIENT);
	fx_fini(&x);
}

/* --- times --- */

static void
host_has_lease_times_of_its_own(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, AT(50));
	struct trequest q = {.type = DHCP_DISCOVER, .lease_s = 1};
	struct fixture x;

	c->min_lease_s = 600;
	c->host_v[0].default_lease_s = 30;
	c->host_v[0].max_lease_s = 40;
	c->host_v[0].min_lease_s = 20;
	fx_init(&x, c);
	fx_discover(&x, &alice);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 30);
	fx_send(&x, &alice, &q);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 20);
	fx_send(&x, &bob, &q);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 600);
	q.lease_s = 100000;
	fx_send(&x, &alice, &q);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 40);
	fx_send(&x, &bob, &q);
	assert_int_equal(treply_u32(&x.reply, OPT_LEASE_TIME), 7200);
	fx_fini(&x);
}

/* --- ranges for known clients --- */

static void
range_for_known_clients_is_closed_to_others(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, (struct ip4){0});
	struct fixture x;

	netconf_add_range(c, AT(10), AT(11), true);
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &bob).h, AT(128).h);
	assert_int_equal(fx_lease(&x, &alice).h, AT(10).h);
	assert_int_equal(fx_select(&x, &carol, AT(11)), DHCP_NAK);
	assert_int_equal(
	    fx_send(&x, &carol, &(struct trequest){.type = DHCP_DISCOVER, .requested = AT(11)}),
	    DHCP_OFFER);
	assert_int_equal(x.reply.m.yiaddr.h, AT(129).h);
	fx_fini(&x);
}

/* What a known client gives back goes to the next of them, and to nobody else. */
static void
ended_lease_of_a_known_client_stays_among_them(void **state UNUSED)
{
	struct netconf *c = netconf_new(8);
	struct fixture x;

	c->subnet = (struct prefix4){AT(0), 24};
	c->server = SERVER;
	c->unknown_clients = c->authoritative = true;
	netconf_add_host(c, 0, alice.mac, (struct ip4){0}, "a");
	netconf_add_host(c, 1, bob.mac, (struct ip4){0}, "b");
	netconf_add_range(c, AT(10), AT(10), true);
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(10).h);
	assert_int_equal(fx_lease(&x, &bob).h, 0);
	fx_release(&x, &alice, AT(10));
	assert_int_equal(fx_discover(&x, &carol), DHCP_NONE);
	assert_int_equal(x.out.drop, DHCP_DROP_NO_ADDRESS);
	assert_int_equal(fx_lease(&x, &bob).h, AT(10).h);
	fx_fini(&x);
}

static void
known_client_takes_from_the_others_when_its_range_is_full(void **state UNUSED)
{
	struct netconf *c = conf_with_host(alice.mac, (struct ip4){0});
	struct fixture x;

	netconf_add_host(c, 1, bob.mac, (struct ip4){0}, "b");
	netconf_add_range(c, AT(10), AT(10), true);
	fx_init(&x, c);
	assert_int_equal(fx_lease(&x, &alice).h, AT(10).h);
	assert_int_equal(fx_lease(&x, &bob).h, AT(128).h);
	fx_fini(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(boot_file_is_in_the_header),
	    cmocka_unit_test(host_has_a_boot_file_of_its_own),
	    cmocka_unit_test(boot_file_is_not_overwritten_by_overload),
	    cmocka_unit_test(long_boot_file_is_an_option_only),
	    cmocka_unit_test(bootp_client_gets_its_fixed_address),
	    cmocka_unit_test(bootp_client_waits_while_another_has_its_address),
	    cmocka_unit_test(bootp_is_only_for_clients_that_have_a_fixed_address),
	    cmocka_unit_test(host_that_must_not_boot_is_ignored),
	    cmocka_unit_test(network_that_denies_booting_answers_hosts_that_may),
	    cmocka_unit_test(release_is_heard_from_a_host_that_must_not_boot),
	    cmocka_unit_test(client_without_an_address_hears_whether_to_choose_one),
	    cmocka_unit_test(nothing_is_offered_where_nothing_is_configured),
	    cmocka_unit_test(host_has_lease_times_of_its_own),
	    cmocka_unit_test(range_for_known_clients_is_closed_to_others),
	    cmocka_unit_test(ended_lease_of_a_known_client_stays_among_them),
	    cmocka_unit_test(known_client_takes_from_the_others_when_its_range_is_full),
	};

	return T_RUN(tests);
}
