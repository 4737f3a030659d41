/* SPDX-License-Identifier: GPL-2.0-or-later
 * net_test.c - addresses by rule for any mask, names, rights.
 */
#include "t.h"

static void
addresses_of_any_mask(void **state UNUSED)
{
	static const struct {
		const char *subnet, *host, *gateway, *lo, *hi, *dhcp;
	} rows[] = {
	    {"192.168.8.0/24", "192.168.8.1", "192.168.8.2", "192.168.8.128", "192.168.8.253",
	     "192.168.8.254"},
	    {"10.0.0.0/16", "10.0.0.1", "10.0.0.2", "10.0.128.0", "10.0.255.253", "10.0.255.254"},
	    {"10.0.0.0/8", "10.0.0.1", "10.0.0.2", "10.128.0.0", "10.255.255.253",
	     "10.255.255.254"},
	    {"10.0.0.128/25", "10.0.0.129", "10.0.0.130", "10.0.0.192", "10.0.0.253", "10.0.0.254"},
	    {"10.0.0.8/29", "10.0.0.9", "10.0.0.10", "10.0.0.12", "10.0.0.13", "10.0.0.14"},
	};
	struct conf_addresses a;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		conf_addresses_of(t_prefix(rows[i].subnet), &a);
		assert_string_equal(IP4_STR(a.host), rows[i].host);
		assert_string_equal(IP4_STR(a.gateway), rows[i].gateway);
		assert_string_equal(IP4_STR(a.lo), rows[i].lo);
		assert_string_equal(IP4_STR(a.hi), rows[i].hi);
		assert_string_equal(IP4_STR(a.dhcp), rows[i].dhcp);
	}
	conf_addresses_of(t_prefix("10.0.0.8/30"), &a);
	assert_int_equal(a.lo.h, 0);
	assert_string_equal(IP4_STR(a.host), "10.0.0.9");
}

/* Down to the smallest served subnet, all five are different and guests have at least two. */
static void
served_subnets_have_room(void **state UNUSED)
{
	for (uint8_t len = CONF_PREFIX_MIN; len <= CONF_PREFIX_MAX_SERVED; len++) {
		struct prefix4 p = {{0x0a000000}, len};
		struct conf_addresses a;

		assert_null(conf_subnet_unusable(p, true));
		conf_addresses_of(p, &a);
		assert_true(p.addr.h < a.host.h && a.host.h < a.gateway.h && a.gateway.h < a.lo.h &&
			    a.lo.h < a.hi.h && a.hi.h < a.dhcp.h &&
			    a.dhcp.h < prefix4_broadcast(p).h);
	}
}

