/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_plan.c - the rows of a plan, which constant rules and sets it needs, and the elements of those sets. Pure.
 */
#include "priv_nft_plan.h"

#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* nat.conf says 0 for "never"; the kernel counts in a signed 32-bit number of jiffies. */
enum { TIMEOUT_NEVER_S = 1000000 };

void
nft_plan_init(struct nft_plan *p, const struct msg_nat_begin *m)
{
	memset(p, 0, sizeof(*p));
	p->forward_others = m->forward_others;
	p->flowtable = m->flowtable;
}

void
nft_plan_fini(struct nft_plan *p)
{
	free(p->forwards);
	nft_plan_init(p, &(struct msg_nat_begin){.forward_others = false});
}

PRINTF_LIKE(3, 4)
static int
refuse(struct nft_plan *p, int err, const char *fmt, ...)
{
	va_list ap;

	if (p->err == 0) {
		p->err = err;
		va_start(ap, fmt);
		vsnprintf(p->why, sizeof(p->why), fmt, ap);
		va_end(ap);
	}
	return err;
}

static const struct msg_nat_net *
find_net(const struct nft_plan *p, uint16_t net)
{
	for (size_t i = 0; i < p->nnets; i++)
		if (p->nets[i].net == net)
			return &p->nets[i];
	return NULL;
}

static struct prefix4
subnet_of(const struct msg_nat_net *m)
{
	return (struct prefix4){m->subnet, m->len};
}

/* An address that a machine of the subnet can have; or none at all. */
static bool
is_host_in(struct prefix4 subnet, struct ip4 a)
{
	return prefix4_contains(subnet, a) && !ip4_eq(a, subnet.addr) &&
	       !ip4_eq(a, prefix4_broadcast(subnet));
}

static struct nft_timeout
udp_timeout(const struct msg_nat_net *m)
{
	if (m->udp_timeout_s == 0 || m->udp_timeout_s > TIMEOUT_NEVER_S)
		return (struct nft_timeout){PROTO_UDP, TIMEOUT_NEVER_S};
	return (struct nft_timeout){PROTO_UDP, m->udp_timeout_s};
}

/* What nat.conf says nothing about is the host's own time. */
static struct nft_timeout
time_wait(const struct msg_nat_net *m)
{
	uint32_t s = m->tcp_time_wait_s;

	return (struct nft_timeout){PROTO_TCP, s > TIMEOUT_NEVER_S ? TIMEOUT_NEVER_S : s};
}

static void
note_timeout(struct nft_plan *p, struct nft_timeout t)
{
	for (size_t i = 0; i < p->ntimeouts; i++)
		if (p->timeouts[i].proto == t.proto && p->timeouts[i].seconds == t.seconds)
			return;
	p->timeouts[p->ntimeouts++] = t;
}

/* What may leave by one interface only is looked at packet by packet. */
static bool
takes_flows(const struct msg_nat_net *m)
{
	return m->nat && !m->egress[0];
}

static void
note_way(struct nft_plan *p, const struct msg_nat_net *m)
{
	note_timeout(p, udp_timeout(m));
	if (m->tcp_time_wait_s)
		note_timeout(p, time_wait(m));
	p->any_tcp_timeout |= m->tcp_time_wait_s != 0;
	p->any_ftp |= m->ftp;
	p->any_way |= nft_way_has_chain(m);
	p->any_egress |= m->egress[0] != '\0';
	p->any_vmware |= m->vmware_only;
	p->any_flow |= takes_flows(m);
}

