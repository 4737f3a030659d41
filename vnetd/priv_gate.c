/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_gate.c - the gates of ports and bridges: maps, programs, attributes of the bridge, in the order in
 * which nothing passes that should not. Runs in priv.
 *
 * Contract: only links that are on a bridge of ours get a gate, whoever made them; of those that are not
 * ours nothing else is touched. The programs are told first, since they decide; then they are attached; then
 * the bridge learns whom to send frames to. Every verb can be repeated, and mends what somebody has taken away.
 * A port whose gate cannot be set has a program and a slot without a policy: nothing that it sends passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "lib/wire.h"
#include "vnetd/gate.h"
#include "vnetd/gate_rule.h"
#include "vnetd/priv.h"
#include "vnetd/priv_gate_map.h"

/* One GATE_SET. */
struct setting {
	struct msg_gate_set *m;
	struct nl_link bridge, port;
	unsigned slot, span;
	bool full;              /* promiscuous mode has no room */
	struct gate_policy was; /* the policy so far, in this network; ifindex 0: none */
	uint64_t had;           /* the port's own address so far; 0: none */
	uint64_t entry;         /* the one that the bridge has been told of; 0: none */
};

/* ------------------------------------------------------------------ what the host sends */

/* The bridge's program makes copies and does nothing else: it is there while somebody gets them. */
static int
watch_host(struct priv *p, unsigned net, bool on)
{
	const unsigned slot = p->gate->bridge[net];
	const int ifindex = (int)p->gate->policy[slot].ifindex;
	int r;

	if (slot == 0 || ifindex == 0)
		return 0;
	if (!on) {
		r = hook_detach(p->hooks, p->route, ifindex, NL_EGRESS);
		return r == -ENOENT || r == -ENODEV ? 0 : r;
	}
	if (!hook_has_egress(p->hooks, p->route, ifindex)) {
		/* Only copies are missing: no reason to refuse the port. */
		log_warn(0,
			 "vmnet%u: somebody's ingress qdisc is there, so that promiscuous ports do "
			 "not get what the host sends. Try: tc qdisc delete dev vmnet%u ingress",
			 net, net);
		return 0;
	}
	r = hook_fasten(p->hooks, ifindex, NL_EGRESS, p->gate->fds.host);
	return r == -EOPNOTSUPP
		   ? hook_attach(p->hooks, p->route, ifindex, NL_EGRESS, p->gate->fds.host)
		   : r;
}

/* A port is not what it was in this network, where `had` places for promiscuous ports were in use. */
static void
watch_less(struct priv *p, unsigned net, uint32_t had)
{
	int r = had && p->gate->net[net].n == 0 ? watch_host(p, net, false) : 0;

	if (r < 0)
		log_warn(-r, "vmnet%u: cannot end the copies of what the host sends", net);
}

/* ------------------------------------------------------------------ who it is about */

/* A link that is on the bridge now. */
static int
port_get(struct priv *p, struct call *c, const char *ifname, const struct nl_link *bridge,
	 struct nl_link *port)
{
	int r = nl_link_get(p->route, ifname, port);

	if (r == -ENODEV)
		return fail(c, r, "%s: there is no such interface", ifname);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot look at it", ifname);
	if (port->master != bridge->ifindex)
		return fail(c, -ENODEV, "%s: not a port of %s", ifname, bridge->name);
	return 0;
}

static int
slot_get(struct priv *p, struct call *c, const struct nl_link *l, unsigned *slot)
{
	int r = gate_map_take(p->gate, (uint32_t)l->ifindex, slot);

	if (r == -ENOSPC)
		return fail(c, -EUSERS,
			    "%s: all %d gates are in use. Detach ports that nobody needs", l->name,
			    GATE_SLOTS - 1);
	return r < 0 ? fail_errno(c, r, "%s: cannot note its gate", l->name) : 0;
}

static int
look(struct priv *p, struct call *c, struct setting *s)
{
	int r = priv_bridge_get(p, c, s->m->net, &s->bridge);

	return r < 0 ? r : port_get(p, c, s->m->ifname, &s->bridge, &s->port);
}

/* Its own GATE_SET may still be to come: until then its slot is free for the programs, and nothing is copied. */
static int
look_span(struct priv *p, struct call *c, struct setting *s)
{
	struct nl_link span;
	int r;

	if (!s->m->span[0])
		return 0;
	r = port_get(p, c, s->m->span, &s->bridge, &span);
	return r < 0 ? r : slot_get(p, c, &span, &s->span);
}

