/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_test.c - what golden cases cannot show: limits, memory, the model's plain values.
 */
#include "t.h"

#include "conf/change.h"

static void
nothing_at_all_asks_for_defaults(void **state UNUSED)
{
	struct conf_sources src = {0};
	struct diags d;
	struct conf *c;

	diags_init(&d);
	c = conf_build(&src, &d);
	assert_true(c->default_conf_needed);
	assert_false(c->fatal);
	assert_int_equal(d.n, 0);
	for (unsigned n = 0; n < CONF_NETS; n++)
		assert_false(c->net[n].present);
	conf_free(c);
	diags_fini(&d);
}

static void
files_that_are_too_long_are_refused(void **state UNUSED)
{
	char *big = malloc(CONF_FILE_MAX + 1);
	struct conf_sources src = {0};
	struct diags d;
	struct conf *c;

	memset(big, '#', CONF_FILE_MAX + 1);
	src.networking = t_file("VERSION=1,0\nanswer VNET_8_HOSTONLY_SUBNET 10.8.0.0\n"
				"answer VNET_8_DHCP yes\nanswer VNET_9_VIRTUAL_ADAPTER no\n");
	src.dhcpd[8] = (struct conf_file){big, CONF_FILE_MAX + 1};
	diags_init(&d);
	c = conf_build(&src, &d);
	assert_false(c->fatal);
	assert_true(c->net[8].failed);
	assert_non_null(strstr(c->net[8].reason, "vmnet8/dhcpd/dhcpd.conf: longer than"));
	assert_false(c->net[9].failed);
	conf_free(c);
	src.vnetd = src.dhcpd[8];
	c = conf_build(&src, &d);
	assert_true(c->fatal);
	conf_free(c);
	diags_fini(&d);
	free(big);
}

/* What the list of diagnostics held before must not make a network fail. */
static void
old_diagnostics_do_not_count(void **state UNUSED)
{
	struct conf_sources src = {.networking = t_file("VERSION=1,0\n")};
	struct diags d;
	struct conf *c;

	diags_init(&d);
	diag_error(&d, ((struct conf_pos){0}), "old");
	d.net = 0;
	diag_error(&d, ((struct conf_pos){0}), "old");
	c = conf_build(&src, &d);
	assert_false(c->fatal);
	assert_false(c->net[0].failed);
	assert_int_equal(d.n, 2);
	conf_free(c);
	diags_fini(&d);
}

static void
all_networks_at_once(void **state UNUSED)
{
	struct strbuf b;
	struct conf *c;

	strbuf_init(&b);
	for (unsigned n = 0; n < CONF_NETS; n++)
		strbuf_addf(&b,
			    "answer VNET_%u_HOSTONLY_SUBNET 10.0.%u.0\nanswer VNET_%u_DHCP yes\n"
			    "answer VNET_%u_NAT yes\nanswer VNET_%u_VIRTUAL_ADAPTER yes\n"
			    "add_nat_portfwd %u tcp %u 10.0.%u.5 22\n",
			    n, n, n, n, n, n, n + 1, n);
	c = t_build(strbuf_str(&b), NULL);
	for (unsigned n = 0; n < CONF_NETS; n++) {
		assert_true(c->net[n].present);
		assert_false(c->net[n].failed);
		assert_int_equal(c->net[n].type, NET_NAT);
		assert_int_equal(c->net[n].nforwards, 1);
		assert_int_equal(c->net[n].dhcpd.range[0].lo.h, 0x0a000080 | n << 8);
	}
	conf_free(c);
	strbuf_fini(&b);
}

