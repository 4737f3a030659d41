/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_sock.c - sockets that the workers may not open themselves. Runs in priv.
 *
 * Contract: each is bound to one network's bridge before it leaves, and receives nothing before its
 * filter is in place. priv never reads from one.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/fd.h"
#include "lib/util.h"
#include "vnetd/priv.h"

enum {
	PORT_DNS = 53,
	PORT_DHCP = 67,
	DNS_RCVBUF = 1 << 19,
	TCP_BACKLOG = 64,
};

/* From this link (the k of the second instruction is set to its index: a worker could bind the socket to
 * another one, but not change the filter), of no VLAN, meant for this host, and an ARP reply, which on a bridge comes
 * for who has asked: guests' own questions and answers stay away. Offsets count from the Ethernet header. */
enum { FILTER_IFINDEX = 1 };
static const struct sock_filter arp_filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG)),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x0fff, 6, 0), /* VLAN 0 is a priority, no VLAN */
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 4, 0),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 2),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14 + 6),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, 0),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
};

static const struct sock_filter drop_filter[] = {
    BPF_STMT(BPF_RET | BPF_K, 0),
};

/* Attaches and locks: a worker may not widen what it was given. */
static int
set_filter(int fd, const struct sock_filter *code, size_t len)
{
	const struct sock_fprog prog = {(unsigned short)len, (struct sock_filter *)code};
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

/* Beyond the host's limit, which was made for others; without the right to, up to it. */
static void
set_rcvbuf(int fd, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* Protocol 0 receives nothing until bind() names both protocol and link. For ARP alone: other packets do not pay for
 * it, while a socket for IPv4 or for all protocols costs each of them (docs/decisions.md 48). */
static int
open_packet(int ifindex)
{
	const struct sockaddr_ll sll = {
	    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = ifindex};
	AUTO_FD fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sock_filter filter[ARRAY_LEN(arp_filter)];
	int r;

	if (fd < 0)
		return -errno;
	memcpy(filter, arp_filter, sizeof(filter));
	filter[FILTER_IFINDEX].k = (uint32_t)ifindex;
	r = set_filter(fd, filter, ARRAY_LEN(filter));
	if (r < 0)
		return r;
	if (bind(fd, (const struct sockaddr *)&sll, sizeof(sll)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* UDP on addr:port of one bridge. hold: nobody reads it, so nothing is queued. */
static int
open_udp(const char *ifname, struct ip4 addr, uint16_t port, bool hold)
{
	const struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = ip4_be(addr)};
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname)) < 0)
		return -errno;
	if (hold) {
		r = set_filter(fd, drop_filter, ARRAY_LEN(drop_filter));
		if (r < 0)
			return r;
	} else {
		set_rcvbuf(fd, DNS_RCVBUF);
	}
	if (bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* A listening TCP socket on addr:port of one bridge. */
static int
open_tcp(const char *ifname, struct ip4 addr, uint16_t port)
{
	const struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = ip4_be(addr)};
	AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	/* Connections of the one before may still be ending. */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0 || listen(fd, TCP_BACKLOG) < 0)
		return -errno;
	return fd_take(&fd);
}

/* Who it is cannot be seen from here: other users' descriptors are hidden from _vnet. */
static int
fail_port(struct call *c, int err, bool tcp, const char *ifname, struct ip4 addr, unsigned port,
	  const char *what)
{
	const char *proto = tcp ? "TCP" : "UDP";

	if (err == -EADDRINUSE)
		return fail(
		    c, err,
		    "%s: %s port %u on %s is taken, so no %s. Find the program by: ss -l%cnp "
		    "'sport = :%u'",
		    ifname, proto, port, IP4_STR(addr), what, tcp ? 't' : 'u', port);
	return fail_errno(c, err, "%s: cannot open %s port %u on %s", ifname, proto, port,
			  IP4_STR(addr));
}

int
priv_sock_dhcp(struct priv *p, struct call *c)
{
	const struct msg_sock_dhcp *m = &c->m->u.sock_dhcp;
	struct nl_link l;
	int hold, packet, r = priv_bridge_get(p, c, m->net, &l);

	if (r < 0)
		return r;
	hold = open_udp(l.name, m->server, PORT_DHCP, true);
	if (hold < 0)
		return fail_port(c, hold, false, l.name, m->server, PORT_DHCP, "DHCP");
	packet = open_packet(l.ifindex);
	if (packet < 0) {
		fd_close(&hold);
		return fail_errno(c, packet, "%s: cannot open a packet socket", l.name);
	}
	give(c, packet);
	give(c, hold);
	return 0;
}

int
priv_sock_dns(struct priv *p, struct call *c)
{
	const struct msg_sock_dns *m = &c->m->u.sock_dns;
	struct nl_link l;
	int udp, tcp, r = priv_bridge_get(p, c, m->net, &l);

	if (r < 0)
		return r;
	udp = open_udp(l.name, m->addr, PORT_DNS, false);
	if (udp < 0)
		return fail_port(c, udp, false, l.name, m->addr, PORT_DNS, "DNS proxy");
	tcp = open_tcp(l.name, m->addr, PORT_DNS);
	if (tcp < 0) {
		fd_close(&udp);
		return fail_port(c, tcp, true, l.name, m->addr, PORT_DNS, "DNS proxy");
	}
	give(c, udp);
	give(c, tcp);
	return 0;
}