/* All else of the policy does not wait for room. */
static void
make_do(struct priv *p, struct setting *s)
{
	const struct gate_net *n = &p->gate->net[s->m->net];

	s->full = s->m->promisc && !gate_net_has(n, s->slot) && gate_net_is_full(n);
	if (s->full)
		gate_without_promisc(s->m);
}

static int
fail_full(struct call *c, const struct setting *s)
{
	return fail(c, -ENOSPC, "vmnet%u has %d promiscuous ports already, which is the most",
		    s->m->net, GATE_MIRRORS_MAX);
}

/* What it is so far; what it was in another network counts for nothing here. */
static void
begin(struct priv *p, struct setting *s)
{
	uint32_t had;

	s->was = p->gate->policy[s->slot];
	had = p->gate->net[s->was.net].n;
	if (s->was.ifindex && s->was.net != s->m->net) {
		gate_map_leave(p->gate, s->slot);
		watch_less(p, s->was.net, had);
	}
	if (s->was.net != s->m->net)
		s->was = (struct gate_policy){0};
	s->had = gate_map_mac(p->gate, s->slot);
	if (s->was.ifindex && s->was.mac_policy != MAC_POLICY_ANY)
		s->entry = s->had;
}

/* ------------------------------------------------------------------ addresses */

static int
fail_taken(struct priv *p, struct call *c, const struct setting *s, unsigned owner)
{
	struct nl_link l;

	if (owner == p->gate->bridge[s->m->net])
		return fail(c, -EADDRINUSE, "%s: address %s is the host's in this network",
			    s->m->ifname, MAC_STR(s->m->mac));
	if (nl_link_get_index(p->route, (int)p->gate->policy[owner].ifindex, &l) < 0)
		memcpy(l.name, "another port", sizeof("another port"));
	return fail(c, -EADDRINUSE,
		    "%s: address %s belongs to %s in this network already. Give each guest an "
		    "address of its own",
		    s->m->ifname, MAC_STR(s->m->mac), l.name);
}

/* It belongs to a link that is gone, of which the engine has not heard yet: a machine that was started
 * again comes back with its address. */
static bool
owner_is_gone(struct priv *p, unsigned owner)
{
	uint32_t ifindex = owner < GATE_SLOTS ? p->gate->slots.ifindex[owner] : 0;
	struct nl_link l;

	return ifindex == 0 || nl_link_get_index(p->route, (int)ifindex, &l) == -ENODEV;
}

/* The told address becomes the port's: at once if it is given, else if it has none. */
static int
take_address(struct priv *p, struct call *c, struct setting *s)
{
	const uint64_t mac = gate_mac_number(s->m->mac);
	bool given = s->m->mac_policy == MAC_POLICY_GIVEN;
	unsigned owner;
	uint64_t had;
	int r;

	if (mac == 0 || s->had == mac || (s->had && !given))
		return 0;
	r = gate_map_own(p->gate, s->m->net, mac, s->slot, &owner);
	if (r == -EADDRINUSE && owner_is_gone(p, owner)) {
		gate_map_disown(p->gate, s->m->net, mac, owner);
		r = gate_map_own(p->gate, s->m->net, mac, s->slot, &owner);
	}
	if (r == -EADDRINUSE)
		return fail_taken(p, c, s, owner);
	if (r < 0)
		return fail_errno(c, r, "%s: cannot note its address", s->m->ifname);
	if (given) {
		had = gate_map_set_mac(p->gate, s->slot, mac);
	} else {
		/* A frame of its own may be faster. */
		had = gate_map_offer_mac(p->gate, s->slot, mac);
		had = had == mac ? 0 : mac;
	}
	if (had && had != gate_map_mac(p->gate, s->slot))
		gate_map_disown(p->gate, s->m->net, had, s->slot);
	return 0;
}

static void
unpin(struct priv *p, struct setting *s)
{
	if (!s->m->unpin || !s->had)
		return;
	gate_map_disown(p->gate, s->m->net, s->had, s->slot);
	gate_map_set_mac(p->gate, s->slot, 0);
	s->had = 0;
}

/* ------------------------------------------------------------------ programs and bridge */

static int
attach_in(struct priv *p, struct call *c, const struct nl_link *l)
{
	int r = hook_attach(p->hooks, p->route, l->ifindex, NL_INGRESS, p->gate->fds.in);

	return r < 0 ? fail_nl(p, c, r, "%s: cannot attach the gate's program", l->name) : 0;
}

