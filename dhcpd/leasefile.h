/* SPDX-License-Identifier: GPL-2.0-or-later
 * leasefile.h - keeps a network's lease file in step with its server's leases.
 *
 * Loads it, appends to it, writes it anew when history has piled up, when the wall clock was
 * set, or when something could not be recorded; goes on trying after a failure. Reports by its
 * fields; logs what a damaged file lost, nothing else.
 */
#ifndef VNET_DHCPD_LEASEFILE_H
#define VNET_DHCPD_LEASEFILE_H

#include "dhcpd/server.h"
#include "dhcpd/store.h"

struct leasefile {
	struct store store;
	unsigned net; /* for the log */
	bool loaded;  /* the server knows what the file says */
	int err;      /* positive errno of the last attempt to record something; 0: it worked */
	bool must_rewrite;      /* the file lacks something that the server has */
	struct mono due;        /* when the file is to be looked at; MONO_NEVER: not at all */
	struct mono trim_at;    /* when its end is */
	struct mono busy_until; /* an append before this comes soon after the last one */
	unsigned retry_ms;      /* the next wait after a failure */
	int64_t wall_offset;    /* wall clock minus monotonic clock of the times in the file */
};

void leasefile_init(struct leasefile *f, unsigned net);
void leasefile_fini(struct leasefile *f);

/* Reads the file in folder `dir` (taken over) into the server, whose table is empty, and makes
 * the file fit to be appended to. 0; -errno: it cannot be read, so nothing is known and nobody
 * may be served. That it cannot be written is no failure here: see err. */
int leasefile_load(struct leasefile *f, int dir, struct dhcp_server *s, struct dhcp_clock clk);

/* Appends encoded blocks and syncs. 0 or -errno; then the server is to be told. */
int leasefile_append(struct leasefile *f, const char *text, size_t len, size_t blocks,
		     struct dhcp_clock clk);

/* The server has forgotten leases: the file is written anew at the next leasefile_tidy(). */
void leasefile_outdate(struct leasefile *f, struct dhcp_clock clk);

/* When leasefile_tidy() has something to do; MONO_NEVER: nothing. */
struct mono leasefile_due(const struct leasefile *f);

/* Call when that has come, and often otherwise: notices a wall clock that was set. */
void leasefile_tidy(struct leasefile *f, const struct dhcp_server *s, struct dhcp_clock clk);

#endif
