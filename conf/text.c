/* SPDX-License-Identifier: GPL-2.0-or-later
 * text.c - lines, words and numbers of a text buffer. Pure; reads only inside the given bounds.
 */
#include "conf/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"

struct lines
lines_init(const char *text, size_t len)
{
	return (struct lines){text ? text : "", len, 0, 0};
}

bool
lines_next(struct lines *it, struct line *out)
{
	size_t i = it->off;

	if (i >= it->len)
		return false;
	while (i < it->len && it->text[i] != '\n' && it->text[i] != '\r')
		i++;
	out->start = it->off;
	out->w = (struct word){it->text + it->off, i - it->off};
	if (i + 1 < it->len && it->text[i] == '\r' && it->text[i + 1] == '\n')
		i += 2;
	else if (i < it->len)
		i++;
	out->next = it->off = i;
	out->no = ++it->no;
	return true;
}

const char *
line_end(const char *text, const struct line *l)
{
	size_t end = l->next;

	if (end == l->start + l->w.len)
		end = l->start; /* it has none: as the line before */
	return end >= 2 && text[end - 2] == '\r' && text[end - 1] == '\n' ? "\r\n" : "\n";
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

struct word
word_of(const char *s)
{
	return (struct word){s, strlen(s)};
}

struct word
word_trim(struct word w)
{
	while (w.len && is_blank(w.s[0])) {
		w.s++;
		w.len--;
	}
	while (w.len && is_blank(w.s[w.len - 1]))
		w.len--;
	return w;
}

bool
word_eq(struct word w, const char *s)
{
	return strlen(s) == w.len && memcmp(w.s, s, w.len) == 0;
}

bool
word_ieq(struct word w, const char *s)
{
	return strlen(s) == w.len && strncasecmp(w.s, s, w.len) == 0;
}

bool
word_has_prefix(struct word w, const char *prefix)
{
	size_t n = strlen(prefix);

	return w.len >= n && strncasecmp(w.s, prefix, n) == 0;
}

struct word
word_skip(struct word w, size_t n)
{
	return n < w.len ? (struct word){w.s + n, w.len - n} : (struct word){w.s + w.len, 0};
}

bool
word_next(struct word *rest, struct word *out)
{
	size_t i = 0;

	while (rest->len && is_blank(rest->s[0]))
		*rest = word_skip(*rest, 1);
	while (i < rest->len && !is_blank(rest->s[i]))
		i++;
	*out = (struct word){rest->s, i};
	*rest = word_skip(*rest, i);
	return i > 0;
}

char *
word_dup(struct arena *a, struct word w)
{
	char *s = arena_dup(a, w.s, w.len), *nul = s;

	/* A NUL would hide what is behind it, blanks at the end for instance. */
	while (s && (nul = memchr(nul, '\0', w.len - (size_t)(nul - s))))
		*nul = '?';
	return s;
}

bool
word_u32(struct word w, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;

	if (w.len == 0)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] < '0' || w.s[i] > '9')
			return false;
		v = v * 10 + (unsigned)(w.s[i] - '0');
		if (v > max)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}

bool
word_range(struct word w, uint32_t min, uint32_t max, uint32_t *first, uint32_t *last)
{
	const char *dash = w.len ? memchr(w.s, '-', w.len) : NULL;
	size_t n = dash ? (size_t)(dash - w.s) : 0;

	return dash && word_u32(word_trim((struct word){w.s, n}), max, first) &&
	       word_u32(word_trim(word_skip(w, n + 1)), max, last) && *first >= min &&
	       *first <= *last;
}

/* A NUL-terminated copy for the parsers of lib/inet.h; nothing that they accept is longer. */
static bool
word_cstr(struct word w, char buf[static 32])
{
	if (w.len >= 32 || (w.len && memchr(w.s, '\0', w.len)))
		return false;
	if (w.len)
		memcpy(buf, w.s, w.len);
	buf[w.len] = '\0';
	return true;
}

bool
conf_word_is_wide(struct word w)
{
	return w.len && (memchr(w.s, '-', w.len) || memchr(w.s, ':', w.len));
}

bool
word_ip4(struct word w, struct ip4 *out)
{
	char buf[32];

	return word_cstr(w, buf) && ip4_parse(out, buf);
}

bool
word_mac(struct word w, struct mac *out)
{
	char buf[32];

	return word_cstr(w, buf) && mac_parse(out, buf);
}

bool
word_prefix4(struct word w, struct prefix4 *out)
{
	char buf[32];

	return word_cstr(w, buf) && prefix4_parse(out, buf);
}

bool
word_bool(struct word w, bool *out)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (word_ieq(w, yes[i]) || word_ieq(w, no[i])) {
			*out = word_ieq(w, yes[i]);
			return true;
		}
	}
	return false;
}

bool
word_is_ifname(struct word w)
{
	if (w.len == 0 || w.len > 15 || word_eq(w, ".") || word_eq(w, ".."))
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] <= ' ' || w.s[i] >= 0x7f || w.s[i] == '/' || w.s[i] == ':')
			return false;
	}
	return true;
}

bool
word_is_port_name(struct word w)
{
	if (w.len == 0 || w.s[0] == '#') /* which would begin a comment */
		return false;
	if (word_is_ifname(w))
		return true;
	if (w.len > CONF_PORT_NAME_MAX || w.s[0] == '-')
		return false;
	for (size_t i = 0; i < w.len; i++) {
		unsigned char c = (unsigned char)w.s[i];

		if (!isalnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

size_t
text_utf8_len(const char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	if (len <= 1)
		return len;
	if (len > n || p[0] > 0xf4)
		return 0;
	c = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

char *
text_clean(struct arena *a, const char *s)
{
	size_t n = strlen(s);
	char *out = arena_dup(a, s, n);

	if (!out)
		return NULL;
	for (size_t i = 0; i < n;) {
		size_t len = text_utf8_len(out + i, n - i);
		bool c1 = len == 2 && out[i] == '\xc2' && (unsigned char)out[i + 1] < 0xa0;

		if (len == 0 || c1 || (unsigned char)out[i] < 0x20 || out[i] == 0x7f) {
			out[i++] = '?';
			continue;
		}
		i += len;
	}
	return out;
}

bool
word_is_user_name(struct word w)
{
	if (w.len == 0 || w.len > 32 || w.s[0] == '-')
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.s[i] <= ' ' || w.s[i] >= 0x7f || strchr(":/#[]=", w.s[i]))
			return false;
	}
	return true;
}
