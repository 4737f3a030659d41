/* SPDX-License-Identifier: GPL-2.0-or-later
 * served.h - one network while we serve it: its sockets, its lease file, its server, its timer. What guests ask comes
 * from outside, since all networks share one ring buffer.
 *
 * Connects what decides (server.c) with what does (io.c, store.c). Knows nobody else: it asks
 * priv and reports to the engine through the two calls in struct served_env.
 */
#ifndef VNET_DHCPD_SERVED_H
#define VNET_DHCPD_SERVED_H

#include <stdbool.h>
#include <stddef.h>

#include "dhcpd/io.h"
#include "dhcpd/leaserows.h"
#include "dhcpd/netconf.h"
#include "lib/loop.h"
#include "lib/msg.h"

struct served;
struct served_work;

/* What a network needs of the daemon around it. */
struct served_env {
	struct loop *loop;
	struct served_work *work;                  /* shared by all networks */
	uint32_t (*ask)(void *arg, struct msg *m); /* request to priv; its id, never 0 */
	/* To the engine; false: there is none that listens. */
	bool (*report)(void *arg, const struct msg *m);
	void *arg;
};

/* Buffers for one batch of messages. NULL: no memory. */
struct served_work *served_work_new(void);
void served_work_free(struct served_work *w);

/* Begins to serve: asks priv for sockets and folder. Takes over conf (sealed), also on failure.
 * NULL: no memory. */
struct served *served_new(const struct served_env *env, struct netconf *conf);

/* Stops serving; the lease file stays. */
void served_free(struct served *s);

/* Puts a new configuration in force, leases kept. Takes over conf. 0 or -ENOMEM (the old one
 * stays). */
int served_set_conf(struct served *s, struct netconf *conf);

/* Messages to port 67 that came from the network, at most SERVED_BATCH; more of them at once share a sync of the disk.
 * While the network is not ready they are dropped. The frames stay the caller's. */
#define SERVED_BATCH IO_BATCH
void served_input(struct served *s, const struct io_frame *v, int n);

/* The wall clock was set: the lease file is to say so. */
void served_clock_set(struct served *s);

/* A REPLY of priv. False: it is not for this network. fds as in lib/chan.h. */
bool served_take_reply(struct served *s, uint32_t id, const struct msg_reply *r, int *fds,
		       size_t nfds);

/* Not waiting for priv. */
bool served_is_settled(const struct served *s);

/* Says to the engine again what it was told last. */
void served_report(struct served *s);

/* The next row of the list of leases; false at the end, also when the leases are not known yet. */
bool served_next_row(const struct served *s, struct leaserows *at, struct msg_lease_row *row);

/* The i-th counter, see statrows.h. */
bool served_stat(const struct served *s, unsigned i, struct msg_dhcp_stat *row);

#endif
