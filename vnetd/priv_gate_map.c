/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_gate_map.c - reads and writes of the gate's maps. Runs in priv, with passed-down descriptors and no
 * capability.
 *
 * An entry of gate_policy is written in steps of eight bytes, so a program may see the old half and the new
 * one; either of the fields that it acts on is whole. An address is given up in this order: first its owner,
 * then the port's own address, so that a program never pins what is about to be disowned. A port that leaves
 * is silenced before that (its policy names no link any more), so that it does not pin one again.
 */
#include "vnetd/priv_gate_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "lib/util.h"

enum { BATCH = 4096 }; /* owners that are read with one call */

#define STATE_BYTES (GATE_SLOTS * sizeof(struct gate_state))

/* ------------------------------------------------------------------ taking the maps up */

static int
read_all(struct gate_map *g)
{
	for (uint32_t slot = 1; slot < GATE_SLOTS; slot++) {
		if (bpf_map_lookup_elem(g->fds.policy, &slot, &g->policy[slot]) < 0)
			return -errno;
		g->slots.ifindex[slot] = g->policy[slot].ifindex;
		if (g->policy[slot].ifindex)
			g->slots.last = slot;
	}
	for (uint32_t net = 0; net < GATE_NETS; net++)
		if (bpf_map_lookup_elem(g->fds.nets, &net, &g->net[net]) < 0)
			return -errno;
	return 0;
}

/* The programs look into gate_nets only when they are told to. */
static int
tell_ports(struct gate_map *g)
{
	int r = 0;

	for (unsigned slot = 1; slot < GATE_SLOTS && r == 0; slot++)
		if (g->policy[slot].ifindex)
			r = gate_map_set_policy(g, slot, &g->policy[slot]);
	return r;
}

struct gate_map *
gate_map_new(struct gate_fds *fds, bool adopted, char *why, size_t cap)
{
	static const struct gate_fds none = GATE_FDS_NONE;
	struct gate_map *g = calloc(1, sizeof(*g));
	int r = 0;

	if (!g) {
		gate_fds_close(fds);
		snprintf(why, cap, "out of memory");
		return NULL;
	}
	g->fds = *fds;
	*fds = none;
	g->state = mmap(NULL, STATE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, g->fds.state, 0);
	if (g->state == MAP_FAILED) {
		g->state = NULL;
		r = -errno;
	}
	if (r == 0 && adopted)
		r = read_all(g);
	/* Who was killed may have told only some ports that somebody gets copies. */
	if (r == 0 && adopted)
		r = tell_ports(g);
	if (r == 0)
		return g;
	snprintf(why, cap, "the maps of the port gate cannot be read: %s", strerrordesc_np(-r));
	gate_map_free(g);
	return NULL;
}

void
gate_map_free(struct gate_map *g)
{
	if (!g)
		return;
	if (g->state)
		munmap(g->state, STATE_BYTES);
	gate_fds_close(&g->fds);
	free(g);
}

/* ------------------------------------------------------------------ slots, policies and own addresses */

int
gate_map_take(struct gate_map *g, uint32_t ifindex, unsigned *slot)
{
	uint32_t taken;

	*slot = gate_slot_find(&g->slots, ifindex);
	if (*slot)
		return 0;
	*slot = gate_slot_take(&g->slots, ifindex);
	if (*slot == 0)
		return -ENOSPC;
	taken = *slot;
	if (taken == GATE_HOME(ifindex) ||
	    bpf_map_update_elem(g->fds.elsewhere, &ifindex, &taken, BPF_ANY) == 0)
		return 0;
	gate_slot_put(&g->slots, *slot);
	*slot = 0;
	return -errno;
}

int
gate_map_set_policy(struct gate_map *g, unsigned slot, const struct gate_policy *policy)
{
	const uint32_t key = slot;
	struct gate_policy p = *policy;

	p.flags &= ~(uint32_t)GATE_COPIES;
	if (g->net[p.net].n)
		p.flags |= GATE_COPIES;
	if (!memcmp(&g->policy[slot], &p, sizeof(p)))
		return 0;
	if (bpf_map_update_elem(g->fds.policy, &key, &p, BPF_ANY) < 0)
		return -errno;
	g->policy[slot] = p;
	return 0;
}

struct gate_drops
gate_map_drops(const struct gate_map *g, unsigned slot)
{
	struct gate_drops d = {{0}};
	const uint32_t key = slot;

	bpf_map_lookup_elem(g->fds.drops, &key, &d);
	return d;
}

