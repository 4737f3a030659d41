/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.h - the engine's entry: the process that parses all configuration and decides.
 *
 * It is executed by priv as `vnetd -R engine ...` with the channel to priv as descriptor 3, stderr
 * inherited and everything else closed.
 */
#ifndef VNET_VNETD_ENGINE_H
#define VNET_VNETD_ENGINE_H

#include "lib/log.h"
#include "vnetd/dirs.h"

/* Runs the engine until priv closes the channel. log_open() has been called; sandbox_enter() has
 * not. Returns the exit status. */
int engine_main(const struct dirs *dirs, enum log_level level);

#endif
