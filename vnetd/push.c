/* SPDX-License-Identifier: GPL-2.0-or-later
 * push.c - struct conf -> rows for dhcpd and natd.
 */
#include "vnetd/push.h"

#include <assert.h>
#include <string.h>

#include "lib/util.h"
#include "natd/dns.h"
#include "vnetd/core.h"

/* BOOTP's file name and server name travel as the options that may replace them (RFC 2132 9.4, 9.5). */
enum { OPT_SERVER_NAME = 66, OPT_FILE_NAME = 67, HOST_ALL = 0xffff };

struct push {
	struct core *c;
	enum role to;
	bool without_renewed; /* leave out networks whose bridge was made anew */
};

static void
send_row(const struct push *p, const struct msg *m)
{
	p->c->io->row_to_worker(p->c->io_arg, p->to, m);
}

static void
send_word(const struct push *p, const struct msg *m)
{
	p->c->io->to_worker(p->c->io_arg, p->to, m);
}

/* Its links are there. */
static bool
is_for_workers(const struct net *n)
{
	return n->conf && !n->conf->failed && !n->blocked && n->runs;
}

/* --- dhcpd --- */

static void
send_option(const struct push *p, unsigned net, uint16_t host, uint8_t code, const void *data,
	    size_t len)
{
	struct msg m = msg_make(MSG_DHCP_OPTION, 0);
	struct msg_dhcp_option *o = &m.u.dhcp_option;
	const uint8_t *b = data;

	o->net = (uint16_t)net;
	o->host = host;
	o->code = code;
	/* An empty value is a row too: it suppresses the option. */
	do {
		o->data.len = (uint16_t)(len < sizeof(o->data.b) ? len : sizeof(o->data.b));
		if (o->data.len)
			memcpy(o->data.b, b, o->data.len);
		send_row(p, &m);
		b += o->data.len;
		len -= o->data.len;
	} while (len > 0);
}

/* An inner scope's value replaces the outer one's. */
static void
send_opts(const struct push *p, unsigned net, uint16_t host, const struct dhcp_opts *opts,
	  const struct dhcp_opts *inner)
{
	for (size_t i = 0; i < opts->n; i++)
		if (!inner || !dhcp_opts_find(inner, opts->v[i].code))
			send_option(p, net, host, opts->v[i].code, opts->v[i].data, opts->v[i].len);
}

static void
send_boot(const struct push *p, unsigned net, uint16_t host, const struct dhcp_scope *s,
	  const struct dhcp_scope *outer)
{
	const char *file = s->filename, *server = s->server_name;

	if (!file && outer)
		file = outer->filename;
	if (!server && outer)
		server = outer->server_name;
	if (server && !dhcp_opts_find(&s->opts, OPT_SERVER_NAME))
		send_option(p, net, host, OPT_SERVER_NAME, server, strlen(server));
	if (file && !dhcp_opts_find(&s->opts, OPT_FILE_NAME))
		send_option(p, net, host, OPT_FILE_NAME, file, strlen(file));
}

static enum conf_tri
first_set(enum conf_tri inner, enum conf_tri outer)
{
	return inner != CONF_UNSET ? inner : outer;
}

static enum conf_tri
booting_of(const struct conf_dhcp *d)
{
	return first_set(d->subnet.booting, d->global.booting);
}

static void
send_host(const struct push *p, unsigned net, uint16_t index, const struct conf_dhcp *d,
	  const struct dhcp_host *h)
{
	struct msg m = msg_make(MSG_DHCP_HOST, 0);

	m.u.dhcp_host.net = (uint16_t)net;
	m.u.dhcp_host.index = index;
	m.u.dhcp_host.mac = h->mac;
	m.u.dhcp_host.addr = h->ip;
	MSG_SET_STR(m.u.dhcp_host.name, h->name ? h->name : "");
	m.u.dhcp_host.default_lease_s = h->scope.default_lease_s;
	m.u.dhcp_host.max_lease_s = h->scope.max_lease_s;
	m.u.dhcp_host.min_lease_s = h->scope.min_lease_s;
	m.u.dhcp_host.next_server = h->scope.next_server;
	m.u.dhcp_host.booting = first_set(h->scope.booting, booting_of(d)) != CONF_NO;
	m.u.dhcp_host.bootp =
	    first_set(h->scope.bootp, first_set(d->subnet.bootp, d->global.bootp)) == CONF_YES;
	send_row(p, &m);
	send_opts(p, net, index, &h->scope.opts, NULL);
	send_boot(p, net, index, &h->scope, NULL);
}

