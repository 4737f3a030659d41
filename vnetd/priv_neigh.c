/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_neigh.c - permanent neighbours on the bridges: guests that the host knows without ARP. Runs in priv.
 *
 * Contract: only on bridges that are ours; an entry is removed only if it has our protocol number. What is
 * not inside the network's subnet has no effect, since no route leads there.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "vnetd/priv.h"

/* Begins a request about one entry. */
static struct nlmsghdr *
begin(struct priv *p, uint16_t type, uint16_t flags, int ifindex, struct ip4 addr)
{
	const uint32_t be = ip4_be(addr);
	struct ndmsg *ndm;
	void *extra;
	struct nlmsghdr *h = nl_begin(p->route, type, flags, &extra, sizeof(*ndm));

	ndm = extra;
	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = ifindex;
	ndm->ndm_state = type == RTM_NEWNEIGH ? NUD_PERMANENT : 0;
	mnl_attr_put(h, NDA_DST, sizeof(be), &be);
	return h;
}

int
priv_neigh_set(struct priv *p, struct call *c)
{
	const struct msg_neigh_set *m = &c->m->u.neigh_set;
	struct nlmsghdr *h;
	struct nl_link l;
	int r = priv_bridge_get(p, c, m->net, &l);

	if (r < 0)
		return r;
	h = begin(p, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, l.ifindex, m->addr);
	mnl_attr_put(h, NDA_LLADDR, sizeof(m->mac.b), m->mac.b);
	mnl_attr_put_u8(h, NDA_PROTOCOL, NAMES_ROUTE_PROTO);
	r = nl_ack(p->route);
	return r < 0 ? fail_nl(p, c, r, "%s: cannot set the neighbour %s", l.name, IP4_STR(m->addr))
		     : 0;
}

static void
take_protocol(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *at;

	if (h->nlmsg_type != RTM_NEWNEIGH || h->nlmsg_len < mnl_nlmsg_size(sizeof(struct ndmsg)))
		return;
	mnl_attr_for_each(at, h, sizeof(struct ndmsg))
	{
		if (mnl_attr_get_type(at) == NDA_PROTOCOL && mnl_attr_get_payload_len(at) == 1)
			*(uint8_t *)arg = mnl_attr_get_u8(at);
	}
}

int
priv_neigh_del(struct priv *p, struct call *c)
{
	const struct msg_neigh_del *m = &c->m->u.neigh_del;
	uint8_t protocol = 0;
	struct nl_link l;
	int r = priv_bridge_get(p, c, m->net, &l);

	if (r < 0)
		return r;
	begin(p, RTM_GETNEIGH, 0, l.ifindex, m->addr);
	r = nl_ask(p->route, take_protocol, &protocol);
	if (r == 0 && protocol == NAMES_ROUTE_PROTO) {
		begin(p, RTM_DELNEIGH, 0, l.ifindex, m->addr);
		r = nl_ack(p->route);
	}
	if (r < 0 && r != -ENOENT)
		return fail_nl(p, c, r, "%s: cannot remove the neighbour %s", l.name,
			       IP4_STR(m->addr));
	return 0;
}
