/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.c - see relay.h. It looks at no message: a test may say anything, well-formed or not.
 */
#include "tests/net/relay.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/sandbox.h"

enum { FD_PRIV = 3 };

static int
listen_at(const char *role)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int len = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, "vnet-relay-%s", role);
	socklen_t size = (socklen_t)(sizeof(sun.sun_family) + 1 + (size_t)len);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, size) < 0 || listen(fd, 1) < 0)
		log_fatal(0, "relay: cannot listen");
	return fd;
}

/* priv's side does not block. */
static int
send_all(int to, const void *buf, size_t len, const int *fds, size_t nfds)
{
	struct pollfd p = {.fd = to, .events = POLLOUT};
	int r;

	while ((r = fd_sendmsg(to, buf, len, fds, nfds)) == -EAGAIN)
		poll(&p, 1, -1);
	return r;
}

enum moved { MOVED, SOURCE_GONE, TARGET_GONE };

static enum moved
move(int from, int to)
{
	char buf[MSG_MAX];
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	ssize_t n = fd_recvmsg(from, buf, sizeof(buf), fds, &nfds);
	enum moved result = MOVED;

	/* A test that went without reading everything: what it had sent comes after this error. */
	if (n == -EAGAIN || n == -ECONNRESET)
		return MOVED;
	if (n <= 0)
		result = SOURCE_GONE;
	else if (send_all(to, buf, (size_t)n, fds, nfds) < 0)
		result = TARGET_GONE;
	for (size_t i = 0; i < nfds; i++)
		fd_close(&fds[i]);
	return result;
}

/* One test, until it goes. False: priv has gone. */
static bool
serve(int test)
{
	struct pollfd p[] = {{.fd = FD_PRIV, .events = POLLIN}, {.fd = test, .events = POLLIN}};
	bool test_gone = false;

	for (;;) {
		enum moved m;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents && !test_gone) {
			m = move(FD_PRIV, test);
			if (m == SOURCE_GONE)
				return false;
			test_gone = m == TARGET_GONE;
		}
		/* Its last words count, also when it does not listen any more. */
		if (p[1].revents || test_gone) {
			m = move(test, FD_PRIV);
			if (m != MOVED)
				return m == SOURCE_GONE;
		}
	}
}

int
relay_main(const char *run_dir, const char *role)
{
	struct pollfd p[] = {{.fd = FD_PRIV}, {.events = POLLIN}};
	char empty[4096];
	int r, listener = listen_at(role);

	snprintf(empty, sizeof(empty), "%s/empty", run_dir);
	r = sandbox_enter(empty);
	if (r == 0)
		r = sandbox_seccomp(SANDBOX_SOCKET_ACCEPT);
	if (r < 0)
		log_fatal(-r, "relay: cannot enter the sandbox");
	p[1].fd = listener;
	for (;;) {
		AUTO_FD test = -1;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents & POLLHUP)
			return 0;
		if (!(p[1].revents & POLLIN))
			continue;
		test = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (test >= 0 && !serve(test))
			return 0;
	}
}
