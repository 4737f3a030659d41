/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_sample.c - four networks, four ports, two forwards, four leases, two warnings, four words about
 * promiscuous mode.
 */
#include "ctl_sample.h"

#include "lib/util.h"

static const struct msg_status_row status = {
    .version = "0.1.0",
    .uptime_ms = 3 * 60 * 1000 + 59999,
    .networks = 4,
    .guests = 1,
    .generation = 7,
};

static const struct msg_warning_row warnings[] = {
    {.net = 8,
     .text = "firewalld drops traffic forwarded from vmnet8: guests have no Internet",
     .cure = "sudo firewall-cmd --permanent --zone=vnetd --change-interface=vmnet8"},
    {.net = MSG_NET_ALL,
     .text = "the configuration on disk has errors. The old one is in force.",
     .cure = "vnetctl check"},
};

static const struct msg_net_row nets[] = {
    {.net = 0, .kind = NET_BRIDGED, .label = "vmnet0", .state = NET_STATE_NO_UPLINK, .mtu = 1500},
    {.net = 1,
     .kind = NET_HOSTONLY,
     .label = "HostOnly",
     .state = NET_STATE_OK,
     .subnet = {0xc0a85300},
     .len = 24,
     .host = {0xc0a85301},
     .dhcp_server = {0xc0a853fe},
     .adapter = true,
     .dhcp = true,
     .mtu = 1500,
     .lease_total = 126},
    {.net = 8,
     .kind = NET_NAT,
     .label = "NAT",
     .state = NET_STATE_DEGRADED,
     .text = "DNS: port 53 is taken on 172.16.204.2",
     .subnet = {0xac10cc00},
     .len = 22,
     .host = {0xac10cc01},
     .gateway = {0xac10cc02},
     .dns = {0xac10cc02},
     .dhcp_server = {0xac10cffe},
     .adapter = true,
     .dhcp = true,
     .nat = true,
     .mtu = 9000,
     .leases = 2,
     .lease_total = 510,
     .guests = 3,
     .forwards = 2,
     .services_down = 1 << SERVICE_DNS},
    {.net = 200,
     .kind = NET_SEGMENT,
     .label = "lab \xc3\xbc",
     .state = NET_STATE_FAILED,
     .text = "the interface vmnet200 exists and is not ours",
     .mtu = 1500},
};

/* Eight bytes for each reason. */
#define DROPS(...)                                                                                 \
	{                                                                                          \
		8 * DROP_REASON_N, __VA_ARGS__                                                     \
	}

static const struct msg_port_row ports[] = {
    {.name = "vmnet8p1",
     .net = 8,
     .ifname = "vmnet8p1",
     .kind = PORT_HELPER,
     .mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}},
     .addr = {0xac10ce80},
     .guest = "web1",
     .owner = 1000,
     .owner_name = "alice",
     .up = true,
     .queues = 1,
     .mac_policy = MAC_POLICY_STICKY,
     .flags = GATE_CONTROL | GATE_DHCP | GATE_RA,
     .flood = 10000,
     .dhcp_rate = 200,
     .dhcp_leases = 63,
     .promisc = PROMISC_PENDING,
     .link = true,
     .drops = DROPS({0})},
    {.name = "build",
     .net = 8,
     .ifname = "vmnet8p2",
     .kind = PORT_NETNS,
     .mac = {{0x00, 0x50, 0x56, 0x3a, 0x01, 0x02}},
     .owner = 0,
     .owner_name = "ci",
     .netns = "ci",
     .up = true,
     .mac_policy = MAC_POLICY_GIVEN,
     .flags = GATE_CONTROL | GATE_IP | GATE_FORGED,
     .guard_ip = {0xac10ce83},
     .rate_in_kbit = 2000000,
     .rate_out_kbit = 1500,
     .mirror_of = "vmnet8p1",
     .promisc = PROMISC_GRANTED,
     .link = true,
     .drops = DROPS({[8 * DROP_ARP + 7] = 12})},
    {.name = "tap-evil",
     .net = 8,
     .ifname = "tap-evil",
     .kind = PORT_ADOPTED,
     .guest = "\033[31mroot shell",
     .owner = MSG_UID_NONE,
     .queues = 1,
     .mac_policy = MAC_POLICY_LEARN,
     .learn = 16,
     .learned = 3,
     .flags = GATE_CONTROL | GATE_IP,
     .flood = 77,
     .rate_out_kbit = 10000,
     .promisc = PROMISC_REFUSED,
     .link = true,
     .trouble = "its tap's holder changed the interface's owner",
     .drops = DROPS({[8 * DROP_FORGED + 6] = 1, [8 * DROP_FLOOD + 7] = 3})},
    {.name = "eth1",
     .net = 1,
     .ifname = "eth1",
     .kind = PORT_ADOPTED,
     .owner = MSG_UID_NONE,
     .mac_policy = MAC_POLICY_ANY,
     .flags = GATE_FORGED},
};

static const struct msg_forward_row forwards[] = {
    {.net = 8,
     .proto = PROTO_TCP,
     .port = 8080,
     .guest = {0xac10ce80},
     .guest_port = 80,
     .text = "web1's nginx",
     .source = "networking"},
    {.net = 8,
     .proto = PROTO_UDP,
     .port = 5353,
     .guest = {0xac10ce81},
     .guest_port = 53,
     .source = "vmnet8/nat/nat.conf"},
};

