/* SPDX-License-Identifier: GPL-2.0-or-later
 * want.c - configuration -> wanted links, addresses and routes. Pure.
 */
#include "vnetd/want.h"

#include <stdlib.h>
#include <string.h>

static void
add_addr(struct want_net *w, struct ip4 a)
{
	if (a.h == 0)
		return;
	for (size_t i = 0; i < w->naddrs; i++)
		if (ip4_eq(w->addr[i], a))
			return;
	w->addr[w->naddrs++] = a;
}

void
want_net(struct want_net *w, const struct conf_net *n)
{
	*w = (struct want_net){
	    .what = WANT_NET,
	    .mtu = n->mtu,
	    .profile = SYSCTL_PROFILE_SEGMENT,
	    .text = net_kind_name(n->type),
	};
	if (n->adapter)
		add_addr(w, n->host);
	if (n->nat)
		add_addr(w, n->gateway);
	if (n->dhcp)
		add_addr(w, n->dhcpd.server);
	if (w->naddrs > 0) {
		w->profile = n->adapter ? SYSCTL_PROFILE_HOST : SYSCTL_PROFILE_SERVICE;
		w->subnet = n->subnet;
		w->src = w->addr[0];
		w->host = n->dhcpd.host;
		w->nhosts = n->dhcpd.nhosts;
	}
}

bool
want_taps(struct want *w, const struct conf *c)
{
	w->ntaps = 0;
	w->tap = calloc(c->nports ? c->nports : 1, sizeof(*w->tap));
	if (!w->tap)
		return false;
	for (size_t i = 0; i < c->nports; i++) {
		const struct conf_port *p = &c->port[i];

		if (!p->tap || !p->name || p->net < 0 || p->owner_uid == MSG_UID_NONE)
			continue;
		w->tap[w->ntaps++] = (struct want_tap){
		    .name = p->name,
		    .net = (unsigned)p->net,
		    .owner = p->owner_uid,
		    .queues = p->queues ? p->queues : 1,
		    .mac = p->mac,
		};
	}
	return true;
}

void
want_fini(struct want *w)
{
	free(w->tap);
	w->tap = NULL;
	w->ntaps = 0;
}
