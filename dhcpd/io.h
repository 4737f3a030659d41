/* SPDX-License-Identifier: GPL-2.0-or-later
 * io.h - ARP in from a packet socket, and all frames out by it, many per system call.
 *
 * The socket is bound to one bridge and filtered by priv to ARP replies. No decisions, no log.
 */
#ifndef VNET_DHCPD_IO_H
#define VNET_DHCPD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Frames taken from the kernel at once; also what shares one sync of the lease file. Twice as many are
 * given to it: an answer may have a probe behind it. */
#define IO_BATCH 64
#define IO_SEND  (2 * IO_BATCH)

/* An ARP packet with its Ethernet header has 42 bytes, and is padded to 60; what is longer is cut off. */
#define IO_FRAME_MAX 128

struct io_frame {
	const uint8_t *p;
	size_t len;
	uint32_t stamp; /* DHCP_STAMP() of a message that came in; 0: none */
};

/* Buffers for one batch: large, made once, used by all networks in turn. */
struct io_batch;
struct io_batch *io_batch_new(void);
void io_batch_free(struct io_batch *b);

/* Receives what is there, at most IO_BATCH frames, into v (valid until the next call). Their
 * number, 0 when there is nothing, -errno. */
int io_receive(struct io_batch *b, int fd, struct io_frame v[IO_BATCH]);

/* Sends n frames by the link that fd is bound to, at most IO_SEND; those that the kernel will not take are lost, as on
 * any network. The number sent. */
size_t io_send(int fd, int ifindex, const struct io_frame *v, size_t n);

#endif
