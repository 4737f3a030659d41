/* SPDX-License-Identifier: GPL-2.0-or-later
 * policy.c - role x verb x arguments -> yes or no. Pure: no system call, no log, no state.
 *
 * Read the table at the end first: it is the complete list of what priv does. Two more fences stand in
 * the handlers, because they need the kernel's view: links are changed only when they are ours by alias
 * (names_is_ours()), files are opened below the folders that start-up opened.
 */
#include "vnetd/policy.h"

#include <assert.h>
#include <string.h>

#include "conf/redirect.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vnetd/names.h"

/* A check returns NULL or what is wrong with the arguments. */
typedef const char *check_fn(enum role from, const struct msg *m);

enum {
	E = 1 << ROLE_ENGINE,
	D = 1 << ROLE_DHCPD,
	N = 1 << ROLE_NATD,
	R = 1 << ROLE_REDIRD,
};

struct rule {
	unsigned roles; /* 0: nobody says this to priv */
	bool request;   /* has an id and gets a REPLY */
	check_fn *check;
};

/* An address that a host can have: not 0/8, loopback, multicast or beyond. */
static bool
is_host_address(struct ip4 a)
{
	uint32_t first = a.h >> 24;

	return first != 0 && first != 127 && first < 224;
}

static bool
is_subnet(struct ip4 addr, uint8_t len)
{
	return len >= POLICY_LEN_MIN && len <= POLICY_LEN_MAX && is_host_address(addr) &&
	       (addr.h & ~ip4_mask(len).h) == 0;
}

/* 0, or a host address inside the subnet. */
static bool
is_inside(struct ip4 a, struct ip4 subnet, uint8_t len)
{
	return a.h == 0 ||
	       (is_host_address(a) && prefix4_contains((struct prefix4){subnet, len}, a));
}

/* fe:..., so that our end of a port never has a guest's address. */
static bool
is_our_end(struct mac m)
{
	return m.b[0] == 0xfe;
}

static bool
is_alias_text(unsigned net, const char *text)
{
	char alias[NAMES_ALIAS_MAX];

	return names_alias(alias, net, text);
}

static const char *
net_number(unsigned net)
{
	return net < NAMES_NETS ? NULL : "a network number is 0 to 255";
}

static const char *
mtu(unsigned value)
{
	return value >= POLICY_MTU_MIN ? NULL : "an MTU is at least 68";
}

/* A link that can be a port: any name but a network's own. */
static const char *
port_name(const char *name)
{
	if (!names_ifname_ok(name))
		return "not an interface name";
	return names_bridge_parse(NULL, name) ? "a network is not a port" : NULL;
}

static const char *
port_on(unsigned net, const char *name)
{
	return net < NAMES_NETS ? port_name(name) : net_number(net);
}

/* vmnetNpM of this very network. */
static bool
is_port_of(unsigned net, const char *name)
{
	unsigned n;

	return names_port_parse(&n, NULL, name) && n == net;
}

static const char *
check_nothing(enum role from UNUSED, const struct msg *m UNUSED)
{
	return NULL;
}

static const char *
check_log_level(enum role from UNUSED, const struct msg *m)
{
	return m->u.log_level.level <= LOG_LEVEL_DEBUG ? NULL : "there is no such log level";
}

static const char *
conf_file(unsigned file, unsigned net)
{
	if (file >= CONF_FILE_N)
		return "there is no such file";
	/* The first group exists once; the number means nothing there. */
	return file == CONF_FILE_DHCPD || file == CONF_FILE_NAT ? net_number(net) : NULL;
}

static const char *
check_conf_open(enum role from UNUSED, const struct msg *m)
{
	return conf_file(m->u.conf_open.file, m->u.conf_open.net);
}

static const char *
check_conf_replace(enum role from UNUSED, const struct msg *m)
{
	return conf_file(m->u.conf_replace.file, m->u.conf_replace.net);
}

static const char *
check_conf_remove(enum role from UNUSED, const struct msg *m)
{
	unsigned file = m->u.conf_remove.file;

	if (file != CONF_FILE_DHCPD && file != CONF_FILE_NAT)
		return "only a network's own files are removed";
	return net_number(m->u.conf_remove.net);
}

