/* SPDX-License-Identifier: GPL-2.0-or-later
 * used.c - routes, addresses and name servers as a list of prefixes. Pure.
 */
#include "vnetd/used.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

static void
add(struct used *u, struct ip4 a, uint8_t len)
{
	struct prefix4 *v = u->v;

	if ((u->n & (u->n - 1)) == 0)
		v = reallocarray(u->v, u->n ? u->n * 2 : 1, sizeof(*v));
	if (!v) {
		u->bad = true;
		return;
	}
	u->v = v;
	v[u->n++] = (struct prefix4){{a.h & ip4_mask(len).h}, len};
}

/* "nameserver ADDRESS"; IPv6 servers are of no interest here. */
static void
add_resolvers(struct used *u, const char *text)
{
	static const char word[] = "nameserver";
	char addr[IP4_STRLEN];
	struct ip4 ip;

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		size_t n = 0;

		while (*p == ' ' || *p == '\t')
			p++;
		if (strncmp(p, word, sizeof(word) - 1) != 0)
			continue;
		p += sizeof(word) - 1;
		while (*p == ' ' || *p == '\t')
			p++;
		while (n + 1 < sizeof(addr) && *p && !isspace((unsigned char)*p))
			addr[n++] = *p++;
		addr[n] = '\0';
		if (ip4_parse(&ip, addr))
			add(u, ip, 32);
	}
}

void
used_collect(struct used *u, const struct snapshot *s, const char *resolv_conf)
{
	memset(u, 0, sizeof(*u));
	for (size_t i = 0; i < s->nroutes; i++)
		if (s->route[i].dst.len >= CONF_PREFIX_MIN &&
		    snapshot_net_of(s, s->route[i].oif) < 0)
			add(u, s->route[i].dst.addr, s->route[i].dst.len);
	for (size_t i = 0; i < s->naddrs; i++)
		if (snapshot_net_of(s, s->addr[i].ifindex) < 0)
			add(u, s->addr[i].addr, s->addr[i].plen);
	add_resolvers(u, resolv_conf);
}

void
used_fini(struct used *u)
{
	free(u->v);
	memset(u, 0, sizeof(*u));
}
