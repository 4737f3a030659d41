/* SPDX-License-Identifier: GPL-2.0-or-later
 * settle.c - snapshot, plan, steps, until nothing is left to do.
 */
#include "vnetd/settle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/plan.h"
#include "vnetd/push.h"

enum {
	/* Events come in bunches; a repair must be done within 50 ms. A look costs a millisecond for some
	 * fifty links, so with many of them the bunches are larger. */
	SETTLE_DELAY_MS = 5,
	SETTLE_LINKS_A_MS = 32,
	/* Plans of one run: the links, their gates, up with them, and two for what changed meanwhile. */
	ROUNDS_MAX = 5, /* and a last one that only tells what is missing */
};

/* One step that is with priv. */
struct step {
	unsigned net;
	enum msg_type type;
	char name[PLAN_STEP_MAX];
	struct msg_gate_set gate; /* of a GATE_SET */
};

void
settle_init(struct settle *s)
{
	memset(s, 0, sizeof(*s));
	s->due = MONO_NEVER;
}

void
settle_fini(struct settle *s)
{
	want_fini(&s->want);
}

static void look(struct core *c);

/* --- the end of a run --- */

static void
close_net(struct core *c, struct net *n)
{
	struct settle *s = &c->settle;

	if (!n->conf)
		return;
	if (s->want.net[n->n].what == WANT_NET && !s->failed[n->n])
		net_succeeded(n, c->now);
	net_announce(c, n);
}

static void
end_run(struct core *c)
{
	struct settle *s = &c->settle;
	settle_fn *done = s->done;
	void *arg = s->arg;

	s->running = false;
	s->first_done = true;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		close_net(c, &c->net[n]);
	want_fini(&s->want);
	s->done = NULL;
	if (s->again)
		settle_soon(c);
	if (s->repairing && push_is_due(c))
		push_all(c);
	core_progress(c);
	if (done)
		done(c, arg);
	if (!s->running && s->next_done) {
		done = s->next_done;
		s->next_done = NULL;
		settle_now(c, done, s->next_arg);
	}
	core_wake(c);
}

/* --- steps and their replies --- */

/* Gone before we came: what was to go, or to be changed, went by itself. */
static bool
is_moot(enum msg_type type, uint32_t err)
{
	bool gone = err == ENODEV || err == ENOENT || err == ESRCH || err == EADDRNOTAVAIL;

	return gone && (type == MSG_BRIDGE_DEL || type == MSG_ADDR_DEL || type == MSG_ROUTE_DEL ||
			type == MSG_NEIGH_DEL || type == MSG_PORT_DEL || type == MSG_PORT_SET ||
			type == MSG_PORT_ENSLAVE);
}

static void
step_done(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *p,
	  uint32_t n UNUSED)
{
	struct settle *s = &c->settle;
	struct step *st = p;

	/* A gate that fails is one port's trouble. */
	if (st->type == MSG_GATE_SET)
		keeper_done(c, &st->gate, r);
	else if (r->err && !is_moot(st->type, r->err) && !s->failed[st->net]) {
		s->failed[st->net] = true;
		if (c->net[st->net].conf)
			net_failed(&c->net[st->net], c->now, r->text);
		else
			log_warn((int)r->err, "vmnet%u: %s could not be removed", st->net,
				 st->name);
	}
	if (st->type == MSG_BRIDGE_SET && !r->err)
		s->unhooked[st->net] = false;
	free(st);
	if (--s->pending == 0)
		look(c);
}

static void
note_repair(struct core *c, const struct step *st)
{
	struct net *n = &c->net[st->net];

	if (!c->settle.repairing || c->settle.stepped[st->net] || !n->conf || !n->runs || n->tries)
		return;
	/* A guest that comes, or that did something to its port, is nobody changing the network. */
	if (st->type == MSG_GATE_SET || st->type == MSG_PORT_SET || st->type == MSG_PORT_DEL)
		return;
	/* A filter that goes need not have been ours. */
	if (st->type == MSG_BRIDGE_SET && c->settle.unhooked[st->net])
		return;
	log_info("vmnet%u: %s was changed from outside; restored", st->net, st->name);
	events_add(c, "network-repaired", st->net, "",
		   "vmnet%u: %s was changed from outside; restored", st->net, st->name);
	net_repaired(n, c->now, st->name);
}

