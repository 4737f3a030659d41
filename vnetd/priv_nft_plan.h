/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_plan.h - what the table `inet vnetd` holds: constant chains, and sets filled from NAT
 * rows.
 *
 * Pure: no netlink, no log, no clock. What depends on the configuration is set elements, and rules that only
 * some key needs are there with it (enum nft_when), so a packet costs the same with one network and
 * with 255, with ten forwards and with ten thousand. The same tables feed the netlink builder and
 * the text renderer, so the golden texts show what the kernel is told.
 */
#ifndef VNET_VNETD_PRIV_NFT_PLAN_H
#define VNET_VNETD_PRIV_NFT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"
#include "lib/strbuf.h"

#define NFT_TABLE "vnetd"

enum { NFT_NETS_MAX = 256, NFT_IFNAME_LEN = 16, NFT_STMTS_MAX = 7 };

/* The helper object that follows FTP, and the port that it is for. */
#define NFT_HELPER_FTP "ftp"
enum { NFT_FTP_PORT = 21 };

/* Connections that pass by the rules. Which interfaces it looks at is no part of a plan: they come and go. */
#define NFT_FLOWTABLE "flows"

/* Sets and maps, in the order in which they are made. */
enum nft_set {
	NFT_SET_NETS,     /* ifname: every network of the plan */
	NFT_SET_NAT_NETS, /* ifname: those that may go out */
	NFT_SET_TOGETHER, /* ifname . ifname: a network and itself, and what routes lets talk */
	NFT_SET_GATEWAYS, /* ifname . address: the gateway as its own network sees it */
	NFT_SET_HAIRPIN,  /* ifname . ifname: a network and itself */
	NFT_SET_NEAR,     /* ifname . address range: sources that a guest would answer without us */
	NFT_MAP_SELF,     /* ifname : address of ours that answers there */
	NFT_MAP_FORWARDS, /* protocol . port : guest . port */
	NFT_MAP_BOUND_TCP, /* address . port : guest . port, of forwards of one address of the host */
	NFT_MAP_BOUND_UDP,
	NFT_MAP_CAPTURES, /* address . port : address . port, of TCP redirections */
	NFT_MAP_CAPTURES6,
	NFT_MAP_TIMEOUTS,      /* ifname . protocol : jump udp_SECONDS, tcp_SECONDS */
	NFT_MAP_WAYS,          /* ifname : goto way_vmnetN, for those that do not just masquerade */
	NFT_SET_EGRESS_NETS,   /* ifname: networks that leave by one interface only */
	NFT_SET_EGRESS,        /* ifname . ifname: a network and that interface */
	NFT_SET_VMWARE_NETS,   /* ifname: networks for VMware's MAC addresses only */
	NFT_SET_VMWARE_MACS,   /* ifname . MAC range: those */
	NFT_SET_OPEN_GATEWAYS, /* ifname: networks whose gateway is the host, services and all */
	NFT_SET_RESET_NETS,    /* ifname: networks whose lost TCP connections are reset */
	NFT_SET_FTP_NETS,      /* ifname: networks whose FTP is followed */
	NFT_SET_FTP_PORTS,     /* port: of the host, leading to a guest's FTP server */
	NFT_SET_FLOW_NETS,     /* ifname: networks whose connections the flowtable takes */
	NFT_MAP_FROM_GUESTS,   /* ifname : goto from_hostonly, from_closed */
	NFT_MAP_TO_HOST,       /* ifname : goto host_open, host_closed */
	NFT_SET_N
};

enum nft_chain {
	NFT_CHAIN_EGRESS,
	NFT_CHAIN_FROM_NAT,
	NFT_CHAIN_NAT_INSIDE,
	NFT_CHAIN_FROM_HOSTONLY,
	NFT_CHAIN_FROM_CLOSED,
	NFT_CHAIN_GATEWAY,
	NFT_CHAIN_HOST_OPEN,
	NFT_CHAIN_HOST_CLOSED,
	NFT_CHAIN_INSIDE,
	NFT_CHAIN_FORWARDED,
	NFT_CHAIN_INPUT,
	NFT_CHAIN_FORWARD,
	NFT_CHAIN_PREROUTING,
	NFT_CHAIN_OUTPUT,
	NFT_CHAIN_POSTROUTING,
	NFT_CHAIN_N
};

