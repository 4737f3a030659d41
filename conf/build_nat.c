/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_nat.c - NAT of one network: `networking` and nat.conf together. Pure.
 * `networking` is VMware's database, nat.conf derived from it yet edited by people: forwards of
 * both count; where they contradict each other, `networking` wins.
 */
#include "conf/build.h"

#include <stdlib.h>

#include "conf/text.h"

static void
read_gateway(struct build *b, struct conf_net *net)
{
	const struct nat_file *f = &net->natconf;
	struct conf_addresses def;
	bool inside = prefix4_contains(net->subnet, f->ip) && !ip4_eq(f->ip, net->subnet.addr) &&
		      !ip4_eq(f->ip, prefix4_broadcast(net->subnet));

	conf_addresses_of(net->subnet, &def);
	net->gateway = def.gateway;
	if (f->ip.h == 0)
		return;
	if (!inside) {
		/* The file was made for another subnet: its addresses follow (conf_refresh). */
		diag_warn(b->d, f->ip_pos,
			  "NAT gateway %s is no address of a host in %s; %s is used",
			  IP4_STR(f->ip), PREFIX4_STR(net->subnet), IP4_STR(def.gateway));
		net->nat_stale = true;
		return;
	}
	net->gateway = f->ip;
	net->src.gateway = f->ip_pos;
	if ((f->ip_len && f->ip_len != net->subnet.len) ||
	    (f->host_ip.h && net->adapter && !ip4_eq(f->host_ip, net->host)))
		net->nat_stale = true;
}

static void
read_udp_timeout(struct build *b, struct conf_net *net)
{
	const struct nw_answer *a = networking_answer(&b->nw, net->n, "NAT_PARAM_UDP_TIMEOUT");
	uint32_t s;

	net->udp_timeout_s = net->natconf.udp_timeout_s;
	if (!a || a->value[0] == '\0')
		return;
	if (!word_u32(word_of(a->value), 86400, &s)) {
		diag_warn(b->d, a->value_pos,
			  "not a number of seconds from 0 to 86400: \"%s\"; %u is used", a->value,
			  net->udp_timeout_s);
		return;
	}
	net->udp_timeout_s = s;
	net->src.udp_timeout = a->pos;
}

static int
forward_cmp(const void *pa, const void *pb)
{
	return conf_forward_cmp(pa, pb);
}

/* What nobody but us writes is refused; what VMware's tools may have written for years is left out. */
#define SAY(b, f, plain, ...)                                                                      \
	diag_add((b)->d, conf_forward_is_wide(f) ? DIAG_ERROR : DIAG_WARNING, (f)->pos,            \
		 __VA_ARGS__, conf_forward_is_wide(f) ? "" : (plain))

/* 127.0.0.0/8 is the host's own, but for 127.0.0.1. */
static bool
is_host_address(struct ip4 a)
{
	return !a.h || a.h == 0x7f000001 || (a.h >> 24 != 127 && a.h >> 28 < 14);
}

/* Adds a forward that makes sense; says why not otherwise. There is room. The first `sorted` forwards, already
 * there, come before it. */
static void
add_forward(struct build *b, struct conf_net *net, const struct conf_forward *f, size_t sorted)
{
	const struct conf_forward *old = NULL;
	struct conf_forward *v;
	char ports[HOST_PORTS_LEN];

	host_ports_str(conf_forward_ports(f), ports);

	if (sorted)
		old = bsearch(f, net->forward, sorted, sizeof(*f), forward_cmp);
	if (old) {
		if (!ip4_eq(old->guest, f->guest) || old->guest_port != f->guest_port)
			diag_warn(b->d, f->pos,
				  "%s port %s goes to %s:%u by %s:%u; this line has no effect",
				  conf_proto_str(f->proto), ports, IP4_STR(old->guest),
				  old->guest_port, old->pos.file, old->pos.line);
		return;
	}
	if (!prefix4_contains(net->subnet, f->guest)) {
		SAY(b, f, "; ignored", "forward of %s port %s: guest %s is outside %s%s",
		    conf_proto_str(f->proto), ports, IP4_STR(f->guest), PREFIX4_STR(net->subnet));
		return;
	}
	if (conf_net_owns(net, f->guest)) {
		SAY(b, f, "; ignored",
		    "forward of %s port %s: %s is no guest but an address of vmnet%u itself%s",
		    conf_proto_str(f->proto), ports, IP4_STR(f->guest), net->n);
		return;
	}
	if (!is_host_address(f->host)) {
		diag_error(b->d, f->pos,
			   "forward of %s port %s: %s is no address that can be forwarded; of "
			   "127.0.0.0/8 only 127.0.0.1 is",
			   conf_proto_str(f->proto), ports, IP4_STR(f->host));
		return;
	}
	b->c->forwards_wide |= conf_forward_is_wide(f);
	v = &net->forward[net->nforwards++];
	*v = *f;
	if (f->description)
		v->description = text_clean(&b->c->arena, f->description);
}

static void
read_forwards(struct build *b, struct conf_net *net)
{
	size_t first, n = net->natconf.nforwards;

	for (size_t i = 0; i < b->nw.nforwards; i++)
		n += b->nw.forward[i].n == net->n;
	net->forward = n ? arena_alloc(&b->c->arena, n * sizeof(*net->forward)) : NULL;
	if (!net->forward)
		return;
	for (size_t i = 0; i < b->nw.nforwards; i++) {
		if (b->nw.forward[i].n == net->n)
			add_forward(b, net, &b->nw.forward[i].f, 0);
	}
	first = net->nforwards; /* sorted, as `networking` is */
	for (size_t i = 0; i < net->natconf.nforwards; i++)
		add_forward(b, net, &net->natconf.forward[i], first);
	if (net->nforwards > 1)
		qsort(net->forward, net->nforwards, sizeof(*net->forward), forward_cmp);
}

void
build_nat(struct build *b, struct conf_net *net)
{
	const char *name = build_file_name(b, CONF_FILE_NAT, net->n);
	const struct conf_file *f = &b->src->nat[net->n];

	b->d->net = (int)net->n;
	natconf_defaults(&net->natconf);
	if (!net->nat || net->subnet.len == 0)
		return;
	if (build_has_file(b, f, name))
		natconf_parse(&net->natconf, &b->c->arena, name, f->text, f->len, b->d);
	else
		net->nat_stale = true;
	read_gateway(b, net);
	net->dns = net->gateway;
	if (net->adapter && ip4_eq(net->gateway, net->host))
		diag_error(b->d, net->src.gateway.line ? net->src.gateway : net->src.host,
			   "vmnet%u: %s would be both the host's address and the NAT gateway",
			   net->n, IP4_STR(net->host));
	read_udp_timeout(b, net);
	read_forwards(b, net);
}
