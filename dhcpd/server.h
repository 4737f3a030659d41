/* SPDX-License-Identifier: GPL-2.0-or-later
 * server.h - the decisions of one network's DHCP server: a message comes in, a reply and a lease
 * change come out.
 *
 * Pure: no clock (time is a parameter), no sockets, no log, no files. RFC 2131, 2132, 3396,
 * 2563, 3442, 6842, 5227 (conflict.c); BOOTP (951, 1534) for clients that the configuration names; departures are marked DEPARTS in server.c. Nothing is allocated after
 * configuration and replay.
 *
 * The contract with the caller about durability: when out.nchanges > 0, the changes are to be
 * made durable, in order, before out's reply leaves; if that fails the reply must not leave, and
 * dhcp_server_not_recorded() is told. A reply without changes may leave at once.
 */
#ifndef VNET_DHCPD_SERVER_H
#define VNET_DHCPD_SERVER_H

#include "dhcpd/journal.h"
#include "dhcpd/lease.h"
#include "dhcpd/msg.h"
#include "dhcpd/netconf.h"
#include "lib/frame.h"
#include "lib/mono.h"

/* How long an offered address is held, and how long one that somebody else has is left alone. */
#define DHCP_OFFER_HOLD_MS INT64_C(60000)
#define DHCP_ABANDON_S     3600

/* The shortest lease that a client gets for the asking (unless the default is shorter still). */
#define DHCP_LEASE_MIN_S 60

/* Both clocks at one moment. Leases live by the first; files and people by the second. */
struct dhcp_clock {
	struct mono now;
	int64_t wall_ms; /* UTC, milliseconds since 1970 */
};

/* Why a message got no answer. D(NAME, text for people) */
#define DHCP_DROP_LIST(D)                                                                          \
	D(NONE, "answered")                                                                        \
	D(FRAME, "not an intact UDP datagram")                                                     \
	D(NOT_FOR_US, "sent to another address")                                                   \
	D(MALFORMED, "malformed")                                                                  \
	D(HARDWARE, "not from an Ethernet address")                                                \
	D(NOT_REQUEST, "a server's message from a client")                                         \
	D(OWN_MAC, "claims our own MAC")                                                           \
	D(NOT_BOOTING, "a client that the configuration tells us to ignore")                       \
	D(BOOTP, "BOOTP from a client that has no fixed address or may not use BOOTP")             \
	D(RELAY, "relayed from outside the network")                                               \
	D(OTHER_SERVER, "meant for another server")                                                \
	D(UNKNOWN_CLIENT, "an unknown client where only known ones are served")                    \
	D(NO_ADDRESS, "no free address")                                                           \
	D(QUOTA, "one address more than dhcp-leases-per-port allows")                              \
	D(NO_RECORD, "about a lease we know nothing of")                                           \
	D(NOT_OWNER, "about another client's lease")                                               \
	D(FORGED, "in the name of a client that is not its sender")                                \
	D(INCOMPLETE, "lacks an address that its type needs")                                      \
	D(NO_ANSWER, "needs no answer")                                                            \
	D(NOT_RECORDED, "the lease could not be recorded")

enum dhcp_drop {
#define D(NAME, text) DHCP_DROP_##NAME,
	DHCP_DROP_LIST(D)
#undef D
	    DHCP_DROP_N
};

struct dhcp_stats {
	uint64_t received[DHCP_TYPE_N]; /* decoded messages by type */
	uint64_t sent[DHCP_TYPE_N];
	uint64_t dropped[DHCP_DROP_N];
	uint64_t relay_info; /* messages with option 82, which is not interpreted */
	uint64_t reply_full; /* replies in which an option found no room */
	uint64_t probes, conflicts;
};

enum dhcp_event {
	DHCP_EVENT_LEASED,
	DHCP_EVENT_RENEWED,
	DHCP_EVENT_RELEASED, /* by the client, or because it moved to another address */
	DHCP_EVENT_EXPIRED,
	DHCP_EVENT_DECLINED, /* by the client, or because somebody else answered for the address */
};

/* A change of a lease: what the file is to say, and what happened. */
struct dhcp_change {
	enum dhcp_event event;
	struct journal_rec rec;
	struct mac mac; /* the client, also where rec has none (declined) */
	bool fresh;     /* LEASED or RENEWED: the client did not hold this lease before */
};

#define DHCP_CHANGES_MAX 2

/* An address that is offered or was just granted to one client, and that another one has. */
struct dhcp_conflict {
	enum {
		CONFLICT_NONE,
		CONFLICT_ABANDONED, /* it was offered: the client gets another one */
		CONFLICT_CONTESTED, /* it was granted: the client gets another one when it renews */
		CONFLICT_RESERVED,  /* the client keeps it, the administrator wants it so */
		CONFLICT_TOO_MANY,  /* the client keeps it, see conflict.c */
	} found;
	struct ip4 ip;
	struct mac client, other;
};

