/* SPDX-License-Identifier: GPL-2.0-or-later
 * effective.c - the model as text: `vnetd -nn`. Pure.
 *
 * The output is a valid vnetd.conf that means the same as the one that was read: keys of other
 * files appear as comments, with the file and line that say so.
 */
#include "conf/vnetdconf.h"

#include <stdio.h>

#include "lib/strbuf.h"

static const char *
yes_no(bool v)
{
	return v ? "yes" : "no";
}

static const char *
level_word(enum conf_log_level l)
{
	switch (l) {
	case CONF_LOG_ERR:
		return "err";
	case CONF_LOG_WARNING:
		return "warning";
	case CONF_LOG_NOTICE:
		return "notice";
	case CONF_LOG_INFO:
		return "info";
	case CONF_LOG_DEBUG:
		return "debug";
	}
	return "info";
}

/* "# key = value    (file:line)": a fact of another file. */
static void
fact(struct strbuf *out, const char *key, const char *value, struct conf_pos pos)
{
	size_t from = out->len;

	strbuf_addf(out, "# %s = %s", key, value);
	while (out->len - from < 40)
		strbuf_addc(out, ' ');
	if (pos.line && pos.file[0] == '(') /* a file that is yet to be written */
		strbuf_addf(out, " %s\n", pos.file);
	else if (pos.line)
		strbuf_addf(out, " (%s:%u)\n", pos.file, pos.line);
	else
		strbuf_add(out, " (default)\n");
}

static void
number_fact(struct strbuf *out, const char *key, uint32_t v, struct conf_pos pos)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", v);
	fact(out, key, text, pos);
}

/* A key of vnetd.conf as it is set. With value NULL its default, as a comment: what is derived from
 * other keys has no spelling. */
static void
setting(struct strbuf *out, enum schema_section s, const char *key, const char *value)
{
	const char *def = schema_find(s, key)->def;
	size_t from = out->len;

	if (value) {
		strbuf_addf(out, "%s = %s\n", key, value);
	} else if (def[0] != '(') {
		fact(out, key, def, (struct conf_pos){0});
	} else {
		strbuf_addf(out, "# %s", key);
		while (out->len - from < 40)
			strbuf_addc(out, ' ');
		strbuf_addf(out, " %s\n", def);
	}
}

static void
number_setting(struct strbuf *out, enum schema_section s, const char *key, int v)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", v);
	setting(out, s, key, v < 0 ? NULL : text);
}

static void
limit_setting(struct strbuf *out, enum schema_section s, const char *key, int v)
{
	setting(out, s, key,
		v < 0 ? NULL : schema_limit_str((uint32_t)v, (char[SCHEMA_LIMIT_LEN]){0}));
}

static const char *
allow_deny(int v)
{
	return v < 0 ? NULL : v ? "allow" : "deny";
}

static void
print_gate(struct strbuf *out, enum schema_section s, const struct conf_gate *g)
{
	static const char *const answers[] = {[CONF_PROMISC_ASK] = "ask",
					      [CONF_PROMISC_ALLOW] = "allow",
					      [CONF_PROMISC_DENY] = "deny"};

	setting(out, s, "promiscuous", g->promiscuous < 0 ? NULL : answers[g->promiscuous]);
	setting(out, s, "forged-transmits", allow_deny(g->forged));
	number_setting(out, s, "mac-learning", g->mac_learning);
	setting(out, s, "ip-guard", g->ip_guard < 0 ? NULL : yes_no(g->ip_guard));
	number_setting(out, s, "broadcast-limit", g->flood);
	limit_setting(out, s, "dhcp-leases-per-port", g->dhcp_leases);
	limit_setting(out, s, "dhcp-rate-per-port", g->dhcp_rate);
}

static void
print_routes(struct strbuf *out, const struct conf_net *n)
{
	struct strbuf names;
	unsigned any = 0;

	strbuf_init(&names);
	for (unsigned i = 0; i < CONF_NETS; i++)
		if (n->route[i / 8] >> i % 8 & 1)
			strbuf_addf(&names, "%svmnet%u", any++ ? " " : "", i);
	if (any)
		setting(out, SCHEMA_NET, "route", strbuf_str(&names));
	strbuf_fini(&names);
}