static int
attach_out(struct priv *p, struct call *c, const struct nl_link *l, unsigned slot)
{
	bool wanted = gate_rule_watches_egress(&p->gate->policy[slot]);
	int r;

	if (!hook_has_egress(p->hooks, p->route, l->ifindex))
		return wanted ? fail(c, -EBUSY,
				     "%s: somebody's ingress qdisc is in the way of rate-in and "
				     "mirror-of. Try: tc qdisc delete dev %s ingress",
				     l->name, l->name)
			      : 0;
	r = wanted ? hook_attach(p->hooks, p->route, l->ifindex, NL_EGRESS, p->gate->fds.out)
		   : hook_detach(p->hooks, p->route, l->ifindex, NL_EGRESS);
	return r < 0 && r != -ENOENT
		   ? fail_nl(p, c, r, "%s: cannot attach the gate's program", l->name)
		   : 0;
}

static bool
same_port(const struct nl_port *a, const struct nl_port *b)
{
	return a->locked == b->locked && a->learning == b->learning && a->flood == b->flood;
}

/* The entry before the lock, so that the port's own frames go on; and the lock away before the entry. */
static int
tell_bridge(struct priv *p, struct call *c, const struct setting *s)
{
	const struct nl_port *is = &s->port.port;
	uint64_t mac = gate_map_mac(p->gate, s->slot);
	struct gate_brport want;
	struct nl_port port;
	int r = 0;

	gate_brport(&want, s->m, mac != 0);
	port = (struct nl_port){want.locked, want.learning, want.flood};
	if (want.entry)
		r = nl_fdb_set(p->route, s->port.ifindex, gate_mac_of(mac));
	if (r == 0 && !same_port(is, &port))
		r = nl_port_set(p->route, s->port.ifindex, &port, is->learning && !port.learning);
	if (r == 0 && s->entry && (!want.entry || s->entry != mac))
		r = nl_fdb_del(p->route, s->port.ifindex, gate_mac_of(s->entry));
	return r < 0 ? fail_nl(p, c, r, "%s: cannot set it up as a port", s->m->ifname) : 0;
}

/* Learned addresses that its bridge has not been found to know so far. */
struct stale {
	uint64_t mac[GATE_LEARN_MAX];
	size_t n;
};

static void
on_entry(struct mac mac, void *arg)
{
	const uint64_t known = gate_mac_number(mac);
	struct stale *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (s->mac[i] == known) {
			s->mac[i] = s->mac[--s->n];
			return;
		}
}

/* What the bridge forgot while nobody listened would count for ever. Its own one stays its own, however long it
 * has been silent. One that was learned just now, and that the bridge does not know yet, comes back with the
 * next frame. */
static void
forget_stale(struct priv *p, const struct setting *s)
{
	struct stale *stale = malloc(sizeof(*stale));
	int r = 0;

	/* Without an answer they stay. */
	do {
		if (stale)
			stale->n = gate_map_list(p->gate, s->slot, stale->mac, GATE_LEARN_MAX);
		if (stale && stale->n)
			r = nl_fdb_each(p->route, s->port.ifindex, on_entry, stale);
	} while (r == -EAGAIN);
	for (size_t i = 0; stale && r == 0 && i < stale->n; i++)
		gate_map_unlearn(p->gate, s->slot, stale->mac[i]);
	free(stale);
}

/* What it has learned and may have no more; its own address stays. Where it may have some of them, those in use
 * come back with their next frame. */
static void
unlearn(struct priv *p, const struct setting *s, const struct gate_policy *is)
{
	bool learns = is->mac_policy == MAC_POLICY_LEARN;

	if (learns ? gate_map_learned(p->gate, s->slot) > is->learn
		   : s->was.mac_policy == MAC_POLICY_LEARN)
		gate_map_unlearn_all(p->gate, s->slot);
	else if (gate_map_learned(p->gate, s->slot))
		forget_stale(p, s);
}

