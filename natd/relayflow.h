/* SPDX-License-Identifier: GPL-2.0-or-later
 * relayflow.h - one direction of a relayed connection: what is to be done next; and how long silence may last.
 *
 * Pure: no sockets, no clock, no heap. Bytes are read when none are left to be written, so that TCP's own window
 * holds the sender back; the end of the bytes is passed on once the last of them is.
 */
#ifndef VNET_NATD_RELAYFLOW_H
#define VNET_NATD_RELAYFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RELAYFLOW_ROOM = 16384 };

struct relayflow {
	size_t at, end; /* of what is in b, [at, end) is to be written */
	bool eof;       /* the source has no more */
	bool done;      /* and the sink was told */
	uint8_t b[RELAYFLOW_ROOM];
};

enum relayflow_step {
	RELAYFLOW_READ,  /* into b, all of it: relayflow_read() */
	RELAYFLOW_WRITE, /* from b + at, end - at bytes: relayflow_written() */
	RELAYFLOW_FIN,   /* tell the sink that this was all: relayflow_finished() */
	RELAYFLOW_DONE,
};

/* b is left as it is. */
void relayflow_init(struct relayflow *f);

enum relayflow_step relayflow_next(const struct relayflow *f);

/* So many bytes came; 0: the end. */
void relayflow_read(struct relayflow *f, size_t n);
/* So many bytes went, of those that were left. */
void relayflow_written(struct relayflow *f, size_t n);
void relayflow_finished(struct relayflow *f);

/* How long a connection of these two directions may be silent, in ms: no shorter than the kernel would let it be if it were
 * translated (nf_conntrack_tcp_timeout_established; _fin_wait and _close_wait once one side has ended). */
#define RELAYFLOW_IDLE_MS INT64_C(432000000)
#define RELAYFLOW_HALF_MS INT64_C(600000)
int64_t relayflow_idle_ms(const struct relayflow *a, const struct relayflow *b);

/* The same for datagrams of a network with this timeout in seconds (nat.conf; 0: never): not shorter than
 * nf_conntrack_udp_timeout_stream, which the timeout does not shorten here. */
#define RELAYFLOW_UDP_MS INT64_C(180000)
int64_t relayflow_udp_idle_ms(uint32_t timeout_s);

#endif
