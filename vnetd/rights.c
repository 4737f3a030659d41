/* SPDX-License-Identifier: GPL-2.0-or-later
 * rights.c - request x client -> yes or no, and how to get a yes. Pure.
 */
#include "vnetd/rights.h"

#include <stdio.h>

static bool
is_root(const struct rights *r)
{
	return r->uid == 0;
}

static bool
may_read(char *why, const struct rights *r)
{
	if (is_root(r) || r->conf.known)
		return true;
	snprintf(why, RIGHTS_WHY_MAX, "only root and members of group vnet may ask vnetd");
	return false;
}

static bool
may_change(char *why, const struct rights *r)
{
	if (is_root(r) || r->conf.change)
		return true;
	snprintf(why, RIGHTS_WHY_MAX,
		 "this needs root, or `change = yes` in a [user] or [group] section of vnetd.conf");
	return false;
}

static bool
may_attach(char *why, const struct rights *r, unsigned net)
{
	if (is_root(r) || conf_rights_attach(&r->conf, net))
		return true;
	snprintf(
	    why, RIGHTS_WHY_MAX,
	    "you may not attach to vmnet%u; `allow = vmnet%u` in a [user] or [group] section of "
	    "vnetd.conf permits it",
	    net, net);
	return false;
}

bool
rights_request(char why[RIGHTS_WHY_MAX], const struct rights *r, const struct msg *m)
{
	why[0] = '\0';
	/* No other type is a request of a client; -Wswitch-enum would only make a list of them all. */
	if (m->type == MSG_STATUS_GET || m->type == MSG_NET_LIST || m->type == MSG_PORT_LIST ||
	    m->type == MSG_FORWARD_LIST || m->type == MSG_LEASE_LIST || m->type == MSG_DHCP_STATS ||
	    m->type == MSG_EVENT_WATCH || m->type == MSG_PROMISC_LIST ||
	    m->type == MSG_REDIRECT_LIST || m->type == MSG_REDIRECT_SHOW ||
	    m->type == MSG_CONN_LIST || m->type == MSG_HOLD_LIST || m->type == MSG_DNS_STATS ||
	    m->type == MSG_RELAY_LIST)
		return may_read(why, r);
	if (m->type == MSG_RELOAD_ASK || m->type == MSG_NET_CREATE || m->type == MSG_NET_DELETE ||
	    m->type == MSG_NET_SET || m->type == MSG_PORT_SETTING || m->type == MSG_PORT_UNPIN ||
	    m->type == MSG_PROMISC_DECIDE || m->type == MSG_REDIRECT_KILL ||
	    m->type == MSG_RESERVE || m->type == MSG_UNRESERVE || m->type == MSG_FORWARD_ADD ||
	    m->type == MSG_FORWARD_REMOVE)
		return may_change(why, r);
	if (m->type == MSG_ATTACH)
		return may_attach(why, r, m->u.attach.net);
	/* Whose port it is decides rights_detach(); who may see others' frames captures.c. */
	if (m->type == MSG_DETACH || m->type == MSG_CAPTURE || m->type == MSG_PROMISC_ASK ||
	    m->type == MSG_RX_FILTER)
		return may_read(why, r);
	snprintf(why, RIGHTS_WHY_MAX, "%s is not a request", msg_name(m->type));
	return false;
}

bool
rights_netns(char why[RIGHTS_WHY_MAX], const struct rights *r, uint32_t owner)
{
	why[0] = '\0';
	if (is_root(r) || r->uid == owner)
		return true;
	snprintf(why, RIGHTS_WHY_MAX,
		 "the namespace is not yours: only root and the owner of its user namespace may "
		 "attach it");
	return false;
}

bool
rights_ports(char why[RIGHTS_WHY_MAX], const struct rights *r, size_t has)
{
	why[0] = '\0';
	if (is_root(r) || has < r->conf.max_ports)
		return true;
	snprintf(why, RIGHTS_WHY_MAX,
		 "you have %zu ports already (see vnetctl ports); `max-ports` in a [user] or "
		 "[group] section of vnetd.conf permits more",
		 has);
	return false;
}

bool
rights_detach(char why[RIGHTS_WHY_MAX], const struct rights *r, uint32_t owner)
{
	why[0] = '\0';
	if (is_root(r) || r->conf.change || (owner != MSG_UID_NONE && r->uid == owner))
		return true;
	snprintf(why, RIGHTS_WHY_MAX,
		 "the port is not yours; this needs root, or `change = yes` in vnetd.conf");
	return false;
}
