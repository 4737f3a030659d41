/* SPDX-License-Identifier: GPL-2.0-or-later
 * verb.h - what is special about the jobs create, delete and set: the edit, its conditions, the answer.
 */
#ifndef VNET_VNETD_VERB_H
#define VNET_VNETD_VERB_H

#include <stdbool.h>

struct core;
struct job;

/* Fills job.edits. False: the edit is refused; diagnostics or job_fail() say why. Other jobs: true. */
bool verb_edit(struct core *c, struct job *j);

/* Once the model is built and before anything is written: the network can be made now. */
bool verb_is_possible(struct core *c, struct job *j);

/* Once it is settled: what the answer says about the result, for a reload too. */
void verb_outcome(struct core *c, struct job *j);

/* The rows of the answer. */
void verb_answer(struct core *c, struct job *j);

#endif