static void
take_step(const struct msg *m, unsigned net, void *arg)
{
	struct core *c = arg;
	struct settle *s = &c->settle;
	struct step *st = malloc(sizeof(*st));
	struct msg copy = *m;

	if (!st) {
		s->failed[net] = true;
		net_failed(&c->net[net], c->now, "out of memory");
		return;
	}
	st->net = net;
	st->type = m->type;
	if (m->type == MSG_GATE_SET)
		st->gate = m->u.gate_set;
	plan_step_name(st->name, m);
	note_repair(c, st);
	s->stepped[net] = s->stepped[net] || m->type != MSG_GATE_SET;
	if (m->type == MSG_SYSCTL_SET)
		s->made[net] = true;
	s->pending++;
	ask_priv(c, &copy, NULL, 0, step_done, st, 0);
}

/* --- a look: what is there, what is missing --- */

/* Which networks are in the way of something, and where their bridges are now. */
static void
judge_net(struct core *c, const struct snapshot *now, struct net *n)
{
	struct want_net *w = &c->settle.want.net[n->n];
	const struct rtnl_link *l = snapshot_bridge(now, n->n);
	char why[PLAN_WHY_MAX], cure[PLAN_WHY_MAX];
	enum plan_verdict v = PLAN_FREE;

	/* Also when the bridge went while no engine was there to see it. */
	n->renewed |= (l && n->ifindex && l->ifindex != n->ifindex) ||
		      (!l && n->conf && c->restarted && !c->settle.first_done);
	if (l)
		n->ifindex = l->ifindex;
	if (c->settle.made[n->n] && l && !c->settle.failed[n->n])
		c->settle.sysctls_set[n->n] = l->ifindex;
	if (n->conf && !n->conf->failed) {
		struct want_net full;

		want_net(&full, n->conf);
		v = plan_judge(why, cure, now, n->n, &full, n->runs);
	}
	net_text(&n->blocked, n->n, v == PLAN_BLOCKED ? why : NULL);
	net_text(&n->contested, n->n, v == PLAN_CONTESTED ? why : NULL);
	net_text(&n->cure, n->n, v != PLAN_FREE ? cure : NULL);
	if (c->gen)
		net_want(w, n, c->now);
	/* One failure per run is enough. */
	if (c->settle.failed[n->n] && w->what == WANT_NET)
		w->what = WANT_AS_IT_IS;
}

static void
judge_taps(struct core *c, const struct snapshot *now)
{
	const struct want *w = &c->settle.want;

	for (unsigned n = 0; n < NAMES_NETS; n++)
		net_text(&c->net[n].tap_taken, n, NULL);
	for (size_t i = 0; i < w->ntaps; i++) {
		const struct rtnl_link *l = snapshot_link_named(now, w->tap[i].name);
		char why[PLAN_WHY_MAX];

		if (!l || snapshot_is_ours(NULL, l))
			continue;
		snprintf(why, sizeof(why),
			 "static tap \"%s\": there is another interface of this name", l->name);
		net_text(&c->net[w->tap[i].net].tap_taken, w->tap[i].net, why);
	}
}

/* What is still missing after the last round will not come by trying harder. */
static void
take_unmet(const struct msg *m, unsigned net, void *arg)
{
	struct core *c = arg;
	char why[PLAN_WHY_MAX], name[PLAN_STEP_MAX];

	if (c->settle.failed[net] || !c->net[net].conf || m->type == MSG_GATE_SET)
		return;
	c->settle.failed[net] = true;
	snprintf(why, sizeof(why), "%s does not stay as vnetd sets it up", plan_step_name(name, m));
	net_failed(&c->net[net], c->now, why);
}

static bool
is_busy(const char *ifname, void *arg)
{
	return port_is_making(arg, ifname);
}

static void
make_plan(struct core *c, const struct snapshot *now)
{
	struct settle *s = &c->settle;
	struct plan p = {
	    .want = &s->want,
	    .now = now,
	    .sysctls_set = s->sysctls_set,
	    .unhooked = s->unhooked,
	    .busy = is_busy,
	    .step = s->round <= ROUNDS_MAX ? take_step : take_unmet,
	    .arg = c,
	};
	struct plan_stray *strays = port_strays(c, &p.nstrays);
	struct plan_port *ports = keeper_plan(c, &p.nports);

	p.stray = strays;
	p.port = ports;
	plan_make(&p);
	free(strays);
	free(ports);
}

