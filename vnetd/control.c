/* SPDX-License-Identifier: GPL-2.0-or-later
 * control.c - requests of clients: rights first, then the module that answers.
 */
#include "vnetd/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/attach.h"
#include "vnetd/core.h"
#include "vnetd/redirect_rows.h"
#include "vnetd/rights.h"
#include "vnetd/rows.h"

void
clients_fini(struct clients *cs)
{
	while (cs->head) {
		struct client *cl = cs->head;

		cs->head = cl->next;
		free(cl);
	}
}

struct client *
client_find(const struct core *c, uint32_t serial)
{
	struct client *cl = c->clients.head;

	while (cl && cl->serial != serial)
		cl = cl->next;
	return cl;
}

void
client_rights(const struct core *c, const struct client *cl, struct rights *r)
{
	memset(r, 0, sizeof(*r));
	r->uid = cl->uid;
	if (c->gen)
		conf_rights_of(c->gen->conf, cl->uid, cl->gid, cl->ngids, &r->conf);
}

void
client_send(struct core *c, uint32_t serial, const struct msg *m, const int *fds, size_t nfds)
{
	struct client *cl = serial ? client_find(c, serial) : NULL;

	if (cl)
		c->io->to_client(c->io_arg, cl->peer, m, fds, nfds);
}

void
client_reply(struct core *c, const struct client *cl, uint32_t request, int err, const char *text)
{
	struct msg m = msg_reply(request, err, text);

	c->io->to_client(c->io_arg, cl->peer, &m, NULL, 0);
}

uint32_t
core_client_new(struct core *c, struct mono now, void *peer, uint32_t uid, const uint32_t *gid,
		size_t ngids)
{
	struct client *cl = calloc(1, sizeof(*cl) + ngids * sizeof(*gid));

	c->now = now;
	if (!cl)
		return 0;
	if (++c->clients.last_serial == 0)
		c->clients.last_serial = 1;
	cl->serial = c->clients.last_serial;
	cl->peer = peer;
	cl->uid = uid;
	cl->ngids = ngids;
	if (ngids)
		memcpy(cl->gid, gid, ngids * sizeof(*gid));
	cl->next = c->clients.head;
	c->clients.head = cl;
	return cl->serial;
}

void
core_client_gone(struct core *c, struct mono now, uint32_t serial)
{
	struct client **at = &c->clients.head;

	c->now = now;
	while (*at && (*at)->serial != serial)
		at = &(*at)->next;
	if (*at) {
		struct client *cl = *at;

		*at = cl->next;
		free(cl);
	}
}

static void
submit(struct core *c, const struct client *cl, enum job_kind kind, const struct msg *m)
{
	if (!job_submit(c, kind, cl->serial, m))
		client_reply(c, cl, m->id, EBUSY,
			     "too many changes are waiting; try again in a moment");
}

static bool
is_net_or_all(uint16_t net)
{
	return net < NAMES_NETS || net == MSG_NET_ALL;
}

/* Numbers that become enums, array indices and requests of priv further on. */
static const char *
bad_argument(const struct msg *m)
{
	if (m->type == MSG_NET_CREATE && m->u.net_create.kind >= NET_KIND_N)
		return "there is no such kind of network";
	if ((m->type == MSG_NET_CREATE && m->u.net_create.net >= NAMES_NETS) ||
	    (m->type == MSG_NET_DELETE && m->u.net_delete.net >= NAMES_NETS) ||
	    (m->type == MSG_NET_SET && m->u.net_set.net >= NAMES_NETS) ||
	    (m->type == MSG_RESERVE && m->u.reserve.net >= NAMES_NETS) ||
	    (m->type == MSG_UNRESERVE && m->u.unreserve.net >= NAMES_NETS) ||
	    (m->type == MSG_FORWARD_ADD && m->u.forward_add.net >= NAMES_NETS) ||
	    (m->type == MSG_FORWARD_REMOVE && m->u.forward_remove.net >= NAMES_NETS) ||
	    (m->type == MSG_CONN_LIST && !is_net_or_all(m->u.conn_list.net)) ||
	    (m->type == MSG_CAPTURE && m->u.capture.net >= NAMES_NETS) ||
	    (m->type == MSG_PORT_LIST && !is_net_or_all(m->u.port_list.net)) ||
	    (m->type == MSG_PROMISC_LIST && !is_net_or_all(m->u.promisc_list.net)))
		return "networks are vmnet0 to vmnet255";
	if ((m->type == MSG_FORWARD_ADD && m->u.forward_add.proto >= PROTO_N) ||
	    (m->type == MSG_FORWARD_REMOVE && m->u.forward_remove.proto >= PROTO_N))
		return "forwards are of TCP or UDP";
	if ((m->type == MSG_FORWARD_ADD &&
	     (m->u.forward_add.port + m->u.forward_add.more > UINT16_MAX ||
	      m->u.forward_add.guest_port + m->u.forward_add.more > UINT16_MAX)) ||
	    (m->type == MSG_FORWARD_REMOVE &&
	     m->u.forward_remove.port + m->u.forward_remove.more > UINT16_MAX))
		return "the last port is 65535";
	if (m->type == MSG_NET_CREATE && m->u.net_create.len > 32)
		return "a subnet's length is at most 32";
	if (m->type == MSG_PROMISC_DECIDE && m->u.promisc_decide.verdict >= PROMISC_VERDICT_N)
		return "there is no such word about promiscuous mode";
	return NULL;
}

