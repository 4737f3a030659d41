/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_plan.c - the constant chains of table `inet vnetd`, and the set elements of a plan.
 * Pure.
 *
 * How a packet is judged:
 *  - forward: TCP that a guest and the outside have established is given to the flowtable, after which its packets
 *    come here no more. Known connections first, then the input interface sends new connections of
 *    guests to the chain of their kind of network. What is left came from elsewhere: into a
 *    network it needs a forward (dnat); between interfaces that are not ours it passes, or not,
 *    as forward_others says.
 *  - prerouting and output, with the first forward: one map decides about forwards, for packets from outside, from guests
 *    and from the host itself. Loopback addresses other than 127.0.0.1 are left to the host's own
 *    services, as a resolver on 127.0.0.53 must not be taken over by a forward of port 53.
 *    Before it, redirections take what is meant for one address and port of the host to another port of
 *    that address.
 *    What is said about a network's way out comes in between: by which interface it may leave, of which
 *    guests it is served. A network that does not simply masquerade has a chain of its own in postrouting.
 *  - postrouting: a forwarded connection gets its network's timeouts; one that comes from the guest's own network
 *    (hairpin) or from a loopback address gets our address, or the answer would not come back to us.
 *  - input: the gateway address serves DNS and ping and refuses the rest; a network without
 *    adapter reaches nothing of the host but that and DHCP. 127.0.0.0/8 on the wire is dropped:
 *    the bridges have route_localnet on for forwards from 127.0.0.1, which would open the host's
 *    loopback to guests.
 *
 * What a look-up costs a new connection is the cache lines that it touches. So a name is compared with "vmnet" before it
 * is looked up, and what most packets ask for is asked for in one set.
 *
 * With bridge-nf-call-iptables on, frames between guests of one network appear in the forward
 * hook as well, with the bridge on both sides; they are never ours to drop (NFT_SET_TOGETHER,
 * NFT_OP_BRIDGED).
 */
#include "priv_nft_plan.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

enum {
	/* nat.conf says 0 for "never"; the kernel counts in a signed 32-bit number of jiffies. */
	TIMEOUT_NEVER_S = 1000000,
	/* nf_conntrack's own names for the bits of ct state. */
	STATE_INVALID = 1 << 0,
	STATE_ESTABLISHED = 1 << 1,
	STATE_RELATED = 1 << 2,
};

#define LOOPBACK 0x7f000001u