/* natd answers names as the host knows them; the engine resolves names of users and groups too. */
static const char *
host_file(enum role from, unsigned file)
{
	if (file >= HOST_FILE_N)
		return "there is no such file";
	if (from == ROLE_ENGINE || file == HOST_FILE_RESOLV_CONF || file == HOST_FILE_HOSTS)
		return NULL;
	return "only resolv.conf and hosts";
}

static const char *
check_host_open(enum role from, const struct msg *m)
{
	return host_file(from, m->u.host_open.file);
}

static const char *
check_host_watch(enum role from, const struct msg *m)
{
	return host_file(from, m->u.host_watch.file);
}

static const char *
check_bridge_set(enum role from UNUSED, const struct msg *m)
{
	const struct msg_bridge_set *b = &m->u.bridge_set;
	const char *why = net_number(b->net);

	if (!why)
		why = mtu(b->mtu);
	if (!why && !is_alias_text(b->net, b->text))
		why = "the alias has control characters or is too long";
	return why;
}

static const char *
check_bridge_del(enum role from UNUSED, const struct msg *m)
{
	return net_number(m->u.bridge_del.net);
}

static const char *
host_address(unsigned net, struct ip4 addr)
{
	if (net_number(net))
		return net_number(net);
	return is_host_address(addr) ? NULL : "not an address that a host can have";
}

static const char *
check_addr_add(enum role from UNUSED, const struct msg *m)
{
	return host_address(m->u.addr_add.net, m->u.addr_add.addr);
}

static const char *
check_addr_del(enum role from UNUSED, const struct msg *m)
{
	return host_address(m->u.addr_del.net, m->u.addr_del.addr);
}

static const char *
subnet(unsigned net, struct ip4 addr, uint8_t len)
{
	if (net_number(net))
		return net_number(net);
	return is_subnet(addr, len) ? NULL : "not a subnet from /8 to /30";
}

static const char *
check_route_add(enum role from UNUSED, const struct msg *m)
{
	const struct msg_route_add *r = &m->u.route_add;
	const char *why = subnet(r->net, r->dst, r->len);

	if (!why && !is_inside(r->src, r->dst, r->len))
		why = "the source is not inside the subnet";
	return why;
}

static const char *
check_route_del(enum role from UNUSED, const struct msg *m)
{
	return subnet(m->u.route_del.net, m->u.route_del.dst, m->u.route_del.len);
}

static const char *
check_neigh_set(enum role from UNUSED, const struct msg *m)
{
	const struct msg_neigh_set *n = &m->u.neigh_set;

	if (host_address(n->net, n->addr))
		return host_address(n->net, n->addr);
	return mac_is_zero(n->mac) || mac_is_multicast(n->mac) ? "not a guest's address" : NULL;
}

static const char *
check_neigh_del(enum role from UNUSED, const struct msg *m)
{
	return host_address(m->u.neigh_del.net, m->u.neigh_del.addr);
}

static const char *
check_sysctl_set(enum role from UNUSED, const struct msg *m)
{
	const struct msg_sysctl_set *s = &m->u.sysctl_set;
	unsigned net;

	if (net_number(s->net))
		return net_number(s->net);
	if (s->profile >= SYSCTL_PROFILE_N)
		return "there is no such profile";
	if (s->profile == SYSCTL_PROFILE_PORT)
		return port_name(s->ifname);
	return names_bridge_parse(&net, s->ifname) && net == s->net ? NULL
								    : "not this network's bridge";
}

static const char *
check_tap_add(enum role from UNUSED, const struct msg *m)
{
	const struct msg_tap_add *t = &m->u.tap_add;

	if (net_number(t->net))
		return net_number(t->net);
	if (!is_port_of(t->net, t->ifname) &&
	    !(t->persist && names_ifname_ok(t->ifname) && !names_reserved(t->ifname)))
		return "not a name for a tap of this network";
	if (!is_our_end(t->mac))
		return "our end's address begins with fe";
	if (t->queues < 1 || t->queues > POLICY_QUEUES_MAX)
		return "a tap has 1 to 16 queues";
	if (t->persist && t->owner == MSG_UID_NONE)
		return "a tap that stays needs an owner";
	if (!is_alias_text(t->net, t->text))
		return "the alias has control characters or is too long";
	return mtu(t->mtu);
}

