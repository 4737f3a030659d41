/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_circle.c - targets that lead back to where they come from.
 *
 * The parser refuses those that it can see; here are those by an address of the host or by what a name stands for now.
 * One connection of a circle would take all descriptors there are. Of IPv6 only addresses that redirections listen at
 * are known to be the host's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/redirect_text.h"

static_assert(REDIRECT_NAME_ADDRS <= 8, "a bit for every target");

/* Where each leads, as far as that is one of them. */
struct node {
	struct redirection *r;
	struct redirect_ip ip[REDIRECT_NAME_ADDRS];
	size_t n;
	struct node *next[REDIRECT_NAME_ADDRS];
	bool seen;
};

struct graph {
	struct node *v;
	size_t n;
};

static struct redirect_ip
own_ip(const struct redirection *r)
{
	struct redirect_ip ip;

	memcpy(ip.b, r->at.addr.b, sizeof(ip.b));
	return ip;
}

static bool
is_host(const struct graph *g, const struct snapshot *now, struct redirect_ip ip)
{
	uint32_t be;

	if (redirect_ip_is_loopback(ip) || redirect_ip_is_any(ip))
		return true;
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].r->listener && redirect_ip_eq(own_ip(g->v[i].r), ip))
			return true;
	memcpy(&be, ip.b + 12, sizeof(be));
	for (size_t i = 0; redirect_ip_is4(ip) && i < now->naddrs; i++)
		if (ip4_eq(now->addr[i].addr, ip4_from_be(be)))
			return true;
	return false;
}

/* A connection to that address of the host is let in by r. */
static bool
hears(const struct redirection *r, struct redirect_ip ip, uint16_t port)
{
	struct redirect_ip own = own_ip(r);

	if (!r->listener)
		return false;
	if (redirect_ip_eq(own, ip))
		return r->at.port == port || (r->conf->capture_port == port && port);
	if (r->at.port != port || !redirect_ip_is_any(own))
		return false;
	return redirect_ip_is4(ip) ? r->at.family != REDIRECT_IP6 : !redirect_ip_is4(own);
}

static struct node *
who_hears(const struct graph *g, struct redirect_ip ip, uint16_t port)
{
	for (size_t i = 0; i < g->n; i++)
		if (hears(g->v[i].r, ip, port))
			return &g->v[i];
	return NULL;
}

/* As if all targets were the host's. False: nobody leads to another then. */
static bool
connect_all(const struct graph *g)
{
	bool some = false;

	for (size_t i = 0; i < g->n; i++) {
		struct node *v = &g->v[i];

		for (size_t k = 0; k < v->n; k++) {
			v->next[k] = who_hears(g, v->ip[k], v->r->conf->target_port);
			some |= v->next[k] != NULL;
		}
	}
	return some;
}

static void
part_others(struct core *c, const struct graph *g)
{
	struct snapshot now;

	snapshot_init(&now);
	if (c->io->snapshot(c->io_arg, &now) < 0)
		log_debug("redirections: the addresses of the host are not known");
	for (size_t i = 0; i < g->n; i++) {
		struct node *v = &g->v[i];

		for (size_t k = 0; k < v->n; k++)
			if (v->next[k] && !is_host(g, &now, v->ip[k]))
				v->next[k] = NULL;
	}
	snapshot_fini(&now);
}

/* From `at` on one comes to `to`. queue has room for all. */
static bool
leads(const struct graph *g, struct node *at, const struct node *to, struct node **queue)
{
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < g->n; i++)
		g->v[i].seen = false;
	at->seen = true;
	queue[tail++] = at;
	while (head < tail) {
		const struct node *v = queue[head++];

		if (v == to)
			return true;
		for (size_t k = 0; k < v->n; k++) {
			if (!v->next[k] || v->next[k]->seen)
				continue;
			v->next[k]->seen = true;
			queue[tail++] = v->next[k];
		}
	}
	return false;
}

static void
tell(struct core *c, struct redirection *r, const char *why)
{
	if (why && (!r->circle || strcmp(r->circle, why) != 0)) {
		log_warn(0, "redirection %s: %s", r->conf->id, why);
		events_add(c, "redirect-failed", MSG_NET_ALL, "", "redirection %s: %s", r->conf->id,
			   why);
	}
	free(r->circle);
	r->circle = why ? strdup(why) : NULL;
}

static void
judge(struct core *c, const struct graph *g, struct node *v, struct node **queue)
{
	char why[384], at[REDIRECT_LISTEN_LEN];
	const char *ifname = v->r->conf->target.ifname;

	v->r->back = 0;
	for (size_t k = 0; k < v->n; k++) {
		if (!v->next[k] || !leads(g, v->next[k], v, queue))
			continue;
		redirect_addr_text(v->ip[k], ifname, v->r->conf->target_port, at);
		if (!v->r->back && v->next[k] == v)
			snprintf(why, sizeof(why),
				 "it redirects to itself: it listens at %s, its target; choose "
				 "another target or bind",
				 at);
		else if (!v->r->back)
			snprintf(why, sizeof(why),
				 "it redirects to itself: at %s, its target, listens redirection "
				 "%s, which leads back; choose another target or bind",
				 at, v->next[k]->r->conf->id);
		v->r->back |= (uint8_t)(1u << k);
	}
	tell(c, v->r, v->r->back ? why : NULL);
}

void
redirect_circles(struct core *c)
{
	struct graph g = {0};
	struct node **queue;

	for (struct redirection *r = c->redirects.head; r; r = r->next)
		g.n++;
	g.v = calloc(g.n, sizeof(*g.v));
	queue = calloc(g.n, sizeof(struct node *));
	if (g.v && queue) {
		struct node *v = g.v;

		for (struct redirection *r = c->redirects.head; r; r = r->next, v++) {
			v->r = r;
			v->n = redirect_targets(c, r->conf, v->ip, REDIRECT_NAME_ADDRS);
		}
		if (connect_all(&g))
			part_others(c, &g);
		for (size_t i = 0; i < g.n; i++)
			judge(c, &g, &g.v[i], queue);
	}
	free(g.v);
	free(queue);
}

size_t
redirect_ways(const struct core *c, const struct redirection *r, struct redirect_ip *out)
{
	size_t n = redirect_targets(c, r->conf, out, REDIRECT_NAME_ADDRS), left = 0;

	for (size_t k = 0; k < n; k++)
		if (!(r->back >> k & 1))
			out[left++] = out[k];
	return left;
}

bool
redirect_may_circle(const struct core *c)
{
	for (const struct redirection *r = c->redirects.head; r; r = r->next)
		for (const struct redirection *o = c->redirects.head; o; o = o->next)
			if (r->conf->target_port == o->conf->port && redirect_ip_is_any(own_ip(o)))
				return true;
	return false;
}
