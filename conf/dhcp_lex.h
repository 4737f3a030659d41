/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcp_lex.h - dhcpd.conf as tokens, and option values from tokens.
 *
 * Private to conf/. One token of look-ahead; comments and blanks never reach the parser.
 */
#ifndef VNET_CONF_DHCP_LEX_H
#define VNET_CONF_DHCP_LEX_H

#include "conf/dhcpconf.h"
#include "conf/text.h"
#include "lib/wire.h"

enum dl_kind {
	DL_END,
	DL_WORD,   /* names, numbers, addresses */
	DL_STRING, /* w is between the quotes, escapes untouched */
	DL_PUNCT,  /* one of { } ; , = ( ) */
};

struct dl_token {
	enum dl_kind kind;
	struct word w;
	struct conf_pos pos;
};

struct dl {
	const char *p, *end;
	const char *line_start;
	uint32_t line;
	const char *file;
	struct diags *d;
	struct dl_token tok; /* the current token */
};

/* Stands on the first token afterwards. */
void dl_init(struct dl *l, const char *file, const char *text, size_t len, struct diags *d);
void dl_next(struct dl *l);

static inline bool
dl_is(const struct dl *l, char punct)
{
	return l->tok.kind == DL_PUNCT && l->tok.w.s[0] == punct;
}

/* The current token for a message: its text, or "end of file". */
struct word dl_show(const struct dl *l);

/* The bytes of a word, or of a string with its escapes \ooo (octal) and \c resolved. */
void dl_put_text(struct wr *out, const struct dl_token *t);

/* The current word or string as a C string (cut at a NUL); NULL when it is neither, or too long. */
const char *dl_text(const struct dl *l, struct arena *a);

/* Appends bytes as a string that reads back to them. */
void dl_print_string(struct strbuf *out, const void *bytes, size_t n);

/* Reads the operands of `option NAME` up to the ';' (not taken) or the end. False with one error
 * in l->d; the caller skips the statement then. */
bool dl_option_value(struct dl *l, struct arena *a, const char *name, struct dhcp_opt *out);

/* Option names, NULL-terminated, for suggestions. */
extern const char *const dhcp_opt_names[];

#endif