static const char *
check_veth_add(enum role from UNUSED, const struct msg *m)
{
	const struct msg_veth_add *v = &m->u.veth_add;

	if (net_number(v->net))
		return net_number(v->net);
	if (!is_port_of(v->net, v->ifname))
		return "not a name for a port of this network";
	if (!is_our_end(v->mac))
		return "our end's address begins with fe";
	if (!names_ifname_ok(v->peer_name))
		return "not an interface name for the guest's end";
	if (mac_is_zero(v->peer_mac) || mac_is_multicast(v->peer_mac))
		return "not an address for a guest";
	if (!is_alias_text(v->net, v->text))
		return "the alias has control characters or is too long";
	return mtu(v->mtu);
}

static const char *
check_port_del(enum role from UNUSED, const struct msg *m)
{
	return port_name(m->u.port_del.ifname);
}

static const char *
check_port_enslave(enum role from UNUSED, const struct msg *m)
{
	return port_on(m->u.port_enslave.net, m->u.port_enslave.ifname);
}

static const char *
check_port_set(enum role from UNUSED, const struct msg *m)
{
	const struct msg_port_set *p = &m->u.port_set;
	const char *why = port_on(p->net, p->ifname);

	if (!why && p->mtu)
		why = mtu(p->mtu);
	if (!why && !mac_is_zero(p->mac) && !is_our_end(p->mac))
		why = "our end's address begins with fe";
	if (!why && p->off && p->up)
		why = "a port that leaves its bridge is down";
	return why;
}

static bool
is_guest_mac(struct mac m)
{
	return !mac_is_zero(m) && !mac_is_multicast(m);
}

/* Which addresses: exactly one, one or none so far, none. */
static const char *
gate_addresses(const struct msg_gate_set *g)
{
	if (g->mac_policy >= MAC_POLICY_N)
		return "there is no such policy";
	if (g->mac_policy == MAC_POLICY_GIVEN && !is_guest_mac(g->mac))
		return "not an address for a guest";
	if (!mac_is_zero(g->mac) && (g->mac_policy == MAC_POLICY_ANY || !is_guest_mac(g->mac)))
		return "not an address for a guest";
	if (g->mac_policy == MAC_POLICY_LEARN ? g->learn < 1 || g->learn > GATE_LEARN_MAX
					      : g->learn != 0)
		return "a port learns 1 to 4096 addresses, if it learns";
	return NULL;
}

/* One server of ours, or none, and then no leases of its to limit. */
static bool
gate_server_ok(const struct msg_gate_set *g)
{
	if (is_host_address(g->dhcp_server))
		return is_host_address(g->dhcp_broadcast);
	return !g->dhcp_server.h && !g->dhcp_leases && !g->dhcp_broadcast.h;
}

static const char *
check_gate_set(enum role from UNUSED, const struct msg *m)
{
	const struct msg_gate_set *g = &m->u.gate_set;
	const char *why = port_on(g->net, g->ifname);

	if (!why)
		why = gate_addresses(g);
	if (!why && g->flags & ~GATE_FLAGS_ALL)
		why = "there is no such guard";
	if (!why && g->ip.h && (!(g->flags & GATE_IP) || !is_host_address(g->ip)))
		why = "not an address that a host can have";
	if (!why && g->flood > GATE_FLOOD_MAX)
		why = "the limit of broadcasts is too high";
	if (!why && g->dhcp_rate > GATE_DHCP_RATE_MAX)
		why = "the limit of DHCP messages is too high";
	if (!why && !gate_server_ok(g))
		why = "a limit of leases is for one DHCP server";
	if (!why && g->span[0] && (port_name(g->span) || !strcmp(g->span, g->ifname)))
		why = "not a port that can get copies";
	return why;
}

static const char *
ifindex(uint32_t value)
{
	return value >= 1 && value <= INT32_MAX ? NULL : "not the number of an interface";
}

