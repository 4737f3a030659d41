/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_alias.c - the addresses that redirections add to interfaces, and their removal. Runs in priv.
 *
 * Contract: only addresses that carry our protocol number are removed; one that was there before is left alone, and
 * so is the interface.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/redirect.h"
#include "vnetd/priv.h"

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
	a->next = p->aliases;
	p->aliases = a;
	return 0;
}

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
