/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_build.c - translates a plan into nf_tables messages: libnftnl for table, sets, chains
 * and rules, bare attributes for set elements, of which there may be many. No system calls.
 */
#include "priv_nft_build.h"

#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_cttimeout.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

enum {
	/* A list of elements is one attribute, whose length has 16 bits; stay well below. */
	ELEMS_BYTES = 32 * 1024,
};

/* Numbers that nft gives to data types; the kernel only keeps them for whoever lists the table. */
static uint32_t
type_number(enum nft_type t)
{
	switch (t) {
	case NFT_T_IFNAME:
		return 41;
	case NFT_T_ADDR:
		return 7;
	case NFT_T_ADDR6:
		return 8;
	case NFT_T_PROTO:
		return 12;
	case NFT_T_PORT:
		return 13;
	case NFT_T_MAC:
		return 9;
	case NFT_T_VERDICT:
		return NFT_DATA_VERDICT;
	case NFT_T_NONE:
		break;
	}
	return 0;
}

/* nft packs the types of a concatenation into six bits each. */
static uint32_t
types_number(const enum nft_type t[2])
{
	if (t[1] == NFT_T_NONE)
		return type_number(t[0]);
	return type_number(t[0]) << 6 | type_number(t[1]);
}

/* Bytes of one field, padded to registers. */
static uint32_t
type_len(enum nft_type t)
{
	switch (t) {
	case NFT_T_IFNAME:
		return NFT_IFNAME_LEN;
	case NFT_T_ADDR6:
		return 16;
	case NFT_T_ADDR:
	case NFT_T_PROTO:
	case NFT_T_PORT:
		return 4;
	case NFT_T_MAC:
		return 8;
	case NFT_T_VERDICT:
	case NFT_T_NONE:
		break;
	}
	return 0;
}

/* The true width of a field, for interval sets, which are told where fields end. */
static uint8_t
field_len(enum nft_type t)
{
	switch (t) {
	case NFT_T_IFNAME:
	case NFT_T_ADDR:
	case NFT_T_ADDR6:
		return (uint8_t)type_len(t);
	case NFT_T_PROTO:
		return 1;
	case NFT_T_PORT:
		return 2;
	case NFT_T_MAC:
		return 6;
	case NFT_T_VERDICT:
	case NFT_T_NONE:
		break;
	}
	return 0;
}

/* Only the fields of a concatenation are padded. */
static uint32_t
key_len(const enum nft_type key[2])
{
	if (key[1] == NFT_T_NONE)
		return field_len(key[0]);
	return type_len(key[0]) + type_len(key[1]);
}

/* -- table -- */

static void
put_table(struct nft_batch *b, uint16_t type, uint16_t nlflags, uint32_t flags)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *nlh = t ? nft_batch_msg(b, type, nlflags) : NULL;

	if (!nlh) {
		b->bad = true;
		if (t)
			nftnl_table_free(t);
		return;
	}
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, NFT_TABLE);
	if (flags)
		nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, flags);
	nftnl_table_nlmsg_build_payload(nlh, t);
	nft_batch_put(b, nlh);
	nftnl_table_free(t);
}

void
nft_build_delete(struct nft_batch *b)
{
	put_table(b, NFT_MSG_DELTABLE, 0, 0);
}

void
nft_build_table(struct nft_batch *b, uint32_t flags)
{
	put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, flags);
}

/* -- sets -- */

/* nft keeps the byte order of keys beside a set, and without it lists interface names as empty. */
static void
set_userdata(struct nftnl_set *s)
{
	enum { HOST_ENDIAN = 1 };
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(64);

	if (!u)
		return; /* a matter of looks only */
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER, HOST_ENDIAN);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

