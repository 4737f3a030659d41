/* SPDX-License-Identifier: GPL-2.0-or-later
 * attachprobe.c - how long it takes to attach taps, from the call to frames passing.
 *
 *     attachprobe given|sticky SOCKET NET PRESENT TIMES    taps by vnetd's ATTACH on vmnetNET
 *     attachprobe plain BRIDGE - PRESENT TIMES             made and put onto BRIDGE here, for comparison
 *
 * A first tap is the neighbour. Then PRESENT taps are attached one after the other and kept; then one more,
 * TIMES times. A tap is attached when a frame that was written to it has come out of the neighbour's; it is
 * written again every RESEND_US until then. Output: "present MS" (all of them, from the first call to
 * the last one's frame), "one MS" TIMES times, "resent N" (frames that did not arrive at once), "ready". The
 * taps stay until the input ends. given: the call names the guest's address; sticky: the gate has to take it
 * from the first frame.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/msg.h"

enum {
	FRAME_LEN = 60,
	RESEND_US = 200,
	PATIENCE_MS = 5000,
	PAUSE_MS =
	    100, /* between two that are timed: the end of the first is not the second's affair */
	ETHERTYPE = 0x88b5, /* for local experiments */
};

struct probe {
	enum { GIVEN, STICKY, PLAIN } mode;
	int sock; /* vnetd's, or any for ioctls */
	unsigned net;
	const char *bridge;
	uint32_t requests, resent;
	int neighbour;
	struct mac neighbour_mac;
};

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "attachprobe: %s: %s\n", what, why);
	exit(1);
}

static struct mac
guest_mac(unsigned n)
{
	return (struct mac){{0x52, 0x54, 0, 1, (uint8_t)(n >> 8), (uint8_t)n}};
}

/* --- a tap by vnetd --- */

static void
receive(const struct probe *p, struct msg *m, int *tap)
{
	struct pollfd ready = {p->sock, POLLIN, 0};
	int fds[FD_PASS_MAX];
	uint8_t buf[MSG_MAX];
	size_t nfds;
	ssize_t n;

	if (poll(&ready, 1, PATIENCE_MS) <= 0)
		die("vnetd", "no answer");
	n = fd_recvmsg(p->sock, buf, sizeof(buf), fds, &nfds);
	if (n <= 0 || !msg_decode(m, buf, (size_t)n))
		die("vnetd", "no message of the protocol");
	for (size_t i = 0; i < nfds; i++) {
		if (m->type == MSG_ATTACHED && *tap < 0)
			*tap = fds[i];
		else
			close(fds[i]);
	}
}

static int
attach(struct probe *p, unsigned n)
{
	struct msg m = msg_make(MSG_ATTACH, ++p->requests);
	uint8_t buf[MSG_MAX];
	int tap = -1, r;
	size_t len;

	m.u.attach.net = (uint16_t)p->net;
	m.u.attach.kind = PORT_ATTACH;
	m.u.attach.queues = 1;
	if (p->mode == GIVEN)
		m.u.attach.mac = guest_mac(n);
	len = msg_encode(&m, buf, sizeof(buf));
	r = fd_sendmsg(p->sock, buf, len, NULL, 0);
	if (r < 0)
		die("vnetd", strerror(-r));
	do {
		receive(p, &m, &tap);
	} while (m.type != MSG_REPLY || m.id != p->requests);
	if (m.u.reply.err || tap < 0)
		die("vnetd", m.u.reply.text);
	return tap;
}

