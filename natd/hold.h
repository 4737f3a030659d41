/* SPDX-License-Identifier: GPL-2.0-or-later
 * hold.h - has priv hold the host ports of forwards, so that no service of the host takes them later.
 */
#ifndef VNET_NATD_HOLD_H
#define VNET_NATD_HOLD_H

#include "natd/natd.h"
#include "natd/plan.h"

struct hold;

struct hold *hold_new(struct natd *d); /* NULL: no memory */
void hold_free(struct hold *h);

/* The ports of the plan that are to be held (plan_holds()) are, the first `most`, and no others. What cannot be held now is tried again from
 * time to time. */
void hold_apply(struct hold *h, const struct nat_plan *p, size_t most);

/* HOLD_LIST of the engine: rows and REPLY. */
void hold_answer(struct hold *h, uint32_t id);

#endif