static void
print_rebind(struct strbuf *out, const struct conf_net *n)
{
	if (n->rebind_protection)
		setting(out, SCHEMA_NET, "rebind-protection", "yes");
	if (n->private_domains[0])
		setting(out, SCHEMA_NET, "private-domains", n->private_domains);
}

static void
print_opts(struct strbuf *out, const struct dhcp_opts *o, const char *prefix)
{
	for (size_t i = 0; i < o->n; i++) {
		strbuf_add(out, prefix);
		dhcp_opt_print(out, &o->v[i]);
		strbuf_addc(out, '\n');
	}
}

static void
print_text(struct strbuf *out, const char *word, const char *text, const char *prefix)
{
	if (text)
		strbuf_addf(out, "%s%s \"%s\";\n", prefix, word, text);
}

static void
print_boot(struct strbuf *out, const struct dhcp_scope *s, const char *prefix)
{
	if (s->next_server.h)
		strbuf_addf(out, "%snext-server %s;\n", prefix, IP4_STR(s->next_server));
	print_text(out, "filename", s->filename, prefix);
	print_text(out, "server-name", s->server_name, prefix);
	if (s->booting == CONF_NO)
		strbuf_addf(out, "%sdeny booting;\n", prefix);
	if (s->bootp == CONF_YES)
		strbuf_addf(out, "%sallow bootp;\n", prefix);
}

static void
print_host(struct strbuf *out, const struct dhcp_host *h)
{
	struct strbuf b;

	strbuf_init(&b);
	strbuf_addf(&b, "%s %s%s%s", MAC_STR(h->mac), h->ip.h ? IP4_STR(h->ip) : "(any address)",
		    h->name ? " " : "", h->name ? h->name : "");
	fact(out, "reservation", strbuf_str(&b), h->pos);
	strbuf_fini(&b);
	print_boot(out, &h->scope, "#     ");
	print_opts(out, &h->scope.opts, "#     ");
}

/* The key is printed where there is something to say. */
static void
print_static_arp(struct strbuf *out, const struct conf_dhcp *d)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->nhosts; i++)
		if (d->host[i].static_arp)
			strbuf_addf(out, "%s%s",
				    n++ ? " " : "static-arp = ", MAC_STR(d->host[i].mac));
	if (n)
		strbuf_addc(out, '\n');
}

/* What the subnet does not say itself, it has from the file's top level. */
static void
print_dhcp(struct strbuf *out, const struct conf_net *n)
{
	const struct conf_dhcp *d = &n->dhcpd;
	struct conf_pos none = {0};

	fact(out, "dhcp-server", IP4_STR(d->server), none);
	number_fact(out, "lease-time", d->default_lease_s, none);
	number_fact(out, "max-lease-time", d->max_lease_s, none);
	if (d->min_lease_s)
		number_fact(out, "min-lease-time", d->min_lease_s, none);
	if (!d->unknown_clients)
		strbuf_add(out, "# deny unknown-clients;\n");
	if (!d->authoritative)
		strbuf_add(out, "# not authoritative;\n");
	if (!d->ping_check)
		strbuf_add(out, "# ping-check false;\n");
	else if (d->ping_timeout_s != CONF_PING_TIMEOUT_DEFAULT)
		strbuf_addf(out, "# ping-timeout %u;\n", d->ping_timeout_s);
	for (size_t i = 0; i < d->nranges; i++) {
		const struct dhcp_range *r = &d->range[i];
		struct strbuf b;

		strbuf_init(&b);
		strbuf_addf(&b, "%s-%s%s", IP4_STR(r->lo), IP4_STR(r->hi),
			    r->unknown_clients == CONF_NO ? " (known clients)" : "");
		fact(out, "range", strbuf_str(&b), r->pos);
		strbuf_fini(&b);
	}
	print_boot(out, &d->global, "# ");
	print_boot(out, &d->subnet, "# ");
	for (size_t i = 0; i < d->global.opts.n; i++) {
		if (dhcp_opts_find(&d->subnet.opts, d->global.opts.v[i].code))
			continue;
		strbuf_add(out, "# ");
		dhcp_opt_print(out, &d->global.opts.v[i]);
		strbuf_addc(out, '\n');
	}
	print_opts(out, &d->subnet.opts, "# ");
	for (size_t i = 0; i < d->nhosts; i++)
		print_host(out, &d->host[i]);
	print_static_arp(out, d);
}

