/* SPDX-License-Identifier: GPL-2.0-or-later
 * inuse.h - asks the kernel which services the host has.
 */
#ifndef VNET_NATD_INUSE_H
#define VNET_NATD_INUSE_H

#include "natd/listeners.h"

/* A socket for the questions, before the sandbox. -1: this kernel has no such thing (CONFIG_INET_DIAG). */
int inuse_open(void);

/* Fills *l (initialised) with what there is now; what cannot be asked is missing. own: as in listeners_decode(). */
void inuse_list(int fd, uint32_t own, struct listeners *l);

#endif
