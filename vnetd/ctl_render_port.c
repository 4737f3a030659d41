/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_render_port.c - ports, their policy and promiscuous mode, for people. Pure.
 */
#include "vnetd/ctl_render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"
#include "lib/wire.h"
#include "vnetd/ctl_table.h"
#include "vnetd/ctl_text.h"

bool
port_drops(uint64_t drops[DROP_REASON_N], uint64_t *total, const struct msg_port_row *p)
{
	struct rd r = rd_init(p->drops.b, p->drops.len);

	*total = 0;
	for (unsigned i = 0; i < DROP_REASON_N; i++) {
		drops[i] = rd_left(&r) >= 8 ? rd_be64(&r) : 0;
		*total += drops[i];
	}
	return p->drops.len > 0;
}

/* The reason of most of them. */
static enum drop_reason
leading(const uint64_t drops[DROP_REASON_N])
{
	unsigned most = 0;

	for (unsigned i = 1; i < DROP_REASON_N; i++) {
		if (drops[i] > drops[most])
			most = i;
	}
	return (enum drop_reason)most;
}

/* "0", "12 forged", "15, mostly forged". */
static void
add_dropped(struct table *t, const struct msg_port_row *p)
{
	uint64_t drops[DROP_REASON_N], total;
	enum drop_reason first;

	if (!port_drops(drops, &total, p)) {
		table_add(t, "");
		return;
	}
	first = leading(drops);
	if (total == 0)
		table_add(t, "0");
	else
		table_addf(t, "%" PRIu64 "%s %s", total, drops[first] == total ? "" : ", mostly",
			   drop_reason_name(first));
}

static enum tint
promisc_tint(unsigned state)
{
	return state == PROMISC_PENDING || state == PROMISC_GRANTED ? TINT_WARN : TINT_NONE;
}

static void
add_owner(struct table *t, const struct msg_port_row *p)
{
	if (p->owner_name[0] || p->owner == MSG_UID_NONE)
		table_add(t, p->owner_name);
	else
		table_addf(t, "%u", p->owner);
}

/* What keeps a port from working: nothing, for most. That nobody is at the other end is no trouble. */
static void
add_trouble(struct strbuf *out, const struct msg_port_row *p, const struct view *v)
{
	if (p->link && !p->trouble[0])
		return;
	tint_add(out, TINT_WARN, v->colour, "!");
	strbuf_addc(out, ' ');
	ctl_text_clean(out, p->name, false);
	strbuf_add(out, p->up ? "" : " is down");
	if (p->trouble[0]) {
		strbuf_add(out, ": ");
		ctl_text_clean(out, p->trouble, false);
	} else {
		strbuf_add(out, ": it is unplugged (vnetctl port ");
		ctl_text_clean(out, p->name, false);
		strbuf_add(out, " set link up)");
	}
	strbuf_addc(out, '\n');
}

void
render_ports(struct strbuf *out, const struct facts *f, const struct view *v)
{
	static const char *const head[] = {"PORT",  "NETWORK", "GUEST",   "NAME",    "ADDRESS",
					   "OWNER", "POLICY",  "PROMISC", "DROPPED", NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < f->nports; i++) {
		const struct msg_port_row *p = &f->port[i];

		table_add_tinted(&t, p->up ? TINT_NONE : TINT_WARN, p->name);
		table_addf(&t, "vmnet%u", p->net);
		table_add(&t, mac_is_zero(p->mac) ? "" : MAC_STR(p->mac));
		table_add(&t, p->guest);
		table_add(&t, p->addr.h ? IP4_STR(p->addr) : "");
		add_owner(&t, p);
		table_add(&t, mac_policy_name((enum mac_policy)p->mac_policy));
		table_add_tinted(&t, promisc_tint(p->promisc),
				 promisc_state_name((enum promisc_state)p->promisc));
		add_dropped(&t, p);
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
	for (size_t i = 0; i < f->nports; i++)
		add_trouble(out, &f->port[i], v);
}

static void
line(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, "  %-20s  ", key);
	ctl_text_clean(out, value, false);
	strbuf_addc(out, '\n');
}

PRINTF_LIKE(3, 4) static void linef(struct strbuf *out, const char *key, const char *fmt, ...)
{
	struct strbuf b;
	va_list ap;

	strbuf_init(&b);
	va_start(ap, fmt);
	strbuf_vaddf(&b, fmt, ap);
	va_end(ap);
	line(out, key, strbuf_str(&b));
	strbuf_fini(&b);
}

static void
add_limit(struct strbuf *out, const char *key, uint32_t limit, const char *unit)
{
	if (limit)
		linef(out, key, "%u%s", limit, unit);
	else
		line(out, key, "unlimited");
}

