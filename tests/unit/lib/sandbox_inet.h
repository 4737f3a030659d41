/* SPDX-License-Identifier: GPL-2.0-or-later
 * sandbox_inet.h - what workers try with sockets of IPv4: rows of the table in sandbox_helper.c.
 */
#ifndef VNET_TESTS_UNIT_LIB_SANDBOX_INET_H
#define VNET_TESTS_UNIT_LIB_SANDBOX_INET_H

#include <sys/types.h>

/* 0 when all of it is allowed, or the errno of what is not. */
int sandbox_do_udp(pid_t other);
int sandbox_do_tcp(pid_t other);
int sandbox_do_relay(pid_t other); /* what a redirector does with pipes and sockets */

/* 0 when it went through, or the errno. */
int sandbox_try_splice(pid_t other);
int sandbox_try_listen(pid_t other);

#endif
