/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcpload.c - an open-loop load of DHCP clients: exchanges begin at their times, whatever the server does.
 *
 *     dhcpload IFNAME RATE MS CLIENTS CPU [first]
 *
 * RATE exchanges (DISCOVER, OFFER, REQUEST, ACK) a second begin for MS milliseconds, by CLIENTS clients in turn, each
 * with an Ethernet address of its own. A message that is lost is not sent again: its exchange is lost. One second
 * after the last exchange has begun this prints
 *
 *     begun offers acks naks late offer-p50 offer-p95 ack-p50 ack-p95
 *
 * times in microseconds, from the frame that asks to the one that answers; late: exchanges that began more than a
 * millisecond after their time, which is this program's own fault. With `first` it says "ready" before it begins, and
 * ends with the first OFFER, when it prints that time (CLOCK_REALTIME, ns) instead.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,
	FRAME_MAX = 1514,
	GRACE_MS = 1000,
	LATE_NS = 1000000,
	/* of a frame: Ethernet, IPv4 and UDP headers, then BOOTP's fields and the options behind the cookie */
	IP_AT = 14,
	UDP_AT = 34,
	BOOTP_AT = 42,
	OPTIONS_AT = BOOTP_AT + 240,
	FRAME_LEN = OPTIONS_AT + 60,
	DISCOVER = 1,
	OFFER,
	REQUEST,
	ACK = 5,
	NAK,
};

/* One exchange. Times in nanoseconds; 0: not so far. */
struct exchange {
	int64_t discover, offer, request, ack;
};

struct load {
	int sock;
	struct exchange *v;
	unsigned total, begun, clients;
	unsigned offers, acks, naks, late;
	uint8_t out[BATCH][FRAME_LEN];
	unsigned nout;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- frames ------------------------------------------------------------------------------------- */

static void
put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void
put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v & 0xffff);
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static unsigned
checksum(const uint8_t *at, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* A broadcast frame of a client, xid being the exchange. Two options more for a REQUEST. */
static void
make(uint8_t f[FRAME_LEN], uint32_t client, uint32_t xid, uint8_t type, uint32_t address,
     uint32_t server)
{
	uint8_t *b = f + BOOTP_AT, *o = f + OPTIONS_AT;

	memset(f, 0, FRAME_LEN);
	memset(f, 0xff, 6);
	f[6] = 0x02;
	f[7] = 0xd4;
	put32(f + 8, client);
	put16(f + 12, ETHERTYPE_IP);
	f[IP_AT] = 0x45;
	put16(f + IP_AT + 2, FRAME_LEN - IP_AT);
	f[IP_AT + 8] = 64;
	f[IP_AT + 9] = IPPROTO_UDP;
	memset(f + IP_AT + 16, 0xff, 4);
	put16(f + IP_AT + 10, checksum(f + IP_AT, 20));
	put16(f + UDP_AT, 68);
	put16(f + UDP_AT + 2, 67);
	put16(f + UDP_AT + 4, FRAME_LEN - UDP_AT); /* the checksum may be 0 */
	b[0] = b[1] = 1;
	b[2] = 6;
	put32(b + 4, xid);
	memcpy(b + 28, f + 6, 6);
	put32(b + 236, 0x63825363);
	*o++ = 53;
	*o++ = 1;
	*o++ = type;
	if (type == REQUEST) {
		*o++ = 50;
		*o++ = 4;
		put32(o, address);
		o[4] = 54;
		o[5] = 4;
		put32(o + 6, server);
		o += 10;
	}
	*o = 255;
}

static const uint8_t *
option(const uint8_t *f, size_t n, uint8_t code)
{
	for (size_t i = OPTIONS_AT; i + 1 < n && f[i] != 255; i += f[i] ? 2u + f[i + 1] : 1u)
		if (f[i] == code && i + 2u + f[i + 1] <= n)
			return f + i;
	return NULL;
}

/* --- the wire ----------------------------------------------------------------------------------- */

static void
flush(struct load *l)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	unsigned done = 0;

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < l->nout; i++) {
		iov[i] = (struct iovec){l->out[i], FRAME_LEN};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (done < l->nout) {
		int n = sendmmsg(l->sock, m + done, l->nout - done, 0);

		if (n < 0)
			die("sendmmsg");
		done += (unsigned)n;
	}
	l->nout = 0;
}

static uint8_t *
next_frame(struct load *l)
{
	if (l->nout == BATCH)
		flush(l);
	return l->out[l->nout++];
}