static const char *
check_gate_del(enum role from UNUSED, const struct msg *m)
{
	return ifindex(m->u.gate_del.ifindex);
}

static const char *
check_gate_fasten(enum role from UNUSED, const struct msg *m)
{
	return ifindex(m->u.gate_fasten.ifindex);
}

static const char *
check_gate_forget(enum role from UNUSED, const struct msg *m)
{
	const char *why = ifindex(m->u.gate_forget.ifindex);

	if (!why && !is_guest_mac(m->u.gate_forget.mac))
		why = "not an address for a guest";
	return why;
}

static const char *
check_gate_list(enum role from UNUSED, const struct msg *m)
{
	return m->u.gate_list.net == MSG_NET_ALL ? NULL : net_number(m->u.gate_list.net);
}

static const char *
check_worker_want(enum role from UNUSED, const struct msg *m)
{
	return m->u.worker_want.role == ROLE_REDIRD ? NULL : "that worker always runs";
}

/* An address that a TCP socket can be bound to, and that goes with the kind of socket. */
static const char *
listen_address(const uint8_t a[16], uint8_t family, const char *ifname)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, none[16];
	bool is4 = memcmp(a, mapped, sizeof(mapped)) == 0;
	bool link_local = a[0] == 0xfe && (a[1] & 0xc0) == 0x80;

	switch ((enum redirect_family)family) {
	case REDIRECT_DUAL:
	case REDIRECT_DUAL_FORCED:
		if (memcmp(a, none, sizeof(none)) != 0)
			return "a socket of both families has no address";
		break;
	case REDIRECT_IP4:
		if (!is4 || a[12] >= 224)
			return "not an IPv4 address that a host can have";
		break;
	case REDIRECT_IP6:
		if (is4 || a[0] == 0xff)
			return "not an IPv6 address that a host can have";
		break;
	}
	if (link_local != (ifname[0] != '\0') || (ifname[0] && !names_ifname_ok(ifname)))
		return "an interface belongs to a link-local address, and to no other";
	return NULL;
}

/* SOCK_LISTEN and LISTEN_KEEP have the same fields. */
#define LISTEN_CHECK(m)                                                                            \
	((m)->addr.len != sizeof((m)->addr.b) ? "an address has 16 bytes"                          \
	 : (m)->family >= REDIRECT_FAMILY_N   ? "there is no such kind of socket"                  \
	 : (m)->port == 0                     ? "there is no port 0"                               \
			  : listen_address((m)->addr.b, (m)->family, (m)->ifname))

static const char *
check_sock_listen(enum role from UNUSED, const struct msg *m)
{
	return LISTEN_CHECK(&m->u.sock_listen);
}

static const char *
check_listen_keep(enum role from UNUSED, const struct msg *m)
{
	return LISTEN_CHECK(&m->u.listen_keep);
}

/* An address that this host may answer for instead of another. */
static const char *
own_address(const uint8_t b[16], size_t len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, none[15];
	bool is4 = memcmp(b, mapped, sizeof(mapped)) == 0;

	if (len != 16)
		return "an address has 16 bytes";
	if (is4 ? b[12] == 0 || b[12] == 127 || b[12] >= 224
		: b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
		      memcmp(b, none, sizeof(none)) == 0)
		return "not an address that a host can have";
	return NULL;
}

static const char *
alias_address(const uint8_t b[16], size_t len, const char *ifname)
{
	const char *why = own_address(b, len);

	return why || names_ifname_ok(ifname) ? why : "not an interface name";
}

static const char *
check_alias_set(enum role from UNUSED, const struct msg *m)
{
	const struct msg_alias_set *a = &m->u.alias_set;

	return alias_address(a->addr.b, a->addr.len, a->ifname);
}

static const char *
check_alias_announce(enum role from UNUSED, const struct msg *m)
{
	const struct msg_alias_announce *a = &m->u.alias_announce;

	return alias_address(a->addr.b, a->addr.len, a->ifname);
}

static const char *
check_listen_take(enum role from UNUSED, const struct msg *m)
{
	return m->u.listen_take.listener != 0 ? NULL : "there is no socket 0";
}

