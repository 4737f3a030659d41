/* SPDX-License-Identifier: GPL-2.0-or-later
 * keeper.c - the gates of all ports, kept as they should be.
 */
#include "vnetd/keeper.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/gate_maps.h"
#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/gate.h"
#include "vnetd/gate_rule.h"

enum {
	/* A gate that could not be set is tried again after this, and a blocked tap looked at: what its
	 * holder does to it while it is down is no event. */
	RETRY_MS = 2000,
};

void
keeper_init(struct keeper *k)
{
	memset(k, 0, sizeof(*k));
}

void
keeper_fini(struct keeper *k)
{
	free(k->seen);
	keeper_init(k);
}

void
port_gate_init(struct port_gate *g)
{
	memset(g, 0, sizeof(*g));
	g->retry_at = MONO_NEVER;
}

void
port_gate_fini(struct port_gate *g)
{
	free(g->trouble);
	port_gate_init(g);
}

PRINTF_LIKE(2, 3)
static void
set_trouble(struct port_gate *g, const char *fmt, ...)
{
	va_list ap;
	char text[256];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(g->trouble);
	g->trouble = strdup(text);
}

/* --- what the kernel has kept --- */

static void
remember(struct keeper *k, const struct msg_gate_row *row)
{
	if (k->nseen == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 64;
		struct msg_gate_row *v = reallocarray(k->seen, cap, sizeof(*v));

		if (!v)
			return;
		k->seen = v;
		k->cap = cap;
	}
	k->seen[k->nseen++] = *row;
}

static void
take_row(struct core *c, const struct msg *m, int *fds UNUSED, size_t nfds UNUSED, void *arg UNUSED)
{
	if (!port_knows(c, (int)m->u.gate_row.ifindex))
		remember(&c->keeper, &m->u.gate_row);
}

static void
listed(struct core *c UNUSED, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
       void *p UNUSED, uint32_t n UNUSED)
{
	if (r->err)
		log_warn(0, "the gates of earlier ports cannot be read: %s", r->text);
}

/* A gate that no port has: the next look ends it. */
static void
swept(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p, uint32_t n)
{
	listed(c, r, fds, nfds, p, n);
	if (c->keeper.nseen)
		settle_soon(c);
}

void
keeper_sweep(struct core *c, unsigned net)
{
	struct msg m = msg_make(MSG_GATE_LIST, 0);

	m.u.gate_list.net = (uint16_t)net;
	ask_priv_rows(c, &m, take_row, swept, NULL, 0);
}

static void
events_open(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p UNUSED,
	    uint32_t n UNUSED)
{
	if (r->err || nfds != 1)
		log_warn(0, "no events of ports: %s", r->text);
	else
		c->io->watch(c->io_arg, WATCH_GATE, &fds[0]);
}

void
keeper_start(struct core *c)
{
	struct msg list = msg_make(MSG_GATE_LIST, 0), events = msg_make(MSG_GATE_EVENTS, 0);

	list.u.gate_list.net = MSG_NET_ALL;
	ask_priv_rows(c, &list, take_row, listed, NULL, 0);
	ask_priv(c, &events, NULL, 0, events_open, NULL, 0);
}

void
keeper_found(struct core *c, struct port *p)
{
	struct keeper *k = &c->keeper;

	for (size_t i = 0; i < k->nseen; i++) {
		const struct msg_gate_row *row = &k->seen[i];

		if (row->ifindex != (uint32_t)p->ifindex)
			continue;
		if (!mac_is_zero(row->mac)) {
			p->gate.mac = row->mac;
			k->leases_wanted = true;
		}
		if (row->ip.h)
			p->gate.ip = row->ip;
		/* What was said since the attach is newer than what the gate was made with. */
		if (row->memo.len && !p->gate.known)
			promisc_unpack(&p->promisc, row->memo.b, row->memo.len);
		if (row->promisc || row->mac_policy == MAC_POLICY_LEARN)
			p->told = PROMISC_GRANTED;
		k->seen[i] = k->seen[--k->nseen];
		i--;
	}
	if (p->promisc.blocked)
		set_trouble(&p->gate,
			    "its tap's holder changed the interface; it is down until: "
			    "vnetctl port %s set link up",
			    port_name(p));
}

static void
end_gate(struct core *c, uint32_t ifindex)
{
	struct msg m = msg_make(MSG_GATE_DEL, 0);

	m.u.gate_del.ifindex = ifindex;
	ask_priv(c, &m, NULL, 0, ask_ignore, NULL, 0);
}