static bool
make_want(struct core *c)
{
	struct settle *s = &c->settle;

	want_fini(&s->want);
	memset(&s->want, 0, sizeof(s->want));
	if (!c->gen) {
		/* Without any configuration nothing is known to be unwanted. */
		for (unsigned n = 0; n < NAMES_NETS; n++)
			s->want.net[n].what = WANT_AS_IT_IS;
		return true;
	}
	return want_taps(&s->want, c->gen->conf);
}

/* Asks for ip_forward once a network needs it: the answer also says whether this host was a router
 * before, which natd must know first. */
static void
forward_done(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
	     void *p UNUSED, uint32_t n UNUSED)
{
	free(c->forward_error);
	c->forward_error = r->err ? strdup(r->text) : NULL;
	if (r->err)
		log_warn(0, "guests of NAT networks have no Internet: %s", r->text);
	else
		c->was_router = !strcmp(r->text, "1");
	c->forward_asked = c->forward_known = r->err == 0;
	if (--c->settle.pending == 0)
		look(c);
}

static void
ask_forward(struct core *c)
{
	struct msg m = msg_make(MSG_IP_FORWARD, 0);

	if (c->forward_asked)
		return;
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		if (!c->net[n].conf || !c->net[n].conf->nat)
			continue;
		c->forward_asked = true;
		m.u.ip_forward.others = c->gen && c->gen->conf->forward_others;
		c->settle.pending++;
		ask_priv(c, &m, NULL, 0, forward_done, NULL, 0);
		return;
	}
}

static void
look(struct core *c)
{
	struct settle *s = &c->settle;
	struct snapshot now;
	int r;

	snapshot_init(&now);
	r = c->io->snapshot(c->io_arg, &now);
	if (r < 0 || now.bad || !make_want(c)) {
		log_warn(r < 0 ? -r : ENOMEM, "cannot look at the host's interfaces; trying again");
		snapshot_fini(&now);
		s->again = true;
		end_run(c);
		return;
	}
	s->links = (int64_t)now.nlinks;
	/* What happened up to here is in the snapshot. */
	s->again = false;
	s->due = MONO_NEVER;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		judge_net(c, &now, &c->net[n]);
	judge_taps(c, &now);
	ports_sync(c, &now);
	keeper_looked(c, &now);
	grant_announce(c);
	captures_review(c);
	/* Held until all steps are out, so that replies that are made up cannot end the run early. */
	s->pending++;
	if (++s->round == 1)
		ask_forward(c);
	make_plan(c, &now);
	snapshot_fini(&now);
	if (--s->pending == 0)
		end_run(c);
}

static void
start_run(struct core *c)
{
	struct settle *s = &c->settle;

	s->running = true;
	s->repairing = s->done == NULL;
	s->round = 0;
	memset(s->failed, 0, sizeof(s->failed));
	memset(s->stepped, 0, sizeof(s->stepped));
	memset(s->made, 0, sizeof(s->made));
	look(c);
}

void
settle_now(struct core *c, settle_fn *done, void *arg)
{
	struct settle *s = &c->settle;

	if (s->running) {
		s->next_done = done;
		s->next_arg = arg;
		return;
	}
	s->done = done;
	s->arg = arg;
	start_run(c);
}

void
settle_soon(struct core *c)
{
	struct settle *s = &c->settle;

	if (s->running) {
		s->again = true;
		return;
	}
	s->again = false;
	if (s->due.ms == MONO_NEVER.ms)
		s->due = mono_add(c->now, SETTLE_DELAY_MS + s->links / SETTLE_LINKS_A_MS);
	core_wake(c);
}

struct mono
settle_deadline(const struct core *c)
{
	struct mono t = c->settle.due;

	if (c->settle.running || !c->settle.first_done)
		return MONO_NEVER;
	for (unsigned n = 0; n < NAMES_NETS; n++)
		t = mono_min(t, net_deadline(&c->net[n]));
	return mono_min(t, keeper_deadline(c));
}

void
settle_timer(struct core *c)
{
	if (!mono_before(c->now, settle_deadline(c)))
		start_run(c);
}
