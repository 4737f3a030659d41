/* SPDX-License-Identifier: GPL-2.0-or-later
 * inlet.h - where messages for the DHCP server come in: the reading end of the ring buffer that the port gate fills
 * (bpf/dhcp_ring.h). The kernel's layout is that of BPF_MAP_TYPE_RINGBUF (Linux, kernel/bpf/ringbuf.c).
 */
#ifndef VNET_DHCPD_INLET_H
#define VNET_DHCPD_INLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message that has come. */
struct inlet_msg {
	const uint8_t *frame; /* from the Ethernet header on */
	size_t len;
	uint32_t stamp; /* DHCP_STAMP(), 0: none */
	unsigned net;
};

/* The ring as memory. Positions are numbers of bytes ever written, so data is found at pos & (size - 1); it is
 * mapped twice in a row, so no record has a seam. */
struct inlet_ring {
	const uint8_t *data;
	size_t size;       /* a power of two */
	unsigned long pos; /* of the next record */
};

/* Pure: the next record before `end`, the writer's position; its frame lies in the ring. False: there is none, or it is still being written.
 * What makes no sense ends the ring: everything up to `end` is skipped. */
bool inlet_ring_next(struct inlet_ring *r, unsigned long end, struct inlet_msg *out);

struct inlet;

/* Maps the ring of a descriptor that is taken in any case. *out is NULL after an error. 0 or -errno. */
int inlet_new(struct inlet **out, int fd);
void inlet_free(struct inlet *in); /* NULL is allowed */

/* Readable when messages are there. */
int inlet_fd(const struct inlet *in);

/* Takes the next messages out of the ring, at most INLET_BATCH; valid until the next call. Whatever becomes of the
 * server, none is ever taken again. Their number. */
#define INLET_BATCH 64
size_t inlet_take(struct inlet *in, struct inlet_msg v[INLET_BATCH]);

#endif
