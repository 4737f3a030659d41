/* SPDX-License-Identifier: GPL-2.0-or-later
 * job.h - everything that changes the configuration in force: start, reload, create, delete, set, reserve, forward.
 *
 * They are one path: read all files; edit them (create, delete, set); build and check the model;
 * write what changed; adopt it network by network; settle; push to the workers; answer. One job runs
 * at a time, others queue. A job that cannot go on leaves everything as it was.
 */
#ifndef VNET_VNETD_JOB_H
#define VNET_VNETD_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/diag.h"
#include "lib/mono.h"
#include "lib/msg.h"
#include "lib/util.h"
#include "vnetd/forward.h"
#include "vnetd/load.h"

struct core;

enum job_kind {
	JOB_START,
	JOB_RELOAD,
	JOB_CREATE,
	JOB_DELETE,
	JOB_SET,
	JOB_RESERVE, /* RESERVE, UNRESERVE */
	JOB_FORWARD, /* FORWARD_ADD, FORWARD_REMOVE */
	JOB_PORT     /* a key of a [port] section: PORT_SETTING, PROMISC_DECIDE */
};

struct job {
	struct job *next;
	enum job_kind kind;
	uint32_t client;    /* who waits for the answer; 0: nobody */
	struct msg request; /* of that client; its id is the answer's */
	struct load load;
	struct diags diags;
	size_t ndiags_edit;          /* the first so many are about the edit itself */
	struct conf_changes edits;   /* what the verb changes, or the first configuration */
	struct conf_changes derived; /* files that follow from others */
	struct conf *conf;           /* built and not yet adopted */
	size_t to_write, written;    /* of edits, then derived */
	unsigned writing;
	struct forward_job quick; /* of a JOB_FORWARD that need not read everything */
	bool in_write;            /* guards against replies that are made up at once */
	bool told;                /* the diagnostics are in the log and with the client */
	bool waits_for_workers;
	struct mono deadline; /* of that wait */
	int err;              /* the first reason to fail; 0 */
	char why[512];
};

struct jobs {
	struct job *head; /* the first one runs */
	unsigned n;
};

void jobs_fini(struct jobs *j);

/* Queues a job. request: the client's, or NULL. False: too many wait already. */
bool job_submit(struct core *c, enum job_kind kind, uint32_t client, const struct msg *request);

/* For the stages: notes why the job fails, with a positive errno. The first reason counts. */
void job_fail(struct job *j, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* For forward.c: the long way, from reading all files on; the answer when the workers have it; the end. */
void job_read(struct core *c, struct job *j);
void job_wait(struct core *c, struct job *j);
void job_finish(struct core *c, struct job *j);

/* A worker has taken its configuration; a deadline may have passed. */
void job_workers_ready(struct core *c);

/* MONO_NEVER: none. */
struct mono job_deadline(const struct core *c);

#endif
