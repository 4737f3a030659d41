/* SPDX-License-Identifier: GPL-2.0-or-later
 * netconf_test.c - a network's DHCP configuration: ranges, hosts, own addresses, options.
 */
#include "../lib/t.h"

#include <errno.h>

#include "dhcpd/msg.h"
#include "dhcpd/netconf.h"

#define NET    0xc0a80800u /* 192.168.8.0 */
#define AT(n)  ((struct ip4){NET + (n)})
#define MAC(n) ((struct mac){{0, 0x0c, 0x29, 0, 0, (n)}})

static struct netconf *
fresh(void)
{
	struct netconf *c = netconf_new(8);

	assert_non_null(c);
	c->subnet = (struct prefix4){AT(0), 24};
	c->server = AT(254);
	c->host = AT(1);
	c->gateway = AT(2);
	c->default_lease_s = 1800;
	c->max_lease_s = 7200;
	c->unknown_clients = true;
	return c;
}

static void
vmware_range_excludes_the_servers_address(void **state UNUSED)
{
	struct netconf *c = fresh();

	assert_int_equal(netconf_add_range(c, AT(128), AT(254), false), 0);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->pool, 126);
	assert_true(netconf_is_dynamic(c, AT(128)));
	assert_true(netconf_is_dynamic(c, AT(253)));
	assert_false(netconf_is_dynamic(c, AT(254)));
	assert_false(netconf_is_dynamic(c, AT(127)));
	netconf_free(c);
}

static void
ranges_are_sorted_clipped_and_joined(void **state UNUSED)
{
	struct netconf *c = fresh();

	assert_int_equal(netconf_add_range(c, AT(200), AT(600), false), 0);
	assert_int_equal(netconf_add_range(c, AT(10), AT(20), false), 0);
	assert_int_equal(netconf_add_range(c, AT(21), AT(30), false), 0);
	assert_int_equal(netconf_add_range(c, AT(15), AT(18), false), 0);
	assert_int_equal(netconf_add_range(c, (struct ip4){NET - 20}, AT(4), false), 0);
	assert_int_equal(netconf_add_range(c, AT(900), AT(901), false), 0);
	assert_int_equal(netconf_add_range(c, AT(5), AT(4), false), -EINVAL);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->nranges, 3);
	assert_int_equal(c->range[0].lo.h, NET + 1);
	assert_int_equal(c->range[0].hi.h, NET + 4);
	assert_int_equal(c->range[1].lo.h, NET + 10);
	assert_int_equal(c->range[1].hi.h, NET + 30);
	assert_int_equal(c->range[2].lo.h, NET + 200);
	assert_int_equal(c->range[2].hi.h, NET + 254);
	/* .1 and .2 and .254 are ours. */
	assert_int_equal(c->pool, 4 - 2 + 21 + 55 - 1);
	netconf_free(c);
}

/* Where two kinds overlap, each address belongs to one of them. */
static void
ranges_for_known_clients_stay_apart(void **state UNUSED)
{
	struct netconf *c = fresh();

	netconf_add_host(c, 0, (struct mac){{2, 0, 0, 0, 0, 1}}, (struct ip4){0}, "known");
	assert_int_equal(netconf_add_range(c, AT(10), AT(20), true), 0);
	assert_int_equal(netconf_add_range(c, AT(21), AT(30), false), 0);
	assert_int_equal(netconf_add_range(c, AT(25), AT(40), true), 0);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->nranges, 3);
	assert_int_equal(c->pool, 31);
	for (unsigned n = 10; n <= 40; n++) {
		bool known = n <= 20 || n > 30;

		assert_int_equal(netconf_is_for_known(c, AT(n)), known);
		assert_int_equal(netconf_is_dynamic(c, AT(n)), !known);
		assert_true(netconf_fits(c, AT(n), (struct mac){{2, 0, 0, 0, 0, 1}}));
		assert_int_equal(netconf_fits(c, AT(n), (struct mac){{2, 0, 0, 0, 0, 2}}), !known);
	}
	netconf_free(c);
}

