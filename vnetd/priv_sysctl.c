/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_sysctl.c - the fixed sets of sysctls that our interfaces get, and ip_forward. Runs in priv.
 *
 * Contract: below /proc/sys/net only; nothing but the values in the tables here, and of the global
 * ones ip_forward and what connection tracking counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vnetd/priv.h"

struct setting {
	const char *family; /* below /proc/sys/net */
	const char *key;    /* below conf/INTERFACE */
	const char *value;  /* NULL: what the host gives new interfaces */
};

/* A host adapter. The network's addresses are /32s on one link: answer ARP for those and for no other
 * address of the host (arp_ignore), ask from the first one always, so that guests see one host
 * (arp_announce), and take from guests only what is routed back to them. IPv6: a link-local address and
 * nothing that a guest advertises. */
static const struct setting host[] = {
    {"ipv4", "arp_ignore", "1"},       {"ipv4", "arp_announce", "2"},
    {"ipv4", "rp_filter", "1"},        {"ipv4", "proxy_arp", "0"},
    {"ipv4", "accept_redirects", "0"}, {"ipv4", "accept_source_route", "0"},
    {"ipv6", "accept_ra", "0"},        {"ipv6", "autoconf", "0"},
    {"ipv6", "accept_redirects", "0"}, {"ipv6", "disable_ipv6", NULL},
};

/* No host adapter, but gateway or DHCP server: the same without IPv6, which would be an address too. */
static const struct setting service[] = {
    {"ipv6", "disable_ipv6", "1"},        {"ipv4", "arp_ignore", "1"},
    {"ipv4", "arp_announce", "2"},        {"ipv4", "rp_filter", "1"},
    {"ipv4", "proxy_arp", "0"},           {"ipv4", "accept_redirects", "0"},
    {"ipv4", "accept_source_route", "0"},
};

/* The host is not there: it answers no ARP whatever address it has elsewhere. */
static const struct setting segment[] = {
    {"ipv6", "disable_ipv6", "1"},
    {"ipv4", "arp_ignore", "8"},
    {"ipv4", "rp_filter", "1"},
    {"ipv4", "proxy_arp", "0"},
};

/* A cable: what passes is the bridge's business. */
static const struct setting port[] = {
    {"ipv6", "disable_ipv6", "1"},
};

static const struct {
	const struct setting *s;
	size_t n;
} profiles[] = {
    [SYSCTL_PROFILE_HOST] = {host, ARRAY_LEN(host)},
    [SYSCTL_PROFILE_SERVICE] = {service, ARRAY_LEN(service)},
    [SYSCTL_PROFILE_SEGMENT] = {segment, ARRAY_LEN(segment)},
    [SYSCTL_PROFILE_PORT] = {port, ARRAY_LEN(port)},
};

static_assert(ARRAY_LEN(profiles) == SYSCTL_PROFILE_N, "every profile has its settings");

