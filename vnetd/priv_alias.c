/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_alias.c - the addresses that redirections add to interfaces, their announcement and removal. Runs in priv.
 *
 * Contract: only addresses that carry our protocol number are announced and removed; one that was there before is left
 * alone, and so is the interface. The kernel announces none that is added, but where its arp_notify or ndisc_notify
 * were set it would some; a frame is made of the address and the interface's MAC alone, and none is received.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/redirect.h"
#include "lib/fd.h"
#include "lib/frame.h"
#include "vnetd/priv.h"

enum { FRAME_MAX = 128 };

/* Named since the last sweep. */
struct alias {
	struct alias *next;
	struct nl_alias a;
};

static bool
same(const struct nl_alias *a, const struct nl_alias *b)
{
	return a->ifindex == b->ifindex && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

int
priv_alias_set(struct priv *p, struct call *c)
{
	const struct msg_alias_set *m = &c->m->u.alias_set;
	struct alias *a = calloc(1, sizeof(*a));
	struct redirect_ip ip;
	char text[REDIRECT_IP_STRLEN];
	struct nl_link l;
	int r;

	if (!a)
		return -ENOMEM;
	memcpy(ip.b, m->addr.b, sizeof(ip.b));
	memcpy(a->a.addr, m->addr.b, sizeof(a->a.addr));
	r = nl_link_get(p->route, m->ifname, &l);
	if (r == 0) {
		a->a.ifindex = l.ifindex;
		r = nl_alias_add(p->route, &a->a);
	}
	if (r < 0) {
		free(a);
		if (r == -ENODEV)
			return fail(c, r, "there is no interface \"%s\"", m->ifname);
		return fail_nl(p, c, r, "%s: cannot add address %s", m->ifname,
			       redirect_ip_str(ip, text));
	}
	if (r == 0)
		snprintf(c->text, sizeof(c->text), "added");
	a->next = p->aliases;
	p->aliases = a;
	return 0;
}

/* --- announcement --- */

struct search {
	const struct nl_alias *a;
	bool found;
};

static void
compare(const struct nl_alias *a, void *arg)
{
	struct search *s = arg;

	s->found |= same(a, s->a);
}

static bool
has_neighbours(const struct nl_link *l)
{
	return (l->flags & IFF_UP) && !(l->flags & (IFF_LOOPBACK | IFF_NOARP)) &&
	       !mac_is_zero(l->mac);
}

/* RFC 5227 2.3, RFC 4861 7.2.6. */
static size_t
announcement(uint8_t buf[FRAME_MAX], struct mac mac, struct redirect_ip ip)
{
	static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct wr w = wr_init(buf, FRAME_MAX);
	struct arp4 arp = {.sender_mac = mac};
	uint32_t be;

	memcpy(&be, ip.b + 12, sizeof(be));
	arp.sender_ip = arp.target_ip = ip4_from_be(be);
	if (redirect_ip_is4(ip))
		arp4_frame_encode(&w, broadcast, &arp);
	else
		na6_frame_encode(&w, mac, ip.b);
	return wr_len(&w);
}

/* Of protocol 0 nothing is received. */
static int
send_frame(int ifindex, const uint8_t *frame, size_t len)
{
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
	AUTO_FD fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || sendto(fd, frame, len, 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

int
priv_alias_announce(struct priv *p, struct call *c)
{
	const struct msg_alias_announce *m = &c->m->u.alias_announce;
	struct nl_alias a;
	struct search s = {.a = &a};
	uint8_t frame[FRAME_MAX];
	struct redirect_ip ip;
	struct nl_link l;
	int r;

	memcpy(ip.b, m->addr.b, sizeof(ip.b));
	memcpy(a.addr, m->addr.b, sizeof(a.addr));
	r = nl_link_get(p->route, m->ifname, &l);
	if (r == 0) {
		a.ifindex = l.ifindex;
		r = nl_alias_each(p->route, compare, &s);
	}
	if (r < 0)
		return fail_nl(p, c, r, "%s: cannot look at its addresses", m->ifname);
	if (!s.found)
		return fail(c, -EADDRNOTAVAIL, "%s: no redirection added the address", m->ifname);
	if (!has_neighbours(&l))
		return 0;
	r = send_frame(l.ifindex, frame, announcement(frame, l.mac, ip));
	return r < 0 ? fail_errno(c, r, "%s: cannot announce an address", m->ifname) : 0;
}

/* --- removal --- */

/* A dump and the requests that follow from it cannot mix. */
struct sweep {
	const struct alias *keep;
	struct alias *gone;
};

static void
look(const struct nl_alias *a, void *arg)
{
	struct sweep *s = arg;
	struct alias *g;

	for (const struct alias *k = s->keep; k; k = k->next)
		if (same(&k->a, a))
			return;
	g = malloc(sizeof(*g));
	if (!g)
		return;
	g->a = *a;
	g->next = s->gone;
	s->gone = g;
}

static void
forget(struct alias **list)
{
	while (*list) {
		struct alias *a = *list;

		*list = a->next;
		free(a);
	}
}

static int
sweep_except(struct nl *nl, const struct alias *keep)
{
	struct sweep s = {.keep = keep};
	int r = nl_alias_each(nl, look, &s);

	for (const struct alias *a = s.gone; a; a = a->next) {
		int one = nl_alias_del(nl, &a->a);

		if (one < 0)
			r = one;
	}
	forget(&s.gone);
	return r;
}

int
priv_alias_sweep(struct priv *p, struct call *c)
{
	int r = sweep_except(p->route, p->aliases);

	forget(&p->aliases);
	if (r < 0)
		return fail_nl(p, c, r, "cannot remove the addresses of former redirections");
	return 0;
}

int
priv_alias_sweep_all(struct nl *nl)
{
	return sweep_except(nl, NULL);
}
