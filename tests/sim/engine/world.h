/* SPDX-License-Identifier: GPL-2.0-or-later
 * world.h - everything around the engine's core, in memory: a kernel that answers priv's verbs, files,
 * workers, clients, a clock.
 *
 * The kernel has the habits that matter: addresses drop the routes that have them as source and
 * say nothing, deleting a bridge frees its ports, a name exists once. Every message of the core to priv
 * is judged by policy_check(), as the real priv does.
 */
#ifndef VNET_TESTS_SIM_ENGINE_WORLD_H
#define VNET_TESTS_SIM_ENGINE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"
#include "vnetd/core.h"

#define WORLD_LINKS   2048
#define WORLD_CLIENTS 8

struct world_client {
	uint32_t serial;    /* 0: no such client */
	struct strbuf rows; /* one line for each row */
	unsigned nrows, nreplies;
	int err; /* of the last REPLY */
	char text[512];
	struct msg last_row;
	size_t nfds; /* descriptors received in all */
};

/* A port's gate as the kernel has it. */
struct world_gate {
	uint32_t ifindex;
	struct msg_gate_set set;
	bool fast;      /* fastened */
	struct mac mac; /* given or pinned */
	bool entry;     /* the bridge has an entry for it */
};

struct world_request;
struct world_event;
struct world_report;

struct world {
	struct core *core;
	struct mono now, wake;
	uint64_t seed;

	/* the kernel */
	struct rtnl_link link[WORLD_LINKS];
	size_t nlinks;
	struct rtnl_addr addr[WORLD_LINKS];
	size_t naddrs;
	struct rtnl_route route[WORLD_LINKS];
	size_t nroutes;
	struct rtnl_neigh neigh[WORLD_LINKS];
	size_t nneighs;
	struct rtnl_fdb fdb[16];
	size_t nfdb;
	int last_ifindex;
	bool router; /* ip_forward before we came */
	struct world_gate gate[WORLD_LINKS];
	size_t ngates;
	unsigned gate_sets, fastens, replaces, forgets;
	bool no_tcx; /* an old kernel */
	struct msg_marker_row marker[4];
	size_t nmarkers;
	struct world_event *events, **events_end;

	/* priv */
	struct world_request *requests, **requests_end;
	struct strbuf steps; /* verbs that change the kernel, one line each */
	unsigned nsteps;
	enum msg_type fail_type; /* requests of this type fail, so many times */
	unsigned fail_times;
	char ready[256], refused[512];
	bool replies_first; /* a reply arrives before the events of what it did */
	bool peeking;       /* the engine looks while priv is half-way through making a port */
	enum msg_type
	    slow_type; /* the engine goes on for a while before it gets the reply to these */
	bool deaf;     /* the kernel does as told, but not what BRIDGE_SET says about the MTU */

	/* files; NULL: absent */
	char *file[5][NAMES_NETS];
	char *host_file[HOST_FILE_N];
	unsigned writes;
	unsigned captures_started, captures_stopped; /* CAPTURE_STARTs and -STOPs */
	struct msg_capture_start capture;            /* the last one */
	bool read_only;

	/* redirections */
	struct world_file {
		char *name, *text; /* "redirect.d/ssh"; text NULL: cannot be read */
	} redirect[8];
	size_t nredirects;
	struct msg_sock_listen listener[8]; /* port 0: none; its number is the index and 1 */
	bool keep[8];
	uint16_t taken_port;   /* by somebody else */
	struct strbuf aliases; /* named since the last sweep */
	unsigned announced;    /* how often one was */
	char *alias;           /* those that are there, a line each; NULL: never swept */
	struct strbuf logs;    /* likewise: files of redirections' lines */
	char *log;
	uint32_t last_log;
	bool root_is_open; /* user _vnet may write below /root */
	bool redird_wanted;
	bool redird_due; /* it is to start */

