/* SPDX-License-Identifier: GPL-2.0-or-later
 * gates.c - the gates of the simulated kernel, and the marker files.
 *
 * What priv and the programs do about frames is not simulated; what they keep (a pinned address, the record
 * beside a gate) and what a bridge forgets is.
 */
#include "tests/sim/engine/gates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "bpf/gate_maps.h"
#include "tests/unit/lib/t.h"
#include "vnetd/gate.h"
#include "vnetd/gate_rule.h"

static struct world_gate *
find(struct world *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->ngates; i++)
		if (w->gate[i].ifindex == ifindex)
			return &w->gate[i];
	return NULL;
}

struct world_gate *
world_gate(struct world *w, const char *ifname)
{
	struct rtnl_link *l = world_link(w, ifname);

	return l ? find(w, (uint32_t)l->ifindex) : NULL;
}

static struct rtnl_link *
bridge(struct world *w, unsigned net)
{
	char name[NAMES_IFNAME_MAX];

	return world_link(w, names_bridge(net, name));
}

static bool
is_taken(struct world *w, const struct msg_gate_set *m, uint32_t ifindex)
{
	for (size_t i = 0; i < w->ngates; i++)
		if (w->gate[i].ifindex != ifindex && w->gate[i].set.net == m->net &&
		    !mac_is_zero(m->mac) && mac_eq(w->gate[i].mac, m->mac))
			return true;
	return false;
}

static bool
has_room(struct world *w, const struct msg_gate_set *m, uint32_t ifindex)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->ngates; i++)
		n += w->gate[i].ifindex != ifindex && w->gate[i].set.net == m->net &&
		     w->gate[i].set.promisc;
	return n < GATE_MIRRORS_MAX;
}

static int
set(struct world *w, const struct msg_gate_set *m, char *why, size_t cap)
{
	struct rtnl_link *l = world_link(w, m->ifname), *b = bridge(w, m->net);
	struct gate_brport port;
	struct world_gate *g;
	bool full = false;

	w->gate_sets++;
	if (!l || !b || l->master != b->ifindex) {
		snprintf(why, cap, "%s: it is no port of vmnet%u", m->ifname, m->net);
		return ENODEV;
	}
	if (is_taken(w, m, (uint32_t)l->ifindex)) {
		snprintf(why, cap, "%s: another port has this address", m->ifname);
		return EADDRINUSE;
	}
	g = find(w, (uint32_t)l->ifindex);
	if (!g) {
		assert_true(w->ngates < WORLD_LINKS);
		g = &w->gate[w->ngates++];
		*g = (struct world_gate){.ifindex = (uint32_t)l->ifindex};
	}
	if (m->unpin)
		g->mac = (struct mac){{0}};
	if (m->mac_policy == MAC_POLICY_GIVEN || mac_is_zero(g->mac))
		g->mac = m->mac;
	full = m->promisc && !has_room(w, m, g->ifindex);
	g->set = *m;
	if (full)
		gate_without_promisc(&g->set);
	g->entry = !mac_is_zero(g->mac);
	gate_brport(&port, &g->set, g->entry);
	l->port_locked = port.locked;
	l->port_learning = port.learning;
	l->port_flood = port.flood;
	if (full)
		snprintf(why, cap, "vmnet%u has %d promiscuous ports already", m->net,
			 GATE_MIRRORS_MAX);
	return full ? ENOSPC : 0;
}

static void
del(struct world *w, uint32_t ifindex)
{
	struct world_gate *g = find(w, ifindex);

	if (g)
		*g = w->gate[--w->ngates];
}

static int
fasten(struct world *w, const struct msg_gate_fasten *m)
{
	struct world_gate *g = find(w, m->ifindex);

	if (m->replace)
		w->replaces++;
	else
		w->fastens++;
	if (w->no_tcx)
		return EOPNOTSUPP;
	if (!g)
		return ENODEV;
	g->fast |= !m->replace;
	return 0;
}

static void
list(struct world *w, uint32_t id, unsigned net)
{
	for (size_t i = 0; i < w->ngates; i++) {
		const struct world_gate *g = &w->gate[i];
		struct msg m = msg_make(MSG_GATE_ROW, id);

		if (net != MSG_NET_ALL && g->set.net != net)
			continue;
		m.u.gate_row.ifindex = g->ifindex;
		m.u.gate_row.net = g->set.net;
		m.u.gate_row.mac_policy = g->set.mac_policy;
		m.u.gate_row.mac = g->mac;
		m.u.gate_row.ip = g->set.ip;
		m.u.gate_row.promisc = g->set.promisc;
		memcpy(&m.u.gate_row.memo, &g->set.memo, sizeof(g->set.memo));
		assert_true(core_priv_msg(w->core, w->now, &m, NULL, 0));
	}
}

static void
list_markers(struct world *w, uint32_t id)
{
	for (size_t i = 0; i < w->nmarkers; i++) {
		struct msg m = msg_make(MSG_MARKER_ROW, id);

		m.u.marker_row = w->marker[i];
		assert_true(core_priv_msg(w->core, w->now, &m, NULL, 0));
	}
}

bool
gates_execute(struct world *w, const struct msg *m, int *err, int *fds, size_t *nfds, char *why,
	      size_t cap)
{
	*err = 0;
	if (m->type == MSG_GATE_SET) {
		*err = set(w, &m->u.gate_set, why, cap);
	} else if (m->type == MSG_GATE_DEL) {
		del(w, m->u.gate_del.ifindex);
	} else if (m->type == MSG_GATE_LIST) {
		list(w, m->id, m->u.gate_list.net);
	} else if (m->type == MSG_MARKER_LIST) {
		list_markers(w, m->id);
	} else if (m->type == MSG_GATE_EVENTS || m->type == MSG_MARKER_WATCH) {
		fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		*nfds = 1;
	} else if (m->type == MSG_GATE_FASTEN) {
		*err = fasten(w, &m->u.gate_fasten);
	} else if (m->type == MSG_GATE_FORGET) {
		w->forgets++;
	} else {
		return false;
	}
	return true;
}

/* --- what happens outside --- */

void
world_pin(struct world *w, const char *ifname, struct mac mac)
{
	struct world_gate *g = world_gate(w, ifname);
	struct gate_event e = {.kind = GATE_EVENT_PINNED};

	assert_non_null(g);
	g->mac = mac;
	e.ifindex = g->ifindex;
	e.mac = gate_mac_number(mac);
	core_gate_event(w->core, w->now, &e);
	world_run(w);
}

void
world_forget_entry(struct world *w, const char *ifname)
{
	struct world_gate *g = world_gate(w, ifname);
	struct rtnl_fdb f = {.ifindex = (int)g->ifindex, .mac = g->mac};

	g->entry = false;
	core_fdb_gone(w->core, w->now, &f);
	world_run(w);
}

void
world_marker(struct world *w, unsigned net, uint32_t uid, uint32_t mode)
{
	assert_true(w->nmarkers < ARRAY_LEN(w->marker));
	w->marker[w->nmarkers++] = (struct msg_marker_row){
	    .net = (uint16_t)net, .regular = true, .links = 1, .uid = uid, .mode = mode};
	core_marker_event(w->core, w->now, false);
	world_run(w);
}

void
world_no_markers(struct world *w)
{
	w->nmarkers = 0;
	core_marker_event(w->core, w->now, false);
	world_run(w);
}
