/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_legs.c - follows the expressions of one foreign rule as far as we need to understand it.
 *
 * Every expression that is neither understood nor known to be harmless counts as a condition that
 * may hold or not (NFT_COND_OTHER).
 */
#include "priv_nft_legs.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

enum { DNS_PORT = 53, TH_DPORT = 2 };

/* What the last load has put into a register. */
enum loaded {
	LOADED_OTHER,
	LOADED_IN,
	LOADED_OUT,
	LOADED_IN_INDEX,
	LOADED_OUT_INDEX,
	LOADED_NFPROTO,
	LOADED_L4PROTO,
	LOADED_DPORT,
	LOADED_CT,
};

struct reading {
	struct nft_leg *leg;
	enum loaded loaded;
	uint32_t reg;
	bool never; /* cannot match IPv4 */
};

/* A name as it stands in a register: without a NUL it is the beginning of one. */
static void
name_of(char out[NFT_LEG_IFNAME], const void *data, size_t len)
{
	size_t n = strnlen(data, len);

	if (n > IFNAMSIZ - 1)
		n = IFNAMSIZ - 1;
	snprintf(out, NFT_LEG_IFNAME, "%.*s%s", (int)n, (const char *)data,
		 n == len && n < IFNAMSIZ - 1 ? "*" : "");
}

static void
on_meta(struct reading *r, struct nftnl_expr *e)
{
	static const struct {
		uint32_t key;
		enum loaded loaded;
	} keys[] = {
	    {NFT_META_IIFNAME, LOADED_IN},      {NFT_META_OIFNAME, LOADED_OUT},
	    {NFT_META_IIF, LOADED_IN_INDEX},    {NFT_META_OIF, LOADED_OUT_INDEX},
	    {NFT_META_NFPROTO, LOADED_NFPROTO}, {NFT_META_L4PROTO, LOADED_L4PROTO},
	};
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY);

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		return; /* sets a mark or the like */
	r->reg = nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG);
	r->loaded = LOADED_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].key == key)
			r->loaded = keys[i].loaded;
}

static void
on_payload(struct reading *r, struct nftnl_expr *e)
{
	r->reg = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG);
	r->loaded =
	    nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE) == NFT_PAYLOAD_TRANSPORT_HEADER &&
		    nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET) == TH_DPORT
		? LOADED_DPORT
		: LOADED_OTHER;
}

static void
on_ct(struct reading *r, struct nftnl_expr *e)
{
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		return; /* sets a mark or the like */
	r->reg = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG);
	r->loaded = LOADED_CT;
}

/* Two conditions on the same side, or something unforeseen: more than we can say. */
static void
set_ifname(struct reading *r, struct nft_leg_if *c, bool not, const char *name)
{
	if (c->name[0] || c->set.name[0] || !name[0])
		r->leg->cond |= NFT_COND_OTHER;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->not = not ;
}

static void
compare_ifname(struct reading *r, bool equal, const uint8_t *data, uint32_t len)
{
	bool in = r->loaded == LOADED_IN || r->loaded == LOADED_IN_INDEX;
	char name[NFT_LEG_IFNAME] = "", real[IF_NAMESIZE];
	uint32_t index;

	if (r->loaded == LOADED_IN || r->loaded == LOADED_OUT) {
		name_of(name, data, len);
	} else if (len == sizeof(index)) {
		memcpy(&index, data, sizeof(index));
		if (if_indextoname(index, real))
			snprintf(name, sizeof(name), "%s", real);
	}
	set_ifname(r, in ? &r->leg->in : &r->leg->out, !equal, name);
}

static void
on_cmp(struct reading *r, struct nftnl_expr *e)
{
	uint32_t len = 0;
	const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP);
	bool equal = op == NFT_CMP_EQ;
	enum loaded loaded = r->loaded;

	if (!data || len == 0 || nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG) != r->reg ||
	    (!equal && op != NFT_CMP_NEQ))
		loaded = LOADED_OTHER;
	switch (loaded) {
	case LOADED_IN:
	case LOADED_OUT:
	case LOADED_IN_INDEX:
	case LOADED_OUT_INDEX:
		compare_ifname(r, equal, data, len);
		break;
	case LOADED_NFPROTO:
		r->never |= equal != (data[0] == NFPROTO_IPV4);
		break;
	case LOADED_L4PROTO:
		r->leg->cond |= equal && data[0] == IPPROTO_UDP ? NFT_COND_UDP : NFT_COND_OTHER;
		break;
	case LOADED_DPORT:
		r->leg->cond |= equal && len == 2 && (data[0] << 8 | data[1]) == DNS_PORT
				    ? NFT_COND_DNS
				    : NFT_COND_OTHER;
		break;
	case LOADED_CT:
		r->leg->cond |= NFT_COND_CT;
		break;
	case LOADED_OTHER:
		r->leg->cond |= NFT_COND_OTHER;
		break;
	}
}

static void
look_into(struct nft_leg_set *set, const char *name)
{
	snprintf(set->name, sizeof(set->name), "%s", name);
}

