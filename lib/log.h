/* SPDX-License-Identifier: GPL-2.0-or-later
 * log.h - one log sink for a process: levels, the errno's words at the end, a rate limit.
 *
 * A message is a sentence for an administrator: subject first ("vmnet8: ..."), values quoted, no
 * function names. Faults of a guest are never above LOG_DEBUG_; they are counted instead.
 * Each call keeps errno.
 */
#ifndef VNET_LIB_LOG_H
#define VNET_LIB_LOG_H

#include "util.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Opens the sink: stderr. `ident` (static text) is put before each line unless stderr is the
 * journal's stream (JOURNAL_STREAM set), where the line starts with its "<N>" priority instead.
 * Messages above `max` are dropped; so are floods (more than 200 lines at once, then 20 per second),
 * except errors and at level debug, and their number is told later. Control characters are escaped.
 * Children inherit stderr from priv. */
void log_open(const char *ident, enum log_level max);
void log_set_level(enum log_level max);

/* Diverts all lines to `sink` (level and the finished line without newline); NULL undoes it.
 * Only tests use it. */
void log_divert(void (*sink)(enum log_level level, const char *line, void *arg), void *arg);

/* `err` is a positive errno whose words are appended as ": No such file or directory"; 0: nothing. */
void log_error(int err, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_warn(int err, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Like log_error(), then _exit(1): for start-up, and for what cannot happen. */
__attribute__((noreturn)) void log_fatal(int err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
