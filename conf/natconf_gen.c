/* SPDX-License-Identifier: GPL-2.0-or-later
 * natconf_gen.c - a fresh nat.conf, and edits of one fact in an existing one. Pure: text out.
 */
#include "conf/natconf.h"

#include <stdio.h>

#include "conf/ini.h"
#include "lib/strbuf.h"

void
natconf_set(struct strbuf *out, const char *text, size_t len, const char *section, const char *key,
	    const char *value)
{
	ini_set(out, text, len, section, key, value, false);
}

static const char *
incoming(enum conf_proto proto)
{
	return proto == CONF_UDP ? "incomingudp" : "incomingtcp";
}

void
natconf_set_forward(struct strbuf *out, const char *text, size_t len, const struct conf_forward *f)
{
	char key[HOST_PORTS_LEN], value[HOST_PORTS_LEN];

	host_ports_str(conf_forward_ports(f), key);
	host_ports_str((struct host_ports){f->guest, f->guest_port, f->more}, value);
	ini_set(out, text, len, incoming(f->proto), key, value, false);
}

void
natconf_remove_forward(struct strbuf *out, const char *text, size_t len,
		       const struct conf_forward *f)
{
	char key[HOST_PORTS_LEN];

	ini_set(out, text, len, incoming(f->proto), host_ports_str(conf_forward_ports(f), key),
		NULL, false);
}

static void
gen_host(struct strbuf *out, const struct nat_gen *g)
{
	strbuf_add(out, "[host]\n\n");
	strbuf_add(out, "# Use the NAT of Apple's vmnet framework; macOS only\n");
	strbuf_add(out, "useMacosVmnetVirtApi = 0\n\n");
	strbuf_add(out, "# Address of the NAT gateway and DNS proxy\n");
	strbuf_addf(out, "ip = %s\n", IP4_STR(g->gateway));
	strbuf_addf(out, "netmask = %s\n\n", IP4_STR(ip4_mask(g->subnet.len)));
	strbuf_add(out, "# Port of the NAT's own status page; off\n");
	strbuf_add(out, "#configport = 33445\n\n");
	strbuf_add(out, "# Network that this file is for\n");
	strbuf_addf(out, "device = /dev/vmnet%u\n\n", g->net);
	strbuf_add(out, "# Follow FTP's PORT and EPRT commands (1), or passive FTP only (0)\n");
	strbuf_add(out, "activeFTP = 1\n\n");
	strbuf_add(out, "# Serve guests whose MAC address is not one of VMware's (1)\n");
	strbuf_add(out, "allowAnyOUI = 1\n\n");
	if (g->host.h) {
		strbuf_add(out, "# Address of the host's virtual adapter\n");
		strbuf_addf(out, "hostIp = %s\n\n", IP4_STR(g->host));
	}
	strbuf_add(out, "# Reset guests' TCP connections when the host's link goes down (1)\n");
	strbuf_add(out, "resetConnectionOnLinkDown = 1\n\n");
	strbuf_add(out, "# Reset TCP connections to the gateway's own address (1), or let them\n"
			"# reach services of the host (0)\n");
	strbuf_add(out, "resetConnectionOnDestLocalHost = 1\n\n");
	strbuf_add(out, "# IPv6 for guests: on (1) or off (0), and the prefix they get\n");
	strbuf_add(out, "natIp6Enable = 0\n");
	strbuf_addf(out, "natIp6Prefix = fd15:4ba5:5a2b:%x::/64\n\n", 0x1000 + g->net);
}

static void
gen_timers(struct strbuf *out, const struct nat_gen *g)
{
	strbuf_add(out, "[tcp]\n\n# Seconds that a closed connection is remembered\n");
	strbuf_add(out, "timeWaitTimeout = 30\n\n");
	strbuf_add(out, "[udp]\n\n# Seconds until an idle UDP mapping ends; 0 = never\n");
	strbuf_addf(out, "timeout = %u\n\n", g->udp_timeout_s);
	strbuf_add(out, "[netbios]\n\n# NetBIOS name and datagram service: seconds and retries\n");
	strbuf_add(out, "nbnsTimeout = 2\nnbnsRetries = 3\nnbdsTimeout = 3\n\n");
}

static void
gen_example(struct strbuf *out, const struct nat_gen *g, const char *what, unsigned port,
	    unsigned guest_port)
{
	struct ip4 guest = {g->subnet.addr.h | (~ip4_mask(g->subnet.len).h / 2 + 1)};

	strbuf_addf(out, "# %s\n#%u = %s:%u\n", what, port, IP4_STR(guest), guest_port);
}

void
natconf_gen_file(struct strbuf *out, const struct nat_gen *g)
{
	strbuf_add(out,
		   "# VMware NAT configuration file\n"
		   "# Manual editing of this file is not recommended. Using UI is preferred.\n");
	strbuf_addf(
	    out,
	    "#\n# Written by vnetd for vmnet%u. Everything may be edited: vnetctl check,\n"
	    "# then vnetctl reload. Forwards: vnetctl forward add. Manual: vnetd.conf(5).\n\n",
	    g->net);
	gen_host(out, g);
	gen_timers(out, g);
	strbuf_add(out,
		   "[dns]\n\n# Which server to ask: order, rotate or burst\npolicy = order\n\n");
	strbuf_add(out, "# Seconds until the next attempt, attempts per server\n"
			"timeout = 2\nretries = 3\n\n");
	strbuf_add(out, "# Use the name servers of the host (1); listed ones come first\n"
			"autodetect = 1\n#nameserver1 = 192.0.2.53\n\n");
	strbuf_add(out,
		   "[incomingtcp]\n\n# Forwards: <host port> = <guest address>:<guest port>\n");
	gen_example(out, g, "FTP (both active and passive)", 8887, 21);
	gen_example(out, g, "WEB", 8888, 80);
	gen_example(out, g, "SSH", 8889, 22);
	strbuf_add(out, "\n[incomingudp]\n\n");
	gen_example(out, g, "A UDP service", 6000, 6001);
	strbuf_add(out,
		   "\n[privilegedTCP]\n\n# Give guests' ports below 1024 ports below 1024 of the"
		   " host (1)\nautodetect = 0\n\n[privilegedUDP]\n\nautodetect = 0\n");
}
