/* SPDX-License-Identifier: GPL-2.0-or-later
 * confbuild_fuzz.c - all files together: the model keeps its promises, changes keep the model.
 *
 * The input is the golden cases' own format: "==== FILE" lines between the texts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/change.h"
#include "conf/vnetdconf.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct conf_file *
file_named(struct conf_sources *s, const char *name, size_t len)
{
	static const struct {
		const char *name;
		size_t off;
	} files[] = {
	    {"networking", offsetof(struct conf_sources, networking)},
	    {"netmap.conf", offsetof(struct conf_sources, netmap)},
	    {"vnetd.conf", offsetof(struct conf_sources, vnetd)},
	    {"vmnet8/dhcpd/dhcpd.conf", offsetof(struct conf_sources, dhcpd[8])},
	    {"vmnet8/nat/nat.conf", offsetof(struct conf_sources, nat[8])},
	    {"vmnet9/dhcpd/dhcpd.conf", offsetof(struct conf_sources, dhcpd[9])},
	    {"vmnet9/nat/nat.conf", offsetof(struct conf_sources, nat[9])},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (strlen(files[i].name) == len && memcmp(files[i].name, name, len) == 0)
			return (struct conf_file *)((char *)s + files[i].off);
	}
	return NULL;
}

static void
split(struct conf_sources *s, const char *text, size_t len)
{
	const char *end = text + len;

	while (end - text > 5 && memcmp(text, "==== ", 5) == 0) {
		const char *nl = memchr(text, '\n', (size_t)(end - text)), *next;
		struct conf_file *f;

		if (!nl)
			return;
		f = file_named(s, text + 5, (size_t)(nl - text) - 5);
		nl++;
		next = memmem(nl, (size_t)(end - nl), "\n==== ", 6);
		next = next ? next + 1 : end;
		if (f)
			*f = (struct conf_file){nl, (size_t)(next - nl)};
		text = next;
	}
}

/* What conf.h says of every network that did not fail. */
static void
check_net(const struct conf_net *n)
{
	if (!n->display_name || (n->failed && !n->reason))
		abort();
	if (n->failed)
		return;
	if ((n->adapter || n->nat || n->dhcp) && n->subnet.len == 0)
		abort();
	if (n->adapter && !prefix4_contains(n->subnet, n->host))
		abort();
	if (n->nat && !prefix4_contains(n->subnet, n->gateway))
		abort();
	if (n->mtu < CONF_MTU_MIN || n->mtu > CONF_MTU_MAX)
		abort();
	for (size_t i = 0; i < n->nforwards; i++) {
		if (conf_net_owns(n, n->forward[i].guest) || !n->nat)
			abort();
	}
	for (size_t i = 0; n->dhcp && i < n->dhcpd.nranges; i++) {
		const struct dhcp_range *r = &n->dhcpd.range[i];

		if (r->lo.h > r->hi.h || !prefix4_contains(n->subnet, r->lo) ||
		    !prefix4_contains(n->subnet, r->hi) || conf_net_owns(n, r->lo) ||
		    conf_net_owns(n, r->hi) || (i && r->lo.h <= r[-1].hi.h))
			abort();
	}
	for (size_t i = 0; n->dhcp && i < n->dhcpd.nhosts; i++) {
		if (n->dhcpd.host[i].ip.h && (conf_net_owns(n, n->dhcpd.host[i].ip) ||
					      !prefix4_contains(n->subnet, n->dhcpd.host[i].ip)))
			abort();
	}
}

static struct conf *
build(const struct conf_sources *s)
{
	struct diags d;
	struct conf *c;

	diags_init(&d);
	c = conf_build(s, &d);
	if (!c)
		abort();
	for (unsigned n = 0; n < CONF_NETS; n++) {
		if (c->net[n].present)
			check_net(&c->net[n]);
	}
	diags_fini(&d);
	return c;
}

/* Renewing what is derived changes nothing that counts, and once is enough. */
static void
check_refresh(struct conf_sources *s, const struct conf *c)
{
	struct conf_env env = {.written_at = "11/20/2026 12:00:00"};
	struct conf_changes one, two;
	struct conf_diff diff;
	struct conf *after;

	conf_changes_init(&one);
	conf_changes_init(&two);
	if (!conf_refresh(&one, s, c, &env))
		abort();
	conf_changes_apply(s, &one);
	after = build(s);
	conf_diff(c, after, &diff);
	for (size_t i = 0; i < diff.nnets; i++) {
		/* nat.conf gets the addresses that were used already: settings, not facts. */
		if (diff.net[i].kind != CONF_NET_CHANGED || (diff.net[i].fields & ~CONF_F_NAT))
			abort();
	}
	if (!conf_refresh(&two, s, after, &env) || two.n != 0)
		abort();
	conf_free(after);
	conf_changes_fini(&two);
	conf_changes_fini(&one);
}