const struct nft_set_def nft_sets[NFT_SET_N] = {
    [NFT_SET_NETS] = {"nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_NAT_NETS] = {"nat_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_TOGETHER] =
	{"together", {NFT_T_IFNAME, NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_GATEWAYS] = {"gateways", {NFT_T_IFNAME, NFT_T_ADDR}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_HAIRPIN] = {"hairpin", {NFT_T_IFNAME, NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_NEAR] = {"near", {NFT_T_IFNAME, NFT_T_ADDR}, {NFT_T_NONE}, true, NFT_ALWAYS},
    [NFT_MAP_SELF] = {"self", {NFT_T_IFNAME}, {NFT_T_ADDR}, false, NFT_ALWAYS},
    [NFT_MAP_FORWARDS] =
	{"forwards", {NFT_T_PROTO, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_ALWAYS},
    [NFT_MAP_BOUND_TCP] =
	{"bound_tcp", {NFT_T_ADDR, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_IF_BOUND},
    [NFT_MAP_BOUND_UDP] =
	{"bound_udp", {NFT_T_ADDR, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_IF_BOUND},
    [NFT_MAP_CAPTURES] =
	{"captures", {NFT_T_ADDR, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_IF_CAPTURES},
    [NFT_MAP_CAPTURES6] =
	{"captures6", {NFT_T_ADDR6, NFT_T_PORT}, {NFT_T_ADDR6, NFT_T_PORT}, false, NFT_IF_CAPTURES},
    [NFT_MAP_TIMEOUTS] =
	{"timeouts", {NFT_T_IFNAME, NFT_T_PROTO}, {NFT_T_VERDICT}, false, NFT_IF_TIMEOUTS},
    [NFT_MAP_WAYS] = {"ways", {NFT_T_IFNAME}, {NFT_T_VERDICT}, false, NFT_IF_WAYS},
    [NFT_SET_EGRESS_NETS] = {"egress_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_EGRESS},
    [NFT_SET_EGRESS] = {"egress", {NFT_T_IFNAME, NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_EGRESS},
    [NFT_SET_VMWARE_NETS] = {"vmware_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_VMWARE},
    [NFT_SET_VMWARE_MACS] =
	{"vmware_macs", {NFT_T_IFNAME, NFT_T_MAC}, {NFT_T_NONE}, true, NFT_IF_VMWARE},
    [NFT_SET_OPEN_GATEWAYS] = {"open_gateways", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_RESET_NETS] = {"reset_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_FTP_NETS] = {"ftp_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_FTP},
    [NFT_SET_FTP_PORTS] = {"ftp_ports", {NFT_T_PORT}, {NFT_T_NONE}, false, NFT_IF_FTP_FORWARDS},
    [NFT_SET_FLOW_NETS] = {"flow_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_FLOWS},
    [NFT_MAP_FROM_GUESTS] = {"from_guests", {NFT_T_IFNAME}, {NFT_T_VERDICT}, false, NFT_ALWAYS},
    [NFT_MAP_TO_HOST] = {"to_host", {NFT_T_IFNAME}, {NFT_T_VERDICT}, false, NFT_ALWAYS},
};

const struct nft_chain_def nft_chains[NFT_CHAIN_N] = {
    [NFT_CHAIN_EGRESS] = {"leaving", NULL, NULL, 0, 0},
    [NFT_CHAIN_FROM_NAT] = {"from_nat", NULL, NULL, 0, 0},
    [NFT_CHAIN_NAT_INSIDE] = {"nat_inside", NULL, NULL, 0, 0},
    [NFT_CHAIN_FROM_HOSTONLY] = {"from_hostonly", NULL, NULL, 0, 0},
    [NFT_CHAIN_FROM_CLOSED] = {"from_closed", NULL, NULL, 0, 0},
    [NFT_CHAIN_GATEWAY] = {"gateway", NULL, NULL, 0, 0},
    [NFT_CHAIN_HOST_OPEN] = {"host_open", NULL, NULL, 0, 0},
    [NFT_CHAIN_HOST_CLOSED] = {"host_closed", NULL, NULL, 0, 0},
    [NFT_CHAIN_INSIDE] = {"inside", NULL, NULL, 0, 0},
    [NFT_CHAIN_FORWARDED] = {"forwarded", NULL, NULL, 0, 0},
    [NFT_CHAIN_INPUT] = {"input", "filter", "input", NF_INET_LOCAL_IN, 0},
    [NFT_CHAIN_FORWARD] = {"forward", "filter", "forward", NF_INET_FORWARD, 0},
    [NFT_CHAIN_PREROUTING] = {"prerouting", "nat", "prerouting", NF_INET_PRE_ROUTING, -100},
    [NFT_CHAIN_OUTPUT] = {"output", "nat", "output", NF_INET_LOCAL_OUT, -100},
    [NFT_CHAIN_POSTROUTING] = {"postrouting", "nat", "postrouting", NF_INET_POST_ROUTING, 100},
};

/* Shorthands for the table below; each is one statement. */
#define OP(op)                                                                                     \
	{                                                                                          \
		NFT_OP_##op, 0, 0                                                                  \
	}
#define OP1(op, arg)                                                                               \
	{                                                                                          \
		NFT_OP_##op, arg, 0                                                                \
	}
#define IN(op, set)                                                                                \
	{                                                                                          \
		NFT_OP_##op, NFT_SET_##set, 0                                                      \
	}
#define MAP(op, map)                                                                               \
	{                                                                                          \
		NFT_OP_##op, NFT_MAP_##map, 0                                                      \
	}
#define JUMP(chain)                                                                                \
	{                                                                                          \
		NFT_OP_JUMP, NFT_CHAIN_##chain, 0                                                  \
	}
#define TO(chain)                                                                                  \
	{                                                                                          \
		NFT_OP_GOTO, NFT_CHAIN_##chain, 0                                                  \
	}
#define IF(cond, ch, ...)                                                                          \
	{                                                                                          \
		NFT_CHAIN_##ch, NFT_##cond,                                                        \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define RULE(ch, ...) IF(ALWAYS, ch, __VA_ARGS__)

#define KNOWN  OP1(CT_STATE, STATE_ESTABLISHED | STATE_RELATED)
#define DNATED OP1(CT_STATUS, IPS_DST_NAT)

const struct nft_rule_def nft_rules[] = {
    IF(IF_EGRESS, EGRESS, IN(OIF_IN, NETS), OP(RETURN)),
    IF(IF_EGRESS, EGRESS, IN(IIF_OIF_IN, EGRESS), OP(RETURN)),
    IF(IF_EGRESS, EGRESS, OP(IPV4), OP(REJECT_ADMIN)),

    IF(IF_TIMEOUTS, FROM_NAT, OP1(L4PROTO, IPPROTO_UDP), MAP(IIF_PROTO_VMAP, TIMEOUTS)),
    IF(IF_TCP_TIMEOUTS, FROM_NAT, OP1(L4PROTO, IPPROTO_TCP), MAP(IIF_PROTO_VMAP, TIMEOUTS)),
    RULE(FROM_NAT, OP(OIF_VMNET), IN(OIF_IN, NETS), TO(NAT_INSIDE)),
    /* An invalid packet is not translated and would leave with the guest's private address. */
    RULE(FROM_NAT, OP1(CT_STATE, STATE_INVALID), OP(DROP)),
    IF(IF_VMWARE, FROM_NAT, OP(IPV4), IN(IIF_IN, VMWARE_NETS), IN(IIF_MAC_NOT_IN, VMWARE_MACS),
       OP(REJECT_ADMIN)),
    RULE(FROM_NAT, OP(IPV4), OP1(L4PROTO, IPPROTO_TCP), OP(NO_SYN), IN(IIF_IN, RESET_NETS),
	 OP(REJECT_RESET)),
    RULE(FROM_NAT, OP(IPV4), OP(ACCEPT)),
    RULE(FROM_NAT, OP(DROP)),

    RULE(NAT_INSIDE, IN(IIF_OIF_IN, TOGETHER), OP(ACCEPT)),
    RULE(NAT_INSIDE, OP1(CT_STATE, STATE_INVALID), OP(DROP)),
    IF(IF_VMWARE, NAT_INSIDE, OP(IPV4), IN(IIF_IN, VMWARE_NETS), IN(IIF_MAC_NOT_IN, VMWARE_MACS),
       OP(REJECT_ADMIN)),
    RULE(NAT_INSIDE, DNATED, OP(ACCEPT)),
    RULE(NAT_INSIDE, OP(REJECT_ADMIN)),

    RULE(FROM_HOSTONLY, IN(IIF_OIF_IN, TOGETHER), OP(ACCEPT)),
    RULE(FROM_HOSTONLY, DNATED, OP(ACCEPT)),
    RULE(FROM_HOSTONLY, OP(REJECT_ADMIN)),

    RULE(FROM_CLOSED, IN(IIF_OIF_IN, TOGETHER), OP(ACCEPT)),
    RULE(FROM_CLOSED, OP(DROP)),

    RULE(GATEWAY, OP1(L4PROTO, IPPROTO_UDP), OP1(DPORT, 53), OP(ACCEPT)),
    RULE(GATEWAY, OP1(L4PROTO, IPPROTO_TCP), OP1(DPORT, 53), OP(ACCEPT)),
    RULE(GATEWAY, OP(ECHO_REQUEST), OP(ACCEPT)),
    RULE(GATEWAY, IN(IIF_IN, OPEN_GATEWAYS), OP(ACCEPT)),
    RULE(GATEWAY, OP1(L4PROTO, IPPROTO_TCP), OP(REJECT_RESET)),
    RULE(GATEWAY, OP(REJECT_PORT)),

    RULE(HOST_OPEN, OP(DADDR_LOOPBACK), OP(DROP)),
    RULE(HOST_OPEN, OP(SADDR_LOOPBACK), OP(DROP)),
    RULE(HOST_OPEN, IN(IIF_DADDR_IN, GATEWAYS), TO(GATEWAY)),

    RULE(HOST_CLOSED, OP1(L4PROTO, IPPROTO_UDP), OP1(DPORT, 67), OP(ACCEPT)),
    RULE(HOST_CLOSED, IN(IIF_DADDR_IN, GATEWAYS), TO(GATEWAY)),
    RULE(HOST_CLOSED, OP(DROP)),

    RULE(INPUT, KNOWN, OP(ACCEPT)),
    RULE(INPUT, MAP(IIF_VMAP, TO_HOST)),

    /* First of all, as routes change under connections that go on. */
    IF(IF_EGRESS, FORWARD, IN(IIF_IN, EGRESS_NETS), JUMP(EGRESS)),
    /* By a packet of the guest's only: the kernel takes the route that the packet has for this direction, and
     * looks for one to where the packet came from, by that very interface, for the other. UDP would be forgotten
     * after the host's time, not after that of nat.conf. */
    IF(IF_FLOWS, FORWARD, OP1(L4PROTO, IPPROTO_TCP), OP1(CT_STATE, STATE_ESTABLISHED), OP(IPV4),
       IN(IIF_IN, FLOW_NETS), IN(OIF_NOT_IN, NETS), OP(FLOW_ADD)),
    /* What masquerades is known after its first packet, answered or not: datagrams often are not. */
    RULE(FORWARD, OP1(CT_STATUS, IPS_SEEN_REPLY | IPS_SRC_NAT), OP(ACCEPT)),
    RULE(FORWARD, OP(IIF_VMNET), IN(IIF_IN, NAT_NETS), TO(FROM_NAT)),
    RULE(FORWARD, OP(IIF_VMNET), MAP(IIF_VMAP, FROM_GUESTS)),
    RULE(FORWARD, DNATED, OP(ACCEPT)),
    RULE(FORWARD, OP1(CT_STATE, STATE_RELATED), OP(ACCEPT)),
    RULE(FORWARD, IN(OIF_IN, NETS), OP(DROP)),
    IF(IF_OTHERS_DROPPED, FORWARD, OP(BRIDGED), OP(ACCEPT)),
    IF(IF_OTHERS_DROPPED, FORWARD, OP(IPV4), OP(DROP)),

    /* Before anything is translated: who follows a connection has to be known by then. */
    IF(IF_FTP, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), OP1(DPORT, NFT_FTP_PORT),
       IN(IIF_IN, FTP_NETS), OP(FTP_HELPER)),
    IF(IF_FTP_FORWARDS, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), IN(DPORT_IN, FTP_PORTS),
       OP(TO_LOCAL), OP(FTP_HELPER)),
    IF(IF_CAPTURES, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED, CAPTURES)),
    IF(IF_CAPTURES, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED6, CAPTURES6)),
    IF(IF_BOUND, PREROUTING, IN(IIF_DADDR_IN, GATEWAYS), OP(ACCEPT)),
    /* A forward of 127.0.0.1 is the host's own, and a guest can send there, see above. */
    IF(IF_BOUND, PREROUTING, OP(DADDR_LOOPBACK), OP(ACCEPT)),
    IF(IF_BOUND, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_BOUND, BOUND_TCP)),
    IF(IF_BOUND, PREROUTING, OP1(L4PROTO, IPPROTO_UDP), MAP(DNAT_BOUND, BOUND_UDP)),
    IF(IF_FORWARDS, PREROUTING, MAP(DNAT_INCOMING, FORWARDS)),

    IF(IF_CAPTURES, OUTPUT, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED, CAPTURES)),
    IF(IF_CAPTURES, OUTPUT, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED6, CAPTURES6)),
    IF(IF_FORWARDS, OUTPUT, OP(DADDR_LOOPBACK), OP1(DADDR_NOT, LOOPBACK), OP(ACCEPT)),
    IF(IF_BOUND, OUTPUT, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_BOUND, BOUND_TCP)),
    IF(IF_BOUND, OUTPUT, OP1(L4PROTO, IPPROTO_UDP), MAP(DNAT_BOUND, BOUND_UDP)),
    IF(IF_FORWARDS, OUTPUT, MAP(DNAT_LOCAL, FORWARDS)),

    RULE(INSIDE, DNATED, TO(FORWARDED)),
    RULE(INSIDE, OP(ACCEPT)),

    /* What comes by a forward, from the host itself too: the network that it leads to has the say. */
    IF(IF_TIMEOUTS, FORWARDED, OP1(L4PROTO, IPPROTO_UDP), MAP(OIF_PROTO_VMAP, TIMEOUTS)),
    IF(IF_TCP_TIMEOUTS, FORWARDED, OP1(L4PROTO, IPPROTO_TCP), MAP(OIF_PROTO_VMAP, TIMEOUTS)),
    RULE(FORWARDED, OP(IIF_VMNET), IN(IIF_OIF_IN, HAIRPIN), MAP(SNAT, SELF)),
    RULE(FORWARDED, OP(SADDR_LOOPBACK), MAP(SNAT, SELF)),
    /* A frame that bridge-nf translates stays in the bridge, and nobody says by what interface it came. Only such
     * ones are looked up among ranges, for which the kernel saves the vector unit's registers: 2 us. */
    RULE(FORWARDED, OP(IIF_NONE), IN(OIF_SADDR_IN, NEAR), MAP(SNAT, SELF)),

    RULE(POSTROUTING, OP(OIF_VMNET), IN(OIF_IN, NETS), TO(INSIDE)),
    IF(IF_WAYS, POSTROUTING, OP(IPV4), MAP(IIF_VMAP, WAYS)),
    RULE(POSTROUTING, OP(IPV4), IN(IIF_IN, NAT_NETS), OP(MASQUERADE)),
};

const size_t nft_nrules = ARRAY_LEN(nft_rules);

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
		if (nft_rules[i].chain == c && is_needed(p, nft_rules[i].when))
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
