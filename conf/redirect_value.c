/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_value.c - times, limits, logs and ports of redirect.d's attributes. Pure.
 */
#include "conf/redirect_priv.h"

#include <string.h>

bool
redirect_word_next(struct redirect_word *rest, struct redirect_word *out)
{
	struct word before = rest->w;

	*out = *rest;
	if (!word_next(&rest->w, &out->w))
		return false;
	out->pos.col += (uint32_t)(out->w.s - before.s);
	rest->pos.col += (uint32_t)(rest->w.s - before.s);
	return true;
}

/* --- access_times --- */

/* h:m at the front of w; false: something else stands there. */
static bool
clock_time(struct word *w, uint32_t *minutes)
{
	const char *colon = memchr(w->s, ':', w->len);
	size_t h = colon ? (size_t)(colon - w->s) : 0, m = 0;
	uint32_t hours, mins;

	if (h == 0 || h > 2)
		return false;
	while (h + 1 + m < w->len && w->s[h + 1 + m] != '-')
		m++;
	if (m == 0 || m > 2 || !word_u32((struct word){w->s, h}, 24, &hours) ||
	    !word_u32((struct word){colon + 1, m}, 59, &mins))
		return false;
	*minutes = hours * 60 + mins;
	*w = word_skip(*w, h + 1 + m);
	return *minutes <= 1440;
}

bool
redirect_time_parse(struct redirect_time *t, struct redirect_word w, struct diags *d)
{
	struct word rest = w.w;
	uint32_t from, to;
	bool ok = clock_time(&rest, &from) && rest.len && rest.s[0] == '-';

	if (ok) {
		rest = word_skip(rest, 1);
		ok = clock_time(&rest, &to) && rest.len == 0 && from < 1440;
	}
	if (!ok) {
		diag_error(d, w.pos,
			   "\"%.*s\" is no interval of the day, which is HOUR:MINUTE-HOUR:MINUTE "
			   "without blanks, as in 8:00-17:30",
			   WORD_ARG(w.w));
		return false;
	}
	if (from >= to) {
		diag_error(
		    d, w.pos,
		    "\"%.*s\" ends before it begins; over midnight there are two intervals, as "
		    "in 22:00-24:00 0:00-6:00",
		    WORD_ARG(w.w));
		return false;
	}
	*t = (struct redirect_time){(uint16_t)from, (uint16_t)to};
	return true;
}

/* --- limits --- */

bool
redirect_limit_parse(uint32_t *out, struct redirect_word w, struct diags *d)
{
	if (word_ieq(w.w, "UNLIMITED")) {
		*out = REDIRECT_UNLIMITED;
		return true;
	}
	if (word_u32(w.w, INT32_MAX, out))
		return true;
	diag_error(d, w.pos, "\"%.*s\" is neither a number of connections nor UNLIMITED",
		   WORD_ARG(w.w));
	return false;
}

/* 2, 2.5, .75: hundredths, more digits are cut. */
bool
redirect_load_parse(uint32_t *out, struct redirect_word w, struct diags *d)
{
	const char *dot = memchr(w.w.s, '.', w.w.len);
	size_t n = dot ? (size_t)(dot - w.w.s) : w.w.len;
	struct word frac = dot ? word_skip(w.w, n + 1) : (struct word){w.w.s, 0};
	uint32_t whole = 0, part = 0;
	bool ok = n + frac.len > 0;

	if (n)
		ok = word_u32((struct word){w.w.s, n}, 1000000, &whole);
	for (size_t i = 0; ok && i < frac.len; i++) {
		ok = frac.s[i] >= '0' && frac.s[i] <= '9';
		if (ok && i < 2)
			part += (uint32_t)(frac.s[i] - '0') * (i ? 1 : 10);
	}
	if (!ok || whole * 100 + part == 0) {
		diag_error(d, w.pos, "\"%.*s\" is no load, which is a number from 0.01, as 2.5",
			   WORD_ARG(w.w));
		return false;
	}
	*out = whole * 100 + part;
	return true;
}

