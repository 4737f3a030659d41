/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_test.c - from vnetd.conf and what is known of a port to its gate.
 */
#include "../conf/t.h"

#include <stdio.h>

#include "vnetd/gate.h"

#define MAC1                                                                                       \
	{                                                                                          \
		{                                                                                  \
			0x52, 0x54, 0, 0, 0, 1                                                     \
		}                                                                                  \
	}
#define MAC2                                                                                       \
	{                                                                                          \
		{                                                                                  \
			0x52, 0x54, 0, 0, 0, 2                                                     \
		}                                                                                  \
	}

static const struct mac mac1 = MAC1, mac2 = MAC2, nobody;

#define PORT(name, ifname, mac) (&(struct gate_port){name, ifname, mac, 1000})

/* --- sections --- */

/* Anybody may take a name that is not in use; what was meant for another user's guest is not his. */
static void
a_section_with_an_owner_is_for_his_ports_only(void **state UNUSED)
{
	struct conf *c = t_build("", "[port web]\nowner = 1000\npromiscuous = allow\n"
				     "[port 52:54:00:00:00:01]\nowner = nobody-we-know\n"
				     "dhcp-server = allow\n[port vmnet8p1]\nrate-in = 3k\n");
	const struct gate_port hers = {"web", "vmnet8p1", mac1, 1000},
			       his = {"web", "vmnet8p1", mac1, 1001},
			       unknown = {"web", "vmnet8p1", mac1, UINT32_MAX};
	const struct conf_port *s[GATE_SECTIONS_MAX];

	/* Names are the engine's to resolve. */
	for (size_t i = 0; i < c->nports; i++)
		if (c->port[i].owner && c->port[i].owner[0] == 'n')
			c->port[i].owner_uid = UINT32_MAX;
	assert_int_equal(gate_sections(s, c, &hers), 2);
	assert_int_equal(gate_conf(c, &hers).gate.promiscuous, CONF_PROMISC_ALLOW);
	assert_int_equal(gate_conf(c, &hers).rate_in_kbit, 3);
	assert_string_equal(gate_section(c, &hers)->name, "web");
	assert_int_equal(gate_sections(s, c, &his), 1);
	assert_int_equal(gate_conf(c, &his).gate.promiscuous, -1);
	assert_int_equal(gate_conf(c, &his).rate_in_kbit, 3);
	assert_string_equal(gate_section(c, &his)->name, "vmnet8p1");
	assert_int_equal(gate_sections(s, c, &unknown), 1);
	assert_int_equal(gate_conf(c, &unknown).dhcp_server, -1);
	conf_free(c);
}

static void
a_port_without_a_section_has_no_keys(void **state UNUSED)
{
	struct conf *c = t_build("", "[port other]\nmac = 52:54:00:00:00:01\nlink = down\n"
				     "[port 52:54:00:00:00:02]\nlink = down\n");
	const struct conf *const confs[] = {c, NULL};

	for (size_t i = 0; i < ARRAY_LEN(confs); i++) {
		/* The key mac of a section says what a port is to have, not which one it is. */
		struct conf_port p = gate_conf(confs[i], PORT("web", "vmnet8p1", mac1));

		assert_int_equal(p.gate.promiscuous, -1);
		assert_int_equal(p.gate.forged, -1);
		assert_int_equal(p.gate.mac_learning, -1);
		assert_int_equal(p.gate.ip_guard, -1);
		assert_int_equal(p.gate.flood, -1);
		assert_int_equal(p.mac_policy, -1);
		assert_int_equal(p.dhcp_server, -1);
		assert_int_equal(p.ra, -1);
		assert_int_equal(p.link, -1);
		assert_int_equal(p.rate_in_kbit, -1);
		assert_int_equal(p.rate_out_kbit, -1);
		assert_true(mac_is_zero(p.mac));
		assert_null(p.mirror_of);
		assert_null(gate_section(confs[i], PORT("web", "vmnet8p1", mac1)));
	}
	/* A port that has neither name nor address so far matches no section by that. */
	assert_null(gate_section(c, PORT("", "vmnet8p1", nobody)));
	conf_free(c);
}

