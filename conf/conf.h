/* SPDX-License-Identifier: GPL-2.0-or-later
 * conf.h - the effective configuration: what all files together say, checked, with defaults.
 *
 * conf_build() merges `networking`, `vmnetN/dhcpd/dhcpd.conf`, `vmnetN/nat/nat.conf`, `netmap.conf`
 * and `vnetd.conf` into one struct conf. Pure: file texts in, model and diagnostics out; the caller
 * reads the files, owns clock, log and exit. A struct conf is built whole, never changed afterwards
 * (but for the resolved ids of subjects, see there, and forwards, see forward.h) and freed whole. All strings live inside it.
 *
 * What went wrong has three sizes (design: failures stay small):
 *   - conf.fatal: VERSION line of `networking`, any error in vnetd.conf. Do not start with it; at
 *     reload keep the old one.
 *   - net.failed + net.reason: this network is refused, the others go on.
 *   - a warning: that item (a forward outside the subnet, say) is left out of the model.
 */
#ifndef VNET_CONF_CONF_H
#define VNET_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/arena.h"
#include "conf/dhcpconf.h"
#include "conf/diag.h"
#include "conf/natconf.h"
#include "lib/gate.h"
#include "lib/inet.h"
#include "lib/kinds.h"

#define CONF_NETS                 256        /* vmnet0 - vmnet255 */
#define CONF_FILE_MAX             (1u << 20) /* longer files are refused */
#define CONF_MTU_MIN              68
#define CONF_MTU_MAX              9194
#define CONF_MTU_DEFAULT          1500
#define CONF_HOLD_PORTS_DEFAULT   1024
#define CONF_PING_TIMEOUT_DEFAULT 1 /* seconds, as with ISC's server */
#define CONF_IFNAME_MAX           15
#define CONF_PORT_NAME_MAX        63     /* a port's own name: letters, digits and "._-" */
#define CONF_PREFIX_MIN           8      /* the largest subnet is a /8 */
#define CONF_QUEUES_MAX           16     /* queues of a static tap */
#define CONF_PORTS_DEFAULT        256    /* ports of one user */
#define CONF_PORTS_MAX            4095   /* slots of the gate */
#define CONF_DOMAINS_MAX          1000   /* bytes of private-domains */
#define CONF_GROUP                "vnet" /* members may attach to every network by default */

/* One file as the caller read it. text NULL: the file does not exist. Borrowed. */
struct conf_file {
	const char *text;
	size_t len;
};

/* All files. Names in diagnostics are those of conf_file_name(). */
struct conf_sources {
	struct conf_file networking, netmap, vnetd;
	struct conf_file dhcpd[CONF_NETS], nat[CONF_NETS];
};

/* Path below the configuration folder: "networking", "vmnet8/dhcpd/dhcpd.conf"; `net` is used for
 * the last two ids only. Writes into buf and returns it. */
#define CONF_FILE_NAME_LEN 40
char *conf_file_name(enum conf_file_id id, unsigned net, char buf[CONF_FILE_NAME_LEN]);

/* DHCP for one network; valid when net.dhcp. Ranges do not contain the network's own addresses at
 * their ends, but may in between: ask conf_net_owns(). */
struct conf_dhcp {
	struct ip4 server;        /* the server's own address, broadcast-1 */
	struct dhcp_scope global; /* outermost; may be overridden by subnet, then by host */
	struct dhcp_scope
	    subnet; /* always has options 1 (mask), 28 (broadcast), 26 unless MTU 1500 */
	uint32_t default_lease_s, max_lease_s, min_lease_s; /* resolved for the subnet */
	bool unknown_clients;                               /* resolved; default true */
	bool authoritative;                                 /* resolved; default true */
	bool ping_check;                                    /* resolved; default true */
	uint32_t ping_timeout_s;                            /* resolved */
	struct dhcp_range *range;
	size_t nranges;
	/* Reservations of dhcpd.conf and `networking`, at most one per MAC and per address, without
	 * the adapter's own `host vmnetN` block. */
	struct dhcp_host *host;
	size_t nhosts;
};

/* Keys of the gate in a [vmnetN] or [port] section; -1: the section does not have the key. */
enum conf_promisc { CONF_PROMISC_ASK, CONF_PROMISC_ALLOW, CONF_PROMISC_DENY };
struct conf_gate {
	int promiscuous;  /* enum conf_promisc */
	int forged;       /* forged-transmits: 1 allow, 0 deny */
	int mac_learning; /* 0-GATE_LEARN_MAX addresses */
	int ip_guard;     /* 1 yes, 0 no */
	int flood;        /* broadcast-limit, packets/s, 0: none */
	int dhcp_leases;  /* dhcp-leases-per-port, 0: no limit */
	int dhcp_rate;    /* dhcp-rate-per-port, messages/s, 0: no limit */
};

/* Where the facts of a network are written; line 0: nowhere, a default. */
struct conf_net_src {
	struct conf_pos subnet, adapter, host, nat, gateway, dhcp, mtu, display_name, udp_timeout;
};

