/* SPDX-License-Identifier: GPL-2.0-or-later
 * logline.c - see logline.h. Pure.
 */
#include "redird/logline.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/util.h"

#define NAME_MAX_LOGGED 128

struct out {
	struct logline *l;
	size_t len;
};

static void add(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
add(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->l->text + o->len, LOGLINE_MAX - o->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n < LOGLINE_MAX - o->len ? (size_t)n : LOGLINE_MAX - 1 - o->len;
}

static struct out
entry(struct logline *l, const char *kind, const char *service)
{
	struct out o = {l, 0};

	add(&o, "%s: %.*s", kind, NAME_MAX_LOGGED, service);
	return o;
}

bool
logline_start(struct logline *l, const char *service, unsigned on_success, const struct ip6 *from)
{
	struct out o;
	char text[IP6_STRLEN];

	if (!on_success)
		return false;
	o = entry(l, "START", service);
	if (on_success & LOG_SUCCESS_PID)
		add(&o, " pid=0");
	if (on_success & LOG_SUCCESS_HOST)
		add(&o, " from=%s", ip6_str(from, text));
	return true;
}

bool
logline_exit(struct logline *l, const char *service, unsigned on_success, int status,
	     int64_t duration_s)
{
	struct out o;

	if (!(on_success & (LOG_SUCCESS_EXIT | LOG_SUCCESS_DURATION)))
		return false;
	o = entry(l, "EXIT", service);
	if (on_success & LOG_SUCCESS_EXIT)
		add(&o, " status=%d", status);
	if (on_success & LOG_SUCCESS_PID)
		add(&o, " pid=0");
	if (on_success & LOG_SUCCESS_DURATION)
		add(&o, " duration=%" PRId64 "(sec)", duration_s);
	return true;
}

bool
logline_traffic(struct logline *l, const char *service, unsigned on_success, uint64_t in,
		uint64_t out)
{
	struct out o;

	if (!(on_success & LOG_SUCCESS_TRAFFIC))
		return false;
	o = entry(l, "TRAFFIC", service);
	add(&o, " in=%" PRIu64 "(bytes) out=%" PRIu64 "(bytes)", in, out);
	return true;
}

bool
logline_fail(struct logline *l, const char *service, unsigned on_failure, enum verdict why,
	     const struct ip6 *from)
{
	struct out o;
	char text[IP6_STRLEN];

	if (!on_failure)
		return false;
	o = entry(l, "FAIL", service);
	add(&o, " %s", verdict_word(why));
	if (on_failure & LOG_FAILURE_HOST)
		add(&o, " from=%s", ip6_str(from, text));
	return true;
}

void
logline_cps_off(struct logline *l, const char *service, uint32_t wait_s)
{
	struct out o = {l, 0};

	add(&o,
	    "Deactivating service %.*s due to excessive incoming connections.  Restarting in "
	    "%" PRIu32 " seconds.",
	    NAME_MAX_LOGGED, service, wait_s);
}

void
logline_cps_on(struct logline *l, const char *service)
{
	struct out o = {l, 0};

	add(&o, "Activating service %.*s", NAME_MAX_LOGGED, service);
}

void
logline_sensor(struct logline *l, const struct ip6 *from, int32_t deny_min)
{
	struct out o = {l, 0};
	char text[IP6_STRLEN];

	add(&o, "Adding %s to the global_no_access list for %" PRId32 " minutes",
	    ip6_str(from, text), deny_min);
}

void
logline_no_target(struct logline *l, const struct ip6 *target, const char *why)
{
	struct out o = {l, 0};
	char text[IP6_STRLEN];

	add(&o, "can't connect to remote host %s: %s", ip6_str(target, text), why);
}