static void
port_unpin_request(struct core *c, const struct client *cl, const struct msg *m)
{
	struct port *p = port_find(c, m->u.port_unpin.port);
	char why[256];

	if (!p || p->making) {
		snprintf(why, sizeof(why), "there is no port \"%s\" (see vnetctl ports)",
			 m->u.port_unpin.port);
		client_reply(c, cl, m->id, ENOENT, why);
	} else if (p->gate.known && p->gate.set.mac_policy == MAC_POLICY_GIVEN) {
		snprintf(why, sizeof(why),
			 "the address of %s was given, not pinned (vnetctl port %s set mac-policy "
			 "sticky)",
			 port_name(p), port_name(p));
		client_reply(c, cl, m->id, EINVAL, why);
	} else {
		keeper_unpin(c, p, cl, m->id);
	}
}

static void
dispatch(struct core *c, struct client *cl, const struct msg *m, int *fds, size_t nfds)
{
	/* Exactly the types that rights_request() lets through. */
	if (m->type == MSG_STATUS_GET)
		rows_status(c, cl, m->id);
	else if (m->type == MSG_NET_LIST)
		rows_nets(c, cl, m->id, m->u.net_list.net);
	else if (m->type == MSG_PORT_LIST)
		rows_ports(c, cl, m->id, m->u.port_list.net);
	else if (m->type == MSG_FORWARD_LIST)
		rows_forwards(c, cl, m->id, m->u.forward_list.net);
	else if (m->type == MSG_HOLD_LIST)
		rows_holds(c, cl, m->id);
	else if (m->type == MSG_RELAY_LIST)
		rows_relays(c, cl, m->id);
	else if (m->type == MSG_CONN_LIST)
		rows_conns(c, cl, m->id, m->u.conn_list.net);
	else if (m->type == MSG_FORWARD_ADD || m->type == MSG_FORWARD_REMOVE)
		submit(c, cl, JOB_FORWARD, m);
	else if (m->type == MSG_REDIRECT_LIST)
		redirect_list_request(c, cl, m);
	else if (m->type == MSG_REDIRECT_SHOW)
		redirect_show_request(c, cl, m);
	else if (m->type == MSG_REDIRECT_KILL)
		redirect_kill_request(c, cl, m);
	else if (m->type == MSG_LEASE_LIST)
		rows_leases(c, cl, m->id, m->u.lease_list.net);
	else if (m->type == MSG_DHCP_STATS)
		rows_dhcp_stats(c, cl, m->id, m->u.dhcp_stats.net);
	else if (m->type == MSG_DNS_STATS)
		rows_dns_stats(c, cl, m->id, m->u.dns_stats.net);
	else if (m->type == MSG_EVENT_WATCH)
		events_watch(c, cl, m->id);
	else if (m->type == MSG_RELOAD_ASK)
		submit(c, cl, JOB_RELOAD, m);
	else if (m->type == MSG_NET_CREATE)
		submit(c, cl, JOB_CREATE, m);
	else if (m->type == MSG_NET_DELETE)
		submit(c, cl, JOB_DELETE, m);
	else if (m->type == MSG_NET_SET)
		submit(c, cl, JOB_SET, m);
	else if (m->type == MSG_RESERVE || m->type == MSG_UNRESERVE)
		submit(c, cl, JOB_RESERVE, m);
	else if (m->type == MSG_ATTACH)
		attach_request(c, cl, m, fds, nfds);
	else if (m->type == MSG_DETACH)
		detach_request(c, cl, m);
	else if (m->type == MSG_PORT_SETTING)
		submit(c, cl, JOB_PORT, m);
	else if (m->type == MSG_PORT_UNPIN)
		port_unpin_request(c, cl, m);
	else if (m->type == MSG_PROMISC_LIST)
		rows_promisc(c, cl, m->id, m->u.promisc_list.net);
	else if (m->type == MSG_PROMISC_ASK)
		grant_ask_request(c, cl, m);
	else if (m->type == MSG_PROMISC_DECIDE && grant_is_written(c, m))
		submit(c, cl, JOB_PORT, m);
	else if (m->type == MSG_PROMISC_DECIDE && captures_is_user(m->u.promisc_decide.port))
		captures_decide_request(c, cl, m);
	else if (m->type == MSG_PROMISC_DECIDE)
		grant_decide_request(c, cl, m);
	else if (m->type == MSG_RX_FILTER)
		grant_filter_request(c, cl, m);
	else if (m->type == MSG_CAPTURE)
		captures_request(c, cl, m, fds);
}

bool
core_client_msg(struct core *c, struct mono now, uint32_t serial, const struct msg *m, int *fds,
		size_t nfds)
{
	struct client *cl = client_find(c, serial);
	char why[RIGHTS_WHY_MAX];
	const char *bad;
	struct rights r;

	c->now = now;
	if (!cl || m->id == 0)
		return false;
	client_rights(c, cl, &r);
	if (!rights_request(why, &r, m)) {
		log_debug("a client with uid %u was refused %s", (unsigned)cl->uid,
			  msg_name(m->type));
		client_reply(c, cl, m->id, EPERM, why);
		return true;
	}
	bad = bad_argument(m);
	if (bad)
		client_reply(c, cl, m->id, EINVAL, bad);
	else
		dispatch(c, cl, m, fds, nfds);
	return true;
}