void
keeper_looked(struct core *c, const struct snapshot *now)
{
	struct keeper *k = &c->keeper;

	for (size_t i = 0; i < k->nseen; i++) {
		const struct rtnl_link *l = snapshot_link(now, (int)k->seen[i].ifindex);

		/* One that is half made becomes a port yet. */
		if (l && (snapshot_is_ours(NULL, l) || snapshot_net_of(now, l->master) >= 0))
			continue;
		end_gate(c, k->seen[i].ifindex);
		k->seen[i--] = k->seen[--k->nseen];
	}
	if (k->leases_wanted)
		keeper_ask_leases(c);
	k->leases_wanted = false;
}

/* --- what a tap's holder can do to it --- */

/* MSG_UID_NONE: ours to give away, so nobody else's. */
static bool
owner_changed(const struct core *c, const struct port *p, const struct rtnl_link *l)
{
	return p->alias.kind != PORT_ADOPTED && p->alias.owner != MSG_UID_NONE &&
	       l->tun_owner != (int64_t)p->alias.owner &&
	       /* A static tap is made anew by the plan. */
	       p->alias.kind != PORT_STATIC && c->ports.synced;
}

static void
block(struct core *c, struct port *p, const char *what)
{
	if (p->promisc.blocked)
		return;
	p->promisc.blocked = true;
	set_trouble(&p->gate,
		    "its tap's holder changed the interface's %s; it is down until: "
		    "vnetctl port %s set link up",
		    what, port_name(p));
	log_warn(0, "%s on vmnet%u: its holder changed the interface's %s: taken down",
		 port_name(p), p->net, what);
	events_add(c, "port-blocked", p->net, port_name(p),
		   "%s: its holder changed the interface's %s: taken down", port_name(p), what);
}

void
keeper_inspect(struct core *c, struct port *p, const struct rtnl_link *l)
{
	struct gate_brport want;
	char what[64];

	gate_brport(&want, &p->gate.set, !mac_is_zero(p->gate.mac));
	if (p->gate.known && p->on_bridge &&
	    (l->port_locked != want.locked || l->port_learning != want.learning ||
	     l->port_flood != want.flood))
		p->gate.known = false;
	if (strcmp(l->kind, "tun") != 0 || p->alias.kind == PORT_ADOPTED || p->making)
		return;
	if (!mac_eq(l->mac, names_port_mac(l->name))) {
		snprintf(what, sizeof(what), "MAC address to %s", MAC_STR(l->mac));
		block(c, p, what);
	} else if (owner_changed(c, p, l)) {
		block(c, p, "owner");
	}
}

void
keeper_lost_bridge(struct core *c UNUSED, struct port *p, bool had_one)
{
	/* One that was just made has its gate from the attach. */
	if (had_one)
		p->gate.known = false;
}

void
keeper_gone(struct core *c, const struct port *p)
{
	/* Ports that copied their frames to it must not copy them to whoever gets its slot. */
	for (struct port *q = c->ports.head; q; q = q->next)
		if (q->gate.known && !strcmp(q->gate.set.span, p->ifname))
			q->gate.known = false;
	if (p->ifindex)
		end_gate(c, (uint32_t)p->ifindex);
	else
		keeper_sweep(c, p->net);
}

/* --- what should be --- */

struct conf_port
keeper_conf(const struct core *c, const struct port *p)
{
	const struct gate_port gp = port_identity(p);

	return gate_conf(c->gen ? c->gen->conf : NULL, &gp);
}

/* The port that gets copies of this one's frames: one that is configured so. A section of that name alone says
 * nothing: it may be for another user's port, or give way to another section. "": none. */
static const char *
span_of(const struct core *c, const struct port *p)
{
	const struct conf *conf = c->gen ? c->gen->conf : NULL;

	for (size_t i = 0; conf && i < conf->nports; i++) {
		const struct conf_port *s = &conf->port[i];
		const char *name = s->name ? s->name : MAC_STR(s->key);

		/* Asked of each port in each plan: so no search for it first. */
		if (!s->mirror_of || !port_is_named(p, s->mirror_of))
			continue;
		for (const struct port *q = c->ports.head; q; q = q->next) {
			const char *of;

			if (q == p || q->net != p->net || !q->on_bridge || !port_is_named(q, name))
				continue;
			of = keeper_conf(c, q).mirror_of;
			if (of && port_is_named(p, of))
				return q->ifname;
		}
	}
	return "";
}

