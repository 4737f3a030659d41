/* SPDX-License-Identifier: GPL-2.0-or-later
 * defaults_test.c - subnets are picked at random and never clash; the first files make a good
 * model.
 */
#include "t.h"

#include "conf/defaults.h"

static void
even_networks_get_172_16_odd_ones_192_168(void **state UNUSED)
{
	for (uint64_t r = 0; r < 1000; r++) {
		struct conf_env env = {.random = r * 0x123456789abcdefu};
		struct prefix4 p;

		assert_true(conf_pick_subnet(&p, 8, &env));
		assert_int_equal(p.len, 24);
		assert_int_equal(p.addr.h >> 16, 0xac10);
		assert_true((p.addr.h >> 8 & 255) >= 2);
		assert_int_equal(p.addr.h & 255, 0);
		assert_true(conf_pick_subnet(&p, 1, &env));
		assert_int_equal(p.addr.h >> 16, 0xc0a8);
	}
}

static void
choices_spread_and_repeat_with_the_same_bits(void **state UNUSED)
{
	bool seen[256] = {false};
	unsigned n = 0;

	for (uint64_t r = 0; r < 4000; r++) {
		struct conf_env env = {.random = r};
		struct prefix4 p, again;

		assert_true(conf_pick_subnet(&p, 8, &env));
		assert_true(conf_pick_subnet(&again, 8, &env));
		assert_true(prefix4_eq(p, again));
		n += !seen[p.addr.h >> 8 & 255];
		seen[p.addr.h >> 8 & 255] = true;
	}
	assert_int_equal(n, 254);
}

static void
nothing_in_use_is_chosen(void **state UNUSED)
{
	/* All of 172.16/16, 192.168/16 but one, a default route, its halves. */
	static const struct prefix4 used[] = {
	    {{0}, 0},           {{0}, 1},           {{0x80000000}, 1},  {{0xac100000}, 12},
	    {{0xc0a80000}, 17}, {{0xc0a8c000}, 18}, {{0xc0a88000}, 19}, {{0xc0a8a005}, 32},
	    {{0xc0a8a100}, 24}, {{0xc0a8a200}, 23}, {{0xc0a8a400}, 22}, {{0xc0a8a800}, 21},
	    {{0xc0a8b000}, 21}, {{0xc0a8b801}, 32}, {{0xc0a8ba00}, 23}, {{0xc0a8bc00}, 22},
	};
	struct prefix4 all[ARRAY_LEN(used) + 2], p;
	struct conf_env env = {.used = used, .nused = ARRAY_LEN(used)};

	/* Left are 192.168.185.0/24 alone, then 10/8, then nothing. */
	for (uint64_t r = 0; r < 300; r++) {
		env.random = r;
		assert_true(conf_pick_subnet(&p, r % 2 ? 1 : 8, &env));
		assert_string_equal(PREFIX4_STR(p), "192.168.185.0/24");
	}
	memcpy(all, used, sizeof(used));
	all[ARRAY_LEN(used)] = t_prefix("192.168.185.77/32");
	env.used = all;
	env.nused = ARRAY_LEN(used) + 1;
	assert_true(conf_pick_subnet(&p, 8, &env));
	assert_int_equal(p.addr.h >> 24, 10);
	all[ARRAY_LEN(used) + 1] = t_prefix("10.0.0.0/8");
	env.nused++;
	assert_false(conf_pick_subnet(&p, 8, &env));
}

static void
no_room_is_an_error_with_a_cure(void **state UNUSED)
{
	static const struct prefix4 used[] = {
	    {{0xac100000}, 12}, {{0xc0a80000}, 16}, {{0x0a000000}, 8}};
	struct conf_env env = {.used = used, .nused = ARRAY_LEN(used)};
	struct conf_sources src = {0};
	struct conf_changes ch;
	struct diags d;

	conf_changes_init(&ch);
	diags_init(&d);
	assert_false(conf_defaults(&ch, &src, &env, &d));
	assert_int_equal(ch.n, 0);
	assert_int_equal(d.count[DIAG_ERROR], 1);
	conf_changes_fini(&ch);
	diags_fini(&d);
}

static void
the_first_files_make_three_networks(void **state UNUSED)
{
	static const char user[] = "host db { hardware ethernet 2:0:0:0:0:1; }\n";
	struct conf_env env = {.random = 99, .written_at = "11/20/2026 12:00:00"};
	struct conf_sources src = {0};
	struct conf_changes ch;
	struct diags d;
	struct conf *c;

	/* What a user had in dhcpd.conf and vnetd.conf before survives. */
	src.dhcpd[8] = t_file(user);
	src.vnetd = t_file("[global]\nlog-level = err\n");
	conf_changes_init(&ch);
	diags_init(&d);
	assert_true(conf_defaults(&ch, &src, &env, &d));
	assert_int_equal(ch.v[ch.n - 1].file, CONF_FILE_NETWORKING);
	for (size_t i = 0; i < ch.n; i++)
		assert_int_not_equal(ch.v[i].file, CONF_FILE_VNETD);
	conf_changes_apply(&src, &ch);
	assert_non_null(strstr(src.dhcpd[8].text, user));
	c = conf_build(&src, &d);
	assert_int_equal(d.n, d.count[DIAG_NOTICE]);
	assert_false(c->fatal || c->default_conf_needed);
	assert_int_equal(c->net[0].type, NET_BRIDGED);
	assert_true(c->net[0].auto_uplink);
	assert_int_equal(c->net[1].type, NET_HOSTONLY);
	assert_int_equal(c->net[8].type, NET_NAT);
	assert_false(c->net[1].dhcpd_stale || c->net[8].dhcpd_stale || c->net[8].nat_stale);
	assert_true(c->net[1].dhcp && c->net[8].dhcp);
	assert_int_equal(c->net[8].dhcpd.nranges, 1);
	assert_int_equal(c->net[8].dhcpd.range[0].hi.h & 255, 253);
	assert_int_equal(c->log_level, CONF_LOG_ERR);
	conf_free(c);
	conf_changes_fini(&ch);
	diags_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(even_networks_get_172_16_odd_ones_192_168),
	    cmocka_unit_test(choices_spread_and_repeat_with_the_same_bits),
	    cmocka_unit_test(nothing_in_use_is_chosen),
	    cmocka_unit_test(no_room_is_an_error_with_a_cure),
	    cmocka_unit_test(the_first_files_make_three_networks),
	};

	return T_RUN(tests);
}
