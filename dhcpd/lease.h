/* SPDX-License-Identifier: GPL-2.0-or-later
 * lease.h - the table of one network's leases: by address, by MAC, by client id, by due time.
 *
 * Pure. Everything is allocated when the table is made; finding, adding and moving a lease is
 * O(1), or O(log n) where the order of due times changes. At most one entry per address, which
 * is what makes "no two leases share an address" hold by construction.
 */
#ifndef VNET_DHCPD_LEASE_H
#define VNET_DHCPD_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcpd/msg.h"
#include "lib/hash.h"
#include "lib/inet.h"
#include "lib/mono.h"

/* Longer client ids are answered but not remembered; real ones have 7 to 24 bytes. There are tens of thousands of
 * leases: this is what is left beside the rest in 176 bytes. */
#define LEASE_UID_MAX 30

enum lease_state {
	LEASE_UNUSED,  /* the slot is free. Leave: lease_add() */
	LEASE_OFFERED, /* held for a client that has not asked yet. Due: when the hold ends */
	LEASE_ACTIVE,  /* acknowledged, or about to be. Due: when the client must have stopped */
	LEASE_ENDED,   /* released or run out; remembers its last client. Not due */
	LEASE_ABANDONED, /* declined, or found in use: somebody else has it. Due: when it is tried again */
	LEASE_STATE_N
};

struct lease {
	struct ip4 ip;
	struct mac mac; /* zero: unknown (abandoned) */
	uint8_t state;  /* enum lease_state; change it with lease_set_state() only */
	uint8_t uid_len;
	bool reusable; /* an ended lease whose address may be given to anybody */
	bool recorded; /* the lease file knows it for this client, or should */
	/* LEASE_ACTIVE: somebody else has the address too. Its client is not to keep it, and it is
	 * abandoned at its end. The file does not know. */
	bool contested;
	uint16_t port;        /* slot of DHCP_STAMP() by which its client asked last, 0: unknown;
			* change it with lease_set_port() only */
	bool pooled;          /* counts for lease_table_pool_held(); lease_add_pooled() */
	const char *hostname; /* never NULL; change it with lease_set_hostname() only */
	uint8_t uid[LEASE_UID_MAX];
	struct mono start; /* of the current or last lease */
	struct mono end;   /* when it runs out, or ended */
	struct mono due;   /* LEASE_OFFERED, _ACTIVE, _ABANDONED: when the state must be left */
	/* When the address was probed for this client; LEASE_ABANDONED: when somebody answered to
	 * that. 0: never. */
	struct mono probed;

	/* lease.c's own: indices into the table, LEASE_NIL ends a chain. */
	uint32_t ip_next, mac_next, uid_next;
	uint32_t prev, next; /* its state's list */
	uint32_t heap_at;
};

struct lease_table;

/* A table for `cap` addresses. The key should be random. NULL: no memory. */
struct lease_table *lease_table_new(size_t cap, const struct hash_key *key);
void lease_table_free(struct lease_table *t);

/* So many entries are about to be added to an empty table: their memory comes in large pages, where the kernel has them.
 * Nothing depends on it but time: for 50,000 entries 2,000 faults take longer than filling them in. */
void lease_table_expect(struct lease_table *t, size_t n);

size_t lease_table_cap(const struct lease_table *t);
size_t lease_table_used(const struct lease_table *t);
/* Pooled leases that are offered, active or abandoned. */
size_t lease_table_pool_held(const struct lease_table *t);
size_t lease_table_count(const struct lease_table *t, enum lease_state state);

/* Leases offered and active of one port. */
size_t lease_table_held(const struct lease_table *t, unsigned port);

/* Borrowed, or NULL. Several entries of one MAC: the active one, else the one offered, else the
 * one that ended last. By client id: the lease that ended last, active ones are not looked for
 * (a copied VM has the id of its original, which still uses its address). */
struct lease *lease_find_ip(const struct lease_table *t, struct ip4 ip);
struct lease *lease_find_mac(const struct lease_table *t, struct mac mac);
struct lease *lease_find_ended_uid(const struct lease_table *t, const uint8_t *uid, size_t len);

/* All entries of one MAC, latest client first, or NULL at the end; start with NULL. */
struct lease *lease_each_mac(const struct lease_table *t, struct mac mac, struct lease *l);

/* A new entry for an address that has none: LEASE_ENDED, no client, not reusable. NULL: the
 * table is full. */
struct lease *lease_add(struct lease_table *t, struct ip4 ip);
/* The same for an address of a range, of which there are only so many. */
struct lease *lease_add_pooled(struct lease_table *t, struct ip4 ip);
void lease_remove(struct lease_table *t, struct lease *l);

/* A copy of what its client calls itself, DHCP_HOSTNAME_MAX bytes at most; "": nothing is known. Without memory nothing is
 * known either. */
void lease_set_hostname(struct lease *l, const char *name);

/* port: less than DHCP_STAMP_SLOTS. */
void lease_set_port(struct lease_table *t, struct lease *l, unsigned port);

/* Whose it is; another client than before has no history here (host name, times, `recorded`,
 * `contested`, `probed`).
 * uid longer than LEASE_UID_MAX counts as absent. */
void lease_set_client(struct lease_table *t, struct lease *l, struct mac mac, const uint8_t *uid,
		      size_t uid_len);

/* Moves to a state; `due` as at the enum (ignored for LEASE_ENDED). Also re-orders: calling it
 * again with the same state moves the lease to the end of that state's list. */
void lease_set_state(struct lease_table *t, struct lease *l, enum lease_state state,
		     struct mono due);

/* Only for an ended lease: whether lease_oldest_reusable() may find it. */
void lease_set_reusable(struct lease_table *t, struct lease *l, bool reusable);

/* The ended lease that has been reusable for longest; the abandoned one that is oldest. Or NULL. */
struct lease *lease_oldest_reusable(const struct lease_table *t);
struct lease *lease_oldest_abandoned(const struct lease_table *t);
/* The one that is next behind an abandoned one, or NULL. */
struct lease *lease_next_abandoned(const struct lease_table *t, const struct lease *l);

/* The lease with the earliest due time, or NULL. */
struct lease *lease_next_due(const struct lease_table *t);

/* All entries, in no particular order: start with NULL. */
struct lease *lease_each(const struct lease_table *t, struct lease *l);

/* The same in steps that may lie far apart: *at (0 at first) stays meaningful when the table
 * changes or is replaced, though a lease that moved may then be seen twice or not at all. */
struct lease *lease_scan(const struct lease_table *t, uint32_t *at);

#endif
