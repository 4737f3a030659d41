/* SPDX-License-Identifier: GPL-2.0-or-later
 * traffic.c - what the benchmarks send through a network: a stream, packets, round trips; and a sniffer.
 *
 *     traffic serve CPU                          receives all of it, until it is killed; prints "ready"
 *     traffic tcp ADDRESS CPU MS                 one TCP stream; prints the bits per second that arrived
 *     traffic ping ADDRESS CPU COUNT             64 bytes there and back over TCP; prints the median, us
 *     traffic udp ADDRESS CPU MS RATE [BYTES]    datagrams of 64 bytes, or BYTES, RATE a second, 0: as fast as it
 *                                                goes; prints the number sent and the nanoseconds that it took
 *     traffic conns ADDRESS CPU MS PORT          connections, AT_ONCE at a time, each until the server closes it;
 *                                                prints how many a second
 *     traffic sniff INTERFACE CPU                counts those datagrams on their way to anybody until its
 *                                                input ends; prints "ready", then the number, the number
 *                                                of different ones and those that its ring had no room for
 *
 * CPU pins the process and raises its priority, so that neither the scheduler nor other work of the machine
 * decides; -1 leaves both alone. Nothing waits longer than PATIENCE_S: a network that loses a connection ends
 * the client with a sentence, and the server is free for the next one. UDP is counted by the receiver's
 * interface; its socket drops all of it, because how well a reader keeps up is not the question.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	PORT_STREAM = 7001,
	PORT_ECHO,
	PORT_PACKETS,
	PORT_CLOSER, /* closes each connection at once */
	PATIENCE_S = 5,
	WARM_MS = 200,    /* of a stream, not counted */
	WARM_TRIPS = 500, /* the same for round trips */
	BLOCK = 128 << 10,
	PAYLOAD = 64,
	PAYLOAD_MAX = 1472,
	AT_ONCE = 16,
	QUEUE = 1024, /* of connections that nobody has accepted yet */
	BATCH = 64,
	RING_BLOCK = 1 << 20,
	RING_BLOCKS = 64,
	SEQUENCES = 1 << 24, /* datagrams that the sniffer can tell from each other */
};

static bool pinned; /* to a processor that nobody else is to use */

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what,
		errno == EAGAIN || errno == EINPROGRESS ? "nothing came or went for too long"
							: strerror(errno));
	exit(1);
}

static void
pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0 || setpriority(PRIO_PROCESS, 0, -20) < 0)
		die("pin");
	pinned = true;
}

static struct sockaddr_in
address(const char *text, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	return a;
}

/* The same congestion control everywhere: a host's default may be one that paces by timers. */
static void
prepare(int s)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int one = 1;

	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic"));
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* --- the receiving side --- */

static int
listen_on(int port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s, QUEUE) < 0)
		die("listen");
	return s;
}

/* Until there is something to read. With a processor of its own it does not sleep: whom the sender has to wake by an
 * interrupt between processors, which costs a virtual machine as much as a whole frame, would decide the rate. */
static void
await(int s)
{
	int64_t end = now_ns() + PATIENCE_S * INT64_C(1000000000);
	struct pollfd p = {s, POLLIN, 0};

	while (pinned && poll(&p, 1, 0) == 0 && now_ns() < end)
		;
}

/* Reads a stream to its end and answers with the rate at which it came. */
static void
take_stream(int s)
{
	static char block[BLOCK];
	int64_t begin = 0, last = 0, warm = now_ns() + WARM_MS * INT64_C(1000000);
	uint64_t bytes = 0;
	char text[32];
	ssize_t n;

	while (await(s), (n = recv(s, block, sizeof(block), 0)) > 0) {
		last = now_ns();
		if (begin)
			bytes += (uint64_t)n;
		else if (last >= warm)
			begin = last;
	}
	if (n == 0 && last > begin) {
		snprintf(text, sizeof(text), "%.0f", (double)bytes * 8e9 / (double)(last - begin));
		(void)!send(s, text, strlen(text), MSG_NOSIGNAL);
	}
}

static void
echo(int s)
{
	char b[PAYLOAD];
	ssize_t n;

	while ((n = recv(s, b, sizeof(b), 0)) > 0)
		if (send(s, b, (size_t)n, MSG_NOSIGNAL) != n)
			return;
}

static void
nothing(int s)
{
	(void)s;
}

/* One connection after the other, in a child. */
static void
serve(int port, void (*handle)(int))
{
	int l = listen_on(port);
	pid_t parent = getpid();

	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		for (;;) {
			int s = accept4(l, NULL, NULL, SOCK_CLOEXEC);

			if (s < 0)
				continue;
			prepare(s);
			handle(s);
			close(s);
		}
	default:
		close(l);
	}
}