static const char three[] = "[port web]\n"
			    "rate-in = 3k\nlink = up\nmirror-of = c\n"
			    "[port 52:54:00:00:00:01]\n"
			    "rate-in = 1k\nrate-out = 1k\nra = allow\nbroadcast-limit = 1\n"
			    "mac-policy = given\nmirror-of = a\n"
			    "[port vmnet8p1]\n"
			    "rate-in = 2k\nrate-out = 2k\nlink = down\npromiscuous = deny\n"
			    "mirror-of = b\n";

static void
sections_of_a_port_are_laid_over_each_other(void **state UNUSED)
{
	struct conf *c = t_build("", three);
	struct conf_port p = gate_conf(c, PORT("web", "vmnet8p1", mac1));

	assert_int_equal(c->nports, 3);
	assert_int_equal(p.rate_in_kbit, 3);                     /* name */
	assert_int_equal(p.link, 1);                             /* name over interface */
	assert_string_equal(p.mirror_of, "c");                   /* name over both */
	assert_int_equal(p.rate_out_kbit, 2);                    /* interface over MAC */
	assert_int_equal(p.gate.promiscuous, CONF_PROMISC_DENY); /* interface */
	assert_int_equal(p.ra, 1);                               /* MAC */
	assert_int_equal(p.gate.flood, 1);                       /* MAC */
	assert_int_equal(p.mac_policy, MAC_POLICY_GIVEN);        /* MAC */
	assert_true(mac_eq(p.mac, mac1));
	assert_int_equal(p.dhcp_server, -1); /* nobody */

	p = gate_conf(c, PORT("web", "vmnet8p2", mac2));
	assert_int_equal(p.rate_in_kbit, 3);
	assert_int_equal(p.rate_out_kbit, -1);
	p = gate_conf(c, PORT("db", "vmnet8p2", mac1));
	assert_int_equal(p.rate_in_kbit, 1);
	assert_string_equal(p.mirror_of, "a");
	/* One without a name of its own is called by its interface. */
	p = gate_conf(c, PORT("vmnet8p1", "vmnet8p1", nobody));
	assert_int_equal(p.rate_in_kbit, 2);
	assert_int_equal(p.link, 0);
	conf_free(c);
}

/* Zero, `no`, `deny` and `down` are answers too: they win over what lies below. */
static void
an_answer_of_zero_is_one(void **state UNUSED)
{
	struct conf *c = t_build("", "[port 52:54:00:00:00:01]\n"
				     "promiscuous = deny\nforged-transmits = allow\n"
				     "mac-learning = 9\nip-guard = yes\nbroadcast-limit = 9\n"
				     "dhcp-server = allow\nra = allow\nlink = up\n"
				     "mac-policy = given\nrate-in = 9k\nrate-out = 9k\n"
				     "[port web]\n"
				     "promiscuous = ask\nforged-transmits = deny\n"
				     "mac-learning = 0\nip-guard = no\nbroadcast-limit = 0\n"
				     "dhcp-server = deny\nra = deny\nlink = down\n"
				     "mac-policy = any\nrate-in = none\nrate-out = 0\n");
	struct conf_port p = gate_conf(c, PORT("web", "vmnet8p1", mac1));

	assert_int_equal(p.gate.promiscuous, CONF_PROMISC_ASK);
	assert_int_equal(p.gate.forged, 0);
	assert_int_equal(p.gate.mac_learning, 0);
	assert_int_equal(p.gate.ip_guard, 0);
	assert_int_equal(p.gate.flood, 0);
	assert_int_equal(p.dhcp_server, 0);
	assert_int_equal(p.ra, 0);
	assert_int_equal(p.link, 0);
	assert_int_equal(p.mac_policy, MAC_POLICY_ANY);
	assert_int_equal(p.rate_in_kbit, 0);
	assert_int_equal(p.rate_out_kbit, 0);
	conf_free(c);
}

static void
the_section_that_is_edited_is_the_nearest(void **state UNUSED)
{
	struct conf *c = t_build("", three);

	assert_string_equal(gate_section(c, PORT("web", "vmnet8p1", mac1))->name, "web");
	assert_string_equal(gate_section(c, PORT("db", "vmnet8p1", mac1))->name, "vmnet8p1");
	assert_null(gate_section(c, PORT("db", "vmnet8p2", mac1))->name);
	assert_true(mac_eq(gate_section(c, PORT("db", "vmnet8p2", mac1))->key, mac1));
	assert_null(gate_section(c, PORT("db", "vmnet8p2", mac2)));
	conf_free(c);
}

/* --- the wanted gate --- */