bool
redirect_deny_parse(uint32_t *out, struct redirect_word w, struct diags *d)
{
	uint32_t minutes;

	if (word_ieq(w.w, "FOREVER")) {
		*out = REDIRECT_FOREVER;
		return true;
	}
	if (word_ieq(w.w, "NEVER")) {
		*out = 0;
		return true;
	}
	if (!word_u32(w.w, 525600, &minutes)) {
		diag_error(
		    d, w.pos,
		    "\"%.*s\" is neither FOREVER, NEVER nor a number of minutes up to 525600",
		    WORD_ARG(w.w));
		return false;
	}
	*out = minutes * 60;
	return true;
}

/* --- logs --- */

static const char *const facilities[] = {
    [1] = "user",    [2] = "mail",    [3] = "daemon",  [4] = "auth",      [6] = "lpr",
    [7] = "news",    [8] = "uucp",    [9] = "cron",    [10] = "authpriv", [11] = "ftp",
    [16] = "local0", [17] = "local1", [18] = "local2", [19] = "local3",   [20] = "local4",
    [21] = "local5", [22] = "local6", [23] = "local7",
};
static const char *const levels[] = {"emerg",   "alert",  "crit", "err",
				     "warning", "notice", "info", "debug"};

const char *
redirect_facility_str(unsigned facility)
{
	return facility < ARRAY_LEN(facilities) ? facilities[facility] : NULL;
}

const char *
redirect_level_str(unsigned level)
{
	return level < ARRAY_LEN(levels) ? levels[level] : NULL;
}

static bool
index_of(const char *const *list, size_t n, struct word w, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] && word_ieq(w, list[i])) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool
log_syslog(struct redirect_log *log, struct redirect_word *rest, struct diags *d)
{
	struct redirect_word w;

	log->kind = REDIRECT_LOG_SYSLOG;
	log->level = 6; /* info */
	if (!redirect_word_next(rest, &w)) {
		diag_error(d, w.pos, "SYSLOG needs a facility, as in SYSLOG daemon");
		return false;
	}
	if (!index_of(facilities, ARRAY_LEN(facilities), w.w, &log->facility)) {
		diag_error(d, w.pos,
			   "\"%.*s\" is no facility; there are daemon, auth, authpriv, user, mail, "
			   "lpr, news, uucp, ftp, cron and local0 to local7",
			   WORD_ARG(w.w));
		return false;
	}
	if (redirect_word_next(rest, &w) &&
	    !index_of(levels, ARRAY_LEN(levels), w.w, &log->level)) {
		diag_error(
		    d, w.pos,
		    "\"%.*s\" is no level; there are emerg, alert, crit, err, warning, notice, "
		    "info and debug",
		    WORD_ARG(w.w));
		return false;
	}
	return true;
}

/* Bytes, or with K or M behind it. */
static bool
log_size(uint64_t *out, struct redirect_word w, struct diags *d)
{
	char unit = w.w.len ? w.w.s[w.w.len - 1] : '\0';
	unsigned shift = unit == 'K' || unit == 'k' ? 10 : unit == 'M' || unit == 'm' ? 20 : 0;
	uint32_t v;

	if (!word_u32((struct word){w.w.s, w.w.len - (shift != 0)}, UINT32_MAX, &v) || v == 0) {
		diag_error(d, w.pos, "\"%.*s\" is no size of a file in bytes, or with K or M",
			   WORD_ARG(w.w));
		return false;
	}
	*out = (uint64_t)v << shift;
	return true;
}

/* One hundredth more than the soft limit, but 5 to 20 KiB more. */
static uint64_t
hard_of(uint64_t soft)
{
	uint64_t extra = soft / 100;

	if (extra < 5 * 1024)
		extra = 5 * 1024;
	return soft + (extra > 20 * 1024 ? 20 * 1024 : extra);
}

static bool
is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

bool
redirect_log_path_ok(const char *path)
{
	size_t len = strlen(path), part;

	if (path[0] != '/' || len > REDIRECT_LOG_PATH_MAX || is_below(path, "/proc") ||
	    is_below(path, "/sys") || is_below(path, "/dev"))
		return false;
	for (const char *at = path; *at; at += part) {
		at++;
		part = strcspn(at, "/");
		if (part == 0 || (part <= 2 && strspn(at, ".") >= part))
			return false;
		for (size_t i = 0; i < part; i++)
			if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f)
				return false;
	}
	return true;
}