/* "10 Mbit/s"; kilobits in the largest unit that needs no fraction. */
static void
add_rate(struct strbuf *out, const char *key, uint32_t kbit)
{
	if (kbit == 0)
		line(out, key, "none");
	else if (kbit % 1000000 == 0)
		linef(out, key, "%u Gbit/s", kbit / 1000000);
	else if (kbit % 1000 == 0)
		linef(out, key, "%u Mbit/s", kbit / 1000);
	else
		linef(out, key, "%u kbit/s", kbit);
}

static void
add_mac_policy(struct strbuf *out, const struct msg_port_row *p)
{
	const char *mac = mac_is_zero(p->mac) ? NULL : MAC_STR(p->mac);

	switch ((enum mac_policy)p->mac_policy) {
	case MAC_POLICY_ANY:
		line(out, "mac-policy", "any: every source address passes");
		break;
	case MAC_POLICY_GIVEN:
		linef(out, "mac-policy", "given: only %s", mac ? mac : "the one that it was told");
		break;
	case MAC_POLICY_STICKY:
		if (mac)
			linef(out, "mac-policy", "sticky: only %s, the first that it used", mac);
		else
			line(out, "mac-policy", "sticky: the first that it uses");
		break;
	case MAC_POLICY_LEARN:
		linef(out, "mac-policy", "learn: its own and up to %u others", p->learn);
		break;
	}
	if (p->mac_policy == MAC_POLICY_LEARN)
		linef(out, "mac-learning", "%u, %u in use", p->learn, p->learned);
}

static const char *
allow(bool yes)
{
	return yes ? "allow" : "deny";
}

/* The words of vnetd.conf, so that what is read here can be typed behind `set`. */
static void
add_policy(struct strbuf *out, const struct msg_port_row *p)
{
	add_mac_policy(out, p);
	line(out, "forged-transmits",
	     allow(p->flags & GATE_FORGED || p->mac_policy == MAC_POLICY_ANY));
	line(out, "dhcp-server", allow(!(p->flags & GATE_DHCP)));
	line(out, "ra", allow(!(p->flags & GATE_RA)));
	if (!(p->flags & GATE_IP))
		line(out, "ip-guard", "no");
	else
		linef(out, "ip-guard", "yes: only %s",
		      p->guard_ip.h ? IP4_STR(p->guard_ip)
				    : "the address of its lease, none so far");
	if (p->flood)
		linef(out, "broadcast-limit", "%u packets/s", p->flood);
	else
		line(out, "broadcast-limit", "none");
	add_limit(out, "dhcp-leases-per-port", p->dhcp_leases, "");
	add_limit(out, "dhcp-rate-per-port", p->dhcp_rate, " messages/s");
	add_rate(out, "rate-in", p->rate_in_kbit);
	add_rate(out, "rate-out", p->rate_out_kbit);
	line(out, "link", p->link ? "up" : "down");
	line(out, "mirror-of", p->mirror_of[0] ? p->mirror_of : "none");
}

static void
add_drops(struct strbuf *out, const struct msg_port_row *p)
{
	uint64_t drops[DROP_REASON_N], total;
	const char *sep = ": ";
	struct strbuf b;

	if (!port_drops(drops, &total, p))
		return;
	strbuf_init(&b);
	strbuf_addf(&b, "%" PRIu64, total);
	for (unsigned i = 0; i < DROP_REASON_N; i++) {
		if (drops[i] == 0)
			continue;
		strbuf_addf(&b, "%s%" PRIu64 " %s", sep, drops[i],
			    drop_reason_name((enum drop_reason)i));
		sep = ", ";
	}
	line(out, "dropped", strbuf_str(&b));
	strbuf_fini(&b);
}

/* "pending: why", "granted for 59 min: why". */
static void
add_promisc_state(struct strbuf *out, const struct msg_promisc_row *p, uint64_t now)
{
	strbuf_add(out, promisc_state_name((enum promisc_state)p->state));
	if (p->state == PROMISC_GRANTED && p->until > now)
		strbuf_addf(out, " for %s",
			    ctl_text_span(p->until - now, (char[TEXT_SPAN_LEN]){0}));
	if (p->marker[0])
		strbuf_addf(out, ": %s exists", p->marker);
	else if (p->text[0])
		strbuf_addf(out, ": %s", p->text);
}

static void
add_promisc(struct strbuf *out, const struct facts *f, const struct view *v)
{
	const struct msg_promisc_row *row = f->npromisc ? &f->promisc[0] : NULL;
	struct strbuf b;

	strbuf_init(&b);
	if (row)
		add_promisc_state(&b, row, v->now);
	else
		strbuf_add(&b, promisc_state_name((enum promisc_state)f->port[0].promisc));
	line(out, "promiscuous", strbuf_str(&b));
	strbuf_fini(&b);
	if (row && row->asked)
		linef(out, "asked", "%s, by %s",
		      ctl_text_when(row->asked, v->now, (char[TEXT_SPAN_LEN + 8]){0}),
		      promisc_by_name((enum promisc_by)row->by));
}

