/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv.h - the privileged process: what start-up hands to it, and the handlers of its verbs.
 *
 * priv decides nothing. A message that policy.c lets pass is executed by the one handler that priv.c's
 * table names; the handlers below may rely on the arguments having been checked there.
 */
#ifndef VNET_VNETD_PRIV_H
#define VNET_VNETD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bpf/gate_load.h"
#include "lib/chan.h"
#include "lib/log.h"
#include "lib/mono.h"
#include "lib/msg.h"
#include "lib/sd.h"
#include "vnetd/dirs.h"
#include "vnetd/hook.h"
#include "vnetd/nl.h"
#include "vnetd/policy.h"

/* What start-up made while it was root. Descriptors are owned by priv from then on. */
struct start {
	const struct dirs *dirs;
	enum log_level level;
	bool level_fixed;    /* -dd: the configuration does not change the level */
	struct mono started; /* when the suite started */
	uid_t uid;           /* _vnet */
	gid_t gid, group;    /* _vnet's; that of group vnet */
	int config_dir, state_dir;
	int tun_dir;    /* folder with a node `tun` that _vnet can open */
	int sysctl_dir; /* /proc/sys/net */
	int record;     /* <run-dir>/ip_forward, read and write */
	int listener;   /* client socket */
	struct sd_stored
	    *stored; /* listening sockets of an earlier instance, from the service manager */
	size_t nstored;
	int notify;           /* service manager, -1: none */
	int waiter;           /* pipe to the process that started us, -1: none */
	int lock;             /* <run-dir>/vnetd.pid */
	struct gate_fds gate; /* the port gate's maps and programs */
	bool gate_adopted;    /* the maps are those of an earlier instance */
	struct hooks hooks;   /* its programs, and those of earlier instances */
};

/* Runs priv as uid _vnet until it is told to end. Returns the exit status. */
int priv_main(struct start *s);

enum { PRIV_HOLD_LISTS = 256 };

struct alias;
struct captures;
struct gate_map;
struct hold;
struct listener;
struct logfile;
struct priv_nft;

/* A set of networks. */
struct netset {
	bool has[NAMES_NETS];
};

/* What the handlers work with. */
struct priv {
	struct start *start;
	struct nl *route;          /* rtnetlink */
	struct priv_nft *nft;      /* nf_tables and conntrack */
	struct gate_map *gate;     /* policies of ports */
	const struct hooks *hooks; /* where its programs are */
	const char *nat_refused;   /* why a row since NAT_BEGIN was refused, NULL: none was */
	bool nat_changing;         /* it was NAT_CHANGE: the networks stay */
	struct netset nat_named;   /* networks in the rows since NAT_BEGIN */
	struct netset nat_next;    /* those of them that have NAT */
	struct netset nat_nets;    /* networks to which the table in force gives NAT */
	bool nat_next_guards;      /* the rows since NAT_BEGIN forward for nobody else */
	bool nat_guards;           /* nor does the table in force */
	bool forward_wanted;       /* ip_forward waits for such a table */
	struct alias *aliases;     /* addresses named since the last ALIAS_SWEEP */
	struct hold *holds[PRIV_HOLD_LISTS]; /* ports of forwards, by port */
	unsigned nholds;
	struct listener *listeners;
	uint32_t last_listener; /* the number of the newest one */
	struct logfile *logs;   /* files that vnet-redird may get */
	uint32_t last_log;
	struct captures *captures; /* workers that capture */
};

/* One request and its answer. */
struct call {
	const struct msg *m;
	const int *in;     /* descriptors that came along, borrowed */
	struct chan *from; /* for rows before the REPLY */
	char text[sizeof(((struct msg_reply *)0)->text)];
	int out[POLICY_QUEUES_MAX]; /* descriptors of the REPLY; priv.c closes them */
	size_t nout;
	int unsynced; /* a folder to be synced behind the REPLY, before anything else is done; or -1 */
};

/* A handler: 0 or -errno; on failure `text` should be a sentence, for which these are made. */
typedef int handler_fn(struct priv *p, struct call *c);

/* Sets the text and returns err (negative): the text as it is, with the words of the error, with what the
 * kernel said about the netlink request that has just failed. */
