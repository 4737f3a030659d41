/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_port.c - taps, veth pairs and other links on our bridges. Runs in priv.
 *
 * Contract: a link is given its group with its creation and its alias before it becomes a port, so that
 * one which we die over is still known as ours. A link that failed half-way is deleted. Of links that
 * are not ours only the master is set, and only where they have none; their gate is priv_gate.c's.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

static_assert(POLICY_QUEUES_MAX == FD_PASS_MAX, "a tap's queues travel with one message");

/* A port's link, which must be ours. */
static int
own_port(struct priv *p, struct call *c, const char *ifname, struct nl_link *l)
{
	int r = nl_link_get(p->route, ifname, l);

	if (r == -ENODEV)
		return fail(c, r, "%s: there is no such interface", ifname);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot look at it", ifname);
	if (!nl_link_is_ours(l, NULL) || !strcmp(l->kind, "bridge"))
		return fail(c, -EPERM, "%s: this interface is not vnetd's", ifname);
	return 0;
}

static struct nlmsghdr *
begin_set(struct priv *p, int ifindex, struct ifinfomsg **ifi)
{
	void *extra;
	struct nlmsghdr *h = nl_begin(p->route, RTM_NEWLINK, 0, &extra, sizeof(**ifi));

	*ifi = extra;
	(*ifi)->ifi_index = ifindex;
	return h;
}

/* No link-local address: a port is a cable, the host lives on the bridge. */
static void
put_no_ipv6(struct nlmsghdr *h)
{
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC),
		      *inet6 = mnl_attr_nest_start(h, AF_INET6);

	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
}

/* What a new port's link looks like. */
struct look {
	unsigned net;
	const char *ifname, *text;
	struct mac mac;
	unsigned mtu;
};

/* Dresses a new link, silences IPv6 on it and puts it onto its bridge. It stays down: its gate comes first. */
static int
make_port(struct priv *p, struct call *c, const struct look *look, int bridge)
{
	char alias[NAMES_ALIAS_MAX];
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;
	struct nl_link l;
	int r;

	names_alias(alias, look->net, look->text);
	r = nl_link_get(p->route, look->ifname, &l);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot look at it", look->ifname);
	h = begin_set(p, l.ifindex, &ifi);
	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	mnl_attr_put_u32(h, IFLA_GROUP, NAMES_LINK_GROUP);
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(look->mac.b), look->mac.b);
	mnl_attr_put_u32(h, IFLA_MTU, look->mtu);
	put_no_ipv6(h);
	r = nl_ack(p->route);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot set up the interface", look->ifname);
	r = priv_sysctl_apply(p->start->sysctl_dir, SYSCTL_PROFILE_PORT, look->ifname);
	if (r < 0)
		return fail_errno(c, r, "%s: cannot set its sysctls", look->ifname);
	h = begin_set(p, l.ifindex, &ifi);
	mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)bridge);
	r = nl_ack(p->route);
	if (r == -EXFULL)
		return fail(c, r,
			    "vmnet%u has as many ports as a bridge of Linux can have, 1023; take "
			    "some off (see vnetctl ports), or use another network",
			    look->net);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot become a port of vmnet%u", look->ifname,
			       look->net);
	return 0;
}

/* Opens one queue; the first makes the tap, and must not meet one of that name. */
static int
open_queue(int tun_dir, const char *ifname, int flags, bool first)
{
	AUTO_FD fd = openat(tun_dir, "tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	struct ifreq ifr;

	if (fd < 0)
		return -errno;
	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags | (first ? IFF_TUN_EXCL : 0));
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return errno == EBUSY && first ? -EEXIST : -errno;
	return fd_take(&fd);
}

/* Makes the tap with all its queues: fds[0..*n), also after a failure. */
static int
open_tap(struct priv *p, const struct msg_tap_add *m, int *fds, size_t *n)
{
	int flags = (m->queues > 1 ? IFF_MULTI_QUEUE : 0) | (m->vnet_hdr ? IFF_VNET_HDR : 0);
	/* A tap without owner can be opened by name by everybody who can open /dev/net/tun. */
	uid_t owner = m->owner == MSG_UID_NONE ? p->start->uid : m->owner;

	for (*n = 0; *n < m->queues; (*n)++) {
		int fd = open_queue(p->start->tun_dir, m->ifname, flags, *n == 0);

		if (fd < 0)
			return fd;
		fds[*n] = fd;
		if (*n == 0 && ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0) {
			(*n)++;
			return -errno;
		}
	}
	return 0;
}

int
priv_tap_add(struct priv *p, struct call *c)
{
	const struct msg_tap_add *m = &c->m->u.tap_add;
	const struct look look = {m->net, m->ifname, m->text, m->mac, m->mtu};
	int fds[POLICY_QUEUES_MAX];
	struct nl_link bridge;
	size_t n = 0;
	int r = priv_bridge_get(p, c, m->net, &bridge);

	if (r < 0)
		return r;
	r = open_tap(p, m, fds, &n);
	if (r == -EEXIST)
		fail(c, r, "%s: an interface of this name exists already", m->ifname);
	else if (r < 0)
		fail_errno(c, r, "%s: cannot make the tap", m->ifname);
	if (r == 0)
		r = make_port(p, c, &look, bridge.ifindex);
	/* Only a finished one may outlive its descriptors. */
	if (r == 0 && m->persist && ioctl(fds[0], TUNSETPERSIST, 1) < 0)
		r = fail_errno(c, -errno, "%s: cannot keep the tap", m->ifname);
	for (size_t i = 0; i < n; i++) {
		if (r == 0 && !m->persist)
			give(c, fds[i]);
		else
			fd_close(&fds[i]);
	}
	return r;
}

