/* SPDX-License-Identifier: GPL-2.0-or-later
 * adopt.h - a new configuration comes into force, network by network.
 */
#ifndef VNET_VNETD_ADOPT_H
#define VNET_VNETD_ADOPT_H

struct core;
struct job;

/* Takes job.conf. A network whose new configuration is wrong, or whose new subnet is taken by the
 * host, keeps the one that is in force; where there is none it is refused. Nothing in the kernel is
 * touched here: settle_now() follows. */
void adopt(struct core *c, struct job *j);

#endif