static void
put_set(struct nft_batch *b, enum nft_set id)
{
	const struct nft_set_def *d = &nft_sets[id];
	struct nftnl_set *s = nftnl_set_alloc();
	struct nlmsghdr *nlh =
	    s ? nft_batch_msg(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL) : NULL;
	uint32_t flags = 0;

	if (!nlh) {
		b->bad = true;
		if (s)
			nftnl_set_free(s);
		return;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, d->name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)id + 1);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, types_number(d->key));
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, key_len(d->key));
	if (d->val[0] != NFT_T_NONE) {
		flags |= NFT_SET_MAP;
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, types_number(d->val));
		if (d->val[0] != NFT_T_VERDICT)
			nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN,
					  type_len(d->val[0]) + type_len(d->val[1]));
	}
	if (d->interval) {
		uint8_t fields[2] = {field_len(d->key[0]), field_len(d->key[1])};

		flags |= NFT_SET_INTERVAL | NFT_SET_CONCAT;
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, fields, sizeof(fields));
	}
	if (flags)
		nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	if (d->key[0] == NFT_T_IFNAME && d->key[1] == NFT_T_NONE)
		set_userdata(s);
	nftnl_set_nlmsg_build_payload(nlh, s);
	nft_batch_put(b, nlh);
	nftnl_set_free(s);
}

/* A NEWSETELEM or DELSETELEM message being filled. */
struct elems {
	struct nft_batch *b;
	const struct nft_set_def *set;
	bool gone;            /* they are deleted, by key */
	struct nlmsghdr *nlh; /* NULL: none open */
	struct nlattr *list;
};

static void
elems_open(struct elems *x)
{
	/* An element that is there already is a fault of ours; but forwards of several addresses share a port. */
	uint16_t excl = x->set == &nft_sets[NFT_SET_FTP_PORTS] ? 0 : NLM_F_EXCL;

	x->nlh = x->gone ? nft_batch_msg(x->b, NFT_MSG_DELSETELEM, 0)
			 : nft_batch_msg(x->b, NFT_MSG_NEWSETELEM, NLM_F_CREATE | excl);
	if (!x->nlh)
		return;
	mnl_attr_put_strz(x->nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(x->nlh, NFTA_SET_ELEM_LIST_SET, x->set->name);
	x->list = mnl_attr_nest_start(x->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void
elems_close(struct elems *x)
{
	if (!x->nlh)
		return;
	mnl_attr_nest_end(x->nlh, x->list);
	nft_batch_put(x->b, x->nlh);
	x->nlh = NULL;
}

static void
put_value(struct nlmsghdr *nlh, uint16_t attr, const void *data, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_verdict(struct nlmsghdr *nlh, const struct nft_elem *e)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)(e->jump ? NFT_JUMP : NFT_GOTO)));
	mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, e->chain);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, data);
}

static void
put_elem(const struct nft_elem *e, void *arg)
{
	struct elems *x = arg;
	struct nlattr *nest;

	if (x->nlh && x->nlh->nlmsg_len > ELEMS_BYTES)
		elems_close(x);
	if (!x->nlh)
		elems_open(x);
	if (!x->nlh)
		return;
	nest = mnl_attr_nest_start(x->nlh, NFTA_LIST_ELEM);
	put_value(x->nlh, NFTA_SET_ELEM_KEY, e->key, e->klen);
	if (x->set->interval)
		put_value(x->nlh, NFTA_SET_ELEM_KEY_END, e->key_end, e->klen);
	if (x->gone)
		; /* the key says it all */
	else if (e->chain[0])
		put_verdict(x->nlh, e);
	else if (e->vlen)
		put_value(x->nlh, NFTA_SET_ELEM_DATA, e->val, e->vlen);
	mnl_attr_nest_end(x->nlh, nest);
}

static void
put_elems(struct nft_batch *b, const struct nft_plan *p, enum nft_set id)
{
	struct elems x = {.b = b, .set = &nft_sets[id]};

	nft_plan_elems(p, id, put_elem, &x);
	elems_close(&x);
}

/* Forwards of two addresses can share a port: it goes with the last, and once. */
static bool
keeps_ftp_port(const struct nft_plan *p, const struct msg_nat_forward *gone, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (gone[k].port == gone[i].port && nft_forward_is_ftp(p, &gone[k]))
			return true;
	for (size_t k = 0; k < p->nforwards; k++)
		if (p->forwards[k].port == gone[i].port && nft_forward_is_ftp(p, &p->forwards[k]))
			return true;
	return false;
}

