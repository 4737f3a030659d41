/* SPDX-License-Identifier: GPL-2.0-or-later
 * nl.c - netlink requests and their answers, over libmnl. No policy: callers decide what may change.
 */
#include "vnetd/nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

enum { BUF_SIZE = 32768 }; /* a dump's datagrams are as large as the buffer allows */

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	char words[160];
	char out[4096];
	char in[BUF_SIZE];
};

struct nl *
nl_open(int protocol)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int on = 1;

	if (!nl)
		return NULL;
	nl->sock = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		nl_close(nl);
		return NULL;
	}
	/* Words beside the number; not our own request back; unknown attributes of a dump are errors. All
	 * three only make answers better, so a kernel without them will do. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	return nl;
}

void
nl_close(struct nl *nl)
{
	if (!nl)
		return;
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
}

struct nlmsghdr *
nl_begin(struct nl *nl, uint16_t type, uint16_t flags, void **family, size_t extra)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(nl->out);

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	h->nlmsg_seq = ++nl->seq;
	*family = mnl_nlmsg_put_extra_header(h, extra);
	return h;
}

/* The text of an extended acknowledgement, if the kernel sent one. */
static void
keep_words(struct nl *nl, const struct nlmsghdr *h, size_t echoed)
{
	size_t offset = sizeof(struct nlmsgerr) + (h->nlmsg_flags & NLM_F_CAPPED ? 0 : echoed);
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(a, h, (unsigned)offset) if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG &&
						      mnl_attr_validate(a, MNL_TYPE_STRING) >= 0)
	    snprintf(nl->words, sizeof(nl->words), "%.*s", (int)mnl_attr_get_payload_len(a),
		     mnl_attr_get_str(a));
}

/* Up to the acknowledgement or the end of the dump. */
int
nl_ask(struct nl *nl, void (*cb)(const struct nlmsghdr *h, void *arg), void *arg)
{
	struct nlmsghdr *req = (struct nlmsghdr *)nl->out;
	bool torn = false;

	nl->words[0] = '\0';
	if (mnl_socket_sendto(nl->sock, req, req->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->in, sizeof(nl->in));
		const struct nlmsghdr *h = (const struct nlmsghdr *)nl->in;
		int len = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		for (; mnl_nlmsg_ok(h, len); h = mnl_nlmsg_next(h, &len)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_seq != nl->seq)
				continue; /* the rest of an answer that an error cut short */
			torn |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (h->nlmsg_type == NLMSG_DONE)
				return torn ? -EAGAIN : 0;
			if (h->nlmsg_type == NLMSG_ERROR) {
				if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
					return -EBADMSG;
				if (e->error)
					keep_words(nl, h, e->msg.nlmsg_len - sizeof(e->msg));
				return e->error;
			}
			if (cb)
				cb(h, arg);
		}
	}
}

int
nl_ack(struct nl *nl)
{
	return nl_ask(nl, NULL, NULL);
}

const char *
nl_words(const struct nl *nl)
{
	return nl->words;
}

static void
copy_str(char *dst, size_t cap, const struct nlattr *a)
{
	if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(dst, cap, "%s", mnl_attr_get_str(a));
}

static uint32_t
u32_of(const struct nlattr *a)
{
	return mnl_attr_validate(a, MNL_TYPE_U32) >= 0 ? mnl_attr_get_u32(a) : 0;
}

static void
parse_bridge(struct nl_link *l, const struct nlattr *data)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, data) switch (mnl_attr_get_type(a))
	{
	case IFLA_BR_STP_STATE:
		l->stp = u32_of(a);
		break;
	case IFLA_BR_FORWARD_DELAY:
		l->forward_delay = u32_of(a);
		break;
	case IFLA_BR_MCAST_SNOOPING:
		if (mnl_attr_validate(a, MNL_TYPE_U8) >= 0)
			l->mcast_snooping = mnl_attr_get_u8(a);
		break;
	}
}

static bool
bool_of(const struct nlattr *a)
{
	return mnl_attr_validate(a, MNL_TYPE_U8) >= 0 && mnl_attr_get_u8(a) != 0;
}

static void
parse_tun(struct nl_link *l, const struct nlattr *data)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, data) if (mnl_attr_get_type(a) == IFLA_TUN_PERSIST)
	    l->tun_persist = bool_of(a);
}

static void
parse_port(struct nl_port *port, const struct nlattr *data)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, data) switch (mnl_attr_get_type(a))
	{
	case IFLA_BRPORT_LOCKED:
		port->locked = bool_of(a);
		break;
	case IFLA_BRPORT_LEARNING:
		port->learning = bool_of(a);
		break;
	case IFLA_BRPORT_UNICAST_FLOOD:
		port->flood = bool_of(a);
		break;
	}
}