static void
send_dhcp_net(const struct push *p, const struct conf_net *n)
{
	const struct conf_dhcp *d = &n->dhcpd;
	struct msg m = msg_make(MSG_DHCP_NET, 0);

	m.u.dhcp_net = (struct msg_dhcp_net){
	    .net = (uint16_t)n->n,
	    .subnet = n->subnet.addr,
	    .len = n->subnet.len,
	    .server = d->server,
	    .host = n->host,
	    .gateway = n->gateway,
	    .mtu = n->mtu,
	    .default_lease_s = d->default_lease_s,
	    .max_lease_s = d->max_lease_s,
	    .min_lease_s = d->min_lease_s,
	    .next_server = d->subnet.next_server.h ? d->subnet.next_server : d->global.next_server,
	    .unknown_clients = d->unknown_clients,
	    .authoritative = d->authoritative,
	    .booting = booting_of(d) != CONF_NO,
	    .ping_check = d->ping_check,
	    .ping_timeout_s = (uint16_t)d->ping_timeout_s,
	};
	send_row(p, &m);
	for (size_t i = 0; i < d->nranges; i++) {
		m = msg_make(MSG_DHCP_RANGE, 0);
		m.u.dhcp_range.net = (uint16_t)n->n;
		m.u.dhcp_range.first = d->range[i].lo;
		m.u.dhcp_range.last = d->range[i].hi;
		m.u.dhcp_range.known = d->range[i].unknown_clients == CONF_NO;
		send_row(p, &m);
	}
	send_opts(p, n->n, HOST_ALL, &d->global.opts, &d->subnet.opts);
	send_opts(p, n->n, HOST_ALL, &d->subnet.opts, NULL);
	send_boot(p, n->n, HOST_ALL, &d->subnet, &d->global);
	for (size_t i = 0; i < d->nhosts && i < HOST_ALL; i++)
		send_host(p, n->n, (uint16_t)i, d, &d->host[i]);
}

/* --- natd --- */

/* nat.conf's [dns]. A timeout of 0 seconds would be no time at all. */
static void
send_natd_dns(const struct push *p, const struct conf_net *n)
{
	static const uint8_t policy[] = {[NAT_DNS_ORDER] = DNS_ORDER,
					 [NAT_DNS_ROTATE] = DNS_ROTATE,
					 [NAT_DNS_BURST] = DNS_BURST};
	const struct nat_file *f = &n->natconf;
	struct msg m = msg_make(MSG_NATD_DNS, 0);

	m.u.natd_dns = (struct msg_natd_dns){
	    .net = (uint16_t)n->n,
	    .policy = policy[f->dns_policy],
	    .timeout_ms = f->dns_timeout_s ? f->dns_timeout_s * 1000 : DNS_TIMEOUT_MS,
	    .tries = f->dns_retries,
	    .host_servers = f->dns_autodetect,
	    .rebind = n->rebind_protection,
	};
	static_assert(sizeof(m.u.natd_dns.private_domains) > CONF_DOMAINS_MAX, "all of them fit");
	MSG_SET_STR(m.u.natd_dns.private_domains, n->private_domains);
	send_row(p, &m);
	for (size_t i = 0; i < NAT_NAMESERVERS && f->nameserver[i].h; i++) {
		m = msg_make(MSG_NATD_RESOLVER, 0);
		m.u.natd_resolver.net = (uint16_t)n->n;
		m.u.natd_resolver.addr = f->nameserver[i];
		send_row(p, &m);
	}
}

