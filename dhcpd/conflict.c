/* SPDX-License-Identifier: GPL-2.0-or-later
 * conflict.c - an address that is offered, but that somebody has without a lease. Pure.
 *
 * With each offer leaves an ARP probe (RFC 5227 1.1) of the address, unless its client holds it
 * anyhow. The offer waits for nothing: an answer is due within a round trip on one bridge, and the
 * client needs as long to ask for what it was offered. An answer before that makes the address
 * abandoned, and the client, which is told no, begins again. One that comes later, but within the
 * configured time, makes the lease contested: its client is told no when it renews.
 *
 * Anybody on the network can forge an answer. What that is good for is bounded: only an address
 * that was probed is affected, and only until the configured time is over; never a lease that is in
 * use, never a reservation; no more than half of the pool is abandoned this way, so there is always
 * something left to offer; and few leases are contested in an hour.
 */
#include "dhcpd/server_state.h"

/* Clients that are told no begin again at once. When nothing else is left than what others have, that
 * must not become a race of offers and refusals. */
#define RETRY_MS 10000

#define CONTESTED_MAX 16 /* in CONTESTED_MS */
#define CONTESTED_MS  3600000

void
conflict_probe(struct dhcp_server *s, struct lease *l, struct mono now, struct dhcp_out *out)
{
	static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	/* RFC 5227 2.1.1: no sender address, so that nobody's cache is changed by it. */
	const struct arp4 ask = {.sender_mac = s->mac, .target_ip = l->ip};
	struct wr w = wr_init(out->probe, sizeof(out->probe));

	l->probed = (struct mono){0};
	if (!s->conf->ping_check)
		return;
	arp4_frame_encode(&w, everybody, &ask);
	out->probe_len = wr_len(&w);
	l->probed = now;
	s->stats.probes++;
}

bool
conflict_is_fresh(const struct lease *l, struct mono now)
{
	return l->state == LEASE_ABANDONED && l->probed.ms != 0 &&
	       mono_before(now, mono_add(l->probed, RETRY_MS));
}

/* Whether an answer from `mac` about this lease means anything. */
static bool
is_conflict(const struct dhcp_server *s, const struct lease *l, struct mac mac, struct mono now)
{
	if (l->probed.ms == 0 || l->contested || mac_eq(mac, l->mac) || mac_eq(mac, s->mac) ||
	    mac_is_zero(mac) || mac_is_multicast(mac))
		return false;
	return l->state == LEASE_OFFERED ||
	       (l->state == LEASE_ACTIVE &&
		mono_before(now, mono_add(l->probed, (int64_t)s->conf->ping_timeout_s * 1000)));
}

bool
conflict_may_abandon(const struct dhcp_server *s)
{
	return 2 * lease_table_count(s->leases, LEASE_ABANDONED) < s->conf->pool;
}

static bool
may_contest(struct dhcp_server *s, struct mono now)
{
	if (s->contested == 0 || !mono_before(now, mono_add(s->contested_from, CONTESTED_MS))) {
		s->contested_from = now;
		s->contested = 0;
	}
	if (s->contested >= CONTESTED_MAX)
		return false;
	s->contested++;
	return true;
}

static void
abandon(struct dhcp_server *s, struct lease *l, struct dhcp_clock clk, struct dhcp_out *out)
{
	struct dhcp_change *c = &out->change[out->nchanges++];

	c->event = DHCP_EVENT_DECLINED;
	c->mac = l->mac;
	c->fresh = false;
	book_abandon(s, l, second_floor(clk));
	l->probed = clk.now;
	dhcp_lease_rec(l, clk, &c->rec);
}

void
conflict_input(struct dhcp_server *s, const void *frame, size_t len, struct dhcp_clock clk,
	       struct dhcp_out *out)
{
	struct mac src;
	struct arp4 a;
	struct lease *l;

	if (!arp4_frame_decode(&a, &src, frame, len) || !a.reply)
		return;
	l = lease_find_ip(s->leases, a.sender_ip);
	if (!l || !is_conflict(s, l, a.sender_mac, clk.now))
		return;
	s->stats.conflicts++;
	out->conflict.ip = l->ip;
	out->conflict.client = l->mac;
	out->conflict.other = a.sender_mac;
	l->probed = (struct mono){0}; /* once is enough */
	if (netconf_host_by_ip(s->conf, l->ip)) {
		out->conflict.found = CONFLICT_RESERVED;
	} else if (!conflict_may_abandon(s)) {
		out->conflict.found = CONFLICT_TOO_MANY;
	} else if (l->state == LEASE_OFFERED) {
		out->conflict.found = CONFLICT_ABANDONED;
		abandon(s, l, clk, out);
	} else if (may_contest(s, clk.now)) {
		out->conflict.found = CONFLICT_CONTESTED;
		l->contested = true;
	} else {
		out->conflict.found = CONFLICT_TOO_MANY;
	}
}
