/* SPDX-License-Identifier: GPL-2.0-or-later
 * util.h - the three macros that every folder needs, and nothing else.
 */
#ifndef VNET_LIB_UTIL_H
#define VNET_LIB_UTIL_H

#include <assert.h>
#include <stddef.h>

/* Number of elements of a true array (not of a pointer). */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* printf-like checking: `fmt` and `args` are 1-based argument positions. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* A parameter that an interface demands and this implementation has no use for. */
#define UNUSED __attribute__((unused))

#endif
