/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_expr.c - statements as expressions of the kernel's rule machine. No system calls.
 *
 * A register of 16 bytes holds one interface name; smaller fields follow each other in 4-byte
 * steps.
 */
#include "priv_nft_build.h"

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lib/util.h"

enum {
	IP_SADDR = 12,
	IP_DADDR = 16,
	IP6_DADDR = 24,
	TH_DPORT = 2,
	TCP_FLAGS = 13,
	ETHER_SADDR = 6,
	FIB_TYPE_LOCAL = 2, /* RTN_LOCAL */
};

/* A rule being built. */
struct rule {
	struct nft_batch *b;
	struct nftnl_rule *r; /* NULL: no memory */
	bool ipv4;            /* the rule has made sure of IPv4 */
};

static struct rule
rule_in(struct nft_batch *b, const char *table, const char *chain)
{
	struct rule r = {.b = b, .r = nftnl_rule_alloc()};

	if (!r.r) {
		b->bad = true;
		return r;
	}
	nftnl_rule_set_str(r.r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r.r, NFTNL_RULE_CHAIN, chain);
	return r;
}

static struct rule
rule_new(struct nft_batch *b, const char *chain)
{
	return rule_in(b, NFT_TABLE, chain);
}

static void
rule_put(struct rule *r, uint8_t family, uint16_t flags)
{
	struct nlmsghdr *nlh;

	if (!r->r)
		return;
	nlh = nft_batch_msg_of(r->b, family, NFT_MSG_NEWRULE, NLM_F_CREATE | flags);
	if (nlh) {
		nftnl_rule_nlmsg_build_payload(nlh, r->r);
		nft_batch_put(r->b, nlh);
	}
	nftnl_rule_free(r->r);
}

static void
rule_end(struct rule *r)
{
	rule_put(r, NFPROTO_INET, NLM_F_APPEND);
}

/* A new expression at the end of the rule, or NULL. */
static struct nftnl_expr *
expr(struct rule *r, const char *name)
{
	struct nftnl_expr *e = r->r ? nftnl_expr_alloc(name) : NULL;

	if (e)
		nftnl_rule_add_expr(r->r, e);
	else
		r->b->bad = true;
	return e;
}

/* Sets u32 attributes from pairs (attribute, value). */
static void
expr_u32(struct rule *r, const char *name, const uint32_t (*set)[2], size_t n)
{
	struct nftnl_expr *e = expr(r, name);

	for (size_t i = 0; e && i < n; i++)
		nftnl_expr_set_u32(e, (uint16_t)set[i][0], set[i][1]);
}

#define EXPR(r, name, ...)                                                                         \
	expr_u32((r), (name), (const uint32_t[][2]){__VA_ARGS__},                                  \
		 ARRAY_LEN(((const uint32_t[][2]){__VA_ARGS__})))

static void
load_meta(struct rule *r, uint32_t key, uint32_t reg)
{
	EXPR(r, "meta", {NFTNL_EXPR_META_KEY, key}, {NFTNL_EXPR_META_DREG, reg});
}

static void
load_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	EXPR(r, "payload", {NFTNL_EXPR_PAYLOAD_BASE, base}, {NFTNL_EXPR_PAYLOAD_OFFSET, offset},
	     {NFTNL_EXPR_PAYLOAD_LEN, len}, {NFTNL_EXPR_PAYLOAD_DREG, reg});
}

static void
compare(struct rule *r, uint32_t sreg, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, sreg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void
equals_u8(struct rule *r, uint8_t v)
{
	compare(r, NFT_REG_1, NFT_CMP_EQ, &v, sizeof(v));
}

/* Rules about IPv4 addresses need this: the table sees IPv6 as well. */
static void
need_ipv4(struct rule *r)
{
	if (r->ipv4)
		return;
	r->ipv4 = true;
	load_meta(r, NFT_META_NFPROTO, NFT_REG_1);
	equals_u8(r, NFPROTO_IPV4);
}

/* register 1 &= mask, of at most four bytes */
static void
mask_with(struct rule *r, const void *mask, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "bitwise");
	const uint32_t zero = 0;

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero, len);
}

/* register 1 & mask is not 0 */
static void
any_bit(struct rule *r, uint32_t mask)
{
	const uint32_t zero = 0;

	mask_with(r, &mask, sizeof(mask));
	compare(r, NFT_REG_1, NFT_CMP_NEQ, &zero, sizeof(zero));
}

