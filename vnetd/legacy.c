/* SPDX-License-Identifier: GPL-2.0-or-later
 * legacy.c - reads the entries of an ip_tables table.
 *
 * A rule of a built-in chain drops a network's packets for certain if nothing but interfaces and addresses are its
 * conditions, and all of these packets meet them. Rules anywhere that accept by the name of our interfaces, or by addresses
 * of the network, let pass, whatever else they ask. Chains that rules lead to are not followed. When in doubt no alarm.
 */
#include "vnetd/legacy.h"

#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* The verdict of a standard target, as the table has it. */
#define VERDICT(v) (-(v)-1)

struct entry {
	char target[XT_EXTENSION_MAXNAMELEN];
	int verdict;        /* of a standard target */
	bool plain;         /* no condition at all */
	bool tracks;        /* one of them is about the state of its connection */
	struct ipt_entry e; /* last: the kernel's declaration ends with an array of any length */
};

/* Among the entry's matches, which fill it up to its target, is one that knows connections. */
static bool
has_conntrack(const uint8_t *at, size_t end)
{
	struct xt_entry_match m;

	for (size_t i = sizeof(struct ipt_entry); i + sizeof(m) <= end;) {
		memcpy(&m, at + i, sizeof(m));
		if (!strncmp(m.u.user.name, "conntrack", sizeof(m.u.user.name)) ||
		    !strncmp(m.u.user.name, "state", sizeof(m.u.user.name)))
			return true;
		if (m.u.match_size < sizeof(m))
			return false;
		i += m.u.match_size;
	}
	return false;
}

/* False: it does not fit. The blob need not be aligned. */
static bool
read_entry(struct entry *out, const uint8_t *at, size_t left)
{
	struct xt_entry_target t;
	const struct ipt_ip any = {0};

	if (left < sizeof(out->e))
		return false;
	memcpy(&out->e, at, sizeof(out->e));
	if (out->e.next_offset > left || out->e.target_offset < sizeof(out->e) ||
	    out->e.target_offset + sizeof(t) > out->e.next_offset)
		return false;
	memcpy(&t, at + out->e.target_offset, sizeof(t));
	memcpy(out->target, t.u.user.name, sizeof(out->target) - 1);
	out->target[sizeof(out->target) - 1] = '\0';
	out->verdict = 0;
	if (!out->target[0]) {
		if (out->e.target_offset + sizeof(t) + sizeof(out->verdict) > out->e.next_offset)
			return false;
		memcpy(&out->verdict, at + out->e.target_offset + sizeof(t), sizeof(out->verdict));
	}
	out->tracks = has_conntrack(at, out->e.target_offset);
	out->plain =
	    out->e.target_offset == sizeof(out->e) && memcmp(&out->e.ip, &any, sizeof(any)) == 0;
	return true;
}

static bool
is_drop(const struct entry *e)
{
	return e->target[0] ? !strcmp(e->target, "REJECT") : e->verdict == VERDICT(NF_DROP);
}

/* -- conditions -- */

/* Whether all packets that are asked about meet one, or none of them. */
enum met { NONE, SOME, ALL };

static enum met
invert(enum met m, bool inverted)
{
	return !inverted || m == SOME ? m : m == ALL ? NONE : ALL;
}

static enum met
both(enum met a, enum met b)
{
	return a < b ? a : b;
}

/* A condition on an interface, as the kernel compares it. */
struct iface {
	const char *name;
	const unsigned char *mask;
	bool inverted;
};

static bool
is_any(const struct iface *f)
{
	return !f->mask[0];
}

/* The first n bytes of an interface's name do not speak against it. */
static bool
names(const struct iface *f, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((f->name[i] ^ word[i]) & f->mask[i])
			return false;
	return true;
}

/* Packets that come, or leave, by vmnetN. */
static enum met
by_vmnet(const struct iface *f, const char *vmnet)
{
	return invert(is_any(f) || names(f, vmnet, IFNAMSIZ) ? ALL : NONE, f->inverted);
}

/* By an interface to the outside: by some name, but none of ours. */
static enum met
by_outside(const struct iface *f)
{
	static const char ours[] = "vmnet";

	if (is_any(f))
		return invert(ALL, f->inverted);
	return invert(f->mask[sizeof(ours) - 2] && names(f, ours, sizeof(ours) - 1) ? NONE : SOME,
		      f->inverted);
}

