/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_ct.c - conntrack netlink: lists connections; finds those of a removed forward, or those that
 * were made before there was a table, and deletes them.
 *
 * A kernel that can delete by a filter (Linux 6.9) does so for one forward, which passes over the empty parts of its table
 * fast. Else there is a dump, for one forward filtered by the kernel (Linux 5.8), and the few entries that fit are
 * deleted one by one.
 */
#include "priv_nft_ct.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/util.h"

enum {
	/* Bits of CTA_FILTER_*_FLAGS: which fields of a tuple count. */
	FILTER_IP_SRC = 1 << 0,
	FILTER_PROTO_NUM = 1 << 3,
	FILTER_PROTO_SRC_PORT = 1 << 4,
	FILTER_PROTO_DST_PORT = 1 << 5,
	REQUEST_SIZE = 4096,
	TUPLE_MAX = 256,
};

/* What is needed to delete an entry: its original tuple as the kernel sent it, its id, its zone. */
struct entry {
	uint16_t tuple_len;
	uint8_t tuple[TUPLE_MAX];
	uint32_t id;
	uint16_t zone;
};

/* What is looked for: judged by both directions and the status bits. */
struct search {
	bool (*wanted)(const struct search *s, const struct nft_ct_tuple *orig,
		       const struct nft_ct_tuple *reply, uint32_t status);
	const struct nft_flush *flush;
	bool (*judge)(const struct nft_ct_tuple *t, void *arg);
	void *arg;
	struct entry *found;
	size_t n, cap;
};

struct attrs {
	const struct nlattr *a[CTA_MAX + 1];
};

static int
collect(const struct nlattr *attr, void *arg)
{
	struct attrs *t = arg;

	if (mnl_attr_type_valid(attr, CTA_MAX) >= 0)
		t->a[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static uint8_t
proto_number(uint8_t proto)
{
	return proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

static uint16_t
port_of(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_U16) >= 0 ? ntohs(mnl_attr_get_u16(a)) : 0;
}

static bool
address_of(struct ip4 *out, const struct nlattr *a)
{
	if (!a || mnl_attr_validate(a, MNL_TYPE_U32) < 0)
		return false;
	*out = ip4_from_be(mnl_attr_get_u32(a));
	return true;
}

static bool
read_tuple(struct nft_ct_tuple *out, const struct nlattr *nest)
{
	struct attrs tuple = {0}, ip = {0}, proto = {0};

	if (mnl_attr_parse_nested(nest, collect, &tuple) < 0 || !tuple.a[CTA_TUPLE_IP] ||
	    !tuple.a[CTA_TUPLE_PROTO] ||
	    mnl_attr_parse_nested(tuple.a[CTA_TUPLE_IP], collect, &ip) < 0 ||
	    mnl_attr_parse_nested(tuple.a[CTA_TUPLE_PROTO], collect, &proto) < 0)
		return false;
	if (!proto.a[CTA_PROTO_NUM] || mnl_attr_validate(proto.a[CTA_PROTO_NUM], MNL_TYPE_U8) < 0)
		return false;
	out->proto = mnl_attr_get_u8(proto.a[CTA_PROTO_NUM]);
	out->sport = port_of(proto.a[CTA_PROTO_SRC_PORT]);
	out->dport = port_of(proto.a[CTA_PROTO_DST_PORT]);
	return address_of(&out->src, ip.a[CTA_IP_V4_SRC]) &&
	       address_of(&out->dst, ip.a[CTA_IP_V4_DST]);
}

static bool
is_of_forward(const struct search *s, const struct nft_ct_tuple *orig,
	      const struct nft_ct_tuple *reply, uint32_t status UNUSED)
{
	return nft_flush_has(s->flush, orig, reply);
}

static bool
is_untranslated(const struct search *s, const struct nft_ct_tuple *orig,
		const struct nft_ct_tuple *reply, uint32_t status)
{
	return !(status & IPS_SEEN_REPLY) && ip4_eq(reply->src, orig->dst) &&
	       ip4_eq(reply->dst, orig->src) && s->judge(orig, s->arg);
}

/* What another connection has announced (FTP's data) goes where that one's messages say. */
static bool
is_astray(const struct search *s, const struct nft_ct_tuple *orig, const struct nft_ct_tuple *reply,
	  uint32_t status)
{
	return status & IPS_DST_NAT && !(status & IPS_EXPECTED) && !ip4_eq(orig->dst, reply->src) &&
	       s->judge(reply, s->arg) && !nft_flush_has(s->flush, orig, reply);
}

static int
on_entry(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_ct_tuple orig, reply;
	struct search *s = arg;
	struct attrs t = {0};
	uint32_t status = 0;
	struct entry *e;

	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), collect, &t) < 0)
		return 0;
	if (!t.a[CTA_TUPLE_ORIG] || !t.a[CTA_TUPLE_REPLY] || !t.a[CTA_ID] ||
	    mnl_attr_validate(t.a[CTA_ID], MNL_TYPE_U32) < 0 ||
	    mnl_attr_get_payload_len(t.a[CTA_TUPLE_ORIG]) > TUPLE_MAX)
		return 0;
	if (t.a[CTA_STATUS] && mnl_attr_validate(t.a[CTA_STATUS], MNL_TYPE_U32) >= 0)
		status = ntohl(mnl_attr_get_u32(t.a[CTA_STATUS]));
	if (!read_tuple(&orig, t.a[CTA_TUPLE_ORIG]) || !read_tuple(&reply, t.a[CTA_TUPLE_REPLY]) ||
	    !s->wanted(s, &orig, &reply, status))
		return 0;
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;

		e = reallocarray(s->found, cap, sizeof(*e));
		if (!e)
			return -ENOMEM;
		s->found = e;
		s->cap = cap;
	}
	e = &s->found[s->n++];
	*e = (struct entry){.id = mnl_attr_get_u32(t.a[CTA_ID])};
	e->tuple_len = mnl_attr_get_payload_len(t.a[CTA_TUPLE_ORIG]);
	memcpy(e->tuple, mnl_attr_get_payload(t.a[CTA_TUPLE_ORIG]), e->tuple_len);
	if (t.a[CTA_ZONE] && mnl_attr_validate(t.a[CTA_ZONE], MNL_TYPE_U16) >= 0)
		e->zone = mnl_attr_get_u16(t.a[CTA_ZONE]);
	return 0;
}

