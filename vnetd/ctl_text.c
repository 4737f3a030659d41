/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_text.c - times, plurals and widths. Pure but for the C library's locale tables.
 */
#include "vnetd/ctl_text.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "lib/strbuf.h"

void
ctl_text_init(void)
{
	/* The names in our tables are UTF-8 by protocol, not by what the terminal was told. */
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* Marks that turn the direction of what follows: a name must not be able to rewrite its line. */
static bool
turns_direction(wchar_t c)
{
	return c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Reads one character at s; its length in bytes (at least 1) and its columns, -1: not printable. */
static size_t
next_char(const char *s, int *columns)
{
	mbstate_t st = {0};
	wchar_t c;
	size_t len = mbrtowc(&c, s, strlen(s), &st);

	if (len == 0 || len == (size_t)-1 || len == (size_t)-2) {
		*columns = -1;
		return 1;
	}
	*columns = turns_direction(c) ? -1 : wcwidth(c);
	return len;
}

/* Most text: how many characters at s need no tables. */
static size_t
plain_run(const char *s, bool one_word)
{
	size_t n = 0;

	while (s[n] > (one_word ? 0x20 : 0x1f) && s[n] < 0x7f)
		n++;
	return n;
}

size_t
ctl_text_width(const char *s)
{
	size_t width = 0;
	int columns;

	for (;;) {
		size_t n = plain_run(s, false);

		width += n;
		s += n;
		if (!*s)
			return width;
		s += next_char(s, &columns);
		width += columns > 0 ? (size_t)columns : 0;
	}
}

void
ctl_text_clean(struct strbuf *out, const char *s, bool one_word)
{
	int columns;

	for (;;) {
		size_t len = plain_run(s, one_word);

		strbuf_addn(out, s, len);
		s += len;
		if (!*s)
			return;
		len = next_char(s, &columns);
		if (columns < 0 || (one_word && *s == ' ')) {
			for (size_t i = 0; i < len; i++)
				strbuf_addf(out, "\\x%02x", (unsigned char)s[i]);
		} else {
			strbuf_addn(out, s, len);
		}
		s += len;
	}
}

char *
ctl_text_span(uint64_t seconds, char buf[TEXT_SPAN_LEN])
{
	if (seconds < 60)
		snprintf(buf, TEXT_SPAN_LEN, "%" PRIu64 " s", seconds);
	else if (seconds < 3600)
		snprintf(buf, TEXT_SPAN_LEN, "%" PRIu64 " min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(buf, TEXT_SPAN_LEN, "%" PRIu64 " h", seconds / 3600);
	else
		snprintf(buf, TEXT_SPAN_LEN, "%" PRIu64 " days", seconds / 86400);
	return buf;
}

char *
ctl_text_when(uint64_t when, uint64_t now, char buf[TEXT_SPAN_LEN + 8])
{
	char span[TEXT_SPAN_LEN];

	if (when == now)
		snprintf(buf, TEXT_SPAN_LEN + 8, "now");
	else if (when > now)
		snprintf(buf, TEXT_SPAN_LEN + 8, "in %s", ctl_text_span(when - now, span));
	else
		snprintf(buf, TEXT_SPAN_LEN + 8, "%s ago", ctl_text_span(now - when, span));
	return buf;
}

char *
ctl_text_utc(uint64_t ms, bool with_ms, char buf[TEXT_TIME_LEN])
{
	/* The last second of the year 9999: what lies behind has no RFC 3339 form. */
	const uint64_t last = 253402300799;
	time_t t = (time_t)(ms / 1000 > last ? last : ms / 1000);
	size_t len;
	struct tm tm;

	gmtime_r(&t, &tm);
	len = strftime(buf, TEXT_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (with_ms)
		snprintf(buf + len, TEXT_TIME_LEN - len, ".%03uZ", (unsigned)(ms % 1000));
	else
		snprintf(buf + len, TEXT_TIME_LEN - len, "Z");
	return buf;
}

char *
ctl_text_host_part(struct ip4 a, unsigned len, char buf[IP4_STRLEN + 1])
{
	char whole[IP4_STRLEN];
	const char *p = ip4_str(a, whole);

	if (len < 8) {
		snprintf(buf, IP4_STRLEN + 1, "%s", whole);
		return buf;
	}
	for (unsigned octet = 0; octet < len / 8 && octet < 3; octet++)
		p = strchr(p, '.') + 1;
	snprintf(buf, IP4_STRLEN + 1, ".%s", p);
	return buf;
}

void
ctl_text_count(struct strbuf *out, uint64_t n, const char *one, const char *many)
{
	strbuf_addf(out, "%" PRIu64 " %s", n, n == 1 ? one : many);
}
