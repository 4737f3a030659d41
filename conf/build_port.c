/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_port.c - [port] sections into the model: static taps, and what a port may do. Pure.
 * A section need not belong to any port that exists: it waits for it. So a key is never refused
 * because of a port, only because of another key.
 */
#include "conf/build.h"

#include <string.h>

#include "conf/text.h"

/* --- keys by their type; -1: the section does not have it --- */

static int
number(const struct vnetd_section *s, const char *key)
{
	const struct vnetd_item *it = s ? vnetd_item_find(s, key) : NULL;

	return it ? (int)it->value.num : -1;
}

static int
yes(const struct vnetd_section *s, const char *key)
{
	const struct vnetd_item *it = s ? vnetd_item_find(s, key) : NULL;

	return it ? it->value.yes : -1;
}

/* allow|deny, up|down: 1 for the first of two words. */
static int
first(const struct vnetd_section *s, const char *key)
{
	int n = number(s, key);

	return n < 0 ? n : n == 0;
}

/* A word's place in its row, translated. */
static int
choice(const struct vnetd_section *s, const char *key, const int *values, size_t n)
{
	int i = number(s, key);

	return i < 0 || (size_t)i >= n ? -1 : values[i];
}

static int64_t
rate(const struct vnetd_section *s, const char *key)
{
	const struct vnetd_item *it = vnetd_item_find(s, key);

	return it ? (int64_t)it->value.num : -1;
}

void
build_gate(struct conf_gate *g, const struct vnetd_section *s)
{
	static const int answers[] = {CONF_PROMISC_ALLOW, CONF_PROMISC_DENY, CONF_PROMISC_ASK};

	*g = (struct conf_gate){
	    .promiscuous = choice(s, "promiscuous", answers, ARRAY_LEN(answers)),
	    .forged = first(s, "forged-transmits"),
	    .mac_learning = number(s, "mac-learning"),
	    .ip_guard = yes(s, "ip-guard"),
	    .flood = number(s, "broadcast-limit"),
	    .dhcp_leases = number(s, "dhcp-leases-per-port"),
	    .dhcp_rate = number(s, "dhcp-rate-per-port"),
	};
}

/* --- static taps --- */

static void
warn_unused(struct build *b, const struct vnetd_section *s)
{
	for (size_t i = 0; i < s->nitems; i++) {
		const struct vnetd_item *it = &s->item[i];

		if (vnetd_is_tap_key(it->row->key) && strcmp(it->row->key, "tap") != 0)
			diag_warn(b->d, it->pos,
				  "\"%s\" of [port %s] has no effect without tap = yes",
				  it->row->key, s->name);
	}
}

static bool
tap_name_ok(struct build *b, const struct vnetd_section *s)
{
	if (!conf_ifname_ok(s->name)) {
		diag_error(b->d, s->pos,
			   "[port %s] has tap = yes, but an interface name has at most %d "
			   "characters; choose a shorter one",
			   s->name, CONF_IFNAME_MAX);
		return false;
	}
	if (!vnetd_is_own_port(s->name))
		return true;
	diag_error(b->d, s->pos,
		   "[port %s] has tap = yes, but vnetd gives that name by itself; choose another",
		   s->name);
	return false;
}

/* False: the section is refused. */
static bool
read_tap(struct build *b, const struct vnetd_section *s, struct conf_port *p)
{
	const struct vnetd_item *owner = vnetd_item_find(s, "owner");
	int net = number(s, "network"), queues = number(s, "queues");
	bool resolved;

	if (owner) {
		p->owner = owner->value.text;
		p->owner_uid = build_name_id(p->owner, &resolved);
	}
	if (yes(s, "tap") <= 0) {
		warn_unused(b, s);
		return true;
	}
	if (!tap_name_ok(b, s))
		return false;
	if (net < 0) {
		diag_error(b->d, s->pos,
			   "[port %s] has tap = yes but no network; add one: network = vmnet8",
			   s->name);
		return false;
	}
	if (!b->c->net[net].present) {
		diag_warn(b->d, s->pos,
			  "[port %s] is for vmnet%d, which does not exist; the tap is not made",
			  s->name, net);
		return true;
	}
	p->tap = true;
	p->net = net;
	if (queues > 0)
		p->queues = (unsigned)queues;
	return true;
}

/* --- what a port may do --- */

