/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_maps.h - the maps between the gate's programs and priv: their layout in kernel memory.
 *
 * Every port that has a gate has a slot, a number from 1 to GATE_SLOTS - 1 (0: none): GATE_HOME() of its
 * interface's index where that is free, so that a frame costs two array look-ups and no hash; else any, and
 * gate_elsewhere tells which. A bridge has a slot too, for its own program.
 *
 *     gate_policy    ARRAY slot -> struct gate_policy   written by priv only, in place
 *     gate_elsewhere HASH  ifindex -> slot              written by priv only
 *     gate_state     ARRAY slot -> struct gate_state    written by the programs, cleared by priv
 *     gate_drops     ARRAY slot -> struct gate_drops    counted by the programs, cleared by priv
 *     gate_nets      ARRAY network -> struct gate_net   written by priv only
 *     gate_owners    HASH  GATE_OWNER(net, mac) -> slot who has an address: given, pinned or learned
 *     gate_events    RINGBUF of struct gate_event       read by the engine
 *     gate_dhcp      RINGBUF of struct dhcp_ring_msg    read by vnet-dhcpd, see bpf/dhcp_ring.h
 *
 * Those of policies and states begin at a page, and entries of policy and state at a line of the cache: where frames are large, these
 * lines are not in the cache any more when the next one comes, and each that is needed costs.
 * Every field that is read while it may be written is 8 or 4 bytes and aligned, so it is whole. A MAC
 * address is a number, first byte lowest. A change of a layout must change GATE_LAYOUT.
 */
#ifndef VNET_BPF_GATE_MAPS_H
#define VNET_BPF_GATE_MAPS_H

#include <linux/types.h>

#include "lib/gate.h"

#define GATE_LAYOUT     7
#define GATE_SLOTS      4096
#define GATE_NETS       256
#define GATE_OWNERS_MAX 65536
#define GATE_RING_BYTES 65536

/* In flags, besides enum gate_flag: messages to DHCP servers are limited, or told to ours. */
#define GATE_REQUESTS (1 << 16)
/* Likewise: gate_nets has somebody for its network. Set by gate_map_*(), not by who makes a policy. */
#define GATE_COPIES (1 << 17)

#define GATE_HOME(ifindex) ((__u32)(ifindex) % GATE_SLOTS)

struct gate_policy {
	__u32 ifindex; /* of the port (or bridge); 0: the slot is free */
	__u32 flags;   /* enum gate_flag, GATE_REQUESTS, GATE_COPIES */
	__u8 mac_policy;
	__u8 net;
	__u16 learn; /* MAC_POLICY_LEARN: so many addresses besides its own */
	__u32 span;  /* slot that gets a copy of all that this port sends and receives; 0: none */
	__u32 ip;    /* GATE_IP: the port's address, network byte order; 0: none so far */
	/* Interface that gets a copy of each frame that this port sends or gets, also of what is refused, with
	 * GATE_TAG() as its hash; 0: nobody captures here. */
	__u32 capture;
	__u32 dhcp_stamp; /* DHCP_STAMP(), for our server; 0: none */
	/* Messages to these are our server's, beside those to all; network byte order, 0: we have none here. */
	__u32 dhcp_server, dhcp_broadcast;
	__u32 pad;
	__u64 flood_ns; /* one broadcast in so many nanoseconds; 0: no limit */
	__u64 out_ns;   /* rate from the guest: nanoseconds for 1024 bytes; 0: no limit */
	__u64 in_ns;    /* rate to the guest, the same */
	/* Up to here is what every frame needs: one line of the cache. */
	__u64 dhcp_ns; /* one message to a DHCP server in so many nanoseconds; 0: no limit */
	/* Bursts: so far may the theoretical arrival time be ahead, nanoseconds. */
	__u64 flood_burst_ns, dhcp_burst_ns, in_burst_ns, out_burst_ns;
	__u8 memo[GATE_MEMO_MAX]; /* the engine's, not read here */
	__u8 line_pad[56];
};

struct gate_state {
	__u64 mac; /* the port's own address; 0: none so far */
	/* theoretical arrival times (GCRA), bpf_ktime_get_ns() */
	__u64 flood_tat, dhcp_tat, in_tat, out_tat;
	__u64 event_ns; /* when a drop was last told */
	__u32
	    learned; /* addresses besides its own that it has in gate_owners, by MAC_POLICY_LEARN */
	__u32 pad[3];
};

/* Frames that were dropped, for each reason. Apart from the state, which priv has in its memory, all of it. */
struct gate_drops {
	__u64 n[DROP_REASON_N];
};

_Static_assert(sizeof(struct gate_policy) % 64 == 0 && sizeof(struct gate_state) == 64,
	       "each entry begins a line of the cache");

/* Promiscuous ports of a network. */
struct gate_net {
	__u32 n;
	__u32 slot[GATE_MIRRORS_MAX];
};

/* A captured frame: of which slot (12 bits), to the guest or from it, and how it went: 0: it passed, else 1 and the
 * enum drop_reason. */
#define GATE_TAG(slot, to_guest, how)                                                              \
	(0xc0000000u | (__u32)(slot) << 16 | ((to_guest) ? 0x8000u : 0) | (__u32)(how) << 8)
#define GATE_TAG_MASK          0xffff00ffu /* with any direction and outcome */
#define GATE_TAG_PASSED_MASK   0xffff7fffu /* with any direction, passed */
#define GATE_TAG_TO_GUEST(tag) (((tag)&0x8000u) != 0)
#define GATE_TAG_HOW(tag)      ((tag) >> 8 & 0x7f)

#define GATE_OWNER(net, mac) ((__u64)(net) << 48 | (mac))
#define GATE_OWNER_MAC(key)  ((key)&0xffffffffffffull)

enum gate_event_kind {
	GATE_EVENT_PINNED,  /* state.mac was taken from traffic */
	GATE_EVENT_LEARNED, /* one address more, MAC_POLICY_LEARN */
	GATE_EVENT_DROPPED, /* at most once a second and port */
};

struct gate_event {
	__u32 ifindex;
	__u16 slot;
	__u8 kind;
	__u8 reason; /* enum drop_reason, GATE_EVENT_DROPPED */
	__u64 mac;   /* the frame's source */
	__u64 drops; /* frames dropped for this reason so far */
};

#endif
