/* SPDX-License-Identifier: GPL-2.0-or-later
 * build.h - a job's stage between reading files and writing them: from texts to a checked model.
 */
#ifndef VNET_VNETD_BUILD_H
#define VNET_VNETD_BUILD_H

#include <stdbool.h>

#include "conf/change.h"
#include "vnetd/used.h"

struct core;
struct job;

/* Builds job.conf from the files and the job's edits; makes the first configuration where there is none,
 * and renews files that follow from others (job.derived). False: the configuration as a whole
 * cannot be used, and the diagnostics say why. */
bool build(struct core *c, struct job *j);

/* What conf/ wants to know about the host. */
struct build_env {
	struct conf_env env;
	struct used used;
};

/* Without what the host uses, which only who looks for a subnet wants to know: build_env_look() adds that, and is false
 * when there is no memory, or the host cannot be looked at. Free with build_env_fini() in any case. */
void build_env_init(struct build_env *e, const struct core *c);
bool build_env_look(struct build_env *e, const struct core *c, const struct job *j);
void build_env_fini(struct build_env *e);

#endif
