/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_render.c - rows into tables and lines for people. Pure.
 */
#include "vnetd/ctl_render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hostport.h"
#include "lib/strbuf.h"
#include "vnetd/ctl_conn_text.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

static void
add_ip(struct table *t, struct ip4 a)
{
	table_add(t, a.h ? IP4_STR(a) : "");
}

static void
add_subnet(struct table *t, const struct msg_net_row *n)
{
	if (n->len)
		table_addf(t, "%s/%u", IP4_STR(n->subnet), n->len);
	else
		table_add(t, "");
}

static enum tint
state_tint(unsigned state)
{
	switch ((enum net_state)state) {
	case NET_STATE_OK:
	case NET_STATE_STARTING:
	case NET_STATE_NO_UPLINK:
	case NET_STATE_N:
		return TINT_NONE;
	case NET_STATE_DEGRADED:
		return TINT_WARN;
	case NET_STATE_FAILED:
		return TINT_BAD;
	}
	return TINT_NONE;
}

/* "! vmnet8: what. Cure: what to type" */
static void
add_warnings(struct strbuf *out, const struct facts *f, const struct view *v)
{
	for (size_t i = 0; i < f->nwarnings; i++) {
		const struct msg_warning_row *w = &f->warning[i];

		tint_add(out, TINT_WARN, v->colour, "!");
		strbuf_addc(out, ' ');
		ctl_text_clean(out, w->text, false);
		if (w->cure[0]) {
			strbuf_add(out, w->text[0] && strchr(".!?", w->text[strlen(w->text) - 1])
					    ? " Cure: "
					    : ". Cure: ");
			ctl_text_clean(out, w->cure, false);
		}
		strbuf_addc(out, '\n');
	}
}