#define NAT  "answer VNET_8_NAT yes\n"
#define DHCP "answer VNET_8_DHCP yes\n"
#define HOST "answer VNET_8_VIRTUAL_ADAPTER yes\n"

/* What a case is made of; the gate that it gives. */
struct maker {
	const char *answers; /* of vmnet8; NULL: there is no such network */
	const char *vnetd;   /* vnetd.conf; the port is [port p] */
	bool uplink;         /* else a guest */
	bool granted;
	struct mac told;
	struct ip4 ip;
	const char *span;
};

static struct msg_gate_set
make(const struct maker *m)
{
	static const struct promisc none;
	struct msg_gate_set out;
	struct conf_port port;
	struct gate_case gc;
	char text[512];
	struct conf *c;

	snprintf(text, sizeof(text),
		 "answer VNET_8_HOSTONLY_NETMASK 255.255.255.0\n"
		 "answer VNET_8_HOSTONLY_SUBNET 10.8.0.0\n%s",
		 m->answers ? m->answers : "");
	c = t_build(text, m->vnetd);
	if (m->answers)
		assert_true(c->net[8].present && !c->net[8].failed);
	port = gate_conf(c, PORT("p", "vmnet8p1", m->told));
	gc = (struct gate_case){.net = 8,
				.ifname = "vmnet8p1",
				.conf = m->answers ? &c->net[8] : NULL,
				.port = &port,
				.guest = !m->uplink,
				.told = m->told,
				.ip = m->ip,
				.granted = m->granted,
				.span = m->span ? m->span : "",
				.promisc = &none};
	memset(&out, 0xff, sizeof(out));
	gate_want(&out, &gc);
	assert_int_equal(out.net, 8);
	assert_string_equal(out.ifname, "vmnet8p1");
	assert_false(out.unpin);
	conf_free(c);
	return out;
}

