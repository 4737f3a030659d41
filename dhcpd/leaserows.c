/* SPDX-License-Identifier: GPL-2.0-or-later
 * leaserows.c - leases and reservations -> LEASE_ROW. Pure.
 */
#include "dhcpd/leaserows.h"

#include "lib/util.h"

static_assert(sizeof(((struct msg_lease_row *)0)->client_id.b) >= LEASE_UID_MAX,
	      "a remembered client id fits a row");
static_assert(sizeof(((struct msg_lease_row *)0)->name) > DHCP_HOSTNAME_MAX, "a host name fits");

/* JOURNAL_NEVER has no number in a row: 0 means "no end". */
static uint64_t
row_time(int64_t t)
{
	return t == JOURNAL_NEVER || t < 0 ? 0 : (uint64_t)t;
}

static void
fill_lease(struct msg_lease_row *row, const struct dhcp_server *s, const struct lease *l,
	   struct dhcp_clock clk)
{
	const struct netconf *c = dhcp_server_conf(s);
	const struct netconf_host *h = netconf_host_by_ip(c, l->ip);
	struct journal_rec rec;

	dhcp_lease_rec(l, clk, &rec);
	row->addr = l->ip;
	row->mac = l->mac;
	row->starts = row_time(rec.starts);
	row->ends = row_time(rec.ends);
	row->client_id.len = rec.uid_len;
	memcpy(row->client_id.b, rec.uid, rec.uid_len);
	MSG_SET_STR(row->name, l->hostname[0] || !h ? l->hostname : h->name);
	if (l->state == LEASE_ACTIVE)
		row->state = LEASE_ROW_ACTIVE;
	else if (l->state == LEASE_ABANDONED)
		row->state = LEASE_ROW_ABANDONED;
	else
		row->state = LEASE_ROW_EXPIRED;
}

/* The reservation's own row stands for a lease of it that has ended. */
static bool
is_shown(const struct dhcp_server *s, const struct lease *l)
{
	if (l->state == LEASE_ACTIVE || l->state == LEASE_ABANDONED)
		return true;
	return l->recorded && !netconf_host_by_ip(dhcp_server_conf(s), l->ip);
}

static bool
is_in_use(const struct dhcp_server *s, struct ip4 ip)
{
	const struct lease *l = lease_find_ip(dhcp_server_leases(s), ip);

	return l && (l->state == LEASE_ACTIVE || l->state == LEASE_ABANDONED);
}

bool
leaserows_next(struct leaserows *at, const struct dhcp_server *s, struct dhcp_clock clk,
	       struct msg_lease_row *row)
{
	const struct netconf *c = dhcp_server_conf(s);
	const struct lease *l;

	memset(row, 0, sizeof(*row));
	row->net = (uint16_t)c->net;
	while ((l = lease_scan(dhcp_server_leases(s), &at->lease)) != NULL) {
		if (!is_shown(s, l))
			continue;
		fill_lease(row, s, l, clk);
		return true;
	}
	while (at->host < c->nhosts) {
		const struct netconf_host *h = &c->host_v[at->host++];

		if (h->ip.h == 0 || is_in_use(s, h->ip))
			continue;
		row->addr = h->ip;
		row->mac = h->mac;
		row->state = LEASE_ROW_RESERVED;
		MSG_SET_STR(row->name, h->name);
		return true;
	}
	return false;
}
