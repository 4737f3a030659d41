/* SPDX-License-Identifier: GPL-2.0-or-later
 * nftevent_fuzz.c - datagrams of nf_tables events.
 */
#include <stdint.h>
#include <stdlib.h>

#include "natd/nftevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (nftevent_decode(data, len) & ~(unsigned)(NFTEVENT_OURS | NFTEVENT_OTHERS))
		abort();
	return 0;
}
