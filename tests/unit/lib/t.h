/* SPDX-License-Identifier: GPL-2.0-or-later
 * t.h - cmocka with the headers it wants before it, and two helpers of these tests.
 */
#ifndef VNET_TESTS_UNIT_LIB_T_H
#define VNET_TESTS_UNIT_LIB_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"

/* A copy whose end is the end of an allocation, so that ASan sees one byte too many being read. */
static inline void *
t_exact(const void *src, size_t len)
{
	void *p = malloc(len ? len : 1);

	assert_non_null(p);
	if (len)
		memcpy(p, src, len);
	return p;
}

#define T_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
