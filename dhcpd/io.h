/* SPDX-License-Identifier: GPL-2.0-or-later
 * io.h - frames in and out of a packet socket, many per system call.
 *
 * The socket is bound to one bridge and filtered by priv to UDP port 67 and ARP replies. No decisions, no log.
 */
#ifndef VNET_DHCPD_IO_H
#define VNET_DHCPD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/frame.h"

/* Frames taken from the kernel at once; also what shares one sync of the lease file. Twice as many are
 * given to it: an answer may have a probe behind it. */
#define IO_BATCH 64
#define IO_SEND  (2 * IO_BATCH)

/* A client's message is far shorter; what is longer is cut off, and refused as incomplete. */
#define IO_FRAME_MAX 2048

struct io_frame {
	const uint8_t *p;
	size_t len;
	enum frame_csum csum; /* what the receiver may believe of the UDP checksum */
	uint32_t stamp; /* the packet's mark, for DHCP_STAMP_IS(); 0: none, or not to be known */
};

/* Buffers for one batch: large, made once, used by all networks in turn. */
struct io_batch;
struct io_batch *io_batch_new(void);
void io_batch_free(struct io_batch *b);

/* Receives what is there, at most IO_BATCH frames, into v (valid until the next call). Their
 * number, 0 when there is nothing, -errno. */
int io_receive(struct io_batch *b, int fd, struct io_frame v[IO_BATCH]);

/* Sends n frames, at most IO_SEND; those that the kernel will not take are lost, as on any network. The number
 * sent. */
size_t io_send(int fd, const struct io_frame *v, size_t n);

#endif