static void
on_lookup(struct reading *r, struct nftnl_expr *e)
{
	struct nft_leg *leg = r->leg;
	struct nft_leg_if *c = r->loaded == LOADED_IN ? &leg->in : &leg->out;
	const char *set = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
	bool vmap = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG);
	bool not = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_FLAGS) &&
		   nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;

	/* Also when the register is the second half of a concatenation. */
	if (!set || nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG) != r->reg ||
	    (vmap && nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG) != NFT_REG_VERDICT)) {
		leg->cond |= NFT_COND_OTHER;
	} else if (r->loaded == LOADED_IN || r->loaded == LOADED_OUT) {
		if (c->name[0] || c->set.name[0])
			leg->cond |= NFT_COND_OTHER;
		look_into(&c->set, set);
		c->not = not ;
		if (vmap)
			leg->vmap = r->loaded == LOADED_IN ? NFT_VMAP_IN : NFT_VMAP_OUT;
	} else if (r->loaded == LOADED_CT) {
		leg->cond |= NFT_COND_CT;
		if (vmap) {
			look_into(&leg->states, set);
			leg->vmap = NFT_VMAP_CT;
		}
	} else if (r->loaded == LOADED_DPORT && !vmap && !not ) {
		look_into(&leg->ports, set);
	} else {
		leg->cond |= NFT_COND_OTHER;
	}
}

static enum nft_leg_verdict
verdict_of(uint32_t code, const char *chain, char target[NFT_NAME_CAP])
{
	switch ((int)code) {
	case NF_ACCEPT:
		return NFT_LEG_ACCEPT;
	case NF_DROP:
		return NFT_LEG_DROP;
	case NFT_RETURN:
		return NFT_LEG_RETURN;
	case NFT_JUMP:
	case NFT_GOTO:
		snprintf(target, NFT_NAME_CAP, "%s", chain ? chain : "");
		return (int)code == NFT_JUMP ? NFT_LEG_JUMP : NFT_LEG_GOTO;
	default:
		return NFT_LEG_NONE;
	}
}

static void
on_immediate(struct reading *r, struct nftnl_expr *e)
{
	if (nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG) == NFT_REG_VERDICT)
		r->leg->verdict =
		    verdict_of(nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT),
			       nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN), r->leg->target);
}

/* Extensions of iptables. As a verdict only these drop; the others, like LOG, change nothing. */
static void
on_target(struct reading *r, struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);

	if (name && (!strcmp(name, "REJECT") || !strcmp(name, "DROP")))
		r->leg->verdict = NFT_LEG_DROP;
}

static void
on_match(struct reading *r, struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME);

	if (name && !strcmp(name, "comment"))
		return;
	r->leg->cond |= name && (!strcmp(name, "conntrack") || !strcmp(name, "state"))
			    ? NFT_COND_CT
			    : NFT_COND_OTHER;
}

static void
on_reject(struct reading *r, struct nftnl_expr *e UNUSED)
{
	r->leg->verdict = NFT_LEG_DROP;
}

/* Neither asks nor decides. */
static void
on_nothing(struct reading *r UNUSED, struct nftnl_expr *e UNUSED)
{
}

static int
on_expr(struct nftnl_expr *e, void *arg)
{
	static const struct {
		const char *name;
		void (*on)(struct reading *r, struct nftnl_expr *e);
	} known[] = {
	    {"meta", on_meta},     {"payload", on_payload}, {"ct", on_ct},
	    {"cmp", on_cmp},       {"lookup", on_lookup},   {"immediate", on_immediate},
	    {"target", on_target}, {"match", on_match},     {"reject", on_reject},
	    {"log", on_nothing},   {"counter", on_nothing}, {"notrack", on_nothing},
	    {"last", on_nothing},  {"bitwise", on_nothing}, /* its result is compared */
	};
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct reading *r = arg;

	for (size_t i = 0; name && i < ARRAY_LEN(known); i++) {
		if (!strcmp(known[i].name, name)) {
			known[i].on(r, e);
			return 0;
		}
	}
	r->leg->cond |= NFT_COND_OTHER;
	r->loaded = LOADED_OTHER;
	return 0;
}

bool
nft_leg_of_rule(struct nft_leg *leg, struct nftnl_rule *rule)
{
	struct reading r = {.leg = leg};

	*leg = (struct nft_leg){0};
	nftnl_expr_foreach(rule, on_expr, &r);
	return !r.never && (leg->verdict != NFT_LEG_NONE || leg->vmap != NFT_VMAP_NONE);
}

bool
nft_leg_of_elem(struct nft_leg_elem *out, struct nftnl_set_elem *e)
{
	uint32_t len = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);

	*out = (struct nft_leg_elem){0};
	if (!key)
		return false;
	out->end = nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS) &&
		   nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END;
	if (len >= IFNAMSIZ)
		name_of(out->name, key, IFNAMSIZ);
	if (len >= 2)
		out->port53 = (key[0] << 8 | key[1]) == DNS_PORT;
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_VERDICT))
		out->verdict =
		    verdict_of(nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_VERDICT),
			       nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN), out->target);
	return true;
}
