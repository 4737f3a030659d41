/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate.h - the port gate in numbers: what the eBPF programs (bpf/), priv, the engine and the tools all
 * speak of. Plain enums and constants, so that the BPF compiler reads this file too. The numbers travel
 * in messages and lie in kernel maps: add at the end.
 */
#ifndef VNET_LIB_GATE_H
#define VNET_LIB_GATE_H

/* Which source MAC addresses a port may use. */
enum mac_policy {
	MAC_POLICY_ANY,    /* all: an uplink, or a port that an administrator trusts */
	MAC_POLICY_GIVEN,  /* the one that was told */
	MAC_POLICY_STICKY, /* the first unicast one that it uses, from then on */
	MAC_POLICY_LEARN, /* its first one, and up to a number of others: mac-learning, once it is granted */
};
#define MAC_POLICY_N 4

/* What the gate does to a port besides; bits. */
enum gate_flag {
	GATE_FORGED = 1 << 0, /* any source address passes */
	GATE_CONTROL =
	    1 << 1, /* guard: no frame to 01:80:c2:00:00:0x and :2x (BPDU, pause, LLDP, GVRP) */
	GATE_DHCP = 1 << 2, /* guard: the guest is no DHCP or DHCPv6 server */
	GATE_RA = 1 << 3,   /* guard: the guest is no IPv6 router (RA, redirect) */
	GATE_IP = 1 << 4,   /* guard: IPv4 and ARP only from the port's own address */
};
#define GATE_FLAGS_ALL 0x1f

/* Why the gate dropped a frame. */
enum drop_reason {
	DROP_FORGED,    /* source is not the port's address */
	DROP_TAKEN,     /* source is another port's, or the host's */
	DROP_FULL,      /* one address more than its own and those that mac-learning allows */
	DROP_SOURCE,    /* no frame at all, or its source is zero or a group */
	DROP_CONTROL,   /* to a link-local control group */
	DROP_DHCP,      /* a DHCP server's message */
	DROP_RA,        /* a router advertisement or redirect */
	DROP_IP,        /* IP source is not the port's address */
	DROP_ARP,       /* ARP or ND speaks for another address */
	DROP_FLOOD,     /* more broadcasts and multicasts than broadcast-limit */
	DROP_RATE_IN,   /* more to the guest than rate-in */
	DROP_RATE_OUT,  /* more from the guest than rate-out */
	DROP_DHCP_RATE, /* more to DHCP servers than dhcp-rate-per-port */
};
#define DROP_REASON_N 13

#define GATE_LEARN_MAX       4096    /* mac-learning */
#define GATE_MIRRORS_MAX     16      /* promiscuous ports of one network */
#define GATE_FLOOD_MAX       1000000 /* broadcast-limit, packets/s; 0: no limit */
#define GATE_MEMO_MAX        32      /* bytes that the engine keeps with a port */
#define GATE_DHCP_RATE_MAX   1000000 /* dhcp-rate-per-port, messages/s; 0: no limit */
#define GATE_DHCP_LEASES_MAX 65535   /* dhcp-leases-per-port; 0: no limit */

/* The stamp: what the gate tells the DHCP server of the port by which a message came, beside the frame itself
 * (bpf/dhcp_ring.h): so it is about this very frame, whatever has changed meanwhile. */
#define DHCP_STAMP(slot, leases) (0xd0000000u | (unsigned)(slot) << 16 | (leases))
#define DHCP_STAMP_IS(stamp)     (((stamp) >> 28 & 0xd) == 0xd)
#define DHCP_STAMP_GUARD         0x20000000u /* or-ed: what a lease says is what its ip-guard lets pass */
#define DHCP_STAMP_SLOT(stamp)   ((stamp) >> 16 & 0xfff)
#define DHCP_STAMP_LEASES(stamp) ((stamp)&0xffff) /* its dhcp-leases-per-port */
#define DHCP_STAMP_SLOTS         4096

/* Promiscuous mode of a port, for people. */
enum promisc_state {
	PROMISC_NO,      /* not asked for */
	PROMISC_PENDING, /* asked for; waits for the marker file or an administrator */
	PROMISC_GRANTED,
	PROMISC_REFUSED, /* by configuration, or by an administrator */
};
#define PROMISC_STATE_N 4

/* Who asked for it. */
enum promisc_by {
	PROMISC_BY_NOBODY,
	PROMISC_BY_USER,   /* vnetctl promisc request, or the attach call */
	PROMISC_BY_GUEST,  /* its network card's filter, as QEMU reports it */
	PROMISC_BY_CONFIG, /* a key of its [port] section */
};
#define PROMISC_BY_N 4

/* An administrator's word. */
enum promisc_verdict {
	PROMISC_ALLOW_ONCE,   /* until the port goes or stops asking */
	PROMISC_ALLOW_FOR,    /* so many seconds */
	PROMISC_ALLOW_ALWAYS, /* written to the port's section */
	PROMISC_DENY,
	PROMISC_REVOKE, /* takes an earlier word back */
};
#define PROMISC_VERDICT_N 5

#endif
