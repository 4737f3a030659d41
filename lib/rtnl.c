/* SPDX-License-Identifier: GPL-2.0-or-later
 * rtnl.c - two rtnetlink sockets: one asks and dumps, one hears events. Reads only.
 *
 * A dump that changed under way is begun anew before anyone sees a part of it. Messages count only when
 * the kernel sent them: any process with CAP_NET_ADMIN could send to our sockets as well.
 */
#include "rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "rtnl_decode.h"

enum {
	/* The kernel fills up to 32 KiB when the reader offers it. */
	RECV_BUF = 32 << 10,
	EVENT_SOCKET_BUF = 1 << 20,
	/* Datagrams handled before the loop may look at other descriptors. */
	DISPATCH_BUDGET = 64,
	DUMP_TRIES = 10,
};

struct rtnl {
	int query, events;
	uint32_t seq;
	struct rtnl_events ev;
	void *arg;
	/* One each: an event about a bridge port makes a query. Aligned for struct nlmsghdr. */
	_Alignas(struct nlmsghdr) uint8_t event_buf[RECV_BUF];
	_Alignas(struct nlmsghdr) uint8_t query_buf[RECV_BUF];
};

/* Messages of a whole dump, one behind the other. */
struct dump {
	uint8_t *buf;
	size_t len, cap;
};

static int
open_socket(unsigned groups, int flags)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	AUTO_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	return fd_take(&fd);
}

/* Of neighbours, filters and queueing disciplines only what goes, and a bridge's and IPv4's neighbours. Without it a
 * flood of addresses on a learning port would flood this socket too. */
static int
keep_away(int fd)
{
	enum { DROP = 0, ACCEPT = UINT32_MAX };
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWNEIGH), 7, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWTFILTER), 6, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWQDISC), 5, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELNEIGH), 0, 3),
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN), /* ndm_family */
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, ACCEPT),
	    BPF_STMT(BPF_RET | BPF_K, DROP),
	};
	const struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