void
keeper_want(const struct core *c, const struct port *p, struct msg_gate_set *out)
{
	const struct conf_port conf = keeper_conf(c, p);
	const char *marker;
	const struct gate_case gc = {
	    .net = p->net,
	    .ifname = p->ifname,
	    .conf = c->net[p->net].conf,
	    .port = &conf,
	    .guest = port_is_machine(p),
	    .told = p->alias.mac,
	    .ip = p->gate.ip,
	    .granted = grant_judge(c, p, &marker).state == PROMISC_GRANTED,
	    .span = span_of(c, p),
	    .promisc = &p->promisc,
	};

	gate_want(out, &gc);
	out->unpin = p->gate.unpin;
}

bool
keeper_is_unplugged(const struct core *c, const struct port *p)
{
	return p->alias.kind != PORT_ADOPTED && keeper_conf(c, p).link == 0;
}

static int
by_ifindex(const void *a, const void *b)
{
	int x = ((const struct plan_port *)a)->ifindex, y = ((const struct plan_port *)b)->ifindex;

	return (x > y) - (x < y);
}

/* What has just failed would fail again; another wish need not. */
static bool
is_due(const struct port_gate *g, const struct msg_gate_set *want, bool waits)
{
	if (waits && gate_same(&g->failed, want))
		return false;
	return !g->known || g->unpin || !gate_same(&g->set, want);
}

static void
fill(const struct core *c, struct port *p, struct plan_port *out)
{
	bool waits = mono_before(c->now, p->gate.retry_at) && p->gate.retry_at.ms != MONO_NEVER.ms;
	const struct conf_net *conf = c->net[p->net].conf;

	if (!waits)
		p->gate.retry_at = p->promisc.blocked ? mono_add(c->now, RETRY_MS) : MONO_NEVER;
	*out = (struct plan_port){
	    .ifindex = p->ifindex,
	    .net = p->net,
	    .blocked = p->promisc.blocked,
	    .down = p->promisc.blocked || keeper_is_unplugged(c, p),
	};
	/* Without a configuration that can be used nobody knows what its gate should be. */
	if (!p->on_bridge || !conf || conf->failed)
		return;
	keeper_want(c, p, &out->gate);
	out->gated = p->gate.known;
	out->set = is_due(&p->gate, &out->gate, waits);
}

struct plan_port *
keeper_plan(struct core *c, size_t *n)
{
	struct plan_port *v;
	size_t max = 0;

	*n = 0;
	for (const struct port *p = c->ports.head; p; p = p->next)
		max++;
	v = calloc(max ? max : 1, sizeof(*v));
	for (struct port *p = c->ports.head; v && p; p = p->next)
		if (p->ifindex && !p->making)
			fill(c, p, &v[(*n)++]);
	if (v)
		qsort(v, *n, sizeof(*v), by_ifindex);
	return v;
}

static void
clear_trouble(struct port_gate *g)
{
	free(g->trouble);
	g->trouble = NULL;
}

static void
in_force(struct core *c, struct port *p, const struct msg_gate_set *m, bool all)
{
	/* What is only tried again must not keep others waiting. */
	if (all || !p->gate.known || !gate_same(&p->gate.set, m))
		fasten_later(c, p);
	p->gate.known = true;
	p->gate.set = *m;
	p->gate.set.unpin = false;
	if (m->unpin)
		p->gate.unpin = false;
	if (!mac_is_zero(m->mac) && (m->mac_policy == MAC_POLICY_GIVEN || mac_is_zero(p->gate.mac)))
		p->gate.mac = m->mac;
}

/* Of what is tried again and again it is told once. */
static bool
is_news(const struct port_gate *g, const struct msg_reply *r)
{
	return !g->trouble || !strstr(g->trouble, r->text);
}

/* All of it stands but promiscuous mode, which waits for room. */
static void
has_no_room(struct core *c, struct port *p, const struct msg_gate_set *m, const struct msg_reply *r)
{
	struct msg_gate_set rest = *m;

	gate_without_promisc(&rest);
	in_force(c, p, &rest, false);
	if (p->promisc.blocked || !is_news(&p->gate, r))
		return;
	set_trouble(&p->gate, "promiscuous mode has no room: %s", r->text);
	log_warn(0, "%s on vmnet%u: promiscuous mode has no room: %s", port_name(p), p->net,
		 r->text);
	events_add(c, "promisc-waits", p->net, port_name(p), "%s: promiscuous mode has no room: %s",
		   port_name(p), r->text);
}

