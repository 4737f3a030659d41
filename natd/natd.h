/* SPDX-License-Identifier: GPL-2.0-or-later
 * natd.h - what the parts of vnet-natd share: the loop, the two channels, requests, reports.
 *
 *     main.c    start, channels, which message goes where
 *     asks.c    requests to priv and their replies
 *     report.c  what the engine was told about each network's services
 *     nat.c     plan -> commits; restores the table; scans foreign rule sets
 *     flows.c   interfaces of the flowtable
 *     hold.c    ports of the host that are held
 *     relay.c   forwards on ::1; relaytcp.c, relayudp.c: what comes in
 *     inuse.c   services of the host
 *     lookup.c  names for the engine
 *     hostfile.c  a file of the host that is followed
 *     proxy.c   DNS sockets: towards guests, towards resolvers; dnstell.c: its words in the log
 *
 * plan.c, relayflow.c, way.c, flowdev.c, firewall.c, nftevent.c, resolv.c and dns.c are pure and know nothing
 * of this.
 */
#ifndef VNET_NATD_NATD_H
#define VNET_NATD_NATD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/chan.h"
#include "lib/loop.h"
#include "lib/msg.h"

enum { NATD_NETS = 256 };

struct flows;
struct hold;
struct lookup;
struct nat;
struct proxy;
struct relay;
struct report_net;
struct rtnl;

/* A request to priv that waits for its REPLY. Descriptors may be taken. */
typedef void reply_fn(void *arg, const struct msg_reply *r, int *fds, size_t nfds);
/* Rows that come before the REPLY. */
typedef void row_fn(void *arg, const struct msg *m);

struct ask {
	struct ask *next;
	uint32_t id;
	reply_fn *done;
	row_fn *row; /* or NULL */
	void *arg;
};

struct natd {
	struct loop *loop;
	struct chan *priv, *engine; /* engine: NULL while there is none */
	struct ask *asks, **asks_tail;
	uint32_t last_id;
	struct report_net *reports[NATD_NETS];
	struct hold *hold;
	struct relay *relay;
	int inuse;    /* inuse.h's socket */
	uint32_t own; /* our user */
	struct nat *nat;
	struct flows *flows;
	struct proxy *proxy;
	struct rtnl *rtnl;      /* the host's links, addresses and routes */
	struct lookup *lookups; /* names that the engine waits for */
	/* A generation being put in force: CONF_READY follows when nat and proxy are done. */
	uint32_t generation;
	bool ready_due;
	bool failed;
};

/* asks.c */

/* Sends m to priv (its id is filled in); done() follows from the loop unless priv goes, which
 * ends us. Without memory we end. */
void natd_ask(struct natd *d, struct msg *m, reply_fn *done, row_fn *row, void *arg);

/* A message of priv with an id. False: it answers nothing that was asked. */
bool natd_take_answer(struct natd *d, const struct msg *m, int *fds, size_t nfds);
void natd_asks_fini(struct natd *d);

/* report.c */

/* Tells the engine about a service of a network, if that is news. text, cure: may be NULL. */
void natd_report(struct natd *d, uint16_t net, enum service service, bool ok, const char *text,
		 const char *cure);
/* The same, with all that there is to say. */
void natd_report_state(struct natd *d, const struct msg_service_state *s);
/* Tells everything again, to a new engine or with a new configuration. */
void natd_report_all(struct natd *d);
/* The network is no more: nothing is told about it again. */
void natd_report_forget(struct natd *d, uint16_t net);
void natd_reports_fini(struct natd *d);

/* main.c */

/* nat or proxy has got further: sends CONF_READY once both are done. */
void natd_progress(struct natd *d);
/* Ends the program; `failed`: with exit status 1, after which priv starts us again. */
void natd_stop(struct natd *d, bool failed);

#endif
