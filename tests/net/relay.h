/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.h - a child of priv that says and does what a test tells it.
 */
#ifndef VNET_TESTS_NET_RELAY_H
#define VNET_TESTS_NET_RELAY_H

/* Enters the sandbox of a child and serves one test at a time on the abstract SEQPACKET socket
 * "vnet-relay-ROLE" of its network namespace: datagrams and descriptors from there go to priv, those
 * from priv go there. Until a test has come, priv's messages wait. Returns the exit status once priv
 * has closed the channel. */
int relay_main(const char *run_dir, const char *role);

#endif
