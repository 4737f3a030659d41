/* SPDX-License-Identifier: GPL-2.0-or-later
 * nl_tc.c - requests about clsact and ingress qdiscs and the one filter that we have on each hook. No policy.
 *
 * Our filter is known by its priority, its handle and its kind. The priority is the first there is: a
 * filter before it that accepts a frame would end the list, and the gate would not be asked.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "vnetd/nl.h"

#define FILTER_PRIORITY 1u
#define FILTER_HANDLE   0x766eu /* "vn" */
#define FILTER_KIND     "bpf"
#define FILTER_NAME     "vnetd" /* for people who look at it by tc */

static uint32_t
parent_of(enum nl_hook hook)
{
	return TC_H_MAKE(TC_H_CLSACT, hook == NL_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

static struct nlmsghdr *
begin(struct nl *nl, uint16_t type, uint16_t flags, int ifindex, struct tcmsg **tcm)
{
	void *extra;
	struct nlmsghdr *h = nl_begin(nl, type, flags, &extra, sizeof(**tcm));

	*tcm = extra;
	(*tcm)->tcm_ifindex = ifindex;
	return h;
}

/* kind: NULL: any. */
static struct nlmsghdr *
begin_qdisc(struct nl *nl, uint16_t type, uint16_t flags, int ifindex, const char *kind)
{
	struct tcmsg *tcm;
	struct nlmsghdr *h = begin(nl, type, flags, ifindex, &tcm);

	/* The numbers of an ingress qdisc are the same. */
	tcm->tcm_parent = TC_H_CLSACT;
	tcm->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	if (kind)
		mnl_attr_put_strz(h, TCA_KIND, kind);
	return h;
}

static struct nlmsghdr *
begin_filter(struct nl *nl, uint16_t type, uint16_t flags, int ifindex, enum nl_hook hook)
{
	struct tcmsg *tcm;
	struct nlmsghdr *h = begin(nl, type, flags, ifindex, &tcm);

	tcm->tcm_parent = parent_of(hook);
	tcm->tcm_handle = FILTER_HANDLE;
	tcm->tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(h, TCA_KIND, FILTER_KIND);
	return h;
}

static const char *
kind_of(enum nl_hooks hooks)
{
	return hooks == NL_BOTH ? "clsact" : "ingress";
}

int
nl_tc_open(struct nl *nl, int ifindex, enum nl_hooks hooks)
{
	int r;

	begin_qdisc(nl, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex, kind_of(hooks));
	r = nl_ack(nl);
	return r == -EEXIST ? 0 : r;
}

bool
nl_tc_has_egress(struct nl *nl, int ifindex)
{
	/* EINVAL: it is of another kind. */
	begin_qdisc(nl, RTM_GETQDISC, 0, ifindex, kind_of(NL_BOTH));
	return nl_ack(nl) == 0;
}

int
nl_tc_attach(struct nl *nl, int ifindex, enum nl_hook hook, int prog)
{
	struct nlmsghdr *h =
	    begin_filter(nl, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, ifindex, hook);
	struct nlattr *options = mnl_attr_nest_start(h, TCA_OPTIONS);

	mnl_attr_put_u32(h, TCA_BPF_FD, (uint32_t)prog);
	mnl_attr_put_strz(h, TCA_BPF_NAME, FILTER_NAME);
	mnl_attr_put_u32(h, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	/* A network card that could run it would not have our maps. */
	mnl_attr_put_u32(h, TCA_BPF_FLAGS_GEN, TCA_CLS_FLAGS_SKIP_HW);
	mnl_attr_nest_end(h, options);
	return nl_ack(nl);
}

int
nl_tc_detach(struct nl *nl, int ifindex, enum nl_hook hook)
{
	int r;

	begin_filter(nl, RTM_DELTFILTER, 0, ifindex, hook);
	r = nl_ack(nl);
	/* EINVAL: there is no clsact qdisc. */
	return r == -EINVAL ? -ENOENT : r;
}

/* What a dump of one hook's filters shows. */
struct found {
	int ifindex;
	uint32_t parent;
	uint32_t id; /* program of ours */
	bool others; /* somebody else's filter */
};

static uint32_t
program_id(const struct nlattr *options)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, options) if (mnl_attr_get_type(a) == TCA_BPF_ID &&
						 mnl_attr_validate(a, MNL_TYPE_U32) >=
						     0) return mnl_attr_get_u32(a);
	return 0;
}

static void
on_filter(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(h);
	const struct nlattr *a, *options = NULL;
	struct found *f = arg;
	bool is_bpf = false;

	if (h->nlmsg_type != RTM_NEWTFILTER || mnl_nlmsg_get_payload_len(h) < sizeof(*tcm) ||
	    tcm->tcm_ifindex != f->ifindex || tcm->tcm_parent != f->parent)
		return;
	/* Before the filters of one priority comes a message about the priority itself. */
	if (tcm->tcm_handle == 0)
		return;
	mnl_attr_for_each(a, h, sizeof(*tcm))
	{
		if (mnl_attr_get_type(a) == TCA_KIND)
			is_bpf = mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 &&
				 !strcmp(mnl_attr_get_str(a), FILTER_KIND);
		else if (mnl_attr_get_type(a) == TCA_OPTIONS)
			options = a;
	}
	if (is_bpf && options && tcm->tcm_handle == FILTER_HANDLE &&
	    TC_H_MAJ(tcm->tcm_info) >> 16 == FILTER_PRIORITY)
		f->id = program_id(options);
	else
		f->others = true;
}

static int
look(struct nl *nl, int ifindex, enum nl_hook hook, struct found *f)
{
	struct tcmsg *tcm;

	*f = (struct found){.ifindex = ifindex, .parent = parent_of(hook)};
	begin(nl, RTM_GETTFILTER, NLM_F_DUMP, ifindex, &tcm);
	tcm->tcm_parent = f->parent;
	return nl_ask(nl, on_filter, f);
}

int
nl_tc_running(struct nl *nl, int ifindex, enum nl_hook hook, uint32_t *id)
{
	struct found f;
	int r = look(nl, ifindex, hook, &f);

	*id = r == 0 ? f.id : 0;
	return r;
}

int
nl_tc_close(struct nl *nl, int ifindex)
{
	struct found in, out;
	int r = look(nl, ifindex, NL_INGRESS, &in);

	if (r == 0)
		r = look(nl, ifindex, NL_EGRESS, &out);
	if (r < 0 || in.id || out.id || in.others || out.others)
		return r;
	begin_qdisc(nl, RTM_DELQDISC, 0, ifindex, NULL);
	r = nl_ack(nl);
	/* There is none. */
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}
