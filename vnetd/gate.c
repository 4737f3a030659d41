/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate.c - the gate of one port, from its configuration and what is known of it. Pure.
 */
#include "vnetd/gate.h"

#include <string.h>

/* -1, a zero MAC and NULL: the section does not say. */
static const struct conf_port silent = {
    .net = -1,
    .owner_uid = UINT32_MAX,
    .gate = {.promiscuous = -1,
	     .forged = -1,
	     .mac_learning = -1,
	     .ip_guard = -1,
	     .flood = -1,
	     .dhcp_leases = -1,
	     .dhcp_rate = -1},
    .mac_policy = -1,
    .dhcp_server = -1,
    .ra = -1,
    .link = -1,
    .rate_in_kbit = -1,
    .rate_out_kbit = -1,
};

static void
lay(int *under, int over)
{
	if (over >= 0)
		*under = over;
}

static void
lay64(int64_t *under, int64_t over)
{
	if (over >= 0)
		*under = over;
}

static void
lay_section(struct conf_port *p, const struct conf_port *s)
{
	lay(&p->gate.promiscuous, s->gate.promiscuous);
	lay(&p->gate.forged, s->gate.forged);
	lay(&p->gate.mac_learning, s->gate.mac_learning);
	lay(&p->gate.ip_guard, s->gate.ip_guard);
	lay(&p->gate.flood, s->gate.flood);
	lay(&p->gate.dhcp_leases, s->gate.dhcp_leases);
	lay(&p->gate.dhcp_rate, s->gate.dhcp_rate);
	lay(&p->mac_policy, s->mac_policy);
	lay(&p->dhcp_server, s->dhcp_server);
	lay(&p->ra, s->ra);
	lay(&p->link, s->link);
	lay64(&p->rate_in_kbit, s->rate_in_kbit);
	lay64(&p->rate_out_kbit, s->rate_out_kbit);
	if (!mac_is_zero(s->mac))
		p->mac = s->mac;
	if (s->mirror_of)
		p->mirror_of = s->mirror_of;
}

/* Whoever takes the name of another user's guest gets nothing that was meant for it. */
static bool
is_for(const struct conf_port *s, uint32_t owner)
{
	return !s->owner || (s->owner_uid != UINT32_MAX && s->owner_uid == owner);
}

static const struct conf_port *
section_named(const struct conf *c, const char *name, uint32_t owner)
{
	for (size_t i = 0; c && *name && i < c->nports; i++)
		if (c->port[i].name && !strcmp(c->port[i].name, name) && is_for(&c->port[i], owner))
			return &c->port[i];
	return NULL;
}

static const struct conf_port *
section_of_mac(const struct conf *c, struct mac mac, uint32_t owner)
{
	for (size_t i = 0; c && !mac_is_zero(mac) && i < c->nports; i++)
		if (!c->port[i].name && mac_eq(c->port[i].key, mac) && is_for(&c->port[i], owner))
			return &c->port[i];
	return NULL;
}

size_t
gate_sections(const struct conf_port *out[GATE_SECTIONS_MAX], const struct conf *c,
	      const struct gate_port *p)
{
	const struct conf_port *s[] = {
	    section_of_mac(c, p->mac, p->owner), section_named(c, p->ifname, p->owner),
	    strcmp(p->name, p->ifname) != 0 ? section_named(c, p->name, p->owner) : NULL};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		if (s[i])
			out[n++] = s[i];
	return n;
}

struct conf_port
gate_conf(const struct conf *c, const struct gate_port *port)
{
	const struct conf_port *s[GATE_SECTIONS_MAX];
	size_t n = gate_sections(s, c, port);
	struct conf_port p = silent;

	for (size_t i = 0; i < n; i++)
		lay_section(&p, s[i]);
	return p;
}

const struct conf_port *
gate_section(const struct conf *c, const struct gate_port *p)
{
	const struct conf_port *s = section_named(c, p->name, p->owner);

	if (!s)
		s = section_named(c, p->ifname, p->owner);
	return s ? s : section_of_mac(c, p->mac, p->owner);
}

