/* SPDX-License-Identifier: GPL-2.0-or-later
 * flows.h - the flowtable's interfaces, told to priv as they come and go.
 */
#ifndef VNET_NATD_FLOWS_H
#define VNET_NATD_FLOWS_H

#include "natd/natd.h"
#include "natd/plan.h"

struct flows;

/* NULL: no memory. */
struct flows *flows_new(struct natd *d);
void flows_free(struct flows *f);

/* A new table is in force: its flowtable looks at nothing yet. plan: borrowed until the next call; NULL: it has no
 * flowtable. */
void flows_begin(struct flows *f, const struct nat_plan *plan);

/* Links or addresses of the host have changed: looks again, a little later. */
void flows_host_changed(struct flows *f);

#endif