static void
ct_bits(struct rule *r, uint32_t key, uint32_t mask)
{
	EXPR(r, "ct", {NFTNL_EXPR_CT_KEY, key}, {NFTNL_EXPR_CT_DREG, NFT_REG_1});
	any_bit(r, mask);
}

/* Looks registers from sreg on up in a set; dreg: where a map's value goes, NULL for a plain set. */
static struct nftnl_expr *
lookup_from(struct rule *r, uint32_t sreg, uint32_t set, const uint32_t *dreg)
{
	struct nftnl_expr *e = expr(r, "lookup");

	if (!e)
		return NULL;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, sreg);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, nft_sets[set].name);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, set + 1);
	if (dreg)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, *dreg);
	return e;
}

static struct nftnl_expr *
lookup(struct rule *r, uint32_t set, const uint32_t *dreg)
{
	return lookup_from(r, NFT_REG_1, set, dreg);
}

/* A plain set that must not have what registers from sreg on hold. */
static void
lookup_not(struct rule *r, uint32_t sreg, uint32_t set)
{
	struct nftnl_expr *e = lookup_from(r, sreg, set, NULL);

	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void
verdict(struct rule *r, int code, const char *chain)
{
	struct nftnl_expr *e = expr(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void
reject(struct rule *r, uint32_t type, uint8_t code)
{
	struct nftnl_expr *e = expr(r, "reject");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

/* Kind of a link, as `ip link` shows it, padded to an interface name. */
static void
is_bridge(struct rule *r, uint32_t key)
{
	static const char bridge[NFT_IFNAME_LEN] = "bridge";

	load_meta(r, key, NFT_REG_1);
	compare(r, NFT_REG_1, NFT_CMP_EQ, bridge, sizeof(bridge));
}

/* Whether a name can be that of one of our networks at all. */
static void
named_vmnet(struct rule *r, uint32_t key)
{
	static const char vmnet[] = {'v', 'm', 'n', 'e', 't'};

	load_meta(r, key, NFT_REG_1);
	compare(r, NFT_REG_1, NFT_CMP_EQ, vmnet, sizeof(vmnet));
}

static void
loopback(struct rule *r, uint32_t offset)
{
	need_ipv4(r);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, 1, NFT_REG_1);
	equals_u8(r, 127);
}

/* ifname . address; a name fills register 1 whole. */
static void
name_and_addr_in(struct rule *r, uint32_t meta, uint32_t offset, uint32_t set)
{
	need_ipv4(r);
	load_meta(r, meta, NFT_REG_1);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, 4, NFT_REG_2);
	lookup(r, set, NULL);
}

/* ifname . MAC; only Ethernet has one, and every network of ours is that. */
static void
name_and_mac_not_in(struct rule *r, uint32_t set)
{
	uint16_t ether = ARPHRD_ETHER;

	load_meta(r, NFT_META_IIFTYPE, NFT_REG_1);
	compare(r, NFT_REG_1, NFT_CMP_EQ, &ether, sizeof(ether));
	load_meta(r, NFT_META_IIFNAME, NFT_REG_1);
	load_payload(r, NFT_PAYLOAD_LL_HEADER, ETHER_SADDR, 6, NFT_REG_2);
	lookup_not(r, NFT_REG_1, set);
}

static void
to_local(struct rule *r)
{
	EXPR(r, "fib", {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE},
	     {NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR}, {NFTNL_EXPR_FIB_DREG, NFT_REG_1});
	compare(r, NFT_REG_1, NFT_CMP_EQ, &(uint32_t){FIB_TYPE_LOCAL}, 4);
}

static void
objref(struct rule *r, uint32_t type, const char *name)
{
	struct nftnl_expr *e = expr(r, "objref");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, type);
	nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, name);
}

static void
flow_add(struct rule *r)
{
	struct nftnl_expr *e = expr(r, "flow_offload");

	if (e)
		nftnl_expr_set_str(e, NFTNL_EXPR_FLOW_TABLE_NAME, NFT_FLOWTABLE);
}

static void
no_syn(struct rule *r)
{
	const uint8_t syn = TH_SYN, all = TH_FIN | TH_SYN | TH_RST | TH_ACK;

	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1, NFT_REG_1);
	mask_with(r, &all, sizeof(all));
	compare(r, NFT_REG_1, NFT_CMP_NEQ, &syn, sizeof(syn));
}

