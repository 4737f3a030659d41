/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpconf_test.c - option bytes, scopes, the generated section byte for byte, splicing.
 */
#include "t.h"

#include "conf/dhcpconf.h"

struct fixture {
	struct dhcp_file f;
	struct arena a;
	struct diags d;
};

static void
parse(struct fixture *t, const char *text)
{
	arena_init(&t->a);
	diags_init(&t->d);
	dhcpconf_parse(&t->f, &t->a, "dhcpd.conf", text, strlen(text), &t->d);
}

static void
fini(struct fixture *t)
{
	arena_fini(&t->a);
	diags_fini(&t->d);
}

static void
options_are_encoded_for_the_wire(void **state UNUSED)
{
	static const struct {
		const char *name, *operands;
		uint8_t code;
		const char *bytes;
		size_t len;
	} rows[] = {
	    {"routers", "192.0.2.1", 3, "\xc0\x00\x02\x01", 4},
	    {"domain-name-servers", "192.0.2.1, 192.0.2.2", 6, "\xc0\x00\x02\x01\xc0\x00\x02\x02",
	     8},
	    {"domain-name", "localdomain", 15, "localdomain", 11},
	    {"domain-name", "\"\"", 15, "", 0},
	    {"host-name", "\"a\\\"b\\101\\\\\"", 12, "a\"bA\\", 5},
	    {"host-name", "\"\\t\\n\\x41\\x4g\\xg\\q\"", 12, "\t\nA\x04gxgq", 8},
	    {"time-offset", "-3600", 2, "\xff\xff\xf1\xf0", 4},
	    {"interface-mtu", "1500", 26, "\x05\xdc", 2},
	    {"default-ip-ttl", "64", 23, "\x40", 1},
	    {"ip-forwarding", "on", 19, "\x01", 1},
	    {"static-routes", "10.0.0.0 192.0.2.1", 33, "\x0a\0\0\0\xc0\0\x02\x01", 8},
	    {"path-mtu-plateau-table", "68, 1500", 25, "\0\x44\x05\xdc", 4},
	    {"rfc3442-classless-static-routes", "8, 10, 192,0,2,1", 121, "\x08\x0a\xc0\0\x02\x01",
	     6},
	    {"domain-search", "\"a.example\"", 119,
	     "\x01"
	     "a\x07"
	     "example",
	     11},
	    {"vendor-encapsulated-options", "1:2:FF", 43, "\x01\x02\xff", 3},
	    {"option-224", "de:ad", 224, "\xde\xad", 2},
	    {"OPTION-225", "\"text\"", 225, "text", 4},
	};
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dhcp_opt o;

		assert_true(dhcp_opt_encode(&o, &a, rows[i].name, rows[i].operands,
					    (struct conf_pos){0}, &d));
		assert_int_equal(o.code, rows[i].code);
		assert_int_equal(o.len, rows[i].len);
		assert_memory_equal(o.data, rows[i].bytes, rows[i].len);
	}
	assert_int_equal(d.n, 0);
	diags_fini(&d);
	arena_fini(&a);
}

static void
unfit_operands_are_refused(void **state UNUSED)
{
	static const char *const rows[][2] = {
	    {"routers", "192.0.2"},
	    {"routers", "192.0.2.1 192.0.2.2"},
	    {"routers", ""},
	    {"routers", "192.0.2.1,"},
	    {"interface-mtu", "65536"},
	    {"interface-mtu", "-1"},
	    {"time-offset", "2147483648"},
	    {"ip-forwarding", "perhaps"},
	    {"static-routes", "10.0.0.0"},
	    {"domain-search", "\"a..b\""},
	    {"domain-search", "\"a b\""},
	    {"option-224", "1:2:"},
	    {"option-224", "123"},
	    {"option-255", "1"},
	    {"option-0", "1"},
	    {"rooters", "192.0.2.1"},
	    {"domain-name", "\"open"},
	    {"domain-name", "a; b"},
	};
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dhcp_opt o;
		size_t before = d.count[DIAG_ERROR];

		dhcp_opt_encode(&o, &a, rows[i][0], rows[i][1], (struct conf_pos){0}, &d);
		assert_true(d.count[DIAG_ERROR] > before);
	}
	diags_fini(&d);
	arena_fini(&a);
}

