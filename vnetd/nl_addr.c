/* SPDX-License-Identifier: GPL-2.0-or-later
 * nl_addr.c - addresses that redirections add to interfaces, whoever's these are. Runs in priv.
 *
 * They carry a protocol number of their own (IFA_PROTO): the kernel itself keeps the record of what is ours, so that
 * it cannot be lost. The kernel's own prefix routes are not wanted for a single address.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "vnetd/nl.h"

#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static int
change(struct nl *nl, uint16_t type, uint16_t flags, const struct nl_alias *a)
{
	bool is4 = memcmp(a->addr, mapped, sizeof(mapped)) == 0;
	size_t len = is4 ? 4 : 16;
	struct ifaddrmsg *ifa;
	struct nlmsghdr *h;
	void *extra;

	h = nl_begin(nl, type, flags, &extra, sizeof(*ifa));
	ifa = extra;
	ifa->ifa_family = is4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = (uint8_t)(8 * len);
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = (uint32_t)a->ifindex;
	mnl_attr_put(h, IFA_LOCAL, len, a->addr + 16 - len);
	mnl_attr_put(h, IFA_ADDRESS, len, a->addr + 16 - len);
	if (type == RTM_NEWADDR) {
		/* It was another host's until now, which no detection of duplicates would find any more. */
		mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NOPREFIXROUTE | (is4 ? 0 : IFA_F_NODAD));
		mnl_attr_put_u8(h, IFA_PROTO, NAMES_ALIAS_PROTO);
	}
	return nl_ack(nl);
}

int
nl_alias_add(struct nl *nl, const struct nl_alias *a)
{
	int r = change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, a);

	return r == -EEXIST ? 1 : r;
}

int
nl_alias_del(struct nl *nl, const struct nl_alias *a)
{
	int r = change(nl, RTM_DELADDR, 0, a);

	return r == -EADDRNOTAVAIL || r == -ENODEV ? 0 : r;
}

struct each {
	void (*cb)(const struct nl_alias *a, void *arg);
	void *arg;
};

static void
on_addr(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(h);
	const struct each *each = arg;
	const struct nlattr *at, *local = NULL;
	struct nl_alias a;
	uint8_t proto = 0;
	size_t len;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < mnl_nlmsg_size(sizeof(*ifa)))
		return;
	mnl_attr_for_each(at, h, sizeof(*ifa))
	{
		unsigned type = mnl_attr_get_type(at);

		if (type == IFA_PROTO && mnl_attr_get_payload_len(at) == 1)
			proto = mnl_attr_get_u8(at);
		else if (type == IFA_LOCAL || (type == IFA_ADDRESS && !local))
			local = at;
	}
	len = local ? mnl_attr_get_payload_len(local) : 0;
	if (proto != NAMES_ALIAS_PROTO || (len != 4 && len != 16))
		return;
	a.ifindex = (int)ifa->ifa_index;
	memset(a.addr, 0, sizeof(a.addr));
	if (len == 4)
		memcpy(a.addr, mapped, sizeof(mapped));
	memcpy(a.addr + 16 - len, mnl_attr_get_payload(local), len);
	each->cb(&a, each->arg);
}

int
nl_alias_each(struct nl *nl, void (*cb)(const struct nl_alias *a, void *arg), void *arg)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct each each = {cb, arg};
	int r = 0;

	for (unsigned i = 0; i < 2 && r == 0; i++) {
		struct ifaddrmsg *ifa;
		void *extra;

		nl_begin(nl, RTM_GETADDR, NLM_F_DUMP, &extra, sizeof(*ifa));
		ifa = extra;
		ifa->ifa_family = families[i];
		r = nl_ask(nl, on_addr, &each);
	}
	return r;
}
