/* SPDX-License-Identifier: GPL-2.0-or-later
 * pool.c - the choice of an address. Pure: reads the configuration and the table, changes neither.
 */
#include "dhcpd/pool.h"

bool
pool_is_free(const struct lease_table *t, struct ip4 ip, struct mac mac)
{
	const struct lease *l = lease_find_ip(t, ip);

	if (!l || l->state == LEASE_ENDED)
		return true;
	return l->state != LEASE_ABANDONED && mac_eq(l->mac, mac);
}

struct ip4
pool_reservation(const struct netconf *c, const struct lease_table *t, struct mac mac)
{
	const struct netconf_host *h = netconf_host_find(c, mac);

	if (!h || h->ip.h == 0 || !netconf_fits(c, h->ip, mac) || !pool_is_free(t, h->ip, mac))
		return (struct ip4){0};
	return h->ip;
}

/* The best of the client's own entries that the configuration still allows. */
static struct ip4
own_lease(const struct netconf *c, const struct lease_table *t, struct mac mac)
{
	const struct lease *best = lease_find_mac(t, mac);

	if (best && netconf_fits(c, best->ip, mac))
		return best->ip;
	for (struct lease *l = lease_each_mac(t, mac, NULL); l; l = lease_each_mac(t, mac, l)) {
		if (netconf_fits(c, l->ip, mac))
			return l->ip;
	}
	return (struct ip4){0};
}

/* The next dynamic address without an entry. Entries never vanish while a configuration lasts,
 * so the cursor never has to look back and the whole search costs one pass over the ranges. */
static struct ip4
never_used(struct pool_cursor *cur, const struct netconf *c, const struct lease_table *t)
{
	if (lease_table_used(t) >= lease_table_cap(t))
		return (struct ip4){0};
	for (; cur->range < c->nranges; cur->range++, cur->off = 0) {
		const struct netconf_range *r = &c->range[cur->range];

		for (; cur->off <= r->hi.h - r->lo.h; cur->off++) {
			struct ip4 ip = {r->lo.h + cur->off};

			if (!lease_find_ip(t, ip) && netconf_is_dynamic(c, ip))
				return ip;
		}
	}
	return (struct ip4){0};
}

struct ip4
pool_choose(struct pool_cursor *cur, const struct netconf *c, const struct lease_table *t,
	    struct mac mac, const uint8_t *uid, size_t uid_len, struct ip4 want)
{
	struct ip4 ip = pool_reservation(c, t, mac);
	const struct lease *l;

	if (ip.h)
		return ip;
	ip = own_lease(c, t, mac);
	if (ip.h)
		return ip;
	l = lease_find_ended_uid(t, uid, uid_len);
	if (l && netconf_fits(c, l->ip, mac))
		return l->ip;
	if (want.h && netconf_fits(c, want, mac) && pool_is_free(t, want, mac))
		return want;
	ip = never_used(cur, c, t);
	if (ip.h)
		return ip;
	l = lease_oldest_reusable(t);
	if (!l) {
		l = lease_oldest_abandoned(t);
		if (l && !netconf_is_dynamic(c, l->ip))
			l = NULL;
	}
	return l ? l->ip : ip;
}