static void
has_no_gate(struct core *c, struct port *p, const struct msg_reply *r)
{
	p->gate.known = false;
	if (!is_news(&p->gate, r))
		return;
	set_trouble(&p->gate, "it has no gate: %s", r->text);
	log_warn(0, "%s on vmnet%u has no gate: %s", port_name(p), p->net, r->text);
	events_add(c, "port-ungated", p->net, port_name(p), "%s has no gate: %s", port_name(p),
		   r->text);
}

void
keeper_done(struct core *c, const struct msg_gate_set *m, const struct msg_reply *r)
{
	struct port *p = port_of_ifname(c, m->ifname);

	if (!p)
		return;
	p->gate.failed = r->err ? *m : (struct msg_gate_set){0};
	p->gate.retry_at = r->err ? mono_add(c->now, RETRY_MS) : MONO_NEVER;
	if (r->err == ENODEV) {
		/* It left while the request was under way. */
		p->gate.known = false;
		p->gate.retry_at = MONO_NEVER;
	} else if (r->err == ENOSPC) {
		has_no_room(c, p, m, r);
	} else if (r->err) {
		has_no_gate(c, p, r);
	} else {
		in_force(c, p, m, true);
		if (!p->promisc.blocked)
			clear_trouble(&p->gate);
	}
}

/* Who waits for an address to be forgotten. */
struct unpin {
	uint32_t client, request;
	struct msg_gate_set set;
};

static void
unpinned(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED, void *arg,
	 uint32_t n UNUSED)
{
	struct unpin *u = arg;
	struct client *cl = client_find(c, u->client);
	int err = r->err == ENOSPC ? 0 : (int)r->err; /* the address is forgotten then */

	keeper_done(c, &u->set, r);
	if (cl)
		client_reply(c, cl, u->request, err, err ? r->text : NULL);
	settle_soon(c);
	free(u);
}

void
keeper_unpin(struct core *c, struct port *p, const struct client *cl, uint32_t request)
{
	struct msg m = msg_make(MSG_GATE_SET, 0);
	struct unpin *u = calloc(1, sizeof(*u));

	if (!u) {
		client_reply(c, cl, request, ENOMEM, "out of memory");
		return;
	}
	p->gate.unpin = true;
	p->promisc.unpinned = true;
	p->gate.mac = (struct mac){{0}};
	p->gate.ip = (struct ip4){0};
	keeper_want(c, p, &m.u.gate_set);
	u->client = cl->serial;
	u->request = request;
	u->set = m.u.gate_set;
	ask_priv(c, &m, NULL, 0, unpinned, u, 0);
}

void
keeper_pardon(struct core *c, struct port *p)
{
	if (!p->promisc.blocked)
		return;
	p->promisc.blocked = false;
	p->gate.retry_at = MONO_NEVER;
	clear_trouble(&p->gate);
	log_info("%s on vmnet%u may be up again", port_name(p), p->net);
	settle_soon(c);
}

struct mono
keeper_deadline(const struct core *c)
{
	struct mono t = MONO_NEVER;

	for (const struct port *p = c->ports.head; p; p = p->next)
		t = mono_min(t, p->gate.retry_at);
	return t;
}

/* --- addresses of guarded ports --- */

static bool
guards_ip(const struct core *c, const struct port *p)
{
	const struct conf_port conf = keeper_conf(c, p);

	return gate_guards_ip(c->net[p->net].conf, &conf);
}

static void
take_address(struct core *c, unsigned net, struct mac mac, struct ip4 ip, bool keep)
{
	for (struct port *p = c->ports.head; p; p = p->next) {
		if (p->net != net || !mac_eq(port_address(p), mac) || ip4_eq(p->gate.ip, ip) ||
		    (keep && p->gate.ip.h))
			continue;
		p->gate.ip = ip;
		if (guards_ip(c, p))
			settle_soon(c);
	}
}

/* The lease is over, and the next guest may get its address. */
static void
drop_address(struct core *c, unsigned net, struct mac mac, struct ip4 ip)
{
	for (struct port *p = c->ports.head; p; p = p->next) {
		if (p->net != net || !mac_eq(port_address(p), mac) || !ip4_eq(p->gate.ip, ip))
			continue;
		p->gate.ip = (struct ip4){0};
		if (!guards_ip(c, p))
			continue;
		settle_soon(c);
		/* There may be a reservation. */
		keeper_ask_leases(c);
	}
}

void
keeper_lease(struct core *c, const struct msg_lease_changed *m)
{
	if (m->event == LEASE_NEW || m->event == LEASE_RENEWED)
		take_address(c, m->net, m->mac, m->addr, false);
	else
		drop_address(c, m->net, m->mac, m->addr);
}

