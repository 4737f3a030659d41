/* SPDX-License-Identifier: GPL-2.0-or-later
 * confrows.h - the engine's rows, collected until they are complete.
 *
 * Pure but for allocation. CONF_BEGIN drops what was collected before; a row that makes no sense
 * spoils the whole generation, which is the engine's fault, never a user's: the engine has
 * checked everything.
 */
#ifndef VNET_DHCPD_CONFROWS_H
#define VNET_DHCPD_CONFROWS_H

#include "dhcpd/netconf.h"
#include "lib/msg.h"

#define CONFROWS_NETS 256

struct confrows {
	bool open;
	uint32_t generation;
	int err; /* negative errno of the first row that was refused; 0 */
	struct netconf *net[CONFROWS_NETS];
};

void confrows_init(struct confrows *c);
void confrows_fini(struct confrows *c);

/* Takes CONF_BEGIN or a DHCP_* row. False: it is neither. */
bool confrows_add(struct confrows *c, const struct msg *m);

/* At CONF_COMMIT: seals all networks. 0: c->net[] (sealed, NULL where there is none) is the
 * configuration, take what you want; else -errno, and nothing is there to be taken. */
int confrows_commit(struct confrows *c, uint32_t generation);

#endif
