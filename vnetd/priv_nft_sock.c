/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_sock.c - netfilter netlink transport: batches, acknowledgements, dumps. Knows no rule.
 */
#include "priv_nft_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util.h"

enum { RECV_SIZE = 128 * 1024, BATCH_START = 256 * 1024 };

int
nft_sock_open(struct nft_sock *s)
{
	int one = 1;
	int r;

	*s = (struct nft_sock){0};
	s->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!s->nl)
		return -errno;
	if (mnl_socket_bind(s->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		r = -errno;
		nft_sock_close(s);
		return r;
	}
	s->portid = mnl_socket_get_portid(s->nl);
	/* Without this each error repeats the message that caused it, and many fill the queue. */
	mnl_socket_setsockopt(s->nl, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

void
nft_sock_close(struct nft_sock *s)
{
	if (s->nl)
		mnl_socket_close(s->nl);
	s->nl = NULL;
}

/* -- transactions -- */

/* Room for n more bytes; moves what is there, so pointers into the buffer die. */
static bool
batch_reserve(struct nft_batch *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BATCH_START;
	uint8_t *buf;

	if (b->bad)
		return false;
	while (cap < b->len + n)
		cap *= 2;
	if (cap == b->cap)
		return true;
	buf = realloc(b->buf, cap);
	if (!buf) {
		b->bad = true;
		return false;
	}
	b->buf = buf;
	b->cap = cap;
	return true;
}

static void
batch_edge(struct nft_batch *b, uint16_t type)
{
	struct nlmsghdr *nlh;
	struct nfgenmsg *nfg;

	if (!batch_reserve(b, NFT_MSG_ROOM))
		return;
	nlh = mnl_nlmsg_put_header(b->buf + b->len);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = ++b->seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
	b->len += nlh->nlmsg_len;
}

void
nft_batch_init(struct nft_batch *b, struct nft_sock *s)
{
	*b = (struct nft_batch){.seq = s->seq};
	batch_edge(b, NFNL_MSG_BATCH_BEGIN);
	b->first = b->seq;
}

void
nft_batch_fini(struct nft_batch *b)
{
	free(b->buf);
	*b = (struct nft_batch){0};
}

struct nlmsghdr *
nft_sock_request(void *buf, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

struct nlmsghdr *
nft_batch_msg(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	return nft_batch_msg_of(b, NFPROTO_INET, type, flags);
}

struct nlmsghdr *
nft_batch_msg_of(struct nft_batch *b, uint8_t family, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh;

	if (!batch_reserve(b, NFT_MSG_ROOM))
		return NULL;
	nlh = nft_sock_request(b->buf + b->len, NFNL_SUBSYS_NFTABLES << 8 | type, flags, family);
	nlh->nlmsg_seq = ++b->seq;
	return nlh;
}

void
nft_batch_put(struct nft_batch *b, const struct nlmsghdr *nlh)
{
	b->len += MNL_ALIGN(nlh->nlmsg_len);
}

/* The message of a transaction with this sequence number. */
static const struct nlmsghdr *
batch_find(const struct nft_batch *b, uint32_t seq)
{
	int left = (int)b->len;

	for (const struct nlmsghdr *nlh = (const void *)b->buf; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_seq == seq)
			return nlh;
	return NULL;
}

/* Kinds of message, the attribute that names the object, and its words. */
static const struct {
	uint16_t type, attr;
	const char *words;
} kinds[] = {
    {NFT_MSG_NEWTABLE, NFTA_TABLE_NAME, "table"},
    {NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "removal of table"},
    {NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "chain"},
    {NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "a rule of chain"},
    {NFT_MSG_DELRULE, NFTA_RULE_CHAIN, "removal of a rule of chain"},
    {NFT_MSG_NEWSET, NFTA_SET_NAME, "set"},
    {NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_SET, "elements of set"},
    {NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_SET, "removal of elements of set"},
    {NFT_MSG_NEWOBJ, NFTA_OBJ_NAME, "object"},
    {NFT_MSG_NEWFLOWTABLE, NFTA_FLOWTABLE_NAME, "flowtable"},
    {NFT_MSG_DELFLOWTABLE, NFTA_FLOWTABLE_NAME, "a device's removal from flowtable"},
};

static void
describe(struct nft_refusal *why, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	*why = (struct nft_refusal){.type = -1, .what = "the whole transaction"};
	if (!nlh || NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return;
	why->type = NFNL_MSG_TYPE(nlh->nlmsg_type);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].type != why->type)
			continue;
		mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attr) ==
									  kinds[i].attr)
		    snprintf(why->what, sizeof(why->what), "%s \"%.64s\"", kinds[i].words,
			     mnl_attr_get_str(attr));
	}
}