static void
constant(struct rule *r, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

/* In registers 2 and 3; one: in 2 alone. That ports are given at all the kernel wants to be told by masquerade. */
static void
ports_of_nat(struct nftnl_expr *e, bool snat, bool one)
{
	nftnl_expr_set_u32(e, snat ? NFTNL_EXPR_NAT_REG_PROTO_MIN : NFTNL_EXPR_MASQ_REG_PROTO_MIN,
			   NFT_REG_2);
	if (!one)
		nftnl_expr_set_u32(
		    e, snat ? NFTNL_EXPR_NAT_REG_PROTO_MAX : NFTNL_EXPR_MASQ_REG_PROTO_MAX,
		    NFT_REG_3);
	if (!snat)
		nftnl_expr_set_u32(e, NFTNL_EXPR_MASQ_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

/* From these ports of whatever address the kernel chooses, or of this one. IPv4 comes here alone. */
static void
out_as(struct rule *r, struct ip4 addr, uint32_t ports)
{
	uint16_t first = htons((uint16_t)(ports >> 16)), last = htons((uint16_t)ports);
	uint32_t be = ip4_be(addr);
	struct nftnl_expr *e;

	if (addr.h)
		constant(r, NFT_REG_1, &be, sizeof(be));
	if (ports)
		constant(r, NFT_REG_2, &first, sizeof(first));
	if (first != last)
		constant(r, NFT_REG_3, &last, sizeof(last));
	e = expr(r, addr.h ? "nat" : "masq");
	if (e && addr.h) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
		nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
		nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	}
	if (e && ports)
		ports_of_nat(e, addr.h, first == last);
}

/* To the address and port that a lookup left. */
static void
dnat(struct rule *r)
{
	EXPR(r, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT}, {NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4},
	     {NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1},
	     {NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG32_01});
}

static void
is_local(struct rule *r)
{
	EXPR(r, "fib", {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE},
	     {NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR}, {NFTNL_EXPR_FIB_DREG, NFT_REG_2});
	compare(r, NFT_REG_2, NFT_CMP_EQ, &(uint32_t){FIB_TYPE_LOCAL}, 4);
}

/* local: the address must be one of the host's now. */
static void
dnat_captured(struct rule *r, uint32_t set, bool local)
{
	uint32_t dreg = NFT_REG_1;

	need_ipv4(r);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP_DADDR, 4, NFT_REG32_00);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2, NFT_REG32_01);
	lookup(r, set, &dreg);
	if (local)
		is_local(r);
	dnat(r);
}

/* Of IPv6 an address fills register 1 whole. */
static void
dnat_captured6(struct rule *r, uint32_t set)
{
	uint32_t dreg = NFT_REG_1;

	load_meta(r, NFT_META_NFPROTO, NFT_REG_1);
	equals_u8(r, NFPROTO_IPV6);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_DADDR, 16, NFT_REG_1);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2, NFT_REG_2);
	lookup(r, set, &dreg);
	EXPR(r, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT}, {NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV6},
	     {NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1}, {NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2});
}

/* Neither to the gateway of the network that it comes from nor to the loopback, which a guest can send to where
 * route_localnet is on. Registers 2 to 4: the first holds what a lookup left. */
static void
is_to_others(struct rule *r)
{
	const uint8_t loopback_net = 127;

	load_meta(r, NFT_META_IIFNAME, NFT_REG_2);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP_DADDR, 4, NFT_REG_3);
	lookup_not(r, NFT_REG_2, NFT_SET_GATEWAYS);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP_DADDR, 1, NFT_REG_4);
	compare(r, NFT_REG_4, NFT_CMP_NEQ, &loopback_net, sizeof(loopback_net));
}

/* The map is asked first: nearly no packet is for a forward, and the route lookup costs more. */
static void
dnat_local(struct rule *r, uint32_t set, bool incoming)
{
	uint32_t dreg = NFT_REG_1;

	need_ipv4(r);
	load_meta(r, NFT_META_L4PROTO, NFT_REG32_00);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2, NFT_REG32_01);
	lookup(r, set, &dreg);
	if (incoming)
		is_to_others(r);
	is_local(r);
	dnat(r);
}