static void
take_lease(struct core *c, const struct msg *m, void *arg UNUSED)
{
	const struct msg_lease_row *r = &m->u.lease_row;

	if (m->type != MSG_LEASE_ROW) {
		c->keeper.leases_asked = false;
		c->keeper.leases_known |= !m->u.reply.err;
		return;
	}
	/* A lease counts more than the reservation behind it. */
	if (r->state == LEASE_ROW_ACTIVE || r->state == LEASE_ROW_RESERVED)
		take_address(c, r->net, r->mac, r->addr, r->state == LEASE_ROW_RESERVED);
}

void
keeper_ask_leases(struct core *c)
{
	struct msg m = msg_make(MSG_LEASE_LIST, 0);
	bool wanted = false;

	for (const struct port *p = c->ports.head; p && !wanted; p = p->next)
		wanted = (guards_ip(c, p) || !c->keeper.leases_known) &&
			 !mac_is_zero(port_address(p)) && p->gate.ip.h == 0;
	if (!wanted || c->keeper.leases_asked)
		return;
	c->keeper.leases_asked = true;
	m.u.lease_list.net = MSG_NET_ALL;
	worker_ask(c, ROLE_DHCPD, &m, take_lease, NULL);
}

/* --- reports --- */

static void
pinned(struct core *c, const struct gate_event *e)
{
	struct port *p = port_of_index(c, (int)e->ifindex);
	struct mac mac = gate_mac_of(e->mac);

	if (!p) {
		/* It is being made, or its snapshot is still to come. */
		struct msg_gate_row row = {.ifindex = e->ifindex, .mac = mac};

		remember(&c->keeper, &row);
		return;
	}
	p->gate.mac = mac;
	p->gate.known = false;
	/* From here on the kernel knows better than what was told. */
	p->promisc.unpinned = false;
	log_info("%s on vmnet%u: its address is %s", port_name(p), p->net, MAC_STR(mac));
	events_add(c, "port-pinned", p->net, port_name(p), "%s: its address is %s", port_name(p),
		   MAC_STR(mac));
	keeper_ask_leases(c);
	settle_soon(c);
}

static void
dropped(struct core *c, const struct gate_event *e)
{
	const struct port *p = port_of_index(c, (int)e->ifindex);
	const char *reason = drop_reason_name((enum drop_reason)e->reason);

	if (!p || e->reason >= DROP_REASON_N)
		return;
	/* A guest's fault is no warning. */
	log_debug("%s on vmnet%u: dropped %llu so far as \"%s\", the last from %s", port_name(p),
		  p->net, (unsigned long long)e->drops, reason, MAC_STR(gate_mac_of(e->mac)));
	events_add(c, "port-dropped", p->net, port_name(p),
		   "%s: dropped %llu so far as \"%s\", the last from %s", port_name(p),
		   (unsigned long long)e->drops, reason, MAC_STR(gate_mac_of(e->mac)));
}

void
core_gate_event(struct core *c, struct mono now, const struct gate_event *e)
{
	c->now = now;
	switch ((enum gate_event_kind)e->kind) {
	case GATE_EVENT_PINNED:
		pinned(c, e);
		break;
	case GATE_EVENT_LEARNED:
		break;
	case GATE_EVENT_DROPPED:
		dropped(c, e);
		break;
	}
}

void
core_fdb_gone(struct core *c, struct mono now, const struct rtnl_fdb *f)
{
	struct port *p = port_of_index(c, f->ifindex);
	struct msg m = msg_make(MSG_GATE_FORGET, 0);

	c->now = now;
	if (!p || f->local || mac_is_multicast(f->mac))
		return;
	if (mac_eq(p->gate.mac, f->mac)) {
		p->gate.known = false;
		settle_soon(c);
	} else if (!p->gate.known || p->gate.set.mac_policy == MAC_POLICY_LEARN) {
		/* priv knows whether it had learned that. What nobody was there to hear of, it finds out at the
		 * next GATE_SET. */
		m.u.gate_forget.ifindex = (uint32_t)f->ifindex;
		m.u.gate_forget.mac = f->mac;
		ask_priv(c, &m, NULL, 0, ask_ignore, NULL, 0);
	}
}

void
core_filter_gone(struct core *c, struct mono now, int ifindex)
{
	struct port *p = port_of_index(c, ifindex);

	c->now = now;
	/* It may have been ours. */
	if (p && !p->gate.fastened) {
		p->gate.known = false;
		settle_soon(c);
	}
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		if (c->net[n].ifindex != ifindex || !c->net[n].conf)
			continue;
		c->settle.unhooked[n] = true;
		settle_soon(c);
	}
}
