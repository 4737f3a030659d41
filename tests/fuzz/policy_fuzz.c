/* SPDX-License-Identifier: GPL-2.0-or-later
 * policy_fuzz.c - any message of any role: what policy.c lets pass is fit for priv's handlers, which look
 * at their arguments no more. The first byte is the role.
 */
#include <stdlib.h>

#include "vnetd/gate_rule.h"
#include "vnetd/names.h"
#include "vnetd/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* A path below /proc/sys or a name given to the kernel. */
static void
must_be_port(const char *name)
{
	must(names_ifname_ok(name) && !strchr(name, '/') && !names_bridge_parse(NULL, name));
}

static void
must_fit_alias(unsigned net, const char *text)
{
	char alias[NAMES_ALIAS_MAX];
	const char *back = "";
	unsigned n = NAMES_NETS;

	must(names_alias(alias, net, text) && names_alias_parse(&n, &back, alias));
	must(n == net && !strcmp(back, text));
}

static bool
is_unicast(struct mac m)
{
	return !mac_is_zero(m) && !mac_is_multicast(m);
}

static void
must_be_gate(const struct msg_gate_set *g)
{
	struct gate_policy policy;

	must(g->net < NAMES_NETS);
	must_be_port(g->ifname);
	if (g->span[0]) {
		must_be_port(g->span);
		must(strcmp(g->span, g->ifname) != 0);
	}
	must(g->mac_policy < MAC_POLICY_N && g->learn <= GATE_LEARN_MAX);
	must(mac_is_zero(g->mac) || is_unicast(g->mac));
	must(g->mac_policy != MAC_POLICY_GIVEN || is_unicast(g->mac));
	/* What the programs are told of it. */
	gate_rule_policy(&policy, g, 1, 1, 0);
	must(policy.net == g->net && (policy.flags & ~(GATE_FLAGS_ALL | GATE_REQUESTS)) == 0);
	must((policy.dhcp_ns != 0) == (g->dhcp_rate != 0));
	must((policy.dhcp_stamp != 0) ==
	     (g->dhcp_leases || (policy.flags & GATE_IP && policy.dhcp_server)));
	must(policy.dhcp_server || !policy.dhcp_stamp);
	must((policy.dhcp_server != 0) == (policy.dhcp_broadcast != 0));
	must(policy.ip == 0 || policy.flags & GATE_IP);
	must((policy.flood_ns != 0) == (g->flood != 0));
	must((policy.in_ns != 0) == (g->rate_in_kbit != 0));
	must((policy.out_ns != 0) == (g->rate_out_kbit != 0));
}

/* Absolute, and what it begins with is where it leads. */
static void
must_be_log(const char *path)
{
	must(path[0] == '/' && path[1] && !strstr(path, "//") && !strstr(path, "/./"));
	must(!strstr(path, "/../") && path[strlen(path) - 1] != '/');
	must(strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0);
	must(strncmp(path, "/dev/", 5) != 0);
}

