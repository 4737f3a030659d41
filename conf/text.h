/* SPDX-License-Identifier: GPL-2.0-or-later
 * text.h - what all parsers here share: lines and words of a text buffer, numbers, UTF-8.
 *
 * Private to conf/. Words point into the text that is parsed; nothing is copied or allocated.
 */
#ifndef VNET_CONF_TEXT_H
#define VNET_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/diag.h"
#include "lib/inet.h"

struct strbuf;

/* Bytes inside the parsed text; not NUL-terminated. */
struct word {
	const char *s;
	size_t len;
};

/* One line: `w` without its line end, [start, next) with it. */
struct line {
	struct word w;
	size_t start, next;
	uint32_t no; /* from 1 */
};

/* Iterates over lines that end with LF, CR LF or CR; the last one may have no end. */
struct lines {
	const char *text;
	size_t len, off;
	uint32_t no;
};

struct lines lines_init(const char *text, size_t len);
bool lines_next(struct lines *it, struct line *out);

/* The line end that an inserted neighbour of this line should have: "\r\n" or "\n". */
const char *line_end(const char *text, const struct line *l);

/* A word for printf's "%.*s", cut where a message would become unreadable. */
#define WORD_ARG(w) (int)((w).len > 64 ? 64 : (w).len), (w).s

struct word word_of(const char *s);
struct word word_trim(struct word w); /* blanks: space, tab, CR, VT, FF */
bool word_eq(struct word w, const char *s);
bool word_ieq(struct word w, const char *s);
bool word_has_prefix(struct word w, const char *prefix); /* any case */
struct word word_skip(struct word w, size_t n);

/* Takes the next blank-separated word off the front of *rest. False when there is none. */
bool word_next(struct word *rest, struct word *out);

/* Where a word stands in its line. */
static inline struct conf_pos
word_pos(const char *file, const struct line *l, struct word w)
{
	return (struct conf_pos){file, l->no, (uint32_t)(w.s - l->w.s) + 1};
}

char *word_dup(struct arena *a, struct word w);

/* Decimal digits only, at most max. */
bool word_u32(struct word w, uint32_t max, uint32_t *out);
/* FIRST-LAST, blanks around the numbers allowed: min <= first <= last <= max. */
bool word_range(struct word w, uint32_t min, uint32_t max, uint32_t *first, uint32_t *last);

/* What a forward's port may look like besides a number, for complaints; and when that is of interest. */
#define CONF_WIDE_PORTS     ", a range like 8000-8010 or either on an address like 192.0.2.1:8080"
#define CONF_UNEQUAL_RANGES "%.*s: number of ports %u; %.*s: %u; they must be as many"
bool conf_word_is_wide(struct word w);

/* As in lib/inet.h, for words. */
bool word_ip4(struct word w, struct ip4 *out);
bool word_mac(struct word w, struct mac *out);
bool word_prefix4(struct word w, struct prefix4 *out);

/* An interface name that Linux and libpcap accept: 1-15 printable ASCII characters without '/',
 * ':' and blanks, not "." or "..". */
bool word_is_ifname(struct word w);

/* What a [port] section can be named after, besides a MAC address: an interface, or a port's own
 * name of letters, digits and "._-". */
bool word_is_port_name(struct word w);

/* What a user or a group can be called: 1-32 printable ASCII characters without blanks and ":/#[]=", not
 * beginning with '-'. */
bool word_is_user_name(struct word w);

/* yes/no, true/false, on/off, 1/0 in any case. */
bool word_bool(struct word w, bool *out);

/* A copy in which every byte that is no printable UTF-8 became '?'; for names and descriptions that
 * end up in JSON and on terminals. */
char *text_clean(struct arena *a, const char *s);

/* Length 1-4 of the valid UTF-8 sequence at s (n > 0 bytes left), 0 if there is none. */
size_t text_utf8_len(const char *s, size_t n);

#endif
