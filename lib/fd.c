/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd.c - closing, reading and passing descriptors. No log: callers know what a failure means.
 */
#include "fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* One SCM_RIGHTS message of the greatest size, aligned as the kernel writes it. */
union fd_control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
};

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_sendmsg(int sock, const void *buf, size_t len, const int *fds, size_t nfds)
{
	union fd_control control = {0};
	struct iovec iov = {(void *)(uintptr_t)buf, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	/* An empty datagram looks like the end of the stream to the other side. */
	if (len == 0 || nfds > FD_PASS_MAX)
		return -EINVAL;
	if (nfds) {
		struct cmsghdr *cm = &control.align;

		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, nfds * sizeof(int));
	}
	do {
		n = sendmsg(sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int
fd_sendmmsg(int sock, const struct iovec *v, size_t n)
{
	struct mmsghdr mm[FD_SEND_MAX] = {0};
	int r;

	if (n == 0 || n > FD_SEND_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		mm[i].msg_hdr.msg_iov = (struct iovec *)&v[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	do {
		r = sendmmsg(sock, mm, (unsigned)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Collects what the kernel installed for us; it never installs more than the buffer had room for. */
static size_t
take_rights(struct msghdr *mh, int fds[FD_PASS_MAX])
{
	size_t nfds = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (nfds < FD_PASS_MAX)
				fds[nfds++] = fd;
			else
				close(fd);
		}
	}
	return nfds;
}

/* The datagram's length; its descriptors are closed if not all of it came. */
static ssize_t
take_whole(struct msghdr *mh, ssize_t len, int fds[FD_PASS_MAX], size_t *nfds)
{
	*nfds = take_rights(mh, fds);
	if (!(mh->msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return len;
	for (size_t i = 0; i < *nfds; i++)
		fd_close(&fds[i]);
	*nfds = 0;
	return -EMSGSIZE;
}

ssize_t
fd_recvmsg(int sock, void *buf, size_t cap, int fds[FD_PASS_MAX], size_t *nfds)
{
	union fd_control control;
	struct iovec iov = {buf, cap};
	struct msghdr mh = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf),
	};
	ssize_t n;

	*nfds = 0;
	do {
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : take_whole(&mh, n, fds, nfds);
}

int
fd_recvmmsg(int sock, struct fd_dgram *d, size_t n)
{
	union fd_control control[FD_RECV_MAX];
	struct iovec iov[FD_RECV_MAX];
	struct mmsghdr mm[FD_RECV_MAX];
	int r;

	if (n == 0 || n > FD_RECV_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		iov[i] = (struct iovec){d[i].buf, d[i].cap};
		mm[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
						.msg_iovlen = 1,
						.msg_control = control[i].buf,
						.msg_controllen = sizeof(control[i].buf)};
	}
	do {
		r = recvmmsg(sock, mm, (unsigned)n, MSG_CMSG_CLOEXEC | MSG_DONTWAIT, NULL);
	} while (r < 0 && errno == EINTR);
	for (int i = 0; i < r; i++)
		d[i].len = take_whole(&mm[i].msg_hdr, mm[i].msg_len, d[i].fds, &d[i].nfds);
	return r < 0 ? -errno : r;
}

int
fd_seqpacket_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	return 0;
}

int
fd_memfd(const char *name, const void *buf, size_t len)
{
	const char *p = buf;
	AUTO_FD fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	/* A hardened host may insist on the flag, an older kernel does not know it. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	/* pwrite(), so that the position stays at the start for the receiver. */
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, p + done, len - done, (off_t)done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return fd_take(&fd);
}

ssize_t
fd_read_all(int fd, char **out, size_t max)
{
	size_t len = 0, cap = 4096;
	char *buf = malloc(cap);
	int r;

	if (max > SSIZE_MAX / 4)
		max = SSIZE_MAX / 4; /* doubling stays in range */
	while (buf) {
		/* One byte is kept for the NUL. */
		ssize_t n = pread(fd, buf + len, cap - len - 1, (off_t)len);
		char *grown;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = -errno;
			free(buf);
			return r;
		}
		if (n == 0) {
			buf[len] = '\0';
			*out = buf;
			return (ssize_t)len;
		}
		len += (size_t)n;
		if (len > max) {
			free(buf);
			return -EFBIG;
		}
		if (len + 1 < cap)
			continue;
		cap *= 2;
		grown = realloc(buf, cap);
		if (!grown)
			free(buf);
		buf = grown;
	}
	return -ENOMEM;
}

void
fd_close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
}

void
fd_close_from(int first)
{
	close_range((unsigned)first, ~0U, 0);
}

uint16_t
fd_local_port4(int fd)
{
	struct sockaddr_in a = {.sin_port = 0};
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) < 0 ? 0 : ntohs(a.sin_port);
}
