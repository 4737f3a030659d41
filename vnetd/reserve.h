/* SPDX-License-Identifier: GPL-2.0-or-later
 * reserve.h - the requests RESERVE and UNRESERVE: the edit, and an answer that tells whom it concerns.
 */
#ifndef VNET_VNETD_RESERVE_H
#define VNET_VNETD_RESERVE_H

#include <stdbool.h>

struct core;
struct job;

/* Fills job.edits. False: refused, diagnostics say why. */
bool reserve_edit(struct job *j);

/* The job is done: events, then the new fact to the client, as soon as dhcpd has told who has the address
 * now. The job may go before that. */
void reserve_answer(struct core *c, const struct job *j);

#endif
