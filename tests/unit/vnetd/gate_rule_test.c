/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_rule_test.c - a gate in the kernel's numbers: rates to the ends of their ranges, the map's entry.
 */
#include "../lib/t.h"

#include "vnetd/gate_rule.h"

static void
an_address_is_a_number_with_the_first_byte_lowest(void **state UNUSED)
{
	const struct mac m = {{0x52, 0x54, 0x00, 0xab, 0xcd, 0xef}};

	assert_true(gate_mac_number(m) == 0xefcdab005452ull);
	assert_true(mac_eq(gate_mac_of(0xefcdab005452ull), m));
	/* What programs test as "a group". */
	assert_int_equal(gate_mac_number((struct mac){{1}}) & 1, 1);
}

static void
rates_in_nanoseconds(void **state UNUSED)
{
	assert_int_equal(gate_rate_ns(0), 0);
	assert_int_equal(gate_rate_burst_ns(0), 0);
	assert_true(gate_rate_ns(1) == 8192000000ull);
	assert_int_equal(gate_rate_ns(1000), 8192000); /* 1 Mbit/s: 1 KiB takes 8.192 ms */
	assert_int_equal(gate_rate_ns(1000000), 8192);
	assert_int_equal(gate_rate_ns(10000000), 819);
	/* Never 0, which would be no limit at all. */
	assert_int_equal(gate_rate_ns(UINT32_MAX), 2);

	/* Fast: 50 ms. Slow: the time of 128 KiB. */
	assert_int_equal(gate_rate_burst_ns(1000000), 50000000);
	assert_int_equal(gate_rate_burst_ns(1000), 128 * 8192000);
	assert_true(gate_rate_burst_ns(1) == 128 * 8192000000ull);
	assert_int_equal(gate_rate_burst_ns(UINT32_MAX), 50000000);

	/* What a program computes for the largest frame stays far from the end of 64 bits. */
	assert_true(gate_rate_ns(1) * (1 << 20) < UINT64_MAX / 1000);
}

static void
limits_of_broadcasts(void **state UNUSED)
{
	assert_int_equal(gate_flood_ns(0), 0);
	assert_int_equal(gate_flood_burst_ns(0), 0);
	assert_int_equal(gate_flood_ns(10000), 100000);
	assert_int_equal(gate_flood_burst_ns(10000), 100000000);
	assert_int_equal(gate_flood_ns(GATE_FLOOD_MAX), 1000);
	assert_int_equal(gate_flood_ns(3), 333333333);
	assert_int_equal(gate_flood_burst_ns(10), 2000000000);
}

static void
entry_of_the_policy_map(void **state UNUSED)
{
	struct msg_gate_set m = {
	    .net = 255,
	    .mac_policy = MAC_POLICY_LEARN,
	    .learn = 4096,
	    .flags = GATE_FLAGS_ALL,
	    .ip = {0x0a000880},
	    .flood = 10000,
	    .rate_in_kbit = 1000,
	    .rate_out_kbit = 2000,
	    .memo = {.len = 3, .b = {1, 2, 3}},
	    .dhcp_rate = 200,
	    .dhcp_leases = 16,
	    .dhcp_server = {0x0a0008fe},
	    .dhcp_broadcast = {0x0a0008ff},
	};
	struct gate_policy p;

	memset(&p, 0xff, sizeof(p));
	gate_rule_policy(&p, &m, 42, 43, 7);
	assert_int_equal(p.ifindex, 42);
	assert_int_equal(p.net, 255);
	assert_int_equal(p.mac_policy, MAC_POLICY_LEARN);
	assert_int_equal(p.learn, 4096);
	assert_int_equal(p.flags, GATE_FLAGS_ALL | GATE_REQUESTS);
	assert_int_equal(p.span, 7);
	assert_int_equal(p.ip, ip4_be(m.ip));
	assert_int_equal(p.flood_ns, 100000);
	assert_int_equal(p.in_ns, 8192000);
	assert_int_equal(p.out_ns, 4096000);
	assert_int_equal(p.dhcp_ns, 5000000);
	assert_int_equal(p.dhcp_burst_ns, 1000000000);
	assert_int_equal(p.dhcp_stamp, 0xf02b0010);
	assert_int_equal(p.dhcp_server, ip4_be(m.dhcp_server));
	assert_int_equal(p.dhcp_broadcast, ip4_be(m.dhcp_broadcast));
	assert_int_equal(p.capture, 0);
	assert_memory_equal(p.memo, ((uint8_t[GATE_MEMO_MAX]){1, 2, 3}), GATE_MEMO_MAX);

	/* What does not count is not kept: equal gates are equal memory. */
	m.mac_policy = MAC_POLICY_STICKY;
	m.flags = 0;
	m.dhcp_rate = m.dhcp_leases = 0;
	m.dhcp_server.h = m.dhcp_broadcast.h = 0;
	gate_rule_policy(&p, &m, 42, 42, 0);
	assert_int_equal(p.learn, 0);
	assert_int_equal(p.ip, 0);
	assert_int_equal(p.flags, 0);
	assert_int_equal(p.dhcp_ns, 0);
	assert_int_equal(p.dhcp_stamp, 0);
	assert_int_equal(p.dhcp_server, 0);
}

