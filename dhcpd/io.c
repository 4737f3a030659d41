/* SPDX-License-Identifier: GPL-2.0-or-later
 * io.c - recvmmsg() and sendmmsg() on a packet socket.
 */
#include "dhcpd/io.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util.h"

struct io_batch {
	struct mmsghdr msg[IO_BATCH];
	struct iovec iov[IO_BATCH];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(sizeof(uint32_t))];
	} control[IO_BATCH];
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

static bool
is_control(const struct cmsghdr *cm, int level, int type, size_t size)
{
	return cm->cmsg_level == level && cm->cmsg_type == type && cm->cmsg_len >= CMSG_LEN(size);
}

/* A guest's kernel or the host's leaves the checksum to hardware; on a bridge there is none. */
static void
read_control(struct io_frame *f, struct msghdr *mh)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		if (is_control(cm, SOL_PACKET, PACKET_AUXDATA, sizeof(aux))) {
			memcpy(&aux, CMSG_DATA(cm), sizeof(aux));
			if (aux.tp_status & TP_STATUS_CSUMNOTREADY)
				f->csum = FRAME_CSUM_PARTIAL;
		} else if (is_control(cm, SOL_SOCKET, SO_MARK, sizeof(f->stamp))) {
			memcpy(&f->stamp, CMSG_DATA(cm), sizeof(f->stamp));
		}
	}
}

int
io_receive(struct io_batch *b, int fd, struct io_frame v[IO_BATCH])
{
	int n;

	for (unsigned i = 0; i < IO_BATCH; i++) {
		b->iov[i] = (struct iovec){b->frame[i], IO_FRAME_MAX};
		b->msg[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i],
						    .msg_iovlen = 1,
						    .msg_control = b->control[i].buf,
						    .msg_controllen = sizeof(b->control[i])};
	}
	do {
		n = recvmmsg(fd, b->msg, IO_BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		v[i] = (struct io_frame){
		    .p = b->frame[i], .len = b->msg[i].msg_len, .csum = FRAME_CSUM_CHECK};
		read_control(&v[i], &b->msg[i].msg_hdr);
	}
	return n;
}

size_t
io_send(int fd, const struct io_frame *v, size_t n)
{
	struct mmsghdr msg[IO_SEND];
	struct iovec iov[IO_SEND];
	size_t done = 0, sent = 0;

	if (n > IO_SEND)
		n = IO_SEND;
	memset(msg, 0, n * sizeof(msg[0]));
	for (size_t i = 0; i < n; i++) {
		iov[i] = (struct iovec){(void *)(uintptr_t)v[i].p, v[i].len};
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