/* Two through the first forward, one out, one of a protocol without ports of which little is known. */
static const struct msg_hold_row holds[] = {
    {.proto = PROTO_TCP, .ports = {4, {0, 22, 8080 >> 8, 8080 & 0xff}}},
};

static const struct msg_conn_row conns[] = {
    {.net = 8,
     .ip_proto = 6,
     .inward = true,
     .guest = {0xac10ce80},
     .guest_port = 80,
     .peer = {0xc6336402},
     .peer_port = 40000,
     .forward = 8080,
     .state = CONN_ESTABLISHED,
     .counted = true,
     .bytes_in = 1200,
     .bytes_out = 340000,
     .age_s = 95,
     .left_s = UINT32_MAX},
    {.net = 8,
     .ip_proto = 6,
     .inward = true,
     .guest = {0xac10ce80},
     .guest_port = 80,
     .peer = {0xc6336402},
     .peer_port = 40001,
     .forward = 8080,
     .state = CONN_TIME_WAIT,
     .counted = true,
     .bytes_in = 100,
     .bytes_out = 2000,
     .age_s = 7000,
     .left_s = 12},
    {.net = 8,
     .ip_proto = 17,
     .guest = {0xac10ce81},
     .guest_port = 5000,
     .peer = {0x08080808},
     .peer_port = 53,
     .state = CONN_ANSWERED,
     .counted = true,
     .bytes_in = 90,
     .bytes_out = 60,
     .age_s = 3,
     .left_s = 27},
    {.net = 8,
     .ip_proto = 47,
     .guest = {0xac10ce81},
     .peer = {0x08080808},
     .state = CONN_UNANSWERED,
     .age_s = UINT32_MAX,
     .left_s = 600},
};

static struct msg_lease_row leases[] = {
    {.net = 8,
     .addr = {0xac10ce80},
     .mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}},
     .state = LEASE_ROW_ACTIVE,
     .name = "web1",
     .client_id = {7, {1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56}}},
    {.net = 8,
     .addr = {0xac10cc32},
     .mac = {{0x00, 0x50, 0x56, 0x11, 0x22, 0x33}},
     .state = LEASE_ROW_RESERVED,
     .name = "db"},
    {.net = 1,
     .addr = {0xc0a85380},
     .mac = {{0x00, 0x0c, 0x29, 0x00, 0x00, 0x01}},
     .state = LEASE_ROW_EXPIRED},
    {.net = 1, .addr = {0xc0a85381}, .state = LEASE_ROW_ABANDONED},
};

static struct msg_promisc_row promisc[] = {
    {.port = "vmnet8p1",
     .net = 8,
     .guest = "web1",
     .mac = {{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}},
     .state = PROMISC_PENDING,
     .by = PROMISC_BY_GUEST,
     .text = "no promiscAuthorized marker"},
    {.port = "build",
     .net = 8,
     .mac = {{0x00, 0x50, 0x56, 0x3a, 0x01, 0x02}},
     .state = PROMISC_GRANTED,
     .by = PROMISC_BY_USER,
     .text = "an administrator allowed it for a time"},
    {.port = "tap-evil",
     .net = 8,
     .state = PROMISC_REFUSED,
     .by = PROMISC_BY_CONFIG,
     .text = "an administrator denied it"},
    {.port = "lab",
     .net = 1,
     .guest = "\033[2Jlab",
     .state = PROMISC_GRANTED,
     .by = PROMISC_BY_GUEST,
     .text = "the marker file exists",
     .marker = "vmnet1/promiscAuthorized"},
};

struct facts
sample(uint64_t now)
{
	leases[0].starts = now - 150;
	leases[0].ends = now + 27 * 60 + 30;
	leases[2].starts = now - 7200;
	leases[2].ends = now - 5400;
	leases[3].ends = now + 86400 + 30;
	promisc[0].asked = now - 150;
	promisc[1].asked = now - 3600;
	promisc[1].until = now + 59 * 60 + 30;
	promisc[3].asked = now - 86400;
	return (struct facts){
	    .status = &status,
	    .warning = warnings,
	    .nwarnings = ARRAY_LEN(warnings),
	    .net = nets,
	    .nnets = ARRAY_LEN(nets),
	    .port = ports,
	    .nports = ARRAY_LEN(ports),
	    .forward = forwards,
	    .nforwards = ARRAY_LEN(forwards),
	    .lease = leases,
	    .nleases = ARRAY_LEN(leases),
	    .conn = conns,
	    .nconns = ARRAY_LEN(conns),
	    .conns_known = true,
	    .hold = holds,
	    .nholds = ARRAY_LEN(holds),
	    .holds_known = true,
	    .promisc = promisc,
	    .npromisc = ARRAY_LEN(promisc),
	};
}

struct msg_event_row
sample_event(void)
{
	return (struct msg_event_row){
	    .when_ms = (uint64_t)SAMPLE_NOW * 1000 + 123,
	    .what = "lease-leased",
	    .net = 8,
	    .port = "vmnet8p1",
	    .text = "172.16.206.128 to 52:54:00:12:34:56 (web1)",
	};
}
