/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay_engine.c - vnetd with a test for its engine.
 */
#include "tests/net/relay.h"
#include "vnetd/engine.h"

int
engine_main(const struct dirs *dirs, enum log_level level)
{
	(void)level;
	return relay_main(dirs->run, "engine");
}
