/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_test.c - what golden cases cannot show: limits, memory, the model's plain values.
 */
#include "t.h"

#include "conf/change.h"
#include "conf/vnetdconf.h"

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
	assert_true(d->unknown_clients && d->authoritative && d->ping_check);
	assert_int_equal(d->ping_timeout_s, CONF_PING_TIMEOUT_DEFAULT);
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
	assert_int_equal(d.n, d.count[DIAG_NOTICE]);
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
	    {"port fc0", "mirror-of", "#a"},
	    {"port fc0", "mirror-of", "a\nlink = down"},
	    {"port fc0", "mirror-of", "a # b"},
	    {"port fc0", "rate-in", "1k\nlink = down"},
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

static void
assert_gate(const struct conf_gate *g, int promiscuous, int forged, int learning, int ip_guard,
	    int flood)
{
	assert_int_equal(g->promiscuous, promiscuous);
	assert_int_equal(g->forged, forged);
	assert_int_equal(g->mac_learning, learning);
	assert_int_equal(g->ip_guard, ip_guard);
	assert_int_equal(g->flood, flood);
}

static void
assert_dhcp_limits(const struct conf_gate *g, int leases, int rate)
{
	assert_int_equal(g->dhcp_leases, leases);
	assert_int_equal(g->dhcp_rate, rate);
}

/* Zero has a meaning for each of these: what a section does not say must not look like it. */
static void
what_is_not_said_is_not_zero(void **state UNUSED)
{
	struct conf *c = t_build("answer VNET_8_VIRTUAL_ADAPTER no\n", "[vmnet8]\n[port p0]\n"
								       "[port 2:0:0:0:0:1]\n");

	for (unsigned n = 0; n < CONF_NETS; n++) {
		assert_gate(&c->net[n].gate, -1, -1, -1, -1, -1);
		assert_dhcp_limits(&c->net[n].gate, -1, -1);
	}
	assert_int_equal(c->nports, 2);
	for (size_t i = 0; i < c->nports; i++) {
		const struct conf_port *p = &c->port[i];

		assert_gate(&p->gate, -1, -1, -1, -1, -1);
		assert_dhcp_limits(&p->gate, -1, -1);
		assert_false(p->tap);
		assert_int_equal(p->net, -1);
		assert_null(p->owner);
		assert_true(mac_is_zero(p->mac));
		assert_int_equal(p->queues, 1);
		assert_int_equal(p->mac_policy, -1);
		assert_int_equal(p->dhcp_server, -1);
		assert_int_equal(p->ra, -1);
		assert_int_equal(p->link, -1);
		assert_int_equal(p->rate_in_kbit, -1);
		assert_int_equal(p->rate_out_kbit, -1);
		assert_null(p->mirror_of);
	}
	assert_string_equal(c->port[0].name, "p0");
	assert_null(c->port[1].name);
	assert_int_equal(c->port[1].key.b[5], 1);
	conf_free(c);
	c = t_build("", NULL);
	for (unsigned n = 0; n < CONF_NETS; n++)
		assert_gate(&c->net[n].gate, -1, -1, -1, -1, -1);
	conf_free(c);
}

static const char every_key[] = "[vmnet8]\n"
				"promiscuous = allow\nforged-transmits = allow\n"
				"mac-learning = 4096\nip-guard = yes\nbroadcast-limit = 1000000\n"
				"dhcp-leases-per-port = 65535\n"
				"dhcp-rate-per-port = 1000000\n"
				"[vmnet0]\n"
				"promiscuous = deny\nforged-transmits = deny\n"
				"mac-learning = 0\nip-guard = no\nbroadcast-limit = 0\n"
				"dhcp-leases-per-port = Unlimited\n"
				"dhcp-rate-per-port = unlimited\n"
				"[port p0]\n"
				"mac-policy = any\npromiscuous = ask\nforged-transmits = allow\n"
				"mac-learning = 3\ndhcp-server = allow\nra = allow\n"
				"ip-guard = yes\nbroadcast-limit = 7\nrate-in = 10M\n"
				"rate-out = 4294967295k\nlink = up\nmirror-of = p1\n"
				"[port p1]\n"
				"mac = 2:0:0:0:0:1\nmac-policy = sticky\ndhcp-server = deny\n"
				"ra = deny\nrate-in = 0\nrate-out = none\nlink = down\n"
				"[port p2]\nmac = 2:0:0:0:0:2\n"
				"[port 2:0:0:0:0:3]\nmac-policy = given\n"
				"[port p4]\ntap = yes\nnetwork = vmnet8\nmac = 2:0:0:0:0:4\n";