static void
parse_linkinfo(struct nl_link *l, const struct nlattr *info)
{
	const struct nlattr *a, *data = NULL, *port = NULL;
	char master[16] = "";

	mnl_attr_for_each_nested(a, info) switch (mnl_attr_get_type(a))
	{
	case IFLA_INFO_KIND:
		copy_str(l->kind, sizeof(l->kind), a);
		break;
	case IFLA_INFO_DATA:
		data = a;
		break;
	case IFLA_INFO_SLAVE_KIND:
		copy_str(master, sizeof(master), a);
		break;
	case IFLA_INFO_SLAVE_DATA:
		port = a;
		break;
	}
	if (data && !strcmp(l->kind, "bridge"))
		parse_bridge(l, data);
	if (data && !strcmp(l->kind, "tun"))
		parse_tun(l, data);
	if (port && !strcmp(master, "bridge"))
		parse_port(&l->port, port);
}

static void
parse_link(struct nl_link *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;

	memset(l, 0, sizeof(*l));
	l->ifindex = ifi->ifi_index;
	l->flags = ifi->ifi_flags;
	mnl_attr_for_each(a, h, sizeof(*ifi)) switch (mnl_attr_get_type(a))
	{
	case IFLA_IFNAME:
		copy_str(l->name, sizeof(l->name), a);
		break;
	case IFLA_IFALIAS:
		copy_str(l->alias, sizeof(l->alias), a);
		break;
	case IFLA_MASTER:
		l->master = (int)u32_of(a);
		break;
	case IFLA_MTU:
		l->mtu = u32_of(a);
		break;
	case IFLA_GROUP:
		l->group = u32_of(a);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == sizeof(l->mac.b))
			memcpy(l->mac.b, mnl_attr_get_payload(a), sizeof(l->mac.b));
		break;
	case IFLA_LINKINFO:
		parse_linkinfo(l, a);
		break;
	}
}

struct each {
	void (*cb)(const struct nl_link *l, void *arg);
	void *arg;
};

static void
on_link(const struct nlmsghdr *h, void *arg)
{
	const struct each *each = arg;
	struct nl_link l;

	if (h->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(h) < sizeof(struct ifinfomsg))
		return;
	parse_link(&l, h);
	each->cb(&l, each->arg);
}

static struct nlmsghdr *
begin_get(struct nl *nl, uint16_t flags)
{
	void *ifi;
	struct nlmsghdr *h = nl_begin(nl, RTM_GETLINK, flags, &ifi, sizeof(struct ifinfomsg));

	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return h;
}

static void
copy_link(const struct nl_link *l, void *arg)
{
	struct nl_link *out = arg;

	*out = *l;
}

static int
get_one(struct nl *nl, struct nl_link *out)
{
	struct each each = {copy_link, out};
	int r;

	out->ifindex = 0;
	r = nl_ask(nl, on_link, &each);
	return r == 0 && out->ifindex == 0 ? -ENODEV : r;
}

int
nl_link_get(struct nl *nl, const char *name, struct nl_link *out)
{
	struct nlmsghdr *h = begin_get(nl, 0);

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return get_one(nl, out);
}

int
nl_link_get_index(struct nl *nl, int ifindex, struct nl_link *out)
{
	struct nlmsghdr *h = begin_get(nl, 0);

	((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_index = ifindex;
	return get_one(nl, out);
}

int
nl_link_each(struct nl *nl, void (*cb)(const struct nl_link *l, void *arg), void *arg)
{
	struct each each = {cb, arg};

	begin_get(nl, NLM_F_DUMP);
	return nl_ask(nl, on_link, &each);
}

bool
nl_link_is_ours(const struct nl_link *l, unsigned *net)
{
	struct names_link n = {
	    .name = l->name, .kind = l->kind, .alias = l->alias, .group = l->group};

	return names_is_ours(net, &n);
}

int
nl_link_del(struct nl *nl, int ifindex)
{
	void *ifi;

	nl_begin(nl, RTM_DELLINK, 0, &ifi, sizeof(struct ifinfomsg));
	((struct ifinfomsg *)ifi)->ifi_index = ifindex;
	return nl_ack(nl);
}

int
nl_group_del(struct nl *nl, uint32_t group)
{
	void *ifi;
	struct nlmsghdr *h = nl_begin(nl, RTM_DELLINK, 0, &ifi, sizeof(struct ifinfomsg));

	mnl_attr_put_u32(h, IFLA_GROUP, group);
	return nl_ack(nl);
}
