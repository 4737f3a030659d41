/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_render.h - what vnetctl shows to people: rows from vnetd in, text out.
 *
 * Pure: the time is a parameter. The most important line comes first; times are relative. Ports and
 * promiscuous mode are in ctl_render_port.c, everything else in ctl_render.c.
 */
#ifndef VNET_VNETD_CTL_RENDER_H
#define VNET_VNETD_CTL_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/msg.h"

struct strbuf;

/* How to print. */
struct view {
	uint64_t now; /* UTC, seconds */
	bool colour;
	bool follows; /* leases: rows that follow a table printed before, without a header */
};

/* Everything of one answer; arrays that a renderer does not mention may be NULL. */
struct facts {
	const struct msg_status_row *status;
	const struct msg_warning_row *warning;
	size_t nwarnings;
	const struct msg_net_row *net;
	size_t nnets;
	const struct msg_port_row *port;
	size_t nports;
	const struct msg_forward_row *forward;
	size_t nforwards;
	const struct msg_lease_row *lease;
	size_t nleases;
	const struct msg_promisc_row *promisc;
	size_t npromisc;
	const struct msg_conn_row *conn; /* for the counts of forwards */
	size_t nconns;
	bool conns_known;
	const struct msg_hold_row *hold; /* which ports of forwards are held */
	size_t nholds;
	bool holds_known;
};

/* The host port of a forward is held. */
bool facts_held(const struct facts *f, const struct msg_forward_row *w);

/* status, warnings and networks. */
void render_status(struct strbuf *out, const struct facts *f, const struct view *v);

void render_networks(struct strbuf *out, const struct facts *f, const struct view *v);
void render_forwards(struct strbuf *out, const struct facts *f, const struct view *v);
void render_leases(struct strbuf *out, const struct facts *f, const struct view *v);

/* A table, and below it a line that begins with "!" for each port that something is wrong with. */
void render_ports(struct strbuf *out, const struct facts *f, const struct view *v);

/* The one port port[0], with what is known about its promiscuous mode in promisc[0], if anything. */
void render_port(struct strbuf *out, const struct facts *f, const struct view *v);

/* Who asks for promiscuous mode, or was answered; and how to answer those that wait, as the row of the
 * first one says. config_dir: where marker files lie. Nothing when nobody waits. */
void render_promisc(struct strbuf *out, const struct facts *f, const struct view *v);
void render_promisc_hints(struct strbuf *out, const struct facts *f, const char *config_dir);

/* One line: "web1: promiscuous mode is granted for 59 min". */
void render_promisc_fact(struct strbuf *out, const struct msg_promisc_row *p, const struct view *v);

/* One line: what a guest's card lets in, and what came of it. */
void render_rx_filter(struct strbuf *out, const struct msg_rx_filter *r,
		      const struct msg_promisc_row *p, const struct view *v);

/* What the gate dropped of a port, by enum drop_reason, and their sum. False: nobody counts there. */
bool port_drops(uint64_t drops[DROP_REASON_N], uint64_t *total, const struct msg_port_row *p);

/* The one network net[0], its warnings, ports and forwards. */
void render_show(struct strbuf *out, const struct facts *f, const struct view *v);

/* One line. local: the time of day as the user's clock shows it, "07:08:09". */
void render_event(struct strbuf *out, const struct msg_event_row *e, const char *local);

/* "vmnet9 NAT 172.16.9.0/24". */
void render_net_fact(struct strbuf *out, const struct msg_net_row *n);

#endif
