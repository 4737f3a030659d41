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
	       ip4_eq(a->guest, b->guest) && a->guest_port == b->guest_port;
}

static int
take_away(struct nft_plan *p, const struct msg_nat_forward *m)
{
	for (size_t i = 0; i < p->nforwards; i++) {
		if (!is_same(&p->forwards[i], m))
			continue;
		p->forwards[i] = p->forwards[--p->nforwards];
		p->taken[m->proto][m->port / 8] &= (uint8_t) ~(1u << m->port % 8);
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
	int r;

	if (c->ncome == NAT_CHANGES_MAX)
		return refuse(p, m, "is one too many for one change");
	r = nft_plan_forward(p, m);
	if (r == 0)
		c->come[c->ncome++] = *m;
	return r;
}
