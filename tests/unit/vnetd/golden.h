/* SPDX-License-Identifier: GPL-2.0-or-later
 * golden.h - texts compared with files in golden/.
 *
 * With GOLDEN_WRITE set in the environment the files are written anew: look at the difference before
 * believing it.
 */
#ifndef VNET_TESTS_UNIT_VNETD_GOLDEN_H
#define VNET_TESTS_UNIT_VNETD_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The folder of the files; the build says where it is. */
#ifndef GOLDEN_DIR
#define GOLDEN_DIR "golden"
#endif

static inline void
golden(const char *name, const char *got)
{
	char path[512], want[65536];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), GOLDEN_DIR "/%s", name);
	if (getenv("GOLDEN_WRITE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(got, f);
		fclose(f);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("there is no %s", path);
	len = fread(want, 1, sizeof(want) - 1, f);
	want[len] = '\0';
	fclose(f);
	assert_string_equal(got, want);
}

#endif