static int
set_policy(struct priv *p, struct call *c, const struct setting *s)
{
	struct gate_policy policy;
	uint32_t had;
	int r;

	gate_rule_policy(&policy, s->m, (uint32_t)s->port.ifindex, s->slot, s->span);
	/* Whoever captures there goes on. */
	policy.capture = s->was.capture;
	r = gate_map_set_policy(p->gate, s->slot, &policy);
	if (r < 0)
		return fail_errno(c, r, "%s: cannot set its policy", s->m->ifname);
	gate_map_restart_rates(p->gate, s->slot, &s->was);
	unlearn(p, s, &policy);
	had = p->gate->net[s->m->net].n;
	/* Whoever gets a copy of anything gets one of everything. */
	r = s->m->promisc && !had ? watch_host(p, s->m->net, true) : 0;
	if (r == 0)
		r = gate_map_set_promiscuous(p->gate, s->m->net, s->slot, s->m->promisc);
	watch_less(p, s->m->net, had);
	return r < 0 ? fail_errno(c, r, "%s: cannot set promiscuous mode", s->m->ifname) : 0;
}

/* Until the policy stands. A port that has one already gets the new one, which may be the stricter, even
 * when it cannot have the address that comes with it: it keeps its own then. */
static int
prepare(struct priv *p, struct call *c, struct setting *s)
{
	int taken, r = slot_get(p, c, &s->port, &s->slot);

	if (r < 0)
		return r;
	make_do(p, s);
	begin(p, s);
	r = look_span(p, c, s);
	if (r < 0)
		return r;
	unpin(p, s);
	taken = take_address(p, c, s);
	if (taken < 0 && (!s->was.ifindex || taken != -EADDRINUSE))
		return taken;
	r = set_policy(p, c, s);
	return r < 0 ? r : taken;
}

/* The slot stays, so that a list shows the link, and somebody ends its gate. Of a port that is down it goes
 * without saying. */
static int
passes_nothing(struct call *c, const struct setting *s, int err)
{
	size_t len = strlen(c->text);

	if (s->port.flags & IFF_UP)
		snprintf(c->text + len, sizeof(c->text) - len,
			 "; until then nothing that it sends passes");
	return err;
}

int
priv_gate_set(struct priv *p, struct call *c)
{
	struct msg_gate_set m = c->m->u.gate_set;
	struct setting s = {.m = &m};
	int ready, r = look(p, c, &s);

	if (r < 0)
		return r;
	ready = prepare(p, c, &s);
	/* Whatever it was told: without a policy it drops all. */
	r = attach_in(p, c, &s.port);
	if (r < 0)
		return r;
	if (s.slot == 0 || p->gate->policy[s.slot].ifindex == 0)
		return passes_nothing(c, &s, ready);
	if (ready < 0 && ready != -EADDRINUSE)
		return ready;
	r = tell_bridge(p, c, &s);
	if (r == 0)
		r = attach_out(p, c, &s.port, s.slot);
	if (r == 0)
		r = ready;
	return r == 0 && s.full ? fail_full(c, &s) : r;
}

int
priv_gate_shut(struct priv *p, struct call *c, const struct nl_link *l)
{
	unsigned slot;
	int r = slot_get(p, c, l, &slot);

	return r < 0 ? r : attach_in(p, c, l);
}

void
priv_gate_unshut(struct priv *p, const struct nl_link *l)
{
	unsigned slot = gate_slot_find(&p->gate->slots, (uint32_t)l->ifindex);

	if (slot == 0 || p->gate->policy[slot].ifindex)
		return;
	hook_close(p->hooks, p->route, l->ifindex);
	gate_map_release(p->gate, slot);
}

/* ------------------------------------------------------------------ captures */

static int
set_capture(struct priv *p, unsigned slot, uint32_t ifindex)
{
	struct gate_policy policy = p->gate->policy[slot];

	if (policy.ifindex == 0 || policy.capture == ifindex)
		return 0;
	policy.capture = ifindex;
	return gate_map_set_policy(p->gate, slot, &policy);
}

int
priv_gate_capture(struct priv *p, struct call *c, const struct nl_link *port, unsigned slot,
		  uint32_t ifindex)
{
	int r = set_capture(p, slot, ifindex);

	if (r < 0)
		return fail_errno(c, r, "%s: cannot set its policy", port->name);
	return attach_out(p, c, port, slot);
}

/* ------------------------------------------------------------------ for good */

