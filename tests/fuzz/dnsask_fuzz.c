/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnsask_fuzz.c - any bytes as a resolver's answer to a question of ours.
 *
 * What must hold: no more addresses than there is room for, and what is no answer to the question has none that
 * anybody would use.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "natd/dnsask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum dnsask_type types[] = {DNSASK_A, DNSASK_AAAA};
	struct dnsask_answer a;

	for (unsigned i = 0; i < 2; i++) {
		bool ok = dnsask_parse(&a, data, len, 0x1234, "www.example.test", types[i]);

		if (a.n > DNSASK_ADDRS_MAX || (ok && len < 34))
			abort();
	}
	return 0;
}
