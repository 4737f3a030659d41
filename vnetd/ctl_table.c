/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_table.c - layout of tables. Pure.
 */
#include "vnetd/ctl_table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "vnetd/ctl_text.h"

void
table_init(struct table *t, const char *const *head)
{
	memset(t, 0, sizeof(*t));
	strbuf_init(&t->text);
	t->head = head;
	while (head[t->ncols] && t->ncols < TABLE_COLS_MAX)
		t->ncols++;
}

void
table_fini(struct table *t)
{
	free(t->cell);
	strbuf_fini(&t->text);
	memset(t, 0, sizeof(*t));
}

void
table_add_number(struct table *t, bool known, uint64_t n)
{
	if (known)
		table_addf(t, "%" PRIu64, n);
	else
		table_add(t, "");
}

void
table_add_tinted(struct table *t, enum tint tint, const char *text)
{
	bool last = t->ncells % t->ncols == t->ncols - 1;
	size_t at = t->text.len;

	if (t->ncells == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct table_cell *more = reallocarray(t->cell, cap, sizeof(*more));

		if (!more) {
			t->bad = true;
			return;
		}
		t->cell = more;
		t->cap = cap;
	}
	ctl_text_clean(&t->text, *text ? text : "-", !last);
	strbuf_addc(&t->text, '\0');
	if (t->text.bad) {
		t->bad = true;
		return;
	}
	t->cell[t->ncells++] = (struct table_cell){
	    .text = at, .width = ctl_text_width(strbuf_str(&t->text) + at), .tint = tint};
}

void
table_add(struct table *t, const char *text)
{
	table_add_tinted(t, TINT_NONE, text);
}

void
table_addf(struct table *t, const char *fmt, ...)
{
	char text[128];
	struct strbuf b;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text)) {
		table_add(t, text);
		return;
	}
	strbuf_init(&b);
	va_start(ap, fmt);
	strbuf_vaddf(&b, fmt, ap);
	va_end(ap);
	table_add(t, strbuf_str(&b));
	t->bad = t->bad || b.bad;
	strbuf_fini(&b);
}

void
tint_add(struct strbuf *out, enum tint tint, bool colour, const char *text)
{
	static const char *const on[] = {[TINT_NONE] = "",
					 [TINT_BAD] = "\033[31m",
					 [TINT_WARN] = "\033[33m",
					 [TINT_GOOD] = "\033[32m"};

	if (!colour || tint == TINT_NONE) {
		strbuf_add(out, text);
		return;
	}
	strbuf_add(out, on[tint]);
	strbuf_add(out, text);
	strbuf_add(out, "\033[0m");
}

static void
pad(struct strbuf *out, size_t n)
{
	static const char blanks[] = "                                ";

	while (n > 0) {
		size_t part = n < sizeof(blanks) - 1 ? n : sizeof(blanks) - 1;

		strbuf_addn(out, blanks, part);
		n -= part;
	}
}

void
table_print(struct strbuf *out, const struct table *t, bool colour)
{
	const char *text = strbuf_str(&t->text);
	size_t width[TABLE_COLS_MAX];

	if (t->bad) {
		out->bad = true;
		return;
	}
	for (size_t c = 0; c < t->ncols; c++) {
		width[c] = ctl_text_width(t->head[c]);
		if (t->least[c] > width[c])
			width[c] = t->least[c];
	}
	for (size_t i = 0; i < t->ncells; i++) {
		size_t w = t->cell[i].width;

		if (w > width[i % t->ncols])
			width[i % t->ncols] = w;
	}
	for (size_t c = 0; c < t->ncols && !t->headless; c++) {
		strbuf_add(out, t->head[c]);
		if (c + 1 < t->ncols)
			pad(out, width[c] - ctl_text_width(t->head[c]) + 2);
		else
			strbuf_addc(out, '\n');
	}
	for (size_t i = 0; i < t->ncells; i++) {
		size_t c = i % t->ncols;

		tint_add(out, t->cell[i].tint, colour, text + t->cell[i].text);
		if (c + 1 < t->ncols)
			pad(out, width[c] - t->cell[i].width + 2);
		else
			strbuf_addc(out, '\n');
	}
}
