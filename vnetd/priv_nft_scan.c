/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_scan.c - reads foreign rule sets. Only the kernel's replies are parsed, by libnftnl.
 *
 * A drop anywhere is final, and an accept of ours cannot undo it, so a foreign base chain with a
 * drop policy, or whose last rule drops, takes our guests' packets unless it lets them pass
 * itself.
 */
#include "priv_nft_scan.h"

#include <assert.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "priv_nft_plan.h"

enum {
	/* A cluster node's rule set; what lies beyond is not looked at. */
	CHAINS_MAX = 20000,
	LEGS_MAX = 50000,
	ELEMS_MAX = 100000,
	TRIES = 3,
};

struct reader {
	struct nft_sock *sock;
	struct nft_scan_rules r;
	size_t at;              /* the chain whose rules are being read */
	struct nft_leg_set set; /* the set whose elements are being read */
	bool interval;          /* it has intervals */
};

/* Room for one more; false when there is no memory or too much of it. */
static bool
grow(void **array, size_t *cap, size_t n, size_t max, size_t size)
{
	size_t want = *cap ? 2 * *cap : 64;
	void *p;

	if (n < *cap)
		return true;
	if (n >= max)
		return false;
	p = reallocarray(*array, want, size);
	if (!p)
		return false;
	*array = p;
	*cap = want;
	return true;
}

static void
rules_free(struct nft_scan_rules *r)
{
	free(r->chains);
	free(r->legs);
	free(r->elems);
	*r = (struct nft_scan_rules){0};
}

static void
add_chain(struct nft_scan_rules *r, const struct nftnl_chain *in, uint8_t family)
{
	const char *table = nftnl_chain_get_str(in, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(in, NFTNL_CHAIN_NAME);
	const char *type = nftnl_chain_get_str(in, NFTNL_CHAIN_TYPE);
	struct nft_scan_chain *c;
	uint32_t hook;

	if (!table || !name || (family == NFPROTO_INET && !strcmp(table, NFT_TABLE)) ||
	    !grow((void **)&r->chains, &r->chains_cap, r->nchains, CHAINS_MAX, sizeof(*r->chains)))
		return;
	c = &r->chains[r->nchains++];
	*c = (struct nft_scan_chain){.family = family};
	snprintf(c->table, sizeof(c->table), "%s", table);
	snprintf(c->name, sizeof(c->name), "%s", name);
	if (!nftnl_chain_is_set(in, NFTNL_CHAIN_HOOKNUM))
		return;
	hook = nftnl_chain_get_u32(in, NFTNL_CHAIN_HOOKNUM);
	c->base = (hook == NF_INET_LOCAL_IN || hook == NF_INET_FORWARD) && type &&
		  !strcmp(type, "filter");
	c->forward = hook == NF_INET_FORWARD;
	c->policy_drop = nftnl_chain_is_set(in, NFTNL_CHAIN_POLICY) &&
			 nftnl_chain_get_u32(in, NFTNL_CHAIN_POLICY) == NF_DROP;
}

static int
on_chain(const struct nlmsghdr *nlh, void *arg)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct reader *rd = arg;
	struct nftnl_chain *c;

	if (nfg->nfgen_family != NFPROTO_INET && nfg->nfgen_family != NFPROTO_IPV4)
		return 0;
	c = nftnl_chain_alloc();
	if (!c)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(nlh, c) == 0)
		add_chain(&rd->r, c, nfg->nfgen_family);
	nftnl_chain_free(c);
	return 0;
}

static int
on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct reader *rd = arg;
	struct nft_scan_rules *r = &rd->r;
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return -ENOMEM;
	/* A rule that the library does not understand says nothing; it may be newer than we are. */
	if (nftnl_rule_nlmsg_parse(nlh, rule) == 0 &&
	    grow((void **)&r->legs, &r->legs_cap, r->nlegs, LEGS_MAX, sizeof(*r->legs)) &&
	    nft_leg_of_rule(&r->legs[r->nlegs], rule)) {
		r->nlegs++;
		r->chains[rd->at].n++;
	}
	nftnl_rule_free(rule);
	return 0;
}

static int
on_elem(struct nftnl_set_elem *e, void *arg)
{
	struct reader *rd = arg;
	struct nft_scan_rules *r = &rd->r;
	struct nft_leg_elem *to;

	if (!grow((void **)&r->elems, &r->elems_cap, r->nelems, ELEMS_MAX, sizeof(*r->elems)))
		return 0;
	to = &r->elems[r->nelems];
	if (!nft_leg_of_elem(to, e))
		return 0;
	if (to->end) {
		rd->interval = true;
	} else {
		r->nelems++;
		rd->set.n++;
	}
	return 0;
}

static int
on_elems(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return -ENOMEM;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) == 0)
		nftnl_set_elem_foreach(set, on_elem, arg);
	nftnl_set_free(set);
	return 0;
}

