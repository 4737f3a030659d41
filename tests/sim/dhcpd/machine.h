/* SPDX-License-Identifier: GPL-2.0-or-later
 * machine.h - vnet-dhcpd's served.c, with all that it stands on down to the system calls, on a machine of
 * which everything else is played: disk, clocks, loop, packet socket, ring, priv and the engine.
 */
#ifndef VNET_TESTS_SIM_DHCPD_MACHINE_H
#define VNET_TESTS_SIM_DHCPD_MACHINE_H

#include "dhcpd/netconf.h"
#include "dhcpd/served.h"
#include "disk.h"

enum { MACHINE_INBOX = 256, MACHINE_FRAME = 600 };

struct machine {
	struct disk *disk; /* the caller's */
	/* Time as it passes; the two clocks that it shows; all in milliseconds. */
	int64_t true_ms, boot_ms, wall_ms;
	struct netconf *(*conf)(void *arg); /* the network's configuration, new each time */
	/* A frame leaves the socket. */
	void (*sent)(void *arg, const uint8_t *frame, size_t len);
	void *arg;

	/* What is seen from outside. */
	bool ok; /* the engine was told that DHCP works */

	/* machine.c's own. */
	struct served *served;
	struct loop *loop;
	struct machine_inbox *inbox;
	uint32_t last_id, sock_id, dir_id;
};

/* vnet-dhcpd starts; the disk and the clocks are as they are. */
void machine_start(struct machine *m);

/* It is killed, or the power fails: what it has in memory is gone. */
void machine_stop(struct machine *m);

/* The machine comes back `off_ms` after the power failed, with this disk. */
void machine_boot(struct machine *m, struct disk *disk, int64_t off_ms);

/* A frame comes; vnet-dhcpd finds it at the next turn, with all others. */
void machine_frame(struct machine *m, const uint8_t *frame, size_t len);
void machine_turn(struct machine *m);

/* Time passes, and timers fire at their times; or the machine sleeps through it and they fire afterwards. */
void machine_pass(struct machine *m, int64_t ms);
void machine_sleep(struct machine *m, int64_t ms);

/* The wall clock is set. */
void machine_set_clock(struct machine *m, int64_t ms);

/* The configuration has changed. */
void machine_reload(struct machine *m);

/* The lease of an address as `vnetctl leases` would show it; false: none that is in force. */
bool machine_lease(struct machine *m, struct ip4 ip, struct msg_lease_row *row);

/* What is wrong with the leases in force: an address or a client has two. NULL: nothing. */
const char *machine_doubles(struct machine *m);

#endif
