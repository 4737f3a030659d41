/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_local.c - vnetd.conf into the model: [global], the networks' gates, rights. Pure.
 */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "conf/text.h"

/* The words of foreign-rules. */
enum { FOREIGN_REPORT, FOREIGN_ALLOW };

static void
read_global(struct conf *c, const struct vnetd_section *s)
{
	static const enum conf_log_level levels[] = {
	    CONF_LOG_ERR, CONF_LOG_WARNING, CONF_LOG_NOTICE, CONF_LOG_INFO, CONF_LOG_DEBUG};
	const struct vnetd_item *it;

	if ((it = vnetd_item_find(s, "forward-others")))
		c->forward_others = it->value.yes;
	if ((it = vnetd_item_find(s, "hold-ports")))
		c->hold_ports = it->value.num;
	if ((it = vnetd_item_find(s, "foreign-rules")))
		c->foreign_allow = it->value.num == FOREIGN_ALLOW;
	if ((it = vnetd_item_find(s, "flowtable")))
		c->flowtable = it->value.yes;
	if ((it = vnetd_item_find(s, "log-level")) && it->value.num < ARRAY_LEN(levels))
		c->log_level = levels[it->value.num];
}

uint32_t
build_name_id(const char *name, bool *resolved)
{
	uint32_t id;

	*resolved = word_u32(word_of(name), UINT32_MAX - 1, &id);
	return *resolved ? id : UINT32_MAX;
}

static void
add_subject(struct build *b, const struct conf_subject *s)
{
	struct conf_subject *v =
	    arena_grow(&b->c->arena, b->c->subject, b->c->nsubjects, sizeof(*v));

	if (!v)
		return;
	b->c->subject = v;
	v[b->c->nsubjects++] = *s;
}

static void
set_default_group(struct conf_subject *s)
{
	if (!s->allow_set)
		memset(s->allow, 0xff, sizeof(s->allow));
	s->allow_set = true;
}

/* Networks that cannot be reached by any address are named in vain. */
static void
read_routes(struct build *b, const struct vnetd_section *s)
{
	const struct vnetd_item *it = vnetd_item_find(s, "route");
	struct conf_net *net = &b->c->net[s->net];

	if (!it)
		return;
	memcpy(net->route, it->value.nets, sizeof(net->route));
	net->route[s->net / 8] &= (uint8_t) ~(1u << s->net % 8);
	for (unsigned n = 0; n < CONF_NETS && net->present; n++) {
		const struct conf_net *to = &b->c->net[n];

		if (strcmp(it->value.text, "all") != 0 && net->route[n / 8] >> n % 8 & 1 &&
		    (!to->present || !to->subnet.len))
			diag_warn(
			    b->d, it->pos,
			    "[vmnet%u] has a route to vmnet%u, which %s; it is without effect",
			    s->net, n, to->present ? "has no subnet" : "does not exist");
	}
}

/* What guests may be told by DNS. */
static void
read_rebind(struct build *b, const struct vnetd_section *s)
{
	const struct vnetd_item *on = vnetd_item_find(s, "rebind-protection");
	const struct vnetd_item *domains = vnetd_item_find(s, "private-domains");
	struct conf_net *net = &b->c->net[s->net];

	net->rebind_protection = on && on->value.yes;
	if (domains)
		net->private_domains = domains->value.text;
	if (net->present && net->rebind_protection && !net->nat)
		diag_warn(b->d, on->pos,
			  "rebind-protection has no effect: vmnet%u is no NAT network, so vnetd "
			  "answers no DNS there",
			  net->n);
	else if (net->present && domains && !net->rebind_protection)
		diag_warn(b->d, domains->pos,
			  "private-domains has no effect without rebind-protection = yes");
}

/* Only NAT asks how to go out. */
static void
read_way(struct build *b, const struct vnetd_section *s)
{
	struct conf_net *net = &b->c->net[s->net];
	const struct vnetd_item *addr = vnetd_item_find(s, "snat-address");
	const struct vnetd_item *ports = vnetd_item_find(s, "snat-ports");
	const struct vnetd_item *egress = vnetd_item_find(s, "egress");
	const struct vnetd_item *any = addr ? addr : ports ? ports : egress;

	if (any && !net->nat)
		diag_warn(b->d, any->pos, "vmnet%u has no NAT; \"%s\" is without effect", s->net,
			  any->row->key);
	if (!net->nat)
		return;
	net->egress = egress ? egress->value.text : NULL;
	net->snat_lo = ports ? (uint16_t)ports->value.num : 0;
	net->snat_hi = ports ? (uint16_t)ports->value.last : 0;
	if (addr && prefix4_contains(net->subnet, addr->value.ip))
		diag_warn(b->d, addr->pos,
			  "snat-address %s lies in vmnet%u itself; it is without effect",
			  IP4_STR(addr->value.ip), s->net);
	else if (addr)
		net->snat = addr->value.ip;
}