/* Types of key fields and of a map's values. */
enum nft_type {
	NFT_T_NONE,
	NFT_T_IFNAME,
	NFT_T_ADDR,
	NFT_T_ADDR6,
	NFT_T_PROTO,
	NFT_T_PORT,
	NFT_T_MAC,
	NFT_T_VERDICT
};

/* When a rule or a set is there at all. */
enum nft_when {
	NFT_ALWAYS,
	NFT_IF_TIMEOUTS,
	NFT_IF_TCP_TIMEOUTS, /* some network has its own of TCP */
	NFT_IF_OTHERS_DROPPED,
	NFT_IF_FTP,          /* some network's FTP is followed */
	NFT_IF_FTP_FORWARDS, /* some forward leads to FTP that is followed */
	NFT_IF_WAYS,         /* some network does not just masquerade */
	NFT_IF_EGRESS,       /* some network leaves by one interface only */
	NFT_IF_VMWARE,       /* some network is for VMware's MAC addresses */
	NFT_IF_FORWARDS,     /* there are any */
	NFT_IF_BOUND,        /* some forward is of one address of the host */
	NFT_IF_CAPTURES,
	NFT_IF_FLOWS, /* the flowtable takes some network's connections */
};

struct nft_set_def {
	const char *name;
	enum nft_type key[2]; /* the second NFT_T_NONE: a simple key */
	enum nft_type val[2]; /* the first NFT_T_NONE: a set */
	bool interval;
	enum nft_when when;
};

struct nft_chain_def {
	const char *name;
	const char *type; /* NULL: not a base chain */
	const char *hook;
	uint32_t hooknum;
	int32_t priority;
};

