/* SPDX-License-Identifier: GPL-2.0-or-later
 * conns.c - the ends of redirected connections.
 *
 *     conns echo PORT              sends back what comes; prints "ready"
 *     conns ping ADDR PORT N       N round trips of 64 bytes on one connection: microseconds p50 and p99
 *     conns idle ADDR PORT N       opens N connections one after the other, a byte there and back on each; prints how
 *                                  many it has and in how many milliseconds, and holds them until stdin ends
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS   256
#define SIZE     64
#define WARM_UP  200
#define CHURNERS 4
#define PATIENCE 10 /* seconds for one answer */

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "conns: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void
no_delay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* --- the far end --- */

static void
watch(int ep, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		die("epoll");
}

static void
take_all(int ep, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		no_delay(fd);
		watch(ep, fd);
	}
}

/* Its socket may be full for a moment: the other end is reading, or going. */
static int
send_back(int fd, const char *buf, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && (errno != EAGAIN || poll(&p, 1, PATIENCE * 1000) <= 0))
			return -1;
		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static _Noreturn void
echo(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);
	struct epoll_event ev[EVENTS];
	static char buf[65536];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 4096) < 0)
		die("listen");
	watch(ep, listener);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(ep, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			ssize_t got;

			if (ev[i].data.fd == listener) {
				take_all(ep, listener);
				continue;
			}
			got = read(ev[i].data.fd, buf, sizeof(buf));
			if (got == 0 ||
			    (got > 0 && send_back(ev[i].data.fd, buf, (size_t)got) < 0) ||
			    (got < 0 && errno != EAGAIN))
				close(ev[i].data.fd);
		}
	}
}

/* --- the near end --- */

static int
dial(const char *addr, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	struct timeval patience = {PATIENCE, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, addr, &a.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(addr);
	no_delay(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void
there_and_back(int fd, char *buf, size_t len)
{
	if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len ||
	    recv(fd, buf, len, MSG_WAITALL) != (ssize_t)len)
		die("there and back");
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int
ping(const char *addr, const char *port, int n)
{
	int64_t *took = calloc((size_t)n, sizeof(*took));
	int fd = dial(addr, port);
	char buf[SIZE] = {0};

	if (!took)
		die("memory");
	for (int i = -WARM_UP; i < n; i++) {
		int64_t begin = now_ns();

		there_and_back(fd, buf, sizeof(buf));
		if (i >= 0)
			took[i] = now_ns() - begin;
	}
	qsort(took, (size_t)n, sizeof(*took), by_size);
	printf("%.1f %.1f\n", (double)took[n / 2] / 1e3, (double)took[n - 1 - n / 100] / 1e3);
	free(took);
	return 0;
}

static int
idle(const char *addr, const char *port, int n)
{
	int64_t begin = now_ns();
	char byte = 'x';

	for (int i = 0; i < n; i++)
		there_and_back(dial(addr, port), &byte, 1);
	printf("%d %lld\n", n, (long long)((now_ns() - begin) / 1000000));
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

/* The last bytes may still be on their way when it ends: what is counted has come back before. */
static uint64_t
one_short_life(const char *addr, const char *port, int n)
{
	static char buf[60000];
	size_t len = 1 + (size_t)n * 7919 % (n % 64 ? 2000 : sizeof(buf));
	struct linger reset = {1, 0};
	int fd = dial(addr, port);

	there_and_back(fd, buf, len);
	switch (n % 4) {
	case 0: /* says that it is done, and waits for the other side */
		shutdown(fd, SHUT_WR);
		if (recv(fd, buf, 1, 0) != 0)
			die("end");
		break;
	case 1:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case 2: /* leaves with an answer on its way */
		send(fd, buf, len, MSG_NOSIGNAL);
		break;
	default:
		break;
	}
	close(fd);
	return len;
}

static int
churn(const char *addr, const char *port, int n)
{
	uint64_t *got = mmap(NULL, CHURNERS * sizeof(*got), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t all = 0;
	int status, failed = 0;

	if (got == MAP_FAILED)
		die("memory");
	for (int k = 0; k < CHURNERS; k++) {
		if (fork() != 0)
			continue;
		for (int i = k; i < n; i += CHURNERS)
			got[k] += one_short_life(addr, port, i / CHURNERS);
		_exit(0);
	}
	while (wait(&status) > 0)
		failed |= status;
	for (int k = 0; k < CHURNERS; k++)
		all += got[k];
	printf("%llu\n", (unsigned long long)all);
	return failed ? 1 : 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	if (!strcmp(what, "echo"))
		echo(atoi(argv[2]));
	if (!strcmp(what, "ping") && argc == 5)
		return ping(argv[2], argv[3], atoi(argv[4]));
	if (!strcmp(what, "idle") && argc == 5)
		return idle(argv[2], argv[3], atoi(argv[4]));
	if (!strcmp(what, "churn") && argc == 5)
		return churn(argv[2], argv[3], atoi(argv[4]));
	return 2;
}