static int
read_value(int dir, const char *path, char *buf, size_t cap)
{
	AUTO_FD fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, cap - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int
write_value(int dir, const char *path, const char *value)
{
	AUTO_FD fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int
set_one(int dir, const struct setting *s, const char *ifname)
{
	const char *value = s->value;
	char path[96], buf[32];
	int r;

	if (!value) {
		snprintf(path, sizeof(path), "%s/conf/default/%s", s->family, s->key);
		r = read_value(dir, path, buf, sizeof(buf));
		if (r < 0)
			return r;
		value = buf;
	}
	snprintf(path, sizeof(path), "%s/conf/%s/%s", s->family, ifname, s->key);
	return write_value(dir, path, value);
}

int
priv_sysctl_apply(int sysctl_dir, enum sysctl_profile profile, const char *ifname)
{
	for (size_t i = 0; i < profiles[profile].n; i++) {
		const struct setting *s = &profiles[profile].s[i];
		int r = set_one(sysctl_dir, s, ifname);

		/* A kernel without IPv6 has none of it, and needs none. */
		if (r == -ENOENT && !strcmp(s->family, "ipv6") &&
		    faccessat(sysctl_dir, "ipv6/conf", F_OK, 0) < 0)
			continue;
		if (r < 0)
			return r;
	}
	return 0;
}

int
priv_sysctl_localnet(const struct priv *p, unsigned net)
{
	const struct setting s = {"ipv4", "route_localnet", p->nat_nets.has[net] ? "1" : "0"};
	char name[NAMES_IFNAME_MAX];

	return set_one(p->start->sysctl_dir, &s, names_bridge(net, name));
}

/* The bridge by its network; a port when it is ours, or a port of this network's bridge. */
int
priv_sysctl_set(struct priv *p, struct call *c)
{
	const struct msg_sysctl_set *m = &c->m->u.sysctl_set;
	struct nl_link bridge, l;
	int r = priv_bridge_get(p, c, m->net, &bridge);

	if (r < 0)
		return r;
	if (m->profile == SYSCTL_PROFILE_PORT) {
		r = nl_link_get(p->route, m->ifname, &l);
		if (r < 0)
			return fail_nl(p, c, r, "%s: cannot look at it", m->ifname);
		if (l.master != bridge.ifindex && !nl_link_is_ours(&l, NULL))
			return fail(c, -EPERM, "%s: it is not a port of %s", m->ifname,
				    bridge.name);
	}
	r = priv_sysctl_apply(p->start->sysctl_dir, m->profile, m->ifname);
	/* A bridge that was made anew while its NAT went on. */
	if (r == 0 && m->profile != SYSCTL_PROFILE_PORT)
		r = priv_sysctl_localnet(p, m->net);
	if (r < 0)
		return fail_errno(c, r, "%s: cannot set its sysctls", m->ifname);
	return 0;
}

void
priv_sysctl_accounting(const struct priv *p)
{
	static const char *const path[] = {"netfilter/nf_conntrack_acct",
					   "netfilter/nf_conntrack_timestamp"};
	char now[16];

	for (size_t i = 0; i < ARRAY_LEN(path); i++) {
		int r = read_value(p->start->sysctl_dir, path[i], now, sizeof(now));

		if (r == 0 && !strcmp(now, "0"))
			r = write_value(p->start->sysctl_dir, path[i], "1");
		if (r < 0)
			log_debug("net/%s: %s", path[i], strerror(-r));
	}
}

/* Writing it resets settings of every interface, so only when it changes something. */
static int
forward(const struct priv *p)
{
	char now[16];
	int r = read_value(p->start->sysctl_dir, "ipv4/ip_forward", now, sizeof(now));

	if (r < 0 || !strcmp(now, "1"))
		return r;
	return write_value(p->start->sysctl_dir, "ipv4/ip_forward", "1");
}

void
priv_ip_forward_now(struct priv *p)
{
	int r;

	if (!p->forward_wanted || !p->nat_guards)
		return;
	p->forward_wanted = false;
	r = forward(p);
	if (r < 0)
		log_error(-r, "cannot set net.ipv4.ip_forward to 1: guests of NAT networks have no "
			      "Internet. Try: sysctl -w net.ipv4.ip_forward=1");
}

/* A host that was no router must not be one for others, not for the moment either until there is a table that prevents it.
 * The record is made before the change and only once, so that a crash in between, or a second start,
 * does not take our own 1 for what the host had. */
int
priv_ip_forward(struct priv *p, struct call *c)
{
	char now[16], found[16] = "";
	int r = read_value(p->start->sysctl_dir, "ipv4/ip_forward", now, sizeof(now));
	ssize_t n = pread(p->start->record, found, sizeof(found) - 1, 0);

	if (r < 0 || n < 0)
		return fail_errno(c, r < 0 ? r : -errno, "cannot read net.ipv4.ip_forward");
	if (n == 0) {
		memcpy(found, now, sizeof(found));
		if (pwrite(p->start->record, now, strlen(now), 0) < 0)
			return fail_errno(c, -errno, "cannot record net.ipv4.ip_forward");
	}
	p->forward_wanted = !c->m->u.ip_forward.others && strcmp(found, "1") != 0 && !p->nat_guards;
	r = p->forward_wanted ? 0 : forward(p);
	if (r < 0)
		return fail_errno(c, r, "cannot set net.ipv4.ip_forward to 1");
	snprintf(c->text, sizeof(c->text), "%s", found);
	return 0;
}
