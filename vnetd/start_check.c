/* SPDX-License-Identifier: GPL-2.0-or-later
 * start_check.c - what the kernel must be able to do, asked without changing anything. Runs as root.
 *
 * A question is a request that a kernel with the feature refuses for another reason than one without.
 * Asking also makes the kernel load its module, so that priv does not have to.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "vnetd/start.h"

/* Locked bridge ports have no question of their own: a bridge without them takes the request and ignores
 * it. They came with 5.18, and 6.1 is the oldest kernel that all of vnetd was tried on. */
enum { KERNEL_MAJOR = 6, KERNEL_MINOR = 1 };

static int
check_version(void)
{
	struct utsname u;
	int major, minor;

	if (uname(&u) < 0 || sscanf(u.release, "%d.%d", &major, &minor) != 2)
		return 0;
	if (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
		return 0;
	log_error(
	    0,
	    "kernel %s is too old: vnetd needs bridges with locked ports as Linux %d.%d has them",
	    u.release, KERNEL_MAJOR, KERNEL_MINOR);
	return -1;
}

/* A link of this kind with a multicast address: refused for its address where the kind exists. */
static int
ask_kind(struct nl *nl, const char *kind)
{
	static const uint8_t multicast[6] = {1};
	struct nlattr *info;
	void *ifi;
	struct nlmsghdr *h =
	    nl_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(struct ifinfomsg));

	mnl_attr_put(h, IFLA_ADDRESS, sizeof(multicast), multicast);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(h, info);
	return nl_ack(nl) == -EOPNOTSUPP ? -1 : 0;
}

static int
check_links(void)
{
	static const struct {
		const char *kind, *option;
	} kinds[] = {{"bridge", "CONFIG_BRIDGE"}, {"veth", "CONFIG_VETH"}};
	struct nl *nl = nl_open(NETLINK_ROUTE);
	int r = 0;

	if (!nl) {
		log_error(errno, "cannot open a netlink socket");
		return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (ask_kind(nl, kinds[i].kind) < 0) {
			log_error(0,
				  "the kernel has no %s links. Try: modprobe %s (kernel option %s)",
				  kinds[i].kind, kinds[i].kind, kinds[i].option);
			r = -1;
		}
	nl_close(nl);
	return r;
}

/* A harmless query to a part of netfilter; EINVAL: nobody is there to answer. */
static int
ask_netfilter(struct nl *nl, uint8_t subsystem, uint8_t query)
{
	void *family;

	nl_begin(nl, (uint16_t)(subsystem << 8 | query), 0, &family, sizeof(struct nfgenmsg));
	((struct nfgenmsg *)family)->version = NFNETLINK_V0;
	return nl_ack(nl) == -EINVAL ? -1 : 0;
}

static int
check_netfilter(void)
{
	struct nl *nl = nl_open(NETLINK_NETFILTER);
	int r = 0;

	if (!nl || ask_netfilter(nl, NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN) < 0) {
		log_error(
		    0, "the kernel has no nf_tables, so there is no NAT. Try: modprobe nf_tables "
		       "(kernel options CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT)");
		r = -1;
	} else if (ask_netfilter(nl, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS) < 0) {
		log_error(
		    0, "the kernel has no connection tracking, so there is no NAT. Try: modprobe "
		       "nf_conntrack_netlink (kernel options CONFIG_NF_CONNTRACK, "
		       "CONFIG_NF_CT_NETLINK)");
		r = -1;
	}
	nl_close(nl);
	return r;
}

int
start_check(void)
{
	int version = check_version(), links = check_links(), netfilter = check_netfilter();

	return version < 0 || links < 0 || netfilter < 0 ? -1 : 0;
}
