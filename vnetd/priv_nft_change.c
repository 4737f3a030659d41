/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_change.c - a plan whose forwards change, a few at a time. Pure.
 */
#include "priv_nft_plan.h"

#include <errno.h>
#include <stdio.h>

static int
refuse(struct nft_plan *p, const struct msg_nat_forward *m, const char *what)
{
	if (p->err == 0) {
		p->err = -EINVAL;
		snprintf(p->why, sizeof(p->why), "vmnet%u: forward %s %u %s", m->net,
			 m->proto < PROTO_N ? ip_proto_name(m->proto) : "?", m->port, what);
	}
	return -EINVAL;
}

static bool
is_same(const struct msg_nat_forward *a, const struct msg_nat_forward *b)
{
	return a->net == b->net && a->proto == b->proto && a->port == b->port &&
	       ip4_eq(a->guest, b->guest) && a->guest_port == b->guest_port &&
	       ip4_eq(a->host, b->host);
}

/* Forwards of several addresses can have one port. */
static void
note_port(struct nft_plan *p, uint8_t proto, uint16_t port)
{
	uint8_t bit = (uint8_t)(1u << port % 8), *taken = &p->taken[proto][port / 8];

	*taken &= (uint8_t)~bit;
	for (size_t i = 0; i < p->nforwards; i++)
		if (p->forwards[i].proto == proto && p->forwards[i].port == port)
			*taken |= bit;
}

static int
take_away(struct nft_plan *p, const struct msg_nat_forward *m)
{
	for (size_t i = 0; i < p->nforwards; i++) {
		if (!is_same(&p->forwards[i], m))
			continue;
		p->forwards[i] = p->forwards[--p->nforwards];
		note_port(p, m->proto, m->port);
		return 0;
	}
	return refuse(p, m, "is not in the plan");
}

int
nft_change_gone(struct nft_change *c, struct nft_plan *p, const struct msg_nat_forward *m)
{
	int r;

	if (c->ngone == NAT_CHANGES_MAX)
		return refuse(p, m, "is one too many for one change");
	r = take_away(p, m);
	if (r == 0)
		c->gone[c->ngone++] = *m;
	return r;
}

int
nft_change_come(struct nft_change *c, struct nft_plan *p, const struct msg_nat_forward *m)
{
	bool any = p->any_forward, bound = p->any_bound, ftp = p->any_ftp_forward;
	int r;

	if (c->ncome == NAT_CHANGES_MAX)
		return refuse(p, m, "is one too many for one change");
	r = nft_plan_forward(p, m);
	if (r == 0)
		c->come[c->ncome++] = *m;
	c->rules |= p->any_forward != any || p->any_bound != bound || p->any_ftp_forward != ftp;
	return r;
}
