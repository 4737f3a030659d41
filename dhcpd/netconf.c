/* SPDX-License-Identifier: GPL-2.0-or-later
 * netconf.c - building and asking one network's DHCP configuration. No clock, no sockets, no log.
 */
#include "dhcpd/netconf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dhcpd/msg.h"
#include "lib/util.h"

struct netconf *
netconf_new(unsigned net)
{
	struct netconf *c = calloc(1, sizeof(*c));

	if (c) {
		c->net = net;
		c->mtu = NETCONF_MTU_DEFAULT;
		c->booting = true;
	}
	return c;
}

static void
opts_fini(struct netconf_opts *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->v[i].data);
	free(o->v);
}

void
netconf_free(struct netconf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->nhosts; i++)
		opts_fini(&c->host_v[i].opts);
	opts_fini(&c->opts);
	free(c->host_v);
	free(c->host_by_ip);
	free(c->range);
	free(c);
}

/* v with room for one more element behind its n; NULL (v stays valid) without memory. Capacities
 * are powers of two, so the count alone tells when one is reached. */
static void *
grow(void *v, size_t n, size_t size)
{
	if (n & (n - 1))
		return v;
	return reallocarray(v, n ? n * 2 : 1, size);
}

int
netconf_add_range(struct netconf *c, struct ip4 lo, struct ip4 hi, bool known)
{
	struct netconf_range *v;

	if (lo.h == 0 || lo.h > hi.h)
		return -EINVAL;
	v = grow(c->range, c->nranges, sizeof(*v));
	if (!v)
		return -ENOMEM;
	c->range = v;
	v[c->nranges++] = (struct netconf_range){lo, hi, known};
	return 0;
}

int
netconf_add_host(struct netconf *c, unsigned index, struct mac mac, struct ip4 ip, const char *name)
{
	struct netconf_host *v;

	if (index != c->nhosts || mac_is_zero(mac) || mac_is_multicast(mac))
		return -EINVAL;
	if (index >= NETCONF_HOSTS_MAX)
		return -E2BIG;
	v = grow(c->host_v, c->nhosts, sizeof(*v));
	if (!v)
		return -ENOMEM;
	c->host_v = v;
	v += c->nhosts++;
	memset(v, 0, sizeof(*v));
	v->mac = mac;
	v->ip = ip;
	v->booting = true;
	dhcp_hostname_sanitise(v->name, name, strlen(name));
	return 0;
}

static struct netconf_opt *
opts_find(const struct netconf_opts *o, uint8_t code)
{
	for (size_t i = 0; i < o->n; i++) {
		if (o->v[i].code == code)
			return &o->v[i];
	}
	return NULL;
}

int
netconf_add_option(struct netconf *c, unsigned host, uint8_t code, const void *data, size_t len)
{
	struct netconf_opts *o = &c->opts;
	struct netconf_opt *opt;
	uint8_t *bytes;

	if (code == OPT_PAD || code == OPT_END)
		return -EINVAL;
	if (host != NETCONF_HOST_NONE) {
		if (host >= c->nhosts)
			return -EINVAL;
		o = &c->host_v[host].opts;
	}
	opt = opts_find(o, code);
	if (!opt) {
		struct netconf_opt *v = grow(o->v, o->n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		o->v = v;
		opt = &v[o->n++];
		*opt = (struct netconf_opt){.code = code};
	}
	if (len == 0)
		return 0;
	if (opt->len + len > NETCONF_OPTION_MAX)
		return -E2BIG;
	bytes = realloc(opt->data, opt->len + len);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes + opt->len, data, len);
	opt->data = bytes;
	opt->len = (uint16_t)(opt->len + len);
	return 0;
}

/* --- sealing --- */

static int
range_cmp(const void *a, const void *b)
{
	const struct netconf_range *x = a, *y = b;

	return (x->lo.h > y->lo.h) - (x->lo.h < y->lo.h);
}

static int
host_cmp(const void *a, const void *b)
{
	const struct netconf_host *x = a, *y = b;

	return memcmp(x->mac.b, y->mac.b, sizeof(x->mac.b));
}

static int
host_ip_cmp(const void *a, const void *b, void *hosts)
{
	const struct netconf_host *v = hosts;
	uint32_t x = v[*(const uint32_t *)a].ip.h, y = v[*(const uint32_t *)b].ip.h;

	return (x > y) - (x < y);
}

/* Sorts, clips to the subnet's usable addresses and joins what overlaps or touches. Where two kinds of
 * range overlap, the one that begins first has the addresses. */
static void
seal_ranges(struct netconf *c)
{
	uint32_t first = c->subnet.addr.h + 1, last = prefix4_broadcast(c->subnet).h - 1;
	size_t out = 0;

	if (c->nranges)
		qsort(c->range, c->nranges, sizeof(*c->range), range_cmp);
	for (size_t i = 0; i < c->nranges; i++) {
		struct netconf_range r = c->range[i];

		if (r.lo.h < first)
			r.lo.h = first;
		if (r.hi.h > last)
			r.hi.h = last;
		if (r.lo.h > r.hi.h)
			continue;
		if (out > 0 && r.lo.h <= c->range[out - 1].hi.h + 1) {
			struct netconf_range *last_one = &c->range[out - 1];

			if (r.hi.h <= last_one->hi.h)
				continue;
			if (r.known == last_one->known) {
				last_one->hi = r.hi;
				continue;
			}
			r.lo.h = last_one->hi.h + 1;
		}
		c->range[out++] = r;
	}
	c->nranges = out;
}