uint64_t
gate_map_mac(const struct gate_map *g, unsigned slot)
{
	return __atomic_load_n(&g->state[slot].mac, __ATOMIC_SEQ_CST);
}

uint64_t
gate_map_set_mac(struct gate_map *g, unsigned slot, uint64_t mac)
{
	return __atomic_exchange_n(&g->state[slot].mac, mac, __ATOMIC_SEQ_CST);
}

uint64_t
gate_map_offer_mac(struct gate_map *g, unsigned slot, uint64_t mac)
{
	__u64 had = 0;

	if (__atomic_compare_exchange_n(&g->state[slot].mac, &had, mac, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		return mac;
	return had;
}

/* A theoretical arrival time counts for the limit that made it: after a slow one it lies so far ahead that a
 * fast one would let nothing pass for a long time. */
void
gate_map_restart_rates(struct gate_map *g, unsigned slot, const struct gate_policy *was)
{
	const struct gate_policy *is = &g->policy[slot];
	struct gate_state *state = &g->state[slot];

	if (is->flood_ns != was->flood_ns)
		__atomic_store_n(&state->flood_tat, 0, __ATOMIC_SEQ_CST);
	if (is->dhcp_ns != was->dhcp_ns)
		__atomic_store_n(&state->dhcp_tat, 0, __ATOMIC_SEQ_CST);
	if (is->in_ns != was->in_ns)
		__atomic_store_n(&state->in_tat, 0, __ATOMIC_SEQ_CST);
	if (is->out_ns != was->out_ns)
		__atomic_store_n(&state->out_tat, 0, __ATOMIC_SEQ_CST);
}

/* ------------------------------------------------------------------ owners */

int
gate_map_own(struct gate_map *g, unsigned net, uint64_t mac, unsigned slot, unsigned *owner)
{
	const uint64_t key = GATE_OWNER(net, mac);
	uint32_t value = slot;

	*owner = 0;
	if (bpf_map_update_elem(g->fds.owners, &key, &value, BPF_NOEXIST) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (bpf_map_lookup_elem(g->fds.owners, &key, &value) < 0)
		return -errno;
	*owner = value;
	return value == slot ? 0 : -EADDRINUSE;
}

int
gate_map_own_by_force(struct gate_map *g, unsigned net, uint64_t mac, unsigned slot)
{
	const uint64_t key = GATE_OWNER(net, mac);
	const uint32_t value = slot;

	return bpf_map_update_elem(g->fds.owners, &key, &value, BPF_ANY) < 0 ? -errno : 0;
}

bool
gate_map_disown(struct gate_map *g, unsigned net, uint64_t mac, unsigned slot)
{
	const uint64_t key = GATE_OWNER(net, mac);
	uint32_t value;

	return bpf_map_lookup_elem(g->fds.owners, &key, &value) == 0 && value == slot &&
	       bpf_map_delete_elem(g->fds.owners, &key) == 0;
}

/* ------------------------------------------------------------------ learned addresses */

uint32_t
gate_map_learned(const struct gate_map *g, unsigned slot)
{
	return __atomic_load_n(&g->state[slot].learned, __ATOMIC_SEQ_CST);
}

/* One of them is not its own any more; it counts down by itself, as the port may be learning meanwhile. */
static void
unlearn(struct gate_map *g, unsigned slot, uint64_t key, void *arg UNUSED)
{
	uint32_t n = gate_map_learned(g, slot);

	if (bpf_map_delete_elem(g->fds.owners, &key) < 0)
		return;
	while (n > 0 && !__atomic_compare_exchange_n(&g->state[slot].learned, &n, n - 1, false,
						     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* Calls cb for each. The map has no list per port, so all owners are gone through: this is rare, and 16 calls
 * at most. */
static void
each_learned(struct gate_map *g, unsigned slot,
	     void (*cb)(struct gate_map *g, unsigned slot, uint64_t key, void *arg), void *arg)
{
	uint64_t *keys = calloc(BATCH, sizeof(*keys));
	uint32_t *values = calloc(BATCH, sizeof(*values)), at = 0, n;
	bool first = true, more = keys && values;

	while (more) {
		const uint64_t own = GATE_OWNER(g->policy[slot].net, gate_map_mac(g, slot));

		n = BATCH;
		more = bpf_map_lookup_batch(g->fds.owners, first ? NULL : &at, &at, keys, values,
					    &n, NULL) == 0;
		if (!more && errno != ENOENT /* the last ones */)
			break;
		for (uint32_t i = 0; i < n; i++)
			if (values[i] == slot && keys[i] != own)
				cb(g, slot, keys[i], arg);
		first = false;
	}
	free(keys);
	free(values);
}

void
gate_map_unlearn(struct gate_map *g, unsigned slot, uint64_t mac)
{
	const uint64_t key = GATE_OWNER(g->policy[slot].net, mac);
	uint32_t owner;

	if (gate_map_mac(g, slot) != mac && bpf_map_lookup_elem(g->fds.owners, &key, &owner) == 0 &&
	    owner == slot)
		unlearn(g, slot, key, NULL);
}

void
gate_map_unlearn_all(struct gate_map *g, unsigned slot)
{
	each_learned(g, slot, unlearn, NULL);
}

/* Addresses that are being looked for. */
struct list {
	uint64_t *mac;
	size_t n, cap;
};

static void
add(struct gate_map *g UNUSED, unsigned slot UNUSED, uint64_t key, void *arg)
{
	struct list *l = arg;

	if (l->n < l->cap)
		l->mac[l->n++] = GATE_OWNER_MAC(key);
}

size_t
gate_map_list(struct gate_map *g, unsigned slot, uint64_t *mac, size_t cap)
{
	struct list l = {mac, 0, cap};

	each_learned(g, slot, add, &l);
	return l.n;
}

/* ------------------------------------------------------------------ promiscuous ports, leaving */

int
gate_map_set_promiscuous(struct gate_map *g, unsigned net, unsigned slot, bool on)
{
	const uint32_t key = net;
	struct gate_net n = g->net[net];

	if (gate_net_has(&n, slot) == on)
		return 0;
	if (on && gate_net_is_full(&n))
		return -ENOSPC;
	if (on)
		gate_net_add(&n, slot);
	else
		gate_net_del(&n, slot);
	if (bpf_map_update_elem(g->fds.nets, &key, &n, BPF_ANY) < 0)
		return -errno;
	g->net[net] = n;
	return tell_ports(g);
}

/* Nobody's frames are copied to it any more. */
static void
end_spans(struct gate_map *g, unsigned slot)
{
	for (unsigned i = 1; i < GATE_SLOTS; i++) {
		struct gate_policy p;

		if (g->policy[i].span != slot)
			continue;
		p = g->policy[i];
		p.span = 0;
		gate_map_set_policy(g, i, &p);
	}
}

void
gate_map_end_dead_spans(struct gate_map *g)
{
	for (unsigned i = 1; i < GATE_SLOTS; i++) {
		unsigned span = g->policy[i].span;

		if (span && (span >= GATE_SLOTS || g->policy[span].ifindex == 0))
			end_spans(g, span);
	}
}

static void
give_up_address(struct gate_map *g, unsigned slot)
{
	uint64_t mac = gate_map_mac(g, slot);

	if (mac) {
		gate_map_disown(g, g->policy[slot].net, mac, slot);
		gate_map_set_mac(g, slot, 0);
	}
}

void
gate_map_leave(struct gate_map *g, unsigned slot)
{
	struct gate_policy silent = g->policy[slot];
	unsigned net = silent.net;

	/* The rest stays: a frame that is under way must not act for another network. */
	silent.ifindex = 0;
	gate_map_set_policy(g, slot, &silent);
	gate_map_set_promiscuous(g, net, slot, false);
	end_spans(g, slot);
	if (gate_map_learned(g, slot))
		gate_map_unlearn_all(g, slot);
	give_up_address(g, slot);
	if (g->bridge[net] == slot)
		g->bridge[net] = 0;
}

void
gate_map_release(struct gate_map *g, unsigned slot)
{
	static const struct gate_policy none;
	static const struct gate_drops no_drops;
	const uint32_t key = slot, ifindex = g->slots.ifindex[slot];

	gate_map_leave(g, slot);
	if (slot != GATE_HOME(ifindex))
		bpf_map_delete_elem(g->fds.elsewhere, &ifindex);
	/* What a frame that was under way has done since. */
	give_up_address(g, slot);
	gate_map_set_policy(g, slot, &none);
	memset(&g->state[slot], 0, sizeof(g->state[slot]));
	bpf_map_update_elem(g->fds.drops, &key, &no_drops, BPF_ANY);
	gate_slot_put(&g->slots, slot);
}