/* The one path that priv is told. It opens it as _vnet, who may do no more than the file's owner allows. */
static const char *
check_log_set(enum role from UNUSED, const struct msg *m)
{
	return redirect_log_path_ok(m->u.log_set.path) ? NULL : "not a path of a log";
}

static const char *
check_sock_dhcp(enum role from UNUSED, const struct msg *m)
{
	return host_address(m->u.sock_dhcp.net, m->u.sock_dhcp.server);
}

static const char *
check_lease_dir(enum role from UNUSED, const struct msg *m)
{
	return net_number(m->u.lease_dir.net);
}

static const char *
check_sock_dns(enum role from UNUSED, const struct msg *m)
{
	return host_address(m->u.sock_dns.net, m->u.sock_dns.addr);
}

/* Nobody else's than an address that a host can have, and ports in their order. */
static const char *
nat_way(const struct msg_nat_net *n)
{
	if (n->snat.h && !is_host_address(n->snat))
		return "guests cannot go out with such an address";
	if (n->snat_lo > n->snat_hi || (n->snat_hi && !n->snat_lo))
		return "not a range of ports";
	if (n->egress[0] && port_name(n->egress))
		return "guests cannot leave by such an interface";
	return n->low_tcp.len % 2 || n->low_udp.len % 2 ? "not a list of ports" : NULL;
}

static const char *
check_nat_net(enum role from UNUSED, const struct msg *m)
{
	const struct msg_nat_net *n = &m->u.nat_net;
	const char *why = subnet(n->net, n->subnet, n->len);

	if (!why &&
	    (!is_inside(n->host, n->subnet, n->len) || !is_inside(n->gateway, n->subnet, n->len)))
		why = "an address is not inside the subnet";
	if (!why && n->routes.len != 0 && n->routes.len != NAT_ROUTES_LEN)
		why = "not a set of networks";
	return why ? why : nat_way(n);
}

static const char *
check_conn_list(enum role from UNUSED, const struct msg *m)
{
	return m->u.conn_list.net < NAMES_NETS || m->u.conn_list.net == MSG_NET_ALL
		   ? NULL
		   : "not a network";
}

static const char *
forward(unsigned net, unsigned proto, unsigned port, struct ip4 guest, unsigned guest_port)
{
	if (proto >= PROTO_N)
		return "neither TCP nor UDP";
	if (port == 0 || guest_port == 0)
		return "there is no port 0";
	return host_address(net, guest);
}

static const char *
check_nat_forward(enum role from UNUSED, const struct msg *m)
{
	const struct msg_nat_forward *f = &m->u.nat_forward;

	return forward(f->net, f->proto, f->port, f->guest, f->guest_port);
}

static const char *
check_nat_forward_gone(enum role from UNUSED, const struct msg *m)
{
	const struct msg_nat_forward_gone *f = &m->u.nat_forward_gone;

	return forward(f->net, f->proto, f->port, f->guest, f->guest_port);
}

static const char *
check_nat_capture(enum role from UNUSED, const struct msg *m)
{
	static const uint8_t loopback4[13] = {[10] = 0xff, [11] = 0xff, 127};
	static const uint8_t loopback6[16] = {[15] = 1};
	const struct msg_nat_capture *n = &m->u.nat_capture;

	if (n->port == 0 || n->to_port == 0 || n->port == n->to_port)
		return "not a port that can lead to another";
	/* 127.0.0.0/8 and ::1 are its own too. */
	if (n->addr.len == 16 && (memcmp(n->addr.b, loopback4, sizeof(loopback4)) == 0 ||
				  memcmp(n->addr.b, loopback6, sizeof(loopback6)) == 0))
		return NULL;
	return own_address(n->addr.b, n->addr.len);
}

/* A port is not routed by itself. That there is such an interface the kernel says. */
static const char *
check_flow_dev(enum role from UNUSED, const struct msg *m)
{
	if (names_port_parse(NULL, NULL, m->u.flow_dev.ifname))
		return "guests' ports are not routed";
	return names_ifname_ok(m->u.flow_dev.ifname) ? NULL : "not an interface name";
}