static void
every_named_option_prints_what_it_reads(void **state UNUSED)
{
	struct fixture t, u;
	struct strbuf b, text;

	/* Eight octets fit every type but the single ones, which take what they need. */
	for (unsigned code = 1; code < 255; code++) {
		static const uint8_t zeros[8] = {0};
		static const size_t lens[] = {1, 2, 4, 8};

		for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
			struct dhcp_opt o = {
			    .code = (uint8_t)code, .len = (uint16_t)lens[i], .data = zeros};
			const struct dhcp_opt *back;

			strbuf_init(&b);
			dhcp_opt_print(&b, &o);
			parse(&t, strbuf_str(&b));
			back = dhcp_opts_find(&t.f.global.opts, (uint8_t)code);
			if (t.d.count[DIAG_WARNING]) {
				assert_null(back); /* the protocol's own */
			} else if (t.d.count[DIAG_ERROR] == 0) {
				assert_non_null(back);
				strbuf_init(&text);
				dhcp_opt_print(&text, back);
				assert_string_equal(strbuf_str(&text), strbuf_str(&b));
				strbuf_fini(&text);
			}
			fini(&t);
			strbuf_fini(&b);
		}
	}
	parse(&u, "option routers 192.0.2.1;");
	assert_string_equal(dhcp_opt_name(u.f.global.opts.v[0].code), "routers");
	assert_null(dhcp_opt_name(224));
	fini(&u);
}

static void
inner_settings_hide_outer_ones(void **state UNUSED)
{
	struct fixture t;
	const struct dhcp_host *h;

	parse(&t, "group { option domain-name \"group\"; max-lease-time 100; filename \"f\";\n"
		  "host a { hardware ethernet 2:0:0:0:0:1; option domain-name \"a\"; }\n"
		  "group { host b { hardware ethernet 2:0:0:0:0:2; } max-lease-time 50; } }\n");
	assert_int_equal(t.d.n, 0);
	assert_int_equal(t.f.nhosts, 2);
	h = &t.f.host[0];
	assert_memory_equal(dhcp_opts_find(&h->scope.opts, 15)->data, "a", 1);
	assert_int_equal(h->scope.max_lease_s, 100);
	assert_string_equal(h->scope.filename, "f");
	h = &t.f.host[1];
	assert_memory_equal(dhcp_opts_find(&h->scope.opts, 15)->data, "group", 5);
	assert_int_equal(h->scope.max_lease_s, 50);
	assert_int_equal(t.f.global.opts.n, 0);
	fini(&t);
}

static void
blocks_nested_too_deep_are_an_error_not_a_crash(void **state UNUSED)
{
	struct fixture t;
	struct strbuf b;

	strbuf_init(&b);
	for (int i = 0; i < 10000; i++)
		strbuf_add(&b, "group { ");
	parse(&t, strbuf_str(&b));
	assert_true(t.d.count[DIAG_ERROR] > 0);
	fini(&t);
	strbuf_fini(&b);
}

static void
a_long_option_is_refused(void **state UNUSED)
{
	struct fixture t;
	struct strbuf b;

	strbuf_init(&b);
	strbuf_add(&b, "option domain-name \"");
	for (int i = 0; i < 5000; i++)
		strbuf_addc(&b, 'a');
	strbuf_add(&b, "\";");
	parse(&t, strbuf_str(&b));
	assert_int_equal(t.d.count[DIAG_ERROR], 1);
	assert_int_equal(t.f.global.opts.n, 0);
	fini(&t);
	strbuf_fini(&b);
}

static const struct dhcp_gen nat = {
    .net = 8,
    .subnet = {{0xc0a84700}, 24},
    .host = {0xc0a84701},
    .gateway = {0xc0a84702},
    .lo = {0xc0a84780},
    .hi = {0xc0a847fe},
    .written_at = "11/20/2026 12:00:00",
};

