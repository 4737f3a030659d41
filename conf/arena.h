/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena.h - memory of one parsed configuration: many small pieces, freed all at once.
 *
 * Configuration is built rarely and thrown away as a whole, so that nothing in it is freed singly
 * and no parser has an error path that could leak. Running out of memory sticks in `bad` and the
 * caller tests it once, at the end. Not for packet paths.
 */
#ifndef VNET_CONF_ARENA_H
#define VNET_CONF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	bool bad; /* an allocation failed since arena_init() */
};

/* An empty arena; allocates nothing. */
void arena_init(struct arena *a);

/* Frees every piece. */
void arena_fini(struct arena *a);

/* n zeroed bytes, aligned for any type; NULL (and bad) without memory. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);

/* A NUL-terminated copy of n bytes (NUL bytes inside are kept). NULL without memory. */
char *arena_dup(struct arena *a, const char *s, size_t n);

/* Like asprintf(). NULL without memory. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for element n of an array that grows by doubling: returns the array (moved when it had to
 * grow), whose first n elements are kept. NULL without memory; the old array stays valid.
 * `n` must grow by one at a time. */
void *arena_grow(struct arena *a, void *array, size_t n, size_t elem);

#endif
