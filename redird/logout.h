/* SPDX-License-Identifier: GPL-2.0-or-later
 * logout.h - a service's line as a file and as /dev/log take it, and when a file has grown too long for it.
 *
 *     26/11/8@09:05:07: START: ssh pid=0 from=192.168.8.20        a file, as xinetd writes it
 *     <30>Nov  8 09:05:07 vnet-redird: START: ssh pid=0 ...       /dev/log (RFC 3164)
 *
 * Pure: the time of day and the size of the file are given.
 */
#ifndef VNET_REDIRD_LOGOUT_H
#define VNET_REDIRD_LOGOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "redird/logline.h"

#define LOGOUT_MAX  (LOGLINE_MAX + 64)
#define LOG_PRI_MAX 191 /* local7.debug */

enum log_kind {
	LOG_OWN, /* our own log */
	LOG_SYSLOG,
	LOG_FILE,
};

struct log_place {
	enum log_kind kind;
	uint32_t number;     /* priv's; 0: /dev/log */
	uint8_t pri;         /* LOG_SYSLOG */
	uint64_t soft, hard; /* LOG_FILE: bytes, 0: no limit */
};

/* What has been said about a service's file, so that it is said once. */
struct log_limit {
	bool soft_said, hard_said;
};

enum log_verdict {
	LOG_WRITE,
	LOG_WRITE_SOFT, /* write it, and say that the soft limit is passed */
	LOG_DROP_HARD,  /* drop it, and say that the hard limit is reached */
	LOG_DROP,
};

/* The line with what belongs around it; its length. A longer text is cut. */
size_t logout_file(char buf[LOGOUT_MAX], const struct tm *now, const char *text);
size_t logout_syslog(char buf[LOGOUT_MAX], const struct tm *now, uint8_t pri, const char *text);

/* A line of `len` bytes for a file of `size` bytes. No line makes it longer than the hard limit; a file that has
 * become shorter again is written to again. */
enum log_verdict log_limit(struct log_limit *l, const struct log_place *p, uint64_t size,
			   size_t len);

#endif