/* A MAC address in the header is the guest's already. */
static bool
read_mac(struct build *b, const struct vnetd_section *s, struct conf_port *p)
{
	const struct vnetd_item *it = vnetd_item_find(s, "mac");

	if (it && s->is_mac && !mac_eq(it->value.mac, s->mac)) {
		diag_error(b->d, it->pos,
			   "[port %s] is for the guest with that address; to give it %s, name the "
			   "port: [port NAME]",
			   s->name, it->value.text);
		return false;
	}
	if (it)
		p->mac = it->value.mac;
	else if (s->is_mac && p->mac_policy == MAC_POLICY_GIVEN)
		p->mac = s->mac;
	return true;
}

static bool
read_mac_policy(struct build *b, const struct vnetd_section *s, struct conf_port *p)
{
	static const int policies[] = {MAC_POLICY_GIVEN, MAC_POLICY_STICKY, MAC_POLICY_ANY};
	const struct vnetd_item *it = vnetd_item_find(s, "mac-policy");

	p->mac_policy = choice(s, "mac-policy", policies, ARRAY_LEN(policies));
	if (!read_mac(b, s, p))
		return false;
	if (mac_is_zero(p->mac)) {
		if (p->mac_policy != MAC_POLICY_GIVEN)
			return true;
		diag_error(b->d, it->pos,
			   "[port %s] has mac-policy = given but no address; add one: "
			   "mac = 52:54:00:12:34:56",
			   s->name);
		return false;
	}
	if (p->mac_policy < 0)
		p->mac_policy = MAC_POLICY_GIVEN;
	if (p->mac_policy == MAC_POLICY_ANY)
		diag_warn(b->d, it->pos,
			  "[port %s] has mac = %s and mac-policy = any; the guest may use any "
			  "address",
			  s->name, MAC_STR(p->mac));
	return true;
}

static bool
read_mirror(struct build *b, const struct vnetd_section *s, struct conf_port *p)
{
	const struct vnetd_item *it = vnetd_item_find(s, "mirror-of");

	if (!it)
		return true;
	p->mirror_of = it->value.text;
	if (strcmp(p->mirror_of, s->name) != 0 &&
	    (mac_is_zero(it->value.mac) || !mac_eq(it->value.mac, p->mac)))
		return true;
	diag_error(b->d, it->pos, "[port %s] cannot mirror itself; name the port to watch",
		   s->name);
	return false;
}

/* One key makes another one pointless. */
static void
warn_pointless(struct build *b, const struct vnetd_section *s, const struct conf_port *p)
{
	const struct {
		bool both;
		const char *key, *with;
	} rows[] = {
	    {p->gate.mac_learning > 0 && p->gate.promiscuous == CONF_PROMISC_DENY, "mac-learning",
	     "promiscuous = deny"},
	    {p->gate.forged == 0 && p->mac_policy == MAC_POLICY_ANY, "forged-transmits",
	     "mac-policy = any"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].both)
			diag_warn(b->d, vnetd_item_find(s, rows[i].key)->pos,
				  "\"%s\" of [port %s] has no effect with %s", rows[i].key, s->name,
				  rows[i].with);
	if (p->gate.ip_guard == 1 && p->mac_policy == MAC_POLICY_ANY)
		diag_warn(b->d, vnetd_item_find(s, "ip-guard")->pos,
			  "[port %s] has ip-guard = yes and mac-policy = any; unless its guest was "
			  "attached with a MAC address, no lease is known to be its, and no IPv4 "
			  "passes",
			  s->name);
}

void
build_port(struct build *b, const struct vnetd_section *s)
{
	struct conf_port p = {.name = s->is_mac ? NULL : s->name,
			      .key = s->mac,
			      .net = -1,
			      .queues = 1,
			      .dhcp_server = first(s, "dhcp-server"),
			      .ra = first(s, "ra"),
			      .link = first(s, "link"),
			      .rate_in_kbit = rate(s, "rate-in"),
			      .rate_out_kbit = rate(s, "rate-out"),
			      .pos = s->pos};
	struct conf_port *v;
	bool ok;

	build_gate(&p.gate, s);
	ok = read_tap(b, s, &p);
	ok = read_mac_policy(b, s, &p) && ok;
	ok = read_mirror(b, s, &p) && ok;
	if (!ok)
		return;
	warn_pointless(b, s, &p);
	if (s->nitems && vnetd_is_own_port(s->name))
		diag_notice(
		    b->d, s->pos,
		    "[port %s] is for whichever guest gets that name next; the name that an "
		    "attachment gives, or a MAC address, stays with its guest",
		    s->name);
	v = arena_grow(&b->c->arena, b->c->port, b->c->nports, sizeof(*v));
	if (!v)
		return;
	b->c->port = v;
	v[b->c->nports++] = p;
}