/* Rules of a chain, or elements of a set: both requests name the table first, the object second. */
static int
dump(struct reader *rd, uint16_t type, const char *object,
     int (*cb)(const struct nlmsghdr *nlh, void *arg))
{
	const struct nft_scan_chain *c = &rd->r.chains[rd->at];
	uint8_t buf[1024];
	struct nlmsghdr *nlh = nft_sock_request(buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
						NLM_F_DUMP, c->family);
	int r;

	static_assert((int)NFTA_RULE_TABLE == (int)NFTA_SET_ELEM_LIST_TABLE &&
			  (int)NFTA_RULE_CHAIN == (int)NFTA_SET_ELEM_LIST_SET,
		      "both requests are alike");
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, c->table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, object);
	r = nft_sock_ask(rd->sock, nlh, cb, rd);
	return r == -ENOENT ? 0 : r; /* gone meanwhile */
}

static int
read_set(struct reader *rd, struct nft_leg_set *set)
{
	int r;

	if (!set->name[0])
		return 0;
	rd->set = *set;
	rd->set.first = rd->r.nelems;
	rd->interval = false;
	r = dump(rd, NFT_MSG_GETSETELEM, rd->set.name, on_elems);
	/* In a set with intervals a name begins a range: usually all names that begin so. */
	for (size_t i = 0; rd->interval && i < rd->set.n; i++) {
		char *name = rd->r.elems[rd->set.first + i].name;
		size_t n = strlen(name);

		if (n > 0 && n + 2 <= NFT_LEG_IFNAME)
			memcpy(name + n, "*", 2);
	}
	*set = rd->set;
	return r;
}

/* Reads the rules of the chain rd->at, then the sets that they look into. */
static int
read_chain(struct reader *rd)
{
	size_t first = rd->r.nlegs;
	int r;

	rd->r.chains[rd->at].first = first;
	r = dump(rd, NFT_MSG_GETRULE, rd->r.chains[rd->at].name, on_rule);
	for (size_t i = first; r == 0 && i < rd->r.nlegs; i++) {
		struct nft_leg *l = &rd->r.legs[i];

		r = read_set(rd, &l->in.set);
		if (r == 0)
			r = read_set(rd, &l->out.set);
		if (r == 0)
			r = read_set(rd, &l->ports);
		if (r == 0)
			r = read_set(rd, &l->states);
	}
	return r;
}

/* The chain's table has a base chain that filters. */
static bool
filters(const struct nft_scan_rules *r, const struct nft_scan_chain *c)
{
	for (size_t i = 0; i < r->nchains; i++)
		if (r->chains[i].base && r->chains[i].family == c->family &&
		    !strcmp(r->chains[i].table, c->table))
			return true;
	return false;
}

static int
read_all(struct reader *rd)
{
	uint8_t buf[256];
	struct nlmsghdr *nlh = nft_sock_request(buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
						NLM_F_DUMP, NFPROTO_UNSPEC);
	int r = nft_sock_ask(rd->sock, nlh, on_chain, rd);

	for (rd->at = 0; r == 0 && rd->at < rd->r.nchains; rd->at++)
		if (filters(&rd->r, &rd->r.chains[rd->at]))
			r = read_chain(rd);
	return r;
}

/* -- the uplink -- */

static int
on_route_attr(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		*(unsigned *)arg = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int
on_route(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWROUTE)
		mnl_attr_parse(nlh, sizeof(struct rtmsg), on_route_attr, arg);
	return MNL_CB_OK;
}

/* Asks the kernel how it would reach a public address. Nothing is sent there. */
static void
find_uplink(char name[NFT_LEG_IFNAME])
{
	const uint32_t public = htonl(0xc6290004); /* a root name server: public for good */
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	uint8_t buf[8192];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	char real[IF_NAMESIZE];
	unsigned index = 0;
	ssize_t n;

	name[0] = '\0';
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rt->rtm_family = AF_INET;
	rt->rtm_dst_len = 32;
	mnl_attr_put_u32(nlh, RTA_DST, public);
	if (!nl)
		return;
	/* The kernel answers while it is asked; an error is an answer too. */
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) >= 0 &&
	    (n = mnl_socket_recvfrom(nl, buf, sizeof(buf))) > 0)
		mnl_cb_run(buf, (size_t)n, 0, 0, on_route, &index);
	mnl_socket_close(nl);
	if (index && if_indextoname(index, real))
		snprintf(name, NFT_LEG_IFNAME, "%s", real);
}

int
nft_scan(struct nft_sock *sock, struct nft_scan_question *q,
	 void (*row)(const struct msg_firewall_row *r, void *arg), void *arg)
{
	struct reader rd;
	int r = -EINTR;

	/* Somebody may be changing rules just now; then what was read is not one rule set. */
	for (int i = 0; i < TRIES && r == -EINTR; i++) {
		rd = (struct reader){.sock = sock};
		r = read_all(&rd);
		if (r < 0)
			rules_free(&rd.r);
	}
	if (r < 0)
		return r;
	find_uplink(q->uplink);
	for (size_t i = 0; i < rd.r.nchains; i++) {
		struct msg_firewall_row out;

		if (rd.r.chains[i].base && nft_judge(&rd.r, &rd.r.chains[i], q, &out))
			row(&out, arg);
	}
	rules_free(&rd.r);
	return 0;
}
