/* SPDX-License-Identifier: GPL-2.0-or-later
 * proxy.c - gets the DNS proxy its sockets and the host's resolvers, and follows their changes.
 *
 * The queries themselves are dnsio.c's. A socket that priv cannot open (port 53 is taken) is
 * asked for again now and then. resolv.conf is read after its watch has been renewed, so that no
 * change is missed.
 */
#include "natd/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/util.h"
#include "natd/dnsio.h"
#include "natd/dnsname.h"
#include "natd/dnsrows.h"
#include "natd/hostfile.h"

enum {
	RETRY_MS = 5000,
	RESOLV_SIZE_MAX = 64 * 1024,
	HOSTS_SIZE_MAX = 1024 * 1024,
};

struct proxy_net {
	struct proxy *p;
	uint16_t net;
	struct ip4 wanted; /* 0: no proxy here */
	struct ip4 have;   /* the socket's address, 0: none */
	struct ip4 asked;  /* being asked for, 0: nothing */
	struct dns_net_conf conf;
	char why[256]; /* why there is no socket */
};

struct proxy {
	struct natd *d;
	struct dnsio *io;
	struct proxy_net net[NATD_NETS];
	unsigned asking; /* sockets */
	struct loop_timer *retry;
	struct hostfile *resolv_conf, *hosts;
	struct resolv resolv;
	unsigned servers; /* of the host, that can be asked */
	char told[256];   /* which ones, as the log has them */
};

static void ask_socket(struct proxy_net *n);

/* -- reports -- */

static void
report(struct proxy *p, const struct proxy_net *n)
{
	if (!n->wanted.h)
		return;
	if (!n->have.h && n->why[0])
		natd_report(p->d, n->net, SERVICE_DNS, false, n->why, NULL);
	else if (!n->conf.host_servers && !n->conf.nservers)
		natd_report(
		    p->d, n->net, SERVICE_DNS, false,
		    "nat.conf names no server and forbids those of the host (autodetect = 0)",
		    NULL);
	else if (hostfile_was_read(p->resolv_conf) && !p->servers && !n->conf.nservers)
		natd_report(p->d, n->net, SERVICE_DNS, false,
			    "/etc/resolv.conf of this host names no server that can be asked",
			    NULL);
	else if (n->have.h)
		natd_report(p->d, n->net, SERVICE_DNS, true, NULL, NULL);
}

static void
report_all(struct proxy *p)
{
	for (unsigned i = 0; i < NATD_NETS; i++)
		report(p, &p->net[i]);
}

/* -- sockets -- */

static void
on_retry(void *arg)
{
	struct proxy *p = arg;

	for (unsigned i = 0; i < NATD_NETS; i++)
		if (p->net[i].wanted.h && !p->net[i].have.h && !p->net[i].asked.h)
			ask_socket(&p->net[i]);
}

static void
take_sockets(struct proxy_net *n, int *udp, int *tcp)
{
	int r = dnsio_set_net(n->p->io, n->net, udp, &n->conf);

	if (r == 0) {
		r = dnsio_set_tcp(n->p->io, n->net, tcp);
		if (r < 0)
			dnsio_drop_net(n->p->io, n->net);
	}
	if (r < 0) {
		msg_str(n->why, sizeof(n->why), strerror(-r));
		loop_timer_set(n->p->retry, mono_add(mono_now(), RETRY_MS));
		return;
	}
	n->have = n->wanted;
	n->why[0] = '\0';
}

static void
on_socket(void *arg, const struct msg_reply *r, int *fds, size_t nfds)
{
	struct proxy_net *n = arg;
	struct ip4 asked = n->asked;

	n->asked = (struct ip4){0};
	n->p->asking--;
	if (!ip4_eq(asked, n->wanted)) {
		if (n->wanted.h)
			ask_socket(n);
	} else if (r->err || nfds != 2) {
		msg_str(n->why, sizeof(n->why), r->text[0] ? r->text : strerror((int)r->err));
		loop_timer_set(n->p->retry, mono_add(mono_now(), RETRY_MS));
	} else {
		take_sockets(n, &fds[0], &fds[1]);
	}
	report(n->p, n);
	natd_progress(n->p->d);
}

