/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nat.c - natd's verbs: typed rows in, one nf_tables transaction out. Runs in priv.
 *
 * The table itself is priv_nft.c's; here is what a message means. Rows have no REPLY, so whatever is wrong
 * with one makes the commit fail.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/util.h"
#include "vnetd/priv.h"
#include "vnetd/priv_nft.h"

int
priv_nat_begin(struct priv *p, struct call *c)
{
	p->nat_refused = NULL;
	p->nat_changing = false;
	p->nat_named = p->nat_next = (struct netset){0};
	p->nat_next_guards = !c->m->u.nat_begin.forward_others;
	return priv_nft_begin(p->nft, &c->m->u.nat_begin);
}

int
priv_nat_change(struct priv *p, struct call *c UNUSED)
{
	p->nat_refused = NULL;
	p->nat_changing = true;
	return priv_nft_change(p->nft);
}

int
priv_nat_forward_gone(struct priv *p, struct call *c)
{
	return priv_nft_forward_gone(p->nft, &c->m->u.nat_forward_gone);
}

int
priv_nat_net(struct priv *p, struct call *c)
{
	const struct msg_nat_net *m = &c->m->u.nat_net;

	p->nat_named.has[m->net] = true;
	p->nat_next.has[m->net] = m->nat;
	return priv_nft_net(p->nft, m);
}

int
priv_nat_forward(struct priv *p, struct call *c)
{
	return priv_nft_forward(p->nft, &c->m->u.nat_forward);
}

int
priv_nat_capture(struct priv *p, struct call *c)
{
	return priv_nft_capture(p->nft, &c->m->u.nat_capture);
}

/* Those that lost their bridge meanwhile have no sysctl either. */
static void
set_localnet(struct priv *p, const struct netset *nets)
{
	for (unsigned net = 0; net < NAMES_NETS; net++)
		if (nets->has[net])
			priv_sysctl_localnet(p, net);
}

/* A guest must never find route_localnet on and the table without the rules that make up for it: it goes
 * off before the change and on after it. */
int
priv_nat_commit(struct priv *p, struct call *c)
{
	const struct netset before = p->nat_nets;
	struct netset off = before;
	int r;

	if (p->nat_refused)
		return fail(c, -EPERM, "a row of the NAT plan was refused: %s", p->nat_refused);
	if (p->nat_changing)
		return priv_nft_commit(p->nft, c->text, sizeof(c->text));
	for (unsigned net = 0; net < NAMES_NETS; net++) {
		p->nat_nets.has[net] &= p->nat_next.has[net];
		off.has[net] &= !p->nat_next.has[net];
	}
	set_localnet(p, &off);
	r = priv_nft_commit(p->nft, c->text, sizeof(c->text));
	if (r < 0) {
		p->nat_nets = before;
		set_localnet(p, &off);
		return r;
	}
	p->nat_nets = p->nat_next;
	p->nat_guards = p->nat_next_guards;
	set_localnet(p, &p->nat_named);
	priv_ip_forward_now(p);
	priv_sysctl_accounting(p);
	return 0;
}

int
priv_flow_dev(struct priv *p, struct call *c)
{
	const struct msg_flow_dev *m = &c->m->u.flow_dev;
	int r = priv_nft_flow_dev(p->nft, m->ifname, m->gone);

	return r < 0 ? fail_errno(c, r, "the flowtable cannot look at %s", m->ifname) : 0;
}

int
priv_nat_flush_forward(struct priv *p, struct call *c)
{
	return priv_nft_flush_forward(p->nft, &c->m->u.nat_flush_forward);
}

int
priv_nat_flush(struct priv *p, struct call *c)
{
	int r = priv_nft_flush(p->nft);

	return r < 0 ? fail_errno(c, r, "cannot forget the connections of forwards") : 0;
}

/* Rows of one answer. */
struct conns {
	struct call *c;
	size_t n;
};

static void
send_conn(const struct msg_conn_row *row, void *arg)
{
	struct conns *x = arg;
	struct msg m = msg_make(MSG_CONN_ROW, x->c->m->id);

	if (x->n++ >= CONNS_MAX)
		return;
	m.u.conn_row = *row;
	chan_send(x->c->from, &m, NULL, 0);
}

int
priv_conn_list(struct priv *p, struct call *c)
{
	struct conns x = {.c = c};
	int r = priv_nft_conns(p->nft, c->m->u.conn_list.net, send_conn, &x);

	if (r < 0)
		return fail_errno(c, r, "cannot read the table of connections");
	if (x.n > CONNS_MAX)
		snprintf(c->text, sizeof(c->text), "%zu more connections are not shown",
			 x.n - CONNS_MAX);
	return 0;
}

int
priv_nft_watch_open(struct priv *p, struct call *c)
{
	int fd = priv_nft_watch(p->nft);

	if (fd < 0)
		return fail_errno(c, fd, "cannot watch for changes of other rule sets");
	give(c, fd);
	return 0;
}

static void
send_row(const struct msg_firewall_row *row, void *arg)
{
	struct call *c = arg;
	struct msg m = msg_make(MSG_FIREWALL_ROW, c->m->id);

	m.u.firewall_row = *row;
	chan_send(c->from, &m, NULL, 0);
}

int
priv_firewall_scan(struct priv *p, struct call *c)
{
	int r = priv_nft_scan(p->nft, c->m->u.firewall_scan.bridges.b, send_row, c);

	return r < 0 ? fail_errno(c, r, "cannot read the host's rule sets") : 0;
}

int
priv_foreign_allow(struct priv *p, struct call *c)
{
	bool changed;
	int r = priv_nft_foreign(p->nft, &c->m->u.foreign_allow, &changed);

	if (r < 0)
		return fail_errno(
		    c, r, "cannot add rules to chain %s of iptables",
		    priv_nft_foreign_chain((enum foreign_place)c->m->u.foreign_allow.place));
	snprintf(c->text, sizeof(c->text), "%s", changed ? "changed" : "");
	return 0;
}