static void
put_stmt(struct rule *r, const struct nft_stmt *s)
{
	const uint32_t to_verdict = NFT_REG_VERDICT, to_first = NFT_REG_1;

	switch (s->op) {
	case NFT_OP_END:
		break;
	case NFT_OP_IPV4:
		need_ipv4(r);
		break;
	case NFT_OP_L4PROTO:
		load_meta(r, NFT_META_L4PROTO, NFT_REG_1);
		equals_u8(r, (uint8_t)s->arg);
		break;
	case NFT_OP_DPORT: {
		uint16_t be = htons((uint16_t)s->arg);

		load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2, NFT_REG_1);
		compare(r, NFT_REG_1, NFT_CMP_EQ, &be, sizeof(be));
		break;
	}
	case NFT_OP_ECHO_REQUEST:
		need_ipv4(r);
		load_meta(r, NFT_META_L4PROTO, NFT_REG_1);
		equals_u8(r, IPPROTO_ICMP);
		load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
		equals_u8(r, ICMP_ECHO);
		break;
	case NFT_OP_CT_STATE:
		ct_bits(r, NFT_CT_STATE, s->arg);
		break;
	case NFT_OP_CT_STATUS:
		ct_bits(r, NFT_CT_STATUS, s->arg);
		break;
	case NFT_OP_SADDR_LOOPBACK:
		loopback(r, IP_SADDR);
		break;
	case NFT_OP_DADDR_LOOPBACK:
		loopback(r, IP_DADDR);
		break;
	case NFT_OP_DADDR_NOT: {
		uint32_t be = ip4_be((struct ip4){s->arg});

		need_ipv4(r);
		load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP_DADDR, 4, NFT_REG_1);
		compare(r, NFT_REG_1, NFT_CMP_NEQ, &be, sizeof(be));
		break;
	}
	case NFT_OP_BRIDGED:
		is_bridge(r, NFT_META_IIFKIND);
		is_bridge(r, NFT_META_OIFKIND);
		break;
	case NFT_OP_IIF_NONE: {
		uint32_t none = 0;

		load_meta(r, NFT_META_IIF, NFT_REG_1);
		compare(r, NFT_REG_1, NFT_CMP_EQ, &none, sizeof(none));
		break;
	}
	case NFT_OP_IIF_VMNET:
		named_vmnet(r, NFT_META_IIFNAME);
		break;
	case NFT_OP_OIF_VMNET:
		named_vmnet(r, NFT_META_OIFNAME);
		break;
	case NFT_OP_IIF_IN:
		load_meta(r, NFT_META_IIFNAME, NFT_REG_1);
		lookup(r, s->arg, NULL);
		break;
	case NFT_OP_OIF_IN:
		load_meta(r, NFT_META_OIFNAME, NFT_REG_1);
		lookup(r, s->arg, NULL);
		break;
	case NFT_OP_OIF_NOT_IN:
		load_meta(r, NFT_META_OIFNAME, NFT_REG_1);
		lookup_not(r, NFT_REG_1, s->arg);
		break;
	case NFT_OP_IIF_OIF_IN:
		load_meta(r, NFT_META_IIFNAME, NFT_REG_1);
		load_meta(r, NFT_META_OIFNAME, NFT_REG_2);
		lookup(r, s->arg, NULL);
		break;
	case NFT_OP_IIF_DADDR_IN:
		name_and_addr_in(r, NFT_META_IIFNAME, IP_DADDR, s->arg);
		break;
	case NFT_OP_OIF_SADDR_IN:
		name_and_addr_in(r, NFT_META_OIFNAME, IP_SADDR, s->arg);
		break;
	case NFT_OP_IIF_VMAP:
		load_meta(r, NFT_META_IIFNAME, NFT_REG_1);
		lookup(r, s->arg, &to_verdict);
		break;
	case NFT_OP_IIF_PROTO_VMAP:
		load_meta(r, NFT_META_IIFNAME, NFT_REG_1);
		load_meta(r, NFT_META_L4PROTO, NFT_REG_2);
		lookup(r, s->arg, &to_verdict);
		break;
	case NFT_OP_OIF_PROTO_VMAP:
		load_meta(r, NFT_META_OIFNAME, NFT_REG_1);
		load_meta(r, NFT_META_L4PROTO, NFT_REG_2);
		lookup(r, s->arg, &to_verdict);
		break;
	case NFT_OP_IIF_MAC_NOT_IN:
		name_and_mac_not_in(r, s->arg);
		break;
	case NFT_OP_DPORT_IN:
		load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2, NFT_REG_1);
		lookup(r, s->arg, NULL);
		break;
	case NFT_OP_NO_SYN:
		no_syn(r);
		break;
	case NFT_OP_TO_LOCAL:
		to_local(r);
		break;
	case NFT_OP_FTP_HELPER:
		objref(r, NFT_OBJECT_CT_HELPER, NFT_HELPER_FTP);
		break;
	case NFT_OP_FLOW_ADD:
		flow_add(r);
		break;
	case NFT_OP_DNAT_LOCAL:
		dnat_local(r, s->arg, false);
		break;
	case NFT_OP_DNAT_INCOMING:
		dnat_local(r, s->arg, true);
		break;
	case NFT_OP_DNAT_CAPTURED:
		dnat_captured(r, s->arg, false);
		break;
	case NFT_OP_DNAT_BOUND:
		dnat_captured(r, s->arg, true);
		break;
	case NFT_OP_DNAT_CAPTURED6:
		dnat_captured6(r, s->arg);
		break;
	case NFT_OP_SNAT:
		load_meta(r, NFT_META_OIFNAME, NFT_REG_1);
		lookup(r, s->arg, &to_first);
		EXPR(r, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT},
		     {NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4},
		     {NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1});
		break;
	case NFT_OP_MASQUERADE:
		expr(r, "masq");
		break;
	case NFT_OP_OUT_AS:
		out_as(r, (struct ip4){s->arg}, s->more);
		break;
	case NFT_OP_ACCEPT:
		verdict(r, NF_ACCEPT, NULL);
		break;
	case NFT_OP_DROP:
		verdict(r, NF_DROP, NULL);
		break;
	case NFT_OP_RETURN:
		verdict(r, NFT_RETURN, NULL);
		break;
	case NFT_OP_JUMP:
		verdict(r, NFT_JUMP, nft_chains[s->arg].name);
		break;
	case NFT_OP_GOTO:
		verdict(r, NFT_GOTO, nft_chains[s->arg].name);
		break;
	case NFT_OP_REJECT_PORT:
		reject(r, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_PORT_UNREACH);
		break;
	case NFT_OP_REJECT_ADMIN:
		reject(r, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
		break;
	case NFT_OP_REJECT_RESET:
		reject(r, NFT_REJECT_TCP_RST, 0);
		break;
	}
}

