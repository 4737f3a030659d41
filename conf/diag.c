/* SPDX-License-Identifier: GPL-2.0-or-later
 * diag.c - the list of what is wrong. Pure: no log, no output of its own.
 */
#include "conf/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/text.h"
#include "lib/strbuf.h"

void
diags_init(struct diags *d)
{
	*d = (struct diags){.net = -1};
	arena_init(&d->arena);
}

void
diags_fini(struct diags *d)
{
	arena_fini(&d->arena);
	diags_init(d);
}

/* Values from files are quoted in sentences: nothing in them may reach a terminal raw. */
static void
add_escaped(struct strbuf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = text_utf8_len(s + i, n - i);
		bool c1 = len == 2 && s[i] == '\xc2' && (unsigned char)s[i + 1] < 0xa0;

		if (len == 0 || c1 || (unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
			strbuf_addf(out, "\\x%02x", (unsigned char)s[i]);
			i++;
			continue;
		}
		strbuf_addn(out, s + i, len);
		i += len;
	}
}

void
diag_add(struct diags *d, enum diag_severity sev, struct conf_pos pos, const char *fmt, ...)
{
	struct strbuf raw, text;
	struct diag *v;
	va_list ap;

	d->count[sev]++;
	if (sev == DIAG_ERROR && d->net < 0)
		d->failed_all = true;
	else if (sev == DIAG_ERROR && d->net < 256)
		d->failed_net[d->net / 8] |= (uint8_t)(1u << (d->net % 8));
	if (d->n >= (sev == DIAG_NOTICE ? NOTICES_MAX : DIAGS_MAX))
		return;
	strbuf_init(&raw);
	strbuf_init(&text);
	va_start(ap, fmt);
	strbuf_vaddf(&raw, fmt, ap);
	va_end(ap);
	add_escaped(&text, strbuf_str(&raw), raw.len);
	v = arena_grow(&d->arena, d->v, d->n, sizeof(*v));
	if (v) {
		d->v = v;
		v += d->n++;
		*v = (struct diag){.severity = sev, .net = d->net, .pos = pos};
		v->text = arena_dup(&d->arena, strbuf_str(&text), text.len);
		if (!v->text)
			v->text = "out of memory";
		if (pos.file)
			v->pos.file = arena_dup(&d->arena, pos.file, strlen(pos.file));
	}
	strbuf_fini(&raw);
	strbuf_fini(&text);
}

const struct diag *
diags_first_error(const struct diags *d, int net)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].severity == DIAG_ERROR && d->v[i].net == net)
			return &d->v[i];
	}
	return NULL;
}

bool
diags_failed(const struct diags *d, int net)
{
	if (net < 0)
		return d->failed_all;
	return net < 256 && (d->failed_net[net / 8] >> (net % 8) & 1);
}

void
diags_append(struct diags *dst, const struct diags *src)
{
	for (size_t i = 0; i < src->n && dst->n < DIAGS_MAX; i++) {
		struct diag *v = arena_grow(&dst->arena, dst->v, dst->n, sizeof(*v));
		const char *file = src->v[i].pos.file;

		if (!v)
			break;
		dst->v = v;
		v += dst->n++;
		*v = src->v[i];
		v->text = arena_dup(&dst->arena, v->text, strlen(v->text));
		v->pos.file = file ? arena_dup(&dst->arena, file, strlen(file)) : NULL;
		if (!v->text)
			v->text = "out of memory";
	}
	for (size_t i = 0; i < ARRAY_LEN(dst->count); i++)
		dst->count[i] += src->count[i];
	for (size_t i = 0; i < ARRAY_LEN(dst->failed_net); i++)
		dst->failed_net[i] |= src->failed_net[i];
	dst->failed_all |= src->failed_all;
}

void
diag_print(struct strbuf *out, const struct diag *d)
{
	if (d->pos.file && d->pos.file[0]) {
		strbuf_add(out, d->pos.file);
		if (d->pos.line)
			strbuf_addf(out, ":%u:%u", d->pos.line, d->pos.col);
		strbuf_add(out, ": ");
	}
	strbuf_add(out, d->text);
}

#define WORD_MAX 31

/* Letters to change, insert, drop or swap with their neighbour to get from a to b, any case. */
static size_t
distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[3][WORD_MAX + 1], *prev2 = row[0], *prev = row[1], *cur = row[2], *t;

	for (size_t j = 0; j <= nb; j++)
		prev[j] = j;
	memset(prev2, 0, sizeof(row[0]));
	for (size_t i = 1; i <= na; i++) {
		cur[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = prev[j - 1] + (strncasecmp(a + i - 1, b + j - 1, 1) != 0);

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 && !strncasecmp(a + i - 1, b + j - 2, 1) &&
			    !strncasecmp(a + i - 2, b + j - 1, 1) && prev2[j - 2] + 1 < best)
				best = prev2[j - 2] + 1;
			cur[j] = best;
		}
		t = prev2;
		prev2 = prev;
		prev = cur;
		cur = t;
	}
	return prev[nb];
}

const char *
diag_did_you_mean(const char *word, const char *const *list)
{
	size_t n = strlen(word), best = SIZE_MAX;
	const char *found = NULL;

	if (n == 0 || n > WORD_MAX)
		return NULL;
	for (; *list; list++) {
		size_t m = strlen(*list), most = (n > m ? n : m) / 3, dist;

		if (m == 0 || m > WORD_MAX || (n > m ? n - m : m - n) > most)
			continue;
		dist = distance(word, n, *list, m);
		if (dist <= most && dist < best) {
			best = dist;
			found = *list;
		}
	}
	return found;
}