static void
connect_vnetd(struct probe *p, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(a.sun_path))
		die(path, "too long");
	memcpy(a.sun_path, path, strlen(path));
	p->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (p->sock < 0 || connect(p->sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(path, strerror(errno));
}

/* --- a plain one --- */

static int
make_plain(const struct probe *p, unsigned n)
{
	int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq tun = {.ifr_flags = IFF_TAP | IFF_NO_PI}, up = {0}, bridge = {0};

	snprintf(tun.ifr_name, sizeof(tun.ifr_name), "pp%u", n);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &tun) < 0)
		die(tun.ifr_name, strerror(errno));
	memcpy(up.ifr_name, tun.ifr_name, sizeof(up.ifr_name));
	up.ifr_flags = IFF_UP;
	strncpy(bridge.ifr_name, p->bridge, sizeof(bridge.ifr_name) - 1);
	bridge.ifr_ifindex = (int)if_nametoindex(tun.ifr_name);
	if (ioctl(p->sock, SIOCSIFFLAGS, &up) < 0 || ioctl(p->sock, SIOCBRADDIF, &bridge) < 0)
		die(tun.ifr_name, strerror(errno));
	return tap;
}

/* --- frames --- */

/* The number of the port is its source address, and so tells the frame from others. */
static bool
arrived(const struct probe *p, struct mac from)
{
	uint8_t b[2048];
	ssize_t n;

	while ((n = read(p->neighbour, b, sizeof(b))) > 0)
		if (n >= FRAME_LEN && memcmp(b + 6, from.b, sizeof(from.b)) == 0)
			return true;
	return false;
}

static void
pass_frame(struct probe *p, int tap, struct mac from)
{
	const struct timespec again = {0, RESEND_US * 1000};
	struct pollfd ready = {p->neighbour, POLLIN, 0};
	double limit = now_ms() + PATIENCE_MS;
	uint8_t b[FRAME_LEN] = {0};

	memcpy(b, p->neighbour_mac.b, 6);
	memcpy(b + 6, from.b, 6);
	b[12] = ETHERTYPE >> 8;
	b[13] = ETHERTYPE & 0xff;
	for (;;) {
		(void)!write(tap, b, sizeof(b));
		if (arrived(p, from))
			return;
		if (ppoll(&ready, 1, &again, NULL) > 0 && arrived(p, from))
			return;
		p->resent++;
		if (now_ms() > limit)
			die("a new tap", "its frames do not arrive");
	}
}

/* A port and its first frame. */
static int
plug(struct probe *p, unsigned n)
{
	int tap = p->mode == PLAIN ? make_plain(p, n) : attach(p, n);

	pass_frame(p, tap, guest_mac(n));
	return tap;
}

/* It speaks once, so that its address is known: to nobody, which the bridge takes in all the same. */
static void
plug_neighbour(struct probe *p)
{
	uint8_t b[FRAME_LEN] = {0};

	p->neighbour_mac = guest_mac(0xffff);
	p->neighbour = p->mode == PLAIN ? make_plain(p, 0xffff) : attach(p, 0xffff);
	memset(b, 0xff, 6);
	memcpy(b + 6, p->neighbour_mac.b, 6);
	b[12] = ETHERTYPE >> 8;
	b[13] = ETHERTYPE & 0xff;
	if (write(p->neighbour, b, sizeof(b)) != sizeof(b))
		die("the neighbour", strerror(errno));
}

static void
measure(struct probe *p, unsigned present, unsigned times)
{
	const struct timespec rest = {0, PAUSE_MS * 1000000};
	double begin = now_ms();

	for (unsigned i = 1; i <= present; i++)
		plug(p, i);
	printf("present %.2f\n", now_ms() - begin);
	for (unsigned i = 0; i < times; i++) {
		int tap;

		nanosleep(&rest, NULL);
		begin = now_ms();
		tap = plug(p, present + 1 + i); /* (the one before may still have its address) */
		printf("one %.3f\n", now_ms() - begin);
		close(tap);
	}
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	struct probe p = {0};

	if (argc != 6)
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	p.mode = !strcmp(argv[1], "plain") ? PLAIN : !strcmp(argv[1], "given") ? GIVEN : STICKY;
	if (p.mode == PLAIN) {
		p.bridge = argv[2];
		p.sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	} else {
		p.net = (unsigned)atoi(argv[3]);
		connect_vnetd(&p, argv[2]);
	}
	plug_neighbour(&p);
	measure(&p, (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
	printf("resent %u\nready\n", p.resent);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