void
nft_expr_rule(struct nft_batch *b, const char *chain, const struct nft_stmt *stmt)
{
	struct rule r = rule_new(b, chain);

	for (size_t i = 0; i < NFT_STMTS_MAX && stmt[i].op != NFT_OP_END; i++)
		put_stmt(&r, &stmt[i]);
	rule_end(&r);
}

void
nft_expr_timeout_rule(struct nft_batch *b, const char *chain, const char *object)
{
	struct rule r = rule_new(b, chain);

	objref(&r, NFT_OBJECT_CT_TIMEOUT, object);
	rule_end(&r);
}

/* As iptables has it: with the NUL, and without what may follow. */
static void
named(struct rule *r, uint32_t key, const char *name)
{
	load_meta(r, key, NFT_REG_1);
	compare(r, NFT_REG_1, NFT_CMP_EQ, name, (uint32_t)strlen(name) + 1);
}

static void
comment_rule(struct rule *r, const char *comment)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);

	if (u && r->r && nftnl_udata_put_strz(u, NFTNL_UDATA_RULE_COMMENT, comment))
		nftnl_rule_set_data(r->r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u),
				    nftnl_udata_buf_len(u));
	else
		r->b->bad = true;
	if (u)
		nftnl_udata_buf_free(u);
}

void
nft_expr_foreign_rule(struct nft_batch *b, const char *table, const char *chain,
		      const struct nft_foreign_rule *f, const char *comment)
{
	struct rule r = rule_in(b, table, chain);
	uint16_t dport = htons(f->dport);

	if (f->in[0])
		named(&r, NFT_META_IIFNAME, f->in);
	if (f->out[0])
		named(&r, NFT_META_OIFNAME, f->out);
	if (f->l4proto) {
		load_meta(&r, NFT_META_L4PROTO, NFT_REG_1);
		equals_u8(&r, f->l4proto);
		load_payload(&r, NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2, NFT_REG_1);
		compare(&r, NFT_REG_1, NFT_CMP_EQ, &dport, sizeof(dport));
	}
	expr(&r, "counter");
	verdict(&r, NF_ACCEPT, NULL);
	comment_rule(&r, comment);
	rule_put(&r, NFPROTO_IPV4, 0);
}
