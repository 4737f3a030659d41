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

/* Who has a host port: network number + 1, by protocol and port; the last one, where forwards of addresses
 * share it. */
struct port_map {
	uint16_t net[2][65536];
};

static bool
is_marked(const struct port_map *map, const struct conf_forward *f)
{
	for (unsigned i = 0; i <= f->more; i++)
		if (map->net[f->proto][f->host_port + i])
			return true;
	return false;
}

static void
mark(struct port_map *map, const struct conf_forward *f, unsigned net)
{
	for (unsigned i = 0; i <= f->more; i++)
		map->net[f->proto][f->host_port + i] = (uint16_t)(net + 1);
}

/* The forward before number `i` of the network, or of a network before it, that meets it. */
static const struct conf_forward *
find_clash(const struct build *b, unsigned net, size_t i, unsigned *of)
{
	const struct conf_forward *f = &b->c->net[net].forward[i];

	for (*of = 0; *of <= net; ++*of) {
		const struct conf_net *other = &b->c->net[*of];

		for (size_t k = 0; k < (*of == net ? i : other->nforwards); k++)
			if (other->present && conf_forwards_meet(&other->forward[k], f))
				return &other->forward[k];
	}
	return NULL;
}

/* Of two lines of a file the lower one is in the wrong. */
static void
tell_overlap(struct build *b, unsigned net, const struct conf_forward *f, unsigned of,
	     const struct conf_forward *other)
{
	char mine[HOST_PORTS_LEN], theirs[HOST_PORTS_LEN];

	if (net == of && f->pos.file == other->pos.file && f->pos.line < other->pos.line) {
		const struct conf_forward *t = f;

		f = other;
		other = t;
	}
	diag_error(b->d, f->pos, "%s port %s: vmnet%u forwards %s already, by %s:%u",
		   conf_proto_str(f->proto), host_ports_str(conf_forward_ports(f), mine), of,
		   host_ports_str(conf_forward_ports(other), theirs), other->pos.file,
		   other->pos.line);
}

/* Two lines that somebody has written as they are: both of `networking`, or one of them as nobody but us writes it. A port of a
 * nat.conf is another matter. VMware derives the file from `networking` and leaves in it what was removed there, until
 * somebody deletes it by hand: a port that has moved to another network stands in both, and such files must load. */
static bool
is_meant(const struct conf_forward *f, const struct conf_forward *other)
{
	return f->pos.file == other->pos.file || conf_forward_is_wide(f) ||
	       conf_forward_is_wide(other);
}

static bool
is_free(struct build *b, unsigned net, size_t i, const struct port_map *map)
{
	const struct conf_forward *f = &b->c->net[net].forward[i], *other = NULL;
	unsigned of;

	if (is_marked(map, f))
		other = find_clash(b, net, i, &of);
	if (!other)
		return true;
	b->c->forwards_clash = true;
	if (is_meant(f, other))
		tell_overlap(b, net, f, of, other);
	else
		diag_warn(b->d, f->pos,
			  "%s port %u is forwarded by vmnet%u already; this forward of "
			  "vmnet%u is ignored",
			  conf_proto_str(f->proto), f->host_port, of, net);
	return false;
}

static void
claim_ports(struct build *b, struct conf_net *net, struct port_map *map)
{
	size_t all = net->nforwards, n = 0;

	for (size_t i = 0; i < all; i++) {
		/* Those that stay are in front of it. */
		net->forward[n] = net->forward[i];
		if (!is_free(b, net->n, n, map))
			continue;
		mark(map, &net->forward[n], net->n);
		n++;
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