/* The pair in one message; the guest's end appears in its namespace under its name. */
static int
create_veth(struct priv *p, const struct msg_veth_add *m, int netns)
{
	struct nlattr *info, *data, *peer;
	void *ifi;
	struct nlmsghdr *h = nl_begin(p->route, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi,
				      sizeof(struct ifinfomsg));

	mnl_attr_put_strz(h, IFLA_IFNAME, m->ifname);
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(m->mac.b), m->mac.b);
	mnl_attr_put_u32(h, IFLA_GROUP, NAMES_LINK_GROUP);
	mnl_attr_put_u32(h, IFLA_MTU, m->mtu);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memset(mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg)), 0,
	       sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, m->peer_name);
	mnl_attr_put(h, IFLA_ADDRESS, sizeof(m->peer_mac.b), m->peer_mac.b);
	mnl_attr_put_u32(h, IFLA_MTU, m->mtu);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)netns);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return nl_ack(p->route);
}

int
priv_veth_add(struct priv *p, struct call *c)
{
	const struct msg_veth_add *m = &c->m->u.veth_add;
	const struct look look = {m->net, m->ifname, m->text, m->mac, m->mtu};
	struct nl_link bridge, l;
	int r = priv_bridge_get(p, c, m->net, &bridge);

	if (r < 0)
		return r;
	if (nl_link_get(p->route, m->ifname, &l) == 0)
		return fail(c, -EEXIST, "%s: an interface of this name exists already", m->ifname);
	r = create_veth(p, m, c->in[0]);
	if (r == -EEXIST)
		return fail(c, r, "\"%s\" exists already in that namespace", m->peer_name);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot make the link into that namespace", m->ifname);
	r = make_port(p, c, &look, bridge.ifindex);
	if (r < 0 && nl_link_get(p->route, m->ifname, &l) == 0)
		nl_link_del(p->route, l.ifindex);
	return r;
}

int
priv_port_del(struct priv *p, struct call *c)
{
	const char *ifname = c->m->u.port_del.ifname;
	struct nl_link l;
	int r = own_port(p, c, ifname, &l);

	if (r < 0)
		return r;
	r = nl_link_del(p->route, l.ifindex);
	if (r < 0 && r != -ENODEV)
		return fail_nl(p, c, r, "%s: cannot delete the interface", ifname);
	priv_gate_end(p, l.ifindex);
	return 0;
}

int
priv_port_enslave(struct priv *p, struct call *c)
{
	const struct msg_port_enslave *m = &c->m->u.port_enslave;
	struct nl_link bridge, l;
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;
	int r = priv_bridge_get(p, c, m->net, &bridge);

	if (r < 0)
		return r;
	r = nl_link_get(p->route, m->ifname, &l);
	if (r == -ENODEV)
		return fail(c, r, "%s: there is no such interface", m->ifname);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot look at it", m->ifname);
	if (l.master == bridge.ifindex)
		return 0;
	if (l.master)
		return fail(c, -EBUSY, "%s: it is a port of another bridge", m->ifname);
	if (!nl_link_is_ours(&l, NULL) && strcmp(l.kind, "tun") != 0 && strcmp(l.kind, "veth") != 0)
		return fail(c, -EPERM, "%s: neither vnetd's nor a tap or veth", m->ifname);
	r = priv_gate_shut(p, c, &l);
	if (r < 0) {
		priv_gate_unshut(p, &l);
		return r;
	}
	h = begin_set(p, l.ifindex, &ifi);
	mnl_attr_put_u32(h, IFLA_MASTER, (uint32_t)bridge.ifindex);
	r = nl_ack(p->route);
	if (r == 0)
		return 0;
	fail_nl(p, c, r, "%s: cannot become a port of %s", m->ifname, bridge.name);
	priv_gate_unshut(p, &l);
	return r;
}

int
priv_port_set(struct priv *p, struct call *c)
{
	const struct msg_port_set *m = &c->m->u.port_set;
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;
	struct nl_link l;
	int r = own_port(p, c, m->ifname, &l);

	if (r < 0)
		return r;
	if (m->off && l.master) {
		h = begin_set(p, l.ifindex, &ifi);
		mnl_attr_put_u32(h, IFLA_MASTER, 0);
		r = nl_ack(p->route);
		if (r < 0)
			return fail_nl(p, c, r, "%s: cannot take it off its bridge", m->ifname);
	}
	h = begin_set(p, l.ifindex, &ifi);
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = m->up ? IFF_UP : 0;
	if (m->mtu && m->mtu != l.mtu)
		mnl_attr_put_u32(h, IFLA_MTU, m->mtu);
	if (!mac_is_zero(m->mac) && !mac_eq(m->mac, l.mac))
		mnl_attr_put(h, IFLA_ADDRESS, sizeof(m->mac.b), m->mac.b);
	r = nl_ack(p->route);
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot set up the interface", m->ifname);
	return 0;
}
