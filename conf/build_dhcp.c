/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_dhcp.c - DHCP of one network: `networking` and dhcpd.conf together. Pure.
 *
 * dhcpd.conf has two authors. The section between VMware's markers is derived from `networking`: as
 * long as it fits the network it counts as it stands (people do edit it); when the network has
 * moved on, it is generated anew in memory and marked stale, so that the engine renews the file.
 * What stands outside is the user's and always counts.
 */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "conf/text.h"
#include "lib/strbuf.h"

/* --- the generated section: does it still fit? --- */

static const struct dhcp_subnet *
find_subnet(const struct dhcp_file *f, struct prefix4 p)
{
	for (size_t i = 0; i < f->nsubnets; i++) {
		if (prefix4_eq(f->subnet[i].prefix, p))
			return &f->subnet[i];
	}
	return NULL;
}

/* The block that reserves the host adapter's own address: `host vmnet8`. */
static bool
is_adapter_block(const struct dhcp_host *h, unsigned n)
{
	unsigned m;

	return h->name && conf_net_parse(&m, h->name) && m == n;
}

/* An option of addresses names exactly the address `a`. */
static bool
opt_is(const struct dhcp_opt *o, struct ip4 a)
{
	uint32_t be = ip4_be(a);

	return o && o->len == 4 && memcmp(o->data, &be, 4) == 0;
}

/* dhcpd.conf in its two parts. */
struct parts {
	struct dhcp_file where;   /* section_start, section_end, has_section */
	struct dhcp_file section; /* what stands between the markers */
	struct dhcp_file user;    /* what stands outside */
	bool user_block;          /* which has a `host vmnetN` block */
};

/* A part of a text: what stands in the section, or what stands outside. The rest becomes blank lines, so that
 * positions stay true. */
static char *
part_of(struct arena *a, const struct conf_file *f, const struct dhcp_file *where, bool section)
{
	char *s = arena_dup(a, f->text, f->len);

	for (size_t i = 0; s && i < f->len; i++) {
		bool inside = i >= where->section_start && i < where->section_end;

		if (inside != section && s[i] != '\n' && s[i] != '\r')
			s[i] = ' ';
	}
	return s;
}

/* Parses both parts; what is wrong in them is told to in_section and to d. */
static void
parse_parts(struct parts *p, struct arena *a, const char *name, const struct conf_file *f,
	    unsigned n, struct diags *in_section, struct diags *d)
{
	const char *section, *user;

	*p = (struct parts){0};
	dhcpconf_find_section(&p->where, f->text, f->len);
	if (!p->where.has_section)
		p->where.section_start = p->where.section_end = 0;
	section = part_of(a, f, &p->where, true);
	user = part_of(a, f, &p->where, false);
	if (!section || !user)
		return;
	dhcpconf_parse(&p->section, a, name, section, f->len, in_section);
	dhcpconf_parse(&p->user, a, name, user, f->len, d);
	for (size_t i = 0; i < p->user.nhosts; i++)
		p->user_block |= is_adapter_block(&p->user.host[i], n);
}

static bool
section_fits(const struct conf_net *net, const struct parts *p)
{
	const struct dhcp_file *f = &p->section;
	const struct dhcp_subnet *s = find_subnet(f, net->subnet);
	const struct dhcp_opt *routers;
	struct conf_addresses def;
	bool block = false;

	if (!s)
		return false;
	conf_addresses_of(net->subnet, &def);
	routers = dhcp_opts_find(&s->scope.opts, 3);
	if (net->nat != (routers != NULL))
		return false;
	/* A router of the user's own choice stays; the place where the gateway was does not. */
	if (net->nat && !ip4_eq(net->gateway, def.gateway) && opt_is(routers, def.gateway))
		return false;
	for (size_t i = 0; i < f->nhosts; i++) {
		if (!is_adapter_block(&f->host[i], net->n))
			continue;
		block = true;
		if (!net->adapter || !ip4_eq(f->host[i].ip, net->host))
			return false;
	}
	return block == (net->adapter && !p->user_block);
}

