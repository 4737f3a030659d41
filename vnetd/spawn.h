/* SPDX-License-Identifier: GPL-2.0-or-later
 * spawn.h - executes a program of ours as a child of priv, ready for sandbox_enter().
 */
#ifndef VNET_VNETD_SPAWN_H
#define VNET_VNETD_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#define SPAWN_FD_FIRST 3
#define SPAWN_FDS_MAX  4

/* Runs path with these descriptors as SPAWN_FD_FIRST and on, and no others but 0 to 2; they stay the caller's. Signals
 * are the default ones there. The process, or -errno; a program that cannot be executed ends with status 127. */
pid_t spawn_child(const char *path, const char *const *argv, const int *fds, size_t nfds);

#endif