int
nft_plan_net(struct nft_plan *p, const struct msg_nat_net *m)
{
	struct prefix4 subnet = subnet_of(m);

	if (m->net >= NFT_NETS_MAX || find_net(p, m->net))
		return refuse(p, -EINVAL, "vmnet%u is not a network, or comes twice", m->net);
	if (m->len < 1 || m->len > 30 || m->subnet.h & ~ip4_mask(m->len).h)
		return refuse(p, -EINVAL, "vmnet%u: %s/%u is not a subnet", m->net,
			      IP4_STR(m->subnet), m->len);
	if ((m->host.h && !is_host_in(subnet, m->host)) ||
	    (m->gateway.h && !is_host_in(subnet, m->gateway)))
		return refuse(p, -EINVAL, "vmnet%u: an address of the host is outside %s", m->net,
			      PREFIX4_STR(subnet));
	/* Answers to hairpin connections need one of our addresses on the network. */
	if (m->nat && !m->host.h && !m->gateway.h)
		return refuse(p, -EINVAL, "vmnet%u: NAT without a gateway address", m->net);
	if (m->snat_lo > m->snat_hi || m->low_tcp.len % 2 || m->low_udp.len % 2)
		return refuse(p, -EINVAL, "vmnet%u: no ports to go out from", m->net);
	p->nets[p->nnets++] = *m;
	if (m->nat)
		note_way(p, m);
	return 0;
}

/* Looked for only where something has the port. */
static bool
is_doubled(const struct nft_plan *p, const struct msg_nat_forward *m)
{
	for (size_t i = 0; i < p->nforwards; i++) {
		const struct msg_nat_forward *f = &p->forwards[i];

		if (f->proto == m->proto && f->port == m->port &&
		    (!f->host.h || !m->host.h || ip4_eq(f->host, m->host)))
			return true;
	}
	return false;
}

int
nft_plan_forward(struct nft_plan *p, const struct msg_nat_forward *m)
{
	const struct msg_nat_net *net = find_net(p, m->net);
	uint8_t bit = (uint8_t)(1 << m->port % 8);
	uint8_t *taken;

	if (m->proto >= PROTO_N || !m->port || !m->guest_port)
		return refuse(p, -EINVAL, "vmnet%u: a forward has no protocol or port", m->net);
	if (!net || !net->nat || !is_host_in(subnet_of(net), m->guest))
		return refuse(p, -EINVAL,
			      "vmnet%u: forward %s %u leads to %s, outside the NAT network", m->net,
			      ip_proto_name(m->proto), m->port, IP4_STR(m->guest));
	taken = &p->taken[m->proto][m->port / 8];
	if (*taken & bit && is_doubled(p, m))
		return refuse(p, -EINVAL, "vmnet%u: forward %s %u comes twice", m->net,
			      ip_proto_name(m->proto), m->port);
	if (p->nforwards == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 16;
		struct msg_nat_forward *f = reallocarray(p->forwards, cap, sizeof(*f));

		if (!f)
			return refuse(p, -ENOMEM, "no memory for %zu forwards", cap);
		p->forwards = f;
		p->cap = cap;
	}
	*taken |= bit;
	p->any_forward = true;
	p->any_bound |= m->host.h != 0;
	p->any_ftp_forward |= nft_forward_is_ftp(p, m);
	p->forwards[p->nforwards++] = *m;
	return 0;
}

