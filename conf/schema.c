/* SPDX-License-Identifier: GPL-2.0-or-later
 * schema.c - the table of keys. Pure.
 * A new key is one row here; parser, printer, default file, `set` and the man page follow.
 */
#include "conf/schema.h"

#include <strings.h>

#include "lib/strbuf.h"

static const char *const log_levels[] = {"err", "warning", "notice", "info", "debug", NULL};
static const char *const net_types[] = {"auto", "bridged", NULL};
static const char *const answers[] = {"allow", "deny", "ask", NULL};
static const char *const verdicts[] = {"allow", "deny", NULL};
static const char *const mac_policies[] = {"given", "sticky", "any", NULL};
static const char *const cable[] = {"up", "down", NULL};
static const char *const foreign[] = {"report", "allow", NULL};

#define V CONF_FILE_VNETD
#define N CONF_FILE_NETWORKING

const struct schema_row schema_table[] = {
    {SCHEMA_GLOBAL, V, "forward-others", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "forward packets between interfaces that are not vnetd's",
     "the host is meant to be a router; without it, installing vnetd makes it none", "yes"},
    {SCHEMA_GLOBAL, V, "hold-ports", SCHEMA_INT, 0, HOLDS_MAX, NULL, "1024", SCHEMA_LIVE,
     "ports of the host with a forward that are held, so that no service of the host can take them "
     "later, and as many that lead to the guest on ::1 too; the lowest ones, if there are more; 0: "
     "none",
     "more forwards than that, or a service that is to take a forwarded port", "4096"},
    {SCHEMA_GLOBAL, V, "foreign-rules", SCHEMA_ENUM, 0, 0, foreign, "report", SCHEMA_LIVE,
     "what is done about rules of Docker, ufw, iptables or firewalld that drop what guests send; "
     "report: status and doctor say so; allow: rules that let it pass are kept beside them, and "
     "networks in the zone vnetd of firewalld",
     "guests are to have the Internet whatever Docker, ufw or firewalld set up", "allow"},
    {SCHEMA_GLOBAL, V, "flowtable", SCHEMA_BOOL, 0, 0, NULL, "yes", SCHEMA_LIVE,
     "let the kernel pass TCP connections of NAT networks by all rules once they are established, "
     "where it has "
     "flowtables",
     "rules of the host's own count, limit or cut established connections, or mark their packets",
     "no"},
    {SCHEMA_GLOBAL, V, "log-level", SCHEMA_ENUM, 0, 0, log_levels, "info", SCHEMA_LIVE,
     "least important messages that are logged",
     "debug shows single DHCP messages and configuration steps", "debug"},

    {SCHEMA_NET, V, "type", SCHEMA_ENUM, 0, 0, net_types, "auto", SCHEMA_LIVE,
     "bridged: connected to the outside, although networking maps no interface to it",
     "a second bridged network that chooses its interface itself", "bridged"},
    {SCHEMA_NET, V, "promiscuous", SCHEMA_ENUM, 0, 0, answers, "ask", SCHEMA_LIVE,
     "answer to a port that asks for all unicast frames of the network; ask: the marker file "
     "promiscAuthorized or vnetctl promisc answers",
     "nested hypervisors and sniffers are usual here, or must never be", "allow"},
    {SCHEMA_NET, V, "forged-transmits", SCHEMA_ENUM, 0, 0, verdicts,
     "(allow while promiscuous mode is granted)", SCHEMA_LIVE,
     "let ports send from MAC addresses that are not theirs",
     "a granted port should only listen, or guests move an address between them", "deny"},
    {SCHEMA_NET, V, "mac-learning", SCHEMA_INT, 0, GATE_LEARN_MAX, NULL, "0", SCHEMA_LIVE,
     "MAC addresses that a port may use besides its own once it is granted as promiscuous mode is, "
     "getting only their frames; 0: none",
     "nested guests that should not see the frames of others", "16"},
    {SCHEMA_NET, V, "ip-guard", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "drop IPv4 and ARP of a guest that does not use the address of its lease or reservation",
     "guests that do not trust each other", "yes"},
    {SCHEMA_NET, V, "broadcast-limit", SCHEMA_INT, 0, GATE_FLOOD_MAX, NULL, "10000", SCHEMA_LIVE,
     "broadcasts and multicasts that each port may send in a second; 0: no limit",
     "a guest that floods its neighbours, or multicast video", "1000"},
    {SCHEMA_NET, V, "dhcp-leases-per-port", SCHEMA_LIMIT, 1, GATE_DHCP_LEASES_MAX, NULL,
     "(256, and at most half of the server's addresses)", SCHEMA_LIVE,
     "addresses that each port may hold by DHCP, under whatever MAC addresses",
     "more machines than that behind one port, or guests that need just one", "16"},
    {SCHEMA_NET, V, "dhcp-rate-per-port", SCHEMA_LIMIT, 1, GATE_DHCP_RATE_MAX, NULL,
     "(200 where vnetd serves DHCP)", SCHEMA_LIVE,
     "messages to DHCP servers that each port may send in a second",
     "a relay for many machines is behind a port", "1000"},
    {SCHEMA_NET, V, "static-arp", SCHEMA_MACLIST, 1, 1024, NULL, "(none)", SCHEMA_LIVE,
     "guests with a reservation whose MAC addresses the host knows without asking them by ARP",
     "a guest that halts in a kernel debugger answers no ARP, and is to be reached all the same",
     "00:0c:29:12:34:56"},
    {SCHEMA_NET, V, "route", SCHEMA_NETLIST, 0, 0, NULL, "none", SCHEMA_LIVE,
     "networks that this one talks with, in both directions; one of the two saying so is enough",
     "a server network and a client network of the same lab", "vmnet2"},
    {SCHEMA_NET, V, "rebind-protection", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "refuse guests the answers of DNS servers that lead from a name of the Internet to a private, "
     "loopback or link-local address, or into a network of vnetd's",
     "guests run browsers, and a page from outside must not reach machines in here", "yes"},
    {SCHEMA_NET, V, "private-domains", SCHEMA_DOMAINS, 1, CONF_DOMAINS_MAX, NULL, "(none)",
     SCHEMA_LIVE, "domains whose names may have such addresses in spite of rebind-protection",
     "the company's name servers have addresses of its own networks", "corp.example"},
    {SCHEMA_NET, V, "shadow", SCHEMA_PORTLIST, 1, 1024, NULL, "(none)", SCHEMA_LIVE,
     "ports of the host that are forwarded also where a service of the host has them",
     "a guest's service is to be reached instead of the host's", "tcp/80 udp/53"},
    {SCHEMA_NET, V, "egress", SCHEMA_IFNAME, 0, 0, NULL, "(as routes say)", SCHEMA_LIVE,
     "the only interface by which guests of a NAT network leave the host; what routes send "
     "elsewhere is refused",
     "traffic of these guests must take the VPN or nothing", "tun0"},
    {SCHEMA_NET, V, "snat-address", SCHEMA_IP4, 0, 0, NULL, "(the outgoing interface's)",
     SCHEMA_LIVE, "address of the host that guests of a NAT network go out with",
     "the host has several, and one of them is for these guests", "203.0.113.7"},
    {SCHEMA_NET, V, "snat-ports", SCHEMA_RANGE, 1, 65535, NULL, "(any)", SCHEMA_LIVE,
     "source ports of TCP and UDP that guests of a NAT network go out from",
     "a firewall or a log outside tells networks apart by their ports", "20000-29999"},
    {SCHEMA_NET, N, "subnet", SCHEMA_PREFIX4, 0, 0, NULL, "(chosen when created)", SCHEMA_LIVE,
     "IPv4 subnet; host, gateway and DHCP addresses at their default places follow it",
     "it clashes with another network", "192.168.80.0/24"},
    {SCHEMA_NET, N, "adapter", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "give the host an address in the network", "guests must not reach the host", "yes"},
    {SCHEMA_NET, N, "adapter-address", SCHEMA_IP4, 0, 0, NULL, "(network+1)", SCHEMA_LIVE,
     "address of the host in the network", "a router VM wants to have network+1", "192.168.80.5"},
    {SCHEMA_NET, N, "dhcp", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "answer DHCP in the network", "a guest is the DHCP server", "yes"},
    {SCHEMA_NET, N, "nat", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "let guests reach the outside through the host's addresses", "guests need the Internet",
     "yes"},
    {SCHEMA_NET, N, "mtu", SCHEMA_INT, CONF_MTU_MIN, CONF_MTU_MAX, NULL, "1500", SCHEMA_NEW,
     "largest packet, for the bridge, its ports and DHCP option 26",
     "jumbo frames between guests, or a tunnel on the way out", "9000"},
    {SCHEMA_NET, N, "display-name", SCHEMA_TEXT, 0, 0, NULL, "(vmnetN)", SCHEMA_LIVE,
     "name for people", "to tell networks apart", "Lab"},
    {SCHEMA_NET, N, "udp-timeout", SCHEMA_SECONDS, 0, 86400, NULL, "30", SCHEMA_LIVE,
     "time until an idle UDP mapping of NAT ends; 0: never", "a protocol with long pauses", "120"},
    {SCHEMA_NET, CONF_FILE_NAT, "nat-gateway", SCHEMA_IP4, 0, 0, NULL, "(network+2)", SCHEMA_LIVE,
     "address of the NAT gateway and DNS proxy", "a guest has that address already",
     "192.168.80.6"},
    {SCHEMA_NET, CONF_FILE_DHCPD, "lease-time", SCHEMA_SECONDS, 60, 31536000, NULL, "1800",
     SCHEMA_NEW, "time for which an address is granted when the client does not ask for another",
     "guests that sleep longer should keep their address", "86400"},
    {SCHEMA_NET, CONF_FILE_DHCPD, "max-lease-time", SCHEMA_SECONDS, 60, 31536000, NULL, "7200",
     SCHEMA_NEW, "longest time that a client may ask for",
     "guests that sleep longer should keep their address", "86400"},

    {SCHEMA_PORT, V, "tap", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "keep a tap interface of this name in the network, for its owner to open",
     "Firecracker and others that open a tap by name", "yes"},
    {SCHEMA_PORT, V, "network", SCHEMA_NETNAME, 0, 0, NULL, "(none)", SCHEMA_LIVE,
     "network of the tap", "needed with tap = yes", "vmnet8"},
    {SCHEMA_PORT, V, "owner", SCHEMA_NAME, 0, 0, NULL, "root", SCHEMA_LIVE,
     "user who may open the tap; without a tap, whose ports the section is for",
     "a VM that does not run as root; a name that others could take", "alice"},
    {SCHEMA_PORT, V, "mac", SCHEMA_MAC, 0, 0, NULL, "(the guest's first)", SCHEMA_LIVE,
     "MAC address of the guest, its only one unless mac-policy says otherwise",
     "pin it from the start", "52:54:00:12:34:56"},
    {SCHEMA_PORT, V, "queues", SCHEMA_INT, 1, CONF_QUEUES_MAX, NULL, "1", SCHEMA_NEW,
     "queues of the tap", "a guest with several processors and multiqueue virtio", "4"},
    {SCHEMA_PORT, V, "mac-policy", SCHEMA_ENUM, 0, 0, mac_policies,
     "(given with mac, else sticky; any for an adopted NIC)", SCHEMA_LIVE,
     "MAC addresses that the guest may use: given: that of mac; sticky: the first one that it "
     "uses; any: all of them",
     "any: a router or switch that is trusted is behind the port", "sticky"},
    {SCHEMA_PORT, V, "promiscuous", SCHEMA_ENUM, 0, 0, answers, "(as the network)", SCHEMA_LIVE,
     "answer to this port when it asks for all unicast frames of its network; allow: it gets them "
     "without asking",
     "a nested hypervisor or an intrusion detector is behind the port", "allow"},
    {SCHEMA_PORT, V, "forged-transmits", SCHEMA_ENUM, 0, 0, verdicts, "(as the network)",
     SCHEMA_LIVE, "let the guest send from MAC addresses that are not its own",
     "the port should only listen, or the guest takes over another's address", "deny"},
    {SCHEMA_PORT, V, "mac-learning", SCHEMA_INT, 0, GATE_LEARN_MAX, NULL, "(as the network)",
     SCHEMA_LIVE,
     "MAC addresses that the guest may use besides its own once that is granted as promiscuous "
     "mode is, getting only their frames; 0: none",
     "nested guests that should not see the frames of others", "16"},
    {SCHEMA_PORT, V, "dhcp-server", SCHEMA_ENUM, 0, 0, verdicts, "(deny where vnetd serves DHCP)",
     SCHEMA_LIVE, "let the guest send what only DHCP and DHCPv6 servers send",
     "the guest is the DHCP server", "allow"},
    {SCHEMA_PORT, V, "ra", SCHEMA_ENUM, 0, 0, verdicts,
     "(deny on NAT and host-only networks with an adapter)", SCHEMA_LIVE,
     "let the guest send IPv6 router advertisements and redirects", "the guest is the IPv6 router",
     "allow"},
    {SCHEMA_PORT, V, "ip-guard", SCHEMA_BOOL, 0, 0, NULL, "(as the network)", SCHEMA_LIVE,
     "drop IPv4 and ARP of the guest unless they use the address of its lease or reservation",
     "the guest is not trusted", "yes"},
    {SCHEMA_PORT, V, "broadcast-limit", SCHEMA_INT, 0, GATE_FLOOD_MAX, NULL, "(as the network)",
     SCHEMA_LIVE, "broadcasts and multicasts that the guest may send in a second; 0: no limit",
     "the guest floods its neighbours, or sends multicast video", "1000"},
    {SCHEMA_PORT, V, "dhcp-leases-per-port", SCHEMA_LIMIT, 1, GATE_DHCP_LEASES_MAX, NULL,
     "(as the network)", SCHEMA_LIVE,
     "addresses that may be held by DHCP through the port, under whatever MAC addresses",
     "a relay, or a lab of nested guests is behind the port", "1024"},
    {SCHEMA_PORT, V, "dhcp-rate-per-port", SCHEMA_LIMIT, 1, GATE_DHCP_RATE_MAX, NULL,
     "(as the network)", SCHEMA_LIVE,
     "messages to DHCP servers that may come by the port in a second",
     "a relay for many machines is behind the port", "1000"},
    {SCHEMA_PORT, V, "rate-in", SCHEMA_RATE, 1, UINT32_MAX, NULL, "none", SCHEMA_LIVE,
     "most traffic to the guest", "one guest takes the line from the others", "100M"},
    {SCHEMA_PORT, V, "rate-out", SCHEMA_RATE, 1, UINT32_MAX, NULL, "none", SCHEMA_LIVE,
     "most traffic from the guest", "one guest takes the line from the others", "10M"},
    {SCHEMA_PORT, V, "link", SCHEMA_ENUM, 0, 0, cable, "up", SCHEMA_LIVE,
     "the virtual cable: down: unplugged", "to see what the guest does without its network",
     "down"},
    {SCHEMA_PORT, V, "mirror-of", SCHEMA_PORTNAME, 0, 0, NULL, "(none)", SCHEMA_LIVE,
     "send this port a copy of every frame that the port named here sends or receives",
     "a recorder or an intrusion detector watches that port", "web0"},

    {SCHEMA_USER, V, "allow", SCHEMA_NETLIST, 0, 0, NULL, "(as the user's groups)", SCHEMA_LIVE,
     "networks that the user may attach guests to: names, all or none",
     "more or less than the user's groups may", "vmnet8 vmnet1"},
    {SCHEMA_USER, V, "change", SCHEMA_BOOL, 0, 0, NULL, "(as the user's groups)", SCHEMA_LIVE,
     "may change the configuration without being root", "somebody else administers the networks",
     "yes"},
    {SCHEMA_USER, V, "capture", SCHEMA_BOOL, 0, 0, NULL, "(as the user's groups)", SCHEMA_LIVE,
     "may capture the frames of every network without being root, also where no marker file allows "
     "it",
     "somebody looks for faults", "yes"},
    {SCHEMA_USER, V, "max-ports", SCHEMA_INT, 0, CONF_PORTS_MAX, NULL, "(as the user's groups)",
     SCHEMA_LIVE, "most ports that the user may have at a time, in all networks together",
     "the user runs more guests than that, or should not have so many", "1000"},

    {SCHEMA_GROUP, V, "allow", SCHEMA_NETLIST, 0, 0, NULL, "all for group vnet, else none",
     SCHEMA_LIVE, "networks that members may attach guests to: names, all or none",
     "members of vnet may use all networks unless this says otherwise", "vmnet8 vmnet1"},
    {SCHEMA_GROUP, V, "change", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "members may change the configuration without being root", "a group administers the networks",
     "yes"},
    {SCHEMA_GROUP, V, "capture", SCHEMA_BOOL, 0, 0, NULL, "no", SCHEMA_LIVE,
     "members may capture the frames of every network without being root, also where no marker "
     "file "
     "allows it",
     "a group looks for faults", "yes"},
    {SCHEMA_GROUP, V, "max-ports", SCHEMA_INT, 0, CONF_PORTS_MAX, NULL, "256", SCHEMA_LIVE,
     "most ports that each member may have at a time, in all networks together; a bridge of Linux "
     "has room for 1023",
     "a member runs more guests than that, or should not have so many", "1000"},
};

