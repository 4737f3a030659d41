/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft.c - the life of table `inet vnetd`: adoption, commits, watching, teardown.
 *
 * Two modes. Owned: the kernel knows the flags owner and persist; nobody but our socket can
 * change the table, and it outlives us. Plain: an ordinary table, which natd watches and has
 * restored. Which one is found out by trying: a kernel that does not know a flag refuses the
 * table. The flag owner alone is of no use, since the table would vanish with the process.
 */
#include "priv_nft.h"

#include <errno.h>
#include <libnftnl/table.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/fd.h"
#include "lib/util.h"
#include "priv_nft_build.h"
#include "priv_nft_conn.h"
#include "priv_nft_ct.h"
#include "priv_nft_foreign.h"
#include "priv_nft_plan.h"
#include "priv_nft_scan.h"
#include "priv_nft_sock.h"
#include "priv_nft_watch.h"

enum {
	/* Somebody else may delete or make the table between our look and our transaction. */
	COMMIT_TRIES = 6,
	ADOPT_TRIES = 20,
	ADOPT_PAUSE_NS = 10 * 1000 * 1000,
	/* Some hundred elements: from there on their events cost more than a pause of them. */
	PAUSE_BYTES = 64 * 1024,
};

#define OWNED_FLAGS (NFT_TABLE_OWNER_ | NFT_TABLE_PERSIST_)

struct priv_nft {
	struct nft_sock sock; /* owns the table */
	struct nft_plan plan; /* rows since BEGIN, and changes since then */
	bool in_force;        /* the kernel has it */
	bool changing;        /* rows since CHANGE */
	struct nft_change change;
	struct nft_flush flush; /* rows since the last one */
	bool stranger;          /* natd knows nothing of what was in force before */
	bool plain;             /* the kernel does not know the flags */
	bool no_timeouts;       /* nor timeout objects */
	bool no_ftp;            /* nor what follows FTP */
	bool no_flowtable;      /* nor flowtables */
	bool made, anew;        /* the last commit made the table; there was none */
	struct nft_watch watch;
	bool missed; /* others' changes, during the last commit */
};

struct found {
	bool exists;
	uint32_t flags;
};

static int
on_table(const struct nlmsghdr *nlh, void *arg)
{
	struct found *f = arg;
	struct nftnl_table *t = nftnl_table_alloc();

	if (!t)
		return -ENOMEM;
	if (nftnl_table_nlmsg_parse(nlh, t) == 0) {
		f->exists = true;
		f->flags = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
	}
	nftnl_table_free(t);
	return 0;
}

/* Looks whether the table is there. 0 or -errno. */
static int
find_table(struct nft_sock *s, struct found *f)
{
	uint8_t buf[1024];
	struct nlmsghdr *nlh = nft_sock_request(buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
						NLM_F_ACK, NFPROTO_INET);
	int r;

	*f = (struct found){0};
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NFT_TABLE);
	r = nft_sock_ask(s, nlh, on_table, f);
	return r == -ENOENT ? 0 : r;
}

/* A table with the flag persist and no owner waits for us. One that is owned by somebody is not
 * ours; one without flags is replaced by the first commit. */
static int
adopt(struct nft_sock *s)
{
	struct nft_refusal why;
	struct nft_batch b;
	struct found f;
	int r = find_table(s, &f);

	if (r < 0 || !f.exists)
		return r;
	if (f.flags & NFT_TABLE_OWNER_)
		return -EBUSY;
	if (!(f.flags & NFT_TABLE_PERSIST_))
		return 0;
	nft_batch_init(&b, s);
	nft_build_table(&b, OWNED_FLAGS);
	r = nft_batch_commit(&b, s, &why);
	nft_batch_fini(&b);
	return r;
}

struct priv_nft *
priv_nft_new(char *why, size_t cap)
{
	struct priv_nft *n = calloc(1, sizeof(*n));
	int r;

	if (!n) {
		snprintf(why, cap, "no memory for the NAT plan");
		return NULL;
	}
	nft_plan_init(&n->plan, &(struct msg_nat_begin){.forward_others = true});
	nft_watch_init(&n->watch);
	r = nft_sock_open(&n->sock);
	if (r == 0)
		r = adopt(&n->sock);
	/* A killed predecessor may have left its socket to a child that was just being started. */
	for (int i = 0; r == -EBUSY && i < ADOPT_TRIES; i++) {
		nanosleep(&(struct timespec){.tv_nsec = ADOPT_PAUSE_NS}, NULL);
		r = adopt(&n->sock);
	}
	if (r == 0)
		return n;
	if (r == -EBUSY)
		snprintf(why, cap,
			 "table inet " NFT_TABLE
			 " belongs to another running process; is vnetd running already?");
	else if (r == -EPROTONOSUPPORT || r == -EINVAL || r == -EOPNOTSUPP)
		snprintf(why, cap,
			 "this kernel has no nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET)");
	else
		snprintf(why, cap, "cannot look at table inet " NFT_TABLE ": %s", strerror(-r));
	priv_nft_free(n);
	return NULL;
}

