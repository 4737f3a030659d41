/* SPDX-License-Identifier: GPL-2.0-or-later
 * natconf_test.c - the fresh nat.conf says what it was made from; edits keep the rest.
 */
#include "t.h"

static void
the_fresh_file_reads_back(void **state UNUSED)
{
	static const struct nat_gen g = {.net = 10,
					 .subnet = {{0xc0a80a00}, 24},
					 .gateway = {0xc0a80a02},
					 .host = {0xc0a80a01},
					 .udp_timeout_s = 45};
	struct nat_file f, def;
	struct strbuf b;
	struct diags d;
	struct arena a;

	strbuf_init(&b);
	diags_init(&d);
	arena_init(&a);
	natconf_gen_file(&b, &g);
	assert_memory_equal(strbuf_str(&b), "# VMware NAT configuration file\n", 32);
	assert_non_null(strstr(strbuf_str(&b), "\n[incomingtcp]\n"));
	assert_non_null(strstr(strbuf_str(&b), "\n[incomingudp]\n"));
	assert_non_null(strstr(strbuf_str(&b), "\n#8889 = 192.168.10.128:22\n"));
	assert_non_null(strstr(strbuf_str(&b), "\nnatIp6Prefix = fd15:4ba5:5a2b:100a::/64\n"));
	natconf_parse(&f, &a, "nat.conf", strbuf_str(&b), b.len, &d);
	/* Nothing but what becomes of keys that mean nothing here. */
	assert_int_equal(d.n, d.count[DIAG_NOTICE]);
	natconf_defaults(&def);
	assert_true(ip4_eq(f.ip, g.gateway));
	assert_true(ip4_eq(f.host_ip, g.host));
	assert_int_equal(f.ip_len, 24);
	assert_int_equal(f.udp_timeout_s, 45);
	assert_string_equal(f.device, "/dev/vmnet10");
	assert_int_equal(f.nforwards, 0);
	/* Apart from what it was made from, the written values are the defaults. */
	f.ip.h = f.host_ip.h = 0;
	f.ip_len = f.ip6_prefix_len = 0;
	memset(f.ip6_prefix, 0, sizeof(f.ip6_prefix));
	f.udp_timeout_s = def.udp_timeout_s;
	f.udp_timeout_set = false;
	f.device = NULL;
	assert_true(nat_settings_eq(&f, &def));
	arena_fini(&a);
	diags_fini(&d);
	strbuf_fini(&b);
}

static void
forwards_are_edited(void **state UNUSED)
{
	static const char text[] = "[incomingtcp]\n# mine\n80 = 10.0.0.1:80 # web\n\n[udp]\nx\n";
	static const struct conf_forward fw = {
	    .proto = CONF_TCP, .host_port = 80, .guest = {0x0a000002}, .guest_port = 81};
	static const struct conf_forward udp = {
	    .proto = CONF_UDP, .host_port = 80, .guest = {0x0a000002}, .guest_port = 81};
	struct strbuf b;

	strbuf_init(&b);
	natconf_set_forward(&b, text, sizeof(text) - 1, &fw);
	assert_string_equal(strbuf_str(&b),
			    "[incomingtcp]\n# mine\n80 = 10.0.0.2:81 # web\n\n[udp]\nx\n");
	strbuf_fini(&b);
	natconf_set_forward(&b, text, sizeof(text) - 1, &udp);
	assert_string_equal(strbuf_str(&b),
			    "[incomingtcp]\n# mine\n80 = 10.0.0.1:80 # web\n\n[udp]\n"
			    "x\n\n[incomingudp]\n80 = 10.0.0.2:81\n");
	strbuf_fini(&b);
	/* The section stays, although it is empty now: Vagrant wants to find it. */
	natconf_remove_forward(&b, text, sizeof(text) - 1,
			       &(struct conf_forward){.proto = CONF_TCP, .host_port = 80});
	assert_string_equal(strbuf_str(&b), "[incomingtcp]\n# mine\n\n[udp]\nx\n");
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_fresh_file_reads_back),
	    cmocka_unit_test(forwards_are_edited),
	};

	return T_RUN(tests);
}
