/* SPDX-License-Identifier: GPL-2.0-or-later
 * names_test.c - which names, aliases and links are ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"
#include "vnetd/names.h"

static void
bridge_names(void **state UNUSED)
{
	static const char *const bad[] = {"vmnet",
					  "vmnet08",
					  "vmnet256",
					  "vmnet-1",
					  "vmnet+1",
					  "vmnet8p1",
					  "VMNET8",
					  "vmnet8 ",
					  "xvmnet8",
					  "",
					  "vmnet99999999999999999999"};
	char buf[NAMES_IFNAME_MAX];
	unsigned net;

	for (unsigned n = 0; n < NAMES_NETS; n++) {
		assert_true(names_bridge_parse(&net, names_bridge(n, buf)));
		assert_int_equal(net, n);
	}
	net = 77;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(names_bridge_parse(&net, bad[i]));
	assert_int_equal(net, 77);
	assert_true(names_bridge_parse(NULL, "vmnet0"));
}

static void
port_names(void **state UNUSED)
{
	static const char *const bad[] = {"vmnet8p",        "vmnet8p0",  "vmnet8p01",
					  "vmnet8p1000000", "vmnet8p-1", "vmnet8p1x",
					  "vmnet256p1",     "vmnet8",    "p1"};
	char buf[NAMES_IFNAME_MAX];
	unsigned net, port;

	assert_true(names_port_parse(&net, &port, names_port(255, NAMES_PORTS_MAX, buf)));
	assert_int_equal(net, 255);
	assert_int_equal(port, NAMES_PORTS_MAX);
	assert_true(strlen(buf) < NAMES_IFNAME_MAX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(names_port_parse(&net, &port, bad[i]));
}

static void
names_that_an_interface_can_have(void **state UNUSED)
{
	assert_true(names_ifname_ok("eth0"));
	assert_true(names_ifname_ok("eth0.5"));
	assert_true(names_ifname_ok("abcdefghijklmno"));
	assert_false(names_ifname_ok("abcdefghijklmnop"));
	assert_false(names_ifname_ok(""));
	assert_false(names_ifname_ok("."));
	assert_false(names_ifname_ok(".."));
	assert_false(names_ifname_ok("a/b"));
	assert_false(names_ifname_ok("a:b"));
	assert_false(names_ifname_ok("tap%d"));
	assert_false(names_ifname_ok("a b"));
	assert_false(names_ifname_ok("a\tb"));
	assert_false(names_ifname_ok("caf\xc3\xa9"));
}

static void
aliases(void **state UNUSED)
{
	char buf[NAMES_ALIAS_MAX], longest[NAMES_ALIAS_MAX];
	const char *text;
	unsigned net;

	assert_true(names_alias(buf, 8, ""));
	assert_string_equal(buf, "vnetd:8");
	assert_true(names_alias_parse(&net, &text, buf));
	assert_int_equal(net, 8);
	assert_string_equal(text, "");
	assert_true(names_alias(buf, 255, "port=1 name=web 1"));
	assert_string_equal(buf, "vnetd:255 port=1 name=web 1");
	assert_true(names_alias_parse(&net, &text, buf));
	assert_int_equal(net, 255);
	assert_string_equal(text, "port=1 name=web 1");

	assert_false(names_alias(buf, 8, "a\nb"));
	assert_false(names_alias(buf, 8, "a\x7f"));
	memset(longest, 'x', sizeof(longest));
	longest[NAMES_ALIAS_MAX - 1 - strlen("vnetd:8 ")] = '\0';
	assert_true(names_alias(buf, 8, longest));
	assert_false(names_alias(buf, 80, longest));

	assert_false(names_alias_parse(&net, &text, ""));
	assert_false(names_alias_parse(&net, &text, "vnetd:"));
	assert_false(names_alias_parse(&net, &text, "vnetd:8x"));
	assert_false(names_alias_parse(&net, &text, "vnetd:08"));
	assert_false(names_alias_parse(&net, &text, "vnetd:256"));
	assert_false(names_alias_parse(&net, &text, " vnetd:8"));
	assert_false(names_alias_parse(&net, &text, "xvnetd:8"));
}

static bool
ours(const char *name, const char *kind, const char *alias, uint32_t group)
{
	struct names_link l = {.name = name, .kind = kind, .alias = alias, .group = group};

	return names_is_ours(NULL, &l);
}

static void
whose_link_is_it(void **state UNUSED)
{
	const uint32_t g = NAMES_LINK_GROUP;

	assert_true(ours("vmnet8", "bridge", "vnetd:8", g));
	assert_true(ours("vmnet8", "bridge", "vnetd:8 NAT", 0)); /* somebody changed the group */
	assert_true(ours("fc0", "tun", "vnetd:8 port=1", g));
	/* somebody else's */
	assert_false(ours("vmnet8", "", "", 0));
	assert_false(ours("vmnet8", "bridge", "", 0));
	assert_false(ours("vmnet8", "bridge", "mine", g));
	assert_false(ours("eth0", "", "", g));
	assert_false(ours("vnet0", "tun", "", g));
	assert_false(ours("vmnet8", "dummy", "", g));
	/* killed between creating the link and naming it */
	assert_true(ours("vmnet8", "bridge", "", g));
	assert_true(ours("vmnet8p1", "veth", "", g));
	assert_true(ours("vmnet8p1", "tun", "", g));
	assert_false(ours("vmnet8p1", "bridge", "", g));
}

static void
addresses_of_links(void **state UNUSED)
{
	assert_string_equal(MAC_STR(names_bridge_mac(8)), "00:50:56:c0:00:08");
	assert_string_equal(MAC_STR(names_bridge_mac(255)), "00:50:56:c0:00:ff");
	assert_string_equal(MAC_STR(names_port_mac("vmnet8p258")), "fe:00:08:00:01:02");
	assert_true(names_port_mac("fc0").b[0] == 0xfe);
	assert_true(names_port_mac("fc0").b[1] == 0x01);
	assert_false(mac_eq(names_port_mac("fc0"), names_port_mac("fc1")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bridge_names),
	    cmocka_unit_test(port_names),
	    cmocka_unit_test(names_that_an_interface_can_have),
	    cmocka_unit_test(aliases),
	    cmocka_unit_test(whose_link_is_it),
	    cmocka_unit_test(addresses_of_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