/* Sends it all as one datagram, which is what makes it one transaction. */
static int
send_all(struct nft_sock *s, const void *buf, size_t len)
{
	int fd = mnl_socket_get_fd(s->nl);
	int size = len > INT32_MAX / 4 ? INT32_MAX / 2 : (int)(2 * len);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	socklen_t sl = sizeof(int);
	int have = 0;
	ssize_t n;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &sl) == 0 && have < size &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	do {
		n = sendto(fd, buf, len, 0, (struct sockaddr *)&to, sizeof(to));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Reads acknowledgements until the queue is empty: the first error, and whether `last` was done. */
static int
read_acks(struct nft_sock *s, const struct nft_batch *b, uint32_t last, struct nft_refusal *why)
{
	uint8_t *buf = malloc(RECV_SIZE);
	bool done = false;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(s->nl, buf, RECV_SIZE);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && err == 0)
				err = -errno;
			break;
		}
		for (const struct nlmsghdr *nlh = (void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

			/* Answers to something earlier that was given up. */
			if (nlh->nlmsg_type != NLMSG_ERROR ||
			    nlh->nlmsg_seq - b->first > last - b->first)
				continue;
			if (e->error && err == 0) {
				err = e->error;
				describe(why, batch_find(b, nlh->nlmsg_seq));
			}
			if (!e->error && nlh->nlmsg_seq == last)
				done = true;
		}
	}
	free(buf);
	/* No error and no acknowledgement: the kernel did not take part at all. */
	return err ? err : done ? 0 : -EIO;
}

int
nft_batch_commit(struct nft_batch *b, struct nft_sock *s, struct nft_refusal *why)
{
	uint32_t last = b->seq;
	struct nlmsghdr *nlh;
	int r;

	describe(why, NULL);
	if (b->bad)
		return -ENOMEM;
	nlh = (struct nlmsghdr *)(uintptr_t)batch_find(b, last);
	if (nlh)
		nlh->nlmsg_flags |= NLM_F_ACK;
	batch_edge(b, NFNL_MSG_BATCH_END);
	s->seq = b->seq;
	if (b->bad)
		return -ENOMEM;
	r = send_all(s, b->buf, b->len);
	return r < 0 ? r : read_acks(s, b, last, why);
}

/* -- single requests -- */

int
nft_sock_ask(struct nft_sock *s, struct nlmsghdr *nlh,
	     int (*cb)(const struct nlmsghdr *nlh, void *arg), void *arg)
{
	uint32_t seq = nlh->nlmsg_seq = ++s->seq;
	bool more = true;
	uint8_t *buf;
	int r;

	r = send_all(s, nlh, nlh->nlmsg_len);
	if (r < 0)
		return r;
	buf = malloc(RECV_SIZE);
	if (!buf)
		return -ENOMEM;
	while (more) {
		ssize_t n = mnl_socket_recvfrom(s->nl, buf, RECV_SIZE);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = r < 0 ? r : errno == EAGAIN ? -EIO : -errno;
			break;
		}
		for (const struct nlmsghdr *m = (void *)buf; more && mnl_nlmsg_ok(m, left);
		     m = mnl_nlmsg_next(m, &left)) {
			if (m->nlmsg_seq != seq)
				continue;
			/* The table changed meanwhile: what was read does not fit together. */
			if (m->nlmsg_flags & NLM_F_DUMP_INTR && r == 0)
				r = -EINTR;
			if (m->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

				r = r < 0 ? r : e->error;
				more = false;
			} else if (m->nlmsg_type == NLMSG_DONE) {
				more = false;
			} else if (r == 0 && cb) {
				r = cb(m, arg);
			}
		}
	}
	free(buf);
	return r;
}
