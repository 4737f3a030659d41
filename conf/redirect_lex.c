/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_lex.c - lines of xinetd's grammar: words, assignments, braces. Pure; points into the
 * text.
 *
 * A line is a comment when its first character behind blanks is '#'; nowhere else. xinetd wants
 * blanks around the operator and the brace on a line of its own; here neither is needed.
 */
#include "conf/redirect_priv.h"

#include <string.h>

void
redirect_lex_init(struct redirect_lex *x, const char *text, size_t len)
{
	x->lines = lines_init(text, len);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		x->lines.off = 3; /* byte order mark */
}

/* The length of an operator at the front of w, 0: none. */
static size_t
operator_of(struct word w, enum redirect_op *op)
{
	static const char sign[] = {
	    [REDIRECT_SET] = '=', [REDIRECT_ADD] = '+', [REDIRECT_DEL] = '-'};

	if (w.len && w.s[0] == '=') {
		*op = REDIRECT_SET;
		return 1;
	}
	for (enum redirect_op o = REDIRECT_ADD; o <= REDIRECT_DEL; o++) {
		if (w.len >= 2 && w.s[0] == sign[o] && w.s[1] == '=') {
			*op = o;
			return 2;
		}
	}
	return 0;
}

static bool
blank_at(struct word w, size_t i)
{
	return word_trim((struct word){w.s + i, 1}).len == 0;
}

static void
split(struct redirect_line *l, struct word w)
{
	enum redirect_op op = REDIRECT_SET;
	size_t i = 0, n;

	while (i < w.len && !blank_at(w, i) && operator_of(word_skip(w, i), &op) == 0)
		i++;
	l->first = (struct word){w.s, i};
	l->rest = word_trim(word_skip(w, i));
	n = operator_of(l->rest, &op);
	l->kind = n ? REDIRECT_LINE_ASSIGN : REDIRECT_LINE_WORDS;
	l->op = op;
	l->rest = word_trim(word_skip(l->rest, n));
}

bool
redirect_lex_next(struct redirect_lex *x, struct redirect_line *out)
{
	struct word w;

	*out = (struct redirect_line){0};
	if (!lines_next(&x->lines, &out->line))
		return false;
	w = word_trim(out->line.w);
	out->first = out->rest = (struct word){w.s, 0};
	if (w.len == 0 || w.s[0] == '#')
		return true;
	if (w.len == 1 && (w.s[0] == '{' || w.s[0] == '}')) {
		out->kind = w.s[0] == '{' ? REDIRECT_LINE_OPEN : REDIRECT_LINE_CLOSE;
		out->first = w;
		return true;
	}
	split(out, w);
	if (out->kind == REDIRECT_LINE_WORDS && w.s[w.len - 1] == '{') {
		split(out, word_trim((struct word){w.s, w.len - 1}));
		out->opens = true;
	}
	return true;
}
