/* SPDX-License-Identifier: GPL-2.0-or-later
 * stop_after.c - preloaded into vnetd: after SIGURG, or from the start where VNET_STOP_ARMED is set, the process stops when
 * it has given the kernel a table, before anybody is told of it. A test then has all the time it wants between both.
 */
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t addrlen);

static volatile sig_atomic_t armed;

static void
arm(int sig)
{
	(void)sig;
	armed = 1;
}

__attribute__((constructor)) static void
begin(void)
{
	armed = getenv("VNET_STOP_ARMED") != NULL;
	signal(SIGURG, arm);
}

/* A table with rules. */
static bool
is_plan(const void *buf, size_t len)
{
	bool table = false, rule = false;
	int left = (int)len;

	for (const struct nlmsghdr *nlh = buf; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		table = table || nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE);
		rule = rule || nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE);
	}
	return table && rule;
}

ssize_t
sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t addrlen)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	ssize_t r;

	*(void **)&next = dlsym(RTLD_NEXT, "sendto");
	r = next(fd, buf, len, flags, to, addrlen);
	if (to && to->sa_family == AF_NETLINK && is_plan(buf, len) && armed) {
		armed = 0;
		raise(SIGSTOP);
	}
	return r;
}
