/* SPDX-License-Identifier: GPL-2.0-or-later
 * worker_main.h - what the mains of vnet-dhcpd, vnet-natd and vnet-redird have in common: priv executes them with two
 * descriptors, and they give up everything else.
 */
#ifndef VNET_LIB_WORKER_MAIN_H
#define VNET_LIB_WORKER_MAIN_H

enum {
	FD_PRIV = 3,
	FD_ENGINE = 4,
};

/* Takes the options, opens the log under this name ("vnet-natd") and gives the folder that is to be the root. `what` it is,
 * for the usage: "The DHCP server". Ends the process for --help and --version, for options that are wrong, and when the
 * descriptors are missing. */
void worker_begin(int argc, char **argv, const char *name, const char *what, char root[4096]);

/* sandbox_enter(), or the end of the process. */
void worker_enter(const char *root);

/* sandbox_seccomp(), or the end of the process. */
void worker_filter(unsigned allow);

#endif
