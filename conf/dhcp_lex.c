/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcp_lex.c - bytes of dhcpd.conf -> tokens with line and column. Pure.
 */
#include "conf/dhcp_lex.h"

#include <ctype.h>
#include <string.h>

#include "lib/inet.h"
#include "lib/strbuf.h"

static bool
is_punct(char c)
{
	return c == '{' || c == '}' || c == ';' || c == ',' || c == '=' || c == '(' || c == ')';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static void
new_line(struct dl *l)
{
	l->line++;
	l->line_start = l->p;
}

static void
skip_blanks(struct dl *l)
{
	while (l->p < l->end && (is_space(*l->p) || *l->p == '#')) {
		if (*l->p == '#') {
			while (l->p < l->end && *l->p != '\n' && *l->p != '\r')
				l->p++;
		} else {
			char c = *l->p++;

			if (c == '\n' || (c == '\r' && (l->p == l->end || *l->p != '\n')))
				new_line(l);
		}
	}
}

/* A string ends at its quote or, with an error, at the end of the line. */
static void
take_string(struct dl *l)
{
	const char *start = ++l->p;

	while (l->p < l->end && *l->p != '"' && *l->p != '\n') {
		if (*l->p == '\\' && l->end - l->p > 1 && l->p[1] != '\n')
			l->p++;
		l->p++;
	}
	l->tok.kind = DL_STRING;
	l->tok.w = (struct word){start, (size_t)(l->p - start)};
	if (l->p < l->end && *l->p == '"')
		l->p++;
	else
		diag_error(l->d, l->tok.pos, "the string has no closing quote on its line");
}

void
dl_next(struct dl *l)
{
	const char *start;

	skip_blanks(l);
	l->tok = (struct dl_token){.kind = DL_END, .w = {l->p, 0}};
	l->tok.pos = (struct conf_pos){l->file, l->line, (uint32_t)(l->p - l->line_start) + 1};
	if (l->p >= l->end)
		return;
	if (*l->p == '"') {
		take_string(l);
		return;
	}
	start = l->p;
	if (is_punct(*l->p)) {
		l->tok.kind = DL_PUNCT;
		l->p++;
	} else {
		l->tok.kind = DL_WORD;
		while (l->p < l->end && !is_space(*l->p) && !is_punct(*l->p) && *l->p != '"' &&
		       *l->p != '#')
			l->p++;
	}
	l->tok.w = (struct word){start, (size_t)(l->p - start)};
}

void
dl_init(struct dl *l, const char *file, const char *text, size_t len, struct diags *d)
{
	if (!text)
		text = "";
	*l = (struct dl){
	    .p = text, .end = text + len, .line_start = text, .line = 1, .file = file, .d = d};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		l->p += 3; /* byte order mark */
	dl_next(l);
}

struct word
dl_show(const struct dl *l)
{
	return l->tok.kind == DL_END ? word_of("end of file") : l->tok.w;
}

/* What stands behind a backslash, as ISC's lexer reads it: its length. */
static size_t
put_escape(struct wr *out, const char *s, size_t len)
{
	static const char letters[] = "tnrb", bytes[] = "\t\n\r\b";
	const char *letter = memchr(letters, s[0], sizeof(letters) - 1);
	unsigned v = 0, base = 8, most = 3;
	size_t i = 0;

	if (s[0] == 'x' && len > 1 && isxdigit((unsigned char)s[1])) {
		base = 16;
		most = 2;
		i = 1;
	}
	for (; most > 0 && i < len; i++, most--) {
		unsigned digit = (unsigned)hex_digit(s[i]);

		if (digit >= base)
			break;
		v = v * base + digit;
	}
	if (i > 0)
		wr_u8(out, (uint8_t)v);
	else
		wr_u8(out, (uint8_t)(letter ? bytes[letter - letters] : s[0]));
	return i > 0 ? i : 1;
}

void
dl_put_text(struct wr *out, const struct dl_token *t)
{
	struct word w = t->w;

	if (t->kind != DL_STRING) {
		wr_bytes(out, w.s, w.len);
		return;
	}
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] != '\\' || i + 1 >= w.len)
			wr_u8(out, (uint8_t)w.s[i]);
		else
			i += put_escape(out, w.s + i + 1, w.len - i - 1);
	}
}

const char *
dl_text(const struct dl *l, struct arena *a)
{
	char buf[512];
	struct wr w = wr_init(buf, sizeof(buf));

	if (l->tok.kind != DL_WORD && l->tok.kind != DL_STRING)
		return NULL;
	dl_put_text(&w, &l->tok);
	return w.bad ? NULL : arena_dup(a, buf, wr_len(&w));
}

void
dl_print_string(struct strbuf *out, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	strbuf_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"' || p[i] == '\\')
			strbuf_addf(out, "\\%c", p[i]);
		else if (p[i] >= 0x20 && p[i] < 0x7f)
			strbuf_addc(out, (char)p[i]);
		else
			strbuf_addf(out, "\\%03o", p[i]);
	}
	strbuf_addc(out, '"');
}