/* Made to the forward's protocol and port. */
static void
put_orig(struct nlmsghdr *nlh, const struct msg_nat_flush_forward *m)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *inner = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, proto_number(m->proto));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(m->port));
	mnl_attr_nest_end(nlh, inner);
	mnl_attr_nest_end(nlh, nest);
}

/* And answered by its guest. */
static void
put_reply(struct nlmsghdr *nlh, const struct msg_nat_flush_forward *m)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_REPLY);
	struct nlattr *inner = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, ip4_be(m->guest));
	mnl_attr_nest_end(nlh, inner);
	inner = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, proto_number(m->proto));
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(m->guest_port));
	mnl_attr_nest_end(nlh, inner);
	mnl_attr_nest_end(nlh, nest);
}

/* Of one forward those of its protocol and port, else all. */
static int
find_entries(struct nft_sock *s, struct search *search)
{
	uint8_t buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = nft_sock_request(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
						NLM_F_DUMP, AF_INET);
	struct nlattr *nest;
	int r;

	if (search->wanted == is_of_forward && search->flush->n == 1) {
		put_orig(nlh, &search->flush->v[0]);
		nest = mnl_attr_nest_start(nlh, CTA_FILTER);
		mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS,
				 FILTER_PROTO_NUM | FILTER_PROTO_DST_PORT);
		mnl_attr_nest_end(nlh, nest);
	}
	r = nft_sock_ask(s, nlh, on_entry, search);
	/* A dump that the table's growth disturbed has still found what it has found. */
	return r == -EINTR ? 0 : r;
}

static int
delete_entry(struct nft_sock *s, const struct entry *e)
{
	uint8_t buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = nft_sock_request(
	    buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK, AF_INET);

	mnl_attr_put(nlh, CTA_TUPLE_ORIG | NLA_F_NESTED, e->tuple_len, e->tuple);
	mnl_attr_put_u32(nlh, CTA_ID, e->id);
	if (e->zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, e->zone);
	return nft_sock_ask(s, nlh, NULL, NULL);
}

static int
flush(struct nft_sock *s, struct search *search)
{
	int r = find_entries(s, search);

	for (size_t i = 0; i < search->n; i++) {
		int d = delete_entry(s, &search->found[i]);

		if (d < 0 && d != -ENOENT && r == 0)
			r = d;
	}
	free(search->found);
	return r;
}

/* The kernel deletes them by itself. An older one takes the message for one about a single connection, of which too much
 * is missing: an error. */
static int
delete_filtered(struct nft_sock *s, const struct msg_nat_flush_forward *m)
{
	uint8_t buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = nft_sock_request(
	    buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK, AF_INET);
	struct nlattr *nest;

	put_orig(nlh, m);
	put_reply(nlh, m);
	nest = mnl_attr_nest_start(nlh, CTA_FILTER);
	mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM | FILTER_PROTO_DST_PORT);
	mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS,
			 FILTER_IP_SRC | FILTER_PROTO_NUM | FILTER_PROTO_SRC_PORT);
	mnl_attr_nest_end(nlh, nest);
	/* Whoever asks the guest itself does not come by a forward. */
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_DST_NAT));
	mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(IPS_DST_NAT));
	return nft_sock_ask(s, nlh, NULL, NULL);
}