static void
unusable_subnets(void **state UNUSED)
{
	assert_null(conf_subnet_unusable(t_prefix("192.0.2.0/30"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("192.0.2.0/30"), true));
	assert_non_null(conf_subnet_unusable(t_prefix("192.0.2.0/31"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("192.0.2.0/32"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("10.0.0.0/7"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("0.0.0.0/0"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("127.1.0.0/16"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("169.254.8.0/24"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("224.0.0.0/24"), false));
	assert_non_null(conf_subnet_unusable(t_prefix("255.255.255.0/24"), false));
}

static void
network_names(void **state UNUSED)
{
	static const char *const bad[] = {"vmnet",    "vmnet08",    "vmnet256", "vmnet-1",
					  "vmnet8 ",  "Vmnet8",     "net8",     "vmnet99999999999",
					  "vmnet8p1", "/dev/vmnet8"};
	enum net_kind k;
	unsigned n = 77;

	assert_true(conf_net_parse(&n, "vmnet0"));
	assert_int_equal(n, 0);
	assert_true(conf_net_parse(&n, "vmnet255"));
	assert_int_equal(n, 255);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(conf_net_parse(&n, bad[i]));
	assert_int_equal(n, 255);
	for (int i = 0; i < NET_KIND_N; i++) {
		assert_true(conf_net_type_parse(&k, conf_net_type_word((enum net_kind)i)));
		assert_int_equal(k, i);
		assert_true(conf_net_type_parse(&k, conf_net_type_label((enum net_kind)i)));
		assert_int_equal(k, i);
	}
	assert_false(conf_net_type_parse(&k, "open"));
}

static void
own_addresses_are_nobody_elses(void **state UNUSED)
{
	static const char *const own[] = {"10.8.0.0", "10.8.0.1", "10.8.0.2", "10.8.0.254",
					  "10.8.0.255"};
	struct conf *c = t_build("answer VNET_8_HOSTONLY_SUBNET 10.8.0.0\nanswer VNET_8_NAT yes\n"
				 "answer VNET_8_VIRTUAL_ADAPTER yes\nanswer VNET_8_DHCP yes\n",
				 NULL);

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		assert_true(conf_net_owns(&c->net[8], t_ip(own[i])));
	assert_false(conf_net_owns(&c->net[8], t_ip("10.8.0.3")));
	assert_false(conf_net_owns(&c->net[8], t_ip("10.8.0.253")));
	assert_false(conf_net_owns(&c->net[0], t_ip("10.8.0.1")));
	conf_free(c);
}

/* Names of [user] and [group] sections become numbers, as the engine does it. */
static void
resolve(struct conf *c, const char *name, uint32_t id)
{
	for (size_t i = 0; i < c->nsubjects; i++) {
		if (strcmp(c->subject[i].name, name) == 0) {
			c->subject[i].id = id;
			c->subject[i].resolved = true;
		}
	}
}

static void
members_of_vnet_may_attach_to_everything(void **state UNUSED)
{
	static const uint32_t vnet[] = {4, 100}, other[] = {4};
	struct conf *c = t_build("", NULL);
	struct conf_rights r;

	resolve(c, CONF_GROUP, 100);
	conf_rights_of(c, 1000, vnet, 2, &r);
	assert_true(r.known);
	assert_false(r.change);
	assert_true(conf_rights_attach(&r, 0) && conf_rights_attach(&r, 255));
	assert_false(conf_rights_attach(&r, 256));
	conf_rights_of(c, 1000, other, 1, &r);
	assert_false(r.known);
	assert_false(conf_rights_attach(&r, 8));
	conf_rights_of(c, 0, NULL, 0, &r);
	assert_true(r.known && r.change && conf_rights_attach(&r, 8));
	conf_free(c);
}

static void
a_users_own_section_decides(void **state UNUSED)
{
	static const uint32_t groups[] = {100, 200};
	struct conf *c = t_build("", "[group vnet]\nallow = vmnet8\n[group ops]\nallow = vmnet1\n"
				     "change = yes\n[user bob]\nallow = none\n"
				     "[user 1003]\nchange = no\n");
	struct conf_rights r;

	resolve(c, "vnet", 100);
	resolve(c, "ops", 200);
	resolve(c, "bob", 1002);
	conf_rights_of(c, 1001, groups, 2, &r);
	assert_true(conf_rights_attach(&r, 8) && conf_rights_attach(&r, 1));
	assert_false(conf_rights_attach(&r, 2));
	assert_true(r.change);
	conf_rights_of(c, 1001, groups, 1, &r);
	assert_true(conf_rights_attach(&r, 8) && !conf_rights_attach(&r, 1) && !r.change);
	conf_rights_of(c, 1002, groups, 2, &r);
	assert_false(conf_rights_attach(&r, 8));
	assert_true(r.change);
	conf_rights_of(c, 1003, groups, 2, &r);
	assert_true(conf_rights_attach(&r, 8));
	assert_false(r.change);
	conf_rights_of(c, 1003, NULL, 0, &r);
	assert_true(r.known);
	conf_free(c);
}

static void
so_many_ports_a_user_may_have(void **state UNUSED)
{
	static const uint32_t groups[] = {100, 200};
	struct conf *c = t_build("", "[group vnet]\nmax-ports = 10\n[group ops]\nmax-ports = 1000\n"
				     "[user bob]\nmax-ports = 0\n");
	struct conf_rights r;

	resolve(c, "vnet", 100);
	resolve(c, "ops", 200);
	resolve(c, "bob", 1002);
	conf_rights_of(c, 1001, groups, 1, &r);
	assert_int_equal(r.max_ports, 10);
	conf_rights_of(c, 1001, groups, 2, &r);
	assert_int_equal(r.max_ports, 1000);
	conf_rights_of(c, 1001, NULL, 0, &r);
	assert_int_equal(r.max_ports, CONF_PORTS_DEFAULT);
	conf_rights_of(c, 1002, groups, 2, &r);
	assert_int_equal(r.max_ports, 0);
	conf_rights_of(c, 0, NULL, 0, &r);
	assert_int_equal(r.max_ports, CONF_PORTS_MAX);
	conf_free(c);
}

/* A name that could not be resolved is nobody, not the user with number -1. */
static void
unresolved_names_match_nobody(void **state UNUSED)
{
	static const uint32_t groups[] = {UINT32_MAX};
	struct conf *c = t_build("", "[user ghost]\nchange = yes\n");
	struct conf_rights r;

	conf_rights_of(c, UINT32_MAX, groups, 1, &r);
	assert_false(r.known);
	assert_false(r.change);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_of_any_mask),
	    cmocka_unit_test(served_subnets_have_room),
	    cmocka_unit_test(unusable_subnets),
	    cmocka_unit_test(network_names),
	    cmocka_unit_test(own_addresses_are_nobody_elses),
	    cmocka_unit_test(members_of_vnet_may_attach_to_everything),
	    cmocka_unit_test(a_users_own_section_decides),
	    cmocka_unit_test(so_many_ports_a_user_may_have),
	    cmocka_unit_test(unresolved_names_match_nobody),
	};

	return T_RUN(tests);
}
