/* SPDX-License-Identifier: GPL-2.0-or-later
 * policy_test.c - every role x every message, and every argument that a check looks at.
 *
 * The matrix below is written out a second time on purpose: a change of what priv does has to be made
 * in two places, by somebody who means it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/util.h"
#include "vnetd/policy.h"

#define IP(a, b, c, d) ((struct ip4){(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d)})

enum {
	E = 1 << ROLE_ENGINE,
	D = 1 << ROLE_DHCPD,
	N = 1 << ROLE_NATD,
	R = 1 << ROLE_REDIRD,
};

/* Who may send what; 'r' requests, 'e' events and rows. Everything else is a breach. */
static const struct {
	enum msg_type type;
	unsigned roles;
	char kind;
} matrix[] = {
    {MSG_LOG_LEVEL, E, 'e'},     {MSG_ENGINE_READY, E, 'e'},      {MSG_ENGINE_REFUSED, E, 'e'},
    {MSG_CONF_OPEN, E, 'r'},     {MSG_CONF_REPLACE, E, 'r'},      {MSG_CONF_REMOVE, E, 'r'},
    {MSG_HOST_OPEN, E | N, 'r'}, {MSG_HOST_WATCH, E | N, 'r'},    {MSG_BRIDGE_SET, E, 'r'},
    {MSG_BRIDGE_DEL, E, 'r'},    {MSG_ADDR_ADD, E, 'r'},          {MSG_ADDR_DEL, E, 'r'},
    {MSG_ROUTE_ADD, E, 'r'},     {MSG_ROUTE_DEL, E, 'r'},         {MSG_SYSCTL_SET, E, 'r'},
    {MSG_IP_FORWARD, E, 'r'},    {MSG_TAP_ADD, E, 'r'},           {MSG_VETH_ADD, E, 'r'},
    {MSG_PORT_DEL, E, 'r'},      {MSG_PORT_ENSLAVE, E, 'r'},      {MSG_PORT_SET, E, 'r'},
    {MSG_GATE_SET, E, 'r'},      {MSG_GATE_DEL, E, 'r'},          {MSG_GATE_FORGET, E, 'r'},
    {MSG_GATE_FASTEN, E, 'r'},   {MSG_GATE_LIST, E, 'r'},         {MSG_GATE_EVENTS, E, 'r'},
    {MSG_MARKER_WATCH, E, 'r'},  {MSG_MARKER_LIST, E, 'r'},       {MSG_SOCK_DHCP, D, 'r'},
    {MSG_DHCP_RING, D, 'r'},     {MSG_LEASE_DIR, D, 'r'},         {MSG_SOCK_DNS, N, 'r'},
    {MSG_NAT_BEGIN, N, 'e'},     {MSG_NAT_NET, N, 'e'},           {MSG_NAT_FORWARD, N, 'e'},
    {MSG_NAT_COMMIT, N, 'r'},    {MSG_NAT_FLUSH_FORWARD, N, 'e'}, {MSG_NFT_WATCH, N, 'r'},
    {MSG_FIREWALL_SCAN, N, 'r'}, {MSG_REDIRECT_FILES, E, 'r'},    {MSG_WORKER_WANT, E, 'e'},
    {MSG_SOCK_LISTEN, E, 'r'},   {MSG_LISTEN_KEEP, E, 'e'},       {MSG_LISTEN_SWEEP, E, 'r'},
    {MSG_LISTEN_TAKE, R, 'r'},   {MSG_NAT_CAPTURE, N, 'e'},       {MSG_ALIAS_SET, E, 'r'},
    {MSG_ALIAS_SWEEP, E, 'r'},   {MSG_ALIAS_ANNOUNCE, E, 'r'},    {MSG_LOG_SET, E, 'r'},
    {MSG_LOG_SWEEP, E, 'r'},     {MSG_LOG_TAKE, R, 'r'},          {MSG_NEIGH_SET, E, 'r'},
    {MSG_NEIGH_DEL, E, 'r'},     {MSG_HOLD_SET, N, 'r'},          {MSG_HOLD_END, N, 'e'},
    {MSG_HOLD_SWEEP, N, 'e'},    {MSG_NAT_CHANGE, N, 'e'},        {MSG_NAT_FORWARD_GONE, N, 'e'},
    {MSG_CONN_LIST, E, 'r'},     {MSG_CAPTURE_START, E, 'r'},     {MSG_CAPTURE_STOP, E, 'e'},
    {MSG_FOREIGN_ALLOW, N, 'r'}, {MSG_SOCK_RELAY, N, 'r'},        {MSG_NAT_FLUSH, N, 'r'},
    {MSG_FLOW_DEV, N, 'r'},
};

