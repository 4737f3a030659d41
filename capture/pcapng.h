/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcapng.h - the capture file format (draft-ietf-opsawg-pcapng), as far as a capture of one interface needs it. Pure.
 *
 * Written in the host's byte order, which the format's magic number tells; one section, one interface, Ethernet,
 * times in nanoseconds. The reader takes what the writer writes and refuses everything else.
 */
#ifndef VNET_CAPTURE_PCAPNG_H
#define VNET_CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_TEXT_MAX    1024 /* of each text; longer ones are cut between characters */
#define PCAPNG_HEADER_MAX  8192 /* room for pcapng_header() */
#define PCAPNG_STATS_MAX   128  /* room for pcapng_stats() */
#define PCAPNG_COMMENT_MAX 64   /* of a frame */
/* Room for pcapng_frame() beside the frame's own bytes. */
#define PCAPNG_FRAME_EXTRA (28 + 3 + 12 + 4 + PCAPNG_COMMENT_MAX + 4 + 4)
#define PCAPNG_SNAPLEN_MAX 262144 /* the most that readers take */

/* Every text may be NULL. */
struct pcapng_section {
	const char *comment;     /* who captured what, where */
	const char *os;          /* of the host: "Linux 6.1.0" */
	const char *application; /* "vnetd 0.1.0" */
	const char *ifname, *description, *filter;
	uint32_t snaplen;
};

enum pcapng_way { PCAPNG_WAY_UNKNOWN, PCAPNG_IN, PCAPNG_OUT };
enum pcapng_cast {
	PCAPNG_CAST_UNKNOWN,
	PCAPNG_UNICAST,
	PCAPNG_MULTICAST,
	PCAPNG_BROADCAST,
	PCAPNG_PROMISC
};

struct pcapng_frame {
	uint64_t ns;     /* UTC */
	uint32_t caplen; /* bytes that are there, the tag's included */
	uint32_t len;    /* bytes that the frame had, the same */
	const uint8_t *data;
	/* A VLAN tag that belongs behind the first 12 bytes of data and is not among them. */
	bool tagged;
	uint16_t tpid, tci;
	enum pcapng_way way;
	enum pcapng_cast cast;
	const char *comment; /* NULL: none */
};

struct pcapng_stats {
	uint64_t first_ns, last_ns; /* of the capture */
	uint64_t received,
	    dropped; /* frames that passed the filter; of these, for which there was no room */
};

/* Section header and interface description. Length, at most PCAPNG_HEADER_MAX. */
size_t pcapng_header(uint8_t *buf, const struct pcapng_section *s);

/* The frame's caplen bytes with the tag in its place. Their end. */
uint8_t *pcapng_bytes(uint8_t *buf, const struct pcapng_frame *f);

/* One frame. Length, at most caplen + PCAPNG_FRAME_EXTRA; a multiple of 4. */
size_t pcapng_frame(uint8_t *buf, const struct pcapng_frame *f);

/* How the capture went, at its end. Length, at most PCAPNG_STATS_MAX. */
size_t pcapng_stats(uint8_t *buf, const struct pcapng_stats *s);

/* How many of these bytes are whole blocks; they begin with one. */
size_t pcapng_whole(const uint8_t *buf, size_t len);

/* The same for whatever begins with `head` bytes that tell its length; len_of: 0: it is none. */
size_t pcapng_whole_of(const uint8_t *buf, size_t len, size_t head,
		       uint32_t (*len_of)(const uint8_t *head));

/* What stands at the beginning of a block. */
#define PCAPNG_BLOCK_HEAD 8
/* Its length in bytes; 0: this is no block's. */
uint32_t pcapng_block_len(const uint8_t head[PCAPNG_BLOCK_HEAD]);

enum pcapng_what {
	PCAPNG_MORE, /* the block is not all there */
	PCAPNG_FRAME,
	PCAPNG_OTHER, /* another block, to be passed over */
	PCAPNG_BAD    /* not written by us: the rest cannot be read */
};

/* The first block of buf; *used: its length, 0 unless all is there. f->data points into buf, f->comment is NULL. */
enum pcapng_what pcapng_next(const uint8_t *buf, size_t len, size_t *used, struct pcapng_frame *f);

#endif
