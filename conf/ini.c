/* SPDX-License-Identifier: GPL-2.0-or-later
 * ini.c - sections and pairs of a text, and edits of one pair. Pure: text in, text out.
 */
#include "conf/ini.h"

#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"

void
ini_init(struct ini *it, const char *text, size_t len)
{
	*it = (struct ini){.lines = lines_init(text, len)};
	it->section = (struct word){it->lines.text, 0};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		it->lines.off = 3; /* byte order mark */
}

/* Without a comment: '#' in front or behind a blank. */
static struct word
strip_comment(struct word w)
{
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] == '#' && (i == 0 || w.s[i - 1] == ' ' || w.s[i - 1] == '\t'))
			return word_trim((struct word){w.s, i});
	}
	return word_trim(w);
}

bool
ini_next(struct ini *it, struct ini_line *out)
{
	const char *eq;
	struct word w;

	*out = (struct ini_line){.section = it->section};
	if (!lines_next(&it->lines, &out->line))
		return false;
	w = strip_comment(out->line.w);
	out->key = out->value = w;
	if (w.len == 0)
		return true;
	if (w.s[0] == '[' && w.s[w.len - 1] == ']') {
		out->kind = INI_SECTION;
		out->section = it->section = word_trim((struct word){w.s + 1, w.len - 2});
		return true;
	}
	eq = memchr(w.s, '=', w.len);
	if (!eq || eq == w.s || w.s[0] == '[') {
		out->kind = INI_JUNK;
		return true;
	}
	out->kind = INI_PAIR;
	out->key = word_trim((struct word){w.s, (size_t)(eq - w.s)});
	out->value = word_trim(word_skip(w, (size_t)(eq - w.s) + 1));
	/* Printed again it would have a blank in front. */
	if (out->value.len && out->value.s[0] == '#')
		out->value.len = 0;
	return true;
}

static bool
header_word_eq(struct word a, struct word b, bool any_case)
{
	struct mac ma, mb;

	if (word_mac(a, &ma) && word_mac(b, &mb))
		return mac_eq(ma, mb);
	if (a.len != b.len)
		return false;
	return any_case ? strncasecmp(a.s, b.s, a.len) == 0 : memcmp(a.s, b.s, a.len) == 0;
}

bool
ini_section_eq(struct word section, const char *want)
{
	struct word w = word_of(want), a, b;
	bool first = true;

	while (word_next(&section, &a)) {
		if (!word_next(&w, &b) || !header_word_eq(a, b, first))
			return false;
		first = false;
	}
	return !word_next(&w, &b);
}

/* Where ini_set() would act. */
struct place {
	struct word value; /* of the last such pair; s NULL: none */
	bool have_section;
	size_t after; /* offset behind the section's last pair or header */
	const char *eol;
	bool open; /* the line in front of `after` has no end */
};

static void
find_place(struct place *p, const char *text, size_t len, const char *section, const char *key)
{
	struct ini_line l;
	struct ini it;

	*p = (struct place){.after = len, .eol = "\n"};
	ini_init(&it, text, len);
	while (ini_next(&it, &l)) {
		bool here = ini_section_eq(l.section, section);

		if (l.kind == INI_PAIR && here && word_ieq(l.key, key))
			p->value = l.value;
		if (here && l.kind != INI_NONE)
			p->have_section = true;
		if ((here && l.kind != INI_NONE) || !p->have_section) {
			p->after = l.line.next;
			p->eol = line_end(text, &l.line);
			/* A lone CR ends a line for us, but not for everybody. */
			p->open = l.line.next == 0 || text[l.line.next - 1] != '\n';
		}
	}
	if (!p->have_section)
		p->after = len;
}

static void
set_pair(struct strbuf *out, const char *text, size_t len, const char *section, const char *key,
	 const char *value)
{
	struct place p;
	size_t from;

	find_place(&p, text, len, section, key);
	if (p.value.s) {
		from = (size_t)(p.value.s - text);
		strbuf_addn(out, text, from);
		if (p.value.len == 0 && from && text[from - 1] == '=')
			strbuf_addc(out, ' ');
		strbuf_add(out, value);
		from += p.value.len;
		if (p.value.len == 0 && from < len && text[from] == '#')
			strbuf_addc(out, ' ');
		strbuf_addn(out, text + from, len - from);
		return;
	}
	strbuf_addn(out, text, p.after);
	if (p.open)
		strbuf_add(out, p.eol);
	if (!p.have_section)
		strbuf_addf(out, "%s[%s]%s", p.after ? p.eol : "", section, p.eol);
	strbuf_addf(out, "%s = %s%s", key, value, p.eol);
	strbuf_addn(out, text + p.after, len - p.after);
}

/* Nothing but blank lines would be left between each such header and the next without `key`. */
static bool
section_empty_without(const char *text, size_t len, const char *section, const char *key)
{
	struct ini_line l;
	struct ini it;

	ini_init(&it, text, len);
	while (ini_next(&it, &l)) {
		if (!ini_section_eq(l.section, section) || l.kind == INI_SECTION)
			continue;
		if (l.kind == INI_PAIR && word_ieq(l.key, key))
			continue;
		if (l.kind != INI_NONE || word_trim(l.line.w).len)
			return false;
	}
	return true;
}

void
ini_set(struct strbuf *out, const char *text, size_t len, const char *section, const char *key,
	const char *value, bool tidy)
{
	struct ini_line l;
	struct ini it;

	if (value) {
		set_pair(out, text, len, section, key, value);
		return;
	}
	if (tidy && section_empty_without(text, len, section, key)) {
		ini_remove_section(out, text, len, section);
		return;
	}
	ini_init(&it, text, len);
	strbuf_addn(out, text, it.lines.off);
	while (ini_next(&it, &l)) {
		if (l.kind != INI_PAIR || !word_ieq(l.key, key) ||
		    !ini_section_eq(l.section, section))
			strbuf_addn(out, text + l.line.start, l.line.next - l.line.start);
	}
}

void
ini_remove_section(struct strbuf *out, const char *text, size_t len, const char *section)
{
	size_t comments = 0; /* start of the comments in front of the next header */
	bool inside = false, held = false;
	struct ini_line l;
	struct ini it;

	ini_init(&it, text, len);
	strbuf_addn(out, text, it.lines.off);
	while (ini_next(&it, &l)) {
		bool ours = l.kind == INI_SECTION && ini_section_eq(l.section, section);

		if (l.kind == INI_SECTION) {
			if (inside && held && !ours)
				strbuf_addn(out, text + comments, l.line.start - comments);
			inside = ours;
			held = false;
		}
		if (!inside) {
			strbuf_addn(out, text + l.line.start, l.line.next - l.line.start);
		} else if (l.kind == INI_NONE && word_trim(l.line.w).len) {
			if (!held)
				comments = l.line.start;
			held = true;
		} else {
			held = false;
		}
	}
}