/* What the handlers rely on. */
static void
must_be_harmless(const struct msg *m)
{
	const struct msg_tap_add *t = &m->u.tap_add;
	const struct msg_veth_add *v = &m->u.veth_add;

	switch ((int)m->type) {
	case MSG_CONF_OPEN:
		must(m->u.conf_open.file < CONF_FILE_N);
		break;
	case MSG_CONF_REMOVE:
		must(m->u.conf_remove.file < CONF_FILE_N && m->u.conf_remove.net < NAMES_NETS);
		break;
	case MSG_HOST_OPEN:
		must(m->u.host_open.file < HOST_FILE_N);
		break;
	case MSG_BRIDGE_SET:
		must_fit_alias(m->u.bridge_set.net, m->u.bridge_set.text);
		break;
	case MSG_ROUTE_ADD:
		must(m->u.route_add.net < NAMES_NETS && m->u.route_add.len <= POLICY_LEN_MAX &&
		     m->u.route_add.len >= POLICY_LEN_MIN);
		break;
	case MSG_SYSCTL_SET:
		must(m->u.sysctl_set.profile < SYSCTL_PROFILE_N);
		must(names_ifname_ok(m->u.sysctl_set.ifname));
		break;
	case MSG_TAP_ADD:
		must_be_port(t->ifname);
		must(t->queues >= 1 && t->queues <= POLICY_QUEUES_MAX && t->mac.b[0] == 0xfe);
		must_fit_alias(t->net, t->text);
		break;
	case MSG_VETH_ADD:
		must_be_port(v->ifname);
		must(names_ifname_ok(v->peer_name) && !mac_is_multicast(v->peer_mac));
		must_fit_alias(v->net, v->text);
		break;
	case MSG_PORT_DEL:
		must_be_port(m->u.port_del.ifname);
		break;
	case MSG_PORT_ENSLAVE:
		must_be_port(m->u.port_enslave.ifname);
		break;
	case MSG_PORT_SET:
		must_be_port(m->u.port_set.ifname);
		must(mac_is_zero(m->u.port_set.mac) || m->u.port_set.mac.b[0] == 0xfe);
		break;
	case MSG_GATE_SET:
		must_be_gate(&m->u.gate_set);
		break;
	case MSG_GATE_DEL:
		must((int32_t)m->u.gate_del.ifindex > 0);
		break;
	case MSG_GATE_FASTEN:
		must((int32_t)m->u.gate_fasten.ifindex > 0);
		break;
	case MSG_GATE_FORGET:
		must((int32_t)m->u.gate_forget.ifindex > 0);
		must(is_unicast(m->u.gate_forget.mac));
		break;
	case MSG_GATE_LIST:
		must(m->u.gate_list.net < NAMES_NETS || m->u.gate_list.net == MSG_NET_ALL);
		break;
	case MSG_WORKER_WANT:
		must(m->u.worker_want.role == ROLE_REDIRD);
		break;
	case MSG_SOCK_LISTEN:
		must(m->u.sock_listen.addr.len == 16 && m->u.sock_listen.port != 0);
		must(m->u.sock_listen.family < REDIRECT_FAMILY_N);
		must(m->u.sock_listen.addr.b[0] != 0xff);
		break;
	case MSG_ALIAS_SET:
		must(m->u.alias_set.addr.len == 16 && names_ifname_ok(m->u.alias_set.ifname));
		break;
	case MSG_LOG_SET:
		must_be_log(m->u.log_set.path);
		break;
	case MSG_NAT_NET:
		must(m->u.nat_net.net < NAMES_NETS);
		must(m->u.nat_net.snat_lo <= m->u.nat_net.snat_hi);
		must(!m->u.nat_net.egress[0] || names_ifname_ok(m->u.nat_net.egress));
		break;
	case MSG_NAT_FLUSH_FORWARD:
		must(m->u.nat_flush_forward.proto < PROTO_N && m->u.nat_flush_forward.port != 0);
		break;
	case MSG_SOCK_RELAY:
		must(m->u.sock_relay.proto < PROTO_N && m->u.sock_relay.port != 0);
		break;
	case MSG_FLOW_DEV:
		must(names_ifname_ok(m->u.flow_dev.ifname));
		must(!names_port_parse(NULL, NULL, m->u.flow_dev.ifname));
		break;
	case MSG_FIREWALL_SCAN:
		must(m->u.firewall_scan.bridges.len == NAT_ROUTES_LEN);
		break;
	case MSG_FOREIGN_ALLOW:
		must(m->u.foreign_allow.place < FOREIGN_PLACE_N);
		must(m->u.foreign_allow.through.len == NAT_ROUTES_LEN);
		must(m->u.foreign_allow.inside.len == NAT_ROUTES_LEN);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *why;
	struct msg m;

	if (len == 0 || !msg_decode(&m, data + 1, len - 1))
		return 0;
	if (policy_check(data[0], &m, &why) != POLICY_ALLOWED) {
		must(why && *why);
		return 0;
	}
	must(!why && data[0] < ROLE_N && policy_is_request(m.type) == (m.id != 0));
	must_be_harmless(&m);
	return 0;
}