static void
ask_socket(struct proxy_net *n)
{
	struct msg m = msg_make(MSG_SOCK_DNS, 0);

	m.u.sock_dns.net = n->net;
	m.u.sock_dns.addr = n->wanted;
	n->asked = n->wanted;
	n->p->asking++;
	natd_ask(n->p->d, &m, on_socket, NULL, n);
}

static void
drop_socket(struct proxy_net *n)
{
	dnsio_drop_net(n->p->io, n->net);
	n->have = (struct ip4){0};
}

/* Numbers that are out of range are the nearest that are not. */
static uint32_t
within(uint32_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static struct dns_net_conf
dns_conf(const struct natd_conf *c, uint16_t net)
{
	struct dns_net_conf out = {
	    .host_servers = true, .timeout_ms = DNS_TIMEOUT_MS, .tries = DNS_TRIES, .cache = true};

	for (size_t i = 0; i < c->ndns; i++) {
		const struct msg_natd_dns *dns = &c->dns[i];

		if (dns->net != net)
			continue;
		out.host_servers = dns->host_servers;
		if (dns->policy < DNS_POLICY_N)
			out.policy = (enum dns_policy)dns->policy;
		out.timeout_ms = within(dns->timeout_ms, 1, DNS_LIFE_MS);
		out.tries = within(dns->tries, 1, DNS_TRIES_MAX);
		out.rebind_protection = dns->rebind;
		static_assert(sizeof(out.private_domains) >= sizeof(dns->private_domains), "");
		memcpy(out.private_domains, dns->private_domains, sizeof(dns->private_domains));
	}
	for (size_t i = 0; i < c->nresolvers && out.nservers < DNS_SERVERS_MAX; i++)
		if (c->resolvers[i].net == net)
			out.server[out.nservers++] =
			    dns_addr_from_ip4(c->resolvers[i].addr, DNS_PORT);
	return out;
}

static void
apply_net(struct proxy_net *n, struct ip4 wanted, const struct dns_net_conf *conf)
{
	int keep = -1;

	n->wanted = wanted;
	if (n->have.h && !ip4_eq(n->have, wanted))
		drop_socket(n);
	if (!wanted.h)
		return;
	n->conf = *conf;
	if (n->have.h && dnsio_set_net(n->p->io, n->net, &keep, conf) < 0)
		drop_socket(n);
	/* While another address is being asked for, the reply sees to this one. */
	if (!n->have.h && !n->asked.h)
		ask_socket(n);
}

/* -- resolv.conf -- */

/* Tells in the log whom guests' names are asked of, when that is news. */
static void
log_servers(struct proxy *p, const struct resolv *r)
{
	char text[sizeof(p->told)] = "nobody", addr[INET6_ADDRSTRLEN];
	size_t len = 0;

	for (unsigned i = 0; i < r->n; i++) {
		const struct dns_addr *a = &r->server[i].addr;
		const char *scope = r->server[i].scope;

		if (dns_addr_is_ip4(a))
			ip4_str(dns_addr_ip4(a), addr);
		else
			inet_ntop(AF_INET6, a->ip, addr, sizeof(addr));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%s", i ? ", " : "",
					addr, scope[0] ? "%" : "", scope);
	}
	if (!strcmp(text, p->told))
		return;
	memcpy(p->told, text, sizeof(text));
	log_info("guests' names are asked of %s", text);
}

static void
use_resolv(struct proxy *p)
{
	struct ip4 own[NATD_NETS];
	size_t owned = 0, len;
	const char *text = hostfile_text(p->resolv_conf, &len);

	for (unsigned i = 0; i < NATD_NETS; i++)
		if (p->net[i].wanted.h)
			own[owned++] = p->net[i].wanted;
	resolv_parse(&p->resolv, text, len, own, owned);
	p->servers = dnsio_set_host_servers(p->io, &p->resolv);
	log_servers(p, &p->resolv);
	report_all(p);
}

static void
on_resolv_conf(void *arg)
{
	use_resolv(arg);
}

static void
on_hosts(void *arg)
{
	struct proxy *p = arg;
	size_t len;
	const char *text = hostfile_text(p->hosts, &len);

	dnsname_set_hosts(dnsio_names(p->io), text, len);
}

/* -- names -- */

