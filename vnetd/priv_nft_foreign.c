/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_foreign.c - see priv_nft_foreign.h. Only the kernel's replies are parsed, by libnftnl.
 *
 * The comment of a rule says what the rule does, so that comparing comments compares rules. They stand
 * first in their chain: a DROP at its end, as in many hand-made rule sets, would come before what is
 * appended. The rules are of the kind that iptables-nft makes itself, or it could not list its table.
 */
#include "priv_nft_foreign.h"

#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "priv_nft.h"
#include "priv_nft_build.h"

#define TABLE   "filter"
#define COMMENT "vnetd: " /* begins those of ours */

enum { COMMENT_CAP = 48, RULES_MAX = 2 * 256, TRIES = 4 };

static const struct {
	const char *chain;
	bool forward;
} places[] = {
    [FOREIGN_DOCKER_USER] = {"DOCKER-USER", true},
    [FOREIGN_IPTABLES_FORWARD] = {"FORWARD", true},
    [FOREIGN_IPTABLES_INPUT] = {"INPUT", false},
};

static_assert(ARRAY_LEN(places) == FOREIGN_PLACE_N, "every place is a chain");

const char *
priv_nft_foreign_chain(enum foreign_place p)
{
	return places[p].chain;
}

/* A rule that is wanted: the statement, and its comment. */
struct wanted {
	struct nft_foreign_rule rule;
	char comment[COMMENT_CAP];
};

struct found {
	uint64_t handle;
	char comment[COMMENT_CAP];
};

/* What is to stand in a chain, and what of ours stands there. */
struct work {
	const char *chain;
	struct wanted want[RULES_MAX];
	size_t nwant;
	struct found have[RULES_MAX];
	size_t nhave;
};

/* -- what is there -- */

static void
take_comment(char comment[COMMENT_CAP], const char *text, size_t len)
{
	snprintf(comment, COMMENT_CAP, "%.*s", (int)(len < COMMENT_CAP ? len : COMMENT_CAP - 1),
		 text);
}

static int
on_udata(const struct nftnl_udata *attr, void *arg)
{
	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT)
		take_comment(arg, nftnl_udata_get(attr), nftnl_udata_len(attr));
	return 0;
}

/* iptables-restore writes as a match what it had read from the rule's user data. */
static int
on_expr(struct nftnl_expr *e, void *arg)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	const char *match =
	    name && !strcmp(name, "match") ? nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME) : NULL;
	uint32_t len = 0;
	const void *info = match ? nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len) : NULL;

	if (info && !strcmp(match, "comment"))
		take_comment(arg, info, len);
	return 0;
}

static int
on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct work *w = arg;
	struct found f = {0};
	const void *data;
	uint32_t len;

	if (!rule)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(nlh, rule) == 0) {
		nftnl_expr_foreach(rule, on_expr, f.comment);
		data = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &len);
		if (data)
			nftnl_udata_parse(data, len, on_udata, f.comment);
		if (!strncmp(f.comment, COMMENT, strlen(COMMENT)) && w->nhave < RULES_MAX) {
			f.handle = nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE);
			w->have[w->nhave++] = f;
		}
	}
	nftnl_rule_free(rule);
	return 0;
}

/* 0, -ENOENT: there is no such chain, -errno. */
static int
look(struct nft_sock *s, struct work *w)
{
	uint8_t buf[1024];
	struct nlmsghdr *nlh = nft_sock_request(buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE,
						NLM_F_DUMP, NFPROTO_IPV4);

	w->nhave = 0;
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, w->chain);
	return nft_sock_ask(s, nlh, on_rule, w);
}

/* -- what is wanted -- */

static void
want_rule(struct work *w, const struct nft_foreign_rule *r, const char *what)
{
	struct wanted *x = &w->want[w->nwant];

	if (w->nwant == RULES_MAX)
		return;
	x->rule = *r;
	snprintf(x->comment, sizeof(x->comment), COMMENT "%s %s", what, r->in[0] ? r->in : r->out);
	w->nwant++;
}

static void
want_net(struct work *w, const struct msg_foreign_allow *m, unsigned net, bool forward)
{
	struct nft_foreign_rule r = {0};
	char name[sizeof(r.in)];

	snprintf(name, sizeof(name), "vmnet%u", net);
	memcpy(r.in, name, sizeof(r.in));
	if (msg_nets_have(m->through.b, net) && forward) {
		want_rule(w, &r, "from");
		memset(r.in, 0, sizeof(r.in));
		memcpy(r.out, name, sizeof(r.out));
		want_rule(w, &r, "to");
	} else if (msg_nets_have(m->through.b, net)) {
		r.l4proto = IPPROTO_UDP;
		r.dport = 53;
		want_rule(w, &r, "DNS (UDP)");
		r.l4proto = IPPROTO_TCP;
		want_rule(w, &r, "DNS (TCP)");
	} else if (forward && msg_nets_have(m->inside.b, net)) {
		memcpy(r.out, name, sizeof(r.out));
		want_rule(w, &r, "inside");
	}
}

static bool
is_as_wanted(const struct work *w)
{
	if (w->nhave != w->nwant)
		return false;
	for (size_t i = 0; i < w->nwant; i++)
		if (strcmp(w->have[i].comment, w->want[i].comment) != 0)
			return false;
	return true;
}

/* -- the change -- */

static void
put_delete(struct nft_batch *b, const struct work *w, uint64_t handle)
{
	struct nlmsghdr *nlh = nft_batch_msg_of(b, NFPROTO_IPV4, NFT_MSG_DELRULE, 0);

	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, w->chain);
	mnl_attr_put_u64(nlh, NFTA_RULE_HANDLE, htobe64(handle));
	nft_batch_put(b, nlh);
}

/* The last one first: each new rule is put before those that are there. */
static int
change(struct nft_sock *s, const struct work *w)
{
	struct nft_refusal why;
	struct nft_batch b;
	int r;

	nft_batch_init(&b, s);
	for (size_t i = 0; i < w->nhave; i++)
		put_delete(&b, w, w->have[i].handle);
	for (size_t i = w->nwant; i-- > 0;)
		nft_expr_foreign_rule(&b, TABLE, w->chain, &w->want[i].rule, w->want[i].comment);
	r = nft_batch_commit(&b, s, &why);
	nft_batch_fini(&b);
	return r;
}

int
nft_foreign_set(struct nft_sock *s, const struct msg_foreign_allow *m, bool *changed)
{
	struct work *w = calloc(1, sizeof(*w));
	int r = -EINTR;

	*changed = false;
	if (!w)
		return -ENOMEM;
	w->chain = places[m->place].chain;
	for (unsigned net = 0; net < NAT_ROUTES_LEN * 8; net++)
		want_net(w, m, net, places[m->place].forward);
	/* Whose chain it is may be changing it just now; then what was seen does not hold. */
	for (int i = 0; i < TRIES && (r == -EINTR || r == -ENOENT); i++) {
		r = look(s, w);
		if (r == -ENOENT || (r == 0 && is_as_wanted(w)))
			break;
		if (r == 0)
			r = change(s, w);
		*changed = r == 0;
	}
	free(w);
	return r == -ENOENT ? 0 : r;
}

int
nft_foreign_clear(struct nft_sock *s)
{
	int err = 0;

	for (uint8_t p = 0; p < FOREIGN_PLACE_N; p++) {
		const struct msg_foreign_allow none = {.place = p};
		bool changed;
		int r = nft_foreign_set(s, &none, &changed);

		if (r < 0 && err == 0)
			err = r;
	}
	return err;
}
