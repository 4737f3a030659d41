/* SPDX-License-Identifier: GPL-2.0-or-later
 * chan_blocking.c - one message at a time over a socket without a channel: for programs that have no loop, which so are not
 * linked with one.
 */
#include <errno.h>
#include <poll.h>

#include "chan.h"

static int
wait_for(int sock, short events)
{
	struct pollfd p = {.fd = sock, .events = events};

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
chan_recv_blocking(int sock, struct msg *m, int fds[FD_PASS_MAX], size_t *nfds)
{
	uint8_t buf[MSG_MAX];
	ssize_t len;

	while ((len = fd_recvmsg(sock, buf, sizeof(buf), fds, nfds)) == -EAGAIN) {
		int r = wait_for(sock, POLLIN);

		if (r < 0)
			return r;
	}
	if (len > 0 && msg_decode(m, buf, (size_t)len) && msg_fds_ok(m->type, *nfds))
		return 0;
	fd_close_all(fds, *nfds);
	*nfds = 0;
	if (len > 0 || len == -EMSGSIZE)
		return -EPROTO;
	return len == 0 ? -EPIPE : (int)len;
}

int
chan_send_blocking(int sock, const struct msg *m, const int *fds, size_t nfds)
{
	uint8_t buf[MSG_MAX];
	size_t len = msg_encode(m, buf, sizeof(buf));
	int r;

	if (len == 0 || !msg_fds_ok(m->type, nfds))
		return -EMSGSIZE;
	while ((r = fd_sendmsg(sock, buf, len, fds, nfds)) == -EAGAIN) {
		r = wait_for(sock, POLLOUT);
		if (r < 0)
			return r;
	}
	return r;
}