	/* workers */
	bool worker_up[ROLE_N];
	bool worker_mute[ROLE_N];     /* takes configuration and says nothing */
	bool worker_lies[ROLE_N];     /* has spoken for itself: answers may be known already */
	struct strbuf pushed[ROLE_N]; /* the rows of the last generation */
	unsigned pushes[ROLE_N];
	struct world_report *reports, **reports_end; /* on their way to the engine */
	struct msg lease[8];                         /* LEASE_ROWs that dhcpd answers with */
	size_t nleases;
	const char *dns_name, *dns_addr; /* what the host's resolvers know; "*": every name */
	bool dns_silent;
	unsigned lookups;

	struct world_client client[WORLD_CLIENTS];
	bool serving;
	uint32_t netns_owner;
	unsigned snapshots, fdb_dumps;
	int64_t clock_step_ms; /* by which somebody has set the wall clock */
};

struct world *world_new(void);
void world_free(struct world *w);

/* Starts an engine and both workers, and runs until nothing happens any more. */
void world_start(struct world *w);

/* kill -9 of the engine and the start of another one; workers and kernel stay. */
void world_restart(struct world *w);

/* Everything that is under way, and timers within the next 100 ms. */
void world_run(struct world *w);

/* The engine handles events and timers, and priv does nothing. */
void world_engine_only(struct world *w, int64_t ms);

/* The clock goes on by so much, with everything that happens meanwhile. */
void world_wait(struct world *w, int64_t ms);

/* Forgets the steps counted so far. */
void world_mark(struct world *w);

/* Files. */
void world_write(struct world *w, enum conf_file_id file, unsigned net, const char *text);
/* `networking` with a NAT network of this number and its subnet, added to what is there. */
void world_add_net(struct world *w, unsigned net, const char *subnet, const char *more);

/* A file of redirect.d, or no more (text NULL and unread false); unread: it is there and cannot be read. */
void world_redirect(struct world *w, const char *name, const char *text, bool unread);
/* Listening sockets, a line each: "80 10.8.0.1". */
const char *world_listeners(struct world *w);

/* What other people do. */
struct rtnl_link *world_link(struct world *w, const char *name); /* NULL: none */
struct rtnl_link *world_link_add(struct world *w, const char *name, const char *kind);
void world_link_del(struct world *w, const char *name);
void world_enslave(struct world *w, const char *name, const char *bridge); /* NULL: nomaster */
void world_link_down(struct world *w, const char *name);
void world_addr_add(struct world *w, const char *dev, const char *addr, uint8_t plen);
void world_addr_del(struct world *w, const char *dev, const char *addr);
void world_route_add(struct world *w, const char *dev, const char *dst);
void world_route_del(struct world *w, const char *dst);
/* A neighbour that somebody adds, or flushes. */
void world_neigh_add(struct world *w, const char *dev, const char *addr, struct mac mac);
void world_neigh_del(struct world *w, const char *dev, const char *addr);
/* "52:54:00:00:00:01 ours", "... others'", "" when there is none. */
const char *world_neigh(struct world *w, const char *dev, const char *addr);
/* The gate of a link (NULL: none); a guest's first frame; a bridge that forgets a port's entry. */
struct world_gate *world_gate(struct world *w, const char *ifname);
void world_pin(struct world *w, const char *ifname, struct mac mac);
void world_forget_entry(struct world *w, const char *ifname);
/* A regular file promiscAuthorized (net MSG_NET_ALL: the one for all) comes; all of them go. */
void world_marker(struct world *w, unsigned net, uint32_t uid, uint32_t mode);
void world_no_markers(struct world *w);
bool world_has_addr(struct world *w, const char *dev, const char *addr);
bool world_has_route(struct world *w, const char *dev, const char *dst);

/* A client that connects, and its requests. */
struct world_client *world_client(struct world *w, uint32_t uid);
void world_ask(struct world *w, struct world_client *cl, struct msg *m, int fd);
/* The state of a network, as a client sees it: NET_STATE_N when there is none. text may be NULL. */
enum net_state world_state(struct world *w, unsigned net, char text[256]);
/* All warnings, a line each, into the rows of a fresh client. */
const char *world_warnings(struct world *w);

/* Messages of workers. */
void world_report(struct world *w, enum role role, const struct msg *m);

#endif
