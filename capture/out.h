/* SPDX-License-Identifier: GPL-2.0-or-later
 * out.h - where frames go: one file or pipe, or a ring of files, as pcapng or pcap. Knows descriptors only, no names.
 *
 * A regular file holds whole blocks (of pcap: records) at every moment but within a write: one that fails in the middle is cut back.
 */
#ifndef VNET_CAPTURE_OUT_H
#define VNET_CAPTURE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/pcapng.h"

#define OUT_FILES_MAX 256

struct out {
	int fd[OUT_FILES_MAX]; /* owned */
	bool regular[OUT_FILES_MAX];
	unsigned n, at;
	uint64_t file_max;  /* a ring: go on with the next one at this size; 0: never */
	uint64_t file_done; /* bytes in the file that is being written */
	uint8_t *buf;
	size_t len;
	size_t header_len;
	uint8_t header[PCAPNG_HEADER_MAX];
	int err;   /* the first failure, -errno: nothing is written any more */
	bool pcap; /* the older format; to be set before out_begin() */
};

/* No file so far. False: no memory. */
bool out_init(struct out *o);
void out_fini(struct out *o);

/* One more file, which is owned from now on. False: there are too many. */
bool out_add(struct out *o, int fd);

/* Writes the header into the first file; every further one begins with it. False: o->err. */
bool out_begin(struct out *o, const struct pcapng_section *s);

/* Room for a frame of at most PCAPNG_SNAPLEN_MAX bytes, to look at it with its tag in place before
 * out_frame() puts something else there. NULL: o->err. */
uint8_t *out_room(struct out *o, uint32_t caplen);

/* One frame, for which there is room. */
void out_frame(struct out *o, const struct pcapng_frame *f);

/* The file in use has reached its size: call out_next() between two frames. */
bool out_is_full(const struct out *o);

/* Goes on with the next file of the ring, from its beginning; stats end the one that is left. */
void out_next(struct out *o, const struct pcapng_stats *stats);

/* Writes what waits. */
void out_flush(struct out *o);

/* The end: the stats, and what waits. */
void out_end(struct out *o, const struct pcapng_stats *stats);

#endif
