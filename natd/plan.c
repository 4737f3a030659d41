/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan.c - configuration rows -> NAT rows. Pure: no clock, no sockets, no log.
 */
#include "natd/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Room for one more element; false: no memory. */
static bool
grow(void **array, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? 2 * *cap : 16;
	void *p;

	if (n < *cap)
		return true;
	p = reallocarray(*array, want, size);
	if (!p)
		return false;
	*array = p;
	*cap = want;
	return true;
}

bool
natd_conf_add(struct natd_conf *c, const struct msg *m)
{
	if (m->type == MSG_CONF_BEGIN) {
		c->generation = m->u.conf_begin.generation;
		return true;
	}
	if (m->type == MSG_NATD_GLOBAL) {
		c->forward_others = m->u.natd_global.forward_others;
		c->hold_ports = m->u.natd_global.hold_ports;
		c->foreign_allow = m->u.natd_global.foreign_allow;
		c->flowtable = m->u.natd_global.flowtable;
		memcpy(c->bridges, m->u.natd_global.bridges.b, m->u.natd_global.bridges.len);
		return true;
	}
	if (m->type == MSG_NATD_NET) {
		if (!grow((void **)&c->nets, &c->nets_cap, c->nnets, sizeof(*c->nets)))
			return false;
		c->nets[c->nnets++] = m->u.natd_net;
		return true;
	}
	if (m->type == MSG_NATD_FORWARD) {
		if (!grow((void **)&c->forwards, &c->forwards_cap, c->nforwards,
			  sizeof(*c->forwards)))
			return false;
		c->forwards[c->nforwards++] = m->u.natd_forward;
		return true;
	}
	if (m->type == MSG_NATD_CAPTURE) {
		if (c->ncaptures == NAT_CAPTURES_MAX)
			return false;
		c->captures[c->ncaptures++] = m->u.natd_capture;
		return true;
	}
	if (m->type == MSG_NATD_RESOLVER) {
		if (!grow((void **)&c->resolvers, &c->resolvers_cap, c->nresolvers,
			  sizeof(*c->resolvers)))
			return false;
		c->resolvers[c->nresolvers++] = m->u.natd_resolver;
		return true;
	}
	if (m->type == MSG_NATD_DNS) {
		if (!grow((void **)&c->dns, &c->dns_cap, c->ndns, sizeof(*c->dns)))
			return false;
		c->dns[c->ndns++] = m->u.natd_dns;
		return true;
	}
	return false;
}

void
natd_conf_fini(struct natd_conf *c)
{
	free(c->nets);
	free(c->forwards);
	free(c->resolvers);
	free(c->dns);
	*c = (struct natd_conf){0};
}

const struct msg_natd_net *
natd_conf_net(const struct natd_conf *c, uint16_t net)
{
	for (size_t i = 0; i < c->nnets; i++)
		if (c->nets[i].net == net)
			return &c->nets[i];
	return NULL;
}

/* -- making -- */

/* A plan being made. Arrays have room for everything, so that nothing below can fail. */
struct making {
	struct nat_plan *p;
	const struct natd_conf *c;
	const struct listeners *host;
	const struct nat_plan *there;
};

PRINTF_LIKE(3, 4)
static void
problem(struct making *k, uint16_t net, const char *fmt, ...)
{
	struct nat_plan *p = k->p;
	struct plan_problem *x;
	va_list ap;

	for (size_t i = 0; i < p->nproblems; i++) {
		if (p->problems[i].net == net) {
			p->problems[i].more++;
			return;
		}
	}
	x = &p->problems[p->nproblems++];
	*x = (struct plan_problem){.net = net};
	va_start(ap, fmt);
	vsnprintf(x->text, sizeof(x->text), fmt, ap);
	va_end(ap);
}

static bool
is_host_in(struct prefix4 subnet, struct ip4 a)
{
	return prefix4_contains(subnet, a) && !ip4_eq(a, subnet.addr) &&
	       !ip4_eq(a, prefix4_broadcast(subnet));
}

/* Another network's way out is no matter of a network without one. */
static void
copy_way(struct msg_nat_net *to, const struct msg_natd_net *from)
{
#define COPY(kind, name, cap) memcpy(&to->name, &from->name, sizeof(to->name));
	if (from->nat) {
		NAT_WAY(COPY)
	}
#undef COPY
}