void
priv_nft_free(struct priv_nft *n)
{
	if (!n)
		return;
	nft_sock_close(&n->sock);
	nft_watch_fini(&n->watch);
	nft_flush_fini(&n->flush);
	nft_plan_fini(&n->plan);
	free(n);
}

int
priv_nft_begin(struct priv_nft *n, const struct msg_nat_begin *m)
{
	nft_plan_fini(&n->plan);
	nft_plan_init(&n->plan, m);
	n->in_force = n->changing = false;
	return 0;
}

/* A row that only a change can have, or only a whole plan. */
static bool
may_be_row(struct priv_nft *n, bool of_change)
{
	if (n->changing == of_change)
		return true;
	if (n->plan.err == 0) {
		n->plan.err = -EINVAL;
		snprintf(n->plan.why, sizeof(n->plan.why),
			 of_change ? "nothing goes from a plan that is only being made"
				   : "a change is about forwards alone");
	}
	return false;
}

int
priv_nft_change(struct priv_nft *n)
{
	/* Half a change, or one that fails, leaves the plan without a kernel that has it. */
	bool usable = n->in_force;

	n->in_force = false;
	n->changing = true;
	n->change.ngone = n->change.ncome = 0;
	n->change.rules = false;
	if (usable)
		return 0;
	n->plan.err = -ESTALE;
	snprintf(n->plan.why, sizeof(n->plan.why), "there is no plan in force to be changed");
	return -ESTALE;
}

int
priv_nft_net(struct priv_nft *n, const struct msg_nat_net *m)
{
	return may_be_row(n, false) ? nft_plan_net(&n->plan, m) : -EINVAL;
}

int
priv_nft_forward(struct priv_nft *n, const struct msg_nat_forward *m)
{
	if (n->changing)
		return nft_change_come(&n->change, &n->plan, m);
	return nft_plan_forward(&n->plan, m);
}

int
priv_nft_forward_gone(struct priv_nft *n, const struct msg_nat_forward_gone *m)
{
	const struct msg_nat_forward f = {.net = m->net,
					  .proto = m->proto,
					  .port = m->port,
					  .guest = m->guest,
					  .guest_port = m->guest_port,
					  .host = m->host};

	return may_be_row(n, true) ? nft_change_gone(&n->change, &n->plan, &f) : -EINVAL;
}

int
priv_nft_capture(struct priv_nft *n, const struct msg_nat_capture *m)
{
	return may_be_row(n, false) ? nft_plan_capture(&n->plan, m) : -EINVAL;
}

/* Has it done, and ends the batch. */
static int
commit_batch(struct priv_nft *n, struct nft_batch *b, struct nft_refusal *why)
{
	int r;

	if (b->len > PAUSE_BYTES)
		nft_watch_pause(&n->watch, &n->sock);
	r = nft_batch_commit(b, &n->sock, why);
	nft_batch_fini(b);
	n->missed = nft_watch_resume(&n->watch, &n->sock, r == 0) || n->missed;
	return r;
}

/* One try: whatever table is there goes, ours comes. */
static int
replace_table(struct priv_nft *n, struct nft_refusal *why)
{
	struct nft_batch b;
	struct found f;
	int r = find_table(&n->sock, &f);

	if (r < 0) {
		*why = (struct nft_refusal){-1, "the question for the table"};
		return r;
	}
	n->plan.no_timeouts = n->no_timeouts;
	n->plan.no_ftp = n->no_ftp;
	n->plan.no_flowtable = n->no_flowtable;
	nft_batch_init(&b, &n->sock);
	if (f.exists)
		nft_build_delete(&b);
	nft_build_table(&b, n->plain ? 0 : OWNED_FLAGS);
	nft_build_plan(&b, &n->plan);
	r = commit_batch(n, &b, why);
	n->made = r == 0;
	n->anew = r == 0 && !f.exists;
	return r;
}