void
render_port(struct strbuf *out, const struct facts *f, const struct view *v)
{
	const struct msg_port_row *p = &f->port[0];

	ctl_text_clean(out, p->name, false);
	strbuf_addf(out, "  on vmnet%u, ", p->net);
	tint_add(out, p->up ? TINT_NONE : TINT_WARN, v->colour, p->up ? "up" : "down");
	strbuf_addc(out, '\n');
	add_trouble(out, p, v);
	linef(out, "interface", "%s, %s", p->ifname, port_kind_name((enum port_kind)p->kind));
	if (p->queues > 1)
		linef(out, "queues", "%u", p->queues);
	if (p->netns[0])
		line(out, "namespace", p->netns);
	if (p->owner_name[0])
		line(out, "owner", p->owner_name);
	else if (p->owner != MSG_UID_NONE)
		linef(out, "owner", "%u", p->owner);
	line(out, "guest", mac_is_zero(p->mac) ? "not seen yet" : MAC_STR(p->mac));
	if (p->guest[0])
		line(out, "name", p->guest);
	if (p->addr.h)
		line(out, "address", IP4_STR(p->addr));
	add_policy(out, p);
	add_promisc(out, f, v);
	add_drops(out, p);
}

/* "2min": a time as one word, since a column is one field for awk. */
static void
add_age(struct table *t, uint64_t when, uint64_t now)
{
	char span[TEXT_SPAN_LEN], *blank;

	if (when == 0) {
		table_add(t, "");
		return;
	}
	ctl_text_span(now > when ? now - when : 0, span);
	blank = strchr(span, ' ');
	if (blank)
		memmove(blank, blank + 1, strlen(blank));
	table_add(t, span);
}

void
render_promisc(struct strbuf *out, const struct facts *f, const struct view *v)
{
	static const char *const head[] = {"PORT", "NETWORK", "GUEST", "ASKED",
					   "BY",   "STATE",   NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < f->npromisc; i++) {
		const struct msg_promisc_row *p = &f->promisc[i];
		struct strbuf state;

		strbuf_init(&state);
		add_promisc_state(&state, p, v->now);
		table_add(&t, p->port);
		table_addf(&t, "vmnet%u", p->net);
		table_add(&t, p->guest[0] ? p->guest : mac_is_zero(p->mac) ? "" : MAC_STR(p->mac));
		add_age(&t, p->asked, v->now);
		table_add(&t, p->by == PROMISC_BY_NOBODY ? ""
							 : promisc_by_name((enum promisc_by)p->by));
		table_add_tinted(&t, promisc_tint(p->state), strbuf_str(&state));
		strbuf_fini(&state);
	}
	table_print(out, &t, v->colour);
	table_fini(&t);
}

void
render_promisc_hints(struct strbuf *out, const struct facts *f, const char *config_dir)
{
	const struct msg_promisc_row *p = NULL;

	for (size_t i = 0; i < f->npromisc && !p; i++) {
		if (f->promisc[i].state == PROMISC_PENDING)
			p = &f->promisc[i];
	}
	if (!p)
		return;
	strbuf_add(out, "Allow once:  vnetctl promisc allow ");
	ctl_text_clean(out, p->port, false);
	strbuf_addf(out,
		    " --for 1h\nAlways, for every guest:  sudo touch %s/promiscAuthorized   (lets "
		    "guests see and forge each other's traffic)\n",
		    config_dir);
}

void
render_promisc_fact(struct strbuf *out, const struct msg_promisc_row *p, const struct view *v)
{
	struct strbuf state;

	strbuf_init(&state);
	add_promisc_state(&state, p, v->now);
	ctl_text_clean(out, p->port, false);
	strbuf_add(out, ": promiscuous mode is ");
	if (p->state == PROMISC_NO)
		strbuf_add(out, "off");
	else
		ctl_text_clean(out, strbuf_str(&state), false);
	strbuf_addc(out, '\n');
	strbuf_fini(&state);
}

void
render_rx_filter(struct strbuf *out, const struct msg_rx_filter *r, const struct msg_promisc_row *p,
		 const struct view *v)
{
	struct strbuf state;

	ctl_text_clean(out, r->port, false);
	strbuf_addf(out, ": %s, ", mac_is_zero(r->mac) ? "no card" : MAC_STR(r->mac));
	if (r->allmulti)
		strbuf_add(out, "every multicast");
	else
		ctl_text_count(out, r->multicasts, "multicast group", "multicast groups");
	if (r->unicasts) {
		strbuf_add(out, ", ");
		ctl_text_count(out, r->unicasts, "further address", "further addresses");
	}
	strbuf_addf(out, ", promiscuous %s", r->promisc ? "on" : "off");
	if (r->promisc || p->state != PROMISC_NO) {
		strbuf_init(&state);
		add_promisc_state(&state, p, v->now);
		strbuf_add(out, " (");
		ctl_text_clean(out, strbuf_str(&state), false);
		strbuf_addc(out, ')');
		strbuf_fini(&state);
	}
	strbuf_addc(out, '\n');
}