static void
add_net(struct making *k, const struct msg_natd_net *n)
{
	struct prefix4 subnet = {n->subnet, n->len};
	struct nat_plan *p = k->p;

	for (size_t i = 0; i < p->nnets; i++) {
		if (p->nets[i].net == n->net) {
			problem(k, n->net, "the network is configured twice");
			return;
		}
	}
	if (n->len < 1 || n->len > 30 || (n->subnet.h & ~ip4_mask(n->len).h)) {
		problem(k, n->net, "%s/%u is not a subnet", IP4_STR(n->subnet), n->len);
	} else if ((n->host.h && !is_host_in(subnet, n->host)) ||
		   (n->gateway.h && !is_host_in(subnet, n->gateway))) {
		problem(k, n->net, "an address of the host is outside %s", PREFIX4_STR(subnet));
	} else if (n->nat && !n->gateway.h) {
		problem(k, n->net, "NAT needs a gateway address");
	} else {
		p->nets[p->nnets++] = (struct msg_nat_net){
		    .net = n->net,
		    .subnet = n->subnet,
		    .len = n->len,
		    .host = n->host,
		    .gateway = n->gateway,
		    .adapter = n->adapter,
		    .nat = n->nat,
		    .udp_timeout_s = n->udp_timeout_s,
		};
		copy_way(&p->nets[p->nnets - 1], n);
		p->nets[p->nnets - 1].routes.len = n->routes.len;
		memcpy(p->nets[p->nnets - 1].routes.b, n->routes.b, sizeof(n->routes.b));
	}
}

static const struct msg_nat_net *
find_net(const struct nat_plan *p, uint16_t net)
{
	for (size_t i = 0; i < p->nnets; i++)
		if (p->nets[i].net == net)
			return &p->nets[i];
	return NULL;
}

static void
note(uint8_t ports[65536 / 8], uint16_t port)
{
	ports[port / 8] |= (uint8_t)(1u << port % 8);
}

static bool
is_noted(const uint8_t ports[65536 / 8], uint16_t port)
{
	return ports[port / 8] >> port % 8 & 1;
}

static int
compare_ports(const struct msg_nat_forward *a, const struct msg_nat_forward *b)
{
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return (a->host.h > b->host.h) - (a->host.h < b->host.h);
}

static int
compare_key(const void *key, const void *forward)
{
	return compare_ports(key, forward);
}

/* The forward of this port and address of the host; NULL: there is none. */
static const struct msg_nat_forward *
forward_of(const struct nat_plan *p, uint8_t proto, uint16_t port, struct ip4 host)
{
	const struct msg_nat_forward key = {.proto = proto, .port = port, .host = host};

	return p->nforwards ? bsearch(&key, p->forwards, p->nforwards, sizeof(key), compare_key)
			    : NULL;
}

/* A service that would not be heard of any more; whoever started it did not ask for that. */
static bool
is_service(struct making *k, const struct msg_natd_forward *f)
{
	const struct listener *l = NULL;
	char addr[LISTENER_ADDR_LEN];
	const char *proto = ip_proto_name((enum ip_proto)f->proto);

	if (k->host && !f->shadow &&
	    !(k->there && !is_noted(k->there->shadowed[f->proto], f->port) &&
	      forward_of(k->there, f->proto, f->port, f->host)))
		l = listeners_find(k->host, (enum ip_proto)f->proto, f->port, f->host);
	if (!l)
		return false;
	k->p->nhidden++;
	problem(k, f->net,
		"%s port %u is not forwarded: a program of uid %u has it on %s. Stop that, choose "
		"another port, or shadow it",
		proto, f->port, l->uid, listener_addr(l, addr));
	for (size_t i = 0; i < k->p->nproblems; i++)
		if (k->p->problems[i].net == f->net && !k->p->problems[i].more)
			snprintf(k->p->problems[i].cure, sizeof(k->p->problems[i].cure),
				 "ss -l%cnp 'sport = :%u'", proto[0], f->port);
	return true;
}

/* Where the service may have it, it must find its port free when it is started again. Ranges are too many. */
static void
note_free(struct making *k, const struct msg_natd_forward *f)
{
	if (f->shadow)
		note(k->p->shadowed[f->proto], f->port);
	if (f->shadow || f->more)
		note(k->p->unheld[f->proto], f->port);
	if (f->shadow || f->more >= k->c->hold_ports)
		note(k->p->unrelayed[f->proto], f->port);
}

/* One port of it. */
static void
add_port(struct making *k, const struct msg_natd_forward *f)
{
	if (is_service(k, f))
		return;
	k->p->forwards[k->p->nforwards++] = (struct msg_nat_forward){
	    .net = f->net,
	    .proto = f->proto,
	    .port = f->port,
	    .guest = f->guest,
	    .guest_port = f->guest_port,
	    .host = f->host,
	};
	note_free(k, f);
}