#undef V
#undef N

const size_t schema_rows = ARRAY_LEN(schema_table);

const struct schema_row *
schema_find(enum schema_section s, const char *key)
{
	for (size_t i = 0; i < schema_rows; i++) {
		if (schema_table[i].section == s && strcasecmp(schema_table[i].key, key) == 0)
			return &schema_table[i];
	}
	return NULL;
}

const char *
schema_did_you_mean(enum schema_section s, const char *key)
{
	const char *keys[ARRAY_LEN(schema_table) + 1];
	size_t n = 0;

	for (size_t i = 0; i < schema_rows; i++) {
		if (schema_table[i].section == s)
			keys[n++] = schema_table[i].key;
	}
	keys[n] = NULL;
	return diag_did_you_mean(key, keys);
}

const char *
schema_section_str(enum schema_section s)
{
	switch (s) {
	case SCHEMA_GLOBAL:
		return "global";
	case SCHEMA_NET:
		return "vmnetN";
	case SCHEMA_PORT:
		return "port";
	case SCHEMA_USER:
		return "user";
	case SCHEMA_GROUP:
		return "group";
	}
	return "";
}

const char *
schema_effect_str(enum schema_effect e)
{
	switch (e) {
	case SCHEMA_LIVE:
		return "live";
	case SCHEMA_NEW:
		return "new attachments";
	case SCHEMA_RESTART:
		return "restart";
	}
	return "";
}

