/* SPDX-License-Identifier: GPL-2.0-or-later
 * wire.h - bounded cursors over bytes, with an error that sticks.
 *
 * Bytes from outside are touched only through these. After the first overrun every read yields zero
 * and every write is dropped; the caller tests `bad` once, at the end. Nothing here allocates.
 * All multi-byte numbers on the wire are big-endian (network order); in C they are host order.
 */
#ifndef VNET_LIB_WIRE_H
#define VNET_LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Reader: [p, end) is unread. Borrowed memory. */
struct rd {
	const uint8_t *p, *end;
	bool bad;
};

/* Writer: [start, p) is written, [p, end) is free. Borrowed memory. */
struct wr {
	uint8_t *start, *p, *end;
	bool bad;
};

static inline struct rd
rd_init(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	return (struct rd){p, p + len, false};
}

/* Bytes left; 0 once the cursor is bad. */
static inline size_t
rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* True when everything was read and nothing was missing. */
static inline bool
rd_done(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}

/* Takes n bytes; NULL (and bad) if there are fewer. */
static inline const uint8_t *
rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

/* Copies n bytes to dst, or zeroes dst on overrun. */
static inline void
rd_copy(struct rd *r, void *dst, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	if (n == 0)
		return;
	if (p)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

/* A reader over the next n bytes, which are taken from r. Bad when r was too short. */
static inline struct rd
rd_sub(struct rd *r, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	if (!p)
		return (struct rd){NULL, NULL, true};
	return (struct rd){p, p + n, false};
}

static inline uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t
rd_be16(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
rd_be32(struct rd *r)
{
	const uint8_t *p = rd_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t
rd_be64(struct rd *r)
{
	uint64_t hi = rd_be32(r);

	return hi << 32 | rd_be32(r);
}

static inline struct wr
wr_init(void *buf, size_t len)
{
	uint8_t *p = buf;

	return (struct wr){p, p, p + len, false};
}

/* Bytes written so far. */
static inline size_t
wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

/* Reserves n bytes to be filled by the caller; NULL (and bad) if there is no room. */
static inline uint8_t *
wr_space(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (w->bad || (size_t)(w->end - w->p) < n) {
		w->bad = true;
		return NULL;
	}
	w->p += n;
	return p;
}

static inline void
wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_space(w, n);

	if (p && n)
		memcpy(p, src, n);
}

static inline void
wr_zero(struct wr *w, size_t n)
{
	uint8_t *p = wr_space(w, n);

	if (p && n)
		memset(p, 0, n);
}

static inline void
wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_space(w, 1);

	if (p)
		p[0] = v;
}

static inline void
wr_be16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_space(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void
wr_be32(struct wr *w, uint32_t v)
{
	wr_be16(w, (uint16_t)(v >> 16));
	wr_be16(w, (uint16_t)v);
}

static inline void
wr_be64(struct wr *w, uint64_t v)
{
	wr_be32(w, (uint32_t)(v >> 32));
	wr_be32(w, (uint32_t)v);
}

#endif
