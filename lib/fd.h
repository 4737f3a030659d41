/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd.h - file descriptors have one owner: scoped closing, moving, passing.
 */
#ifndef VNET_LIB_FD_H
#define VNET_LIB_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Closes *fd if it is open and makes it -1. Keeps errno. */
void fd_close(int *fd);

/* Moves the descriptor out: returns *fd and leaves -1 behind. */
static inline int
fd_take(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* A local variable that is closed on every way out of its block. */
#define AUTO_FD __attribute__((cleanup(fd_close))) int

/* At most this many descriptors travel with one message. */
#define FD_PASS_MAX 16

/* Sends one datagram with nfds descriptors (borrowed) over a SEQPACKET socket.
 * 0, -EAGAIN when the queue is full, -errno. */
int fd_sendmsg(int sock, const void *buf, size_t len, const int *fds, size_t nfds);

/* Sends up to FD_SEND_MAX datagrams of SEQPACKET, none of them empty, at once. How many of them, from the first on, the
 * queue had room for; -EAGAIN for none, -errno. */
#define FD_SEND_MAX 16
int fd_sendmmsg(int sock, const struct iovec *v, size_t n);

/* Receives one datagram. Returns its length (0: the peer has closed), -EAGAIN, -EMSGSIZE when it was
 * longer than `cap` or carried more than FD_PASS_MAX descriptors (all are closed then), -errno.
 * fds[0..*nfds) are owned by the caller, close-on-exec. */
ssize_t fd_recvmsg(int sock, void *buf, size_t cap, int fds[FD_PASS_MAX], size_t *nfds);

/* The same for up to FD_RECV_MAX datagrams at once. How many there were (fewer than n: no more are there now), or
 * -errno. Of each, `len` is what fd_recvmsg() would have returned, 0 or more, or -EMSGSIZE. */
#define FD_RECV_MAX 16
struct fd_dgram {
	void *buf;
	size_t cap;
	ssize_t len;
	size_t nfds;
	int fds[FD_PASS_MAX];
};
int fd_recvmmsg(int sock, struct fd_dgram *d, size_t n);

/* A connected AF_UNIX SEQPACKET pair, close-on-exec, non-blocking. 0 or -errno. */
int fd_seqpacket_pair(int fds[2]);

/* A sealed memfd holding buf (read position 0). Descriptor or -errno. */
int fd_memfd(const char *name, const void *buf, size_t len);

/* Reads everything from the start of a file (pread), at most `max` bytes, into a new NUL-terminated
 * buffer (*out: free() it). Length, -EFBIG, -ENOMEM or -errno. */
ssize_t fd_read_all(int fd, char **out, size_t max);

/* Closes each as fd_close() does. */
void fd_close_all(int *fds, size_t n);

/* Closes every descriptor from `first` on. */
void fd_close_from(int first);

/* The port of an IPv4 socket on this host, in host byte order; 0: it is not known. */
uint16_t fd_local_port4(int fd);

#endif
