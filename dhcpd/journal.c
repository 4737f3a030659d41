/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal.c - the lease file's text. Pure and total: no allocation, no log, no clock.
 *
 * The reader takes what ISC dhcpd 2.0, VMware and we have written: comments, any white space,
 * unknown statements (skipped), several blocks for one address. It loses at most the block that
 * is damaged.
 *
 * Blocks are written over newlines (store.h), several at once. A sector of them that did not reach the
 * disk is still newlines, 512 of them, and what is left of the block before and of the one behind may
 * look like one block: the address of the former, the client of the latter. So no block has so many.
 */
#include "dhcpd/journal.h"

#include <stdio.h>
#include <string.h>

/* Files smaller than this are rewritten whenever that removes anything. */
#define SMALL_FILE 65536

#define DAY_S 86400

/* Newlines in a row that no writer puts inside a block, and that a lost sector always has. */
#define GAP 64

const char journal_header[] =
    "# DHCP leases of this network, written by vnet-dhcpd. Do not edit while it runs.\n"
    "# All times in this file are in UTC (GMT), not your local timezone.\n"
    "# The format of this file is documented in the vnet-leases(5) manual page.\n"
    "\n";

/* --- calendar (proleptic Gregorian; libc's functions would read the time zone) --- */

/* Days since 1970-01-01. Counts years from March, so that the leap day is a year's last. */
static int64_t
days_from_date(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static void
date_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era;
	unsigned doe, yoe, doy, mp;

	days += 719468;
	era = days / 146097;
	doe = (unsigned)(days - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

/* --- writing --- */

/* What the four-digit year can hold. */
#define TIME_MAX INT64_C(253402300799) /* 9999-12-31 23:59:59 */

static void
put_time(struct wr *w, const char *word, int64_t t)
{
	char line[64];
	int64_t y, day;
	unsigned m, d, s;
	int n;

	if (t == JOURNAL_NEVER) {
		n = snprintf(line, sizeof(line), "\t%s never;\n", word);
		wr_bytes(w, line, (size_t)n);
		return;
	}
	if (t < 0)
		t = 0;
	if (t > TIME_MAX)
		t = TIME_MAX;
	day = t / DAY_S;
	s = (unsigned)(t % DAY_S);
	date_from_days(day, &y, &m, &d);
	n = snprintf(line, sizeof(line), "\t%s %u %04u/%02u/%02u %02u:%02u:%02u;\n", word,
		     (unsigned)((day + 4) % 7), (unsigned)y, m, d, s / 3600, s / 60 % 60, s % 60);
	wr_bytes(w, line, (size_t)n);
}

static void
put_str(struct wr *w, const char *s)
{
	wr_bytes(w, s, strlen(s));
}

static void
put_uid(struct wr *w, const uint8_t *uid, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	put_str(w, "\tuid ");
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			wr_u8(w, ':');
		wr_u8(w, (uint8_t)hex[uid[i] >> 4]);
		wr_u8(w, (uint8_t)hex[uid[i] & 15]);
	}
	put_str(w, ";\n");
}

size_t
journal_encode(char *buf, size_t cap, const struct journal_rec *rec)
{
	struct wr w = wr_init(buf, cap);

	put_str(&w, "lease ");
	put_str(&w, IP4_STR(rec->ip));
	put_str(&w, " {\n");
	put_time(&w, "starts", rec->starts);
	put_time(&w, "ends", rec->ends);
	if (rec->abandoned) {
		put_str(&w, "\tabandoned;\n");
	} else {
		put_str(&w, "\thardware ethernet ");
		put_str(&w, MAC_STR(rec->mac));
		put_str(&w, ";\n");
		if (rec->uid_len)
			put_uid(&w, rec->uid, rec->uid_len);
		if (rec->hostname[0]) {
			put_str(&w, "\tclient-hostname \"");
			put_str(&w, rec->hostname);
			put_str(&w, "\";\n");
		}
	}
	put_str(&w, "}\n");
	return w.bad ? 0 : wr_len(&w);
}

/* --- reading: tokens --- */

enum token { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_SEMI, TOKEN_JUNK };

#define TOKEN_MAX 256

struct tok {
	enum token kind;
	size_t len;
	/* NUL-terminated; what is longer is cut: nothing that long has a meaning here. */
	char s[TOKEN_MAX];
};

/* All that is printed but blanks and what ends a word: # " ; { } */
static bool
is_word_char(char c)
{
	return c > ' ' && c <= '~' && c != '#' && c != '"' && c != ';' && c != '{' && c != '}';
}

/* Where a write never reached the disk there are zeros, and the next one follows right behind them. */
static bool
ends_line(char c)
{
	return c == '\n' || c == '\0';
}

static void
skip_blank(struct journal_reader *r)
{
	while (r->p < r->end) {
		char c = *r->p;

		if (c == '#') {
			while (r->p < r->end && !ends_line(*r->p))
				r->p++;
			continue;
		}
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return;
		r->at_line += c == '\n';
		r->p++;
	}
}

static bool
has_gap(const char *p, const char *end)
{
	size_t run = 0;

	for (; p < end && run < GAP; p++)
		run = *p == '\n' ? run + 1 : 0;
	return run == GAP;
}

static void
tok_add(struct tok *t, char c)
{
	if (t->len < TOKEN_MAX - 1) {
		t->s[t->len++] = c;
		t->s[t->len] = '\0';
	}
}

/* A string ends on its own line; one that does not is damage. */
static void
read_string(struct journal_reader *r, struct tok *t)
{
	r->p++;
	t->kind = TOKEN_STRING;
	for (; r->p < r->end && !ends_line(*r->p); r->p++) {
		if (*r->p == '"') {
			r->p++;
			return;
		}
		tok_add(t, *r->p);
	}
	t->kind = r->p < r->end ? TOKEN_JUNK : TOKEN_END;
}

/* As one piece: files consist of little else. */
static void
read_word(struct journal_reader *r, struct tok *t)
{
	const char *from = r->p;

	while (r->p < r->end && is_word_char(*r->p))
		r->p++;
	t->kind = TOKEN_WORD;
	t->len = (size_t)(r->p - from);
	if (t->len > TOKEN_MAX - 1)
		t->len = TOKEN_MAX - 1;
	memcpy(t->s, from, t->len);
	t->s[t->len] = '\0';
}

static void
tok_next(struct journal_reader *r, struct tok *t)
{
	const char *from = r->p;

	t->len = 0;
	t->s[0] = '\0';
	skip_blank(r);
	if (r->inside && r->p - from >= GAP && has_gap(from, r->p)) {
		t->kind = TOKEN_JUNK;
		return;
	}
	if (r->p == r->end) {
		t->kind = TOKEN_END;
		return;
	}
	switch (*r->p) {
	case '{':
		t->kind = TOKEN_OPEN;
		r->p++;
		return;
	case '}':
		t->kind = TOKEN_CLOSE;
		r->p++;
		return;
	case ';':
		t->kind = TOKEN_SEMI;
		r->p++;
		return;
	case '"':
		read_string(r, t);
		return;
	default:
		break;
	}
	if (!is_word_char(*r->p)) {
		t->kind = TOKEN_JUNK;
		r->p++;
		return;
	}
	read_word(r, t);
}

/* --- reading: values --- */

/* A number of exactly n digits. */
static bool
digits(const char **s, unsigned n, unsigned *out)
{
	unsigned v = 0;

	while (n--) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (unsigned)(*(*s)++ - '0');
	}
	*out = v;
	return true;
}

