/* SPDX-License-Identifier: GPL-2.0-or-later
 * log.c - lines on stderr. The sink is the suite's only writable file-scope data.
 *
 * A line is one write(2), so that processes sharing stderr do not mix theirs, and control characters
 * are escaped, so that a name from outside cannot forge a line. Nothing here allocates.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "mono.h"

enum {
	LINE_MAX_ = 1024,
	/* A fault that repeats must not fill the disk: so many lines at once, then so many per second.
	 * Errors pass always, and nothing is held back at level debug. */
	RATE_BURST = 200,
	RATE_PER_S = 20,
};

static struct {
	const char *ident;
	enum log_level max;
	bool journal;
	void (*divert)(enum log_level level, const char *line, void *arg);
	void *divert_arg;
	struct mono refilled;
	unsigned tokens, dropped;
} sink = {.max = LOG_LEVEL_INFO, .tokens = RATE_BURST};

/* stderr is the stream that systemd connected to the journal, and not something redirected since. */
static bool
stderr_is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!s || sscanf(s, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void
log_open(const char *ident, enum log_level max)
{
	int saved = errno;

	sink.ident = ident;
	sink.max = max;
	sink.journal = stderr_is_journal();
	sink.tokens = RATE_BURST;
	sink.refilled = mono_now();
	errno = saved;
}

void
log_set_level(enum log_level max)
{
	sink.max = max;
}

void
log_divert(void (*fn)(enum log_level level, const char *line, void *arg), void *arg)
{
	sink.divert = fn;
	sink.divert_arg = arg;
}

/* syslog(3) priorities, as journald reads them from the start of a line. */
static int
priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return 3;
	case LOG_LEVEL_WARN:
		return 4;
	case LOG_LEVEL_INFO:
		return 6;
	case LOG_LEVEL_DEBUG:
		return 7;
	}
	return 3;
}

/* Writes one line: prefix, text with control characters escaped, newline. */
static void
emit(enum log_level level, const char *text)
{
	char line[4 * LINE_MAX_];
	size_t len = 0;
	ssize_t n UNUSED;

	if (!sink.divert && sink.journal)
		len = (size_t)snprintf(line, sizeof(line), "<%d>", priority(level));
	else if (!sink.divert && sink.ident)
		len = (size_t)snprintf(line, sizeof(line), "%.64s: ", sink.ident);
	/* Four bytes for an escape, one for the newline, one for the NUL. */
	for (; *text && len + 6 <= sizeof(line); text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			len += (size_t)snprintf(line + len, 5, "\\x%02x", c);
		else
			line[len++] = (char)c;
	}
	line[len] = '\0';
	if (sink.divert) {
		sink.divert(level, line, sink.divert_arg);
		return;
	}
	line[len++] = '\n';
	n = write(STDERR_FILENO, line, len);
}

/* A token bucket over all lines; tells how many lines were lost as soon as one passes again. */
static bool
rate_ok(enum log_level level)
{
	struct mono now;
	int64_t ms;

	if (level == LOG_LEVEL_ERROR || sink.max == LOG_LEVEL_DEBUG || sink.divert)
		return true;
	now = mono_now();
	ms = mono_diff(now, sink.refilled);
	if (ms >= 1000 / RATE_PER_S) {
		int64_t n = ms / (1000 / RATE_PER_S) + sink.tokens;

		sink.tokens = n > RATE_BURST ? RATE_BURST : (unsigned)n;
		sink.refilled = now;
	}
	if (sink.tokens == 0) {
		sink.dropped++;
		return false;
	}
	sink.tokens--;
	if (sink.dropped) {
		char text[64];

		snprintf(text, sizeof(text), "%u messages were dropped, too many at once",
			 sink.dropped);
		sink.dropped = 0;
		emit(LOG_LEVEL_WARN, text);
	}
	return true;
}

static void PRINTF_LIKE(3, 0) vlog(enum log_level level, int err, const char *fmt, va_list ap)
{
	char text[LINE_MAX_];
	int saved = errno;
	size_t len;
	int n;

	if (level > sink.max || !rate_ok(level)) {
		errno = saved;
		return;
	}
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	len = strlen(text);
	if (err) {
		const char *words = strerrordesc_np(err);

		if (words)
			snprintf(text + len, sizeof(text) - len, ": %s", words);
		else
			snprintf(text + len, sizeof(text) - len, ": error number %d", err);
	}
	emit(level, text);
	errno = saved;
}

void
log_error(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_ERROR, err, fmt, ap);
	va_end(ap);
}

void
log_warn(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_WARN, err, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_INFO, 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_DEBUG, 0, fmt, ap);
	va_end(ap);
}

void
log_fatal(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_ERROR, err, fmt, ap);
	va_end(ap);
	_exit(1);
}