/* A message that its senders may send, arguments and all. */
static struct msg
good(enum msg_type type)
{
	struct msg m = msg_make(type, policy_is_request(type) ? 1 : 0);
	const struct mac our_end = {{0xfe, 0, 8, 0, 0, 1}}, guest = {{0x52, 0x54, 0, 1, 2, 3}};

	/* clang-format off */
	switch ((int)type) {
	case MSG_BRIDGE_SET: m.u.bridge_set = (struct msg_bridge_set){.net = 8, .mtu = 1500, .text = "NAT"}; break;
	case MSG_ADDR_ADD: m.u.addr_add = (struct msg_addr_add){.net = 8, .addr = IP(10, 0, 8, 1)}; break;
	case MSG_ADDR_DEL: m.u.addr_del = (struct msg_addr_del){.net = 8, .addr = IP(10, 0, 8, 1)}; break;
	case MSG_NEIGH_SET: m.u.neigh_set = (struct msg_neigh_set){.net = 8, .addr = IP(10, 0, 8, 9), .mac = guest}; break;
	case MSG_NEIGH_DEL: m.u.neigh_del = (struct msg_neigh_del){.net = 8, .addr = IP(10, 0, 8, 9)}; break;
	case MSG_ROUTE_ADD: m.u.route_add = (struct msg_route_add){.net = 8, .dst = IP(10, 0, 8, 0), .len = 24, .src = IP(10, 0, 8, 1)}; break;
	case MSG_ROUTE_DEL: m.u.route_del = (struct msg_route_del){.net = 8, .dst = IP(10, 0, 8, 0), .len = 24}; break;
	case MSG_SYSCTL_SET: m.u.sysctl_set = (struct msg_sysctl_set){.net = 8, .ifname = "vmnet8"}; break;
	case MSG_TAP_ADD: m.u.tap_add = (struct msg_tap_add){.net = 8, .ifname = "vmnet8p1", .mac = our_end, .owner = MSG_UID_NONE, .queues = 1, .mtu = 1500, .text = "port=1"}; break;
	case MSG_VETH_ADD: m.u.veth_add = (struct msg_veth_add){.net = 8, .ifname = "vmnet8p1", .mac = our_end, .peer_name = "eth0", .peer_mac = guest, .mtu = 1500}; break;
	case MSG_PORT_DEL: m.u.port_del = (struct msg_port_del){.ifname = "vmnet8p1"}; break;
	case MSG_PORT_ENSLAVE: m.u.port_enslave = (struct msg_port_enslave){.net = 8, .ifname = "vnet0"}; break;
	case MSG_PORT_SET: m.u.port_set = (struct msg_port_set){.net = 8, .ifname = "vmnet8p1", .mtu = 9000}; break;
	case MSG_GATE_SET: m.u.gate_set = (struct msg_gate_set){.net = 8, .ifname = "vmnet8p1", .mac_policy = MAC_POLICY_GIVEN, .mac = guest}; break;
	case MSG_GATE_DEL: m.u.gate_del = (struct msg_gate_del){.ifindex = 4}; break;
	case MSG_GATE_FASTEN: m.u.gate_fasten.ifindex = 4; break;
	case MSG_GATE_FORGET: m.u.gate_forget = (struct msg_gate_forget){.ifindex = 4, .mac = guest}; break;
	case MSG_GATE_LIST: m.u.gate_list = (struct msg_gate_list){.net = MSG_NET_ALL}; break;
	case MSG_CONF_REMOVE: m.u.conf_remove = (struct msg_conf_remove){.file = CONF_FILE_NAT, .net = 8}; break;
	case MSG_SOCK_DHCP: m.u.sock_dhcp = (struct msg_sock_dhcp){.net = 8, .server = IP(10, 0, 8, 254)}; break;
	case MSG_SOCK_DNS: m.u.sock_dns = (struct msg_sock_dns){.net = 8, .addr = IP(10, 0, 8, 2)}; break;
	case MSG_WORKER_WANT: m.u.worker_want = (struct msg_worker_want){.role = ROLE_REDIRD, .on = true}; break;
	case MSG_SOCK_LISTEN: m.u.sock_listen = (struct msg_sock_listen){.addr = {.len = 16, .b = {[10] = 0xff, [11] = 0xff, 10, 0, 8, 1}}, .port = 80, .family = REDIRECT_IP4}; break;
	case MSG_LISTEN_KEEP: m.u.listen_keep = (struct msg_listen_keep){.addr = {.len = 16}, .port = 80, .family = REDIRECT_DUAL}; break;
	case MSG_LISTEN_TAKE: m.u.listen_take = (struct msg_listen_take){.listener = 1}; break;
	case MSG_ALIAS_SET: m.u.alias_set = (struct msg_alias_set){.addr = {.len = 16, .b = {[10] = 0xff, [11] = 0xff, 10, 0, 8, 9}}, .ifname = "eth0"}; break;
	case MSG_ALIAS_ANNOUNCE: m.u.alias_announce = (struct msg_alias_announce){.addr = {.len = 16, .b = {[10] = 0xff, [11] = 0xff, 10, 0, 8, 9}}, .ifname = "eth0"}; break;
	case MSG_LOG_SET: m.u.log_set = (struct msg_log_set){.path = "/var/log/redirect.log"}; break;
	case MSG_CAPTURE_START: m.u.capture_start = (struct msg_capture_start){.capture = 1, .net = 8}; break;
	case MSG_NAT_CAPTURE: m.u.nat_capture = (struct msg_nat_capture){.addr = {.len = 16, .b = {[10] = 0xff, [11] = 0xff, 10, 0, 8, 9}}, .port = 80, .to_port = 10080}; break;
	case MSG_NAT_NET: m.u.nat_net = (struct msg_nat_net){.net = 8, .subnet = IP(10, 0, 8, 0), .len = 24, .host = IP(10, 0, 8, 1), .gateway = IP(10, 0, 8, 2), .adapter = true, .nat = true}; break;
	case MSG_NAT_FORWARD: m.u.nat_forward = (struct msg_nat_forward){.net = 8, .port = 80, .guest = IP(10, 0, 8, 128), .guest_port = 80}; break;
	case MSG_NAT_FORWARD_GONE: m.u.nat_forward_gone = (struct msg_nat_forward_gone){.net = 8, .port = 80, .guest = IP(10, 0, 8, 128), .guest_port = 80}; break;
	case MSG_FLOW_DEV: m.u.flow_dev = (struct msg_flow_dev){.ifname = "eth0"}; break;
	case MSG_HOLD_SET: m.u.hold_set.port = 80; break;
	case MSG_HOLD_END: m.u.hold_end.port = 80; break;
	case MSG_SOCK_RELAY: m.u.sock_relay.port = 80; break;
	case MSG_FIREWALL_SCAN: m.u.firewall_scan.bridges.len = NAT_ROUTES_LEN; break;
	case MSG_FOREIGN_ALLOW: m.u.foreign_allow = (struct msg_foreign_allow){.through.len = NAT_ROUTES_LEN, .inside.len = NAT_ROUTES_LEN}; break;
	case MSG_NAT_FLUSH_FORWARD: m.u.nat_flush_forward = (struct msg_nat_flush_forward){.net = 8, .port = 80, .guest = IP(10, 0, 8, 128), .guest_port = 80}; break;
	default: break;
	}
	/* clang-format on */
	return m;
}

