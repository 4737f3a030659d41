/* SPDX-License-Identifier: GPL-2.0-or-later
 * run.h - a capture from its first frame to its last: ring in, blocks out, counts to the client.
 */
#ifndef VNET_CAPTURE_RUN_H
#define VNET_CAPTURE_RUN_H

#include "capture/job.h"
#include "capture/ring.h"

struct run {
	struct job *job;
	struct ring *ring;
	int priv;   /* closed by the other side: end */
	int client; /* the same; what it says is CAPTURE_END */
	bool port;  /* frames have a GATE_TAG() */
	uint64_t frames;
	uint64_t begun_ns;
};

/* Begins the file and captures until there is a reason to end; then finishes the file. 0: as asked; -errno: why. */
int run_capture(struct run *r);

/* Sends a message to the client, which has the time that it takes to read. */
void run_tell(int client, const struct msg *m);

#endif