static void
own_addresses_never_fit(void **state UNUSED)
{
	static const unsigned own[] = {0, 1, 2, 254, 255};
	struct netconf *c = fresh();

	assert_int_equal(netconf_add_range(c, AT(1), AT(254), false), 0);
	/* Not even when a host block says so. */
	for (unsigned i = 0; i < ARRAY_LEN(own); i++)
		assert_int_equal(netconf_add_host(c, i, MAC((uint8_t)(i + 1)), AT(own[i]), "h"), 0);
	assert_int_equal(netconf_seal(c), 0);
	for (unsigned i = 0; i < ARRAY_LEN(own); i++) {
		assert_true(netconf_owns(c, AT(own[i])));
		assert_false(netconf_fits(c, AT(own[i]), MAC((uint8_t)(i + 1))));
		assert_false(netconf_is_dynamic(c, AT(own[i])));
	}
	assert_int_equal(c->pool, 251);
	netconf_free(c);
}

static void
reservations_belong_to_their_mac(void **state UNUSED)
{
	struct netconf *c = fresh();

	assert_int_equal(netconf_add_range(c, AT(128), AT(254), false), 0);
	assert_int_equal(netconf_add_host(c, 0, MAC(9), AT(130), "inside"), 0);
	assert_int_equal(netconf_add_host(c, 1, MAC(3), AT(50), "outside"), 0);
	assert_int_equal(netconf_add_host(c, 2, MAC(5), (struct ip4){0}, "known"), 0);
	assert_int_equal(netconf_add_host(c, 4, MAC(6), AT(51), "gap"), -EINVAL);
	assert_int_equal(netconf_add_host(c, 3, (struct mac){{0}}, AT(51), "zero"), -EINVAL);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->pool, 125);
	assert_true(netconf_fits(c, AT(130), MAC(9)));
	assert_false(netconf_fits(c, AT(130), MAC(3)));
	assert_true(netconf_fits(c, AT(50), MAC(3)));
	assert_false(netconf_fits(c, AT(50), MAC(9)));
	assert_false(netconf_fits(c, AT(51), MAC(3)));
	assert_true(netconf_fits(c, AT(131), MAC(5)));
	assert_string_equal(netconf_host_find(c, MAC(5))->name, "known");
	assert_string_equal(netconf_host_by_ip(c, AT(50))->name, "outside");
	assert_null(netconf_host_find(c, MAC(77)));
	assert_null(netconf_host_by_ip(c, AT(77)));
	netconf_free(c);
}

static void
many_hosts_are_found(void **state UNUSED)
{
	struct netconf *c = fresh();

	c->subnet.len = 16;
	c->subnet.addr.h = NET & ip4_mask(16).h;
	for (unsigned i = 0; i < 3000; i++) {
		struct mac m = {{0, 1, 2, 3, (uint8_t)(i * 7 >> 8), (uint8_t)(i * 7)}};

		assert_int_equal(netconf_add_host(c, i, m, AT(1000 + i * 3), "x"), 0);
	}
	assert_int_equal(netconf_seal(c), 0);
	for (unsigned i = 0; i < 3000; i++) {
		struct mac m = {{0, 1, 2, 3, (uint8_t)(i * 7 >> 8), (uint8_t)(i * 7)}};
		const struct netconf_host *h = netconf_host_by_ip(c, AT(1000 + i * 3));

		assert_non_null(h);
		assert_true(mac_eq(h->mac, m));
		assert_ptr_equal(netconf_host_find(c, m), h);
	}
	netconf_free(c);
}

