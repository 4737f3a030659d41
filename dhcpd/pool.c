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
	return l->state != LEASE_ABANDONED && !l->contested && mac_eq(l->mac, mac);
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

	if (best && !best->contested && netconf_fits(c, best->ip, mac))
		return best->ip;
	for (struct lease *l = lease_each_mac(t, mac, NULL); l; l = lease_each_mac(t, mac, l)) {
		if (!l->contested && netconf_fits(c, l->ip, mac))
			return l->ip;
	}
	return (struct ip4){0};
}

/* The next dynamic address without an entry. Entries never vanish while a configuration lasts,
 * so the cursor never has to look back and the whole search costs one pass over the ranges. */
static struct ip4
never_used(size_t *range, uint32_t *off, bool known, const struct netconf *c,
	   const struct lease_table *t)
{
	if (lease_table_used(t) >= lease_table_cap(t))
		return (struct ip4){0};
	for (; *range < c->nranges; ++*range, *off = 0) {
		const struct netconf_range *r = &c->range[*range];

		for (; r->known == known && *off <= r->hi.h - r->lo.h; ++*off) {
			struct ip4 ip = {r->lo.h + *off};

			if (!lease_find_ip(t, ip) &&
			    (known ? netconf_is_for_known(c, ip) : netconf_is_dynamic(c, ip)))
				return ip;
		}
	}
	return (struct ip4){0};
}

/* The address in the ranges for known clients that has been free for longest. Looked for one by one:
 * only the administrator's own clients come here, and only once all of these addresses were used. */
static struct ip4
longest_free_for_known(const struct netconf *c, const struct lease_table *t)
{
	const struct lease *best = NULL;

	for (struct lease *l = lease_each(t, NULL); l; l = lease_each(t, l)) {
		if (l->state == LEASE_ENDED && netconf_is_for_known(c, l->ip) &&
		    (!best || mono_before(l->end, best->end)))
			best = l;
	}
	return best ? best->ip : (struct ip4){0};
}

static struct ip4
choose_for_known(struct pool_cursor *cur, const struct netconf *c, const struct lease_table *t)
{
	struct ip4 ip = never_used(&cur->known.range, &cur->known.off, true, c, t);

	return ip.h ? ip : longest_free_for_known(c, t);
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
	if (netconf_host_find(c, mac)) {
		ip = choose_for_known(cur, c, t);
		if (ip.h)
			return ip;
	}
	ip = never_used(&cur->all.range, &cur->all.off, false, c, t);
	if (ip.h)
		return ip;
	l = lease_oldest_reusable(t);
	if (!l) {
		/* Those that are reserved for others or for known clients are among them. */
		l = lease_oldest_abandoned(t);
		while (l && !netconf_fits(c, l->ip, mac))
			l = lease_next_abandoned(t, l);
	}
	return l ? l->ip : ip;
}
