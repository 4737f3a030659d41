/* SPDX-License-Identifier: GPL-2.0-or-later
 * leftover.h - processes that have outlived their vnetd: vnet-redird goes on until its last connection has ended, and a
 * vnet-capture whose reader does not read has not noticed that vnetd was killed.
 */
#ifndef VNET_VNETD_LEFTOVER_H
#define VNET_VNETD_LEFTOVER_H

/* Ends those of this network namespace. Needs root; no vnetd may be running. */
void leftover_end(void);

/* The same for captures alone: nobody is there who could take their permission back. */
void leftover_end_captures(void);

#endif
