/* SPDX-License-Identifier: GPL-2.0-or-later
 * strbuf.h - a growing text buffer for printers and renderers.
 *
 * Running out of memory sets `bad`, after which everything is dropped; test it once, at the end.
 * `s` is NUL-terminated whenever it is not NULL.
 */
#ifndef VNET_LIB_STRBUF_H
#define VNET_LIB_STRBUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#include "util.h"

struct strbuf {
	char *s;
	size_t len, cap;
	bool bad;
};

/* An empty buffer; allocates nothing. */
void strbuf_init(struct strbuf *b);

/* Frees the text; the buffer is empty and usable afterwards. */
void strbuf_fini(struct strbuf *b);

/* Appends a C string, n bytes (NULs allowed), one character, formatted text. */
void strbuf_add(struct strbuf *b, const char *s);
void strbuf_addn(struct strbuf *b, const char *s, size_t n);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* The text, now owned by the caller (free it), never NULL unless `bad`; the buffer is empty then. */
char *strbuf_take(struct strbuf *b);

/* The text, borrowed; "" when empty. */
const char *strbuf_str(const struct strbuf *b);

#endif