static void
read_subject(struct build *b, const struct vnetd_section *s)
{
	struct conf_subject sub = {
	    .group = s->kind == SCHEMA_GROUP, .name = s->name, .pos = s->pos};
	const struct vnetd_item *it;

	sub.id = build_name_id(s->name, &sub.resolved);
	if ((it = vnetd_item_find(s, "allow"))) {
		sub.allow_set = true;
		memcpy(sub.allow, it->value.nets, sizeof(sub.allow));
	}
	if ((it = vnetd_item_find(s, "change"))) {
		sub.change_set = true;
		sub.change = it->value.yes;
	}
	if ((it = vnetd_item_find(s, "capture"))) {
		sub.capture_set = true;
		sub.capture = it->value.yes;
	}
	if ((it = vnetd_item_find(s, "max-ports"))) {
		sub.max_ports_set = true;
		sub.max_ports = (uint16_t)it->value.num;
	}
	if (sub.group && strcmp(s->name, CONF_GROUP) == 0)
		set_default_group(&sub);
	add_subject(b, &sub);
}

static bool
has_default_group(const struct conf *c)
{
	for (size_t i = 0; i < c->nsubjects; i++) {
		if (c->subject[i].group && strcmp(c->subject[i].name, CONF_GROUP) == 0)
			return true;
	}
	return false;
}

/* Marks the reservations that static-arp names. */
static void
read_static_arp(struct build *b, struct conf_net *net, const struct vnetd_section *s)
{
	const struct vnetd_item *it = vnetd_item_find(s, "static-arp");
	const char *list = it ? it->value.text : "";
	struct mac mac;

	while (schema_mac_next(&list, &mac)) {
		struct dhcp_host *h = NULL;

		for (size_t i = 0; i < net->dhcpd.nhosts && !h; i++)
			if (mac_eq(net->dhcpd.host[i].mac, mac) && net->dhcpd.host[i].ip.h)
				h = &net->dhcpd.host[i];
		if (h)
			h->static_arp = true;
		else
			diag_warn(b->d, it->pos,
				  "static-arp: vmnet%u reserves no address for %s; it has no "
				  "effect. Cure: vnetctl reserve vmnet%u %s IP --static-arp",
				  net->n, MAC_STR(mac), net->n, MAC_STR(mac));
	}
}

static void
read_shadow(struct build *b, struct conf_net *net, const struct vnetd_section *s)
{
	const struct vnetd_item *it = vnetd_item_find(s, "shadow");
	const char *list = it ? it->value.text : "";
	enum conf_proto proto;
	uint16_t port;

	while (schema_port_next(&list, &proto, &port)) {
		struct conf_forward *f = NULL;

		for (size_t i = 0; i < net->nforwards && !f; i++)
			if (net->forward[i].proto == proto && net->forward[i].host_port == port)
				f = &net->forward[i];
		if (f) {
			f->shadow = true;
			continue;
		}
		b->c->shadow_idle = true;
		diag_warn(b->d, it->pos,
			  "shadow: vmnet%u does not forward %s port %u; that has no effect", net->n,
			  conf_proto_str(proto), port);
	}
}

void
build_local(struct build *b)
{
	struct conf_subject vnet = {.group = true, .name = CONF_GROUP, .id = UINT32_MAX};

	b->d->net = -1;
	b->c->log_level = CONF_LOG_INFO;
	b->c->hold_ports = CONF_HOLD_PORTS_DEFAULT;
	b->c->flowtable = true;
	for (unsigned n = 0; n < CONF_NETS; n++) {
		build_gate(&b->c->net[n].gate, NULL);
		b->c->net[n].private_domains = "";
	}
	for (size_t i = 0; i < b->vf.nsections; i++) {
		const struct vnetd_section *s = &b->vf.section[i];

		switch (s->kind) {
		case SCHEMA_GLOBAL:
			read_global(b->c, s);
			break;
		case SCHEMA_NET:
			build_gate(&b->c->net[s->net].gate, s);
			read_routes(b, s);
			read_rebind(b, s);
			if (b->c->net[s->net].present) {
				read_static_arp(b, &b->c->net[s->net], s);
				read_shadow(b, &b->c->net[s->net], s);
				read_way(b, s);
			} else {
				diag_warn(b->d, s->pos,
					  "[vmnet%u] has no effect: there is no such network",
					  s->net);
			}
			break;
		case SCHEMA_PORT:
			build_port(b, s);
			break;
		case SCHEMA_USER:
		case SCHEMA_GROUP:
			read_subject(b, s);
			break;
		}
	}
	if (!has_default_group(b->c)) {
		set_default_group(&vnet);
		add_subject(b, &vnet);
	}
}
