/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena.c - bump allocation in blocks that are freed together. Pure apart from the heap.
 */
#include "conf/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 4096

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

void
arena_init(struct arena *a)
{
	*a = (struct arena){0};
}

void
arena_fini(struct arena *a)
{
	struct arena_block *b = a->head, *next;

	for (; b; b = next) {
		next = b->next;
		free(b);
	}
	arena_init(a);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	size_t size;
	void *p;

	if (n >= PTRDIFF_MAX / 2) {
		a->bad = true;
		return NULL;
	}
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!b || b->size - b->used < n) {
		size = n > ARENA_BLOCK ? n : ARENA_BLOCK;
		b = calloc(1, sizeof(*b) + size);
		if (!b) {
			a->bad = true;
			return NULL;
		}
		b->size = size;
		b->next = a->head;
		a->head = b;
	}
	p = b->data + b->used;
	b->used += n;
	return p;
}

char *
arena_dup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (p && n)
		memcpy(p, s, n);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->bad = true;
		return NULL;
	}
	p = arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

void *
arena_grow(struct arena *a, void *array, size_t n, size_t elem)
{
	size_t cap = 8;
	void *p;

	/* Capacity is 0, 8, 16, 32, ...: full exactly when n is one of these. */
	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return array;
	if (n >= 8)
		cap = n * 2;
	if (cap > PTRDIFF_MAX / 2 / elem) {
		a->bad = true;
		return NULL;
	}
	p = arena_alloc(a, cap * elem);
	if (p && n)
		memcpy(p, array, n * elem);
	return p;
}