static int
seal_hosts(struct netconf *c)
{
	if (c->nhosts == 0)
		return 0;
	qsort(c->host_v, c->nhosts, sizeof(*c->host_v), host_cmp);
	c->host_by_ip = malloc(c->nhosts * sizeof(*c->host_by_ip));
	if (!c->host_by_ip)
		return -ENOMEM;
	for (size_t i = 0; i < c->nhosts; i++) {
		if (c->host_v[i].ip.h)
			c->host_by_ip[c->nhost_by_ip++] = (uint32_t)i;
	}
	if (c->nhost_by_ip)
		qsort_r(c->host_by_ip, c->nhost_by_ip, sizeof(*c->host_by_ip), host_ip_cmp,
			c->host_v);
	return 0;
}

static uint32_t
count_pool(const struct netconf *c)
{
	const struct ip4 own[] = {c->server, c->host, c->gateway};
	uint32_t n = 0;

	for (size_t i = 0; i < c->nranges; i++)
		n += c->range[i].hi.h - c->range[i].lo.h + 1;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= ip4_eq(own[i], own[j]);
		if (!again && netconf_in_range(c, own[i]))
			n--;
	}
	for (size_t i = 0; i < c->nhost_by_ip; i++) {
		struct ip4 ip = c->host_v[c->host_by_ip[i]].ip;
		bool again = i > 0 && ip4_eq(ip, c->host_v[c->host_by_ip[i - 1]].ip);

		if (!again && netconf_in_range(c, ip) && !netconf_owns(c, ip))
			n--;
	}
	return n;
}

int
netconf_seal(struct netconf *c)
{
	int r;

	if (c->subnet.len > 30 || !prefix4_contains(c->subnet, c->server) || c->server.h == 0)
		return -EINVAL;
	if (c->default_lease_s == 0)
		c->default_lease_s = NETCONF_LEASE_DEFAULT;
	if (c->max_lease_s < c->default_lease_s)
		c->max_lease_s = c->default_lease_s;
	seal_ranges(c);
	r = seal_hosts(c);
	if (r < 0)
		return r;
	c->pool = count_pool(c);
	return 0;
}

/* --- asking --- */

const struct netconf_host *
netconf_host_find(const struct netconf *c, struct mac mac)
{
	struct netconf_host key = {.mac = mac};

	if (c->nhosts == 0)
		return NULL;
	return bsearch(&key, c->host_v, c->nhosts, sizeof(*c->host_v), host_cmp);
}

const struct netconf_host *
netconf_host_by_ip(const struct netconf *c, struct ip4 ip)
{
	size_t lo = 0, hi = c->nhost_by_ip;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct netconf_host *h = &c->host_v[c->host_by_ip[mid]];

		if (ip4_eq(h->ip, ip))
			return h;
		if (h->ip.h < ip.h)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool
netconf_owns(const struct netconf *c, struct ip4 ip)
{
	return ip4_eq(ip, c->server) || ip4_eq(ip, c->host) || ip4_eq(ip, c->gateway) ||
	       ip4_eq(ip, c->subnet.addr) || ip4_eq(ip, prefix4_broadcast(c->subnet));
}

static const struct netconf_range *
range_of(const struct netconf *c, struct ip4 ip)
{
	size_t lo = 0, hi = c->nranges;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ip.h < c->range[mid].lo.h)
			hi = mid;
		else if (ip.h > c->range[mid].hi.h)
			lo = mid + 1;
		else
			return &c->range[mid];
	}
	return NULL;
}

bool
netconf_in_range(const struct netconf *c, struct ip4 ip)
{
	return range_of(c, ip) != NULL;
}

static bool
is_free_of(const struct netconf *c, struct ip4 ip, bool known)
{
	const struct netconf_range *r = range_of(c, ip);

	return r && r->known == known && !netconf_owns(c, ip) && !netconf_host_by_ip(c, ip);
}

bool
netconf_is_dynamic(const struct netconf *c, struct ip4 ip)
{
	return is_free_of(c, ip, false);
}

bool
netconf_is_for_known(const struct netconf *c, struct ip4 ip)
{
	return is_free_of(c, ip, true);
}

bool
netconf_fits(const struct netconf *c, struct ip4 ip, struct mac mac)
{
	const struct netconf_host *h;
	const struct netconf_range *r;

	if (!prefix4_contains(c->subnet, ip) || netconf_owns(c, ip))
		return false;
	h = netconf_host_by_ip(c, ip);
	if (h)
		return mac_eq(h->mac, mac);
	r = range_of(c, ip);
	return r && (!r->known || netconf_host_find(c, mac));
}

/* Values that mean "do not send": VMware's `host vmnetN` block takes the subnet's away like
 * this. */
static bool
opt_suppresses(const struct netconf_opt *o)
{
	static const uint8_t none[4];

	if (o->len == 0)
		return true;
	return (o->code == OPT_ROUTERS || o->code == OPT_DNS || o->code == OPT_NETBIOS_NS) &&
	       o->len == sizeof(none) && memcmp(o->data, none, sizeof(none)) == 0;
}

const struct netconf_opt *
netconf_option(const struct netconf *c, const struct netconf_host *host, uint8_t code)
{
	const struct netconf_opt *o = host ? opts_find(&host->opts, code) : NULL;

	if (!o)
		o = opts_find(&c->opts, code);
	return o && !opt_suppresses(o) ? o : NULL;
}