__attribute__((noreturn)) static void
serve_all(int cpu)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog drop = {1, &none};
	struct sockaddr_in a = address("0.0.0.0", PORT_PACKETS);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	pin(cpu);
	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &drop, sizeof(drop)) < 0 ||
	    bind(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("UDP");
	serve(PORT_STREAM, take_stream);
	serve(PORT_ECHO, echo);
	serve(PORT_CLOSER, nothing);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

/* --- the sending side --- */

static int
connect_to(const char *text, int port)
{
	struct sockaddr_in a = address(text, port);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		die("socket");
	prepare(s);
	if (connect(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connecting");
	return s;
}

static int
stream(const char *to, int ms)
{
	static char block[BLOCK];
	int s = connect_to(to, PORT_STREAM);
	int64_t end = now_ns() + (WARM_MS + ms) * INT64_C(1000000);
	char text[32];
	ssize_t n;

	while (now_ns() < end)
		if (send(s, block, sizeof(block), MSG_NOSIGNAL) <= 0)
			die("sending a stream");
	shutdown(s, SHUT_WR);
	n = recv(s, text, sizeof(text) - 1, 0);
	if (n <= 0)
		die("waiting for the receiver's count");
	text[n] = '\0';
	puts(text);
	return 0;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int
round_trips(const char *to, int count)
{
	int s = connect_to(to, PORT_ECHO);
	int64_t *took = calloc((size_t)count, sizeof(*took));
	char b[PAYLOAD] = {0};

	if (!took || count < 1)
		die("memory");
	for (int i = -WARM_TRIPS; i < count; i++) {
		int64_t begin = now_ns();

		if (send(s, b, sizeof(b), MSG_NOSIGNAL) != sizeof(b))
			die("sending a request");
		if (recv(s, b, sizeof(b), MSG_WAITALL) != sizeof(b))
			die("waiting for an answer");
		if (i >= 0)
			took[i] = now_ns() - begin;
	}
	qsort(took, (size_t)count, sizeof(*took), by_size);
	printf("%.2f\n", (double)took[count / 2] / 1e3);
	free(took);
	return 0;
}

/* Every datagram begins with its number. */
static int
packets(const char *to, int ms, int64_t rate, int size)
{
	static uint32_t payload[BATCH][PAYLOAD_MAX / sizeof(uint32_t)];
	struct sockaddr_in a = address(to, PORT_PACKETS);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int64_t sent = 0, length = ms * INT64_C(1000000), passed, begin, total = rate * ms / 1000;
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];

	if (size < (int)sizeof(uint32_t) || size > PAYLOAD_MAX)
		return 2;
	if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("UDP");
	memset(m, 0, sizeof(m));
	for (int i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){payload[i], (size_t)size};
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	begin = now_ns();
	while ((passed = now_ns() - begin) < length || sent < total) {
		int64_t due = rate ? passed * rate / 1000000000 : sent + BATCH;
		int n;

		if (rate && due > total)
			due = total;
		if (due <= sent)
			continue;
		if (due - sent > BATCH)
			due = sent + BATCH;
		for (int i = 0; i < due - sent; i++)
			payload[i][0] = htonl((uint32_t)(sent + i));
		n = sendmmsg(s, m, (unsigned)(due - sent), 0);
		if (n > 0)
			sent += n;
		else if (errno != ENOBUFS && errno != ECONNREFUSED)
			die("sending packets");
	}
	printf("%lld %lld\n", (long long)sent, (long long)(now_ns() - begin));
	return 0;
}

/* Connects without waiting. A connection that is over goes by a reset: it holds no port for a minute. */
static int
begin_connection(const struct sockaddr_in *to)
{
	const struct linger at_once = {.l_onoff = 1};
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		die("socket");
	if (connect(s, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != EINPROGRESS)
		die("connecting");
	return s;
}

/* One of them has an end of file: it is counted, and another begun. */
static int
end_connection(struct pollfd *p, const struct sockaddr_in *to)
{
	char b[PAYLOAD];
	ssize_t n = recv(p->fd, b, sizeof(b), 0);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != 0)
		die("a connection");
	close(p->fd);
	p->fd = begin_connection(to);
	return 1;
}

static int
connections(const char *text, int ms, int port)
{
	struct sockaddr_in to = address(text, port);
	struct pollfd p[AT_ONCE];
	int64_t begin = now_ns(), passed;
	uint64_t count = 0;

	for (int i = 0; i < AT_ONCE; i++)
		p[i] = (struct pollfd){begin_connection(&to), POLLIN, 0};
	while ((passed = now_ns() - begin) < ms * INT64_C(1000000)) {
		if (poll(p, AT_ONCE, PATIENCE_S * 1000) <= 0) {
			errno = EAGAIN;
			die("a connection");
		}
		for (int i = 0; i < AT_ONCE; i++)
			if (p[i].revents)
				count += (uint64_t)end_connection(&p[i], &to);
	}
	printf("%.0f\n", (double)count * 1e9 / (double)passed);
	return 0;
}

/* --- the sniffer --- */

struct counts {
	uint64_t all, different;
	uint8_t *seen; /* a bit for each number */
};

static void
count_frame(struct counts *c, const uint8_t *frame, unsigned len)
{
	uint32_t number;

	/* Ethernet, IPv4 without options and UDP, as the filter has made sure. */
	if (len < 14 + 20 + 8 + sizeof(number))
		return;
	memcpy(&number, frame + 14 + 20 + 8, sizeof(number));
	number = ntohl(number);
	c->all++;
	if (number < SEQUENCES && !(c->seen[number / 8] & 1 << number % 8)) {
		c->seen[number / 8] |= (uint8_t)(1 << number % 8);
		c->different++;
	}
}

static void
count_block(struct counts *c, struct tpacket_block_desc *block)
{
	uint8_t *at = (uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

	for (unsigned i = 0; i < block->hdr.bh1.num_pkts; i++) {
		const struct tpacket3_hdr *h = (const struct tpacket3_hdr *)(void *)at;

		count_frame(c, at + h->tp_mac, h->tp_snaplen);
		at += h->tp_next_offset;
	}
}

/* A promiscuous packet socket with a ring that takes seconds of small frames. */
static int
open_ring(const char *ifname, uint8_t **ring)
{
	struct sock_filter ours[] = {
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 5),
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT_PACKETS, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 128),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = {sizeof(ours) / sizeof(ours[0]), ours};
	struct tpacket_req3 size = {
	    .tp_block_size = RING_BLOCK,
	    .tp_block_nr = RING_BLOCKS,
	    .tp_frame_size = 2048,
	    .tp_frame_nr = RING_BLOCK / 2048 * RING_BLOCKS,
	    .tp_retire_blk_tov = 10,
	};
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct packet_mreq promisc = {.mr_type = PACKET_MR_PROMISC};
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), version = TPACKET_V3;

	ll.sll_ifindex = promisc.mr_ifindex = (int)if_nametoindex(ifname);
	if (s < 0 || !ll.sll_ifindex ||
	    setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    setsockopt(s, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(s, SOL_PACKET, PACKET_RX_RING, &size, sizeof(size)) < 0 ||
	    setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) < 0)
		die(ifname);
	*ring = mmap(NULL, (size_t)RING_BLOCK * RING_BLOCKS, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, s, 0);
	if (*ring == MAP_FAILED || bind(s, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		die(ifname);
	return s;
}

static int
sniff(const char *ifname)
{
	struct counts c = {.seen = calloc(SEQUENCES / 8, 1)};
	struct tpacket_stats_v3 lost = {0};
	socklen_t len = sizeof(lost);
	uint8_t *ring;
	int s = open_ring(ifname, &ring);
	struct pollfd p[2] = {{s, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};

	if (!c.seen)
		die("memory");
	puts("ready");
	fflush(stdout);
	for (unsigned at = 0;;) {
		struct tpacket_block_desc *block =
		    (struct tpacket_block_desc *)(void *)(ring + (size_t)at * RING_BLOCK);
		volatile uint32_t *status = &block->hdr.bh1.block_status;

		if (!(*status & TP_STATUS_USER)) {
			/* Told to stop, it takes what is still on its way. */
			if (poll(p, p[1].fd < 0 ? 1 : 2, p[1].fd < 0 ? 300 : -1) == 0)
				break;
			if (p[1].fd >= 0 && p[1].revents)
				p[1].fd = -1;
			continue;
		}
		__sync_synchronize();
		count_block(&c, block);
		__sync_synchronize();
		*status = TP_STATUS_KERNEL;
		at = (at + 1) % RING_BLOCKS;
	}
	getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &lost, &len);
	printf("%llu %llu %u\n", (unsigned long long)c.all, (unsigned long long)c.different,
	       lost.tp_drops);
	free(c.seen);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "serve"))
		serve_all(atoi(argv[2]));
	if (argc < 4)
		return 2;
	pin(atoi(argv[3]));
	if (!strcmp(what, "sniff"))
		return sniff(argv[2]);
	if (!strcmp(what, "tcp") && argc == 5)
		return stream(argv[2], atoi(argv[4]));
	if (!strcmp(what, "ping") && argc == 5)
		return round_trips(argv[2], atoi(argv[4]));
	if (!strcmp(what, "udp") && (argc == 6 || argc == 7))
		return packets(argv[2], atoi(argv[4]), atoll(argv[5]),
			       argc == 7 ? atoi(argv[6]) : PAYLOAD);
	if (!strcmp(what, "conns") && argc == 6)
		return connections(argv[2], atoi(argv[4]), atoi(argv[5]));
	return 2;
}
