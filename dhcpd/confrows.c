/* SPDX-License-Identifier: GPL-2.0-or-later
 * confrows.c - rows of the engine -> struct netconf, one per network.
 */
#include "dhcpd/confrows.h"

#include <errno.h>
#include <string.h>

static void
drop_all(struct confrows *c)
{
	for (unsigned i = 0; i < CONFROWS_NETS; i++) {
		netconf_free(c->net[i]);
		c->net[i] = NULL;
	}
}

void
confrows_init(struct confrows *c)
{
	memset(c, 0, sizeof(*c));
}

void
confrows_fini(struct confrows *c)
{
	drop_all(c);
	c->open = false;
}

static int
add_net(struct confrows *c, const struct msg_dhcp_net *m)
{
	struct netconf *n;

	if (m->net >= CONFROWS_NETS || c->net[m->net] || m->len > 32 ||
	    (m->subnet.h & ~ip4_mask(m->len).h))
		return -EINVAL;
	n = netconf_new(m->net);
	if (!n)
		return -ENOMEM;
	n->subnet = (struct prefix4){m->subnet, m->len};
	n->server = m->server;
	n->host = m->host;
	n->gateway = m->gateway;
	n->mtu = m->mtu;
	n->default_lease_s = m->default_lease_s;
	n->max_lease_s = m->max_lease_s;
	n->min_lease_s = m->min_lease_s;
	n->next_server = m->next_server;
	n->booting = m->booting;
	n->unknown_clients = m->unknown_clients;
	n->authoritative = m->authoritative;
	n->ping_check = m->ping_check;
	n->ping_timeout_s = m->ping_timeout_s;
	c->net[m->net] = n;
	return 0;
}

/* A row about a network comes after its DHCP_NET. */
static struct netconf *
net_of(const struct confrows *c, unsigned net)
{
	return net < CONFROWS_NETS ? c->net[net] : NULL;
}

static int
add_range(struct confrows *c, const struct msg_dhcp_range *m)
{
	struct netconf *n = net_of(c, m->net);

	return n ? netconf_add_range(n, m->first, m->last, m->known) : -EINVAL;
}

static int
add_host(struct confrows *c, const struct msg_dhcp_host *m)
{
	struct netconf *n = net_of(c, m->net);

	struct netconf_host *h;
	int r;

	if (!n)
		return -EINVAL;
	r = netconf_add_host(n, m->index, m->mac, m->addr, m->name);
	if (r < 0)
		return r;
	h = &n->host_v[m->index];
	h->default_lease_s = m->default_lease_s;
	h->max_lease_s = m->max_lease_s;
	h->min_lease_s = m->min_lease_s;
	h->next_server = m->next_server;
	h->booting = m->booting;
	h->bootp = m->bootp;
	return 0;
}

static int
add_option(struct confrows *c, const struct msg_dhcp_option *m)
{
	struct netconf *n = net_of(c, m->net);

	return n ? netconf_add_option(n, m->host, m->code, m->data.b, m->data.len) : -EINVAL;
}

bool
confrows_add(struct confrows *c, const struct msg *m)
{
	int r;

	if (m->type == MSG_CONF_BEGIN) {
		drop_all(c);
		c->open = true;
		c->err = 0;
		c->generation = m->u.conf_begin.generation;
		return true;
	}
	if (m->type == MSG_DHCP_NET)
		r = add_net(c, &m->u.dhcp_net);
	else if (m->type == MSG_DHCP_RANGE)
		r = add_range(c, &m->u.dhcp_range);
	else if (m->type == MSG_DHCP_HOST)
		r = add_host(c, &m->u.dhcp_host);
	else if (m->type == MSG_DHCP_OPTION)
		r = add_option(c, &m->u.dhcp_option);
	else
		return false;
	if (!c->open)
		r = -EINVAL;
	if (r < 0 && c->err == 0)
		c->err = r;
	return true;
}

int
confrows_commit(struct confrows *c, uint32_t generation)
{
	int r = c->err;

	if (!c->open || c->generation != generation)
		r = -EINVAL;
	c->open = false;
	for (unsigned i = 0; i < CONFROWS_NETS && r == 0; i++) {
		if (c->net[i])
			r = netconf_seal(c->net[i]);
	}
	if (r < 0)
		drop_all(c);
	return r;
}