static void
print_forwards(struct strbuf *out, const struct conf_net *n)
{
	for (size_t i = 0; i < n->nforwards; i++) {
		const struct conf_forward *f = &n->forward[i];
		char from[HOST_PORTS_LEN], to[PORT_RANGE_LEN];
		struct strbuf b;

		strbuf_init(&b);
		strbuf_addf(&b, "%s %s %s %s%s%s", conf_proto_str(f->proto),
			    host_ports_str(conf_forward_ports(f), from), IP4_STR(f->guest),
			    port_range_str(f->guest_port, f->more, to), f->description ? " " : "",
			    f->description ? f->description : "");
		fact(out, "forward", strbuf_str(&b), f->pos);
		strbuf_fini(&b);
	}
}

/* Of a network without NAT they would be without effect. */
static void
print_way(struct strbuf *out, const struct conf_net *n)
{
	char ports[16];

	if (!n->nat)
		return;
	snprintf(ports, sizeof(ports), "%u-%u", n->snat_lo, n->snat_hi);
	setting(out, SCHEMA_NET, "egress", n->egress);
	setting(out, SCHEMA_NET, "snat-address", n->snat.h ? IP4_STR(n->snat) : NULL);
	setting(out, SCHEMA_NET, "snat-ports", n->snat_lo ? ports : NULL);
}

static void
print_shadow(struct strbuf *out, const struct conf_net *net)
{
	unsigned n = 0;

	for (size_t i = 0; i < net->nforwards; i++)
		if (net->forward[i].shadow)
			strbuf_addf(out, "%s%s/%u",
				    n++ ? " " : "shadow = ", conf_proto_str(net->forward[i].proto),
				    net->forward[i].host_port);
	if (n)
		strbuf_addc(out, '\n');
}

static void
print_net(struct strbuf *out, const struct conf_net *n)
{
	strbuf_addf(out, "\n[vmnet%u]\n", n->n);
	if (n->failed)
		strbuf_addf(out, "# refused: %s\n", n->reason);
	strbuf_addf(out, "# %s network\n", conf_net_type_label(n->type));
	strbuf_addf(out, "type = %s\n", n->type_hint ? "bridged" : "auto");
	print_gate(out, SCHEMA_NET, &n->gate);
	print_routes(out, n);
	print_rebind(out, n);
	print_way(out, n);
	fact(out, "display-name", n->display_name, n->src.display_name);
	if (n->subnet.len)
		fact(out, "subnet", PREFIX4_STR(n->subnet), n->src.subnet);
	fact(out, "adapter", yes_no(n->adapter), n->src.adapter);
	if (n->adapter)
		fact(out, "adapter-address", IP4_STR(n->host), n->src.host);
	fact(out, "dhcp", yes_no(n->dhcp), n->src.dhcp);
	fact(out, "nat", yes_no(n->nat), n->src.nat);
	number_fact(out, "mtu", n->mtu, n->src.mtu);
	for (size_t i = 0; i < n->nuplinks; i++)
		fact(out, n->auto_uplink ? "preferred uplink" : "uplink", n->uplink[i], n->pos);
	if (n->nat) {
		fact(out, "nat-gateway", IP4_STR(n->gateway), n->src.gateway);
		number_fact(out, "udp-timeout", n->udp_timeout_s, n->src.udp_timeout);
		natconf_print_changed(out, &n->natconf, "# nat.conf ");
		print_forwards(out, n);
		print_shadow(out, n);
	}
	if (n->dhcp && n->subnet.len)
		print_dhcp(out, n);
}

static void
print_tap(struct strbuf *out, const struct conf_port *p)
{
	strbuf_addf(out, "tap = %s\n", yes_no(p->tap));
	if (!p->tap)
		return;
	strbuf_addf(out, "network = vmnet%d\n", p->net);
	setting(out, SCHEMA_PORT, "owner", p->owner);
	strbuf_addf(out, "queues = %u\n", p->queues);
}

