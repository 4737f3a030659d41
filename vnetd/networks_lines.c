/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_lines.c - the output of vnet-networks. Pure.
 */
#include "vnetd/networks_lines.h"

#include "conf/conf.h"
#include "lib/strbuf.h"

enum item { ITEM_BRIDGE, ITEM_DHCP, ITEM_NAT, ITEM_ADAPTER, ITEM_N };

/* One service: the line when it is as wanted, and when not. %u: the network's number. VMware says
 * "Bridge" twice and "Bridged" once. */
static const struct wording {
	const char *good, *bad;
} wording[][ITEM_N] = {
    [LINES_START] =
	{
	    [ITEM_BRIDGE] = {"Started Bridge networking on",
			     "Failed to start Bridge networking on"},
	    [ITEM_DHCP] = {"Started DHCP service on", "Failed to start DHCP service on"},
	    [ITEM_NAT] = {"Started NAT service on", "Failed to start NAT service on"},
	    [ITEM_ADAPTER] = {"Enabled hostonly virtual adapter on",
			      "Failed to enable hostonly virtual adapter on"},
	},
    [LINES_STOP] =
	{
	    [ITEM_BRIDGE] = {"Stopped Bridged networking on",
			     "Failed to stop Bridged networking on"},
	    [ITEM_DHCP] = {"Stopped DHCP service on", "Failed to stop DHCP service on"},
	    [ITEM_NAT] = {"Stopped NAT service on", "Failed to stop NAT service on"},
	    [ITEM_ADAPTER] = {"Disabled hostonly virtual adapter on",
			      "Failed to disable hostonly virtual adapter on"},
	},
};

/* The same for a status: "SUBJECT on vmnet8 PREDICATE". */
static const struct status_wording {
	const char *subject, *good, *bad;
} status_wording[ITEM_N] = {
    [ITEM_BRIDGE] = {"Bridge networking", "is running", "is not running"},
    [ITEM_DHCP] = {"DHCP service", "is running", "is not running"},
    [ITEM_NAT] = {"NAT service", "is running", "is not running"},
    [ITEM_ADAPTER] = {"Hostonly virtual adapter", "is enabled", "is disabled"},
};

static const char *const closing[][2] = {
    [LINES_START] = {"Failed to start some/all services",
		     "Started all configured services on all networks"},
    [LINES_STOP] = {"Failed to stop some/all services",
		    "Stopped all configured services on all networks"},
    [LINES_STATUS] = {"Some/All of the configured services are not running",
		      "All the services configured on all the networks are running"},
};

/* A start begins with what the others need; a stop and a status go through them the other way. */
static const enum item order[][ITEM_N] = {
    [LINES_START] = {ITEM_BRIDGE, ITEM_NAT, ITEM_ADAPTER, ITEM_DHCP},
    [LINES_STOP] = {ITEM_BRIDGE, ITEM_DHCP, ITEM_NAT, ITEM_ADAPTER},
    [LINES_STATUS] = {ITEM_BRIDGE, ITEM_DHCP, ITEM_NAT, ITEM_ADAPTER},
};

struct net_services
net_services_of_row(const struct msg_net_row *row)
{
	/* A bridge without an uplink waits for one, as VMware's does: it runs. */
	bool up = row->state == NET_STATE_OK || row->state == NET_STATE_DEGRADED ||
		  row->state == NET_STATE_NO_UPLINK;

	return (struct net_services){
	    .net = row->net,
	    .bridge = row->kind == NET_BRIDGED,
	    .adapter = row->adapter,
	    .dhcp = row->dhcp,
	    .nat = row->nat,
	    .bridge_up = up,
	    .adapter_up = up,
	    .dhcp_up = up && !(row->services_down >> SERVICE_DHCP & 1),
	    .nat_up = up && !(row->services_down >> SERVICE_NAT & 1),
	};
}

size_t
net_services_of_conf(struct net_services *v, const struct conf *conf)
{
	size_t n = 0;

	for (unsigned i = 0; i < CONF_NETS; i++) {
		const struct conf_net *net = &conf->net[i];

		if (net->present)
			v[n++] = (struct net_services){
			    .net = i,
			    .bridge = net->type == NET_BRIDGED,
			    .adapter = net->adapter,
			    .dhcp = net->dhcp,
			    .nat = net->nat,
			};
	}
	return n;
}

static void
look(const struct net_services *s, enum item item, bool *has, bool *up)
{
	switch (item) {
	case ITEM_BRIDGE:
		*has = s->bridge;
		*up = s->bridge_up;
		return;
	case ITEM_DHCP:
		*has = s->dhcp;
		*up = s->dhcp_up;
		return;
	case ITEM_NAT:
		*has = s->nat;
		*up = s->nat_up;
		return;
	case ITEM_ADAPTER:
	case ITEM_N:
		break;
	}
	*has = s->adapter;
	*up = s->adapter_up;
}

bool
networks_lines(struct strbuf *out, enum lines_verb verb, const struct net_services *v, size_t n)
{
	bool all = true, has, up;

	for (size_t i = 0; i < n * ITEM_N; i++) {
		const struct net_services *s = &v[i / ITEM_N];
		enum item item = order[verb][i % ITEM_N];
		bool good;

		look(s, item, &has, &up);
		if (!has)
			continue;
		good = verb == LINES_STOP ? !up : up;
		all = all && good;
		if (verb == LINES_STATUS)
			strbuf_addf(out, "%s on vmnet%u %s\n", status_wording[item].subject, s->net,
				    good ? status_wording[item].good : status_wording[item].bad);
		else
			strbuf_addf(out, "%s vmnet%u\n",
				    good ? wording[verb][item].good : wording[verb][item].bad,
				    s->net);
	}
	strbuf_addf(out, "%s\n", closing[verb][all]);
	return all;
}