/* Numbers that the engine hands on without looking. */
static void
check_gate(const struct conf_gate *g)
{
	if (g->promiscuous < -1 || g->promiscuous > CONF_PROMISC_DENY || g->forged < -1 ||
	    g->forged > 1 || g->mac_learning < -1 || g->mac_learning > GATE_LEARN_MAX ||
	    g->ip_guard < -1 || g->ip_guard > 1 || g->flood < -1 || g->flood > GATE_FLOOD_MAX ||
	    g->dhcp_leases < -1 || g->dhcp_leases > GATE_DHCP_LEASES_MAX || g->dhcp_rate < -1 ||
	    g->dhcp_rate > GATE_DHCP_RATE_MAX)
		abort();
}

static void
check_port(const struct conf_port *p)
{
	check_gate(&p->gate);
	if (p->name ? !*p->name : p->tap || !conf_mac_ok(p->key))
		abort();
	if (p->tap && (!conf_ifname_ok(p->name) || p->net < 0))
		abort();
	if (p->mac_policy < -1 || p->mac_policy >= MAC_POLICY_LEARN || p->queues < 1 ||
	    p->queues > CONF_QUEUES_MAX)
		abort();
	if (mac_is_zero(p->mac) ? p->mac_policy == MAC_POLICY_GIVEN
				: p->mac_policy < 0 || !conf_mac_ok(p->mac))
		abort();
	if (p->rate_in_kbit < -1 || p->rate_in_kbit > UINT32_MAX || p->rate_out_kbit < -1 ||
	    p->rate_out_kbit > UINT32_MAX)
		abort();
}

/* The effective configuration is a vnetd.conf without mistakes, and says what the one that was read
 * says. */
static void
check_effective(const struct conf_sources *s, const struct conf *c)
{
	struct conf_sources now = *s;
	struct strbuf out;
	struct conf_diff diff;
	struct conf *after;

	strbuf_init(&out);
	vnetdconf_print_effective(&out, c);
	now.vnetd = (struct conf_file){strbuf_str(&out), out.len};
	after = build(&now);
	if (after->fatal)
		abort();
	conf_diff(c, after, &diff);
	if (diff.nnets || diff.global || diff.ports)
		abort();
	conf_free(after);
	strbuf_fini(&out);
}

static void
check_create(const struct conf_sources *s, const struct conf *c)
{
	struct conf_env env = {.random = 1};
	struct conf_sources now = *s;
	struct conf_changes ch;
	struct diags d;
	struct conf *after;

	conf_changes_init(&ch);
	diags_init(&d);
	if (conf_create_net(&ch, s, 77, NET_NAT, (struct prefix4){0}, &env, &d)) {
		conf_changes_apply(&now, &ch);
		after = build(&now);
		if (!after->net[77].present || after->net[77].failed || !after->net[77].nat)
			abort();
		for (unsigned n = 0; n < CONF_NETS; n++) {
			if (n != 77 && c->net[n].present != after->net[n].present)
				abort();
		}
		conf_free(after);
	}
	conf_changes_fini(&ch);
	diags_fini(&d);
}

static void
check_reserve(const struct conf_sources *s)
{
	static const struct mac mac = {{0, 0x0c, 0x29, 1, 2, 3}};
	struct conf_sources now = *s;
	struct conf_changes ch;
	struct diags d;
	struct conf *after;
	bool found = false;

	conf_changes_init(&ch);
	diags_init(&d);
	if (conf_add_reservation(&ch, s, 8, mac, (struct ip4){0xac10cc40}, "fuzz", true, &d)) {
		conf_changes_apply(&now, &ch);
		after = build(&now);
		for (size_t i = 0; i < after->net[8].dhcpd.nhosts; i++)
			found |= mac_eq(after->net[8].dhcpd.host[i].mac, mac) &&
				 after->net[8].dhcpd.host[i].ip.h == 0xac10cc40 &&
				 after->net[8].dhcpd.host[i].static_arp;
		if (!found)
			abort();
		conf_free(after);
	}
	conf_changes_fini(&ch);
	diags_fini(&d);
}

static void
check_delete(const struct conf_sources *s)
{
	struct conf_sources now = *s;
	struct conf_changes ch;
	struct diags d;
	struct conf *after;

	conf_changes_init(&ch);
	diags_init(&d);
	if (conf_delete_net(&ch, s, 8, &d)) {
		conf_changes_apply(&now, &ch);
		after = build(&now);
		if (after->net[8].present)
			abort();
		conf_free(after);
	}
	conf_changes_fini(&ch);
	diags_fini(&d);
}

/* One of the slow checks, by what the input is. */
static void
check_one(struct conf_sources *s, const struct conf *c, const uint8_t *data, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += data[i];
	switch (sum % 5) {
	case 0:
		check_effective(s, c);
		break;
	case 1:
		check_create(s, c);
		break;
	case 2:
		check_reserve(s);
		break;
	case 3:
		check_delete(s);
		break;
	default:
		check_refresh(s, c);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct conf_sources s = {0};
	struct conf *c;

	split(&s, (const char *)data, len);
	c = build(&s);
	for (unsigned n = 0; n < CONF_NETS; n++)
		check_gate(&c->net[n].gate);
	for (size_t i = 0; i < c->nports; i++)
		check_port(&c->port[i]);
	if (!c->fatal && !c->default_conf_needed)
		check_one(&s, c, data, len);
	conf_free(c);
	return 0;
}
