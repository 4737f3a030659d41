/* SPDX-License-Identifier: GPL-2.0-or-later
 * pipes.h - the pipes that splice(2) needs, borrowed by a direction for as long as bytes are in one.
 *
 * A pipe goes back as soon as it is empty, so a connection at rest has none, and the number is bounded. Who gets
 * none (the bound is reached, or the process is out of descriptors) copies: relay.c has a way without.
 */
#ifndef VNET_REDIRD_PIPES_H
#define VNET_REDIRD_PIPES_H

#include <stddef.h>
#include <stdint.h>

struct pipe {
	struct pipe *next; /* in the pool */
	int r, w;          /* non-blocking, close-on-exec */
	uint32_t cap;      /* bytes that an empty one takes in one write */
};

struct pipes {
	struct pipe *spare; /* the one that came back last goes first: its memory is in the cache */
	unsigned n_spare, n_all, max, max_spare, n_large;
	uint32_t size, large_size;
};

/* At most `max` pipes, of which `max_spare` are kept when nobody needs them; `size` bytes are asked of the kernel
 * for each, which may give less. */
void pipes_init(struct pipes *p, unsigned max, unsigned max_spare, uint32_t size);
/* While there are fewer than n, one that is made is of this size. */
void pipes_large(struct pipes *p, unsigned n, uint32_t size);
/* Closes the spare ones; those that are out must have come back. */
void pipes_fini(struct pipes *p);

/* An empty pipe, or NULL. */
struct pipe *pipes_get(struct pipes *p);
/* Takes it back; one that is not empty (`full`: its connection was cut) is closed. NULL is allowed. */
void pipes_put(struct pipes *p, struct pipe *pipe, size_t full);

/* Descriptors in use. */
static inline unsigned
pipes_fds(const struct pipes *p)
{
	return 2 * p->n_all;
}

#endif
