/* SPDX-License-Identifier: GPL-2.0-or-later
 * diff_test.c - a reload learns exactly what changed.
 */
#include "t.h"

#include <stdio.h>

#define NET8                                                                                       \
	"answer VNET_8_DHCP yes\nanswer VNET_8_HOSTONLY_NETMASK 255.255.255.0\n"                   \
	"answer VNET_8_HOSTONLY_SUBNET 10.8.0.0\nanswer VNET_8_NAT yes\n"                          \
	"answer VNET_8_VIRTUAL_ADAPTER yes\n"

/* Fields of vmnet8 that differ when `more` is added; only vmnet8 may differ. */
static unsigned
fields(const char *more)
{
	struct conf *a = t_build(NET8, NULL), *b;
	struct conf_diff d;
	struct strbuf s;
	unsigned f;

	strbuf_init(&s);
	strbuf_addf(&s, "%s%s", NET8, more);
	b = t_build(strbuf_str(&s), NULL);
	conf_diff(a, b, &d);
	assert_false(d.global || d.ports || d.subjects);
	assert_true(d.nnets <= 1);
	if (d.nnets) {
		assert_int_equal(d.net[0].n, 8);
		assert_int_equal(d.net[0].kind, CONF_NET_CHANGED);
	}
	f = d.nnets ? d.net[0].fields : 0;
	conf_free(a);
	conf_free(b);
	strbuf_fini(&s);
	return f;
}

static void
what_changed_is_named(void **state UNUSED)
{
	assert_int_equal(fields("# a comment\n"), 0);
	assert_int_equal(fields("junk\n"), 0);
	assert_int_equal(fields("answer VNET_8_MTU 9000\n"), CONF_F_MTU | CONF_F_DHCP);
	assert_int_equal(fields("answer VNET_8_MTU 1500\n"), 0);
	assert_int_equal(fields("answer VNET_8_DISPLAY_NAME x\n"), CONF_F_NAME);
	assert_int_equal(fields("add_nat_portfwd 8 tcp 80 10.8.0.5 80\n"), CONF_F_FORWARDS);
	assert_int_equal(fields("answer VNET_8_NAT_PARAM_UDP_TIMEOUT 90\n"), CONF_F_NAT);
	assert_int_equal(fields("add_dhcp_mac_to_ip 8 0:0:0:0:0:1 10.8.0.5\n"), CONF_F_DHCP);
	assert_int_equal(fields("answer VNET_8_VIRTUAL_ADAPTER_ADDR 10.8.0.5\n"), CONF_F_ADDRESS);
	assert_int_equal(fields("answer VNET_8_DHCP no\n"),
			 CONF_F_TYPE | CONF_F_ADDRESS | CONF_F_DHCP);
	assert_int_equal(fields("answer VNET_8_HOSTONLY_SUBNET x\n"), CONF_F_FAILED);
	assert_int_equal(fields("add_bridge_mapping eth0 8\n") & CONF_F_UPLINK, CONF_F_UPLINK);
}

static struct conf *
with_nat_file(const char *text)
{
	struct conf_sources src = {.networking = t_file("VERSION=1,0\n" NET8),
				   .nat[8] = t_file(text)};
	struct diags d;
	struct conf *c;

	diags_init(&d);
	c = conf_build(&src, &d);
	assert_non_null(c);
	assert_int_equal(d.n, d.count[DIAG_NOTICE]);
	diags_fini(&d);
	return c;
}

static void
a_nat_file_that_we_wrote_changes_nothing(void **state UNUSED)
{
	struct conf *none = with_nat_file(NULL), *ours, *edited;
	struct strbuf fresh, other;
	struct conf_diff d;

	strbuf_init(&fresh);
	strbuf_init(&other);
	natconf_gen_file(&fresh, &(struct nat_gen){.net = 8,
						   .subnet = none->net[8].subnet,
						   .gateway = none->net[8].gateway,
						   .host = none->net[8].host,
						   .udp_timeout_s = none->net[8].udp_timeout_s});
	ours = with_nat_file(strbuf_str(&fresh));
	conf_diff(none, ours, &d);
	assert_int_equal(d.nnets, 0);
	natconf_set(&other, strbuf_str(&fresh), fresh.len, "udp", "timeout", "91");
	edited = with_nat_file(strbuf_str(&other));
	conf_diff(ours, edited, &d);
	assert_int_equal(d.nnets, 1);
	assert_int_equal(d.net[0].fields, CONF_F_NAT);
	conf_free(none);
	conf_free(ours);
	conf_free(edited);
	strbuf_fini(&fresh);
	strbuf_fini(&other);
}