static void
keys_of_the_gate_reach_the_model(void **state UNUSED)
{
	struct conf *c = t_build("answer VNET_8_VIRTUAL_ADAPTER no\n", every_key);
	const struct conf_port *p = c->port;

	assert_gate(&c->net[8].gate, CONF_PROMISC_ALLOW, 1, 4096, 1, 1000000);
	assert_dhcp_limits(&c->net[8].gate, 65535, 1000000);
	assert_gate(&c->net[0].gate, CONF_PROMISC_DENY, 0, 0, 0, 0);
	assert_dhcp_limits(&c->net[0].gate, 0, 0);
	assert_int_equal(c->nports, 5);
	assert_gate(&p->gate, CONF_PROMISC_ASK, 1, 3, 1, 7);
	assert_int_equal(p->mac_policy, MAC_POLICY_ANY);
	assert_true(p->dhcp_server == 1 && p->ra == 1 && p->link == 1);
	assert_int_equal(p->rate_in_kbit, 10000);
	assert_int_equal(p->rate_out_kbit, UINT32_MAX);
	assert_string_equal(p->mirror_of, "p1");
	p++;
	assert_int_equal(p->mac_policy, MAC_POLICY_STICKY);
	assert_int_equal(p->mac.b[5], 1);
	assert_true(p->dhcp_server == 0 && p->ra == 0 && p->link == 0);
	assert_true(p->rate_in_kbit == 0 && p->rate_out_kbit == 0);
	p++;
	assert_int_equal(p->mac_policy, MAC_POLICY_GIVEN);
	p++;
	assert_null(p->name);
	assert_int_equal(p->mac_policy, MAC_POLICY_GIVEN);
	assert_true(mac_eq(p->mac, p->key));
	p++;
	assert_true(p->tap);
	assert_int_equal(p->net, 8);
	assert_int_equal(p->mac_policy, MAC_POLICY_GIVEN);
	conf_free(c);
}

static void
the_effective_configuration_reads_back_the_same(void **state UNUSED)
{
	static const char networking[] = "answer VNET_8_VIRTUAL_ADAPTER no\n";
	struct conf *a = t_build(networking, every_key), *b;
	struct conf_diff d;
	struct strbuf out;

	strbuf_init(&out);
	vnetdconf_print_effective(&out, a);
	b = t_build(networking, strbuf_str(&out));
	assert_false(b->fatal);
	conf_diff(a, b, &d);
	assert_int_equal(d.nnets, 0);
	assert_false(d.global || d.ports || d.subjects);
	conf_free(a);
	conf_free(b);
	strbuf_fini(&out);
}

/* The caller's words for "no longer", and a MAC address in any spelling. */
static void
a_port_s_key_is_found_and_taken_away(void **state UNUSED)
{
	static const char *const defaults[] = {NULL, "", "default", "DEFAULT"};
	static const char *const macs[] = {"port 02:00:00:00:00:ab", "port 2-0-0-0-0-AB",
					   "port 02:00:00:00:00:Ab"};
	static const char text[] = "[port 2-0-0-0-0-Ab]\nlink = down\nra = allow\n";
	struct conf_sources src = {.networking = t_file("VERSION=1,0\n"), .vnetd = t_file(text)};
	struct conf_sources none = {.networking = t_file("VERSION=1,0\n")};
	struct conf_changes ch;
	struct diags d;

	conf_changes_init(&ch);
	diags_init(&d);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		for (size_t m = 0; m < ARRAY_LEN(macs); m++) {
			assert_true(conf_set(&ch, &src, macs[m], "link", defaults[i], &d));
			assert_int_equal(ch.n, 1);
			assert_string_equal(ch.v[0].text, "[port 2-0-0-0-0-Ab]\nra = allow\n");
			conf_changes_fini(&ch);
		}
		assert_true(conf_set(&ch, &none, macs[1], "link", defaults[i], &d));
		assert_true(conf_set_net(&ch, &none, 0, "promiscuous", defaults[i], NULL, &d));
		assert_int_equal(ch.n, 0); /* no file is made to say nothing */
	}
	assert_true(conf_set(&ch, &none, macs[1], "link", "Down", &d));
	assert_int_equal(ch.n, 1);
	assert_string_equal(ch.v[0].text, "[port 02:00:00:00:00:ab]\nlink = down\n");
	assert_int_equal(d.n, 0);
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
	    cmocka_unit_test(what_is_not_said_is_not_zero),
	    cmocka_unit_test(keys_of_the_gate_reach_the_model),
	    cmocka_unit_test(the_effective_configuration_reads_back_the_same),
	    cmocka_unit_test(a_port_s_key_is_found_and_taken_away),
	};

	return T_RUN(tests);
}