static void
gen_from_parts(struct dhcp_gen *g, const struct conf_net *n, const struct parts *p)
{
	struct conf_addresses def;
	const struct dhcp_subnet *s;

	conf_addresses_of(n->subnet, &def);
	*g = (struct dhcp_gen){.net = n->n, .subnet = n->subnet, .no_host_block = p->user_block};
	if (n->adapter)
		g->host = n->host;
	if (n->nat)
		g->gateway = n->gateway;
	g->lo = def.lo;
	if (def.lo.h)
		g->hi = def.dhcp;
	if (p->section.nsubnets == 0)
		return;
	s = &p->section.subnet[0];
	g->default_lease_s = s->scope.default_lease_s;
	g->max_lease_s = s->scope.max_lease_s;
	/* Only what was customised stays: the default range follows the subnet. */
	conf_addresses_of(s->prefix, &def);
	if (s->nranges == 1 && prefix4_contains(n->subnet, s->range[0].lo) &&
	    prefix4_contains(n->subnet, s->range[0].hi) &&
	    !(ip4_eq(s->range[0].lo, def.lo) && s->range[0].hi.h + 1 >= def.dhcp.h)) {
		g->lo = s->range[0].lo;
		g->hi = s->range[0].hi;
	}
}

void
build_dhcp_gen(struct dhcp_gen *g, const struct conf_net *n, const struct conf_file *f,
	       struct arena *a)
{
	struct parts p = {0};
	struct diags quiet;

	diags_init(&quiet);
	if (f->text)
		parse_parts(&p, a, "", f, n->n, &quiet, &quiet);
	gen_from_parts(g, n, &p);
	diags_fini(&quiet);
}

/* --- reading --- */

static void
append_file(struct arena *a, struct dhcp_file *to, const struct dhcp_file *more)
{
	struct dhcp_scope outer = to->global;

	to->global = more->global; /* the later part overrides the earlier */
	dhcp_scope_inherit(&to->global, a, &outer);
	for (size_t i = 0; i < more->nsubnets; i++) {
		struct dhcp_subnet *v = arena_grow(a, to->subnet, to->nsubnets, sizeof(*v));

		if (!v)
			return;
		to->subnet = v;
		v[to->nsubnets++] = more->subnet[i];
	}
	for (size_t i = 0; i < more->nhosts; i++) {
		struct dhcp_host *v = arena_grow(a, to->host, to->nhosts, sizeof(*v));

		if (!v)
			return;
		to->host = v;
		v[to->nhosts++] = more->host[i];
	}
	if (more->server_id.h)
		to->server_id = more->server_id;
}

static void
parse_generated(struct build *b, const struct conf_net *net, const struct parts *p,
		struct dhcp_file *out)
{
	struct dhcp_gen g;
	struct strbuf text;

	strbuf_init(&text);
	gen_from_parts(&g, net, p);
	dhcpconf_gen_section(&text, &g);
	dhcpconf_parse(out, &b->c->arena, "(generated)", strbuf_str(&text), text.len, b->d);
	b->c->arena.bad |= text.bad;
	strbuf_fini(&text);
}

/* Whether the file's section must be renewed. Without markers, a file that declares a subnet is all
 * the user's. */
static bool
is_stale(const struct conf_net *net, const struct conf_file *f)
{
	struct diags quiet;
	struct arena tmp;
	struct parts p;
	bool stale;

	arena_init(&tmp);
	diags_init(&quiet);
	parse_parts(&p, &tmp, "", f, net->n, &quiet, &quiet);
	stale = p.where.has_section ? !section_fits(net, &p) : p.user.nsubnets == 0;
	diags_fini(&quiet);
	arena_fini(&tmp);
	return stale;
}

/* What dhcpd.conf says for this network, the section renewed where it must be. */
static void
read_file(struct build *b, struct conf_net *net, struct dhcp_file *out)
{
	const char *name = build_file_name(b, CONF_FILE_DHCPD, net->n);
	const struct conf_file *f = &b->src->dhcpd[net->n];
	struct parts p = {0};
	struct diags quiet;

	if (!build_has_file(b, f, name)) {
		net->dhcpd_stale = true;
		parse_generated(b, net, &p, out);
		return;
	}
	net->dhcpd_stale = is_stale(net, f);
	/* Nobody can do anything about a section that is renewed. */
	diags_init(&quiet);
	parse_parts(&p, &b->c->arena, name, f, net->n, net->dhcpd_stale ? &quiet : b->d, b->d);
	diags_fini(&quiet);
	if (net->dhcpd_stale)
		parse_generated(b, net, &p, out);
	else
		*out = p.section;
	/* What the user says counts, above the section as well as below. */
	append_file(&b->c->arena, out, &p.user);
}