/* Either of the two is reason enough to look for them. */
static void
messages_to_dhcp_servers(void **state UNUSED)
{
	struct msg_gate_set m = {.dhcp_rate = 1};
	struct gate_policy p;

	gate_rule_policy(&p, &m, 42, 42, 0);
	assert_int_equal(p.flags, GATE_REQUESTS);
	assert_int_equal(p.dhcp_stamp, 0);
	/* Twenty at once also when the rate is low. */
	assert_int_equal(p.dhcp_burst_ns, 20000000000);
	assert_int_equal(p.dhcp_server, 0);
	m = (struct msg_gate_set){.dhcp_server = {0x0a0008fe}, .dhcp_broadcast = {0x0a0008ff}};
	gate_rule_policy(&p, &m, 42, 42, 0);
	assert_int_equal(p.flags, GATE_REQUESTS);
	assert_int_equal(p.dhcp_stamp, 0);
	assert_int_equal(p.dhcp_server, ip4_be(m.dhcp_server));
	m.dhcp_leases = 65535;
	gate_rule_policy(&p, &m, 42, GATE_SLOTS - 1, 0);
	assert_int_equal(p.flags, GATE_REQUESTS);
	assert_int_equal(p.dhcp_ns, 0);
	assert_true(DHCP_STAMP_IS(p.dhcp_stamp));
	assert_int_equal(DHCP_STAMP_SLOT(p.dhcp_stamp), GATE_SLOTS - 1);
	assert_int_equal(DHCP_STAMP_LEASES(p.dhcp_stamp), 65535);
	assert_false(p.dhcp_stamp & DHCP_STAMP_GUARD);
	/* With ip-guard the server has to know, also where there is no limit. */
	m.flags = GATE_IP;
	m.dhcp_leases = 0;
	gate_rule_policy(&p, &m, 42, GATE_SLOTS - 1, 0);
	assert_true(DHCP_STAMP_IS(p.dhcp_stamp));
	assert_int_equal(DHCP_STAMP_SLOT(p.dhcp_stamp), GATE_SLOTS - 1);
	assert_int_equal(DHCP_STAMP_LEASES(p.dhcp_stamp), 0);
	assert_true(p.dhcp_stamp & DHCP_STAMP_GUARD);
}

static void
egress_is_watched_for_a_rate_and_for_a_mirror_only(void **state UNUSED)
{
	struct gate_policy p = {.out_ns = 1, .flood_ns = 1};

	assert_false(gate_rule_watches_egress(&p));
	p.span = 3;
	assert_true(gate_rule_watches_egress(&p));
	p = (struct gate_policy){.in_ns = 1};
	assert_true(gate_rule_watches_egress(&p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_a_number_with_the_first_byte_lowest),
	    cmocka_unit_test(rates_in_nanoseconds),
	    cmocka_unit_test(limits_of_broadcasts),
	    cmocka_unit_test(entry_of_the_policy_map),
	    cmocka_unit_test(messages_to_dhcp_servers),
	    cmocka_unit_test(egress_is_watched_for_a_rate_and_for_a_mirror_only),
	};

	return T_RUN(tests);
}
