/* SPDX-License-Identifier: GPL-2.0-or-later
 * check.c - rules across networks: overlaps, a host port forwarded twice, facts about networks that
 * are not there. Pure.
 */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "conf/text.h"

/* Of two networks that overlap, the higher number is refused. */
static void
check_overlaps(struct build *b)
{
	for (unsigned n = 1; n < CONF_NETS; n++) {
		struct conf_net *net = &b->c->net[n];

		if (!net->present || net->subnet.len == 0)
			continue;
		for (unsigned m = 0; m < n; m++) {
			const struct conf_net *other = &b->c->net[m];

			if (!other->present || other->subnet.len == 0 ||
			    !prefix4_overlaps(net->subnet, other->subnet))
				continue;
			b->d->net = (int)n;
			diag_error(b->d, net->src.subnet,
				   "vmnet%u: %s overlaps vmnet%u, which is %s; give it another: "
				   "vnetctl set vmnet%u subnet A.B.C.0/24",
				   n, PREFIX4_STR(net->subnet), m, PREFIX4_STR(other->subnet), n);
			break;
		}
	}
}

/* Who has a host port: network number + 1, by protocol and port. */
struct port_map {
	uint16_t net[2][65536];
};

static void
claim_ports(struct build *b, struct conf_net *net, struct port_map *map)
{
	size_t n = 0;

	for (size_t i = 0; i < net->nforwards; i++) {
		const struct conf_forward *f = &net->forward[i];
		uint16_t *owner = &map->net[f->proto][f->host_port];

		if (*owner) {
			diag_warn(b->d, f->pos,
				  "%s port %u is forwarded by vmnet%u already; this forward of "
				  "vmnet%u is ignored",
				  conf_proto_str(f->proto), f->host_port, *owner - 1u, net->n);
			b->c->forwards_clash = true;
			continue;
		}
		*owner = (uint16_t)(net->n + 1);
		net->forward[n++] = *f;
	}
	net->nforwards = n;
}

/* One host port leads to one guest; of two networks the lower number has it. */
static void
check_ports(struct build *b)
{
	struct port_map *map = NULL;

	for (unsigned n = 0; n < CONF_NETS; n++) {
		struct conf_net *net = &b->c->net[n];

		if (!net->present || net->nforwards == 0)
			continue;
		if (!map && !(map = calloc(1, sizeof(*map)))) {
			b->c->arena.bad = true;
			return;
		}
		b->d->net = (int)n;
		claim_ports(b, net, map);
	}
	free(map);
}

void
check_orphans(struct build *b)
{
	const struct networking *nw = &b->nw;

	b->d->net = -1;
	for (size_t i = 0; i < nw->nforwards; i++) {
		const struct nw_forward *f = &nw->forward[i];
		const struct conf_net *net = &b->c->net[f->n];

		if (!net->present)
			diag_warn(b->d, f->f.pos, "vmnet%u does not exist; its forward is ignored",
				  f->n);
		else if (!net->nat)
			diag_warn(b->d, f->f.pos, "vmnet%u has no NAT; its forward is ignored",
				  f->n);
	}
	for (size_t i = 0; i < nw->nreservations; i++) {
		const struct nw_reservation *r = &nw->reservation[i];
		const struct conf_net *net = &b->c->net[r->n];

		if (!net->present)
			diag_warn(b->d, r->pos,
				  "vmnet%u does not exist; its reservation is ignored", r->n);
		else if (!net->dhcp)
			diag_notice(b->d, r->pos,
				    "vmnet%u has no DHCP; its reservation waits for it", r->n);
	}
}

void
check_all(struct build *b)
{
	check_overlaps(b);
	check_ports(b);
	check_orphans(b);
}