static void
begin(struct load *l, int64_t due, int64_t now)
{
	uint32_t i = l->begun++;

	l->late += now - due > LATE_NS;
	l->v[i].discover = now;
	make(next_frame(l), i % l->clients, i, DISCOVER, 0, 0);
}

static void
answered(struct load *l, const uint8_t *f, size_t n, int64_t now)
{
	const uint8_t *type = option(f, n, 53), *server = option(f, n, 54);
	struct exchange *e;
	uint32_t xid;

	if (n < OPTIONS_AT || f[BOOTP_AT] != 2 || !type || !server)
		return;
	xid = get32(f + BOOTP_AT + 4);
	if (xid >= l->begun)
		return;
	e = &l->v[xid];
	if (type[2] == OFFER && !e->offer) {
		e->offer = now;
		l->offers++;
		e->request = now;
		make(next_frame(l), xid % l->clients, xid, REQUEST, get32(f + BOOTP_AT + 16),
		     get32(server + 2));
	} else if (type[2] == ACK && e->offer && !e->ack) {
		e->ack = now;
		l->acks++;
	} else if (type[2] == NAK) {
		l->naks++;
	}
}

static void
receive(struct load *l)
{
	static uint8_t in[BATCH][FRAME_MAX];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	int64_t now;
	int n;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){in[i], FRAME_MAX};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	n = recvmmsg(l->sock, m, BATCH, MSG_DONTWAIT, NULL);
	now = now_ns();
	for (int i = 0; i < n; i++)
		answered(l, in[i], m[i].msg_len, now);
}

static int
wire(const char *ifname)
{
	/* UDP to port 68, behind an IPv4 header without options. */
	struct sock_filter f[] = {
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 7),
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 5),
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {sizeof(f) / sizeof(f[0]), f};
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = (int)if_nametoindex(ifname)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), bytes = 32 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(ifname);
	return fd;
}

/* --- the end ------------------------------------------------------------------------------------ */

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Two percentiles of what lies between two times of each exchange, where both are set. */
static void
print_times(const struct load *l, size_t from, size_t to)
{
	int64_t *v = calloc(l->begun + 1u, sizeof(*v));
	size_t n = 0;

	if (!v)
		die("calloc");
	for (unsigned i = 0; i < l->begun; i++) {
		const char *e = (const char *)&l->v[i];
		int64_t a, b;

		memcpy(&a, e + from, sizeof(a));
		memcpy(&b, e + to, sizeof(b));
		if (a && b)
			v[n++] = b - a;
	}
	qsort(v, n, sizeof(*v), by_size);
	printf(" %.1f %.1f", n ? (double)v[n / 2] / 1e3 : 0.0,
	       n ? (double)v[n * 95 / 100] / 1e3 : 0.0);
	free(v);
}

static void
print_wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	printf("%lld\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec);
}

int
main(int argc, char **argv)
{
	struct load l = {0};
	int64_t start, end;
	double gap;
	cpu_set_t cpu;

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: dhcpload IFNAME RATE MS CLIENTS CPU [first]\n");
		return 2;
	}
	CPU_ZERO(&cpu);
	CPU_SET((size_t)atoi(argv[5]), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	gap = 1e9 / atof(argv[2]);
	l.total = (unsigned)(atof(argv[2]) * atof(argv[3]) / 1e3);
	l.clients = (unsigned)atoi(argv[4]);
	l.v = calloc(l.total + 1u, sizeof(*l.v));
	if (!l.v || !l.clients)
		die("memory");
	l.sock = wire(argv[1]);
	if (argc == 7) {
		printf("ready\n");
		fflush(stdout);
	}
	start = now_ns();
	end = start + (int64_t)(gap * l.total) + (int64_t)GRACE_MS * 1000000;
	for (;;) {
		int64_t now = now_ns();

		if (now >= end || (l.begun == l.total && l.acks == l.total))
			break;
		if (argc == 7 && l.offers) {
			print_wall_clock();
			return 0;
		}
		for (int i = 0; i < BATCH && l.begun < l.total; i++) {
			int64_t due = start + (int64_t)(gap * l.begun);

			if (due > now)
				break;
			begin(&l, due, now);
		}
		flush(&l);
		receive(&l);
		if (l.nout)
			flush(&l);
	}
	printf("%u %u %u %u %u", l.begun, l.offers, l.acks, l.naks, l.late);
	print_times(&l, offsetof(struct exchange, discover), offsetof(struct exchange, offer));
	print_times(&l, offsetof(struct exchange, request), offsetof(struct exchange, ack));
	printf("\n");
	return 0;
}