struct addr {
	struct ip4 addr, mask;
	bool inverted;
};

/* Of addresses of the outside: of the Internet, or of a private network beside ours. Who excludes such
 * a network only means all others, the Internet among them. */
static enum met
by_outside_addr(const struct addr *c)
{
	static const struct prefix4 private[] = {
	    {{0x0a000000}, 8}, {{0xac100000}, 12}, {{0xc0a80000}, 16}, {{0x64400000}, 10}};

	if (c->mask.h == 0)
		return invert(ALL, c->inverted);
	for (size_t i = 0; c->inverted && i < ARRAY_LEN(private); i++) {
		const uint32_t fixed = ip4_mask(private[i].len).h;

		if ((c->mask.h & fixed) == fixed && !((c->addr.h ^ private[i].addr.h) & fixed))
			return ALL;
	}
	return SOME;
}

/* Of addresses in `where`; len 0: of somewhere. */
static enum met
by_addr(const struct addr *c, struct prefix4 where)
{
	const uint32_t fixed = ip4_mask(where.len).h;

	if (c->mask.h == 0)
		return invert(ALL, c->inverted);
	if ((where.addr.h ^ c->addr.h) & c->mask.h & fixed)
		return invert(NONE, c->inverted);
	return invert(c->mask.h & ~fixed ? SOME : ALL, c->inverted);
}

struct conditions {
	struct iface in, out;
	struct addr src, dst;
	bool more; /* others besides */
};

static struct conditions
conditions_of(const struct entry *e)
{
	const struct ipt_ip *ip = &e->e.ip;
	const uint8_t known = IPT_INV_VIA_IN | IPT_INV_VIA_OUT | IPT_INV_SRCIP | IPT_INV_DSTIP;

	return (struct conditions){
	    .in = {ip->iniface, ip->iniface_mask, ip->invflags & IPT_INV_VIA_IN},
	    .out = {ip->outiface, ip->outiface_mask, ip->invflags & IPT_INV_VIA_OUT},
	    .src = {ip4_from_be(ip->src.s_addr), ip4_from_be(ip->smsk.s_addr),
		    ip->invflags & IPT_INV_SRCIP},
	    .dst = {ip4_from_be(ip->dst.s_addr), ip4_from_be(ip->dmsk.s_addr),
		    ip->invflags & IPT_INV_DSTIP},
	    .more = e->e.target_offset != sizeof(e->e) || ip->proto || ip->flags & IPT_F_FRAG ||
		    ip->invflags & ~known,
	};
}

/* -- what is said of a network -- */

/* Packets of a network. */
enum way { TO_HOST, TO_OUTSIDE, TO_GUESTS, INSIDE, WAYS };

struct asked {
	enum way way;
	const char *vmnet;
	const struct legacy_net *net;
};

struct reader {
	struct legacy_rules *out;
	const struct legacy_hooks *hooks;
	const struct legacy_net *net;
	char vmnet[256][IFNAMSIZ];
};

static enum met
meet(const struct conditions *c, const struct asked *a)
{
	const struct prefix4 subnet = a->net->subnet, dns = {a->net->dns, a->net->dns.h ? 32 : 0};
	bool from_guest = a->way != TO_GUESTS;
	enum met m = c->more ? SOME : ALL;

	m = both(m, from_guest ? by_vmnet(&c->in, a->vmnet) : by_outside(&c->in));
	m = both(m, from_guest ? by_addr(&c->src, subnet) : by_outside_addr(&c->src));
	/* No packet to the host has an interface to leave by. */
	if (a->way == TO_HOST)
		return both(m, is_any(&c->out) ? by_addr(&c->dst, dns) : NONE);
	m = both(m, a->way == TO_OUTSIDE ? by_outside(&c->out) : by_vmnet(&c->out, a->vmnet));
	return both(m, a->way == TO_OUTSIDE ? by_outside_addr(&c->dst) : by_addr(&c->dst, subnet));
}