int fail(struct call *c, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
int fail_errno(struct call *c, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
int fail_nl(struct priv *p, struct call *c, int err, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Adds a descriptor to the REPLY. */
void give(struct call *c, int fd);

/* priv_link.c: bridges, their addresses and routes */
handler_fn priv_bridge_set, priv_bridge_del, priv_addr_add, priv_addr_del, priv_route_add,
    priv_route_del;

/* priv_neigh.c: guests that the host knows without ARP */
handler_fn priv_neigh_set, priv_neigh_del;

/* The bridge vmnetN, which must be ours. 0, -ENODEV or -EEXIST with a text. */
int priv_bridge_get(struct priv *p, struct call *c, unsigned net, struct nl_link *l);

/* priv_port.c: taps, veths, other links on our bridges */
handler_fn priv_tap_add, priv_veth_add, priv_port_del, priv_port_enslave, priv_port_set;

/* priv_gate.c: what a port may send and gets */
handler_fn priv_gate_set, priv_gate_del, priv_gate_forget, priv_gate_fasten, priv_gate_list,
    priv_gate_events, priv_dhcp_ring;

/* Before a link that may be up becomes a port: its program is attached, which without a policy so far lets
 * nothing pass until GATE_SET. 0, or -errno with a text. */
int priv_gate_shut(struct priv *p, struct call *c, const struct nl_link *l);

/* It did not become one: such a gate is taken away again. */
void priv_gate_unshut(struct priv *p, const struct nl_link *l);

/* The gate of the bridge vmnetN itself: what the host sends. 0, or -errno with a text. */
int priv_gate_bridge(struct priv *p, struct call *c, const struct nl_link *l, unsigned net);

/* Ends the gate of a link that is gone, if it had one. */
void priv_gate_end(struct priv *p, int ifindex);

/* Copies of what passes the gate of a port go to the interface of this index; 0: no more. 0, or -errno with a
 * text. */
int priv_gate_capture(struct priv *p, struct call *c, const struct nl_link *port, unsigned slot,
		      uint32_t ifindex);

/* At the start: ends those of an earlier instance whose links are gone. 0 or -errno. */
int priv_gate_take_over(struct priv *p);

/* priv_marker.c: the files promiscAuthorized */
handler_fn priv_marker_watch, priv_marker_list;

/* priv_sock.c: sockets for the workers */
handler_fn priv_sock_dhcp, priv_sock_dns;

/* priv_relay.c: forwards' ports on ::1, for natd */
handler_fn priv_sock_relay;

/* priv_listen.c: listening sockets of redirections */
handler_fn priv_sock_listen, priv_listen_keep, priv_listen_sweep, priv_listen_take;
void priv_listen_fini(struct priv *p);

/* priv_hold.c: ports of forwards */
handler_fn priv_hold_set, priv_hold_end, priv_hold_sweep;
void priv_hold_fini(struct priv *p);

/* Takes up what the service manager kept. */
void priv_listen_take_over(struct priv *p);
#define PRIV_LISTEN_PREFIX "redirect-" /* of their names there */

/* priv_alias.c: addresses that redirections add */
handler_fn priv_alias_set, priv_alias_announce, priv_alias_sweep;

/* Removes all of them. 0 or -errno. */
int priv_alias_sweep_all(struct nl *nl);

/* priv_log.c: where lines of redirections go */
handler_fn priv_log_set, priv_log_sweep, priv_log_take;
void priv_log_fini(struct priv *p);

/* priv_capture.c: captures */
handler_fn priv_capture_start, priv_capture_stop;

/* At the start: nobody captures, and what an earlier instance needed for it goes. 0 or -errno. */
int priv_capture_init(struct priv *p, struct loop *loop,
		      void (*gone)(uint32_t capture, const char *how, void *arg), void *arg);

/* A process has ended that is none of the children. */
void priv_capture_reap(struct priv *p, pid_t pid, int status);

/* All captures end: the workers have a moment to finish their files, after which they are killed. */
void priv_capture_stop_all(struct priv *p);

/* Some worker has not ended yet. */
bool priv_capture_any(const struct priv *p);

/* Kills those that are left. */
void priv_capture_fini(struct priv *p);

/* priv_redirect.c: the files of redirect.d */
handler_fn priv_redirect_files;

/* priv_file.c: files below the configuration and state folders, and some of the host's */
handler_fn priv_conf_open, priv_conf_replace, priv_conf_remove, priv_host_open, priv_host_watch,
    priv_lease_dir;

/* priv_sysctl.c */
handler_fn priv_sysctl_set, priv_ip_forward;

/* A table is in force: has the host forward packets if that waited for it. What fails is logged. */
void priv_ip_forward_now(struct priv *p);

/* Applies a profile to an interface. 0 or -errno. */
int priv_sysctl_apply(int sysctl_dir, enum sysctl_profile profile, const char *ifname);

/* route_localnet of vmnetN: on exactly while the table in force has NAT for it. It lets a forward take a
 * connection to 127.0.0.1, and only that table keeps guests from the host's loopback then. 0 or -errno. */
int priv_sysctl_localnet(const struct priv *p, unsigned net);

/* priv_nat.c: the table inet vnetd */
/* Has the kernel count the bytes of connections and note when they began, from now on. What it cannot do is
 * shown as unknown, so no failure is one. */
void priv_sysctl_accounting(const struct priv *p);

handler_fn priv_nat_begin, priv_nat_net, priv_nat_forward, priv_nat_capture, priv_nat_commit,
    priv_nat_change, priv_nat_forward_gone, priv_nat_flush_forward, priv_nat_flush, priv_flow_dev,
    priv_conn_list, priv_nft_watch_open, priv_firewall_scan, priv_foreign_allow;

#endif