static_assert(2 * NAT_PRIV_PORTS <= NAT_LOW_LEN, "the ports of nat.conf fit a message");

/* Ports as two bytes each. */
static uint16_t
put_ports(uint8_t *at, const struct nat_privileged *v)
{
	for (size_t i = 0; i < v->nports; i++) {
		at[2 * i] = (uint8_t)(v->port[i] >> 8);
		at[2 * i + 1] = (uint8_t)v->port[i];
	}
	return (uint16_t)(2 * v->nports);
}

static void
put_way(struct msg_natd_net *m, const struct conf_net *n)
{
	const struct nat_file *f = &n->natconf;

	m->snat = n->snat;
	m->snat_lo = n->snat_lo;
	m->snat_hi = n->snat_hi;
	MSG_SET_STR(m->egress, n->egress ? n->egress : "");
	m->tcp_time_wait_s = f->tcp_time_wait_s;
	m->ftp = f->active_ftp;
	m->vmware_only = !f->allow_any_oui;
	m->open_gateway = !f->reset_on_dest_localhost;
	m->reset_lost = f->reset_on_link_down;
	m->low_tcp.len = put_ports(m->low_tcp.b, &f->priv[CONF_TCP]);
	m->low_udp.len = put_ports(m->low_udp.b, &f->priv[CONF_UDP]);
}

static void
send_natd_net(const struct push *p, const struct conf_net *n)
{
	struct msg m = msg_make(MSG_NATD_NET, 0);

	m.u.natd_net = (struct msg_natd_net){
	    .net = (uint16_t)n->n,
	    .subnet = n->subnet.addr,
	    .len = n->subnet.len,
	    .host = n->host,
	    .gateway = n->gateway,
	    .dns = n->dns,
	    .adapter = n->adapter,
	    .nat = n->nat,
	    .udp_timeout_s = n->udp_timeout_s,
	    .routes.len = sizeof(n->route),
	};
	memcpy(m.u.natd_net.routes.b, n->route, sizeof(n->route));
	if (n->nat)
		put_way(&m.u.natd_net, n);
	send_row(p, &m);
	m = msg_make(MSG_NATD_FORWARD, 0);
	for (size_t i = 0; i < n->nforwards; i++) {
		const struct conf_forward *f = &n->forward[i];

		m.u.natd_forward = (struct msg_natd_forward){
		    .net = (uint16_t)n->n,
		    .proto = f->proto == CONF_TCP ? PROTO_TCP : PROTO_UDP,
		    .port = f->host_port,
		    .guest = f->guest,
		    .guest_port = f->guest_port,
		    .shadow = f->shadow,
		    .host = f->host,
		    .more = f->more,
		};
		send_row(p, &m);
	}
	if (n->nat)
		send_natd_dns(p, n);
}

/* What a redirection takes from another port of its own address. */
static void
send_captures(const struct push *p)
{
	unsigned n = 0;

	for (const struct redirection *r = p->c->redirects.head; r; r = r->next) {
		struct msg m = msg_make(MSG_NATD_CAPTURE, 0);

		if (!r->conf->capture_port || ++n > NAT_CAPTURES_MAX)
			continue;
		m.u.natd_capture.addr.len = sizeof(r->conf->bind.ip.b);
		memcpy(m.u.natd_capture.addr.b, r->conf->bind.ip.b, sizeof(r->conf->bind.ip.b));
		m.u.natd_capture.port = r->conf->capture_port;
		m.u.natd_capture.to_port = r->conf->port;
		send_row(p, &m);
	}
}

/* Networks without an address have nothing to be translated or isolated; rules of others may drop
 * what their guests send each other all the same. */
