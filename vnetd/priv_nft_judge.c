/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_judge.c - follows packets through foreign rules. Pure.
 *
 * The packets are those of an ordinary guest, so a rule with a condition that we do not work out is
 * taken not to match, and a conditional return to be taken: when in doubt no alarm. Conditions on
 * interfaces, on UDP and port 53 and, roughly, on the state of the connection are worked out.
 */
#include "priv_nft_scan.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

enum {
	DEPTH_MAX = 16,    /* the kernel's own limit for jumps */
	STEPS_MAX = 20000, /* a packet that takes longer is let go: no alarm */
};

enum packet { PACKET_ANY, PACKET_NEW, PACKET_ANSWER, PACKET_DNS };

/* One packet on its way. */
struct walk {
	const struct nft_scan_rules *s;
	enum packet packet;
	const char *in, *out; /* "": an interface that nobody names */
	size_t steps;
};

static const struct nft_scan_chain *
find_chain(const struct nft_scan_rules *s, const struct nft_scan_chain *like, const char *name)
{
	for (size_t i = 0; i < s->nchains; i++) {
		const struct nft_scan_chain *c = &s->chains[i];

		if (c->family == like->family && !strcmp(c->name, name) &&
		    !strcmp(c->table, like->table))
			return c;
	}
	return NULL;
}

static bool
name_matches(const char *pattern, const char *ifname)
{
	size_t n = strlen(pattern);

	if (n == 0 || !ifname[0])
		return false;
	if (pattern[n - 1] == '*')
		return !strncmp(pattern, ifname, n - 1);
	return !strcmp(pattern, ifname);
}

static const struct nft_leg_elem *
find_name(const struct walk *w, const struct nft_leg_set *set, const char *ifname)
{
	for (size_t i = 0; i < set->n; i++)
		if (name_matches(w->s->elems[set->first + i].name, ifname))
			return &w->s->elems[set->first + i];
	return NULL;
}

static bool
if_matches(const struct walk *w, const struct nft_leg_if *c, const char *ifname)
{
	if (c->set.name[0])
		return (find_name(w, &c->set, ifname) != NULL) != c->not ;
	return !c->name[0] || name_matches(c->name, ifname) != c->not ;
}

/* The rule names the interface itself, rather than all but some. */
static bool
is_named(const struct nft_leg_if *c)
{
	return (c->name[0] || c->set.name[0]) && !c->not ;
}

static unsigned
conditions(const struct walk *w, const struct nft_leg *l)
{
	unsigned cond = l->cond;

	if (l->ports.name[0]) {
		unsigned ports = NFT_COND_OTHER;

		for (size_t i = 0; i < l->ports.n; i++)
			if (w->s->elems[l->ports.first + i].port53)
				ports = NFT_COND_DNS;
		cond |= ports;
	}
	return cond;
}

/* The conditions besides interfaces hold for this packet. */
static bool
holds(const struct walk *w, const struct nft_leg *l, enum nft_leg_verdict v)
{
	unsigned cond = conditions(w, l);

	/* Rules about states accept what is known or, with the interface's name, what is new. */
	if (cond & NFT_COND_CT && v == NFT_LEG_ACCEPT &&
	    (w->packet == PACKET_ANSWER || is_named(&l->in) || cond & NFT_COND_DNS))
		cond &= ~(unsigned)NFT_COND_CT;
	if (w->packet == PACKET_DNS)
		cond &= ~(unsigned)(NFT_COND_UDP | NFT_COND_DNS);
	return cond == 0;
}

/* What a rule does with the packet; *target: where it jumps to. */
static enum nft_leg_verdict
apply(const struct walk *w, const struct nft_leg *l, const char **target)
{
	enum nft_leg_verdict v = l->verdict;
	const struct nft_leg_elem *e = NULL;

	*target = l->target;
	if (!if_matches(w, &l->in, w->in) || !if_matches(w, &l->out, w->out))
		return NFT_LEG_NONE;
	if (l->vmap == NFT_VMAP_IN)
		e = find_name(w, &l->in.set, w->in);
	else if (l->vmap == NFT_VMAP_OUT)
		e = find_name(w, &l->out.set, w->out);
	for (size_t i = 0; l->vmap == NFT_VMAP_CT && i < l->states.n; i++)
		if (w->s->elems[l->states.first + i].verdict == NFT_LEG_ACCEPT)
			e = &w->s->elems[l->states.first + i];
	if (l->vmap != NFT_VMAP_NONE) {
		if (!e)
			return NFT_LEG_NONE;
		v = e->verdict;
		*target = e->target;
	}
	if (v == NFT_LEG_RETURN)
		return v;
	return holds(w, l, v) ? v : NFT_LEG_NONE;
}

