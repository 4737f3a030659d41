/* SPDX-License-Identifier: GPL-2.0-or-later
 * verb.h - what is special about the jobs create, delete, set, reserve and port: the edit, its conditions, the answer.
 */
#ifndef VNET_VNETD_VERB_H
#define VNET_VNETD_VERB_H

#include <stdbool.h>
#include <stddef.h>

struct core;
struct job;

/* Fills job.edits. False: the edit is refused; diagnostics or job_fail() say why. Other jobs: true. */
bool verb_edit(struct core *c, struct job *j);

/* Once the model is built and before anything is written: the network can be made now. */
bool verb_is_possible(struct core *c, struct job *j);

/* Diagnostic number i is worth telling: all are after a start or a reload; after the change of one
 * network only what the change or that network is about. */
bool verb_tells(const struct job *j, size_t i);

/* Once it is settled: what the answer says about the result, for a reload too. */
void verb_outcome(struct core *c, struct job *j);

/* The rows of the answer. True: its REPLY follows them by itself. */
bool verb_answer(struct core *c, struct job *j);

#endif