static void
put_ftp_ports(struct nft_batch *b, const struct nft_plan *p, const struct msg_nat_forward *f,
	      size_t n, bool gone)
{
	struct elems x = {.b = b, .set = &nft_sets[NFT_SET_FTP_PORTS], .gone = gone};

	for (size_t i = 0; i < n; i++) {
		struct nft_elem e = nft_ftp_elem(&f[i]);

		if (nft_forward_is_ftp(p, &f[i]) && !(gone && keeps_ftp_port(p, f, i)))
			put_elem(&e, &x);
	}
	elems_close(&x);
}

static void
put_forwards(struct nft_batch *b, enum nft_set map, const struct msg_nat_forward *f, size_t n,
	     bool gone)
{
	struct elems x = {.b = b, .set = &nft_sets[map], .gone = gone};

	for (size_t i = 0; i < n; i++) {
		struct nft_elem e = nft_forward_elem(&f[i]);

		if (nft_forward_map(&f[i]) == map)
			put_elem(&e, &x);
	}
	elems_close(&x);
}

void
nft_build_change(struct nft_batch *b, const struct nft_plan *p, const struct nft_change *c)
{
	static const enum nft_set maps[] = {NFT_MAP_FORWARDS, NFT_MAP_BOUND_TCP, NFT_MAP_BOUND_UDP};

	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		put_forwards(b, maps[i], c->gone, c->ngone, true);
		put_forwards(b, maps[i], c->come, c->ncome, false);
	}
	put_ftp_ports(b, p, c->gone, c->ngone, true);
	put_ftp_ports(b, p, c->come, c->ncome, false);
}

/* -- chains -- */

static void
put_chain(struct nft_batch *b, const char *name, const struct nft_chain_def *base)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *nlh = c ? nft_batch_msg(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE) : NULL;

	if (!nlh) {
		b->bad = true;
		if (c)
			nftnl_chain_free(c);
		return;
	}
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NFT_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	if (base) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, base->type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, base->hooknum);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, base->priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(nlh, c);
	nft_batch_put(b, nlh);
	nftnl_chain_free(c);
}

/* A stateful object being made; its data follow. NULL: no memory. */
static struct nlmsghdr *
begin_object(struct nft_batch *b, const char *name, uint32_t type)
{
	struct nlmsghdr *nlh = nft_batch_msg(b, NFT_MSG_NEWOBJ, NLM_F_CREATE);

	if (!nlh)
		return NULL;
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(type));
	return nlh;
}

/* Only the states that nat.conf means: what is left out stays as the host has it. */
static void
put_states(struct nlmsghdr *nlh, const struct nft_timeout *t)
{
	if (t->proto == PROTO_TCP) {
		mnl_attr_put_u32(nlh, CTA_TIMEOUT_TCP_TIME_WAIT, htonl(t->seconds));
		return;
	}
	/* Before and after the first answer; VMware knows one timeout only. */
	mnl_attr_put_u32(nlh, CTA_TIMEOUT_UDP_UNREPLIED, htonl(t->seconds));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT_UDP_REPLIED, htonl(t->seconds));
}

static void
put_timeout(struct nft_batch *b, const struct nft_timeout *t)
{
	struct nlattr *data, *states;
	struct nlmsghdr *nlh;
	char object[32], chain[32];

	nft_timeout_object(object, sizeof(object), t);
	nft_timeout_chain(chain, sizeof(chain), t);
	nlh = begin_object(b, object, NFT_OBJECT_CT_TIMEOUT);
	if (!nlh)
		return;
	data = mnl_attr_nest_start(nlh, NFTA_OBJ_DATA);
	mnl_attr_put_u16(nlh, NFTA_CT_TIMEOUT_L3PROTO, htons(NFPROTO_IPV4));
	mnl_attr_put_u8(nlh, NFTA_CT_TIMEOUT_L4PROTO,
			t->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP);
	states = mnl_attr_nest_start(nlh, NFTA_CT_TIMEOUT_DATA);
	put_states(nlh, t);
	mnl_attr_nest_end(nlh, states);
	mnl_attr_nest_end(nlh, data);
	nft_batch_put(b, nlh);
	put_chain(b, chain, NULL);
	nft_expr_timeout_rule(b, chain, object);
}