static void
host_options_override_and_suppress(void **state UNUSED)
{
	struct netconf *c = fresh();
	const struct netconf_host *h;

	assert_int_equal(netconf_add_host(c, 0, MAC(1), AT(60), "a"), 0);
	netconf_add_option(c, NETCONF_HOST_NONE, OPT_ROUTERS, "\xc0\xa8\x08\x02", 4);
	netconf_add_option(c, NETCONF_HOST_NONE, OPT_DNS, "\xc0\xa8\x08\x02", 4);
	netconf_add_option(c, NETCONF_HOST_NONE, 15, "localdomain", 11);
	netconf_add_option(c, NETCONF_HOST_NONE, 42, "\0\0\0\0", 4);
	assert_int_equal(netconf_add_option(c, 0, OPT_ROUTERS, "\0\0\0\0", 4), 0);
	assert_int_equal(netconf_add_option(c, 0, 15, "", 0), 0);
	assert_int_equal(netconf_add_option(c, 0, OPT_DNS, "\1\1\1\1", 4), 0);
	assert_int_equal(netconf_add_option(c, 1, OPT_DNS, "\1\1\1\1", 4), -EINVAL);
	assert_int_equal(netconf_add_option(c, NETCONF_HOST_NONE, OPT_PAD, "x", 1), -EINVAL);
	assert_int_equal(netconf_add_option(c, NETCONF_HOST_NONE, OPT_END, "x", 1), -EINVAL);
	assert_int_equal(netconf_seal(c), 0);
	h = netconf_host_find(c, MAC(1));
	assert_null(netconf_option(c, h, OPT_ROUTERS));
	assert_null(netconf_option(c, h, 15));
	assert_memory_equal(netconf_option(c, h, OPT_DNS)->data, "\1\1\1\1", 4);
	assert_memory_equal(netconf_option(c, NULL, OPT_DNS)->data, "\xc0\xa8\x08\x02", 4);
	assert_int_equal(netconf_option(c, NULL, 15)->len, 11);
	/* Only for those options does 0.0.0.0 mean "none". */
	assert_non_null(netconf_option(c, h, 42));
	assert_null(netconf_option(c, h, 99));
	netconf_free(c);
}

static void
rows_of_one_option_are_joined(void **state UNUSED)
{
	struct netconf *c = fresh();
	uint8_t piece[1024];
	const struct netconf_opt *o;

	memset(piece, 7, sizeof(piece));
	for (int i = 0; i < 4; i++)
		assert_int_equal(netconf_add_option(c, NETCONF_HOST_NONE, 119, piece, 1024), 0);
	assert_int_equal(netconf_add_option(c, NETCONF_HOST_NONE, 119, piece, 1), -E2BIG);
	assert_int_equal(netconf_seal(c), 0);
	o = netconf_option(c, NULL, 119);
	assert_int_equal(o->len, 4096);
	netconf_free(c);
}

static void
a_server_outside_its_subnet_is_refused(void **state UNUSED)
{
	struct netconf *c = fresh();

	c->server.h = NET + 300;
	assert_int_equal(netconf_seal(c), -EINVAL);
	c->server.h = 0;
	assert_int_equal(netconf_seal(c), -EINVAL);
	c->server = AT(254);
	c->subnet.len = 31;
	assert_int_equal(netconf_seal(c), -EINVAL);
	netconf_free(c);
}

static void
impossible_lease_times_are_mended(void **state UNUSED)
{
	struct netconf *c = fresh();

	c->default_lease_s = 0;
	c->max_lease_s = 60;
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(c->default_lease_s, NETCONF_LEASE_DEFAULT);
	assert_int_equal(c->max_lease_s, NETCONF_LEASE_DEFAULT);
	netconf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vmware_range_excludes_the_servers_address),
	    cmocka_unit_test(ranges_are_sorted_clipped_and_joined),
	    cmocka_unit_test(ranges_for_known_clients_stay_apart),
	    cmocka_unit_test(own_addresses_never_fit),
	    cmocka_unit_test(reservations_belong_to_their_mac),
	    cmocka_unit_test(many_hosts_are_found),
	    cmocka_unit_test(host_options_override_and_suppress),
	    cmocka_unit_test(rows_of_one_option_are_joined),
	    cmocka_unit_test(a_server_outside_its_subnet_is_refused),
	    cmocka_unit_test(impossible_lease_times_are_mended),
	};

	return T_RUN(tests);
}
