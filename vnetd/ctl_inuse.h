/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse.h - who has a port of this host that a forward is about to take.
 *
 * The user's own eyes: what the kernel shows to whoever asks, and of processes what they may see. vnetd
 * itself may see less, as it has no power over other processes.
 */
#ifndef VNET_VNETD_CTL_INUSE_H
#define VNET_VNETD_CTL_INUSE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/hostport.h"
#include "lib/msg.h"

struct inuse {
	char addr[INET6_ADDRSTRLEN]; /* it listens there */
	uint16_t port;
	uint32_t uid;
	unsigned long inode; /* 0: the kernel's own */
	int pid;             /* 0: not to be seen */
	char name[32];       /* of that process */
};

/* The first socket in a table (the text of /proc/net/tcp, tcp6, udp or udp6) that would no longer be asked
 * once IPv4 packets to these ports go to a guest: it listens, or is of UDP without a peer, on an address that
 * forwards take. Pure. own: vnetd's user, whose UDP sockets only hold ports; MSG_UID_NONE: nobody. False: there is
 * none. */
bool inuse_in_table(struct inuse *out, const char *table, enum ip_proto proto, struct host_ports p,
		    uint32_t own);

/* The same of this host, with the process where that can be seen. */
bool inuse_on_host(struct inuse *out, enum ip_proto proto, struct host_ports p);

#endif