/* DHCP is off. Packer wants the file of every network with a host adapter all the same, and reads
 * the adapter's address from it; what else is in it does not matter. */
static void
check_unused(struct build *b, struct conf_net *net)
{
	const struct conf_file *f = &b->src->dhcpd[net->n];
	struct dhcp_file where = {0};

	if (!net->adapter)
		return;
	if (!f->text || f->len > CONF_FILE_MAX) {
		net->dhcpd_stale = !f->text;
		return;
	}
	dhcpconf_find_section(&where, f->text, f->len);
	net->dhcpd_stale = where.has_section && is_stale(net, f);
}

/* --- model --- */

static void
merge_subnets(struct build *b, struct conf_net *net, struct dhcp_file *f, struct dhcp_subnet *out)
{
	struct arena *a = &b->c->arena;
	bool found = false;

	*out = (struct dhcp_subnet){.prefix = net->subnet};
	for (size_t i = 0; i < f->nsubnets; i++) {
		struct dhcp_subnet *s = &f->subnet[i];

		if (!prefix4_eq(s->prefix, net->subnet)) {
			diag_error(b->d, s->pos, "subnet %s is not that of vmnet%u, which is %s",
				   PREFIX4_STR(s->prefix), net->n, PREFIX4_STR(net->subnet));
			continue;
		}
		if (found)
			diag_notice(b->d, s->pos, "subnet %s is declared again; both count",
				    PREFIX4_STR(s->prefix));
		found = true;
		dhcp_scope_inherit(&s->scope, a, &out->scope); /* the later one wins */
		out->scope = s->scope;
		for (size_t r = 0; r < s->nranges; r++) {
			struct dhcp_range *v = arena_grow(a, out->range, out->nranges, sizeof(*v));

			if (!v)
				return;
			out->range = v;
			v[out->nranges++] = s->range[r];
		}
		out->pos = s->pos;
	}
}

static int
range_cmp(const void *pa, const void *pb)
{
	const struct dhcp_range *a = pa, *b = pb;
	int r = (a->lo.h > b->lo.h) - (a->lo.h < b->lo.h);

	return r ? r : (a->hi.h > b->hi.h) - (a->hi.h < b->hi.h);
}

/* Sorted, without overlaps, without the network's own addresses at the ends. */
static void
set_ranges(struct build *b, struct conf_net *net, struct dhcp_subnet *s)
{
	struct dhcp_range *v = s->range;
	size_t n = 0;

	if (s->nranges > 1)
		qsort(v, s->nranges, sizeof(*v), range_cmp);
	for (size_t i = 0; i < s->nranges; i++) {
		struct dhcp_range r = v[i];

		if (n && r.lo.h <= v[n - 1].hi.h) {
			diag_warn(b->d, r.pos, "range %s-%s overlaps %s-%s", IP4_STR(r.lo),
				  IP4_STR(r.hi), IP4_STR(v[n - 1].lo), IP4_STR(v[n - 1].hi));
			r.lo.h = v[n - 1].hi.h + 1;
		}
		while (r.lo.h <= r.hi.h && conf_net_owns(net, r.lo))
			r.lo.h++;
		while (r.lo.h <= r.hi.h && conf_net_owns(net, r.hi))
			r.hi.h--;
		if (r.lo.h <= r.hi.h)
			v[n++] = r;
	}
	net->dhcpd.range = v;
	net->dhcpd.nranges = n;
	if (n == 0 && !diags_failed(b->d, (int)net->n))
		diag_warn(b->d, s->pos, "vmnet%u has no range: only reservations get an address",
			  net->n);
}

static uint32_t
first_nonzero(uint32_t a, uint32_t b, uint32_t c)
{
	return a ? a : b ? b : c;
}

