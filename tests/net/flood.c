/* SPDX-License-Identifier: GPL-2.0-or-later
 * flood.c - sends frames as fast as told: what a hostile guest does, for the tests of the gate and benchmarks.
 *
 *     flood IFNAME TYPE RATE COUNT SOURCES TARGETS [SIZE]
 *
 * TYPE: hexadecimal. RATE: frames a second, 0: as many as go. COUNT: 0: until SIGTERM. SOURCES, TARGETS:
 * Ethernet addresses separated by commas, or "random": every target gets every source in turn. SIZE: bytes of each frame, 60 without it. Prints
 * "sending" before the first frame and at the end "FRAMES MILLISECONDS".
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FRAME     60
#define FRAME_MAX 1514
#define BATCH     64
#define ADDRESSES 16
#define TICK_NS   1000000 /* with a rate: frames leave in portions, one each millisecond */

struct addresses {
	uint8_t mac[ADDRESSES][ETH_ALEN];
	bool random[ADDRESSES];
	unsigned n;
};

struct flood {
	struct addresses src, dst;
	uint16_t type;
	uint64_t rate, count, sent;
	size_t size;
	uint64_t x; /* state of the pseudo-random addresses */
	int fd;
};

static volatile sig_atomic_t ended;

static void
on_term(int sig)
{
	ended = sig;
}

static uint64_t
number(const char *text, int base)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, base);
	if (errno != 0 || end == text || *end != '\0')
		errx(2, "not a number: %s", text);
	return n;
}

static void
parse_addresses(struct addresses *a, char *list)
{
	unsigned b[ETH_ALEN];

	for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
		if (a->n == ADDRESSES)
			errx(2, "more than %d addresses", ADDRESSES);
		if (strcmp(word, "random") == 0) {
			a->random[a->n++] = true;
			continue;
		}
		if (sscanf(word, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) !=
		    ETH_ALEN)
			errx(2, "not an Ethernet address: %s", word);
		for (unsigned i = 0; i < ETH_ALEN; i++)
			a->mac[a->n][i] = (uint8_t)b[i];
		a->n++;
	}
	if (a->n == 0)
		errx(2, "no address");
}

/* Address i of the list; a random one is unicast and locally administered, and does not come back soon. */
static void
put_address(struct flood *f, uint8_t *out, const struct addresses *a, uint64_t i)
{
	unsigned n = (unsigned)(i % a->n);

	if (!a->random[n]) {
		memcpy(out, a->mac[n], ETH_ALEN);
		return;
	}
	f->x ^= f->x << 13;
	f->x ^= f->x >> 7;
	f->x ^= f->x << 17;
	memcpy(out, &f->x, ETH_ALEN);
	out[0] = (uint8_t)((out[0] & 0xfc) | 0x02);
}

/* Sends n frames; those for which the interface has no room are not counted. */
static void
send_batch(struct flood *f, unsigned n)
{
	static uint8_t frame[BATCH][FRAME_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
	uint16_t type = htons(f->type);
	int r;

	memset(msg, 0, sizeof(msg));
	for (unsigned i = 0; i < n; i++) {
		put_address(f, frame[i], &f->dst, (f->sent + i) / f->src.n);
		put_address(f, frame[i] + ETH_ALEN, &f->src, f->sent + i);
		memcpy(frame[i] + 2 * ETH_ALEN, &type, sizeof(type));
		iov[i] = (struct iovec){frame[i], f->size};
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	r = sendmmsg(f->fd, msg, n, 0);
	if (r > 0)
		f->sent += (unsigned)r;
	else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR && errno != ENETDOWN)
		err(1, "cannot send");
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* How many frames are due now; with a rate it waits until there are some. */
static unsigned
due(const struct flood *f, uint64_t start)
{
	uint64_t left = f->count ? f->count - f->sent : BATCH, n = BATCH;

	if (f->rate != 0) {
		uint64_t want = (now_ns() - start) * f->rate / 1000000000;

		n = want > f->sent ? want - f->sent : 0;
		if (n == 0)
			nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
	}
	n = n < left ? n : left;
	return n < BATCH ? (unsigned)n : BATCH;
}

static void
run(struct flood *f)
{
	uint64_t start = now_ns();

	puts("sending");
	fflush(stdout);
	while (!ended && (f->count == 0 || f->sent < f->count)) {
		unsigned n = due(f, start);

		if (n > 0)
			send_batch(f, n);
	}
	printf("%llu %llu\n", (unsigned long long)f->sent,
	       (unsigned long long)((now_ns() - start) / 1000000));
}

int
main(int argc, char **argv)
{
	struct flood f = {.x = 0x9e3779b97f4a7c15, .size = FRAME};
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	struct sigaction term = {.sa_handler = on_term};

	if (argc != 7 && argc != 8)
		errx(2, "usage: flood IFNAME TYPE RATE COUNT SOURCES TARGETS [SIZE]");
	f.type = (uint16_t)number(argv[2], 16);
	f.rate = number(argv[3], 10);
	f.count = number(argv[4], 10);
	parse_addresses(&f.src, argv[5]);
	parse_addresses(&f.dst, argv[6]);
	if (argc == 8)
		f.size = number(argv[7], 10);
	if (f.size < FRAME || f.size > FRAME_MAX)
		errx(2, "a frame has %d to %d bytes", FRAME, FRAME_MAX);
	sigaction(SIGTERM, &term, NULL);
	f.fd = socket(AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	if (f.fd < 0 || to.sll_ifindex == 0 || bind(f.fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(1, "%s", argv[1]);
	run(&f);
	return 0;
}
