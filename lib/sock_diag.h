/* SPDX-License-Identifier: GPL-2.0-or-later
 * sock_diag.h - asks the kernel which services the host has.
 */
#ifndef VNET_LIB_SOCK_DIAG_H
#define VNET_LIB_SOCK_DIAG_H

#include "lib/listeners.h"

/* A socket for the questions; whoever has it may ask under a sandbox. -1, errno: this kernel has no such thing
 * (CONFIG_INET_DIAG), or there is no room for a descriptor. */
int sock_diag_open(void);

/* Adds to *l (initialised) what there is now; what cannot be asked is missing. fd: sock_diag_open()'s, -1 as well.
 * own: as in listeners_decode(). */
void sock_diag_list(int fd, enum ip_proto proto, uint32_t own, struct listeners *l);

#endif