static void
add_forward(struct making *k, const struct msg_natd_forward *f)
{
	const struct msg_nat_net *net = find_net(k->p, f->net);
	const char *proto = ip_proto_name((enum ip_proto)f->proto);

	if (f->proto >= PROTO_N || !f->port || !f->guest_port || f->port + f->more > UINT16_MAX ||
	    f->guest_port + f->more > UINT16_MAX)
		problem(k, f->net, "a forward has no protocol or port");
	else if (!net || !net->nat)
		problem(k, f->net, "forward %s %u is on a network without NAT", proto, f->port);
	else if (!is_host_in((struct prefix4){net->subnet, net->len}, f->guest))
		problem(k, f->net, "forward %s %u leads to %s, which is not in %s", proto, f->port,
			IP4_STR(f->guest), PREFIX4_STR(((struct prefix4){net->subnet, net->len})));
	else
		for (unsigned i = 0; i <= f->more; i++) {
			struct msg_natd_forward one = *f;

			one.port = (uint16_t)(f->port + i);
			one.guest_port = (uint16_t)(f->guest_port + i);
			add_port(k, &one);
		}
}

/* A capture that priv would refuse would take all NAT with it. */
static void
add_capture(struct making *k, const struct msg_natd_capture *c)
{
	struct nat_plan *p = k->p;
	struct msg_nat_capture *new = &p->captures[p->ncaptures];

	if (!c->port || !c->to_port || c->port == c->to_port || c->addr.len != 16)
		return;
	for (size_t i = 0; i < p->ncaptures; i++)
		if (memcmp(p->captures[i].addr.b, c->addr.b, 16) == 0 &&
		    p->captures[i].port == c->port)
			return;
	*new = (struct msg_nat_capture){.port = c->port, .to_port = c->to_port};
	new->addr.len = 16;
	memcpy(new->addr.b, c->addr.b, 16);
	p->ncaptures++;
}

/* A packet could be for both. */
static bool
meet(const struct msg_nat_forward *a, const struct msg_nat_forward *b)
{
	return a->proto == b->proto && a->port == b->port &&
	       (!a->host.h || !b->host.h || ip4_eq(a->host, b->host));
}

/* Ports of all forwards. */
static size_t
count_ports(const struct natd_conf *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nforwards; i++)
		n += c->forwards[i].more + 1u;
	return n;
}

/* A merge sort, since the order of rows decides between two forwards of one port. tmp: as large
 * as f. */
static void
sort_forwards(struct msg_nat_forward *f, struct msg_nat_forward *tmp, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort_forwards(f, tmp, half);
	sort_forwards(f + half, tmp, n - half);
	while (i < half && j < n)
		tmp[k++] = compare_ports(&f[j], &f[i]) < 0 ? f[j++] : f[i++];
	while (i < half)
		tmp[k++] = f[i++];
	while (j < n)
		tmp[k++] = f[j++];
	memcpy(f, tmp, n * sizeof(*f));
}

/* Sorted: of neighbours with one host port the first stays. */
static void
drop_doubles(struct making *k)
{
	struct nat_plan *p = k->p;
	size_t n = 0;

	for (size_t i = 0; i < p->nforwards; i++) {
		const struct msg_nat_forward *f = &p->forwards[i];
		const struct msg_nat_forward *kept = n ? &p->forwards[n - 1] : NULL;

		if (!kept || !meet(kept, f))
			p->forwards[n++] = *f;
		else
			problem(k, f->net,
				"%s port %u is forwarded twice; it leads to %s of vmnet%u",
				ip_proto_name((enum ip_proto)f->proto), f->port,
				IP4_STR(kept->guest), kept->net);
	}
	p->nforwards = n;
}

static int
compare_nets(const void *a, const void *b)
{
	const struct msg_nat_net *x = a, *y = b;

	return (x->net > y->net) - (x->net < y->net);
}