void
proxy_take_name(struct proxy *p, const struct msg *m)
{
	struct dnsname *names = dnsio_names(p->io);

	if (m->type == MSG_GUEST_NAME)
		dnsname_set_guest(names, m->u.guest_name.net, m->u.guest_name.addr,
				  m->u.guest_name.name);
	else if (m->u.guest_names.begin)
		dnsname_begin(names);
	else
		dnsname_end(names);
}

const struct resolv *
proxy_resolv(const struct proxy *p)
{
	return &p->resolv;
}

void
proxy_forget_answers(struct proxy *p)
{
	dnsio_flush(p->io);
}

/* -- the answer to the engine -- */

static void
send_stats(const struct proxy *p, uint32_t id, unsigned net, const struct dns_stats *s)
{
	struct msg row = msg_make(MSG_DNS_STAT, id);

	row.u.dns_stat.net = (uint16_t)net;
	for (unsigned i = 0; dnsrows_stat(&row.u.dns_stat, s, i); i++)
		chan_send(p->d->engine, &row, NULL, 0);
}

static void
send_servers(const struct proxy *p, uint32_t id, unsigned net)
{
	struct msg row = msg_make(MSG_DNS_SERVER, id);
	struct mono now = mono_now();
	struct dns_server s;

	row.u.dns_server.net = (uint16_t)net;
	for (unsigned i = 0; dns_server_at(dnsio_dns(p->io), net, i, now, &s); i++) {
		dnsrows_server(&row.u.dns_server, &s);
		chan_send(p->d->engine, &row, NULL, 0);
	}
}

void
proxy_answer_stats(const struct proxy *p, uint32_t id, unsigned net)
{
	struct msg reply = msg_reply(id, 0, NULL);

	for (unsigned i = 0; i < NATD_NETS; i++) {
		const struct dns_stats *s = dns_stats_of(dnsio_dns(p->io), i);

		if (!s || (net != MSG_NET_ALL && net != i))
			continue;
		send_servers(p, id, i);
		send_stats(p, id, i, s);
	}
	if (net == MSG_NET_ALL)
		send_stats(p, id, MSG_NET_ALL, dns_stats_of(dnsio_dns(p->io), DNS_NET_NONE));
	chan_send(p->d->engine, &reply, NULL, 0);
}

/* -- life -- */

void
proxy_apply(struct proxy *p, const struct natd_conf *c)
{
	for (uint16_t i = 0; i < NATD_NETS; i++) {
		const struct msg_natd_net *net = natd_conf_net(c, i);
		struct dns_net_conf conf = dns_conf(c, i);

		dnsio_set_subnet(p->io, i,
				 net ? (struct prefix4){net->subnet, net->len}
				     : (struct prefix4){{0}, 0});
		apply_net(&p->net[i], net ? net->dns : (struct ip4){0}, &conf);
		if (net && net->dns.h)
			dnsname_set_net(dnsio_names(p->io), i,
					(struct prefix4){net->subnet, net->len},
					net->adapter ? net->host : (struct ip4){0});
		else
			dnsname_set_net(dnsio_names(p->io), i, (struct prefix4){{0}, 0},
					(struct ip4){0});
	}
	if (hostfile_was_read(p->resolv_conf))
		use_resolv(p);
}

bool
proxy_is_settled(const struct proxy *p)
{
	return p->asking == 0 && hostfile_was_read(p->resolv_conf);
}

struct proxy *
proxy_new(struct natd *d)
{
	struct proxy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->d = d;
	for (uint16_t i = 0; i < NATD_NETS; i++) {
		p->net[i].p = p;
		p->net[i].net = i;
	}
	p->io = dnsio_new(d->loop);
	p->retry = loop_timer_new(d->loop, on_retry, p);
	p->resolv_conf = hostfile_new(d, HOST_FILE_RESOLV_CONF, "/etc/resolv.conf", RESOLV_SIZE_MAX,
				      on_resolv_conf, p);
	p->hosts = hostfile_new(d, HOST_FILE_HOSTS, "/etc/hosts", HOSTS_SIZE_MAX, on_hosts, p);
	if (!p->io || !p->retry || !p->resolv_conf || !p->hosts) {
		proxy_free(p);
		return NULL;
	}
	return p;
}

void
proxy_free(struct proxy *p)
{
	if (!p)
		return;
	dnsio_free(p->io);
	hostfile_free(p->resolv_conf);
	hostfile_free(p->hosts);
	loop_timer_free(p->retry);
	free(p);
}