static void
the_section_is_vmwares(void **state UNUSED)
{
	struct strbuf b;

	strbuf_init(&b);
	dhcpconf_gen_section(&b, &nat);
	assert_string_equal(
	    strstr(strbuf_str(&b), "allow "),
	    "allow unknown-clients;\n"
	    "default-lease-time 1800;                # default is 30 minutes\n"
	    "max-lease-time 7200;                    # default is 2 hours\n"
	    "\n"
	    "subnet 192.168.71.0 netmask 255.255.255.0 {\n"
	    "\trange 192.168.71.128 192.168.71.254;\n"
	    "\toption broadcast-address 192.168.71.255;\n"
	    "\toption domain-name-servers 192.168.71.2;\n"
	    "\toption domain-name localdomain;\n"
	    "\tdefault-lease-time 1800;                # default is 30 minutes\n"
	    "\tmax-lease-time 7200;                    # default is 2 hours\n"
	    "\toption netbios-name-servers 192.168.71.2;\n"
	    "\toption routers 192.168.71.2;\n"
	    "}\n"
	    "host vmnet8 {\n"
	    "\thardware ethernet 00:50:56:C0:00:08;\n"
	    "\tfixed-address 192.168.71.1;\n"
	    "\toption domain-name-servers 0.0.0.0;\n"
	    "\toption domain-name \"\";\n"
	    "\toption routers 0.0.0.0;\n"
	    "}\n"
	    "####### VMNET DHCP Configuration. End of \"DO NOT MODIFY SECTION\" #######\n");
	assert_memory_equal(
	    strbuf_str(&b),
	    "###### VMNET DHCP Configuration. Start of \"DO NOT MODIFY SECTION\" #####\n", 72);
	assert_non_null(strstr(strbuf_str(&b), "\n# Written at: 11/20/2026 12:00:00\n"));
	strbuf_fini(&b);
}

static void
splicing_keeps_what_is_outside(void **state UNUSED)
{
	static const char before[] = "# mine\r\nhost a { }\n", after[] = "tail without line end";
	struct dhcp_gen other = nat;
	struct strbuf sec, one, two, want;

	strbuf_init(&sec);
	strbuf_init(&one);
	strbuf_init(&two);
	strbuf_init(&want);
	dhcpconf_gen_section(&sec, &nat);
	strbuf_addf(&one, "%s%s%s", before, strbuf_str(&sec), after);
	other.subnet = (struct prefix4){{0x0a000000}, 8};
	other.host.h = 0;
	other.gateway.h = 0;
	dhcpconf_splice(&two, strbuf_str(&one), one.len, &other);
	strbuf_fini(&sec);
	dhcpconf_gen_section(&sec, &other);
	strbuf_addf(&want, "%s%s%s", before, strbuf_str(&sec), after);
	assert_string_equal(strbuf_str(&two), strbuf_str(&want));
	strbuf_fini(&two);
	strbuf_fini(&want);
	dhcpconf_splice(&two, after, strlen(after), &other);
	strbuf_addf(&want, "%s%s", strbuf_str(&sec), after);
	assert_string_equal(strbuf_str(&two), strbuf_str(&want));
	strbuf_fini(&sec);
	strbuf_fini(&one);
	strbuf_fini(&two);
	strbuf_fini(&want);
}

static void
host_blocks_know_their_bytes(void **state UNUSED)
{
	static const char text[] = "# x\nhost a { hardware ethernet 2:0:0:0:0:1; }  host b {\n"
				   "hardware ethernet 2:0:0:0:0:2; }";
	struct fixture t;

	parse(&t, text);
	assert_int_equal(t.f.nhosts, 2);
	assert_memory_equal(text + t.f.host[0].start, "host a", 6);
	assert_int_equal(text[t.f.host[0].end - 1], '}');
	assert_memory_equal(text + t.f.host[1].start, "host b", 6);
	assert_int_equal(t.f.host[1].end, sizeof(text) - 1);
	fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_are_encoded_for_the_wire),
	    cmocka_unit_test(unfit_operands_are_refused),
	    cmocka_unit_test(every_named_option_prints_what_it_reads),
	    cmocka_unit_test(inner_settings_hide_outer_ones),
	    cmocka_unit_test(blocks_nested_too_deep_are_an_error_not_a_crash),
	    cmocka_unit_test(a_long_option_is_refused),
	    cmocka_unit_test(the_section_is_vmwares),
	    cmocka_unit_test(splicing_keeps_what_is_outside),
	    cmocka_unit_test(host_blocks_know_their_bytes),
	};

	return T_RUN(tests);
}
