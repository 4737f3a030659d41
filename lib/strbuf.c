/* SPDX-License-Identifier: GPL-2.0-or-later
 * strbuf.c - a growing text buffer. Pure apart from the heap: no log, no system calls.
 */
#include "strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
strbuf_init(struct strbuf *b)
{
	*b = (struct strbuf){0};
}

void
strbuf_fini(struct strbuf *b)
{
	free(b->s);
	strbuf_init(b);
}

/* Room for n more bytes and the NUL. */
static bool
strbuf_reserve(struct strbuf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *s;

	if (b->bad)
		return false;
	if (n < b->cap - b->len)
		return true;
	/* PTRDIFF_MAX bounds every object, so doubling below it cannot wrap. */
	if (n >= PTRDIFF_MAX - b->len)
		goto bad;
	while (cap <= b->len + n)
		cap *= 2;
	s = realloc(b->s, cap);
	if (!s)
		goto bad;
	b->s = s;
	b->cap = cap;
	return true;
bad:
	b->bad = true;
	return false;
}

void
strbuf_addn(struct strbuf *b, const char *s, size_t n)
{
	if (!strbuf_reserve(b, n))
		return;
	if (n)
		memcpy(b->s + b->len, s, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void
strbuf_add(struct strbuf *b, const char *s)
{
	strbuf_addn(b, s, strlen(s));
}

void
strbuf_addc(struct strbuf *b, char c)
{
	strbuf_addn(b, &c, 1);
}

void
strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		b->bad = true;
		return;
	}
	if (!strbuf_reserve(b, (size_t)n))
		return;
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void
strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(b, fmt, ap);
	va_end(ap);
}

char *
strbuf_take(struct strbuf *b)
{
	char *s;

	strbuf_addn(b, "", 0); /* an empty buffer becomes an empty string */
	if (b->bad) {
		strbuf_fini(b);
		return NULL;
	}
	s = b->s;
	strbuf_init(b);
	return s;
}

const char *
strbuf_str(const struct strbuf *b)
{
	return b->s ? b->s : "";
}