static void
addresses_by_policy(void **state UNUSED)
{
	static const struct {
		struct maker m;
		enum mac_policy policy;
		struct mac mac;
	} rows[] = {
	    /* without a word about it */
	    {{.answers = NAT}, MAC_POLICY_STICKY, {{0}}},
	    {{.answers = NAT, .told = MAC1}, MAC_POLICY_GIVEN, MAC1},
	    {{.answers = NAT, .uplink = true}, MAC_POLICY_ANY, {{0}}},
	    {{.answers = NULL}, MAC_POLICY_STICKY, {{0}}},
	    /* the section's address counts more than the one that was told */
	    {{.answers = NAT, .vnetd = "[port p]\nmac = 52:54:00:00:00:02\n"},
	     MAC_POLICY_GIVEN,
	     MAC2},
	    {{.answers = NAT, .told = MAC1, .vnetd = "[port p]\nmac = 52:54:00:00:00:02\n"},
	     MAC_POLICY_GIVEN,
	     MAC2},
	    {{.answers = NAT, .uplink = true, .vnetd = "[port p]\nmac = 52:54:00:00:00:02\n"},
	     MAC_POLICY_GIVEN,
	     MAC2},
	    /* mac-policy */
	    {{.answers = NAT, .vnetd = "[port p]\nmac-policy = sticky\n"},
	     MAC_POLICY_STICKY,
	     {{0}}},
	    {{.answers = NAT, .told = MAC1, .vnetd = "[port p]\nmac-policy = sticky\n"},
	     MAC_POLICY_STICKY,
	     MAC1},
	    {{.answers = NAT, .told = MAC1, .vnetd = "[port p]\nmac-policy = any\n"},
	     MAC_POLICY_ANY,
	     {{0}}},
	    {{.answers = NAT, .uplink = true, .vnetd = "[port p]\nmac-policy = sticky\n"},
	     MAC_POLICY_STICKY,
	     {{0}}},
	    {{.answers = NAT,
	      .told = MAC1,
	      .vnetd = "[port 52:54:00:00:00:01]\nmac-policy = given\n"},
	     MAC_POLICY_GIVEN,
	     MAC1},
	    /* promiscuous mode is no policy of addresses */
	    {{.answers = NAT, .granted = true}, MAC_POLICY_STICKY, {{0}}},
	    {{.answers = NAT, .told = MAC1, .granted = true}, MAC_POLICY_GIVEN, MAC1},
	    /* mac-learning is, once it is granted, whatever else is said */
	    {{.answers = NAT, .told = MAC1, .vnetd = "[port p]\nmac-learning = 4\n"},
	     MAC_POLICY_GIVEN,
	     MAC1},
	    {{.answers = NAT,
	      .told = MAC1,
	      .granted = true,
	      .vnetd = "[port p]\nmac-learning = 4\n"},
	     MAC_POLICY_LEARN,
	     MAC1},
	    {{.answers = NAT,
	      .granted = true,
	      .vnetd = "[port p]\nmac-learning = 4\nmac-policy = any\n"},
	     MAC_POLICY_LEARN,
	     {{0}}},
	    /* the network's is for guests, and gives way to a port's `any` */
	    {{.answers = NAT, .granted = true, .vnetd = "[vmnet8]\nmac-learning = 4\n"},
	     MAC_POLICY_LEARN,
	     {{0}}},
	    {{.answers = NAT,
	      .granted = true,
	      .vnetd = "[vmnet8]\nmac-learning = 4\n[port p]\nmac-policy = sticky\n"},
	     MAC_POLICY_LEARN,
	     {{0}}},
	    {{.answers = NAT,
	      .granted = true,
	      .vnetd = "[vmnet8]\nmac-learning = 4\n[port p]\nmac-policy = any\n"},
	     MAC_POLICY_ANY,
	     {{0}}},
	    {{.answers = NAT,
	      .uplink = true,
	      .granted = true,
	      .vnetd = "[vmnet8]\nmac-learning = 4\n"},
	     MAC_POLICY_ANY,
	     {{0}}},
	    {{.answers = NAT,
	      .uplink = true,
	      .granted = true,
	      .vnetd = "[port p]\nmac-learning = 4\n"},
	     MAC_POLICY_LEARN,
	     {{0}}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct msg_gate_set g = make(&rows[i].m);

		if (g.mac_policy != rows[i].policy || !mac_eq(g.mac, rows[i].mac))
			fail_msg("row %zu: %s %s", i,
				 mac_policy_name((enum mac_policy)g.mac_policy), MAC_STR(g.mac));
	}
}

static void
guards_are_on_where_they_belong(void **state UNUSED)
{
	enum { C = GATE_CONTROL, D = GATE_DHCP, R = GATE_RA, I = GATE_IP };
	static const char off[] = "[port p]\ndhcp-server = allow\nra = allow\n";
	static const char on[] = "[port p]\ndhcp-server = deny\nra = deny\n";
	static const char ip[] = "[port p]\nip-guard = yes\n";
	static const struct {
		struct maker m;
		unsigned flags;
	} rows[] = {
	    /* by kind of network */
	    {{.answers = NAT DHCP HOST}, C | D | R},
	    {{.answers = NAT HOST}, C | R},
	    {{.answers = NAT DHCP}, C | D}, /* the host is not there: another may be the router */
	    {{.answers = NAT}, C},
	    {{.answers = DHCP HOST}, C | D | R}, /* host-only */
	    {{.answers = HOST}, C | R},
	    {{.answers = DHCP}, C | D}, /* custom */
	    {{.answers = ""}, C},       /* a segment */
	    {{.answers = NULL}, C},     /* gone from the configuration */
	    {{.answers = DHCP HOST, .vnetd = "[vmnet8]\ntype = bridged\n"}, C},
	    /* a way out has none of its own accord */
	    {{.answers = NAT DHCP HOST, .uplink = true}, 0},
	    {{.answers = NAT DHCP HOST, .uplink = true, .vnetd = "[vmnet8]\nip-guard = yes\n"}, 0},
	    {{.answers = NAT DHCP HOST, .uplink = true, .vnetd = on}, D | R},
	    /* by word */
	    {{.answers = NAT DHCP HOST, .vnetd = off}, C},
	    {{.answers = NAT DHCP HOST, .vnetd = on}, C | D | R},
	    {{.answers = "", .vnetd = on}, C | D | R},
	    {{.answers = "", .vnetd = off}, C},
	    /* whatever its addresses are, and however much it sees */
	    {{.answers = NAT DHCP HOST, .vnetd = "[port p]\nmac-policy = any\n"}, C | D | R},
	    {{.answers = NAT DHCP HOST, .granted = true}, C | D | R | GATE_FORGED},
	    {{.answers = NAT DHCP HOST, .granted = true, .vnetd = "[vmnet8]\nmac-learning = 2\n"},
	     C | D | R},
	    /* ip-guard */
	    {{.answers = "", .vnetd = ip}, C | I},
	    {{.answers = "", .vnetd = "[vmnet8]\nip-guard = yes\n"}, C | I},
	    {{.answers = "", .vnetd = "[vmnet8]\nip-guard = yes\n[port p]\nip-guard = no\n"}, C},
	    {{.answers = "", .vnetd = "[vmnet8]\nip-guard = no\n[port p]\nip-guard = yes\n"},
	     C | I},
	    {{.answers = NULL, .vnetd = ip}, C | I},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct msg_gate_set g = make(&rows[i].m);

		if (g.flags != rows[i].flags)
			fail_msg("row %zu: flags %#x, not %#x", i, g.flags, rows[i].flags);
	}
}

static void
who_may_forge(void **state UNUSED)
{
	static const char net[] = "[vmnet8]\nforged-transmits = allow\n";
	static const char port[] = "[port p]\nforged-transmits = allow\n";
	static const char never[] = "[port p]\nforged-transmits = deny\n";
	static const char listen[] = "[vmnet8]\nforged-transmits = deny\n";
	static const struct {
		const char *vnetd;
		bool granted, forged;
	} rows[] = {
	    {NULL, false, false},
	    {NULL, true, true},
	    {net, false, true},
	    {port, false, true},
	    {never, true, false},
	    {listen, true, false},
	    {"[vmnet8]\nforged-transmits = allow\n[port p]\nforged-transmits = deny\n", true,
	     false},
	    {"[vmnet8]\nforged-transmits = deny\n[port p]\nforged-transmits = allow\n", true, true},
	    /* With mac-learning the addresses are counted instead. */
	    {"[port p]\nmac-learning = 4\n", true, false},
	    {"[port p]\nmac-learning = 4\nforged-transmits = allow\n", true, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct maker m = {
		    .answers = NAT, .vnetd = rows[i].vnetd, .granted = rows[i].granted};
		struct msg_gate_set g = make(&m);

		if (!!(g.flags & GATE_FORGED) != rows[i].forged)
			fail_msg("row %zu: flags %#x", i, g.flags);
	}
}

static void
the_mirror_and_learning_exclude_each_other(void **state UNUSED)
{
	static const struct {
		const char *vnetd;
		bool granted, promisc;
		unsigned learn;
	} rows[] = {
	    {NULL, false, false, 0},
	    {NULL, true, true, 0},
	    {"[port p]\nmac-learning = 4096\n", false, false, 0},
	    {"[port p]\nmac-learning = 4096\n", true, false, 4096},
	    {"[vmnet8]\nmac-learning = 3\n", true, false, 3},
	    {"[vmnet8]\nmac-learning = 3\n[port p]\nmac-learning = 5\n", true, false, 5},
	    {"[vmnet8]\nmac-learning = 3\n[port p]\nmac-learning = 0\n", true, true, 0},
	    {"[port p]\nmac-policy = any\n", true, true, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct maker m = {
		    .answers = NAT, .vnetd = rows[i].vnetd, .granted = rows[i].granted};
		struct msg_gate_set g = make(&m);

		if (g.promisc != rows[i].promisc || g.learn != rows[i].learn)
			fail_msg("row %zu: promisc %d learn %u", i, g.promisc, g.learn);
	}
}

/* Only a guarded port has a place for an address: without the guard a new lease is no new gate. */
static void
the_guarded_address_is_the_leases(void **state UNUSED)
{
	struct maker m = {.answers = NAT DHCP, .ip = t_ip("10.8.0.130")};
	struct msg_gate_set g = make(&m);

	assert_int_equal(g.ip.h, 0);
	m.vnetd = "[vmnet8]\nip-guard = yes\n";
	g = make(&m);
	assert_string_equal(IP4_STR(g.ip), "10.8.0.130");
	/* None is known yet: guarded all the same. */
	m.ip.h = 0;
	g = make(&m);
	assert_int_equal(g.ip.h, 0);
	assert_true(g.flags & GATE_IP);
	m.uplink = true;
	m.ip = t_ip("10.8.0.130");
	g = make(&m);
	assert_int_equal(g.ip.h, 0);
}

static void
limits(void **state UNUSED)
{
	static const struct {
		const char *vnetd;
		bool uplink;
		uint32_t flood, in, out;
	} rows[] = {
	    {NULL, false, GATE_FLOOD_DEFAULT, 0, 0},
	    {NULL, true, 0, 0, 0},
	    {"[vmnet8]\nbroadcast-limit = 7\n", false, 7, 0, 0},
	    {"[vmnet8]\nbroadcast-limit = 0\n", false, 0, 0, 0},
	    /* A network's limit is for guests; that of a way out has to be said of it. */
	    {"[vmnet8]\nbroadcast-limit = 7\n", true, 0, 0, 0},
	    {"[port p]\nbroadcast-limit = 7\n", true, 7, 0, 0},
	    {"[vmnet8]\nbroadcast-limit = 7\n[port p]\nbroadcast-limit = 9\n", false, 9, 0, 0},
	    {"[vmnet8]\nbroadcast-limit = 7\n[port p]\nbroadcast-limit = 0\n", false, 0, 0, 0},
	    {"[port p]\nrate-in = 10M\nrate-out = 4294967295k\n", false, GATE_FLOOD_DEFAULT, 10000,
	     UINT32_MAX},
	    {"[port p]\nrate-in = none\nrate-out = 1k\n", false, GATE_FLOOD_DEFAULT, 0, 1},
	    {"[port p]\nrate-in = 2M\n", true, 0, 2000, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct maker m = {
		    .answers = NAT, .vnetd = rows[i].vnetd, .uplink = rows[i].uplink};
		struct msg_gate_set g = make(&m);

		if (g.flood != rows[i].flood || g.rate_in_kbit != rows[i].in ||
		    g.rate_out_kbit != rows[i].out)
			fail_msg("row %zu: flood %u in %u out %u", i, g.flood, g.rate_in_kbit,
				 g.rate_out_kbit);
	}
}

static void
limits_of_dhcp(void **state UNUSED)
{
	static const struct {
		const char *answers, *vnetd;
		bool uplink;
		uint32_t rate, leases;
	} rows[] = {
	    /* The range of a /24 has 126 addresses. */
	    {NAT DHCP, NULL, false, GATE_DHCP_RATE_DEFAULT, 63},
	    {NAT DHCP, NULL, true, 0, 0},
	    {NAT, NULL, false, 0, 0},
	    {NAT DHCP, "[vmnet8]\ndhcp-leases-per-port = 7\ndhcp-rate-per-port = 9\n", false, 9, 7},
	    {NAT DHCP, "[vmnet8]\ndhcp-leases-per-port = 7\ndhcp-rate-per-port = 9\n", true, 0, 0},
	    {NAT DHCP,
	     "[vmnet8]\ndhcp-leases-per-port = unlimited\n"
	     "dhcp-rate-per-port = unlimited\n",
	     false, 0, 0},
	    {NAT DHCP, "[port p]\ndhcp-leases-per-port = 65535\ndhcp-rate-per-port = 1000000\n",
	     true, 1000000, 65535},
	    {NAT DHCP,
	     "[vmnet8]\ndhcp-leases-per-port = 7\ndhcp-rate-per-port = 9\n"
	     "[port p]\ndhcp-leases-per-port = unlimited\ndhcp-rate-per-port = 1\n",
	     false, 1, 0},
	    /* Another's server may be protected when somebody says so; its leases are not ours. */
	    {NAT, "[vmnet8]\ndhcp-leases-per-port = 7\ndhcp-rate-per-port = 9\n", false, 9, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct maker m = {
		    .answers = rows[i].answers, .vnetd = rows[i].vnetd, .uplink = rows[i].uplink};
		struct msg_gate_set g = make(&m);
		bool ours = strstr(rows[i].answers, DHCP) != NULL;

		if (g.dhcp_rate != rows[i].rate || g.dhcp_leases != rows[i].leases)
			fail_msg("row %zu: rate %u leases %u", i, g.dhcp_rate, g.dhcp_leases);
		assert_int_equal(g.dhcp_server.h, ours ? t_ip("10.8.0.254").h : 0);
		assert_int_equal(g.dhcp_broadcast.h, ours ? t_ip("10.8.0.255").h : 0);
	}
}

static void
copies_go_to_the_port_that_was_named(void **state UNUSED)
{
	struct maker m = {.answers = NAT, .span = "vmnet8p2"};
	struct msg_gate_set g = make(&m);

	assert_string_equal(g.span, "vmnet8p2");
	m.span = NULL;
	g = make(&m);
	assert_string_equal(g.span, "");
}

/* What is kept with the port is its request for promiscuous mode. */
static void
the_memo_is_the_request(void **state UNUSED)
{
	const struct promisc asks = {
	    .by = PROMISC_BY_GUEST, .word = WORD_FOR, .asked_s = 5, .until_s = 6, .blocked = true};
	struct conf_port port = gate_conf(NULL, PORT("p", "vmnet8p1", nobody));
	const struct gate_case gc = {
	    .net = 8, .ifname = "vmnet8p1", .port = &port, .span = "", .promisc = &asks};
	struct msg_gate_set g;
	struct promisc back;

	gate_want(&g, &gc);
	assert_true(promisc_unpack(&back, g.memo.b, g.memo.len));
	assert_int_equal(back.by, PROMISC_BY_GUEST);
	assert_int_equal(back.word, WORD_FOR);
	assert_int_equal(back.asked_s, 5);
	assert_int_equal(back.until_s, 6);
	assert_true(back.blocked);
}

/* Layers can leave `given` without an address: a section for a MAC says it, and is the guest's no more. */
static void
given_without_an_address_is_the_first_one(void **state UNUSED)
{
	struct conf_port port = gate_conf(NULL, PORT("p", "vmnet8p1", nobody));
	const struct gate_case gc = {.net = 8,
				     .ifname = "vmnet8p1",
				     .port = &port,
				     .guest = true,
				     .span = "",
				     .promisc = &(struct promisc){0}};
	struct msg_gate_set g;

	port.mac_policy = MAC_POLICY_GIVEN;
	gate_want(&g, &gc);
	assert_int_equal(g.mac_policy, MAC_POLICY_STICKY);
	assert_true(mac_is_zero(g.mac));
}

/* After `unpin` the next address counts, whatever was told; `given` is not to be unpinned. */
static void
what_was_told_is_not_pinned_again(void **state UNUSED)
{
	struct conf_port port = gate_conf(NULL, PORT("p", "vmnet8p1", nobody));
	const struct promisc unpinned = {.unpinned = true};
	const struct gate_case gc = {.net = 8,
				     .ifname = "vmnet8p1",
				     .port = &port,
				     .guest = true,
				     .told = mac1,
				     .span = "",
				     .promisc = &unpinned};
	struct msg_gate_set g;

	port.mac_policy = MAC_POLICY_STICKY;
	gate_want(&g, &gc);
	assert_int_equal(g.mac_policy, MAC_POLICY_STICKY);
	assert_true(mac_is_zero(g.mac));
	port.mac_policy = MAC_POLICY_GIVEN;
	gate_want(&g, &gc);
	assert_int_equal(g.mac_policy, MAC_POLICY_GIVEN);
	assert_true(mac_eq(g.mac, mac1));
}

static void
forged_sources_go_with_promiscuous_mode_when_they_came_with_it(void **state UNUSED)
{
	struct msg_gate_set g = {
	    .promisc = true, .lent = true, .flags = GATE_RA | GATE_FORGED, .flood = 7};

	gate_without_promisc(&g);
	assert_false(g.promisc || g.lent);
	assert_int_equal(g.flags, GATE_RA);
	assert_int_equal(g.flood, 7);
	/* forged-transmits = allow */
	g = (struct msg_gate_set){.promisc = true, .flags = GATE_FORGED};
	gate_without_promisc(&g);
	assert_false(g.promisc);
	assert_int_equal(g.flags, GATE_FORGED);
}

/* --- the bridge's part --- */

static void
what_the_bridge_does(void **state UNUSED)
{
	enum {
		G = MAC_POLICY_GIVEN,
		S = MAC_POLICY_STICKY,
		L = MAC_POLICY_LEARN,
		A = MAC_POLICY_ANY
	};
	static const struct {
		int policy;
		bool has_mac, forged, promisc;
		struct gate_brport want;
	} rows[] = {
	    {G, true, false, false, {.locked = true, .entry = true}},
	    {S, true, false, false, {.locked = true, .entry = true}},
	    {S, false, false, false, {.learning = true}},
	    {L, false, false, false, {.learning = true}},
	    {L, true, false, false, {.learning = true, .entry = true}},
	    {A, false, false, false, {.learning = true, .flood = true}},
	    {A, true, false, false, {.learning = true, .flood = true}},
	    {A, false, true, false, {.learning = true, .flood = true}},
	    /* granted: unlocked, nothing is learned, nothing comes twice */
	    {G, true, true, true, {.entry = true}},
	    {S, true, true, true, {.entry = true}},
	    {A, false, true, true, {0}},
	    /* until it has its address, as without it: the program pins the first one */
	    {S, false, true, true, {.learning = true}},
	    /* granted, forged-transmits = deny */
	    {G, true, false, true, {.locked = true, .entry = true}},
	    /* forged-transmits = allow alone */
	    {S, true, true, false, {.entry = true}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct msg_gate_set m = {.mac_policy = (uint8_t)rows[i].policy,
					       .promisc = rows[i].promisc,
					       .flags = rows[i].forged ? GATE_FORGED : 0};
		const struct gate_brport *w = &rows[i].want;
		struct gate_brport got;

		memset(&got, 0xff, sizeof(got));
		gate_brport(&got, &m, rows[i].has_mac);
		if (got.locked != w->locked || got.learning != w->learning ||
		    got.flood != w->flood || got.entry != w->entry)
			fail_msg("row %zu: locked %d learning %d flood %d entry %d", i, got.locked,
				 got.learning, got.flood, got.entry);
	}
}

/* --- comparing --- */

static void
each_field_makes_another_gate(void **state UNUSED)
{
	const struct msg_gate_set a = {.net = 8,
				       .ifname = "vmnet8p1",
				       .mac_policy = MAC_POLICY_GIVEN,
				       .mac = MAC1,
				       .memo = {.len = 2, .b = {1, 2}}};
	struct msg_gate_set b[20];

	for (size_t i = 0; i < ARRAY_LEN(b); i++)
		b[i] = a;
	b[0].net = 9;
	b[1].ifname[7] = '2';
	b[2].mac_policy = MAC_POLICY_STICKY;
	b[3].mac = mac2;
	b[4].learn = 1;
	b[5].flags = GATE_RA;
	b[6].ip.h = 1;
	b[7].flood = 1;
	b[8].rate_in_kbit = 1;
	b[9].rate_out_kbit = 1;
	b[10].span[0] = 'x';
	b[11].promisc = true;
	b[12].memo.len = 1;
	b[13].memo.b[1] = 3;
	b[14].memo.len = 3;
	b[15].dhcp_rate = 1;
	b[16].dhcp_leases = 1;
	b[17].dhcp_server.h = 1;
	b[18].dhcp_broadcast.h = 1;
	b[19].lent = true;
	for (size_t i = 0; i < ARRAY_LEN(b); i++) {
		if (gate_same(&a, &b[i]) || gate_same(&b[i], &a))
			fail_msg("field %zu does not count", i);
		assert_true(gate_same(&b[i], &b[i]));
	}
	/* Behind the end of the memo, and what is said once, do not count. */
	b[0] = a;
	b[0].memo.b[2] = 9;
	b[0].unpin = true;
	assert_true(gate_same(&a, &b[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_section_with_an_owner_is_for_his_ports_only),
	    cmocka_unit_test(a_port_without_a_section_has_no_keys),
	    cmocka_unit_test(sections_of_a_port_are_laid_over_each_other),
	    cmocka_unit_test(an_answer_of_zero_is_one),
	    cmocka_unit_test(the_section_that_is_edited_is_the_nearest),
	    cmocka_unit_test(addresses_by_policy),
	    cmocka_unit_test(guards_are_on_where_they_belong),
	    cmocka_unit_test(who_may_forge),
	    cmocka_unit_test(the_mirror_and_learning_exclude_each_other),
	    cmocka_unit_test(the_guarded_address_is_the_leases),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(limits_of_dhcp),
	    cmocka_unit_test(copies_go_to_the_port_that_was_named),
	    cmocka_unit_test(forged_sources_go_with_promiscuous_mode_when_they_came_with_it),
	    cmocka_unit_test(the_memo_is_the_request),
	    cmocka_unit_test(given_without_an_address_is_the_first_one),
	    cmocka_unit_test(what_was_told_is_not_pinned_again),
	    cmocka_unit_test(what_the_bridge_does),
	    cmocka_unit_test(each_field_makes_another_gate),
	};

	return T_RUN(tests);
}