static bool
lit(const char **s, char c)
{
	return *(*s)++ == c;
}

static bool
parse_date(const char *s, int64_t *days)
{
	static const uint8_t month_len[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned y, m, d;

	if (!digits(&s, 4, &y) || !lit(&s, '/') || !digits(&s, 2, &m) || !lit(&s, '/') ||
	    !digits(&s, 2, &d) || *s != '\0')
		return false;
	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > month_len[m - 1])
		return false;
	*days = days_from_date(y, m, d);
	return true;
}

static bool
parse_clock(const char *s, int64_t *secs)
{
	unsigned h, m, sec;

	if (!digits(&s, 2, &h) || !lit(&s, ':') || !digits(&s, 2, &m) || !lit(&s, ':') ||
	    !digits(&s, 2, &sec) || *s != '\0')
		return false;
	if (h > 23 || m > 59 || sec > 60)
		return false;
	*secs = (int64_t)h * 3600 + m * 60 + sec;
	return true;
}

/* "W YYYY/MM/DD HH:MM:SS;" or "never;". The weekday is not believed, the date is. */
static bool
read_time(struct journal_reader *r, int64_t *out)
{
	struct tok t;
	int64_t days, secs;

	tok_next(r, &t);
	if (t.kind != TOKEN_WORD)
		return false;
	if (strcmp(t.s, "never") == 0) {
		*out = JOURNAL_NEVER;
	} else {
		if (t.len != 1 || t.s[0] < '0' || t.s[0] > '6')
			return false;
		tok_next(r, &t);
		if (t.kind != TOKEN_WORD || !parse_date(t.s, &days))
			return false;
		tok_next(r, &t);
		if (t.kind != TOKEN_WORD || !parse_clock(t.s, &secs))
			return false;
		*out = days * DAY_S + secs;
	}
	tok_next(r, &t);
	return t.kind == TOKEN_SEMI;
}

