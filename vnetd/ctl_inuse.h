/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse.h - who has a port of this host that a forward is about to take.
 *
 * The user's own eyes: what the kernel shows to whoever asks, and of processes what they may see. vnetd
 * itself may see less, as it has no power over other processes.
 */
#ifndef VNET_VNETD_CTL_INUSE_H
#define VNET_VNETD_CTL_INUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hostport.h"
#include "lib/listeners.h"

struct inuse {
	char addr[LISTENER_ADDR_LEN]; /* it listens there */
	uint16_t port;
	uint32_t uid;
	uint32_t inode; /* 0: the kernel's own */
	int pid;        /* 0: not to be seen */
	char name[32];  /* of that process */
};

/* A socket that would no longer be asked once IPv4 packets to these ports go to a guest (listeners.h says which these are),
 * with its process where that can be seen; vnetd's own are left out. False: there is none. */
bool inuse_on_host(struct inuse *out, enum ip_proto proto, struct host_ports p);

#endif