static unsigned
roles_of(enum msg_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(matrix); i++)
		if (matrix[i].type == type)
			return matrix[i].roles;
	return 0;
}

static void
every_role_and_every_message(void **state UNUSED)
{
	const char *why;

	for (int role = 0; role < ROLE_N; role++)
		for (int type = 0; type < MSG_N; type++) {
			struct msg m = good(type);
			enum policy want =
			    roles_of(type) & 1u << role ? POLICY_ALLOWED : POLICY_BREACH;
			enum policy got = policy_check(role, &m, &why);

			if (got != want)
				fail_msg("%s from %s: %d instead of %d (%s)", msg_name(type),
					 role_name(role), got, want, why ? why : "");
			assert_int_equal(why == NULL, want == POLICY_ALLOWED);
		}
}

static void
a_role_or_a_type_that_does_not_exist(void **state UNUSED)
{
	struct msg m = good(MSG_BRIDGE_SET);
	const char *why;

	assert_int_equal(policy_check(ROLE_N, &m, &why), POLICY_BREACH);
	m.type = MSG_N;
	assert_int_equal(policy_check(ROLE_ENGINE, &m, &why), POLICY_BREACH);
	assert_false(policy_is_request(MSG_N));
}

static void
requests_have_an_id_and_rows_have_none(void **state UNUSED)
{
	const char *why;

	for (size_t i = 0; i < ARRAY_LEN(matrix); i++) {
		struct msg m = good(matrix[i].type);

		assert_int_equal(policy_is_request(m.type), matrix[i].kind == 'r');
		m.id = matrix[i].kind == 'r' ? 0 : 7;
		for (int role = 0; role < ROLE_N; role++)
			assert_int_equal(policy_check(role, &m, &why), POLICY_BREACH);
	}
}

/* What the first role that may say it is told. */
static const char *
sentence(const struct msg *m)
{
	enum role from = 0;
	const char *why;

	while (!(roles_of(m->type) & 1u << from))
		from++;
	policy_check(from, m, &why);
	return why ? why : "";
}

/* Sets one field of a good message and expects that the first allowed role is refused or allowed. */
static void
expect(enum policy want, const struct msg *m, const char *what)
{
	enum role from = 0;
	const char *why;

	while (!(roles_of(m->type) & 1u << from))
		from++;
	if (policy_check(from, m, &why) != want)
		fail_msg("%s with %s: not %s (%s)", msg_name(m->type), what,
			 want == POLICY_REFUSED ? "refused" : "allowed", why ? why : "");
}