/* The port's key, else the network's, else the default. */
static int
key(int port, int net, int def)
{
	if (port >= 0)
		return port;
	return net >= 0 ? net : def;
}

unsigned
gate_learning(const struct conf_net *net, const struct conf_port *port, bool guest)
{
	bool counts = net && guest && port->mac_policy != MAC_POLICY_ANY;

	return (unsigned)key(port->gate.mac_learning, counts ? net->gate.mac_learning : -1, 0);
}

bool
gate_guards_ip(const struct conf_net *net, const struct conf_port *port)
{
	return key(port->gate.ip_guard, net ? net->gate.ip_guard : -1, 0) != 0;
}

static enum mac_policy
mac_policy(const struct gate_case *c, struct mac mac)
{
	if (c->granted && gate_learning(c->conf, c->port, c->guest) > 0)
		return MAC_POLICY_LEARN;
	if (c->port->mac_policy >= 0)
		return (enum mac_policy)c->port->mac_policy;
	if (!mac_is_zero(mac))
		return MAC_POLICY_GIVEN;
	return c->guest ? MAC_POLICY_STICKY : MAC_POLICY_ANY;
}

/* `allow` and `deny` decide; without them the guard is on where it belongs. */
static bool
guard(int allowed, bool belongs)
{
	return allowed < 0 ? belongs : allowed == 0;
}

/* IPv6 is ours to guard where the host is on the network and nobody else can be the router. */
static bool
has_ra_guard(const struct conf_net *n)
{
	return n && n->adapter && (n->type == NET_NAT || n->type == NET_HOSTONLY);
}

static unsigned
guards(const struct gate_case *c)
{
	unsigned flags = c->guest ? GATE_CONTROL : 0;

	if (guard(c->port->dhcp_server, c->guest && c->conf && c->conf->dhcp))
		flags |= GATE_DHCP;
	if (guard(c->port->ra, c->guest && has_ra_guard(c->conf)))
		flags |= GATE_RA;
	if (gate_guards_ip(c->conf, c->port) && c->guest)
		flags |= GATE_IP;
	return flags;
}

/* The network's key and the default are for guests; 0: no limit. */
static uint32_t
limit(const struct gate_case *c, int port, int net, int def)
{
	if (!c->guest && port < 0)
		return 0;
	return (uint32_t)key(port, net, def);
}

/* One port never gets all that a server has to give, unless somebody says so. */
static int
default_leases(const struct conf_dhcp *d)
{
	uint32_t half = 0;

	for (size_t i = 0; i < d->nranges; i++)
		if (d->range[i].unknown_clients != CONF_NO)
			half += d->range[i].hi.h - d->range[i].lo.h + 1;
	half /= 2;
	if (half > GATE_DHCP_LEASES_DEFAULT)
		return GATE_DHCP_LEASES_DEFAULT;
	return half ? (int)half : 1;
}

/* Without a server of ours there are no leases to count, and none to protect unasked. */
static void
want_dhcp(struct msg_gate_set *out, const struct gate_case *c, const struct conf_gate *net)
{
	const struct conf_gate *port = &c->port->gate;
	bool ours = c->conf && c->conf->dhcp;

	out->dhcp_rate =
	    limit(c, port->dhcp_rate, net->dhcp_rate, ours ? GATE_DHCP_RATE_DEFAULT : 0);
	if (!ours)
		return;
	out->dhcp_leases = (uint16_t)limit(c, port->dhcp_leases, net->dhcp_leases,
					   default_leases(&c->conf->dhcpd));
	out->dhcp_server = c->conf->dhcpd.server;
	out->dhcp_broadcast = prefix4_broadcast(c->conf->subnet);
}