/* The forwards of the change alone. */
static int
change_table(struct priv_nft *n, struct nft_refusal *why)
{
	struct nft_batch b;

	n->made = n->anew = false;
	if (n->change.ngone + n->change.ncome == 0)
		return 0;
	nft_batch_init(&b, &n->sock);
	nft_build_change(&b, &n->plan, &n->change);
	return commit_batch(n, &b, why);
}

/* From a guest of a network with NAT. */
static bool
is_of_guest(const struct nft_ct_tuple *t, void *arg)
{
	const struct nft_plan *plan = arg;

	for (size_t i = 0; i < plan->nnets; i++) {
		const struct msg_nat_net *m = &plan->nets[i];

		if (m->nat && prefix4_contains((struct prefix4){m->subnet, m->len}, t->src))
			return true;
	}
	return false;
}

/* It should have been translated: from a guest to the outside, or to a host port with a forward. */
static bool
is_of_plan(const struct nft_ct_tuple *t, void *arg)
{
	const struct nft_plan *plan = arg;
	bool inside = false;

	for (size_t i = 0; i < plan->nnets && !inside; i++) {
		const struct msg_nat_net *m = &plan->nets[i];

		inside = prefix4_contains((struct prefix4){m->subnet, m->len}, t->dst);
	}
	if (!inside && is_of_guest(t, arg))
		return true;
	return (t->proto == IPPROTO_TCP && nft_plan_has_port(plan, PROTO_TCP, t->dport)) ||
	       (t->proto == IPPROTO_UDP && nft_plan_has_port(plan, PROTO_UDP, t->dport));
}

/* Forwards that went while no natd was there: their connections end now. */
static void
forget_astray(struct priv_nft *n)
{
	struct nft_flush there = {.n = 0};

	for (size_t i = 0; i < n->plan.nforwards; i++) {
		const struct msg_nat_forward *f = &n->plan.forwards[i];

		nft_flush_add(&there, &(struct msg_nat_flush_forward){.net = f->net,
								      .proto = f->proto,
								      .port = f->port,
								      .guest = f->guest,
								      .guest_port = f->guest_port,
								      .host = f->host});
	}
	if (nft_flush_ready(&there) == 0)
		nft_ct_flush_astray(&n->sock, &there, is_of_guest, &n->plan);
	nft_flush_fini(&there);
}

/* The kernel knows the word flowtable wherever it knows nf_tables; what it refuses is the flowtable's type, or the rule
 * that is to fill it. A rule refused for another reason will be refused again. */
static bool
learn_flowtable(struct priv_nft *n, int r, const struct nft_refusal *why)
{
	bool of_rule = why->type == NFT_MSG_NEWRULE && (r == -ENOENT || r == -EOPNOTSUPP);

	if (!nft_plan_has_flowtable(&n->plan) || (why->type != NFT_MSG_NEWFLOWTABLE && !of_rule))
		return false;
	n->no_flowtable = true;
	return true;
}

/* What the refusal says about the kernel, or about a race; false: it will not get better. */
static bool
learn(struct priv_nft *n, int r, const struct nft_refusal *why)
{
	bool unknown = r == -EOPNOTSUPP || r == -EINVAL;

	if (why->type == NFT_MSG_NEWTABLE && unknown && !n->plain) {
		n->plain = true;
		return true;
	}
	if (why->type == NFT_MSG_NEWOBJ && (unknown || r == -ENOENT)) {
		bool *lacks =
		    strstr(why->what, "\"" NFT_HELPER_FTP "\"") ? &n->no_ftp : &n->no_timeouts;
		bool news = !*lacks;

		*lacks = true;
		return news;
	}
	if (learn_flowtable(n, r, why))
		return true;
	return (why->type == NFT_MSG_DELTABLE && r == -ENOENT) ||
	       (why->type == NFT_MSG_NEWSET && r == -EEXIST) || r == -EINTR || r == -EAGAIN;
}

/* Has the rows done, as often as the kernel gives a reason to try again. */
static int
try_commit(struct priv_nft *n, struct nft_refusal *refusal)
{
	int r = 0;

	for (int i = 0; i < COMMIT_TRIES; i++) {
		r = n->changing && !n->change.rules ? change_table(n, refusal)
						    : replace_table(n, refusal);
		if (r == 0 || !learn(n, r, refusal))
			break;
	}
	return r;
}

