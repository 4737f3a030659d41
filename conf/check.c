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

/* Somebody has this host port, by protocol and port; more than one, where forwards of addresses share it. */
struct port_map {
	bool taken[2][65536];
};

static bool
is_marked(const struct port_map *map, const struct conf_forward *f)
{
	for (unsigned i = 0; i <= f->more; i++)
		if (map->taken[f->proto][f->host_port + i])
			return true;
	return false;
}

static void
mark(struct port_map *map, const struct conf_forward *f)
{
	for (unsigned i = 0; i <= f->more; i++)
		map->taken[f->proto][f->host_port + i] = true;
}

/* A forward in the order in which ports are given away. */
struct claim {
	struct conf_forward *f;
	unsigned net;
	bool lost;
};

/* The first of the n claims, which have been looked at, that has a port of this one. */
static const struct claim *
find_clash(const struct claim *v, size_t n, const struct conf_forward *f)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].lost && conf_forwards_meet(v[i].f, f))
			return &v[i];
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
is_free(struct build *b, const struct claim *v, size_t i, const struct port_map *map)
{
	const struct conf_forward *f = v[i].f;
	const struct claim *other = is_marked(map, f) ? find_clash(v, i, f) : NULL;

	if (!other)
		return true;
	b->c->forwards_clash = true;
	b->d->net = (int)v[i].net;
	if (is_meant(f, other->f))
		tell_overlap(b, v[i].net, f, other->net, other->f);
	else
		diag_warn(b->d, f->pos,
			  "%s port %u is forwarded by vmnet%u already; this forward of "
			  "vmnet%u is ignored",
			  conf_proto_str(f->proto), f->host_port, other->net, v[i].net);
	return false;
}

/* The forwards of all networks, those of `networking` or the others. */
static size_t
collect(struct build *b, struct claim *v, bool of_networking)
{
	const char *networking = build_file_name(b, CONF_FILE_NETWORKING, 0);
	size_t n = 0;

	for (unsigned net = 0; net < CONF_NETS; net++) {
		struct conf_net *m = &b->c->net[net];

		for (size_t i = 0; m->present && i < m->nforwards; i++)
			if ((strcmp(m->forward[i].pos.file, networking) == 0) == of_networking)
				v[n++] = (struct claim){&m->forward[i], net, false};
	}
	return n;
}

/* Closes up the forwards of each network; a claim is lost where its forward has no port any more. */
static void
drop_losers(struct build *b)
{
	for (unsigned net = 0; net < CONF_NETS; net++) {
		struct conf_net *m = &b->c->net[net];
		size_t n = 0;

		for (size_t i = 0; m->present && i < m->nforwards; i++)
			if (m->forward[i].host_port)
				m->forward[n++] = m->forward[i];
		if (m->present)
			m->nforwards = n;
	}
}

static void
give_ports(struct build *b, struct claim *v, struct port_map *map)
{
	size_t n = collect(b, v, true);
	bool lost = false;

	n += collect(b, v + n, false);
	for (size_t i = 0; i < n; i++) {
		v[i].lost = !is_free(b, v, i, map);
		if (!v[i].lost)
			mark(map, v[i].f);
		lost |= v[i].lost;
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].lost)
			v[i].f->host_port = 0;
	if (lost)
		drop_losers(b);
}

/* One host port leads to one guest. `networking` is the database, and nat.conf keeps what was removed there: its lines come
 * first, whosever they are. Then of two networks the lower number has the port. */
static void
check_ports(struct build *b)
{
	struct port_map *map;
	struct claim *v;
	size_t n = 0;

	for (unsigned net = 0; net < CONF_NETS; net++)
		n += b->c->net[net].present ? b->c->net[net].nforwards : 0;
	if (n == 0)
		return;
	map = calloc(1, sizeof(*map));
	v = calloc(n, sizeof(*v));
	if (map && v)
		give_ports(b, v, map);
	else
		b->c->arena.bad = true;
	free(map);
	free(v);
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