void
schema_type_print(struct strbuf *out, const struct schema_row *row)
{
	switch (row->type) {
	case SCHEMA_BOOL:
		strbuf_add(out, "yes|no");
		break;
	case SCHEMA_INT:
		strbuf_addf(out, "%u-%u", row->min, row->max);
		break;
	case SCHEMA_SECONDS:
		strbuf_addf(out, "%u-%u seconds", row->min, row->max);
		break;
	case SCHEMA_ENUM:
		for (size_t i = 0; row->words[i]; i++)
			strbuf_addf(out, "%s%s", i ? "|" : "", row->words[i]);
		break;
	case SCHEMA_IP4:
		strbuf_add(out, "IPv4 address");
		break;
	case SCHEMA_PREFIX4:
		strbuf_add(out, "IPv4 subnet a.b.c.d/length");
		break;
	case SCHEMA_MAC:
		strbuf_add(out, "MAC address");
		break;
	case SCHEMA_NETNAME:
		strbuf_add(out, "vmnet0-vmnet255");
		break;
	case SCHEMA_NETLIST:
		strbuf_add(out, "vmnetN...|all|none");
		break;
	case SCHEMA_MACLIST:
		strbuf_add(out, "MAC address...");
		break;
	case SCHEMA_DOMAINS:
		strbuf_add(out, "domain...");
		break;
	case SCHEMA_PORTLIST:
		strbuf_add(out, "tcp/PORT...|udp/PORT...");
		break;
	case SCHEMA_NAME:
		strbuf_add(out, "user name or number");
		break;
	case SCHEMA_PORTNAME:
		strbuf_add(out, "name, interface or MAC address of a port");
		break;
	case SCHEMA_RATE:
		strbuf_add(out, "bit/s in whole thousands as 1500k, 10M or 2G, or none");
		break;
	case SCHEMA_LIMIT:
		strbuf_addf(out, "%u-%u or unlimited", row->min, row->max);
		break;
	case SCHEMA_RANGE:
		strbuf_addf(out, "FIRST-LAST, from %u to %u", row->min, row->max);
		break;
	case SCHEMA_IFNAME:
		strbuf_add(out, "name of an interface");
		break;
	case SCHEMA_TEXT:
		strbuf_add(out, "text");
		break;
	}
}