void
gate_want(struct msg_gate_set *out, const struct gate_case *c)
{
	const struct conf_gate *net = c->conf ? &c->conf->gate : &silent.gate;
	struct mac mac = mac_is_zero(c->port->mac) ? c->told : c->port->mac;
	enum mac_policy policy = mac_policy(c, mac);
	bool mirror = c->granted && policy != MAC_POLICY_LEARN;
	int forged = key(c->port->gate.forged, net->forged, -1);

	memset(out, 0, sizeof(*out));
	out->net = (uint16_t)c->net;
	MSG_SET_STR(out->ifname, c->ifname);
	out->mac_policy = (uint8_t)policy;
	if (policy == MAC_POLICY_GIVEN || policy == MAC_POLICY_LEARN ||
	    (policy == MAC_POLICY_STICKY && !c->promisc->unpinned))
		out->mac = mac;
	/* A section without an address cannot ask for `given` (conf/ refuses it); a port that is told
	 * none all the same keeps its first one. */
	if (policy == MAC_POLICY_GIVEN && mac_is_zero(mac))
		out->mac_policy = MAC_POLICY_STICKY;
	if (policy == MAC_POLICY_LEARN)
		out->learn = (uint16_t)gate_learning(c->conf, c->port, c->guest);
	out->flags = (uint16_t)guards(c);
	if (forged == 1 || (forged < 0 && mirror))
		out->flags |= GATE_FORGED;
	out->lent = forged < 0 && mirror;
	if (out->flags & GATE_IP)
		out->ip = c->ip;
	out->flood = limit(c, c->port->gate.flood, net->flood, GATE_FLOOD_DEFAULT);
	want_dhcp(out, c, net);
	out->rate_in_kbit = c->port->rate_in_kbit > 0 ? (uint32_t)c->port->rate_in_kbit : 0;
	out->rate_out_kbit = c->port->rate_out_kbit > 0 ? (uint32_t)c->port->rate_out_kbit : 0;
	MSG_SET_STR(out->span, c->span);
	out->promisc = mirror;
	out->memo.len = (uint16_t)promisc_pack(out->memo.b, c->promisc);
}

void
gate_without_promisc(struct msg_gate_set *g)
{
	if (g->lent)
		g->flags &= (uint16_t)~GATE_FORGED;
	g->promisc = g->lent = false;
}

void
gate_brport(struct gate_brport *out, const struct msg_gate_set *g, bool has_mac)
{
	bool own = g->mac_policy == MAC_POLICY_GIVEN || g->mac_policy == MAC_POLICY_STICKY;

	*out = (struct gate_brport){.entry = has_mac && g->mac_policy != MAC_POLICY_ANY};
	if (own && has_mac) {
		/* With forged sources their answers come by the mirror, and by it alone. */
		out->locked = !(g->flags & GATE_FORGED);
	} else if (own) {
		/* The bridge learns what the program pins, so that no frame is lost until the entry
		 * is there. */
		out->learning = true;
	} else {
		/* The mirror brings each frame once; the bridge would bring some again. */
		out->learning = !g->promisc;
		out->flood = g->mac_policy == MAC_POLICY_ANY && !g->promisc;
	}
}

bool
gate_same(const struct msg_gate_set *a, const struct msg_gate_set *b)
{
	return a->net == b->net && !strcmp(a->ifname, b->ifname) &&
	       a->mac_policy == b->mac_policy && mac_eq(a->mac, b->mac) && a->learn == b->learn &&
	       a->flags == b->flags && ip4_eq(a->ip, b->ip) && a->flood == b->flood &&
	       a->rate_in_kbit == b->rate_in_kbit && a->rate_out_kbit == b->rate_out_kbit &&
	       !strcmp(a->span, b->span) && a->promisc == b->promisc &&
	       a->dhcp_rate == b->dhcp_rate && a->dhcp_leases == b->dhcp_leases &&
	       ip4_eq(a->dhcp_server, b->dhcp_server) &&
	       ip4_eq(a->dhcp_broadcast, b->dhcp_broadcast) && a->lent == b->lent &&
	       a->memo.len == b->memo.len && !memcmp(a->memo.b, b->memo.b, a->memo.len);
}
