/* SPDX-License-Identifier: GPL-2.0-or-later
 * flows.c - has the flowtable look at the interfaces that guests' connections come by.
 *
 * They are no part of the plan's transaction: one interface that has just vanished would make the kernel refuse it all.
 * The kernel itself takes an interface that vanishes out of the flowtable; what comes in its place, under the same
 * name perhaps, is told here.
 */
#include "natd/flows.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/util.h"
#include "natd/flowdev.h"

/* Links change in bursts. */
enum { LOOK_DELAY_MS = 100 };

struct flows {
	struct natd *d;
	const struct nat_plan *plan; /* NULL: there is no flowtable */
	struct flowdevs told;        /* since the table was made */
	struct loop_timer *look;
	bool due;
};

static void
on_told(void *arg UNUSED, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED)
{
	/* ENOENT: it has just gone. ESTALE: so has the table; either way more is to come. */
	if (r->err && r->err != ENOENT && r->err != ESTALE)
		log_debug("flowtable: %s", r->text);
}

static void
tell(const struct flowdev *dev, bool gone, void *arg)
{
	struct flows *f = arg;
	struct msg m = msg_make(MSG_FLOW_DEV, 0);

	log_debug("flowtable: %s %s", gone ? "no longer" : "looks at", dev->name);
	m.u.flow_dev.gone = gone;
	MSG_SET_STR(m.u.flow_dev.ifname, dev->name);
	natd_ask(f->d, &m, on_told, NULL, f);
}

struct looking {
	const struct nat_plan *plan;
	struct flowdevs now;
};

static void
on_addr(const struct rtnl_addr *a, void *arg)
{
	flowdev_addr(&((struct looking *)arg)->now, a);
}

static void
on_link(const struct rtnl_link *l, void *arg)
{
	struct looking *x = arg;

	flowdev_link(&x->now, x->plan, l);
}

static void
on_look(void *arg)
{
	struct flows *f = arg;
	struct looking x = {.plan = f->plan};

	f->due = false;
	if (!f->plan)
		return;
	if (rtnl_addrs(f->d->rtnl, on_addr, &x) < 0 || rtnl_links(f->d->rtnl, on_link, &x) < 0) {
		flows_host_changed(f);
		return;
	}
	flowdev_diff(&f->told, &x.now, tell, f);
	f->told = x.now;
}

void
flows_begin(struct flows *f, const struct nat_plan *plan)
{
	f->plan = plan && flowdev_any(plan) ? plan : NULL;
	f->told.n = 0;
	on_look(f);
}

void
flows_host_changed(struct flows *f)
{
	if (!f->plan || f->due)
		return;
	f->due = true;
	loop_timer_set(f->look, mono_add(mono_now(), LOOK_DELAY_MS));
}

struct flows *
flows_new(struct natd *d)
{
	struct flows *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->d = d;
	f->look = loop_timer_new(d->loop, on_look, f);
	if (!f->look) {
		flows_free(f);
		return NULL;
	}
	return f;
}

void
flows_free(struct flows *f)
{
	if (!f)
		return;
	loop_timer_free(f->look);
	free(f);
}