/* An address that is held for a client from now on. Nothing to make durable. */
struct dhcp_offer {
	struct ip4 ip;
	struct mac mac;
	char hostname[DHCP_HOSTNAME_MAX + 1]; /* as the client says now */
};

/* Largest reply frame: Ethernet and the largest message. */
#define DHCP_FRAME_MAX (14 + DHCP_IP_UDP_HLEN + DHCP_MSG_MAX)

struct dhcp_out {
	enum dhcp_drop drop;  /* DHCP_DROP_NONE when there is a reply */
	enum dhcp_type reply; /* its type; DHCP_NONE for BOOTP, and when there is none */
	size_t frame_len;     /* a complete Ethernet frame in the caller's buffer; 0: no reply */
	struct dhcp_change change[DHCP_CHANGES_MAX];
	unsigned nchanges;
	/* An ARP probe of the address that is offered, to leave behind the reply; 0: none. */
	size_t probe_len;
	uint8_t probe[ARP4_FRAME_LEN];
	struct dhcp_conflict conflict;
	bool offered;            /* for the first time; an offer that is repeated is none: */
	struct dhcp_offer offer; /* this one */
};

struct dhcp_server;

/* A server with an empty table. `mac`: the address replies come from. Takes over `conf`
 * (sealed), also on failure. NULL: no memory. */
struct dhcp_server *dhcp_server_new(struct netconf *conf, struct mac mac,
				    const struct hash_key *key);
void dhcp_server_free(struct dhcp_server *s);

/* Puts a new configuration (sealed, of the same network) in force. Takes it over, also on
 * failure (-ENOMEM: the old one stays). Leases of addresses inside the new subnet are kept:
 * those that still fit go on; those that do not are not renewed (their clients get a NAK) and
 * run out. The others are forgotten. True in *forgot when the lease file should be rewritten for
 * it. */
int dhcp_server_set_conf(struct dhcp_server *s, struct netconf *conf, struct dhcp_clock clk,
			 bool *forgot);

/* Reading the lease file before the first message: begin (room for n blocks; 0 or -ENOMEM), each
 * record in file order, end. A record that cannot be used is left out (false). Returns with end:
 * the number of leases in the table; true in *doubles when the file shows a client with two in force. */
int dhcp_server_replay_begin(struct dhcp_server *s, size_t n);
bool dhcp_server_replay(struct dhcp_server *s, const struct journal_rec *rec,
			struct dhcp_clock clk);
int dhcp_server_replay_end(struct dhcp_server *s, struct dhcp_clock clk, bool *doubles);

/* The stamp of the frames that come next (lib/gate.h): a client that they show as new gets an address only while
 * the port holds fewer than the stamp allows. Anything that is no stamp, as 0: no limit. */
void dhcp_server_set_stamp(struct dhcp_server *s, uint32_t stamp);

/* One frame, as received on the network: a client's message, or ARP, to which there is never a reply.
 * Of several that came together the ARP frames are to be handed in first (arp4_frame_claims()): they
 * answer what was sent before, and may spare a client a wrong address. `buf` takes the reply: at least DHCP_FRAME_MAX bytes. */
void dhcp_server_input(struct dhcp_server *s, const void *frame, size_t len, struct dhcp_clock clk,
		       uint8_t *buf, struct dhcp_out *out);

/* The changes of a reply could not be made durable, the reply does not leave: a lease that this
 * very message brought about is only held as an offer again. */
void dhcp_server_not_recorded(struct dhcp_server *s, const struct dhcp_change *change,
			      struct dhcp_clock clk);

/* When dhcp_server_expire() has something to do; MONO_NEVER: nothing. */
struct mono dhcp_server_deadline(const struct dhcp_server *s);

/* Ends what is due. True with *change for each lease that ran out (nothing to make durable, the
 * file says when it ends); call again until false. */
bool dhcp_server_expire(struct dhcp_server *s, struct dhcp_clock clk, struct dhcp_change *change);

/* Every lease that belongs into the file, as it would be written: start with *at = NULL. */
bool dhcp_server_each_rec(const struct dhcp_server *s, struct lease **at, struct dhcp_clock clk,
			  struct journal_rec *rec);

const struct netconf *dhcp_server_conf(const struct dhcp_server *s);
const struct lease_table *dhcp_server_leases(const struct dhcp_server *s);
const struct dhcp_stats *dhcp_server_stats(const struct dhcp_server *s);

/* Addresses in use, and addresses that clients can have (pool and reservations). */
void dhcp_server_counts(const struct dhcp_server *s, uint32_t *active, uint32_t *total);

/* Addresses of the ranges: those that clients have, were offered or declined, and all. */
void dhcp_server_pool(const struct dhcp_server *s, uint32_t *held, uint32_t *total);

/* A lease as a record; the start is rounded down to whole seconds, the end up. */
void dhcp_lease_rec(const struct lease *l, struct dhcp_clock clk, struct journal_rec *rec);

const char *dhcp_drop_text(enum dhcp_drop d);

#endif