bool
plan_make(struct nat_plan *out, const struct natd_conf *c, const struct listeners *host,
	  const struct nat_plan *there)
{
	struct making k = {.p = out, .c = c, .host = host, .there = there};
	/* Every row can be a problem of a network of its own. One more: nothing is no error. */
	size_t rows = c->nnets + c->nforwards + 1;
	size_t ports = count_ports(c);
	struct msg_nat_forward *tmp = reallocarray(NULL, ports + 1, sizeof(*tmp));

	*out = (struct nat_plan){.forward_others = c->forward_others, .flowtable = c->flowtable};
	out->nets = calloc(c->nnets + 1, sizeof(*out->nets));
	out->forwards = calloc(ports + 1, sizeof(*out->forwards));
	/* Megabytes of which nothing is touched while all is well. */
	out->problems = reallocarray(NULL, rows, sizeof(*out->problems));
	if (!tmp || !out->nets || !out->forwards || !out->problems) {
		free(tmp);
		plan_fini(out);
		return false;
	}
	for (size_t i = 0; i < c->nnets; i++)
		add_net(&k, &c->nets[i]);
	qsort(out->nets, out->nnets, sizeof(*out->nets), compare_nets);
	for (size_t i = 0; i < c->nforwards; i++)
		add_forward(&k, &c->forwards[i]);
	for (size_t i = 0; i < c->ncaptures; i++)
		add_capture(&k, &c->captures[i]);
	out->forwards_cap = ports + 1;
	sort_forwards(out->forwards, tmp, out->nforwards);
	drop_doubles(&k);
	free(tmp);
	return true;
}

void
plan_fini(struct nat_plan *p)
{
	free(p->nets);
	free(p->forwards);
	free(p->problems);
	*p = (struct nat_plan){0};
}

bool
plan_copy(struct nat_plan *to, const struct nat_plan *from)
{
	struct nat_plan p = {.forward_others = from->forward_others,
			     .flowtable = from->flowtable,
			     .nnets = from->nnets,
			     .nforwards = from->nforwards,
			     .forwards_cap = from->nforwards + 1,
			     .ncaptures = from->ncaptures};

	memcpy(p.captures, from->captures, sizeof(p.captures));
	p.nets = calloc(from->nnets + 1, sizeof(*p.nets));
	p.forwards = calloc(p.forwards_cap, sizeof(*p.forwards));
	if (!p.nets || !p.forwards) {
		plan_fini(&p);
		return false;
	}
	if (from->nnets)
		memcpy(p.nets, from->nets, from->nnets * sizeof(*p.nets));
	if (from->nforwards)
		memcpy(p.forwards, from->forwards, from->nforwards * sizeof(*p.forwards));
	plan_fini(to);
	*to = p;
	return true;
}

void
plan_note_shadow(struct nat_plan *p, const struct msg_nat_forward *f)
{
	note(p->shadowed[f->proto], f->port);
}

/* The DNS proxy and the DHCP server bind these themselves, at addresses of networks. */
static bool
is_own(const struct msg_nat_forward *f)
{
	return f->port == 53 || (f->proto == PROTO_UDP && f->port == 67);
}

bool
plan_holds(const struct nat_plan *p, const struct msg_nat_forward *f)
{
	return !is_own(f) && !is_noted(p->unheld[f->proto], f->port);
}

bool
plan_relays(const struct nat_plan *p, const struct msg_nat_forward *f)
{
	return !f->host.h && !is_own(f) && !is_noted(p->unrelayed[f->proto], f->port);
}

/* -- changing -- */

static bool
same_forward(const struct msg_nat_forward *a, const struct msg_nat_forward *b)
{
	return a->net == b->net && a->proto == b->proto && a->port == b->port &&
	       ip4_eq(a->guest, b->guest) && a->guest_port == b->guest_port &&
	       ip4_eq(a->host, b->host);
}