/* What follows FTP. Its connections are given to it by rules of ours, and by no other rule. */
static void
put_ftp_helper(struct nft_batch *b)
{
	struct nlmsghdr *nlh = begin_object(b, NFT_HELPER_FTP, NFT_OBJECT_CT_HELPER);
	struct nlattr *data;

	if (!nlh)
		return;
	data = mnl_attr_nest_start(nlh, NFTA_OBJ_DATA);
	mnl_attr_put_strz(nlh, NFTA_CT_HELPER_NAME, "ftp");
	mnl_attr_put_u16(nlh, NFTA_CT_HELPER_L3PROTO, htons(NFPROTO_IPV4));
	mnl_attr_put_u8(nlh, NFTA_CT_HELPER_L4PROTO, IPPROTO_TCP);
	mnl_attr_nest_end(nlh, data);
	nft_batch_put(b, nlh);
}

/* -- flowtable -- */

/* Its bytes are counted for their connections, as those of other packets are. */
static void
put_flowtable(struct nft_batch *b, uint16_t type, uint16_t nlflags, const char *ifname)
{
	struct nlmsghdr *nlh = nft_batch_msg(b, type, nlflags);
	struct nlattr *hook, *devs;

	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_FLOWTABLE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_FLOWTABLE_NAME, NFT_FLOWTABLE);
	hook = mnl_attr_nest_start(nlh, NFTA_FLOWTABLE_HOOK);
	mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_HOOK_NUM, htonl(NF_NETDEV_INGRESS));
	mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_HOOK_PRIORITY, htonl(0));
	if (ifname) {
		devs = mnl_attr_nest_start(nlh, NFTA_FLOWTABLE_HOOK_DEVS);
		mnl_attr_put_strz(nlh, NFTA_DEVICE_NAME, ifname);
		mnl_attr_nest_end(nlh, devs);
	}
	mnl_attr_nest_end(nlh, hook);
	if (type == NFT_MSG_NEWFLOWTABLE)
		mnl_attr_put_u32(nlh, NFTA_FLOWTABLE_FLAGS, htonl(NFT_FLOWTABLE_COUNTER));
	nft_batch_put(b, nlh);
}

void
nft_build_flow_dev(struct nft_batch *b, const char *ifname, bool gone)
{
	if (gone)
		put_flowtable(b, NFT_MSG_DELFLOWTABLE, 0, ifname);
	else
		put_flowtable(b, NFT_MSG_NEWFLOWTABLE, NLM_F_CREATE, ifname);
}

struct way {
	struct nft_batch *b;
	const char *chain;
};

static void
put_way_rule(const struct nft_stmt *stmt, void *arg)
{
	const struct way *w = arg;

	nft_expr_rule(w->b, w->chain, stmt);
}

static void
put_ways(struct nft_batch *b, const struct nft_plan *p)
{
	char chain[32];

	for (size_t i = 0; i < p->nnets; i++) {
		if (!nft_way_has_chain(&p->nets[i]))
			continue;
		nft_way_chain(chain, sizeof(chain), &p->nets[i]);
		put_chain(b, chain, NULL);
		nft_way_rules(&p->nets[i], put_way_rule, &(struct way){b, chain});
	}
}

void
nft_build_plan(struct nft_batch *b, const struct nft_plan *p)
{
	for (size_t i = 0; i < p->ntimeouts && !p->no_timeouts; i++)
		put_timeout(b, &p->timeouts[i]);
	if (p->any_ftp && !p->no_ftp)
		put_ftp_helper(b);
	if (nft_plan_has_flowtable(p))
		put_flowtable(b, NFT_MSG_NEWFLOWTABLE, NLM_F_CREATE, NULL);
	put_ways(b, p);
	for (unsigned c = 0; c < NFT_CHAIN_N; c++)
		if (nft_plan_has_chain(p, c))
			put_chain(b, nft_chains[c].name,
				  nft_chains[c].type ? &nft_chains[c] : NULL);
	for (unsigned s = 0; s < NFT_SET_N; s++) {
		if (!nft_plan_has_set(p, s))
			continue;
		put_set(b, s);
		put_elems(b, p, s);
	}
	for (size_t i = 0; i < nft_nrules; i++)
		if (nft_plan_has_rule(p, &nft_rules[i]))
			nft_expr_rule(b, nft_chains[nft_rules[i].chain].name, nft_rules[i].stmt);
}
