/* SPDX-License-Identifier: GPL-2.0-or-later
 * io.c - recvmmsg() and sendmmsg() on a packet socket.
 */
#include "dhcpd/io.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util.h"

struct io_batch {
	struct mmsghdr msg[IO_BATCH];
	struct iovec iov[IO_BATCH];
	uint8_t frame[IO_BATCH][IO_FRAME_MAX];
};

struct io_batch *
io_batch_new(void)
{
	return calloc(1, sizeof(struct io_batch));
}

void
io_batch_free(struct io_batch *b)
{
	free(b);
}

int
io_receive(struct io_batch *b, int fd, struct io_frame v[IO_BATCH])
{
	int n;

	for (unsigned i = 0; i < IO_BATCH; i++) {
		b->iov[i] = (struct iovec){b->frame[i], IO_FRAME_MAX};
		b->msg[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1};
	}
	do {
		n = recvmmsg(fd, b->msg, IO_BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < n; i++)
		v[i] = (struct io_frame){.p = b->frame[i], .len = b->msg[i].msg_len};
	return n;
}

/* The socket is one for ARP, and what leaves by it would be called so by the kernel. */
static struct sockaddr_ll
address_of(const struct io_frame *f, int ifindex)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};

	memcpy(&to.sll_protocol, f->p + 2 * ETH_ALEN, sizeof(to.sll_protocol));
	return to;
}

size_t
io_send(int fd, int ifindex, const struct io_frame *v, size_t n)
{
	struct sockaddr_ll to[IO_SEND];
	struct mmsghdr msg[IO_SEND];
	struct iovec iov[IO_SEND];
	size_t done = 0, sent = 0;

	if (n > IO_SEND)
		n = IO_SEND;
	memset(msg, 0, n * sizeof(msg[0]));
	for (size_t i = 0; i < n; i++) {
		iov[i] = (struct iovec){(void *)(uintptr_t)v[i].p, v[i].len};
		to[i] = address_of(&v[i], ifindex);
		msg[i].msg_hdr.msg_name = &to[i];
		msg[i].msg_hdr.msg_namelen = sizeof(to[i]);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		int r = sendmmsg(fd, msg + done, (unsigned)(n - done), MSG_DONTWAIT);

		if (r < 0 && errno == EINTR)
			continue;
		if (r > 0)
			sent += (size_t)r;
		/* An error is about the first of them: go on behind it. */
		done += r > 0 ? (size_t)r : 1;
	}
	return sent;
}
