/* SPDX-License-Identifier: GPL-2.0-or-later
 * sandbox_inet.c - see sandbox_inet.h.
 */
#include "tests/unit/lib/sandbox_inet.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/util.h"

static int
do_inet(int type)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sin);
	AUTO_FD fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	AUTO_FD six = socket(AF_INET6, type, 0);
	int one = 1;

	if (fd < 0 || six < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 && errno != EINPROGRESS)
		return errno;
	if (type == SOCK_DGRAM)
		return sendto(fd, "x", 1, 0, (struct sockaddr *)&sin, sizeof(sin)) == 1 ? 0 : errno;
	return 0;
}

int
sandbox_do_udp(pid_t other UNUSED)
{
	return do_inet(SOCK_DGRAM);
}

int
sandbox_do_tcp(pid_t other UNUSED)
{
	return do_inet(SOCK_STREAM);
}

/* What a redirector does with its pipes and sockets. */
int
sandbox_do_relay(pid_t other UNUSED)
{
	const struct sockaddr_in sin = {.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int p[2], on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return errno;
	/* Port 0 is nobody's: that it was tried is enough. */
	if (connect(fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0 || errno == EPERM)
		return EPERM;
	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
	    fcntl(p[1], F_SETPIPE_SZ, 1 << 16) < 0 || fcntl(p[1], F_GETPIPE_SZ) < 0)
		return errno;
	if (splice(p[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK) >= 0 || errno == EPERM)
		return EPERM;
	/* It does not listen. */
	if (accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0 || errno == EPERM)
		return EPERM;
	return 0;
}

int
sandbox_try_splice(pid_t other UNUSED)
{
	int p[2], q[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(q, O_CLOEXEC | O_NONBLOCK) < 0)
		return 199;
	return splice(p[0], NULL, q[1], NULL, 1, SPLICE_F_NONBLOCK) < 0 ? errno : 0;
}

/* A redirector gets its listening sockets; it makes none. */
int
sandbox_try_listen(pid_t other UNUSED)
{
	const struct sockaddr_in sin = {.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 199;
	if (bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0 || errno != EPERM)
		return 0;
	return listen(fd, 1) < 0 ? errno : 0;
}