/* Statements, in the words of nft(8). */
enum nft_op {
	NFT_OP_END,
	NFT_OP_IPV4,           /* meta nfproto ipv4 */
	NFT_OP_L4PROTO,        /* meta l4proto ARG */
	NFT_OP_DPORT,          /* th dport ARG, after L4PROTO */
	NFT_OP_ECHO_REQUEST,   /* icmp type echo-request */
	NFT_OP_CT_STATE,       /* ct state ARG (bits) */
	NFT_OP_CT_STATUS,      /* ct status ARG (bits) */
	NFT_OP_SADDR_LOOPBACK, /* ip saddr 127.0.0.0/8 */
	NFT_OP_DADDR_LOOPBACK, /* ip daddr 127.0.0.0/8 */
	NFT_OP_DADDR_NOT,      /* ip daddr != ARG (host order) */
	NFT_OP_BRIDGED,        /* meta iifkind "bridge" meta oifkind "bridge" */
	NFT_OP_IIF_NONE,       /* meta iif 0: of the host, or of a bridge behind bridge-nf */
	NFT_OP_IIF_VMNET,      /* iifname "vmnet*" */
	NFT_OP_OIF_VMNET,      /* oifname "vmnet*" */
	NFT_OP_IIF_IN,         /* iifname @SET */
	NFT_OP_OIF_IN,         /* oifname @SET */
	NFT_OP_OIF_NOT_IN,     /* oifname != @SET */
	NFT_OP_IIF_OIF_IN,     /* iifname . oifname @SET */
	NFT_OP_IIF_DADDR_IN,   /* iifname . ip daddr @SET */
	NFT_OP_OIF_SADDR_IN,   /* oifname . ip saddr @SET */
	NFT_OP_IIF_VMAP,       /* iifname vmap @SET */
	NFT_OP_IIF_PROTO_VMAP, /* iifname . meta l4proto vmap @SET */
	NFT_OP_OIF_PROTO_VMAP, /* oifname . meta l4proto vmap @SET */
	NFT_OP_IIF_MAC_NOT_IN, /* iifname . ether saddr != @SET */
	NFT_OP_DPORT_IN,       /* th dport @SET, after L4PROTO */
	NFT_OP_NO_SYN,         /* tcp flags & (fin | syn | rst | ack) != syn, after L4PROTO */
	NFT_OP_TO_LOCAL,       /* fib daddr type local */
	NFT_OP_FTP_HELPER,     /* ct helper set "ftp" */
	NFT_OP_FLOW_ADD,      /* flow add @flows; a connection that cannot be added ends the rule */
	NFT_OP_DNAT_LOCAL,    /* fib daddr type local dnat ip to meta l4proto . th dport map @SET */
	NFT_OP_DNAT_INCOMING, /* the same, but not for gateways and 127.0.0.0/8 */
	NFT_OP_DNAT_BOUND,    /* fib daddr type local and DNAT_CAPTURED */
	NFT_OP_DNAT_CAPTURED, /* dnat ip to ip daddr . th dport map @SET, after L4PROTO */
	NFT_OP_DNAT_CAPTURED6, /* the same of ip6 */
	NFT_OP_SNAT,           /* snat ip to oifname map @SET */
	NFT_OP_MASQUERADE,
	NFT_OP_OUT_AS, /* snat ip to ARG, or masquerade; with MORE to :FIRST-LAST */
	NFT_OP_ACCEPT,
	NFT_OP_DROP,
	NFT_OP_RETURN,
	NFT_OP_JUMP,         /* jump CHAIN */
	NFT_OP_GOTO,         /* goto CHAIN */
	NFT_OP_REJECT_PORT,  /* reject with icmpx port-unreachable */
	NFT_OP_REJECT_ADMIN, /* reject with icmpx admin-prohibited */
	NFT_OP_REJECT_RESET, /* reject with tcp reset */
};

struct nft_stmt {
	enum nft_op op;
	uint32_t arg;  /* number, enum nft_set or enum nft_chain */
	uint32_t more; /* NFT_OP_OUT_AS: first << 16 | last port, 0: any */
};

struct nft_rule_def {
	enum nft_chain chain;
	enum nft_when when;
	struct nft_stmt stmt[NFT_STMTS_MAX]; /* up to the first NFT_OP_END */
};

/* The constant program (priv_nft_rules.c). nft_rules are in the order in which they are added. */
extern const struct nft_set_def nft_sets[NFT_SET_N];
extern const struct nft_chain_def nft_chains[NFT_CHAIN_N];
extern const struct nft_rule_def nft_rules[];
extern const size_t nft_nrules;

/* One set element. Key fields are padded to 4 bytes each, in network byte order. */
struct nft_elem {
	uint8_t key[2 * NFT_IFNAME_LEN],
	    key_end[2 * NFT_IFNAME_LEN]; /* key_end: interval sets only */
	uint8_t klen;
	uint8_t val[20];
	uint8_t vlen;   /* 0: a verdict or no value */
	bool jump;      /* else goto */
	char chain[32]; /* a verdict's target; "": none */
};

/* What idle connections of a protocol are given. */
struct nft_timeout {
	enum ip_proto proto;
	uint32_t seconds; /* of UDP: in any state; of TCP: in TIME_WAIT */
};

/* The rows of one plan. */
struct nft_plan {
	bool forward_others;
	bool no_timeouts;             /* the kernel has no timeout objects: leave them out */
	bool no_ftp;                  /* nor what follows FTP */
	bool flowtable, no_flowtable; /* there is to be one; the kernel has none */
	struct msg_nat_net nets[NFT_NETS_MAX];
	size_t nnets;
	struct msg_nat_forward *forwards; /* owned */
	size_t nforwards, cap;
	struct msg_nat_capture captures[NAT_CAPTURES_MAX];
	size_t ncaptures;
	struct nft_timeout timeouts[2 * NFT_NETS_MAX]; /* distinct */
	size_t ntimeouts;
	bool any_ftp, any_way, any_egress, any_vmware, any_tcp_timeout,
	    any_flow;                                 /* of the networks */
	bool any_forward, any_bound, any_ftp_forward; /* of the forwards, now or before a change */
	uint8_t taken[PROTO_N][65536 / 8];            /* host ports with a forward */
	int err;                                      /* of the first bad row, negative */
	char why[160];
};