struct conf_net {
	unsigned n;
	bool present;       /* the configuration has this network */
	bool failed;        /* refused: do not make it; at reload keep what runs */
	const char *reason; /* why, as "file:line:col: sentence"; NULL when not failed */
	enum net_kind type;
	struct conf_pos pos;      /* where it is first mentioned; line 0: implied (vmnet0) */
	const char *display_name; /* never NULL: "vmnet8" when none is given */

	struct prefix4 subnet; /* len 0: none (bridged without adapter, segment) */
	bool adapter;          /* the host has an address here */
	struct ip4 host;       /* that address, network+1 by default; 0 without adapter */
	bool nat;
	struct ip4 gateway; /* NAT gateway, network+2 by default; 0 without NAT */
	struct ip4 dns;     /* DNS proxy; equals gateway */
	bool dhcp;
	struct conf_dhcp dhcpd;
	uint16_t mtu;

	uint8_t route[CONF_NETS / 8]; /* networks that it talks with; bit n % 8 of byte n / 8 */

	struct conf_gate gate; /* of its ports, unless their sections say otherwise */

	/* Bridged: interfaces named by add_bridge_mapping. With auto_uplink: choose one, a listed
	 * one (the legacy key INTERFACE) being preferred. */
	const char **uplink;
	size_t nuplinks;
	bool auto_uplink;
	bool type_hint; /* [vmnetN] type = bridged */

	/* NAT: forwards of `networking` and nat.conf, at most one per protocol and host port over
	 * all networks, sorted by protocol, then host port. Empty unless nat. */
	struct conf_forward *forward;
	size_t nforwards;
	size_t forward_cap;     /* 0: in the arena; else malloc()ed by conf_forward_apply() */
	uint32_t udp_timeout_s; /* NAT_PARAM_UDP_TIMEOUT, else nat.conf, else 30; 0: never */
	/* vnetd.conf: how its guests go out; 0 and NULL: as the kernel chooses */
	struct ip4 snat;           /* snat-address */
	uint16_t snat_lo, snat_hi; /* snat-ports */
	const char *egress;        /* the only interface by which they leave */
	bool rebind_protection;
	const char *private_domains; /* in small letters, a blank between two; "": none */
	struct nat_file natconf;     /* its other settings; defaults when there is no file */

	/* The derived file on disk is absent or was generated for other addresses; conf_refresh()
	 * of change.h renews it. The model above already has the right values. */
	bool dhcpd_stale, nat_stale;
	struct conf_net_src src;
};

/* A [port] section: policy of the port with this name, interface name or MAC, whenever there is
 * one; with tap = yes a static tap besides. */
struct conf_port {
	const char *name; /* of port or interface; NULL when the section names a MAC */
	struct mac key;   /* the section's MAC when name is NULL */
	bool tap;
	int net;            /* network number of the tap, -1: none */
	const char *owner;  /* user name or number, NULL: root */
	uint32_t owner_uid; /* filled by the engine; UINT32_MAX: not resolved */
	struct mac mac;     /* its address: the only one (given), the first (sticky); zero: none */
	unsigned queues;    /* 1-CONF_QUEUES_MAX */
	struct conf_gate gate;
	/* As in struct conf_gate: -1, or NULL, when the section does not say. */
	int mac_policy;                      /* enum mac_policy, but MAC_POLICY_LEARN; with mac
						never -1; MAC_POLICY_GIVEN never without mac */
	int dhcp_server, ra;                 /* 1 allow, 0 deny */
	int link;                            /* 1 up, 0 down */
	int64_t rate_in_kbit, rate_out_kbit; /* 0: no limit */
	const char *mirror_of;               /* a port: name, interface name or MAC */
	struct conf_pos pos;
};

/* Rights of a [user NAME] or [group NAME]. Group `vnet` is always in the list. */
struct conf_subject {
	bool group;
	const char *name;
	uint32_t id; /* uid or gid: a numeric name's at once, others filled by the engine */
	bool resolved;
	bool allow_set, change_set, capture_set, max_ports_set; /* the section has the key */
	uint8_t allow[CONF_NETS / 8]; /* networks that it may attach to, bit n % 8 of byte n / 8 */
	bool change;
	bool capture;
	uint16_t max_ports;
	struct conf_pos pos;
};

enum conf_log_level { /* by syslog's numbers */
		      CONF_LOG_ERR = 3,
		      CONF_LOG_WARNING = 4,
		      CONF_LOG_NOTICE = 5,
		      CONF_LOG_INFO = 6,
		      CONF_LOG_DEBUG = 7,
};

struct conf {
	struct arena arena;
	bool fatal;               /* see above */
	bool default_conf_needed; /* no `networking` file: call conf_defaults() (defaults.h) */
	bool forwards_clash;      /* a forward was left out, as another network has its port */
	bool forwards_wide;       /* one is of a range, or of an address of the host */
	struct conf_net net[CONF_NETS]; /* indexed by number; look at .present */
	/* vnetd.conf [global] */
	bool forward_others;
	unsigned hold_ports; /* of forwards, at most */
	bool shadow_idle;    /* a key `shadow` names a port that is not forwarded */
	bool foreign_allow;  /* foreign-rules = allow */
	bool flowtable;      /* established TCP of NAT networks passes by the rules */
	enum conf_log_level log_level;
	/* NICs that automatic bridging must not take (add_bridge_mapping IF -1) */
	const char **exclude;
	size_t nexclude;
	struct conf_port *port;
	size_t nports;
	struct conf_subject *subject;
	size_t nsubjects;
};

