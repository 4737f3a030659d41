/* SPDX-License-Identifier: GPL-2.0-or-later
 * open_fds.h - for tests that nothing stays open.
 */
#ifndef VNET_UNIT_OPEN_FDS_H
#define VNET_UNIT_OPEN_FDS_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How many descriptors this process has, plus a constant. */
static inline int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