static const char *
check_nat_flush_forward(enum role from UNUSED, const struct msg *m)
{
	const struct msg_nat_flush_forward *f = &m->u.nat_flush_forward;

	return forward(f->net, f->proto, f->port, f->guest, f->guest_port);
}

static const char *
held_port(unsigned proto, unsigned port)
{
	if (proto >= PROTO_N)
		return "neither TCP nor UDP";
	return port ? NULL : "there is no port 0";
}

static const char *
check_hold_set(enum role from UNUSED, const struct msg *m)
{
	return held_port(m->u.hold_set.proto, m->u.hold_set.port);
}

static const char *
check_hold_end(enum role from UNUSED, const struct msg *m)
{
	return held_port(m->u.hold_end.proto, m->u.hold_end.port);
}

static const char *
check_sock_relay(enum role from UNUSED, const struct msg *m)
{
	return held_port(m->u.sock_relay.proto, m->u.sock_relay.port);
}

static const char *
check_firewall_scan(enum role from UNUSED, const struct msg *m)
{
	return m->u.firewall_scan.bridges.len == NAT_ROUTES_LEN ? NULL : "not a set of networks";
}

/* The rules themselves are priv's: only which networks, and where, is asked for. */
static const char *
check_foreign_allow(enum role from UNUSED, const struct msg *m)
{
	const struct msg_foreign_allow *a = &m->u.foreign_allow;

	if (a->place >= FOREIGN_PLACE_N)
		return "there is no such place";
	if (a->through.len != NAT_ROUTES_LEN || a->inside.len != NAT_ROUTES_LEN)
		return "not a set of networks";
	return NULL;
}

static const char *
check_capture_start(enum role from UNUSED, const struct msg *m)
{
	const struct msg_capture_start *s = &m->u.capture_start;

	return s->ifname[0] ? port_on(s->net, s->ifname) : net_number(s->net);
}