/* ACCEPT, DROP, or RETURN when the packet comes out at the end. */
static enum nft_leg_verdict
follow(struct walk *w, const struct nft_scan_chain *c, unsigned depth)
{
	if (!c || depth > DEPTH_MAX)
		return NFT_LEG_RETURN;
	for (size_t i = 0; i < c->n; i++) {
		const char *target;
		enum nft_leg_verdict v = apply(w, &w->s->legs[c->first + i], &target);
		bool jump = v == NFT_LEG_JUMP;

		if (++w->steps > STEPS_MAX)
			return NFT_LEG_ACCEPT;
		if (v == NFT_LEG_JUMP || v == NFT_LEG_GOTO)
			v = follow(w, find_chain(w->s, c, target), depth + 1);
		if (v == NFT_LEG_NONE || (jump && v == NFT_LEG_RETURN))
			continue;
		return v;
	}
	return NFT_LEG_RETURN;
}

static enum nft_leg_verdict
send_packet(const struct nft_scan_rules *s, const struct nft_scan_chain *base, enum packet packet,
	    const char *in, const char *out)
{
	struct walk w = {.s = s, .packet = packet, .in = in, .out = out};

	return follow(&w, base, 0);
}

static bool
passes(const struct nft_scan_rules *s, const struct nft_scan_chain *base, enum packet packet,
       const char *in, const char *out)
{
	enum nft_leg_verdict v = send_packet(s, base, packet, in, out);

	return v == NFT_LEG_ACCEPT || (v == NFT_LEG_RETURN && !base->policy_drop);
}

static bool
net_passes(const struct nft_scan_rules *s, const struct nft_scan_chain *base,
	   const struct nft_scan_question *q, const char *net)
{
	if (!base->forward)
		return passes(s, base, PACKET_DNS, net, "");
	return passes(s, base, PACKET_NEW, net, q->uplink) &&
	       passes(s, base, PACKET_ANSWER, q->uplink, net);
}

/* Frames between guests, as bridge-nf shows them. */
static bool
inside_passes(const struct nft_scan_rules *s, const struct nft_scan_chain *base, const char *net)
{
	return !base->forward ||
	       (passes(s, base, PACKET_NEW, net, net) && passes(s, base, PACKET_ANSWER, net, net));
}

/* Adds a word to a field unless no room is left. */
static void
add_word(char *field, size_t cap, const char *word)
{
	size_t len = strlen(field);

	if (len + strlen(word) + 2 <= cap)
		snprintf(field + len, cap - len, "%s%s", len ? " " : "", word);
}

static bool
any_inside(const struct msg_firewall_row *row)
{
	for (size_t i = 0; i < NAT_ROUTES_LEN; i++)
		if (row->inside.b[i])
			return true;
	return false;
}

bool
nft_judge(const struct nft_scan_rules *s, const struct nft_scan_chain *base,
	  const struct nft_scan_question *q, struct msg_firewall_row *row)
{
	enum nft_leg_verdict v = send_packet(s, base, PACKET_ANY, "", "");
	bool all = true;
	char net[NFT_LEG_IFNAME];

	*row = (struct msg_firewall_row){.forward = base->forward};
	row->final_drop = v == NFT_LEG_DROP;
	row->policy_drop = v == NFT_LEG_RETURN && base->policy_drop;
	MSG_SET_STR(row->family, base->family == NFPROTO_INET ? "inet" : "ip");
	MSG_SET_STR(row->table, base->table);
	MSG_SET_STR(row->chain, base->name);
	row->inside.len = NAT_ROUTES_LEN;
	for (size_t i = 0; i < q->nnets; i++) {
		snprintf(net, sizeof(net), "vmnet%u", q->nets[i]);
		if (net_passes(s, base, q, net))
			add_word(row->names, sizeof(row->names), net);
		else
			all = false;
		if (!inside_passes(s, base, net))
			msg_nets_add(row->inside.b, q->nets[i]);
	}
	for (unsigned i = 0; q->bridges && i < 8 * NAT_ROUTES_LEN; i++) {
		snprintf(net, sizeof(net), "vmnet%u", i);
		if (msg_nets_have(q->bridges, i) && !inside_passes(s, base, net))
			msg_nets_add(row->inside.b, i);
	}
	for (size_t i = 0; i < base->n; i++)
		if (s->legs[base->first + i].verdict == NFT_LEG_JUMP)
			add_word(row->jumps, sizeof(row->jumps), s->legs[base->first + i].target);
	return row->final_drop || row->policy_drop || !all || any_inside(row);
}
