/* SPDX-License-Identifier: GPL-2.0-or-later
 * job.h - what a client wants captured, as its messages tell. Pure but for the descriptors that it owns.
 */
#ifndef VNET_CAPTURE_JOB_H
#define VNET_CAPTURE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "capture/filter.h"
#include "capture/out.h"
#include "lib/msg.h"

struct job {
	struct msg_capture_setup setup;
	struct filter filter;
	struct out out;
	bool has_setup, complete;
};

/* False: no memory. */
bool job_init(struct job *j);
void job_fini(struct job *j);

/* Takes one message of the client; after CAPTURE_GO the job is complete. Descriptors are taken. NULL, or what is wrong
 * with it. */
const char *job_take(struct job *j, const struct msg *m, int *fds, size_t nfds);

#endif