int
priv_gate_fasten(struct priv *p, struct call *c)
{
	const int ifindex = (int)c->m->u.gate_fasten.ifindex;
	const unsigned slot = gate_slot_find(&p->gate->slots, (uint32_t)ifindex);
	const struct gate_fds *fds = &p->gate->fds;
	const bool replace = c->m->u.gate_fasten.replace;
	int (*step)(const struct hooks *, int, enum nl_hook, int) =
	    replace ? hook_replace : hook_fasten;
	int r;

	if (slot == 0 || p->gate->policy[slot].ifindex == 0)
		return fail(c, -ENODEV, "interface %d: it has no gate", ifindex);
	r = step(p->hooks, ifindex, NL_INGRESS, fds->in);
	if (r == 0 && gate_rule_watches_egress(&p->gate->policy[slot]))
		r = step(p->hooks, ifindex, NL_EGRESS, fds->out);
	if (r == 0 && !replace)
		r = hook_drop_filters(p->hooks, p->route, ifindex);
	return r < 0 ? fail_errno(c, r, "interface %d: its gate stays a filter", ifindex) : 0;
}

/* ------------------------------------------------------------------ the end of a gate */

void
priv_gate_end(struct priv *p, int ifindex)
{
	const unsigned slot = gate_slot_find(&p->gate->slots, (uint32_t)ifindex);
	const unsigned net = p->gate->policy[slot].net;
	const uint32_t had = p->gate->net[net].n;

	if (slot == 0)
		return;
	gate_map_release(p->gate, slot);
	watch_less(p, net, had);
}

/* The link is on a bridge of ours, or is one. */
static bool
is_inside(struct priv *p, const struct nl_link *l)
{
	struct nl_link master;
	int r;

	if (nl_link_is_ours(l, NULL) && !strcmp(l->kind, "bridge"))
		return true;
	if (!l->master)
		return false;
	/* Without an answer the gate stays. */
	r = nl_link_get_index(p->route, l->master, &master);
	return r == 0 ? nl_link_is_ours(&master, NULL) : r != -ENODEV;
}

int
priv_gate_del(struct priv *p, struct call *c)
{
	int ifindex = (int)c->m->u.gate_del.ifindex;
	struct nl_link l;
	int r;

	/* Also without a slot: there may have been none left. */
	r = nl_link_get_index(p->route, ifindex, &l);
	if (r < 0 && r != -ENODEV)
		return fail_nl(p, c, r, "interface %d: cannot look at it", ifindex);
	if (r == 0 && is_inside(p, &l))
		return fail(c, -EBUSY, "%s: it is still a port", l.name);
	if (r == 0) {
		r = hook_close(p->hooks, p->route, ifindex);
		if (r < 0 && r != -ENODEV)
			return fail_nl(p, c, r, "%s: cannot take its gate away", l.name);
	}
	priv_gate_end(p, ifindex);
	return 0;
}

int
priv_gate_forget(struct priv *p, struct call *c)
{
	const struct msg_gate_forget *m = &c->m->u.gate_forget;
	unsigned slot = gate_slot_find(&p->gate->slots, m->ifindex);

	if (slot && p->gate->policy[slot].mac_policy == MAC_POLICY_LEARN)
		gate_map_unlearn(p->gate, slot, gate_mac_number(m->mac));
	return 0;
}

/* ------------------------------------------------------------------ reports */

static void
put_drops(struct msg_gate_row *row, const struct gate_map *g, unsigned slot)
{
	struct wr w = wr_init(row->drops.b, sizeof(row->drops.b));
	struct gate_drops d = gate_map_drops(g, slot);

	for (unsigned i = 0; i < DROP_REASON_N; i++)
		wr_be64(&w, d.n[i]);
	row->drops.len = (uint16_t)wr_len(&w);
}

static void
put_policy(struct msg_gate_row *row, const struct gate_map *g, unsigned slot)
{
	const struct gate_policy *policy = &g->policy[slot];

	row->net = policy->net;
	row->mac_policy = policy->mac_policy;
	row->mac = gate_mac_of(gate_map_mac(g, slot));
	row->learned = (uint16_t)gate_map_learned(g, slot);
	row->ip = ip4_from_be(policy->ip);
	row->promisc = gate_net_has(&g->net[policy->net], slot);
	memcpy(row->memo.b, policy->memo, sizeof(row->memo.b));
	row->memo.len = sizeof(policy->memo);
}

static void
send_row(struct priv *p, struct call *c, unsigned slot)
{
	struct msg m = msg_make(MSG_GATE_ROW, c->m->id);
	struct msg_gate_row *row = &m.u.gate_row;

	row->ifindex = p->gate->slots.ifindex[slot];
	put_drops(row, p->gate, slot);
	if (p->gate->policy[slot].ifindex)
		put_policy(row, p->gate, slot);
	chan_send(c->from, &m, NULL, 0);
}