int
nft_ct_flush(struct nft_sock *s, const struct nft_flush *f)
{
	struct search search = {.wanted = is_of_forward, .flush = f};

	if (f->n == 1 && !f->v[0].host.h && delete_filtered(s, &f->v[0]) == 0)
		return 0;
	return flush(s, &search);
}

int
nft_ct_flush_untranslated(struct nft_sock *s,
			  bool (*wanted)(const struct nft_ct_tuple *t, void *arg), void *arg)
{
	struct search search = {.wanted = is_untranslated, .judge = wanted, .arg = arg};

	return flush(s, &search);
}

int
nft_ct_flush_astray(struct nft_sock *s, const struct nft_flush *there,
		    bool (*answered)(const struct nft_ct_tuple *t, void *arg), void *arg)
{
	struct search search = {.wanted = is_astray, .flush = there, .judge = answered, .arg = arg};

	return flush(s, &search);
}

/* -- a dump -- */

struct dump {
	void (*cb)(const struct nft_ct_entry *e, void *arg);
	void *arg;
	uint64_t now_ns; /* the clock of CTA_TIMESTAMP_START */
};

static uint64_t
u64_of(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_U64) >= 0 ? be64toh(mnl_attr_get_u64(a)) : 0;
}

static uint32_t
u32_of(const struct nlattr *a)
{
	return a && mnl_attr_validate(a, MNL_TYPE_U32) >= 0 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

/* Bytes of one direction. False: nobody counts. */
static bool
read_bytes(uint64_t *out, const struct nlattr *nest)
{
	struct attrs t = {0};

	if (!nest || mnl_attr_parse_nested(nest, collect, &t) < 0 || !t.a[CTA_COUNTERS_BYTES])
		return false;
	*out = u64_of(t.a[CTA_COUNTERS_BYTES]);
	return true;
}

static uint8_t
read_tcp_state(const struct nlattr *nest)
{
	struct attrs info = {0}, tcp = {0};
	const struct nlattr *a;

	if (!nest || mnl_attr_parse_nested(nest, collect, &info) < 0 ||
	    !info.a[CTA_PROTOINFO_TCP] ||
	    mnl_attr_parse_nested(info.a[CTA_PROTOINFO_TCP], collect, &tcp) < 0)
		return 0;
	a = tcp.a[CTA_PROTOINFO_TCP_STATE];
	return a && mnl_attr_validate(a, MNL_TYPE_U8) >= 0 ? mnl_attr_get_u8(a) : 0;
}

static uint32_t
read_age(const struct nlattr *nest, uint64_t now_ns)
{
	struct attrs t = {0};
	uint64_t start;

	if (!nest || mnl_attr_parse_nested(nest, collect, &t) < 0)
		return UINT32_MAX;
	start = u64_of(t.a[CTA_TIMESTAMP_START]);
	if (start == 0)
		return UINT32_MAX;
	return start < now_ns ? (uint32_t)((now_ns - start) / 1000000000) : 0;
}

static int
on_dump(const struct nlmsghdr *nlh, void *arg)
{
	const struct dump *d = arg;
	struct nft_ct_entry e = {.status = 0};
	struct attrs t = {0};

	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), collect, &t) < 0 || !t.a[CTA_TUPLE_ORIG] ||
	    !t.a[CTA_TUPLE_REPLY] || !read_tuple(&e.orig, t.a[CTA_TUPLE_ORIG]) ||
	    !read_tuple(&e.reply, t.a[CTA_TUPLE_REPLY]))
		return 0;
	e.status = u32_of(t.a[CTA_STATUS]);
	e.tcp_state = read_tcp_state(t.a[CTA_PROTOINFO]);
	e.counted = read_bytes(&e.bytes_orig, t.a[CTA_COUNTERS_ORIG]) &&
		    read_bytes(&e.bytes_reply, t.a[CTA_COUNTERS_REPLY]);
	e.age_s = read_age(t.a[CTA_TIMESTAMP], d->now_ns);
	e.left_s = u32_of(t.a[CTA_TIMEOUT]);
	d->cb(&e, d->arg);
	return 0;
}

int
nft_ct_dump(struct nft_sock *s, void (*cb)(const struct nft_ct_entry *e, void *arg), void *arg)
{
	uint8_t buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = nft_sock_request(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
						NLM_F_DUMP, AF_INET);
	struct dump d = {.cb = cb, .arg = arg};
	struct timespec now;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	d.now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	r = nft_sock_ask(s, nlh, on_dump, &d);
	return r == -EINTR ? 0 : r;
}