/* An empty plan; and forgets everything in it (the plan stays usable). */
void nft_plan_init(struct nft_plan *p, const struct msg_nat_begin *m);
void nft_plan_fini(struct nft_plan *p);

/* Adds a row. 0, -EINVAL for one that cannot be, -ENOMEM; p->err and p->why keep the first
 * failure. A forward needs its network, with NAT, before it. */
int nft_plan_net(struct nft_plan *p, const struct msg_nat_net *m);
int nft_plan_forward(struct nft_plan *p, const struct msg_nat_forward *m);
int nft_plan_capture(struct nft_plan *p, const struct msg_nat_capture *m);

/* What a change tells the kernel: forwards that go, then forwards that come. */
struct nft_change {
	struct msg_nat_forward gone[NAT_CHANGES_MAX], come[NAT_CHANGES_MAX];
	size_t ngone, ncome;
	bool rules; /* the plan has rules that it did not have: elements alone will not do */
};

/* Adds a row to a change and takes it from the plan, where it must be exactly so, or adds it there
 * too. 0 or -errno, p->err and p->why as above. */
int nft_change_gone(struct nft_change *c, struct nft_plan *p, const struct msg_nat_forward *m);
int nft_change_come(struct nft_change *c, struct nft_plan *p, const struct msg_nat_forward *m);

/* A forward of this plan takes the host port. */
bool nft_plan_has_port(const struct nft_plan *p, enum ip_proto proto, uint16_t port);

/* The rule is part of this plan. */
bool nft_plan_has_rule(const struct nft_plan *p, const struct nft_rule_def *r);
/* The chain is part of this plan. */
bool nft_plan_has_chain(const struct nft_plan *p, enum nft_chain c);
/* The set is part of this plan. */
bool nft_plan_has_set(const struct nft_plan *p, enum nft_set s);
/* So is the flowtable. */
bool nft_plan_has_flowtable(const struct nft_plan *p);

/* In which map a forward is, and which element it is there. */
enum nft_set nft_forward_map(const struct msg_nat_forward *f);
struct nft_elem nft_forward_elem(const struct msg_nat_forward *f);

/* Calls cb for each element of a set, in the order of the rows. */
void nft_plan_elems(const struct nft_plan *p, enum nft_set s,
		    void (*cb)(const struct nft_elem *e, void *arg), void *arg);

/* Names of what one timeout needs: its chain "udp_30", its timeout object "udp-30". */
void nft_timeout_chain(char *buf, size_t cap, const struct nft_timeout *t);
void nft_timeout_object(char *buf, size_t cap, const struct nft_timeout *t);

/* A network with a chain of its own for how its guests go out: "way_vmnet8". */
bool nft_way_has_chain(const struct msg_nat_net *m);
void nft_way_chain(char *buf, size_t cap, const struct msg_nat_net *m);
/* Calls cb for each rule of that chain. */
void nft_way_rules(const struct msg_nat_net *m, void (*cb)(const struct nft_stmt *stmt, void *arg),
		   void *arg);

/* A forward that the FTP helper has to know. */
bool nft_forward_is_ftp(const struct nft_plan *p, const struct msg_nat_forward *f);
/* The element of NFT_SET_FTP_PORTS that it is. */
struct nft_elem nft_ftp_elem(const struct msg_nat_forward *f);

/* The whole table in nft's grammar; `nft -f` accepts it. */
void nft_text_plan(struct strbuf *b, const struct nft_plan *p);

#endif