static const struct rule rules[MSG_N] = {
    /* what the engine tells us about itself */
    [MSG_LOG_LEVEL] = {E, false, check_log_level},
    [MSG_ENGINE_READY] = {E, false, check_nothing},
    [MSG_ENGINE_REFUSED] = {E, false, check_nothing},
    /* files */
    [MSG_CONF_OPEN] = {E, true, check_conf_open},
    [MSG_CONF_REPLACE] = {E, true, check_conf_replace},
    [MSG_CONF_REMOVE] = {E, true, check_conf_remove},
    [MSG_HOST_OPEN] = {E | N, true, check_host_open},
    [MSG_HOST_WATCH] = {E | N, true, check_host_watch},
    [MSG_LEASE_DIR] = {D, true, check_lease_dir},
    /* networks */
    [MSG_BRIDGE_SET] = {E, true, check_bridge_set},
    [MSG_BRIDGE_DEL] = {E, true, check_bridge_del},
    [MSG_ADDR_ADD] = {E, true, check_addr_add},
    [MSG_ADDR_DEL] = {E, true, check_addr_del},
    [MSG_ROUTE_ADD] = {E, true, check_route_add},
    [MSG_ROUTE_DEL] = {E, true, check_route_del},
    [MSG_NEIGH_SET] = {E, true, check_neigh_set},
    [MSG_NEIGH_DEL] = {E, true, check_neigh_del},
    [MSG_SYSCTL_SET] = {E, true, check_sysctl_set},
    [MSG_IP_FORWARD] = {E, true, check_nothing},
    /* ports */
    [MSG_TAP_ADD] = {E, true, check_tap_add},
    [MSG_VETH_ADD] = {E, true, check_veth_add},
    [MSG_PORT_DEL] = {E, true, check_port_del},
    [MSG_PORT_ENSLAVE] = {E, true, check_port_enslave},
    [MSG_PORT_SET] = {E, true, check_port_set},
    /* what they may send and get; links that are on our bridges, whoever made them */
    [MSG_GATE_SET] = {E, true, check_gate_set},
    [MSG_GATE_DEL] = {E, true, check_gate_del},
    [MSG_GATE_FORGET] = {E, true, check_gate_forget},
    [MSG_GATE_FASTEN] = {E, true, check_gate_fasten},
    [MSG_GATE_LIST] = {E, true, check_gate_list},
    [MSG_GATE_EVENTS] = {E, true, check_nothing},
    /* the files promiscAuthorized */
    [MSG_MARKER_WATCH] = {E, true, check_nothing},
    [MSG_MARKER_LIST] = {E, true, check_nothing},
    /* sockets */
    [MSG_SOCK_DHCP] = {D, true, check_sock_dhcp},
    [MSG_DHCP_RING] = {D, true, check_nothing},
    [MSG_SOCK_DNS] = {N, true, check_sock_dns},
    [MSG_SOCK_RELAY] = {N, true, check_sock_relay},
    /* TCP redirections: their files, their worker, its listening sockets and logs */
    [MSG_REDIRECT_FILES] = {E, true, check_nothing},
    [MSG_WORKER_WANT] = {E, false, check_worker_want},
    [MSG_SOCK_LISTEN] = {E, true, check_sock_listen},
    [MSG_LISTEN_KEEP] = {E, false, check_listen_keep},
    [MSG_LISTEN_SWEEP] = {E, true, check_nothing},
    [MSG_LISTEN_TAKE] = {R, true, check_listen_take},
    [MSG_ALIAS_SET] = {E, true, check_alias_set},
    [MSG_ALIAS_ANNOUNCE] = {E, true, check_alias_announce},
    [MSG_LOG_SET] = {E, true, check_log_set},
    [MSG_LOG_SWEEP] = {E, true, check_nothing},
    [MSG_LOG_TAKE] = {R, true, check_nothing},
    [MSG_ALIAS_SWEEP] = {E, true, check_nothing},
    /* captures: a socket and a worker for each */
    [MSG_CAPTURE_START] = {E, true, check_capture_start},
    [MSG_CAPTURE_STOP] = {E, false, check_nothing},
    /* the table inet vnetd; rows between BEGIN and COMMIT are not answered */
    [MSG_NAT_BEGIN] = {N, false, check_nothing},
    [MSG_NAT_NET] = {N, false, check_nat_net},
    [MSG_NAT_FORWARD] = {N, false, check_nat_forward},
    [MSG_NAT_CAPTURE] = {N, false, check_nat_capture},
    [MSG_NAT_CHANGE] = {N, false, check_nothing},
    [MSG_NAT_FORWARD_GONE] = {N, false, check_nat_forward_gone},
    [MSG_NAT_COMMIT] = {N, true, check_nothing},
    [MSG_NAT_FLUSH_FORWARD] = {N, false, check_nat_flush_forward},
    [MSG_NAT_FLUSH] = {N, true, check_nothing},
    [MSG_FLOW_DEV] = {N, true, check_flow_dev},
    [MSG_CONN_LIST] = {E, true, check_conn_list},
    [MSG_HOLD_SET] = {N, true, check_hold_set},
    [MSG_HOLD_END] = {N, false, check_hold_end},
    [MSG_HOLD_SWEEP] = {N, false, check_nothing},
    [MSG_NFT_WATCH] = {N, true, check_nothing},
    [MSG_FIREWALL_SCAN] = {N, true, check_firewall_scan},
    [MSG_FOREIGN_ALLOW] = {N, true, check_foreign_allow},
};

enum policy
policy_check(enum role from, const struct msg *m, const char **why)
{
	const struct rule *r = (unsigned)m->type < MSG_N ? &rules[m->type] : &rules[MSG_NONE];

	*why = NULL;
	if ((unsigned)from >= ROLE_N || !(r->roles & 1u << from)) {
		*why = "is not its to ask for";
		return POLICY_BREACH;
	}
	if (r->request != (m->id != 0)) {
		*why = r->request ? "came without an id" : "came with an id";
		return POLICY_BREACH;
	}
	*why = r->check(from, m);
	return *why ? POLICY_REFUSED : POLICY_ALLOWED;
}

bool
policy_is_request(enum msg_type type)
{
	return (unsigned)type < MSG_N && rules[type].request;
}
