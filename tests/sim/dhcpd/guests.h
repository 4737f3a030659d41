/* SPDX-License-Identifier: GPL-2.0-or-later
 * guests.h - a played machine's guests, and what they may rely on: the oracle.
 *
 * A guest holds an address from the ACK that left the server's socket until the lease is over, or until the guest
 * itself gives it up: by a RELEASE or DECLINE, by asking for another address, or on a NAK. Nobody else ever
 * holds it meanwhile; that is checked at each ACK.
 */
#ifndef VNET_TESTS_SIM_DHCPD_GUESTS_H
#define VNET_TESTS_SIM_DHCPD_GUESTS_H

#include "../../unit/dhcpd/client.h"
#include "machine.h"

#define GUESTS_NET 0x0a090800u /* 10.9.8.0/24 */

enum { GUESTS_MAX = 64, GUESTS_FIRST = 100, GUESTS_RESERVED = 50 };

struct guest {
	struct tclient c;
	char hostname[16];
	uint8_t uid[8];
	struct ip4 offered;
	struct ip4 ip; /* held, or the last one that was */
	bool holds;
	int64_t until; /* by the machine's true_ms */
	uint32_t
	    over; /* it has changed its mind since the message with this xid, and hears no ACK of it */
	bool stale; /* the wall clock was set forward since */
};

struct guests {
	struct machine *m;
	struct guest v[GUESTS_MAX];
	unsigned n;
	unsigned range;   /* dynamic addresses, from GUESTS_FIRST on */
	bool reserve;     /* the first two guests have reservations */
	bool deaf;        /* the power is gone: nothing reaches them */
	unsigned renewed; /* of the disk, when the wall clock was set forward last */
	unsigned offers, acks, naks;
	void (*acked)(void *arg); /* an ACK has left; NULL: nobody cares */
	void *arg;
};

/* Guests of this machine, which is to be started; with a range of so many addresses. */
void guests_init(struct guests *g, struct machine *m, unsigned n, unsigned range);

/* Frames into the inbox. */
void guest_discover(struct guests *g, unsigned i);
void guest_select(struct guests *g, unsigned i); /* what it was offered, if it was */
void guest_renew(struct guests *g, unsigned i);  /* by unicast, what it holds */
void guest_reboot(struct guests *g,
		  unsigned i); /* INIT-REBOOT with the last address that it held */
void guest_release(struct guests *g, unsigned i);
void guest_decline(struct guests *g, unsigned i);

/* DISCOVER and REQUEST, a turn each. True: it holds an address. */
bool guest_lease(struct guests *g, unsigned i);

/* The wall clock is set, as machine_set_clock() does. */
void guests_set_clock(struct guests *g, int64_t ms);

/* The lease file has been written anew since the clock was set forward, as far as the disk can be trusted: call
 * before looking at what a cut leaves. */
void guests_settle(struct guests *g);

/* It relies on a lease now. */
bool guest_relies(const struct guests *g, unsigned i);

/* What is wrong on machine `after`, which has come back: a lease is missing that somebody relies on, another
 * client has it, it ends too early; an address or client has two; or other programs could not read the file.
 * NULL: nothing. *leases counts those that were looked for. */
const char *guests_check(const struct guests *g, struct machine *after, uint64_t *leases);

#endif
