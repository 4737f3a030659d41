/* SPDX-License-Identifier: GPL-2.0-or-later
 * ring.h - frames of a packet socket by a ring in shared memory (TPACKET_V3).
 *
 * The socket is bound by others; here it gets its program, which is locked, and its ring. After ring_open() nothing
 * of it can be set any more.
 */
#ifndef VNET_CAPTURE_RING_H
#define VNET_CAPTURE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/filter.h"
#include "capture/pcapng.h"

#define RING_MIB_MAX 64

struct ring {
	int sock; /* borrowed */
	uint8_t *map;
	size_t block_bytes, blocks;
	size_t at;                  /* the block that is read next */
	uint32_t left;              /* frames of it that are still to be read */
	const uint8_t *next;        /* the first of them */
	uint64_t given_back;        /* blocks that have been read */
	uint64_t received, dropped; /* by the kernel's count */
};

/* A frame; data is valid until the next call. */
struct ring_frame {
	struct pcapng_frame f; /* way and cast as the socket tells */
	uint32_t hash;
};

/* mib: how much is to find room, up to RING_MIB_MAX; it is less where there is no memory. 0 or -errno. */
int ring_open(struct ring *r, int sock, unsigned mib, const struct sock_filter *code, size_t n);
void ring_close(struct ring *r);

/* The next frame that is there. False: none is. */
bool ring_next(struct ring *r, struct ring_frame *out);

/* Brings the counts up to date. */
void ring_count(struct ring *r);

/* Why the socket has an error (its link is gone): -errno; 0: it has none. */
int ring_error(const struct ring *r);

#endif
