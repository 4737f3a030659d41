/* SPDX-License-Identifier: GPL-2.0-or-later
 * answer.h - what the engine asks vnet-redird: counters, connections, and to end some.
 */
#ifndef VNET_REDIRD_ANSWER_H
#define VNET_REDIRD_ANSWER_H

#include <stdbool.h>

#include "lib/chan.h"
#include "redird/redird.h"
#include "redird/served.h"

/* Answers a request by rows and a REPLY. False: not a request that is known here. */
bool answer(struct redird *r, const struct served *s, struct chan *engine, const struct msg *m);

#endif