static bool
is_mapped(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

static int
refuse_twice(struct nft_plan *p, const struct msg_nat_capture *m)
{
	char text[INET6_ADDRSTRLEN];
	bool is4 = is_mapped(m->addr.b);

	inet_ntop(is4 ? AF_INET : AF_INET6, m->addr.b + (is4 ? 12 : 0), text, sizeof(text));
	return refuse(p, -EINVAL, "port %u of %s is captured twice", m->port, text);
}

int
nft_plan_capture(struct nft_plan *p, const struct msg_nat_capture *m)
{
	if (!m->port || !m->to_port || m->addr.len != 16)
		return refuse(p, -EINVAL, "a captured port has no address or port");
	for (size_t i = 0; i < p->ncaptures; i++)
		if (memcmp(p->captures[i].addr.b, m->addr.b, 16) == 0 &&
		    p->captures[i].port == m->port)
			return refuse_twice(p, m);
	if (p->ncaptures == NAT_CAPTURES_MAX)
		return refuse(p, -EINVAL, "more than %d captured ports", NAT_CAPTURES_MAX);
	p->captures[p->ncaptures++] = *m;
	return 0;
}

bool
nft_plan_has_port(const struct nft_plan *p, enum ip_proto proto, uint16_t port)
{
	return p->taken[proto][port / 8] & 1u << port % 8;
}

static bool
is_needed(const struct nft_plan *p, enum nft_when when)
{
	switch (when) {
	case NFT_ALWAYS:
		return true;
	case NFT_IF_TIMEOUTS:
		return !p->no_timeouts;
	case NFT_IF_TCP_TIMEOUTS:
		return p->any_tcp_timeout && !p->no_timeouts;
	case NFT_IF_OTHERS_DROPPED:
		return !p->forward_others;
	case NFT_IF_FTP:
		return p->any_ftp && !p->no_ftp;
	case NFT_IF_WAYS:
		return p->any_way;
	case NFT_IF_EGRESS:
		return p->any_egress;
	case NFT_IF_VMWARE:
		return p->any_vmware;
	case NFT_IF_FTP_FORWARDS:
		return p->any_ftp_forward && !p->no_ftp;
	case NFT_IF_FORWARDS:
		return p->any_forward;
	case NFT_IF_BOUND:
		return p->any_bound;
	case NFT_IF_CAPTURES:
		return p->ncaptures > 0;
	case NFT_IF_FLOWS:
		return p->flowtable && p->any_flow && !p->no_flowtable;
	}
	return false;
}

bool
nft_plan_has_rule(const struct nft_plan *p, const struct nft_rule_def *r)
{
	return is_needed(p, r->when);
}

bool
nft_plan_has_chain(const struct nft_plan *p, enum nft_chain c)
{
	for (size_t i = 0; i < nft_nrules; i++)
		if (nft_rules[i].chain == c && nft_plan_has_rule(p, &nft_rules[i]))
			return true;
	return false;
}

bool
nft_plan_has_set(const struct nft_plan *p, enum nft_set s)
{
	return is_needed(p, nft_sets[s].when);
}

bool
nft_plan_has_flowtable(const struct nft_plan *p)
{
	return is_needed(p, NFT_IF_FLOWS);
}

void
nft_timeout_chain(char *buf, size_t cap, const struct nft_timeout *t)
{
	snprintf(buf, cap, "%s_%u", ip_proto_name(t->proto), t->seconds);
}

void
nft_timeout_object(char *buf, size_t cap, const struct nft_timeout *t)
{
	snprintf(buf, cap, "%s-%u", ip_proto_name(t->proto), t->seconds);
}

/* -- elements -- */

static void
key_name(struct nft_elem *e, const char name[NFT_IFNAME_LEN])
{
	memcpy(e->key + e->klen, name, NFT_IFNAME_LEN);
	memcpy(e->key_end + e->klen, name, NFT_IFNAME_LEN);
	e->klen += NFT_IFNAME_LEN;
}

static void
key_ifname(struct nft_elem *e, unsigned net)
{
	char name[NFT_IFNAME_LEN] = {0};

	snprintf(name, sizeof(name), "vmnet%u", net);
	key_name(e, name);
}

static void
key_addrs(struct nft_elem *e, struct ip4 first, struct ip4 last)
{
	uint32_t be[2] = {ip4_be(first), ip4_be(last)};

	memcpy(e->key + e->klen, &be[0], 4);
	memcpy(e->key_end + e->klen, &be[1], 4);
	e->klen += 4;
}

static void
val_addr(struct nft_elem *e, struct ip4 a)
{
	uint32_t be = ip4_be(a);

	memcpy(e->val + e->vlen, &be, 4);
	e->vlen += 4;
}

enum nft_set
nft_forward_map(const struct msg_nat_forward *f)
{
	if (!f->host.h)
		return NFT_MAP_FORWARDS;
	return f->proto == PROTO_TCP ? NFT_MAP_BOUND_TCP : NFT_MAP_BOUND_UDP;
}

struct nft_elem
nft_forward_elem(const struct msg_nat_forward *f)
{
	struct nft_elem e = {.klen = 8};
	uint32_t host = ip4_be(f->host);

	if (host)
		memcpy(e.key, &host, 4);
	else
		e.key[0] = f->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	e.key[4] = (uint8_t)(f->port >> 8);
	e.key[5] = (uint8_t)f->port;
	val_addr(&e, f->guest);
	e.val[4] = (uint8_t)(f->guest_port >> 8);
	e.val[5] = (uint8_t)f->guest_port;
	e.vlen = 8;
	return e;
}

static void
port(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

bool
nft_forward_is_ftp(const struct nft_plan *p, const struct msg_nat_forward *f)
{
	const struct msg_nat_net *net = find_net(p, f->net);

	return !p->no_ftp && net && net->ftp && f->proto == PROTO_TCP &&
	       f->guest_port == NFT_FTP_PORT;
}

struct nft_elem
nft_ftp_elem(const struct msg_nat_forward *f)
{
	struct nft_elem e = {.klen = 2};

	port(e.key, f->port);
	return e;
}

static struct nft_elem
capture_elem(const struct msg_nat_capture *m)
{
	uint8_t width = is_mapped(m->addr.b) ? 4 : 16;
	struct nft_elem e = {.klen = (uint8_t)(width + 4), .vlen = (uint8_t)(width + 4)};

	memcpy(e.key, m->addr.b + 16 - width, width);
	port(e.key + width, m->port);
	memcpy(e.val, m->addr.b + 16 - width, width);
	port(e.val + width, m->to_port);
	return e;
}

static void
verdict(struct nft_elem *e, enum nft_chain chain)
{
	snprintf(e->chain, sizeof(e->chain), "%s", nft_chains[chain].name);
}

static enum nft_chain
from_chain(const struct msg_nat_net *m)
{
	return m->adapter ? NFT_CHAIN_FROM_HOSTONLY : NFT_CHAIN_FROM_CLOSED;
}

static bool
timeout_elem(struct nft_elem *e, const struct msg_nat_net *m, unsigned i)
{
	const struct nft_timeout t = i == 0 ? udp_timeout(m) : time_wait(m);

	if (!m->nat || i > 1 || (i == 1 && !m->tcp_time_wait_s))
		return false;
	e->key[e->klen] = t.proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	e->klen += 4;
	e->jump = true;
	nft_timeout_chain(e->chain, sizeof(e->chain), &t);
	return true;
}

/* All of VMware's own, given by its hypervisors or by hand (reference: 00:50:56 is for both). */
static bool
vmware_elem(struct nft_elem *e, unsigned i)
{
	static const uint8_t ouis[][3] = {
	    {0x00, 0x05, 0x69}, {0x00, 0x0c, 0x29}, {0x00, 0x1c, 0x14}, {0x00, 0x50, 0x56}};

	if (i >= ARRAY_LEN(ouis))
		return false;
	memcpy(e->key + e->klen, ouis[i], 3);
	memcpy(e->key_end + e->klen, ouis[i], 3);
	memset(e->key_end + e->klen + 3, 0xff, 3);
	e->klen += 8;
	return true;
}

/* Elements number 0, 1, ... of a network in a set; false when there is no such element. */
static bool
net_elem(struct nft_elem *e, const struct msg_nat_net *m, enum nft_set s, unsigned i)
{
	*e = (struct nft_elem){0};
	key_ifname(e, m->net);
	switch (s) {
	case NFT_SET_NETS:
		return i == 0;
	case NFT_SET_NAT_NETS:
		return i == 0 && m->nat;
	case NFT_SET_GATEWAYS:
		key_addrs(e, m->gateway, m->gateway);
		return i == 0 && m->gateway.h;
	case NFT_SET_HAIRPIN:
		key_ifname(e, m->net);
		return i == 0 && m->nat;
	case NFT_SET_NEAR:
		key_addrs(e, m->subnet, prefix4_broadcast(subnet_of(m)));
		return i == 0 && m->nat;
	case NFT_MAP_SELF:
		val_addr(e, m->host.h ? m->host : m->gateway);
		return i == 0 && m->nat;
	case NFT_MAP_TIMEOUTS:
		return timeout_elem(e, m, i);
	case NFT_MAP_WAYS:
		nft_way_chain(e->chain, sizeof(e->chain), m);
		return i == 0 && nft_way_has_chain(m);
	case NFT_SET_EGRESS_NETS:
		return i == 0 && m->nat && m->egress[0];
	case NFT_SET_EGRESS:
		key_name(e, m->egress);
		return i == 0 && m->nat && m->egress[0];
	case NFT_SET_VMWARE_NETS:
		return i == 0 && m->nat && m->vmware_only;
	case NFT_SET_VMWARE_MACS:
		return m->nat && m->vmware_only && vmware_elem(e, i);
	case NFT_SET_OPEN_GATEWAYS:
		return i == 0 && m->nat && m->open_gateway;
	case NFT_SET_RESET_NETS:
		return i == 0 && m->nat && m->reset_lost;
	case NFT_SET_FTP_NETS:
		return i == 0 && m->nat && m->ftp;
	case NFT_SET_FLOW_NETS:
		return i == 0 && takes_flows(m);
	case NFT_MAP_FROM_GUESTS:
		verdict(e, from_chain(m));
		return i == 0 && !m->nat;
	case NFT_MAP_TO_HOST:
		verdict(e, m->adapter ? NFT_CHAIN_HOST_OPEN : NFT_CHAIN_HOST_CLOSED);
		return i == 0;
	case NFT_SET_TOGETHER:
	case NFT_SET_FTP_PORTS:
	case NFT_MAP_FORWARDS:
	case NFT_MAP_BOUND_TCP:
	case NFT_MAP_BOUND_UDP:
	case NFT_MAP_CAPTURES:
	case NFT_MAP_CAPTURES6:
	case NFT_SET_N:
		break;
	}
	return false;
}

static bool
names(const struct msg_nat_net *m, unsigned net)
{
	return m->routes.len == NAT_ROUTES_LEN && m->routes.b[net / 8] >> net % 8 & 1;
}

/* A network and itself, and two of which one names the other. */
static void
together_elems(const struct nft_plan *p, void (*cb)(const struct nft_elem *e, void *arg), void *arg)
{
	for (size_t i = 0; i < p->nnets; i++) {
		for (size_t k = 0; k < p->nnets; k++) {
			const struct msg_nat_net *from = &p->nets[i], *to = &p->nets[k];
			struct nft_elem e = {.klen = 0};

			if (i != k && !names(from, to->net) && !names(to, from->net))
				continue;
			key_ifname(&e, from->net);
			key_ifname(&e, to->net);
			cb(&e, arg);
		}
	}
}

void
nft_plan_elems(const struct nft_plan *p, enum nft_set s,
	       void (*cb)(const struct nft_elem *e, void *arg), void *arg)
{
	struct nft_elem e;

	if (s == NFT_SET_TOGETHER) {
		together_elems(p, cb, arg);
		return;
	}
	if (s == NFT_MAP_FORWARDS || s == NFT_MAP_BOUND_TCP || s == NFT_MAP_BOUND_UDP) {
		for (size_t i = 0; i < p->nforwards; i++) {
			if (nft_forward_map(&p->forwards[i]) != s)
				continue;
			e = nft_forward_elem(&p->forwards[i]);
			cb(&e, arg);
		}
		return;
	}
	if (s == NFT_SET_FTP_PORTS) {
		for (size_t i = 0; i < p->nforwards; i++) {
			if (!nft_forward_is_ftp(p, &p->forwards[i]))
				continue;
			e = nft_ftp_elem(&p->forwards[i]);
			cb(&e, arg);
		}
		return;
	}
	if (s == NFT_MAP_CAPTURES || s == NFT_MAP_CAPTURES6) {
		for (size_t i = 0; i < p->ncaptures; i++) {
			if (is_mapped(p->captures[i].addr.b) != (s == NFT_MAP_CAPTURES))
				continue;
			e = capture_elem(&p->captures[i]);
			cb(&e, arg);
		}
		return;
	}
	for (size_t i = 0; i < p->nnets; i++)
		for (unsigned k = 0; net_elem(&e, &p->nets[i], s, k); k++)
			cb(&e, arg);
}