static void
set_times(struct build *b, struct conf_net *net, const struct dhcp_subnet *s)
{
	struct conf_dhcp *d = &net->dhcpd;
	const struct dhcp_scope *g = &d->global, *in = &d->subnet;

	d->default_lease_s = first_nonzero(in->default_lease_s, g->default_lease_s, 1800);
	d->max_lease_s = first_nonzero(in->max_lease_s, g->max_lease_s, 7200);
	d->min_lease_s = first_nonzero(in->min_lease_s, g->min_lease_s, 0);
	if (d->default_lease_s > d->max_lease_s) {
		diag_warn(b->d, s->pos,
			  "default-lease-time %u is longer than max-lease-time %u, which is used",
			  d->default_lease_s, d->max_lease_s);
		d->default_lease_s = d->max_lease_s;
	}
	if (d->min_lease_s > d->max_lease_s) {
		diag_warn(b->d, s->pos,
			  "min-lease-time %u is longer than max-lease-time %u, which is used",
			  d->min_lease_s, d->max_lease_s);
		d->min_lease_s = d->max_lease_s;
	}
}

/* An option that every client of the network gets, unless the file says otherwise. */
static void
derive_opt(struct build *b, struct conf_net *net, uint8_t code, uint32_t value, unsigned len)
{
	uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
			    (uint8_t)value};
	struct dhcp_opt o = {.code = code, .len = (uint16_t)len};

	if (dhcp_opts_find(&net->dhcpd.subnet.opts, code))
		return;
	o.data = (const uint8_t *)arena_dup(&b->c->arena, (const char *)bytes + 4 - len, len);
	if (o.data)
		dhcp_scope_set_opt(&net->dhcpd.subnet, &b->c->arena, &o);
}

/* The server's own address: broadcast-1, or server-identifier. */
static void
set_server(struct build *b, struct conf_net *net, const struct dhcp_file *f)
{
	struct ip4 id = f->server_id;

	if (id.h && prefix4_contains(net->subnet, id) && !ip4_eq(id, net->subnet.addr) &&
	    !ip4_eq(id, prefix4_broadcast(net->subnet)))
		net->dhcpd.server = id;
	else if (id.h)
		diag_warn(b->d, net->src.dhcp,
			  "server-identifier %s is no address of a host in %s; %s is used",
			  IP4_STR(id), PREFIX4_STR(net->subnet), IP4_STR(net->dhcpd.server));
	if ((net->adapter && ip4_eq(net->dhcpd.server, net->host)) ||
	    (net->nat && ip4_eq(net->dhcpd.server, net->gateway)))
		diag_error(
		    b->d, net->src.host.line ? net->src.host : net->src.dhcp,
		    "vmnet%u: %s would be both the address of the DHCP server and that of %s",
		    net->n, IP4_STR(net->dhcpd.server),
		    net->adapter && ip4_eq(net->dhcpd.server, net->host) ? "the host"
									 : "the NAT gateway");
}

void
build_dhcp(struct build *b, struct conf_net *net)
{
	struct dhcp_subnet subnet;
	struct dhcp_file f;
	struct conf_dhcp *d = &net->dhcpd;

	b->d->net = (int)net->n;
	if (net->subnet.len == 0)
		return;
	if (!net->dhcp) {
		check_unused(b, net);
		return;
	}
	read_file(b, net, &f);
	merge_subnets(b, net, &f, &subnet);
	set_server(b, net, &f);
	d->global = f.global;
	d->subnet = subnet.scope;
	set_ranges(b, net, &subnet);
	set_times(b, net, &subnet);
	d->unknown_clients = (d->subnet.unknown_clients ? d->subnet.unknown_clients
							: d->global.unknown_clients) != CONF_NO;
	d->authoritative = (d->subnet.authoritative ? d->subnet.authoritative
						    : d->global.authoritative) != CONF_NO;
	d->ping_check =
	    (d->subnet.ping_check ? d->subnet.ping_check : d->global.ping_check) != CONF_NO;
	d->ping_timeout_s =
	    d->subnet.ping_timeout_s ? d->subnet.ping_timeout_s : d->global.ping_timeout_s;
	if (d->ping_timeout_s == 0)
		d->ping_timeout_s = CONF_PING_TIMEOUT_DEFAULT;
	derive_opt(b, net, 1, ip4_mask(net->subnet.len).h, 4);
	derive_opt(b, net, 28, prefix4_broadcast(net->subnet).h, 4);
	if (net->mtu != CONF_MTU_DEFAULT)
		derive_opt(b, net, 26, net->mtu, 2);
	build_hosts(b, net, &f);
}
