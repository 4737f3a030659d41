/* SPDX-License-Identifier: GPL-2.0-or-later
 * tally.h - who talks most: packets and bytes of conversations, counted from frames. Pure; a fixed table.
 */
#ifndef VNET_CAPTURE_TALLY_H
#define VNET_CAPTURE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "capture/flow.h"

#define TALLY_MAX 4096

/* Both directions between two sides; a: whoever was seen first. */
struct talk {
	struct flow flow; /* its first frame */
	uint32_t hash;
	uint64_t packets[2], bytes[2]; /* from a to b, and back */
};

struct tally {
	size_t n;
	struct talk talk[TALLY_MAX];
	uint16_t slot[2 * TALLY_MAX]; /* by hash, open addressing: index + 1 */
	uint64_t others;              /* packets for which there was no room */
};

void tally_clear(struct tally *t);

/* len: bytes of the frame. */
void tally_add(struct tally *t, const struct flow *f, uint32_t len);

/* The conversations with the most bytes first. Only tally_clear() may follow. */
void tally_sort(struct tally *t);

#endif
