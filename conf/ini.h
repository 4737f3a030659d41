/* SPDX-License-Identifier: GPL-2.0-or-later
 * ini.h - `[section]` and `key = value` lines, for nat.conf and vnetd.conf.
 *
 * Private to conf/. Lines are read in place; edits replace only the bytes of one value or whole
 * lines. A `#` at the start of a line or behind a blank begins a comment.
 */
#ifndef VNET_CONF_INI_H
#define VNET_CONF_INI_H

#include "conf/text.h"

enum ini_kind {
	INI_NONE, /* blank or comment */
	INI_SECTION,
	INI_PAIR,
	INI_JUNK,
};

struct ini_line {
	enum ini_kind kind;
	struct line line;
	struct word
	    section; /* between the brackets, of this or the last header; len 0 before any */
	struct word key, value; /* INI_PAIR, without blanks and comment; value may be empty */
};

struct ini {
	struct lines lines;
	struct word section;
};

void ini_init(struct ini *it, const char *text, size_t len);
bool ini_next(struct ini *it, struct ini_line *out);

/* Header words are equal: the first in any case, further ones exactly, MAC addresses as such. */
bool ini_section_eq(struct word section, const char *want);

/* key = value in the section: in place of the last such value, else behind the section's last line,
 * else in a new section at the end. value NULL removes every such line; with `tidy` also a
 * section of which nothing but blank lines is left. */
void ini_set(struct strbuf *out, const char *text, size_t len, const char *section, const char *key,
	     const char *value, bool tidy);

/* Removes every section of that name, from its header to the next, but for comments directly in
 * front of the next header. */
void ini_remove_section(struct strbuf *out, const char *text, size_t len, const char *section);

#endif
