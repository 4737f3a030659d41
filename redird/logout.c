/* SPDX-License-Identifier: GPL-2.0-or-later
 * logout.c - see logout.h. Pure.
 */
#include "redird/logout.h"

#include <stdio.h>

/* What snprintf() has written. */
static size_t
cut(int n, size_t cap)
{
	if (n < 0)
		return 0;
	return (size_t)n < cap ? (size_t)n : cap - 1;
}

size_t
logout_file(char buf[LOGOUT_MAX], const struct tm *now, const char *text)
{
	size_t len = cut(snprintf(buf, LOGOUT_MAX - 1, "%02d/%d/%d@%02d:%02d:%02d: %s",
				  now->tm_year % 100, now->tm_mon + 1, now->tm_mday, now->tm_hour,
				  now->tm_min, now->tm_sec, text),
			 LOGOUT_MAX - 1);

	buf[len++] = '\n';
	buf[len] = '\0';
	return len;
}

size_t
logout_syslog(char buf[LOGOUT_MAX], const struct tm *now, uint8_t pri, const char *text)
{
	/* In English whatever the locale is. */
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	return cut(snprintf(buf, LOGOUT_MAX, "<%u>%s %2d %02d:%02d:%02d vnet-redird: %s", pri,
			    months[(unsigned)now->tm_mon % 12], now->tm_mday, now->tm_hour,
			    now->tm_min, now->tm_sec, text),
		   LOGOUT_MAX);
}

enum log_verdict
log_limit(struct log_limit *l, const struct log_place *p, uint64_t size, size_t len)
{
	bool said;

	if (p->hard && size + len > p->hard) {
		said = l->hard_said;
		l->hard_said = true;
		return said ? LOG_DROP : LOG_DROP_HARD;
	}
	l->hard_said = false;
	if (p->soft && size + len > p->soft) {
		said = l->soft_said;
		l->soft_said = true;
		return said ? LOG_WRITE : LOG_WRITE_SOFT;
	}
	l->soft_said = false;
	return LOG_WRITE;
}