static void
the_dhcp_server_gets_plain_values(void **state UNUSED)
{
	static const uint8_t mask[] = {255, 255, 255, 0}, mtu[] = {0x23, 0x28};
	struct conf *c = t_build("answer VNET_8_HOSTONLY_SUBNET 10.8.0.0\nanswer VNET_8_DHCP yes\n"
				 "answer VNET_8_NAT yes\nanswer VNET_8_MTU 9000\n"
				 "add_dhcp_mac_to_ip 8 0:c:29:1:2:3 10.8.0.7\n",
				 NULL);
	const struct conf_dhcp *d = &c->net[8].dhcpd;

	assert_true(ip4_eq(d->server, t_ip("10.8.0.254")));
	assert_int_equal(d->default_lease_s, 1800);
	assert_int_equal(d->max_lease_s, 7200);
	assert_true(d->unknown_clients && d->authoritative);
	assert_memory_equal(dhcp_opts_find(&d->subnet.opts, 1)->data, mask, 4);
	assert_memory_equal(dhcp_opts_find(&d->subnet.opts, 26)->data, mtu, 2);
	assert_int_equal(dhcp_opts_find(&d->subnet.opts, 26)->len, 2);
	for (size_t i = 1; i < d->subnet.opts.n; i++)
		assert_true(d->subnet.opts.v[i - 1].code < d->subnet.opts.v[i].code);
	assert_int_equal(d->nhosts, 1);
	assert_true(ip4_eq(d->host[0].ip, t_ip("10.8.0.7")));
	assert_null(d->host[0].name);
	assert_int_equal(d->host[0].pos.line, 6);
	conf_free(c);
}

static void
changes_end_with_networking_and_can_be_applied(void **state UNUSED)
{
	struct conf_sources src = {.networking = t_file("VERSION=1,0\n")};
	struct conf_env env = {.random = 5};
	struct conf_changes ch;
	struct diags d;
	struct conf *c;

	conf_changes_init(&ch);
	diags_init(&d);
	assert_true(conf_create_net(&ch, &src, 3, NET_NAT, (struct prefix4){0}, &env, &d));
	assert_int_equal(ch.n, 3);
	assert_int_equal(ch.v[2].file, CONF_FILE_NETWORKING);
	for (size_t i = 0; i < ch.n; i++)
		assert_int_equal(ch.v[i].len, strlen(ch.v[i].text));
	conf_changes_apply(&src, &ch);
	c = conf_build(&src, &d);
	assert_int_equal(d.n, 0);
	assert_int_equal(c->net[3].type, NET_NAT);
	conf_free(c);
	conf_changes_fini(&ch);
	diags_fini(&d);
}

/* A name or value with a line end must not become a section of its own. */
static void
values_cannot_smuggle_lines(void **state UNUSED)
{
	static const char evil[] = "vmnet8\n[user eve]\nchange = yes";
	static const struct {
		const char *section, *key, *value;
	} rows[] = {
	    {"user bob", "allow", evil},
	    {"user bob", "change", "yes\n[user eve]"},
	    {"user bob]\n[user eve", "change", "yes"},
	    {"user bob # x", "change", "yes"},
	    {"user ", "change", "yes"},
	    {"port fc0", "owner", "a\nb"},
	    {"port fc0", "owner", "#a"},
	    {"global\n[user eve]", "log-level", "info"},
	};
	struct conf_sources src = {.networking = t_file("VERSION=1,0\n")};
	struct conf_changes ch;
	struct diags d;

	conf_changes_init(&ch);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_false(conf_set(&ch, &src, rows[i].section, rows[i].key, rows[i].value, &d));
		assert_int_equal(ch.n, 0);
	}
	assert_true(
	    conf_set_net(&ch, &src, 0, "display-name", "a\nanswer VNET_0_MTU 68", NULL, &d));
	assert_int_equal(ch.n, 1);
	assert_string_equal(ch.v[0].text, "VERSION=1,0\nanswer VNET_0_DISPLAY_NAME a answer "
					  "VNET_0_MTU 68\n");
	conf_changes_fini(&ch);
	diags_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_at_all_asks_for_defaults),
	    cmocka_unit_test(files_that_are_too_long_are_refused),
	    cmocka_unit_test(old_diagnostics_do_not_count),
	    cmocka_unit_test(all_networks_at_once),
	    cmocka_unit_test(the_dhcp_server_gets_plain_values),
	    cmocka_unit_test(changes_end_with_networking_and_can_be_applied),
	    cmocka_unit_test(values_cannot_smuggle_lines),
	};

	return T_RUN(tests);
}