int
priv_nft_commit(struct priv_nft *n, char *why, size_t cap)
{
	struct nft_refusal refusal;
	int r;

	if (n->plan.err) {
		snprintf(why, cap, "%s", n->plan.why);
		return n->plan.err;
	}
	n->missed = false;
	r = try_commit(n, &refusal);
	n->in_force = r == 0;
	n->changing = false;
	if (r == 0) {
		/* While the table comes into being the kernel tracks packets already and does not
		 * translate them yet. What begins then would stay so, and without an answer, for as
		 * long as its packets keep coming. */
		if (n->anew)
			nft_ct_flush_untranslated(&n->sock, is_of_plan, &n->plan);
		if (n->stranger)
			forget_astray(n);
		n->stranger = false;
		snprintf(why, cap, "%s%s%s%s%s%s", n->plain ? "plain" : "owned",
			 n->made ? " made" : "", n->missed ? " missed" : "",
			 n->no_timeouts ? " no-timeouts" : "", n->no_ftp ? " no-ftp" : "",
			 n->no_flowtable ? " no-flowtable" : "");
		return 0;
	}
	if (r == -EPERM && refusal.type == NFT_MSG_DELTABLE)
		snprintf(why, cap, "table inet " NFT_TABLE " belongs to another process");
	else if (r == -ENOENT || r == -EOPNOTSUPP)
		snprintf(
		    why, cap,
		    "the kernel lacks what %s needs: %s. Its options: NFT_CT, NFT_NAT, NFT_MASQ, "
		    "NFT_REJECT_INET, NFT_FIB_INET, NF_NAT",
		    refusal.what, strerror(-r));
	else
		snprintf(why, cap, "the kernel refuses %s: %s", refusal.what, strerror(-r));
	return r;
}

int
priv_nft_flow_dev(struct priv_nft *n, const char *ifname, bool gone)
{
	struct nft_refusal why;
	struct nft_batch b;
	int r;

	if (!n->in_force || !nft_plan_has_flowtable(&n->plan))
		return -ESTALE;
	nft_batch_init(&b, &n->sock);
	nft_build_flow_dev(&b, ifname, gone);
	r = nft_batch_commit(&b, &n->sock, &why);
	nft_batch_fini(&b);
	return r;
}

int
priv_nft_flush_forward(struct priv_nft *n, const struct msg_nat_flush_forward *m)
{
	return nft_flush_add(&n->flush, m);
}

int
priv_nft_flush(struct priv_nft *n)
{
	int r = nft_flush_ready(&n->flush);

	if (r == 0 && n->flush.n)
		r = nft_ct_flush(&n->sock, &n->flush);
	nft_flush_fini(&n->flush);
	return r;
}

struct conns {
	const struct nft_plan *plan;
	uint16_t net;
	void (*row)(const struct msg_conn_row *r, void *arg);
	void *arg;
};

static void
on_conn(const struct nft_ct_entry *e, void *arg)
{
	const struct conns *x = arg;
	struct msg_conn_row row;

	if (nft_conn_row(&row, x->plan, x->net, e))
		x->row(&row, x->arg);
}

int
priv_nft_conns(struct priv_nft *n, uint16_t net,
	       void (*row)(const struct msg_conn_row *r, void *arg), void *arg)
{
	struct conns x = {&n->plan, net, row, arg};

	return nft_ct_dump(&n->sock, on_conn, &x);
}

int
priv_nft_watch(struct priv_nft *n)
{
	nft_flush_fini(&n->flush);
	n->stranger = true;
	return nft_watch_open(&n->watch, n->sock.portid);
}

int
priv_nft_scan(struct priv_nft *n, const uint8_t *bridges,
	      void (*row)(const struct msg_firewall_row *r, void *arg), void *arg)
{
	struct nft_scan_question q = {.bridges = bridges};
	uint16_t nets[NFT_NETS_MAX];

	for (size_t i = 0; i < n->plan.nnets; i++)
		nets[q.nnets++] = n->plan.nets[i].net;
	q.nets = nets;
	return nft_scan(&n->sock, &q, row, arg);
}

int
priv_nft_foreign(struct priv_nft *n, const struct msg_foreign_allow *m, bool *changed)
{
	return nft_foreign_set(&n->sock, m, changed);
}

int
priv_nft_teardown(void)
{
	struct nft_sock s;
	struct nft_refusal why;
	struct nft_batch b;
	struct found f;
	int r = nft_sock_open(&s);

	if (r < 0)
		return r;
	r = find_table(&s, &f);
	if (r == 0 && f.exists) {
		nft_batch_init(&b, &s);
		nft_build_delete(&b);
		r = nft_batch_commit(&b, &s, &why);
		nft_batch_fini(&b);
	}
	if (r == 0 || r == -ENOENT)
		r = nft_foreign_clear(&s);
	nft_sock_close(&s);
	return r == -ENOENT ? 0 : r;
}
