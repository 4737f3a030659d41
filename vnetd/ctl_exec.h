/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_exec.h - a command that inherits taps at fixed descriptor numbers.
 */
#ifndef VNET_VNETD_CTL_EXEC_H
#define VNET_VNETD_CTL_EXEC_H

#include <stdbool.h>
#include <stddef.h>

#define EXEC_FIRST_FD 3   /* 0-2 are the command's own */
#define EXEC_LAST_FD  999 /* below the usual limit of 1024 */

/* The first descriptor of first..first+n-1 that is open already, or -1. Call it before opening
 * anything. */
int exec_busy_fd(int first, size_t n);

/* Moves fds[0..n) to first..first+n-1, close-on-exec there cleared, and tells the numbers in
 * VNET_TAP_FD (the first) and VNET_TAP_FDS ("3:4:5", as QEMU's fds= takes them). 0 or -errno; fds are
 * consumed. */
int exec_place_fds(int *fds, size_t n, int first);

#endif