static const char *
policy_word(int p)
{
	return p == MAC_POLICY_GIVEN    ? "given"
	       : p == MAC_POLICY_STICKY ? "sticky"
	       : p == MAC_POLICY_ANY    ? "any"
					: NULL;
}

static void
rate_setting(struct strbuf *out, const char *key, int64_t kbit)
{
	setting(out, SCHEMA_PORT, key,
		kbit < 0 ? NULL : schema_rate_str((uint32_t)kbit, (char[SCHEMA_RATE_LEN]){0}));
}

static void
print_port(struct strbuf *out, const struct conf_port *p)
{
	strbuf_addf(out, "\n[port %s]\n", p->name ? p->name : MAC_STR(p->key));
	if (p->name)
		print_tap(out, p);
	if (!p->tap && p->owner)
		setting(out, SCHEMA_PORT, "owner", p->owner);
	setting(out, SCHEMA_PORT, "mac", mac_is_zero(p->mac) ? NULL : MAC_STR(p->mac));
	setting(out, SCHEMA_PORT, "mac-policy", policy_word(p->mac_policy));
	print_gate(out, SCHEMA_PORT, &p->gate);
	setting(out, SCHEMA_PORT, "dhcp-server", allow_deny(p->dhcp_server));
	setting(out, SCHEMA_PORT, "ra", allow_deny(p->ra));
	rate_setting(out, "rate-in", p->rate_in_kbit);
	rate_setting(out, "rate-out", p->rate_out_kbit);
	setting(out, SCHEMA_PORT, "link", p->link < 0 ? NULL : p->link ? "up" : "down");
	setting(out, SCHEMA_PORT, "mirror-of", p->mirror_of);
}

static void
print_nets(struct strbuf *out, const uint8_t nets[CONF_NETS / 8])
{
	unsigned n = 0;

	for (unsigned i = 0; i < CONF_NETS; i++)
		n += nets[i / 8] >> (i % 8) & 1;
	if (n == CONF_NETS || n == 0) {
		strbuf_add(out, n ? " all" : " none");
		return;
	}
	for (unsigned i = 0; i < CONF_NETS; i++) {
		if (nets[i / 8] >> (i % 8) & 1)
			strbuf_addf(out, " vmnet%u", i);
	}
}

static void
print_subject(struct strbuf *out, const struct conf_subject *s)
{
	strbuf_addf(out, "\n[%s %s]\n", s->group ? "group" : "user", s->name);
	if (s->allow_set) {
		strbuf_add(out, "allow =");
		print_nets(out, s->allow);
		strbuf_addc(out, '\n');
	}
	if (s->change_set)
		strbuf_addf(out, "change = %s\n", yes_no(s->change));
	if (s->capture_set)
		strbuf_addf(out, "capture = %s\n", yes_no(s->capture));
	if (s->max_ports_set)
		strbuf_addf(out, "max-ports = %u\n", s->max_ports);
}

void
vnetdconf_print_effective(struct strbuf *out, const struct conf *c)
{
	strbuf_add(out,
		   "# Effective configuration. Lines with a file and a number behind them are\n"
		   "# facts of that file; the others are vnetd.conf.\n");
	strbuf_addf(out, "\n[global]\nforward-others = %s\nforeign-rules = %s\nlog-level = %s\n",
		    yes_no(c->forward_others), c->foreign_allow ? "allow" : "report",
		    level_word(c->log_level));
	if (c->hold_ports != CONF_HOLD_PORTS_DEFAULT)
		strbuf_addf(out, "hold-ports = %u\n", c->hold_ports);
	if (!c->flowtable)
		strbuf_add(out, "flowtable = no\n");
	for (size_t i = 0; i < c->nexclude; i++)
		strbuf_addf(out, "# not bridged automatically: %s\n", c->exclude[i]);
	for (unsigned n = 0; n < CONF_NETS; n++) {
		if (c->net[n].present)
			print_net(out, &c->net[n]);
	}
	for (size_t i = 0; i < c->nports; i++)
		print_port(out, &c->port[i]);
	for (size_t i = 0; i < c->nsubjects; i++)
		print_subject(out, &c->subject[i]);
}
