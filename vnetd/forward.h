/* SPDX-License-Identifier: GPL-2.0-or-later
 * forward.h - a forward added or removed in the time that a shell's prompt takes, among ten thousand.
 *
 * A JOB_FORWARD begins here. When the two files that can hold a forward are as they were when the
 * configuration in force was read, and the change is simple (conf/forward.h), only `networking` is
 * written, one forward of the model changes and natd is told of that one. Everything else goes the way
 * of all jobs. What others have written into other files meanwhile waits for a reload, as it would have
 * without this forward.
 */
#ifndef VNET_VNETD_FORWARD_H
#define VNET_VNETD_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "lib/strbuf.h"

struct core;
struct job;
struct msg;

struct forward_text {
	char *s; /* NULL: there is no such file */
	size_t len;
};

/* The texts of which the configuration in force was made. */
struct forward_texts {
	bool known;
	struct forward_text networking, nat[CONF_NETS];
};

void forward_texts_fini(struct forward_texts *t);

/* A job has been adopted: its texts are the ones in force now. */
void forward_texts_take(struct core *c, const struct job *j);

/* A job on this way. */
struct forward_job {
	unsigned reading;
	bool stale;            /* a file is not as it was */
	struct strbuf text;    /* of `networking`, new */
	struct conf_forward f; /* the description points into the request */
};

void forward_job_fini(struct forward_job *q);

/* What a FORWARD_ADD or FORWARD_REMOVE, which must outlive it, is about. */
struct conf_forward forward_of(const struct msg *request);

/* False: the job must go the long way. Else job_finish() or job_read() follows. */
bool forward_start(struct core *c, struct job *j);

#endif
