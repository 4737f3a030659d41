/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_conf.h - vnet-networks on the configuration itself: first files, imported settings.
 */
#ifndef VNET_VNETD_NETWORKS_CONF_H
#define VNET_VNETD_NETWORKS_CONF_H

#include <stdbool.h>

#include "lib/strbuf.h"

/* --postinstall PRODUCT,OLD,NEW: writes the default configuration unless there is one. False with a
 * sentence in `why`. */
bool networks_postinstall(const char *config_dir, const char *product, struct strbuf *why);

/* --migrate-network-settings: `path` becomes the file `networking`, and what is derived from it is
 * renewed; an empty file brings the defaults back. Diagnostics go to stderr. False with a sentence
 * in `why`; nothing is changed then. */
bool networks_migrate(const char *config_dir, const char *path, struct strbuf *why);

#endif