struct rtnl *
rtnl_new(const struct rtnl_events *ev, void *arg)
{
	unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE;
	const int size = EVENT_SOCKET_BUF;
	struct rtnl *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->ev = *ev;
	r->arg = arg;
	r->events = -1;
	r->query = open_socket(0, 0);
	if (ev->fdb_gone || ev->neigh_gone)
		groups |= RTMGRP_NEIGH;
	if (ev->filter_gone)
		groups |= RTMGRP_TC;
	if (r->query >= 0)
		r->events = open_socket(groups, SOCK_NONBLOCK);
	if (r->events < 0 || keep_away(r->events) < 0) {
		rtnl_free(r);
		return NULL;
	}
	/* As much as the host allows; a smaller buffer only means overruns earlier. */
	setsockopt(r->events, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return r;
}

void
rtnl_free(struct rtnl *r)
{
	int saved = errno;

	if (!r)
		return;
	fd_close(&r->query);
	fd_close(&r->events);
	free(r);
	errno = saved;
}

int
rtnl_event_fd(const struct rtnl *r)
{
	return r->events;
}

/* One datagram from the kernel. Its length, 0 for one from somebody else, -errno. */
static ssize_t
receive(int fd, void *buf, size_t cap)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {buf, cap};
	struct msghdr mh = {
	    .msg_name = &from,
	    .msg_namelen = sizeof(from),
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(fd, &mh, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (mh.msg_flags & MSG_TRUNC)
		return -ENOBUFS; /* a part is lost, as when the socket's buffer is full */
	return from.nl_pid == 0 ? n : 0;
}

/* Sends a request with the family's header and, for links, "no statistics please". */
static int
ask(struct rtnl *r, uint16_t type, uint8_t family, uint16_t flags, int ifindex)
{
	_Alignas(struct nlmsghdr) uint8_t buf[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = ++r->seq;
	if (type == RTM_GETLINK) {
		struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

		ifi->ifi_family = family;
		ifi->ifi_index = ifindex;
		mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	} else if (type == RTM_GETADDR) {
		struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

		ifa->ifa_family = family;
	} else if (type == RTM_GETNEIGH) {
		struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

		ndm->ndm_family = family;
	} else {
		struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

		rtm->rtm_family = family;
	}
	do {
		n = sendto(r->query, nlh, nlh->nlmsg_len, 0, (const struct sockaddr *)&kernel,
			   sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The errno that an NLMSG_ERROR or NLMSG_DONE carries; both begin with it. */
static int
message_error(const struct nlmsghdr *nlh)
{
	int err;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(err))
		return 0;
	memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	return err < 0 ? err : 0;
}

static int
dump_append(struct dump *d, const struct nlmsghdr *nlh)
{
	size_t len = NLMSG_ALIGN(nlh->nlmsg_len);

	if (len > d->cap - d->len) {
		size_t cap = d->cap ? d->cap * 2 : RECV_BUF * 2;
		uint8_t *buf = realloc(d->buf, cap);

		if (!buf)
			return -ENOMEM;
		d->buf = buf;
		d->cap = cap;
	}
	/* The last message of a datagram may lack the padding. */
	memset(d->buf + d->len, 0, len);
	memcpy(d->buf + d->len, nlh, nlh->nlmsg_len);
	d->len += len;
	return 0;
}

/* Takes the messages of one datagram. 1: there is more to come; 0: that was the end; -errno. */
static int
dump_datagram(struct rtnl *r, struct dump *d, int len, bool *interrupted)
{
	const struct nlmsghdr *nlh = (const void *)r->query_buf;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		int err;

		if (nlh->nlmsg_seq != r->seq)
			continue; /* the rest of an answer that was given up */
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
			return message_error(nlh);
		err = dump_append(d, nlh);
		if (err < 0)
			return err;
		if (!(nlh->nlmsg_flags & NLM_F_MULTI))
			return 0;
	}
	return 1;
}

static int
dump_once(struct rtnl *r, struct dump *d, uint16_t type, uint8_t family, uint16_t flags,
	  int ifindex, bool *interrupted)
{
	int err = ask(r, type, family, flags, ifindex);

	d->len = 0;
	*interrupted = false;
	if (err < 0)
		return err;
	do {
		ssize_t n = receive(r->query, r->query_buf, sizeof(r->query_buf));

		if (n < 0)
			return (int)n;
		err = dump_datagram(r, d, (int)n, interrupted);
	} while (err > 0);
	return err;
}

/* Fills d (free d->buf in every case). */
static int
dump_all(struct rtnl *r, struct dump *d, uint16_t type, uint8_t family)
{
	bool interrupted = true;

	for (int i = 0; i < DUMP_TRIES && interrupted; i++) {
		int err = dump_once(r, d, type, family, NLM_F_DUMP, 0, &interrupted);

		if (err < 0)
			return err;
	}
	return interrupted ? -EAGAIN : 0;
}

/* The message at *pos of a finished dump, which is passed; NULL at the end. */
static const struct nlmsghdr *
dump_at(const struct dump *d, size_t *pos)
{
	const struct nlmsghdr *nlh;

	if (*pos >= d->len)
		return NULL;
	nlh = (const void *)(d->buf + *pos);
	*pos += NLMSG_ALIGN(nlh->nlmsg_len);
	return nlh;
}

int
rtnl_links(struct rtnl *r, void (*cb)(const struct rtnl_link *l, void *arg), void *arg)
{
	struct dump d = {0};
	int err = dump_all(r, &d, RTM_GETLINK, AF_UNSPEC);
	const struct nlmsghdr *nlh;
	struct rtnl_link l;

	for (size_t pos = 0; err == 0 && (nlh = dump_at(&d, &pos));)
		if (rtnl_decode_link(&l, nlh))
			cb(&l, arg);
	free(d.buf);
	return err;
}

int
rtnl_addrs(struct rtnl *r, void (*cb)(const struct rtnl_addr *a, void *arg), void *arg)
{
	struct dump d = {0};
	int err = dump_all(r, &d, RTM_GETADDR, AF_INET);
	const struct nlmsghdr *nlh;
	struct rtnl_addr a;

	for (size_t pos = 0; err == 0 && (nlh = dump_at(&d, &pos));)
		if (rtnl_decode_addr(&a, nlh))
			cb(&a, arg);
	free(d.buf);
	return err;
}

static int
dump_routes(struct rtnl *r, bool (*decode)(struct rtnl_route *out, const struct nlmsghdr *nlh),
	    void (*cb)(const struct rtnl_route *rt, void *arg), void *arg)
{
	struct dump d = {0};
	int err = dump_all(r, &d, RTM_GETROUTE, AF_INET);
	const struct nlmsghdr *nlh;
	struct rtnl_route rt;

	for (size_t pos = 0; err == 0 && (nlh = dump_at(&d, &pos));)
		if (decode(&rt, nlh)) {
			cb(&rt, arg);
			for (unsigned n = 1; rtnl_decode_way(&rt, nlh, n); n++)
				cb(&rt, arg);
		}
	free(d.buf);
	return err;
}

int
rtnl_routes(struct rtnl *r, void (*cb)(const struct rtnl_route *rt, void *arg), void *arg)
{
	return dump_routes(r, rtnl_decode_route, cb, arg);
}

int
rtnl_all_routes(struct rtnl *r, void (*cb)(const struct rtnl_route *rt, void *arg), void *arg)
{
	return dump_routes(r, rtnl_decode_any_route, cb, arg);
}

int
rtnl_fdb(struct rtnl *r, void (*cb)(const struct rtnl_fdb *f, void *arg), void *arg)
{
	struct dump d = {0};
	int err = dump_all(r, &d, RTM_GETNEIGH, AF_BRIDGE);
	const struct nlmsghdr *nlh;
	struct rtnl_fdb f;

	for (size_t pos = 0; err == 0 && (nlh = dump_at(&d, &pos));)
		if (rtnl_decode_fdb(&f, nlh))
			cb(&f, arg);
	free(d.buf);
	return err;
}

int
rtnl_neighs(struct rtnl *r, void (*cb)(const struct rtnl_neigh *n, void *arg), void *arg)
{
	struct dump d = {0};
	int err = dump_all(r, &d, RTM_GETNEIGH, AF_INET);
	const struct nlmsghdr *nlh;
	struct rtnl_neigh n;

	for (size_t pos = 0; err == 0 && (nlh = dump_at(&d, &pos));)
		if (rtnl_decode_neigh(&n, nlh))
			cb(&n, arg);
	free(d.buf);
	return err;
}

/* A bridge spoke about its port: tell the owner the link's whole state as it is now. When the link is
 * gone, its own event says so. */
static void
report_port(struct rtnl *r, int ifindex)
{
	struct dump d = {0};
	struct rtnl_link l;
	bool interrupted;

	if (dump_once(r, &d, RTM_GETLINK, AF_UNSPEC, 0, ifindex, &interrupted) == 0 && d.len > 0 &&
	    rtnl_decode_link(&l, (const void *)d.buf))
		r->ev.link(&l, false, r->arg);
	free(d.buf);
}

static void
report_route(struct rtnl *r, const struct nlmsghdr *nlh)
{
	void (*cb)(const struct rtnl_route *rt, bool gone, void *arg) = r->ev.route;
	struct rtnl_route rt;

	if (!rtnl_decode_route(&rt, nlh)) {
		if (!rtnl_decode_any_route(&rt, nlh))
			return;
		cb = r->ev.other_route;
	}
	if (cb)
		cb(&rt, nlh->nlmsg_type == RTM_DELROUTE, r->arg);
}

static void
dispatch_message(struct rtnl *r, const struct nlmsghdr *nlh)
{
	struct rtnl_link l;
	struct rtnl_addr a;
	struct rtnl_neigh n;
	struct rtnl_fdb f;
	int port;

	if (r->ev.link && rtnl_decode_link(&l, nlh))
		r->ev.link(&l, nlh->nlmsg_type == RTM_DELLINK, r->arg);
	else if (r->ev.link && (port = rtnl_decode_bridge_port(nlh)) > 0)
		report_port(r, port);
	else if (r->ev.addr && rtnl_decode_addr(&a, nlh))
		r->ev.addr(&a, nlh->nlmsg_type == RTM_DELADDR, r->arg);
	else if (nlh->nlmsg_type == RTM_NEWROUTE || nlh->nlmsg_type == RTM_DELROUTE)
		report_route(r, nlh);
	else if (r->ev.fdb_gone && nlh->nlmsg_type == RTM_DELNEIGH && rtnl_decode_fdb(&f, nlh))
		r->ev.fdb_gone(&f, r->arg);
	else if (r->ev.neigh_gone && nlh->nlmsg_type == RTM_DELNEIGH &&
		 rtnl_decode_neigh(&n, nlh) && n.proto)
		r->ev.neigh_gone(&n, r->arg);
	else if (r->ev.filter_gone && (port = rtnl_decode_filter_gone(nlh)) > 0)
		r->ev.filter_gone(port, r->arg);
}

void
rtnl_dispatch(struct rtnl *r)
{
	for (int i = 0; i < DISPATCH_BUDGET; i++) {
		const struct nlmsghdr *nlh = (const void *)r->event_buf;
		ssize_t n = receive(r->events, r->event_buf, sizeof(r->event_buf));
		int len = (int)n;

		if (n == -ENOBUFS) {
			if (r->ev.overrun)
				r->ev.overrun(r->arg);
			continue;
		}
		if (n < 0)
			return;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			dispatch_message(r, nlh);
	}
}
