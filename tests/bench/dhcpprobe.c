/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpprobe.c - measures when DHCP answers on every one of N networks.
 *
 *     dhcpprobe d|r GUESTNS TIMEOUT_MS FIRST COUNT BRIDGE-PREFIX FIRST-OCTET
 *
 * For each i in FIRST..FIRST+COUNT-1 there is a veth pair pt<i> (in this namespace) and pg<i> (in GUESTNS).
 * As soon as a bridge called <prefix><i> appears, pt<i> is put onto it; every 5 ms a DHCPDISCOVER (d) or
 * an INIT-REBOOT DHCPREQUEST for number 77 of the network (r) leaves from pg<i> until it is answered. It prints
 * "ready" once its sockets are open; times are milliseconds since the clock (CLOCK_REALTIME, ns) that it is then
 * given on standard input. The same probe serves us and the peers.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_LEN = 342, SEND_EVERY_MS = 5 };

struct net {
	int sock, tap_index;
	uint8_t frame[FRAME_LEN];
	double enslaved, answered;
};

static double
ms_since(long long t0)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)((long long)t.tv_sec * 1000000000LL + t.tv_nsec - t0) / 1e6;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		die("setns");
}

static uint16_t
ip_sum(const uint8_t *p)
{
	uint32_t s = 0;

	for (int i = 0; i < 20; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* Ethernet, IP, UDP (no checksum) and BOOTP, broadcast from 0.0.0.0. */
static void
build(struct net *n, char mode, int number, const uint8_t mac[6], uint32_t want_be)
{
	uint8_t *b = n->frame, *ip = b + 14, *udp = ip + 20, *bootp = udp + 8, *o = bootp + 236;
	uint16_t sum, total = FRAME_LEN - 14;

	memset(b, 0, FRAME_LEN);
	memset(b, 255, 6);
	memcpy(b + 6, mac, 6);
	b[12] = 8;
	ip[0] = 0x45;
	ip[2] = (uint8_t)(total >> 8);
	ip[3] = (uint8_t)total;
	ip[8] = 64;
	ip[9] = 17;
	memset(ip + 16, 255, 4);
	sum = ip_sum(ip);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	udp[1] = 68;
	udp[3] = 67;
	udp[4] = (uint8_t)((total - 20) >> 8);
	udp[5] = (uint8_t)(total - 20);
	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	bootp[4] = 'p';
	bootp[6] = (uint8_t)(number >> 8);
	bootp[7] = (uint8_t)number;
	bootp[10] = 0x80;
	memcpy(bootp + 28, mac, 6);
	memcpy(o, "\x63\x82\x53\x63\x35\x01", 6);
	o[6] = mode == 'd' ? 1 : 3;
	o += 7;
	if (mode == 'r') {
		o[0] = 50;
		o[1] = 4;
		memcpy(o + 2, &want_be, 4);
		o += 6;
	}
	*o = 255;
}

static void
open_guest(struct net *n, char mode, int number, int octet)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	struct ifreq r = {0};
	char text[64];
	uint32_t want = 0;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "pg%d", number);
	/* No protocol yet: binding a socket that has one waits for the kernel's grace period. */
	n->sock = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (n->sock < 0 || ioctl(n->sock, SIOCGIFHWADDR, &r) < 0)
		die(r.ifr_name);
	ll.sll_ifindex = (int)if_nametoindex(r.ifr_name);
	if (bind(n->sock, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		die("bind");
	snprintf(text, sizeof(text), "10.%d.%d.77", octet + number / 250, number % 250);
	inet_pton(AF_INET, text, &want);
	build(n, mode, number, (uint8_t *)r.ifr_hwaddr.sa_data, want);
}

/* RTM_SETLINK with IFLA_MASTER; no acknowledgement is waited for. */
static void
enslave(int nl, int port, int master)
{
	char buf[1024]; /* a request with one attribute */
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	h->nlmsg_type = RTM_SETLINK;
	h->nlmsg_flags = NLM_F_REQUEST;
	ifi = mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	ifi->ifi_index = port;
	mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)master);
	if (send(nl, h, h->nlmsg_len, 0) < 0)
		die("netlink");
}

static int
is_answer(const struct net *n, const uint8_t *b, ssize_t len)
{
	return len >= 282 && b[23] == 17 && b[34] == 0 && b[35] == 67 && b[42] == 2 &&
	       !memcmp(b + 46, n->frame + 46, 4);
}

static int
by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	int home, guest, first, count, left, nl;
	struct pollfd *p;
	struct net *nets;
	double next = 0, limit, *times;
	char mode, line[64];
	long long t0;

	if (argc < 8)
		return 2;
	mode = argv[1][0];
	limit = atof(argv[3]);
	first = atoi(argv[4]);
	left = count = atoi(argv[5]);
	home = open("/proc/self/ns/net", O_RDONLY);
	guest = open(argv[2], O_RDONLY);
	if (home < 0 || guest < 0)
		die(argv[2]);
	nets = calloc((size_t)count, sizeof(*nets));
	p = calloc((size_t)count, sizeof(*p));
	times = calloc((size_t)count, sizeof(*times));
	if (!nets || !p || !times)
		die("memory");
	enter(guest);
	for (int i = 0; i < count; i++)
		open_guest(&nets[i], mode, first + i, atoi(argv[7]));
	enter(home);
	for (int i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "pt%d", first + i);
		nets[i].tap_index = (int)if_nametoindex(name);
		p[i] = (struct pollfd){nets[i].sock, POLLIN, 0};
	}
	nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	t0 = atoll(line);
	while (left > 0 && ms_since(t0) < limit) {
		double now = ms_since(t0);

		for (int i = 0; now >= next && i < count; i++) {
			char name[64];
			int master;

			if (nets[i].answered != 0)
				continue;
			snprintf(name, sizeof(name), "%s%d", argv[6], first + i);
			if (nets[i].enslaved == 0 && (master = (int)if_nametoindex(name)) > 0) {
				enslave(nl, nets[i].tap_index, master);
				nets[i].enslaved = now;
			}
			if (nets[i].enslaved != 0)
				(void)!send(nets[i].sock, nets[i].frame, FRAME_LEN, 0);
		}
		if (now >= next)
			next = now + SEND_EVERY_MS;
		if (poll(p, (nfds_t)count, 1) <= 0)
			continue;
		for (int i = 0; i < count; i++) {
			uint8_t b[2048];
			ssize_t n;

			if (p[i].fd < 0 || !(p[i].revents & POLLIN))
				continue;
			while ((n = recv(p[i].fd, b, sizeof(b), 0)) > 0)
				if (is_answer(&nets[i], b, n)) {
					times[count - left] = nets[i].answered = ms_since(t0);
					p[i].fd = -1;
					left--;
					break;
				}
		}
	}
	qsort(times, (size_t)(count - left), sizeof(*times), by_time);
	printf("answered=%d/%d", count - left, count);
	if (left < count)
		printf(" first=%.1f last=%.1f", times[0], times[count - left - 1]);
	putchar('\n');
	return left ? 1 : 0;
}