static bool
log_file(struct redirect_log *log, struct arena *a, struct redirect_word *rest, struct diags *d)
{
	struct redirect_word w;

	log->kind = REDIRECT_LOG_FILE;
	if (!redirect_word_next(rest, &w) || w.w.s[0] != '/' || memchr(w.w.s, '\0', w.w.len)) {
		diag_error(d, w.pos,
			   "FILE needs the whole path of a file, as in FILE /var/log/redirect.log");
		return false;
	}
	log->file = word_dup(a, w.w);
	if (log->file && !redirect_log_path_ok(log->file)) {
		diag_error(
		    d, w.pos,
		    "\"%s\" is no path of a log: it is written without \".\", \"..\" and "
		    "empty parts, has at most %d bytes, and is not below /proc, /sys or /dev",
		    log->file, REDIRECT_LOG_PATH_MAX);
		return false;
	}
	if (!redirect_word_next(rest, &w))
		return log->file;
	if (!log_size(&log->soft, w, d))
		return false;
	log->hard = hard_of(log->soft);
	if (!redirect_word_next(rest, &w))
		return log->file;
	if (!log_size(&log->hard, w, d))
		return false;
	if (log->hard < log->soft) {
		diag_error(d, w.pos, "the hard limit \"%.*s\" is less than the soft limit",
			   WORD_ARG(w.w));
		return false;
	}
	return log->file;
}

bool
redirect_log_parse(struct redirect_log *log, struct arena *a, struct redirect_word rest,
		   struct diags *d)
{
	struct redirect_word w, more;
	bool ok;

	*log = (struct redirect_log){0};
	redirect_word_next(&rest, &w);
	if (word_ieq(w.w, "SYSLOG")) {
		ok = log_syslog(log, &rest, d);
	} else if (word_ieq(w.w, "FILE")) {
		ok = log_file(log, a, &rest, d);
	} else {
		diag_error(d, w.pos,
			   "\"%.*s\" is no kind of log; there are SYSLOG FACILITY [LEVEL] and FILE "
			   "PATH [SOFT [HARD]]",
			   WORD_ARG(w.w));
		return false;
	}
	if (ok && redirect_word_next(&rest, &more)) {
		diag_error(d, more.pos, "\"%.*s\" is too much", WORD_ARG(more.w));
		return false;
	}
	return ok;
}

const struct redirect_bit redirect_success_words[] = {
    {"PID", REDIRECT_LOG_PID},
    {"HOST", REDIRECT_LOG_HOST},
    {"USERID", REDIRECT_LOG_USERID},
    {"EXIT", REDIRECT_LOG_EXIT},
    {"DURATION", REDIRECT_LOG_DURATION},
    {"TRAFFIC", REDIRECT_LOG_TRAFFIC},
    {NULL, 0},
};
const struct redirect_bit redirect_failure_words[] = {
    {"HOST", REDIRECT_LOG_HOST},
    {"USERID", REDIRECT_LOG_USERID},
    {"ATTEMPT", REDIRECT_LOG_ATTEMPT},
    {NULL, 0},
};

/* --- ports --- */

/* The port of a line "name port/proto alias..." when one of its names is that. */
static uint16_t
line_port(struct word line, struct word name)
{
	const char *hash = memchr(line.s, '#', line.len), *slash;
	struct word w, port, rest = {line.s, hash ? (size_t)(hash - line.s) : line.len};
	uint32_t v;
	bool ours;

	if (!word_next(&rest, &w) || !word_next(&rest, &port))
		return 0;
	ours = w.len == name.len && memcmp(w.s, name.s, w.len) == 0;
	slash = memchr(port.s, '/', port.len);
	if (!slash || !word_eq(word_skip(port, (size_t)(slash - port.s) + 1), "tcp") ||
	    !word_u32((struct word){port.s, (size_t)(slash - port.s)}, 65535, &v))
		return 0;
	while (!ours && word_next(&rest, &w))
		ours = w.len == name.len && memcmp(w.s, name.s, w.len) == 0;
	return ours ? (uint16_t)v : 0;
}

uint16_t
redirect_etc_port(const struct redirect_sources *src, struct word name)
{
	struct lines it = lines_init(src->etc_services, src->etc_services_len);
	struct line l;
	uint16_t port = 0;

	while (!port && src->etc_services && lines_next(&it, &l))
		port = line_port(l.w, name);
	return port;
}