/* It says something of the guests' end of these packets. */
static bool
speaks_of(const struct conditions *c, const struct asked *a)
{
	bool from = !is_any(&c->in) || (c->src.mask.h && a->net->subnet.len);
	bool to = !is_any(&c->out) || (c->dst.mask.h && a->net->subnet.len);

	if (a->way == INSIDE)
		return from || to;
	return a->way == TO_GUESTS ? to : from;
}

static uint8_t *
said_of(struct legacy_rules *r, enum way way, unsigned net)
{
	switch (way) {
	case TO_HOST:
		return &r->input.in[net];
	case TO_OUTSIDE:
		return &r->forward.in[net];
	case TO_GUESTS:
		return &r->forward.out[net];
	case INSIDE:
	case WAYS:
		break;
	}
	return &r->forward.inside[net];
}

/* A rule that accepts or drops, for packets of these ways. certain: it is in the chain where they come by. */
static void
take_rule(struct reader *r, const struct entry *e, enum way first, enum way last, bool certain)
{
	const struct conditions c = conditions_of(e);
	bool drops = is_drop(e);

	for (unsigned i = 0; i < 256u * WAYS; i++) {
		const struct asked a = {(enum way)(i % WAYS), r->vmnet[i / WAYS],
					&r->net[i / WAYS]};
		uint8_t *said = said_of(r->out, a.way, i / WAYS);
		enum met m;

		if (a.way < first || a.way > last || *said != LEGACY_NOTHING)
			continue;
		m = meet(&c, &a);
		/* What comes back belongs to a connection that has begun. */
		if (drops && certain && m == ALL)
			*said = LEGACY_DROPS;
		else if (!drops && m != NONE &&
			 (speaks_of(&c, &a) || (a.way == TO_GUESTS && e->tracks)))
			*said = LEGACY_PASSES;
	}
}

bool
legacy_is_dropped(const struct legacy_chain *c, uint8_t said)
{
	return said == LEGACY_DROPS || (said == LEGACY_NOTHING && c->drops);
}

/* -- chains -- */

static bool
is_between(size_t at, uint32_t first, uint32_t last)
{
	return at >= first && at <= last;
}

/* A rule of a built-in chain, in their order: nothing matters behind one for all. */
static void
take_built_in(struct reader *r, struct legacy_chain *c, const struct entry *e, enum way first,
	      enum way last)
{
	bool decides = is_drop(e) || (!e->target[0] && e->verdict == VERDICT(NF_ACCEPT));

	if (c->settled)
		return;
	if (e->plain && (decides || (!e->target[0] && e->verdict < 0 && e->verdict != XT_RETURN))) {
		c->settled = true;
		c->drops = is_drop(e);
	} else if (decides) {
		take_rule(r, e, first, last, true);
	}
}

/* Rules of other chains may come before any of these: they have the first turn. */
static void
take_entry(struct reader *r, const struct entry *e, size_t at, bool built_in)
{
	bool input = is_between(at, r->hooks->input, r->hooks->input_policy);
	bool forward = is_between(at, r->hooks->forward, r->hooks->forward_policy);

	if (built_in && input)
		take_built_in(r, &r->out->input, e, TO_HOST, TO_HOST);
	if (built_in && forward)
		take_built_in(r, &r->out->forward, e, TO_OUTSIDE, INSIDE);
	if (!built_in && !input && !forward && !e->target[0] && e->verdict == VERDICT(NF_ACCEPT))
		take_rule(r, e, TO_HOST, INSIDE, false);
}

bool
legacy_read(struct legacy_rules *out, const void *entries, size_t len,
	    const struct legacy_hooks *hooks, const struct legacy_net net[256])
{
	struct reader r = {.out = out, .hooks = hooks, .net = net};

	*out = (struct legacy_rules){0};
	for (unsigned n = 0; n < 256; n++)
		snprintf(r.vmnet[n], sizeof(r.vmnet[n]), "vmnet%u", n);
	for (unsigned turn = 0; turn < 2; turn++) {
		for (size_t at = 0; at < len;) {
			struct entry e;

			if (!read_entry(&e, (const uint8_t *)entries + at, len - at))
				return false;
			take_entry(&r, &e, at, turn == 1);
			at += e.e.next_offset;
		}
	}
	return true;
}