#define REFUSED(TYPE, name, change)                                                                \
	do {                                                                                       \
		struct msg m_ = good(MSG_##TYPE);                                                  \
		m_.u.name.change;                                                                  \
		expect(POLICY_REFUSED, &m_, #change);                                              \
	} while (0)
#define ALLOWED(TYPE, name, change)                                                                \
	do {                                                                                       \
		struct msg m_ = good(MSG_##TYPE);                                                  \
		m_.u.name.change;                                                                  \
		expect(POLICY_ALLOWED, &m_, #change);                                              \
	} while (0)
#define REFUSED_STR(TYPE, name, field, text)                                                       \
	do {                                                                                       \
		struct msg m_ = good(MSG_##TYPE);                                                  \
		MSG_SET_STR(m_.u.name.field, text);                                                \
		expect(POLICY_REFUSED, &m_, #field " = " text);                                    \
	} while (0)
#define ALLOWED_STR(TYPE, name, field, text)                                                       \
	do {                                                                                       \
		struct msg m_ = good(MSG_##TYPE);                                                  \
		MSG_SET_STR(m_.u.name.field, text);                                                \
		expect(POLICY_ALLOWED, &m_, #field " = " text);                                    \
	} while (0)

static void
network_numbers(void **state UNUSED)
{
	ALLOWED(BRIDGE_DEL, bridge_del, net = 255);
	REFUSED(BRIDGE_SET, bridge_set, net = 256);
	REFUSED(BRIDGE_DEL, bridge_del, net = 256);
	REFUSED(ADDR_ADD, addr_add, net = MSG_NET_ALL);
	REFUSED(ADDR_DEL, addr_del, net = 256);
	REFUSED(ROUTE_ADD, route_add, net = 256);
	REFUSED(ROUTE_DEL, route_del, net = 256);
	REFUSED(NEIGH_SET, neigh_set, net = 256);
	REFUSED(NEIGH_DEL, neigh_del, net = MSG_NET_ALL);
	REFUSED(SYSCTL_SET, sysctl_set, net = 256);
	REFUSED(TAP_ADD, tap_add, net = 256);
	REFUSED(VETH_ADD, veth_add, net = 256);
	REFUSED(PORT_ENSLAVE, port_enslave, net = 256);
	REFUSED(PORT_SET, port_set, net = 256);
	REFUSED(GATE_SET, gate_set, net = 256);
	REFUSED(GATE_SET, gate_set, net = MSG_NET_ALL);
	REFUSED(GATE_LIST, gate_list, net = 256);
	ALLOWED(GATE_LIST, gate_list, net = 255);
	REFUSED(SOCK_DHCP, sock_dhcp, net = 256);
	REFUSED(SOCK_DNS, sock_dns, net = 256);
	REFUSED(LEASE_DIR, lease_dir, net = 256);
	REFUSED(NAT_NET, nat_net, net = 256);
	REFUSED(NAT_FORWARD, nat_forward, net = 256);
	REFUSED(NAT_FORWARD_GONE, nat_forward_gone, net = 256);
	REFUSED(NAT_FLUSH_FORWARD, nat_flush_forward, net = 256);
}

static void
files(void **state UNUSED)
{
	struct msg m;
	const char *why;

	ALLOWED(CONF_OPEN, conf_open, file = CONF_FILE_VNETD);
	ALLOWED(CONF_OPEN, conf_open, net = MSG_NET_ALL); /* no network of its own: not looked at */
	REFUSED(CONF_OPEN, conf_open, file = CONF_FILE_N);
	REFUSED(CONF_REPLACE, conf_replace, file = CONF_FILE_N);
	REFUSED(CONF_REMOVE, conf_remove, file = CONF_FILE_N);
	REFUSED(CONF_REMOVE, conf_remove, file = CONF_FILE_NETWORKING);
	REFUSED(CONF_REMOVE, conf_remove, file = CONF_FILE_VNETD);
	REFUSED(CONF_REMOVE, conf_remove, net = 256);
	for (int file = CONF_FILE_DHCPD; file <= CONF_FILE_NAT; file++) {
		m = good(MSG_CONF_OPEN);
		m.u.conf_open = (struct msg_conf_open){.file = (uint8_t)file, .net = 256};
		expect(POLICY_REFUSED, &m, "net 256");
		m = good(MSG_CONF_REPLACE);
		m.u.conf_replace = (struct msg_conf_replace){.file = (uint8_t)file, .net = 256};
		expect(POLICY_REFUSED, &m, "net 256");
	}
	ALLOWED(HOST_OPEN, host_open, file = HOST_FILE_GROUP);
	REFUSED(HOST_OPEN, host_open, file = HOST_FILE_N);
	REFUSED(HOST_WATCH, host_watch, file = HOST_FILE_N);
	for (int file = 0; file < HOST_FILE_N; file++) {
		bool may = file == HOST_FILE_RESOLV_CONF || file == HOST_FILE_HOSTS;
		enum policy want = may ? POLICY_ALLOWED : POLICY_REFUSED;

		m = good(MSG_HOST_OPEN);
		m.u.host_open.file = (uint8_t)file;
		assert_int_equal(policy_check(ROLE_NATD, &m, &why), want);
		m = good(MSG_HOST_WATCH);
		m.u.host_watch.file = (uint8_t)file;
		assert_int_equal(policy_check(ROLE_NATD, &m, &why), want);
	}
}

static void
workers_and_listening_sockets(void **state UNUSED)
{
	REFUSED(WORKER_WANT, worker_want, role = ROLE_DHCPD);
	REFUSED(WORKER_WANT, worker_want, role = ROLE_ENGINE);
	ALLOWED(WORKER_WANT, worker_want, on = false);
	REFUSED(LISTEN_TAKE, listen_take, listener = 0);
	REFUSED(SOCK_LISTEN, sock_listen, port = 0);
	REFUSED(SOCK_LISTEN, sock_listen, addr.len = 15);
	REFUSED(SOCK_LISTEN, sock_listen, family = REDIRECT_FAMILY_N);
	/* the address and the kind of socket do not go together */
	REFUSED(SOCK_LISTEN, sock_listen, family = REDIRECT_IP6);
	REFUSED(SOCK_LISTEN, sock_listen, family = REDIRECT_DUAL);
	REFUSED(SOCK_LISTEN, sock_listen, family = REDIRECT_DUAL_FORCED);
	REFUSED(SOCK_LISTEN, sock_listen, addr.b[12] = 224);
	ALLOWED(SOCK_LISTEN, sock_listen, addr.b[12] = 127);
	REFUSED(SOCK_LISTEN, sock_listen, addr.b[0] = 0x20);
	REFUSED_STR(SOCK_LISTEN, sock_listen, ifname, "eth0");
	ALLOWED(LISTEN_KEEP, listen_keep, family = REDIRECT_DUAL_FORCED);
	REFUSED(LISTEN_KEEP, listen_keep, family = REDIRECT_IP4);
	REFUSED(LISTEN_KEEP, listen_keep, port = 0);
	REFUSED(LISTEN_KEEP, listen_keep, addr.b[15] = 1);
}

static void
files_that_lines_are_written_to(void **state UNUSED)
{
	static const char *const bad[] = {
	    "",         "x",         "/",          "/var/",       "//var/log",       "/var//log",
	    "/var/./x", "/var/../x", "/var/log/.", "/var/log/..", "/proc/sys/net/x", "/sys/x",
	    "/dev",     "/dev/kmsg", "/proc",      "/var/a\nb",   "/var/\x7f",
	};
	static const char *const good_ones[] = {"/x",         "/var/log/...", "/var/log/..x",
						"/var/.x",    "/process/x",   "/devices",
						"/var/proc/x"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct msg m = good(MSG_LOG_SET);

		MSG_SET_STR(m.u.log_set.path, bad[i]);
		expect(POLICY_REFUSED, &m, bad[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(good_ones); i++) {
		struct msg m = good(MSG_LOG_SET);

		MSG_SET_STR(m.u.log_set.path, good_ones[i]);
		expect(POLICY_ALLOWED, &m, good_ones[i]);
	}
	ALLOWED(LOG_TAKE, log_take, log = 0);
	ALLOWED(LOG_TAKE, log_take, log = 5);
}

static void
captures_are_of_networks_and_ports(void **state UNUSED)
{
	struct msg m = good(MSG_CAPTURE_START);

	MSG_SET_STR(m.u.capture_start.ifname, "vmnet8p1");
	expect(POLICY_ALLOWED, &m, "a port of ours");
	MSG_SET_STR(m.u.capture_start.ifname, "tap0");
	expect(POLICY_ALLOWED, &m, "an adopted port");
	MSG_SET_STR(m.u.capture_start.ifname, "vmnet1");
	expect(POLICY_REFUSED, &m, "another network");
	MSG_SET_STR(m.u.capture_start.ifname, "a/b");
	expect(POLICY_REFUSED, &m, "no interface name");
	REFUSED(CAPTURE_START, capture_start, net = 256);
	REFUSED(CAPTURE_START, capture_start, net = MSG_NET_ALL);
}

static void
addresses_that_are_added(void **state UNUSED)
{
	struct msg m = good(MSG_ALIAS_SET);
	uint8_t *b = m.u.alias_set.addr.b;

	REFUSED(ALIAS_SET, alias_set, addr.len = 4);
	REFUSED(ALIAS_SET, alias_set, addr.b[12] = 0);
	REFUSED(ALIAS_SET, alias_set, addr.b[12] = 127);
	REFUSED(ALIAS_SET, alias_set, addr.b[12] = 224);
	ALLOWED(ALIAS_SET, alias_set, addr.b[12] = 223);
	REFUSED_STR(ALIAS_SET, alias_set, ifname, "");
	REFUSED_STR(ALIAS_SET, alias_set, ifname, "../lo");
	REFUSED(ALIAS_ANNOUNCE, alias_announce, addr.len = 4);
	REFUSED(ALIAS_ANNOUNCE, alias_announce, addr.b[12] = 224);
	REFUSED_STR(ALIAS_ANNOUNCE, alias_announce, ifname, "");
	memset(b, 0, 16);
	expect(POLICY_REFUSED, &m, "::");
	b[15] = 1;
	expect(POLICY_REFUSED, &m, "::1");
	b[0] = 0x20;
	expect(POLICY_ALLOWED, &m, "2000::1");
	b[0] = 0xff;
	expect(POLICY_REFUSED, &m, "multicast");
	b[0] = 0xfe;
	b[1] = 0x80;
	expect(POLICY_REFUSED, &m, "link-local");
}

static void
captured_ports(void **state UNUSED)
{
	struct msg m = good(MSG_NAT_CAPTURE);
	uint8_t *b = m.u.nat_capture.addr.b;

	REFUSED(NAT_CAPTURE, nat_capture, port = 0);
	REFUSED(NAT_CAPTURE, nat_capture, to_port = 0);
	REFUSED(NAT_CAPTURE, nat_capture, to_port = 80);
	REFUSED(NAT_CAPTURE, nat_capture, addr.len = 4);
	REFUSED(NAT_CAPTURE, nat_capture, addr.b[12] = 0);
	REFUSED(NAT_CAPTURE, nat_capture, addr.b[12] = 224);
	ALLOWED(NAT_CAPTURE, nat_capture, addr.b[12] = 127);
	memset(b, 0, 16);
	expect(POLICY_REFUSED, &m, "::");
	b[15] = 1;
	expect(POLICY_ALLOWED, &m, "::1");
	b[0] = 0x20;
	expect(POLICY_ALLOWED, &m, "2000::1");
	b[0] = 0xfe;
	b[1] = 0x80;
	expect(POLICY_REFUSED, &m, "link-local");
}

static void
link_local_addresses_have_an_interface(void **state UNUSED)
{
	struct msg m = good(MSG_SOCK_LISTEN);
	struct msg_sock_listen *l = &m.u.sock_listen;

	memset(l->addr.b, 0, sizeof(l->addr.b));
	l->family = REDIRECT_IP6;
	expect(POLICY_ALLOWED, &m, "::");
	l->addr.b[15] = 1;
	expect(POLICY_ALLOWED, &m, "::1");
	l->addr.b[0] = 0xfe;
	l->addr.b[1] = 0x80;
	expect(POLICY_REFUSED, &m, "fe80::1 alone");
	MSG_SET_STR(l->ifname, "eth0");
	expect(POLICY_ALLOWED, &m, "fe80::1%eth0");
	MSG_SET_STR(l->ifname, "../net");
	expect(POLICY_REFUSED, &m, "a path");
	MSG_SET_STR(l->ifname, "eth0");
	l->addr.b[0] = 0xff;
	expect(POLICY_REFUSED, &m, "multicast");
	l->addr.b[0] = 0x20;
	expect(POLICY_REFUSED, &m, "an interface that means nothing");
}

static void
addresses_and_subnets(void **state UNUSED)
{
	ALLOWED(ADDR_ADD, addr_add, addr = IP(223, 255, 255, 254));
	REFUSED(ADDR_ADD, addr_add, addr = IP(0, 0, 0, 0));
	REFUSED(ADDR_ADD, addr_add, addr = IP(127, 0, 0, 1));
	REFUSED(ADDR_ADD, addr_add, addr = IP(224, 0, 0, 1));
	REFUSED(ADDR_DEL, addr_del, addr = IP(255, 255, 255, 255));
	REFUSED(NEIGH_SET, neigh_set, addr = IP(127, 0, 0, 1));
	REFUSED(NEIGH_SET, neigh_set, mac.b[0] = 0x01);
	REFUSED(NEIGH_SET, neigh_set, mac = (struct mac){0});
	REFUSED(NEIGH_DEL, neigh_del, addr = IP(224, 0, 0, 1));
	REFUSED(SOCK_DHCP, sock_dhcp, server = IP(0, 0, 0, 0));
	REFUSED(SOCK_DNS, sock_dns, addr = IP(127, 0, 0, 53));

	ALLOWED(ROUTE_ADD, route_add, src = IP(0, 0, 0, 0));
	REFUSED(ROUTE_ADD, route_add, src = IP(10, 0, 9, 1));
	REFUSED(ROUTE_ADD, route_add, dst = IP(10, 0, 8, 1));
	REFUSED(ROUTE_ADD, route_add, dst = IP(0, 0, 0, 0));
	REFUSED(ROUTE_ADD, route_add, dst = IP(127, 0, 0, 0));
	REFUSED(ROUTE_ADD, route_add, len = 31);
	REFUSED(ROUTE_ADD, route_add, len = 33);
	REFUSED(ROUTE_ADD, route_add, len = 0);
	REFUSED(ROUTE_DEL, route_del, len = 7);
	ALLOWED(ROUTE_DEL, route_del, len = 30);

	ALLOWED(NAT_NET, nat_net, host = IP(0, 0, 0, 0));
	REFUSED(NAT_NET, nat_net, host = IP(10, 0, 9, 1));
	REFUSED(NAT_NET, nat_net, gateway = IP(10, 0, 9, 2));
	REFUSED(NAT_NET, nat_net, subnet = IP(10, 0, 8, 128));
	REFUSED(NAT_NET, nat_net, len = 32);
	REFUSED(NAT_FORWARD, nat_forward, proto = PROTO_N);
	REFUSED(HOLD_SET, hold_set, proto = PROTO_N);
	REFUSED(HOLD_SET, hold_set, port = 0);
	REFUSED(HOLD_END, hold_end, proto = PROTO_N);
	REFUSED(HOLD_END, hold_end, port = 0);
	REFUSED(SOCK_RELAY, sock_relay, proto = PROTO_N);
	REFUSED(SOCK_RELAY, sock_relay, port = 0);
	REFUSED(NAT_FORWARD, nat_forward, port = 0);
	REFUSED(NAT_FORWARD, nat_forward, guest_port = 0);
	REFUSED(NAT_FORWARD, nat_forward, guest = IP(127, 0, 0, 1));
	REFUSED(NAT_FLUSH_FORWARD, nat_flush_forward, proto = PROTO_N);
	REFUSED(NAT_FLUSH_FORWARD, nat_flush_forward, port = 0);
	ALLOWED(FLOW_DEV, flow_dev, ifname[3] = '.');
	ALLOWED(FLOW_DEV, flow_dev, gone = true);
	REFUSED(FLOW_DEV, flow_dev, ifname[0] = '\0');
	REFUSED(FLOW_DEV, flow_dev, ifname[1] = '/');
	REFUSED(FLOW_DEV, flow_dev, ifname[3] = ' ');
	REFUSED_STR(FLOW_DEV, flow_dev, ifname, "vmnet8p1");
	ALLOWED_STR(FLOW_DEV, flow_dev, ifname, "vmnet8");
	REFUSED(FIREWALL_SCAN, firewall_scan, bridges.len = 0);
	REFUSED(FOREIGN_ALLOW, foreign_allow, place = FOREIGN_PLACE_N);
	ALLOWED(FOREIGN_ALLOW, foreign_allow, place = FOREIGN_IPTABLES_INPUT);
	REFUSED(FOREIGN_ALLOW, foreign_allow, through.len = 0);
	REFUSED(FOREIGN_ALLOW, foreign_allow, inside.len = 31);
	REFUSED(NAT_NET, nat_net, routes.len = 31);
	ALLOWED(NAT_NET, nat_net, routes.len = 32);
	ALLOWED(NAT_NET, nat_net, snat = IP(198, 51, 100, 1));
	REFUSED(NAT_NET, nat_net, snat = IP(127, 0, 0, 1));
	REFUSED(NAT_NET, nat_net, snat = IP(224, 0, 0, 1));
	ALLOWED(NAT_NET, nat_net, snat_lo = m_.u.nat_net.snat_hi = 1024);
	REFUSED(NAT_NET, nat_net, snat_lo = 1024);
	REFUSED(NAT_NET, nat_net, snat_hi = 1024);
	REFUSED(NAT_NET, nat_net, low_tcp.len = 1);
	REFUSED(NAT_NET, nat_net, low_udp.len = 63);
	ALLOWED(NAT_NET, nat_net, low_udp.len = 64);
	ALLOWED_STR(NAT_NET, nat_net, egress, "eth1");
	REFUSED_STR(NAT_NET, nat_net, egress, "vmnet8");
	REFUSED_STR(NAT_NET, nat_net, egress, "a/b");
	REFUSED(CONN_LIST, conn_list, net = 256);
	ALLOWED(CONN_LIST, conn_list, net = MSG_NET_ALL);
	REFUSED(NAT_FORWARD_GONE, nat_forward_gone, proto = PROTO_N);
	REFUSED(NAT_FORWARD_GONE, nat_forward_gone, port = 0);
	REFUSED(NAT_FORWARD_GONE, nat_forward_gone, guest = IP(127, 0, 0, 1));
}

static void
networks(void **state UNUSED)
{
	ALLOWED(BRIDGE_SET, bridge_set, mtu = 65535);
	REFUSED(BRIDGE_SET, bridge_set, mtu = 67);
	REFUSED(BRIDGE_SET, bridge_set, mtu = 0);
	ALLOWED_STR(BRIDGE_SET, bridge_set, text, "");
	REFUSED_STR(BRIDGE_SET, bridge_set, text, "two\nlines");

	ALLOWED_STR(SYSCTL_SET, sysctl_set, ifname, "vmnet8");
	REFUSED_STR(SYSCTL_SET, sysctl_set, ifname, "vmnet9");
	REFUSED_STR(SYSCTL_SET, sysctl_set, ifname, "eth0");
	REFUSED_STR(SYSCTL_SET, sysctl_set, ifname, "all");
	REFUSED_STR(SYSCTL_SET, sysctl_set, ifname, "../all");
	REFUSED(SYSCTL_SET, sysctl_set, profile = SYSCTL_PROFILE_N);
	REFUSED(SYSCTL_SET, sysctl_set, profile = SYSCTL_PROFILE_PORT); /* vmnet8 is no port */
	REFUSED(LOG_LEVEL, log_level, level = 4);
}

static void
taps(void **state UNUSED)
{
	struct msg m;

	REFUSED_STR(TAP_ADD, tap_add, ifname, "vmnet9p1");
	REFUSED_STR(TAP_ADD, tap_add, ifname, "vmnet8");
	REFUSED_STR(TAP_ADD, tap_add, ifname, "vmnet8p01");
	REFUSED_STR(TAP_ADD, tap_add, ifname, "vmnet8p0");
	REFUSED_STR(TAP_ADD, tap_add, ifname, "vmnet8p%d");
	REFUSED_STR(TAP_ADD, tap_add, ifname,
		    "fc0"); /* only a tap that stays has a name of its own */
	REFUSED_STR(TAP_ADD, tap_add, text, "\x1b[31m");
	REFUSED(TAP_ADD, tap_add, queues = 0);
	ALLOWED(TAP_ADD, tap_add, queues = 16);
	REFUSED(TAP_ADD, tap_add, queues = 17);
	REFUSED(TAP_ADD, tap_add, mac.b[0] = 0x52);
	REFUSED(TAP_ADD, tap_add, mtu = 1);
	REFUSED(TAP_ADD, tap_add, persist = true); /* nobody owns it */

	m = good(MSG_TAP_ADD);
	m.u.tap_add.persist = true;
	m.u.tap_add.owner = 1000;
	expect(POLICY_ALLOWED, &m, "an owner");
	MSG_SET_STR(m.u.tap_add.ifname, "fc0");
	expect(POLICY_ALLOWED, &m, "a name of its own");
	MSG_SET_STR(m.u.tap_add.ifname, "vmnetx");
	expect(POLICY_REFUSED, &m, "a reserved name");
	MSG_SET_STR(m.u.tap_add.ifname, "a/b");
	expect(POLICY_REFUSED, &m, "a slash");
}

static void
veths_and_ports(void **state UNUSED)
{
	REFUSED_STR(VETH_ADD, veth_add, ifname, "vmnet9p1");
	REFUSED_STR(VETH_ADD, veth_add, ifname, "veth0");
	ALLOWED_STR(VETH_ADD, veth_add, peer_name, "ens3");
	REFUSED_STR(VETH_ADD, veth_add, peer_name, "");
	REFUSED_STR(VETH_ADD, veth_add, peer_name, "..");
	REFUSED_STR(VETH_ADD, veth_add, peer_name, "eth%d");
	REFUSED_STR(VETH_ADD, veth_add, text, "a\tb");
	REFUSED(VETH_ADD, veth_add, peer_mac.b[0] = 0x01);
	REFUSED(VETH_ADD, veth_add, peer_mac = (struct mac){{0}});
	REFUSED(VETH_ADD, veth_add, mac.b[0] = 0x02);
	REFUSED(VETH_ADD, veth_add, mtu = 0);

	REFUSED_STR(PORT_DEL, port_del, ifname, "vmnet8");
	REFUSED_STR(PORT_DEL, port_del, ifname, "");
	REFUSED_STR(PORT_SET, port_set, ifname, "vmnet255");
	ALLOWED(PORT_SET, port_set, mtu = 0);
	REFUSED(PORT_SET, port_set, mtu = 20);
	ALLOWED(PORT_SET, port_set, mac = ((struct mac){{0xfe, 0, 8, 0, 0, 1}}));
	REFUSED(PORT_SET, port_set, mac = ((struct mac){{0x52, 0x54, 0, 1, 2, 3}}));
	REFUSED(PORT_SET, port_set, mac = ((struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}));
	REFUSED_STR(PORT_ENSLAVE, port_enslave, ifname, "vmnet1");
	REFUSED_STR(PORT_ENSLAVE, port_enslave, ifname, "a b");
}

/* A good GATE_SET with another choice of addresses: refused with this sentence, NULL: allowed. */
static void
expect_addresses(int policy, struct mac mac, unsigned learn, const char *want)
{
	struct msg m = good(MSG_GATE_SET);
	char what[64];

	m.u.gate_set.mac_policy = (uint8_t)policy;
	m.u.gate_set.mac = mac;
	m.u.gate_set.learn = (uint16_t)learn;
	snprintf(what, sizeof(what), "policy %d, address %02x:..., learn %u", policy, mac.b[0],
		 learn);
	expect(want ? POLICY_REFUSED : POLICY_ALLOWED, &m, what);
	assert_string_equal(sentence(&m), want ? want : "");
}

static void
addresses_of_gates(void **state UNUSED)
{
	static const char no_address[] = "not an address for a guest";
	static const char no_number[] = "a port learns 1 to 4096 addresses, if it learns";
	const struct mac guest = {{0x52, 0x54, 0, 1, 2, 3}}, group = {{0x01, 0, 0x5e, 0, 0, 1}},
			 none = {{0}};

	expect_addresses(MAC_POLICY_GIVEN, guest, 0, NULL);
	expect_addresses(MAC_POLICY_GIVEN, none, 0, no_address);
	expect_addresses(MAC_POLICY_GIVEN, group, 0, no_address);
	expect_addresses(MAC_POLICY_STICKY, none, 0, NULL);
	expect_addresses(MAC_POLICY_STICKY, guest, 0, NULL);
	expect_addresses(MAC_POLICY_STICKY, group, 0, no_address);
	expect_addresses(MAC_POLICY_LEARN, none, 1, NULL);
	expect_addresses(MAC_POLICY_LEARN, guest, 4096, NULL);
	expect_addresses(MAC_POLICY_LEARN, group, 1, no_address);
	expect_addresses(MAC_POLICY_LEARN, none, 0, no_number);
	expect_addresses(MAC_POLICY_LEARN, none, 4097, no_number);
	expect_addresses(MAC_POLICY_ANY, none, 0, NULL);
	expect_addresses(MAC_POLICY_ANY, guest, 0, no_address);
	for (int policy = 0; policy < MAC_POLICY_N; policy++)
		if (policy != MAC_POLICY_LEARN)
			expect_addresses(policy, policy == MAC_POLICY_ANY ? none : guest, 1,
					 no_number);
	expect_addresses(MAC_POLICY_N, guest, 0, "there is no such policy");
	expect_addresses(255, guest, 0, "there is no such policy");
}

static void
gates(void **state UNUSED)
{
	struct msg m;

	/* Any port of ours or of others, but no network. */
	ALLOWED_STR(GATE_SET, gate_set, ifname, "vnet0");
	ALLOWED_STR(GATE_SET, gate_set, ifname, "vmnet9p1"); /* where it is, the kernel knows */
	REFUSED_STR(GATE_SET, gate_set, ifname, "vmnet8");
	REFUSED_STR(GATE_SET, gate_set, ifname, "");
	REFUSED_STR(GATE_SET, gate_set, ifname, "a/b");
	ALLOWED(GATE_SET, gate_set, flags = GATE_FLAGS_ALL);
	REFUSED(GATE_SET, gate_set, flags = GATE_FLAGS_ALL + 1);
	REFUSED(GATE_SET, gate_set, flags = 0x8000);
	ALLOWED(GATE_SET, gate_set, flood = GATE_FLOOD_MAX);
	REFUSED(GATE_SET, gate_set, flood = GATE_FLOOD_MAX + 1);
	ALLOWED(GATE_SET, gate_set, dhcp_rate = GATE_DHCP_RATE_MAX);
	REFUSED(GATE_SET, gate_set, dhcp_rate = GATE_DHCP_RATE_MAX + 1);
	ALLOWED(GATE_SET, gate_set, rate_in_kbit = UINT32_MAX);
	ALLOWED(GATE_SET, gate_set, rate_out_kbit = UINT32_MAX);
	ALLOWED(GATE_SET, gate_set, promisc = true);
	ALLOWED(GATE_SET, gate_set, unpin = true);
	ALLOWED(GATE_SET, gate_set, lent = true);

	ALLOWED_STR(GATE_SET, gate_set, span, "vnet1");
	REFUSED_STR(GATE_SET, gate_set, span, "vmnet8p1"); /* itself */
	REFUSED_STR(GATE_SET, gate_set, span, "vmnet8");
	REFUSED_STR(GATE_SET, gate_set, span, "..");

	/* One server that is told of messages, and of a limit with them. */
	m = good(MSG_GATE_SET);
	m.u.gate_set.dhcp_leases = 16;
	expect(POLICY_REFUSED, &m, "a limit for nobody");
	m.u.gate_set.dhcp_server = IP(10, 0, 8, 254);
	expect(POLICY_REFUSED, &m, "a server without the address for all");
	m.u.gate_set.dhcp_broadcast = IP(10, 0, 8, 255);
	expect(POLICY_ALLOWED, &m, "a limit");
	m.u.gate_set.dhcp_leases = 0;
	expect(POLICY_ALLOWED, &m, "a server without a limit");
	m.u.gate_set.dhcp_server = IP(255, 255, 255, 255);
	expect(POLICY_REFUSED, &m, "a server that is no host");
	m.u.gate_set.dhcp_server = IP(0, 0, 0, 0);
	expect(POLICY_REFUSED, &m, "an address for all without a server");
	assert_string_equal(sentence(&m), "a limit of leases is for one DHCP server");

	/* An address only for its guard. */
	m = good(MSG_GATE_SET);
	m.u.gate_set.ip = IP(10, 0, 8, 128);
	expect(POLICY_REFUSED, &m, "an address without its guard");
	m.u.gate_set.flags = GATE_IP;
	expect(POLICY_ALLOWED, &m, "an address with its guard");
	m.u.gate_set.ip = IP(0, 0, 0, 0);
	expect(POLICY_ALLOWED, &m, "no address so far");
	m.u.gate_set.ip = IP(127, 0, 0, 1);
	expect(POLICY_REFUSED, &m, "loopback");
	m.u.gate_set.ip = IP(224, 0, 0, 1);
	expect(POLICY_REFUSED, &m, "a group");
	assert_string_equal(sentence(&m), "not an address that a host can have");

	REFUSED(GATE_DEL, gate_del, ifindex = 0);
	ALLOWED(GATE_DEL, gate_del, ifindex = INT32_MAX);
	REFUSED(GATE_DEL, gate_del, ifindex = (uint32_t)INT32_MAX + 1);
	ALLOWED(GATE_FASTEN, gate_fasten, replace = true);
	REFUSED(GATE_FASTEN, gate_fasten, ifindex = 0);
	REFUSED(GATE_FASTEN, gate_fasten, ifindex = UINT32_MAX);
	REFUSED(GATE_FORGET, gate_forget, ifindex = 0);
	REFUSED(GATE_FORGET, gate_forget, ifindex = UINT32_MAX);
	REFUSED(GATE_FORGET, gate_forget, mac = (struct mac){{0}});
	REFUSED(GATE_FORGET, gate_forget, mac.b[0] = 0x01);
}

static void
sentences_about_gates(void **state UNUSED)
{
	static const struct {
		struct msg_gate_set set;
		const char *want;
	} rows[] = {
	    {{.net = 256, .ifname = "p"}, "a network number is 0 to 255"},
	    {{.ifname = "vmnet1"}, "a network is not a port"},
	    {{.ifname = "a b"}, "not an interface name"},
	    {{.ifname = "p", .flags = 0x20}, "there is no such guard"},
	    {{.ifname = "p", .flood = 1000001}, "the limit of broadcasts is too high"},
	    {{.ifname = "p", .dhcp_rate = 1000001}, "the limit of DHCP messages is too high"},
	    {{.ifname = "p", .dhcp_leases = 1}, "a limit of leases is for one DHCP server"},
	    {{.ifname = "p", .span = "p"}, "not a port that can get copies"},
	};
	struct msg m = good(MSG_GATE_DEL);

	m.u.gate_del.ifindex = 0;
	assert_string_equal(sentence(&m), "not the number of an interface");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		m = good(MSG_GATE_SET);
		m.u.gate_set = rows[i].set;
		assert_string_equal(sentence(&m), rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_role_and_every_message),
	    cmocka_unit_test(a_role_or_a_type_that_does_not_exist),
	    cmocka_unit_test(requests_have_an_id_and_rows_have_none),
	    cmocka_unit_test(network_numbers),
	    cmocka_unit_test(files),
	    cmocka_unit_test(workers_and_listening_sockets),
	    cmocka_unit_test(link_local_addresses_have_an_interface),
	    cmocka_unit_test(files_that_lines_are_written_to),
	    cmocka_unit_test(captures_are_of_networks_and_ports),
	    cmocka_unit_test(addresses_that_are_added),
	    cmocka_unit_test(captured_ports),
	    cmocka_unit_test(addresses_and_subnets),
	    cmocka_unit_test(networks),
	    cmocka_unit_test(taps),
	    cmocka_unit_test(veths_and_ports),
	    cmocka_unit_test(addresses_of_gates),
	    cmocka_unit_test(gates),
	    cmocka_unit_test(sentences_about_gates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
