/* SPDX-License-Identifier: GPL-2.0-or-later
 * legacy_fuzz.c - where the chains begin, then the entries of a table of iptables-legacy.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Only a rule that settles it can drop. */
static void
must_fit(const struct legacy_chain *c)
{
	if (c->drops && !c->settled)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct legacy_net net[256] = {
	    [1] = {{{0xac100100}, 24}, {0}}, [8] = {{{0xac100800}, 24}, {0xac100802}}};
	struct legacy_hooks hooks;
	struct legacy_rules r;

	if (len < sizeof(hooks))
		return 0;
	memcpy(&hooks, data, sizeof(hooks));
	if (!legacy_read(&r, data + sizeof(hooks), len - sizeof(hooks), &hooks, net))
		return 0;
	must_fit(&r.input);
	must_fit(&r.forward);
	for (size_t n = 0; n < 256; n++)
		if (r.input.out[n] || r.input.inside[n] || r.input.in[n] > LEGACY_DROPS ||
		    r.forward.in[n] > LEGACY_DROPS || r.forward.out[n] > LEGACY_DROPS ||
		    r.forward.inside[n] > LEGACY_DROPS)
			abort();
	return 0;
}