static void
add_bridges(const struct push *p, uint8_t bits[NAT_ROUTES_LEN])
{
	for (unsigned i = 0; i < NAMES_NETS; i++) {
		const struct net *n = &p->c->net[i];

		if (is_for_workers(n) && !(p->without_renewed && n->renewed) &&
		    n->conf->subnet.len == 0)
			msg_nets_add(bits, i);
	}
}

/* --- a generation --- */

static void
send_generation(const struct push *p, uint32_t generation)
{
	struct core *c = p->c;
	struct msg m = msg_make(MSG_CONF_BEGIN, 0);

	c->worker[p->to].changed = false;
	m.u.conf_begin.generation = generation;
	send_word(p, &m);
	if (p->to == ROLE_NATD) {
		m = msg_make(MSG_NATD_GLOBAL, 0);
		/* A host that was a router before us stays one; as long as ip_forward is none of our
		 * doing, nothing is known about that. */
		m.u.natd_global.forward_others =
		    !c->forward_known || c->was_router || (c->gen && c->gen->conf->forward_others);
		m.u.natd_global.hold_ports = (uint16_t)(c->gen ? c->gen->conf->hold_ports : 0);
		m.u.natd_global.foreign_allow = c->gen && c->gen->conf->foreign_allow;
		m.u.natd_global.flowtable = c->gen && c->gen->conf->flowtable;
		m.u.natd_global.bridges.len = NAT_ROUTES_LEN;
		add_bridges(p, m.u.natd_global.bridges.b);
		send_row(p, &m);
		send_captures(p);
	}
	for (unsigned i = 0; i < NAMES_NETS; i++) {
		const struct net *n = &c->net[i];

		if (!is_for_workers(n) || (p->without_renewed && n->renewed))
			continue;
		if (p->to == ROLE_DHCPD && n->conf->dhcp)
			send_dhcp_net(p, n->conf);
		if (p->to == ROLE_NATD && n->conf->subnet.len > 0)
			send_natd_net(p, n->conf);
	}
	m = msg_make(MSG_CONF_COMMIT, 0);
	m.u.conf_commit.generation = generation;
	send_word(p, &m);
}

static bool
any_renewed(const struct core *c)
{
	for (unsigned n = 0; n < NAMES_NETS; n++)
		if (c->net[n].renewed)
			return true;
	return false;
}

void
push_worker(struct core *c, enum role role)
{
	struct worker *w = &c->worker[role];
	struct push p = {.c = c, .to = role};

	if (role == ROLE_ENGINE || role == ROLE_REDIRD || !w->up || !c->settle.first_done)
		return;
	if (any_renewed(c)) {
		p.without_renewed = true;
		send_generation(&p, ++w->generation);
		p.without_renewed = false;
	}
	send_generation(&p, ++w->generation);
}

void
push_forward(struct core *c, unsigned net, const struct conf_forward *f, bool gone)
{
	struct worker *w = &c->worker[ROLE_NATD];
	struct msg m = msg_make(MSG_NATD_CHANGE, 0);

	if (!worker_is_ready(w) || !c->net[net].pushed) {
		push_worker(c, ROLE_NATD);
		return;
	}
	w->changed = true;
	m.u.natd_change = (struct msg_natd_change){
	    .base = w->generation,
	    .generation = w->generation + 1,
	    .gone = gone,
	    .net = (uint16_t)net,
	    .proto = f->proto == CONF_TCP ? PROTO_TCP : PROTO_UDP,
	    .port = f->host_port,
	    .guest = f->guest,
	    .guest_port = f->guest_port,
	};
	w->generation++;
	c->io->to_worker(c->io_arg, ROLE_NATD, &m);
}

void
push_all(struct core *c)
{
	for (unsigned r = 0; r < ROLE_N; r++)
		push_worker(c, (enum role)r);
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		c->net[n].renewed = false;
		c->net[n].pushed = is_for_workers(&c->net[n]);
	}
}

bool
push_is_due(const struct core *c)
{
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		const struct net *net = &c->net[n];

		if (is_for_workers(net) != net->pushed || (net->pushed && net->renewed))
			return true;
	}
	return false;
}