/* "01:00:0c:..." -> bytes; ids that are longer than we remember, or ISC's other forms, are
 * dropped. */
static void
parse_uid(struct journal_rec *rec, const char *s)
{
	uint8_t len = 0;

	rec->uid_len = 0;
	for (;;) {
		int hi = hex_digit(s[0]), lo = hi < 0 ? -1 : hex_digit(s[1]);

		if (lo < 0 || len == LEASE_UID_MAX)
			return;
		rec->uid[len++] = (uint8_t)(hi << 4 | lo);
		s += 2;
		if (*s == '\0')
			break;
		if (*s++ != ':')
			return;
	}
	rec->uid_len = len;
}

/* --- reading: blocks --- */

static bool
skip_statement(struct journal_reader *r)
{
	struct tok t;

	do {
		tok_next(r, &t);
	} while (t.kind == TOKEN_WORD || t.kind == TOKEN_STRING);
	return t.kind == TOKEN_SEMI;
}

static bool
read_hardware(struct journal_reader *r, struct journal_rec *rec)
{
	struct tok t;

	tok_next(r, &t);
	if (t.kind != TOKEN_WORD)
		return false;
	if (strcmp(t.s, "ethernet") != 0)
		return skip_statement(r);
	tok_next(r, &t);
	if (t.kind != TOKEN_WORD || !mac_parse(&rec->mac, t.s))
		return false;
	tok_next(r, &t);
	return t.kind == TOKEN_SEMI;
}

/* A word or string and its semicolon. */
static bool
read_value(struct journal_reader *r, struct tok *t)
{
	struct tok semi;

	tok_next(r, t);
	if (t->kind != TOKEN_WORD && t->kind != TOKEN_STRING)
		return false;
	tok_next(r, &semi);
	return semi.kind == TOKEN_SEMI;
}

/* Which statements were there. */
enum { SAW_STARTS = 1, SAW_ENDS = 2 };