static void
networks_come_and_go(void **state UNUSED)
{
	struct conf *a = t_build("", NULL), *b = t_build("answer VNET_2_VIRTUAL_ADAPTER no\n"
							 "answer VNL_DEFAULT_BRIDGE_VNET -1\n",
							 NULL);
	struct conf_diff d;

	conf_diff(a, b, &d);
	assert_int_equal(d.nnets, 2);
	assert_int_equal(d.net[0].n, 0);
	assert_int_equal(d.net[0].kind, CONF_NET_REMOVED);
	assert_int_equal(d.net[1].n, 2);
	assert_int_equal(d.net[1].kind, CONF_NET_ADDED);
	conf_diff(NULL, b, &d);
	assert_int_equal(d.nnets, 1);
	assert_true(d.global && d.ports && d.subjects);
	conf_diff(b, b, &d);
	assert_int_equal(d.nnets, 0);
	conf_free(a);
	conf_free(b);
}

static void
our_own_file_is_compared(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool global, ports, subjects;
	} rows[] = {
	    {"# nothing\n", false, false, false},
	    {"[global]\nforward-others = no\nlog-level = info\n", false, false, false},
	    {"[global]\nforward-others = yes\n", true, false, false},
	    {"[global]\nlog-level = debug\n", true, false, false},
	    {"[global]\nflowtable = yes\n", false, false, false},
	    {"[global]\nflowtable = no\n", true, false, false},
	    {"[port fc0]\ntap = yes\nnetwork = vmnet8\n", false, true, false},
	    {"[port fc0]\n", false, true, false},
	    {"[vmnet1]\npromiscuous = deny\n", false, false, false},
	    {"[user alice]\nchange = yes\n", false, false, true},
	    {"[group vnet]\nallow = all\n", false, false, false},
	    {"[group vnet]\nallow = vmnet8\n", false, false, true},
	};
	struct conf *a = t_build(NET8, NULL);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct conf *b = t_build(NET8, rows[i].text);
		struct conf_diff d;

		conf_diff(a, b, &d);
		assert_int_equal(d.nnets, 0);
		assert_int_equal(d.global, rows[i].global);
		assert_int_equal(d.ports, rows[i].ports);
		assert_int_equal(d.subjects, rows[i].subjects);
		conf_free(b);
	}
	conf_free(a);
}

/* Any key of the gate, alone, makes a difference. */
static void
each_key_of_a_network_s_gate_counts(void **state UNUSED)
{
	static const char *const keys[] = {"promiscuous = ask",
					   "forged-transmits = deny",
					   "mac-learning = 0",
					   "ip-guard = no",
					   "broadcast-limit = 0",
					   "dhcp-leases-per-port = 256",
					   "dhcp-rate-per-port = unlimited"};
	struct conf *a = t_build(NET8, "[vmnet8]\n");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char text[64];
		struct conf_diff d;
		struct conf *b;

		snprintf(text, sizeof(text), "[vmnet8]\n%s\n", keys[i]);
		b = t_build(NET8, text);
		conf_diff(a, b, &d);
		assert_false(d.global || d.ports || d.subjects);
		assert_int_equal(d.nnets, 1);
		assert_int_equal(d.net[0].n, 8);
		assert_int_equal(d.net[0].kind, CONF_NET_CHANGED);
		assert_int_equal(d.net[0].fields, CONF_F_GATE);
		conf_diff(b, b, &d);
		assert_int_equal(d.nnets, 0);
		conf_free(b);
	}
	conf_free(a);
}

static void
each_key_of_a_port_counts(void **state UNUSED)
{
	static const char *const keys[] = {
	    "mac = 52:54:00:12:34:57",
	    "mac-policy = any",
	    "promiscuous = ask",
	    "forged-transmits = deny",
	    "mac-learning = 0",
	    "dhcp-server = deny",
	    "ra = deny",
	    "ip-guard = no",
	    "broadcast-limit = 10000",
	    "dhcp-leases-per-port = unlimited",
	    "dhcp-rate-per-port = 200",
	    "rate-in = none",
	    "rate-out = 0",
	    "link = up",
	    "mirror-of = fc1",
	};
	struct conf *a = t_build(NET8, "[port fc0]\n");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char text[64];
		struct conf_diff d;
		struct conf *b;

		snprintf(text, sizeof(text), "[port fc0]\n%s\n", keys[i]);
		b = t_build(NET8, text);
		conf_diff(a, b, &d);
		assert_true(d.ports);
		assert_false(d.global || d.subjects);
		assert_int_equal(d.nnets, 0);
		conf_diff(b, b, &d);
		assert_false(d.ports);
		conf_free(b);
	}
	conf_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_changed_is_named),
	    cmocka_unit_test(a_nat_file_that_we_wrote_changes_nothing),
	    cmocka_unit_test(networks_come_and_go),
	    cmocka_unit_test(our_own_file_is_compared),
	    cmocka_unit_test(each_key_of_a_network_s_gate_counts),
	    cmocka_unit_test(each_key_of_a_port_counts),
	};

	return T_RUN(tests);
}