/* Builds the model. Never NULL but without memory. Diagnostics of every file are added to d. */
struct conf *conf_build(const struct conf_sources *src, struct diags *d);
void conf_free(struct conf *c);

/* a is one of the network's own addresses (host adapter, gateway, DHCP server) or its network or
 * broadcast address: never to be given to a guest. */
bool conf_net_owns(const struct conf_net *n, struct ip4 a);

/* "bridged", "host-only", "NAT", "segment", "custom" for people; the lower-case words of
 * `vnetctl create` and JSON: "bridged", "hostonly", "nat", "segment", "custom". */
const char *conf_net_type_label(enum net_kind t);
const char *conf_net_type_word(enum net_kind t);
bool conf_net_type_parse(enum net_kind *out, const char *word);

/* "vmnet8" -> 8; refuses everything else ("vmnet08", "vmnet256"). */
bool conf_net_parse(unsigned *n, const char *name);

/* An interface name that Linux and libpcap accept: 1-15 printable characters, no '/', ':',
 * blank. */
bool conf_ifname_ok(const char *s);

/* A guest's address: neither zero nor a group. */
bool conf_mac_ok(struct mac m);

/* What somebody may do. A key in the [user] section decides alone; without it, the union of the
 * user's groups does. uid 0 may do everything. */
struct conf_rights {
	bool known;         /* some section applies: may read */
	bool change;        /* may change configuration */
	bool capture;       /* may capture where no marker file allows it */
	uint16_t max_ports; /* at a time; of several groups the largest counts */
	uint8_t allow[CONF_NETS / 8];
};
void conf_rights_of(const struct conf *c, uint32_t uid, const uint32_t *gid, size_t ngids,
		    struct conf_rights *out);

static inline bool
conf_rights_attach(const struct conf_rights *r, unsigned n)
{
	return n < CONF_NETS && (r->allow[n / 8] >> (n % 8) & 1);
}

/* --- addresses of a network, for any mask --- */

struct conf_addresses {
	struct ip4 host;    /* network+1 */
	struct ip4 gateway; /* network+2 */
	struct ip4 lo, hi;  /* upper half up to broadcast-2; lo 0 when there is no room */
	struct ip4 dhcp;    /* broadcast-1 */
};

/* The smallest network with DHCP or NAT is a /29 (host, gateway, server and two guests), without
 * both a /30. */
#define CONF_PREFIX_MAX_SERVED 29
#define CONF_PREFIX_MAX        30
void conf_addresses_of(struct prefix4 p, struct conf_addresses *out);

/* NULL, or why no network can use this subnet ("is in the multicast range"). `served`: DHCP or
 * NAT. */
const char *conf_subnet_unusable(struct prefix4 p, bool served);

/* --- diff --- */

enum conf_change_kind {
	CONF_NET_ADDED,
	CONF_NET_REMOVED,
	CONF_NET_CHANGED,
};

/* Fields of CONF_NET_CHANGED. */
enum {
	CONF_F_TYPE = 1 << 0,    /* type, adapter yes/no, nat yes/no, dhcp yes/no */
	CONF_F_ADDRESS = 1 << 1, /* subnet, host, gateway or DHCP server address */
	CONF_F_MTU = 1 << 2,
	CONF_F_UPLINK = 1 << 3,
	CONF_F_DHCP = 1 << 4, /* ranges, options, lease times, reservations */
	CONF_F_FORWARDS = 1 << 5,
	CONF_F_NAT = 1 << 6,  /* timeouts, DNS, other nat.conf settings, routes */
	CONF_F_NAME = 1 << 7, /* display name */
	CONF_F_FAILED =
	    1 << 8,           /* failed changed; nothing else is compared when either side failed */
	CONF_F_GATE = 1 << 9, /* what its ports may do: keys of struct conf_gate */
};

struct conf_diff {
	struct conf_diff_net {
		unsigned n;
		enum conf_change_kind kind;
		unsigned fields; /* CONF_F_*, for CONF_NET_CHANGED */
	} net[CONF_NETS];
	size_t nnets;
	bool global;   /* [global] or the excluded interfaces changed */
	bool ports;    /* a [port] section changed */
	bool subjects; /* a right changed */
};

/* Equal but for positions. */
bool dhcp_scope_eq(const struct dhcp_scope *a, const struct dhcp_scope *b);
bool dhcp_host_eq(const struct dhcp_host *a, const struct dhcp_host *b);
bool dhcp_range_eq(const struct dhcp_range *a, const struct dhcp_range *b);
bool conf_forward_eq(const struct conf_forward *a, const struct conf_forward *b);
bool nat_settings_eq(const struct nat_file *a, const struct nat_file *b);

/* What differs from a to b (a may be NULL: everything is added). Positions do not count. */
void conf_diff(const struct conf *a, const struct conf *b, struct conf_diff *out);

#endif