static bool
read_statement(struct journal_reader *r, const struct tok *word, struct journal_rec *rec,
	       unsigned *saw)
{
	struct tok t;

	if (strcmp(word->s, "starts") == 0) {
		*saw |= SAW_STARTS;
		return read_time(r, &rec->starts);
	}
	if (strcmp(word->s, "ends") == 0) {
		*saw |= SAW_ENDS;
		return read_time(r, &rec->ends);
	}
	if (strcmp(word->s, "hardware") == 0)
		return read_hardware(r, rec);
	if (strcmp(word->s, "uid") == 0) {
		if (!read_value(r, &t))
			return false;
		if (t.kind == TOKEN_WORD)
			parse_uid(rec, t.s);
		return true;
	}
	if (strcmp(word->s, "client-hostname") == 0) {
		if (!read_value(r, &t))
			return false;
		dhcp_hostname_sanitise(rec->hostname, t.s, t.len);
		return true;
	}
	if (strcmp(word->s, "abandoned") == 0)
		rec->abandoned = true;
	return skip_statement(r);
}

/* Behind "lease". False: the block is damaged. */
static bool
read_block(struct journal_reader *r, struct journal_rec *rec)
{
	struct tok t;
	unsigned saw = 0;

	memset(rec, 0, sizeof(*rec));
	tok_next(r, &t);
	if (t.kind != TOKEN_WORD || !ip4_parse(&rec->ip, t.s))
		return false;
	tok_next(r, &t);
	if (t.kind != TOKEN_OPEN)
		return false;
	for (;;) {
		tok_next(r, &t);
		if (t.kind == TOKEN_CLOSE)
			break;
		if (t.kind != TOKEN_WORD || !read_statement(r, &t, rec, &saw))
			return false;
	}
	if (rec->abandoned) {
		memset(&rec->mac, 0, sizeof(rec->mac));
		return true;
	}
	return saw == (SAW_STARTS | SAW_ENDS) && rec->starts != JOURNAL_NEVER &&
	       !mac_is_zero(rec->mac) && !mac_is_multicast(rec->mac);
}

static bool
read_inside(struct journal_reader *r, struct journal_rec *rec)
{
	bool ok;

	r->inside = true;
	ok = read_block(r, rec);
	r->inside = false;
	return ok;
}

/* From `from` on, the next line that begins with "lease": where reading goes on after damage. */
static void
resync(struct journal_reader *r, const char *from, unsigned line)
{
	const char *p = from;

	while (p < r->end) {
		if (!ends_line(*p++))
			continue;
		line += p[-1] == '\n';
		if ((size_t)(r->end - p) >= 6 && memcmp(p, "lease ", 6) == 0)
			break;
	}
	r->p = p;
	r->at_line = line;
}

void
journal_reader_init(struct journal_reader *r, const char *text, size_t len)
{
	*r = (struct journal_reader){
	    .p = text, .start = text, .end = text + len, .line = 1, .at_line = 1};
}

enum journal_next
journal_next(struct journal_reader *r, struct journal_rec *rec)
{
	const char *from;
	struct tok t;

	skip_blank(r);
	from = r->p;
	r->line = r->at_line;
	tok_next(r, &t);
	if (t.kind == TOKEN_END && from == r->end)
		return JOURNAL_END;
	if (t.kind == TOKEN_WORD && strcmp(t.s, "lease") == 0 && read_inside(r, rec)) {
		if (r->p < r->end && *r->p == '\n')
			r->good_end = (size_t)(r->p + 1 - r->start);
		return JOURNAL_REC;
	}
	/* A block that was cut off by the end of the file is the trace of a crash; damage is
	 * not. */
	skip_blank(r);
	if (r->p == r->end) {
		resync(r, from, r->line);
		return r->p == r->end ? JOURNAL_TORN : JOURNAL_BAD;
	}
	resync(r, from, r->line);
	return JOURNAL_BAD;
}

bool
journal_is_room(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n')
			return false;
	return true;
}

size_t
journal_blocks_max(const char *text, size_t len)
{
	const char *end = text + len;
	size_t n = 0;

	while (text < end && (text = memchr(text, '{', (size_t)(end - text))) != NULL) {
		text++;
		n++;
	}
	return n;
}

bool
journal_wants_rewrite(size_t bytes, size_t blocks, size_t live)
{
	size_t history = blocks > live ? blocks - live : 0;

	if (history == 0)
		return false;
	return bytes < SMALL_FILE || history > live;
}