void
render_status(struct strbuf *out, const struct facts *f, const struct view *v)
{
	static const char *const head[] = {"NETWORK", "TYPE",   "SUBNET", "HOST", "DHCP",
					   "NAT",     "GUESTS", "STATE",  NULL};
	struct table t;

	strbuf_addf(out, "vnetd %s running %s, ", f->status->version,
		    ctl_text_span(f->status->uptime_ms / 1000, (char[TEXT_SPAN_LEN]){0}));
	ctl_text_count(out, f->status->networks, "network", "networks");
	strbuf_add(out, ", ");
	ctl_text_count(out, f->status->guests, "guest", "guests");
	strbuf_addc(out, '\n');
	add_warnings(out, f, v);
	if (f->nnets == 0)
		return;
	table_init(&t, head);
	for (size_t i = 0; i < f->nnets; i++) {
		const struct msg_net_row *n = &f->net[i];
		bool routed = n->kind != NET_BRIDGED && n->kind != NET_SEGMENT;

		table_addf(&t, "vmnet%u", n->net);
		table_add(&t, net_kind_name((enum net_kind)n->kind));
		add_subnet(&t, n);
		table_add(&t, n->adapter && n->host.h
				  ? ctl_text_host_part(n->host, n->len, (char[IP4_STRLEN + 1]){0})
				  : "");
		if (n->dhcp)
			table_addf(&t, "%u/%u", n->leases, n->lease_total);
		else
			table_add(&t, "");
		table_add(&t, !routed ? "" : n->nat ? "yes" : "no");
		table_addf(&t, "%u", n->guests);
		table_add_tinted(&t, state_tint(n->state),
				 net_state_name((enum net_state)n->state));
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
}

/* "ok", or the state with its reason. */
static void
add_state(struct strbuf *out, const struct msg_net_row *n)
{
	strbuf_add(out, net_state_name((enum net_state)n->state));
	if (n->text[0])
		strbuf_addf(out, ": %s", n->text);
}

void
render_networks(struct strbuf *out, const struct facts *f, const struct view *v)
{
	static const char *const head[] = {"NETWORK", "TYPE",  "SUBNET", "HOST",
					   "GATEWAY", "DHCP",  "MTU",    "FORWARDS",
					   "GUESTS",  "STATE", NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < f->nnets; i++) {
		const struct msg_net_row *n = &f->net[i];
		struct strbuf state;

		table_addf(&t, "vmnet%u", n->net);
		table_add(&t, net_kind_name((enum net_kind)n->kind));
		add_subnet(&t, n);
		add_ip(&t, n->host);
		add_ip(&t, n->gateway);
		add_ip(&t, n->dhcp_server);
		table_addf(&t, "%u", n->mtu);
		table_addf(&t, "%u", n->forwards);
		table_addf(&t, "%u", n->guests);
		strbuf_init(&state);
		add_state(&state, n);
		table_add_tinted(&t, state_tint(n->state), strbuf_str(&state));
		strbuf_fini(&state);
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
}

/* Connections and bytes; what is not known is empty. */
static void
add_use(struct table *t, const struct forward_use *u)
{
	bool counted = u && (u->counted || !u->live);

	table_add_number(t, u, u ? u->live : 0);
	table_add_number(t, counted, u ? u->in : 0);
	table_add_number(t, counted, u ? u->out : 0);
}

bool
facts_held(const struct facts *f, const struct msg_forward_row *w)
{
	for (size_t i = 0; i < f->nholds; i++) {
		const struct msg_hold_row *h = &f->hold[i];
		size_t lo = 0, hi = h->ports.len / 2;

		/* natd's ports of a protocol ascend. */
		while (h->proto == w->proto && ip4_eq(h->host, w->host) && lo < hi) {
			size_t mid = lo + (hi - lo) / 2;
			unsigned port =
			    (unsigned)(h->ports.b[2 * mid] << 8 | h->ports.b[2 * mid + 1]);

			if (port == w->port)
				return true;
			if (port < w->port)
				lo = mid + 1;
			else
				hi = mid;
		}
	}
	return false;
}

void
render_forwards(struct strbuf *out, const struct facts *f, const struct view *v)
{
	static const char *const head[] = {"PROTO",   "PORT",   "GUEST",       "GUEST-PORT",
					   "NETWORK", "SOURCE", "HELD",        "CONNECTIONS",
					   "IN",      "OUT",    "DESCRIPTION", NULL};
	struct forward_use(*use)[65536] = f->conns_known ? forward_uses(f->conn, f->nconns) : NULL;
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < f->nforwards; i++) {
		const struct msg_forward_row *w = &f->forward[i];
		char from[HOST_PORTS_LEN], to[PORT_RANGE_LEN];
		struct forward_use u = {.live = 0};

		if (use)
			u = forward_use_of(use, f->conn, f->nconns, w);
		table_add(&t, ip_proto_name((enum ip_proto)w->proto));
		table_add(&t, host_ports_str((struct host_ports){w->host, w->port, w->more}, from));
		add_ip(&t, w->guest);
		table_add(&t, port_range_str(w->guest_port, w->more, to));
		table_addf(&t, "vmnet%u", w->net);
		table_add(&t, w->source);
		table_add(&t, !f->holds_known ? "" : facts_held(f, w) ? "yes" : "no");
		add_use(&t, use ? &u : NULL);
		table_add(&t, w->text);
	}
	free(use);
	table_print(out, &t, v->colour);
	table_fini(&t);
}

void
render_leases(struct strbuf *out, const struct facts *f, const struct view *v)
{
	static const char *const head[] = {"ADDRESS", "MAC",  "NAME", "NETWORK",
					   "STATE",   "ENDS", NULL};
	/* What most rows need, so that rows printed later stand under those printed before. */
	static const size_t least[] = {IP4_STRLEN - 1, MAC_STRLEN - 1, 12, 8, 9};
	struct table t;

	table_init(&t, head);
	memcpy(t.least, least, sizeof(least));
	t.headless = v->follows;
	for (size_t i = 0; i < f->nleases; i++) {
		const struct msg_lease_row *l = &f->lease[i];

		add_ip(&t, l->addr);
		table_add(&t, mac_is_zero(l->mac) ? "" : MAC_STR(l->mac));
		table_add(&t, l->name);
		table_addf(&t, "vmnet%u", l->net);
		table_add(&t, lease_row_state_name((enum lease_row_state)l->state));
		table_add(&t, l->ends ? ctl_text_when(l->ends, v->now, (char[TEXT_SPAN_LEN + 8]){0})
				      : "");
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
}

static void
show_line(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, "  %-9s  ", key);
	ctl_text_clean(out, value, false);
	strbuf_addc(out, '\n');
}

static void
show_addresses(struct strbuf *out, const struct msg_net_row *n)
{
	if (n->len)
		strbuf_addf(out, "  %-9s  %s/%u\n", "subnet", IP4_STR(n->subnet), n->len);
	if (n->adapter && n->host.h)
		show_line(out, "host", IP4_STR(n->host));
	if (n->gateway.h)
		strbuf_addf(out, "  %-9s  %s%s\n", "gateway", IP4_STR(n->gateway),
			    ip4_eq(n->gateway, n->dns) ? ", also DNS" : "");
	if (n->dns.h && !ip4_eq(n->gateway, n->dns))
		show_line(out, "DNS", IP4_STR(n->dns));
	if (n->dhcp)
		strbuf_addf(out, "  %-9s  %s, %u of %u addresses in use\n", "DHCP",
			    n->dhcp_server.h ? IP4_STR(n->dhcp_server) : "no server address",
			    n->leases, n->lease_total);
}

void
render_show(struct strbuf *out, const struct facts *f, const struct view *v)
{
	const struct msg_net_row *n = &f->net[0];
	struct strbuf state;

	strbuf_init(&state);
	add_state(&state, n);
	strbuf_addf(out, "vmnet%u  %s, ", n->net, net_kind_name((enum net_kind)n->kind));
	tint_add(out, state_tint(n->state), v->colour, strbuf_str(&state));
	strbuf_addc(out, '\n');
	strbuf_fini(&state);
	add_warnings(out, f, v);
	if (n->label[0])
		show_line(out, "name", n->label);
	show_addresses(out, n);
	if (n->kind == NET_BRIDGED)
		show_line(out, "uplink", n->uplink[0] ? n->uplink : "none");
	strbuf_addf(out, "  %-9s  %u\n", "MTU", n->mtu);
	strbuf_addf(out, "  %-9s  %u\n", "guests", n->guests);
	strbuf_addf(out, "  %-9s  %u\n", "forwards", n->forwards);
	if (f->nports) {
		strbuf_addc(out, '\n');
		render_ports(out, f, v);
	}
	if (f->nforwards) {
		strbuf_addc(out, '\n');
		render_forwards(out, f, v);
	}
}

void
render_event(struct strbuf *out, const struct msg_event_row *e, const char *local)
{
	char net[16] = "-";

	if (e->net != MSG_NET_ALL)
		snprintf(net, sizeof(net), "vmnet%u", e->net);
	strbuf_addf(out, "%s  %-8s  %-16s  ", local, net, e->what);
	ctl_text_clean(out, e->text, false);
	strbuf_addc(out, '\n');
}

void
render_net_fact(struct strbuf *out, const struct msg_net_row *n)
{
	strbuf_addf(out, "vmnet%u %s", n->net, net_kind_name((enum net_kind)n->kind));
	if (n->len)
		strbuf_addf(out, " %s/%u", IP4_STR(n->subnet), n->len);
	if (n->state == NET_STATE_FAILED || n->state == NET_STATE_DEGRADED) {
		strbuf_add(out, ", ");
		add_state(out, n);
	}
	strbuf_addc(out, '\n');
}
