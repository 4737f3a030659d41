/* SPDX-License-Identifier: GPL-2.0-or-later
 * check.h - what a fuzz target takes for a fault of the code under test.
 */
#ifndef VNET_FUZZ_CHECK_H
#define VNET_FUZZ_CHECK_H

#include <stdlib.h>

/* Like assert(), but never compiled away. */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#endif
