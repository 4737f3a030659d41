/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_host.c - reservations of one network: host blocks and add_dhcp_mac_to_ip merged. Pure.
 * One per MAC address and one per IPv4 address; `networking` wins over host blocks, the first host
 * block over later ones. What is left out has a warning.
 */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "conf/text.h"

/* A candidate, and whether it stays. */
struct cand {
	struct dhcp_host h;
	size_t order; /* rank: lower wins */
	bool drop;
};

static int
by_mac(const void *pa, const void *pb)
{
	const struct cand *a = pa, *b = pb;
	int r = memcmp(a->h.mac.b, b->h.mac.b, 6);

	return r ? r : (a->order > b->order) - (a->order < b->order);
}

static int
by_ip(const void *pa, const void *pb)
{
	const struct cand *a = pa, *b = pb;
	int r = (a->h.ip.h > b->h.ip.h) - (a->h.ip.h < b->h.ip.h);

	return r ? r : (a->order > b->order) - (a->order < b->order);
}

static int
by_order(const void *pa, const void *pb)
{
	const struct cand *a = pa, *b = pb;

	return (a->order > b->order) - (a->order < b->order);
}

static bool
acceptable(struct build *b, const struct conf_net *net, const struct dhcp_host *h)
{
	if (mac_is_zero(h->mac) || mac_is_multicast(h->mac))
		diag_warn(b->d, h->pos,
			  "%s is no address of a network card; the reservation is "
			  "ignored",
			  MAC_STR(h->mac));
	else if (h->ip.h && !prefix4_contains(net->subnet, h->ip))
		diag_warn(b->d, h->pos, "reservation %s for %s is outside %s; ignored",
			  IP4_STR(h->ip), MAC_STR(h->mac), PREFIX4_STR(net->subnet));
	else if (h->ip.h && conf_net_owns(net, h->ip))
		diag_warn(b->d, h->pos,
			  "reservation %s for %s is an address of vmnet%u itself; ignored",
			  IP4_STR(h->ip), MAC_STR(h->mac), net->n);
	else
		return true;
	return false;
}

static void
add_cand(struct build *b, const struct conf_net *net, struct cand **list, size_t *n,
	 const struct dhcp_host *h, struct arena *tmp)
{
	struct cand *v;

	if (!acceptable(b, net, h))
		return;
	v = arena_grow(tmp, *list, *n, sizeof(*v));
	if (!v)
		return;
	*list = v;
	v[*n] = (struct cand){.h = *h, .order = *n};
	(*n)++;
}

/* Two of one MAC: the second's name and settings complete the first, its other address is lost. */
static void
merge_macs(struct build *b, struct cand *v, size_t n)
{
	struct cand *first = v;

	for (size_t i = 1; i < n; i++) {
		if (!mac_eq(v[i].h.mac, first->h.mac)) {
			first = &v[i];
			continue;
		}
		v[i].drop = true;
		if (v[i].h.ip.h && first->h.ip.h && !ip4_eq(v[i].h.ip, first->h.ip))
			diag_warn(b->d, v[i].h.pos,
				  "%s has the reservation %s already (%s:%u); %s is ignored",
				  MAC_STR(v[i].h.mac), IP4_STR(first->h.ip), first->h.pos.file,
				  first->h.pos.line, IP4_STR(v[i].h.ip));
		if (first->h.ip.h == 0)
			first->h.ip = v[i].h.ip;
		if (!first->h.name)
			first->h.name = v[i].h.name;
		dhcp_scope_inherit(&first->h.scope, &b->c->arena, &v[i].h.scope);
	}
}

static void
drop_double_ips(struct build *b, struct cand *v, size_t n)
{
	const struct cand *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (v[i].drop || v[i].h.ip.h == 0)
			continue;
		if (!first || !ip4_eq(v[i].h.ip, first->h.ip)) {
			first = &v[i];
			continue;
		}
		v[i].drop = true;
		diag_warn(b->d, v[i].h.pos, "%s is reserved for %s already (%s:%u); not for %s too",
			  IP4_STR(v[i].h.ip), MAC_STR(first->h.mac), first->h.pos.file,
			  first->h.pos.line, MAC_STR(v[i].h.mac));
	}
}

void
build_hosts(struct build *b, struct conf_net *net, const struct dhcp_file *f)
{
	struct arena tmp;
	struct cand *v = NULL;
	size_t n = 0;
	unsigned own;

	arena_init(&tmp);
	for (size_t i = 0; i < b->nw.nreservations; i++) {
		const struct nw_reservation *r = &b->nw.reservation[i];
		struct dhcp_host h = {.mac = r->mac, .ip = r->ip, .pos = r->pos};

		if (r->n == net->n)
			add_cand(b, net, &v, &n, &h, &tmp);
	}
	for (size_t i = 0; i < f->nhosts; i++) {
		struct dhcp_host h = f->host[i];

		if (h.name && conf_net_parse(&own, h.name) && own == net->n) {
			/* The host adapter's own block: no guest. */
			if (net->adapter && h.ip.h && !ip4_eq(h.ip, net->host))
				diag_warn(b->d, h.pos,
					  "host %s has the address %s, the adapter has %s; other "
					  "tools are misled",
					  h.name, IP4_STR(h.ip), IP4_STR(net->host));
			continue;
		}
		if (h.name)
			h.name = text_clean(&b->c->arena, h.name);
		add_cand(b, net, &v, &n, &h, &tmp);
	}
	if (n > 1) {
		qsort(v, n, sizeof(*v), by_mac);
		merge_macs(b, v, n);
		qsort(v, n, sizeof(*v), by_ip);
		drop_double_ips(b, v, n);
		qsort(v, n, sizeof(*v), by_order);
	}
	net->dhcpd.host = arena_alloc(&b->c->arena, n * sizeof(*net->dhcpd.host));
	for (size_t i = 0; net->dhcpd.host && i < n; i++) {
		if (!v[i].drop)
			net->dhcpd.host[net->dhcpd.nhosts++] = v[i].h;
	}
	b->c->arena.bad |= tmp.bad;
	arena_fini(&tmp);
}