/* The first forward that does not come before f. */
static size_t
place_of(const struct nat_plan *p, const struct msg_nat_forward *f)
{
	size_t lo = 0, hi = p->nforwards;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_ports(&p->forwards[mid], f) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
insert(struct nat_plan *p, const struct msg_nat_forward *f, size_t at)
{
	const struct msg_nat_net *net = find_net(p, f->net);

	if (f->proto >= PROTO_N || !f->port || !f->guest_port || !net || !net->nat ||
	    !is_host_in((struct prefix4){net->subnet, net->len}, f->guest) ||
	    !grow((void **)&p->forwards, &p->forwards_cap, p->nforwards, sizeof(*p->forwards)))
		return false;
	memmove(p->forwards + at + 1, p->forwards + at,
		(p->nforwards++ - at) * sizeof(*p->forwards));
	p->forwards[at] = *f;
	p->unheld[f->proto][f->port / 8] &= (uint8_t) ~(1u << f->port % 8);
	p->unrelayed[f->proto][f->port / 8] &= (uint8_t) ~(1u << f->port % 8);
	return true;
}

bool
plan_change(struct nat_plan *p, const struct msg_nat_forward *f, bool gone)
{
	size_t at = place_of(p, f);
	const struct msg_nat_forward *there = NULL;

	if (at < p->nforwards && meet(&p->forwards[at], f))
		there = &p->forwards[at];
	if (p->nproblems || (gone ? !there || !same_forward(there, f) : there != NULL))
		return false;
	if (!gone)
		return insert(p, f, at);
	memmove(p->forwards + at, p->forwards + at + 1,
		(--p->nforwards - at) * sizeof(*p->forwards));
	return true;
}

/* -- comparing -- */

static bool
same_way(const struct msg_nat_net *a, const struct msg_nat_net *b)
{
#define SAME(kind, name, cap) &&memcmp(&a->name, &b->name, sizeof(a->name)) == 0
	return true NAT_WAY(SAME);
#undef SAME
}

static bool
same_net(const struct msg_nat_net *a, const struct msg_nat_net *b)
{
	return a->net == b->net && ip4_eq(a->subnet, b->subnet) && a->len == b->len &&
	       ip4_eq(a->host, b->host) && ip4_eq(a->gateway, b->gateway) &&
	       a->adapter == b->adapter && a->nat == b->nat &&
	       a->udp_timeout_s == b->udp_timeout_s && same_way(a, b) &&
	       a->routes.len == b->routes.len &&
	       memcmp(a->routes.b, b->routes.b, a->routes.len) == 0;
}

bool
plan_same_nets(const struct nat_plan *a, const struct nat_plan *b)
{
	if (a->forward_others != b->forward_others || a->flowtable != b->flowtable ||
	    a->nnets != b->nnets || a->ncaptures != b->ncaptures)
		return false;
	for (size_t i = 0; i < a->nnets; i++)
		if (!same_net(&a->nets[i], &b->nets[i]))
			return false;
	for (size_t i = 0; i < a->ncaptures; i++)
		if (memcmp(a->captures[i].addr.b, b->captures[i].addr.b, 16) != 0 ||
		    a->captures[i].port != b->captures[i].port ||
		    a->captures[i].to_port != b->captures[i].to_port)
			return false;
	return true;
}

bool
plan_same(const struct nat_plan *a, const struct nat_plan *b)
{
	if (a->nforwards != b->nforwards || !plan_same_nets(a, b))
		return false;
	for (size_t i = 0; i < a->nforwards; i++)
		if (!same_forward(&a->forwards[i], &b->forwards[i]))
			return false;
	return true;
}

/* Tells what a has and b has not, in one pass, as both are sorted. */
static void
only_in(const struct nat_plan *a, const struct nat_plan *b, bool gone,
	void (*cb)(const struct msg_nat_forward *f, bool gone, void *arg), void *arg)
{
	size_t k = 0;

	for (size_t i = 0; i < a->nforwards; i++) {
		const struct msg_nat_forward *f = &a->forwards[i];

		while (k < b->nforwards && compare_ports(&b->forwards[k], f) < 0)
			k++;
		if (k == b->nforwards || !same_forward(&b->forwards[k], f))
			cb(f, gone, arg);
	}
}

void
plan_diff(const struct nat_plan *was, const struct nat_plan *now,
	  void (*cb)(const struct msg_nat_forward *f, bool gone, void *arg), void *arg)
{
	only_in(was, now, true, cb, arg);
	only_in(now, was, false, cb, arg);
}

static void
count(const struct msg_nat_forward *f UNUSED, bool gone UNUSED, void *arg)
{
	++*(size_t *)arg;
}

size_t
plan_distance(const struct nat_plan *was, const struct nat_plan *now)
{
	size_t n = 0;

	plan_diff(was, now, count, &n);
	return n;
}

/* bsearch(): key is a forward of which protocol, port and address of the host count. */
bool
plan_leads(const struct nat_plan *p, const struct msg_nat_flush_forward *f)
{
	const struct msg_nat_forward *found = forward_of(p, f->proto, f->port, f->host);

	/* The same guest under another network's number is the same guest still. */
	return found && ip4_eq(found->guest, f->guest) && found->guest_port == f->guest_port;
}

void
plan_removed(const struct nat_plan *was, const struct nat_plan *now,
	     void (*cb)(const struct msg_nat_flush_forward *f, void *arg), void *arg)
{
	for (size_t i = 0; i < was->nforwards; i++) {
		const struct msg_nat_forward *f = &was->forwards[i];
		struct msg_nat_flush_forward gone = {
		    .net = f->net,
		    .proto = f->proto,
		    .port = f->port,
		    .guest = f->guest,
		    .guest_port = f->guest_port,
		    .host = f->host,
		};

		if (!plan_leads(now, &gone))
			cb(&gone, arg);
	}
}