int
priv_gate_list(struct priv *p, struct call *c)
{
	unsigned net = c->m->u.gate_list.net;

	for (unsigned slot = 1; slot < GATE_SLOTS; slot++) {
		const struct gate_policy *policy = &p->gate->policy[slot];

		/* Of which network one without a policy is, nobody knows. */
		if (p->gate->slots.ifindex[slot] && p->gate->bridge[policy->net] != slot &&
		    (net == MSG_NET_ALL || net == policy->net || !policy->ifindex))
			send_row(p, c, slot);
	}
	return 0;
}

static int
hand_out(struct call *c, int map, const char *what)
{
	int fd = fcntl(map, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return fail_errno(c, -errno, "cannot hand out %s", what);
	give(c, fd);
	return 0;
}

int
priv_gate_events(struct priv *p, struct call *c)
{
	return hand_out(c, p->gate->fds.events, "the gate's events");
}

int
priv_dhcp_ring(struct priv *p, struct call *c)
{
	return hand_out(c, p->gate->fds.dhcp, "the gate's ring of DHCP messages");
}

/* ------------------------------------------------------------------ bridges */

int
priv_gate_bridge(struct priv *p, struct call *c, const struct nl_link *l, unsigned net)
{
	const uint64_t mac = gate_mac_number(names_bridge_mac(net));
	struct gate_policy policy;
	unsigned slot;
	int r = slot_get(p, c, l, &slot);

	if (r < 0)
		return r;
	memset(&policy, 0, sizeof(policy));
	policy.ifindex = (uint32_t)l->ifindex;
	policy.net = (uint8_t)net;
	/* Somebody has deleted the one before. */
	if (p->gate->bridge[net] && p->gate->bridge[net] != slot)
		gate_map_release(p->gate, p->gate->bridge[net]);
	p->gate->bridge[net] = slot;
	gate_map_set_mac(p->gate, slot, mac);
	r = gate_map_own_by_force(p->gate, net, mac, slot);
	if (r == 0)
		r = gate_map_set_policy(p->gate, slot, &policy);
	if (r < 0)
		return fail_errno(c, r, "%s: cannot set its policy", l->name);
	r = watch_host(p, net, p->gate->net[net].n > 0);
	return r < 0 ? fail_nl(p, c, r, "%s: cannot attach the gate's program", l->name) : 0;
}

/* ------------------------------------------------------------------ an earlier instance's gates */

struct alive {
	struct priv *priv;
	bool slot[GATE_SLOTS]; /* its link exists; of 0: any link without a gate */
};

static void
on_link(const struct nl_link *l, void *arg)
{
	struct alive *a = arg;
	unsigned net, slot = gate_slot_find(&a->priv->gate->slots, (uint32_t)l->ifindex);

	a->slot[slot] = true;
	if (slot && nl_link_is_ours(l, &net) && !strcmp(l->kind, "bridge"))
		a->priv->gate->bridge[net] = slot;
}

/* Links with programs of ours and without a policy: nothing passes there. Each has a slot, so that the engine
 * hears of it. Without a slot it can only be ended, where it is no port any more. */
static void
take_shut(struct priv *p)
{
	const struct hooks *h = p->hooks;

	for (size_t i = 0; i < h->nlinks; i++) {
		struct nl_link l;
		unsigned slot;

		if (gate_map_take(p->gate, (uint32_t)h->link[i], &slot) < 0 &&
		    nl_link_get_index(p->route, h->link[i], &l) == 0 && !is_inside(p, &l))
			hook_close(h, p->route, l.ifindex);
	}
}

int
priv_gate_take_over(struct priv *p)
{
	struct alive a;
	int r;

	/* A list that changes under our hands may lack links, and theirs is not ours to end then. */
	do {
		memset(&a, 0, sizeof(a));
		a.priv = p;
		r = nl_link_each(p->route, on_link, &a);
	} while (r == -EAGAIN);
	for (unsigned slot = 1; r == 0 && slot < GATE_SLOTS; slot++)
		if (p->gate->policy[slot].ifindex && !a.slot[slot])
			gate_map_release(p->gate, slot);
	if (r == 0)
		gate_map_end_dead_spans(p->gate);
	if (r == 0)
		take_shut(p);
	/* Who captured has ended with the instance before. */
	for (unsigned slot = 1; r == 0 && slot < GATE_SLOTS; slot++)
		r = set_capture(p, slot, 0);
	return r;
}
