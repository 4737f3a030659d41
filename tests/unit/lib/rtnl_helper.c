/* SPDX-License-Identifier: GPL-2.0-or-later
 * rtnl_helper.c - prints what lib/rtnl.h reports, one JSON object a line, for tests/net/test_rtnl.py.
 *
 *     rtnl-helper dump     all links, addresses, routes and forwarding entries
 *     rtnl-helper watch    "watching", then every event, until its input ends
 *     rtnl-helper sleep    "watching", then nothing until a line comes on its input; then all that waited
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/rtnl.h"
#include "lib/util.h"

static const char *
truth(bool b)
{
	return b ? "true" : "false";
}

static void
print_link(const struct rtnl_link *l, const char *what)
{
	printf(
	    "{\"what\": \"%s\", \"ifindex\": %d, \"name\": \"%s\", \"kind\": \"%s\", "
	    "\"alias\": \"%s\", \"mac\": \"%s\", \"master\": %d, \"peer\": %d, \"mtu\": %u, "
	    "\"group\": %u, \"up\": %s, \"lower_up\": %s, \"loopback\": %s, \"bridge_port\": %s, "
	    "\"port_state\": %u, \"locked\": %s, \"learning\": %s, \"flood\": %s, "
	    "\"tun_persist\": %s, \"tun_owner\": %lld, \"netnsid\": %d}\n",
	    what, l->ifindex, l->name, l->kind, l->alias, MAC_STR(l->mac), l->master, l->peer,
	    l->mtu, l->group, truth(l->up), truth(l->lower_up), truth(l->loopback),
	    truth(l->bridge_port), l->port_state, truth(l->port_locked), truth(l->port_learning),
	    truth(l->port_flood), truth(l->tun_persist), (long long)l->tun_owner, l->peer_netnsid);
}

static void
print_addr(const struct rtnl_addr *a, const char *what)
{
	printf("{\"what\": \"%s\", \"ifindex\": %d, \"addr\": \"%s/%u\", \"proto\": %u}\n", what,
	       a->ifindex, IP4_STR(a->addr), a->plen, a->proto);
}

static void
print_route(const struct rtnl_route *r, const char *what)
{
	printf("{\"what\": \"%s\", \"oif\": %d, \"dst\": \"%s\", \"gateway\": \"%s\", \"src\": "
	       "\"%s\", "
	       "\"table\": %u, \"metric\": %u, \"protocol\": %u, \"scope\": %u, \"type\": %u}\n",
	       what, r->oif, PREFIX4_STR(r->dst), IP4_STR(r->gateway), IP4_STR(r->src), r->table,
	       r->metric, r->protocol, r->scope, r->type);
}

static void
dump_link(const struct rtnl_link *l, void *arg UNUSED)
{
	print_link(l, "link");
}

static void
dump_addr(const struct rtnl_addr *a, void *arg UNUSED)
{
	print_addr(a, "addr");
}

static void
dump_route(const struct rtnl_route *r, void *arg UNUSED)
{
	print_route(r, "route");
}

static void
print_fdb(const struct rtnl_fdb *f, const char *what)
{
	printf("{\"what\": \"%s\", \"ifindex\": %d, \"master\": %d, \"mac\": \"%s\", "
	       "\"vlan\": %u, \"local\": %s}\n",
	       what, f->ifindex, f->master, MAC_STR(f->mac), f->vlan, truth(f->local));
}

static void
dump_fdb(const struct rtnl_fdb *f, void *arg UNUSED)
{
	print_fdb(f, "fdb");
}

static void
on_link(const struct rtnl_link *l, bool gone, void *arg UNUSED)
{
	print_link(l, gone ? "link gone" : "link");
}

static void
on_addr(const struct rtnl_addr *a, bool gone, void *arg UNUSED)
{
	print_addr(a, gone ? "addr gone" : "addr");
}

static void
on_route(const struct rtnl_route *r, bool gone, void *arg UNUSED)
{
	print_route(r, gone ? "route gone" : "route");
}

static void
on_fdb_gone(const struct rtnl_fdb *f, void *arg UNUSED)
{
	print_fdb(f, "fdb gone");
}

static void
print_neigh(const struct rtnl_neigh *n, const char *what)
{
	printf("{\"what\": \"%s\", \"ifindex\": %d, \"addr\": \"%s\", \"mac\": \"%s\", "
	       "\"proto\": %u, \"permanent\": %s}\n",
	       what, n->ifindex, IP4_STR(n->addr), MAC_STR(n->mac), n->proto,
	       n->permanent ? "true" : "false");
}

static void
dump_neigh(const struct rtnl_neigh *n, void *arg UNUSED)
{
	print_neigh(n, "neigh");
}

static void
on_neigh_gone(const struct rtnl_neigh *n, void *arg UNUSED)
{
	print_neigh(n, "neigh gone");
}

static void
on_filter_gone(int ifindex, void *arg UNUSED)
{
	printf("{\"what\": \"filter gone\", \"ifindex\": %d}\n", ifindex);
}

static void
on_overrun(void *arg UNUSED)
{
	printf("{\"what\": \"overrun\"}\n");
}

static int
dump(struct rtnl *r)
{
	if (rtnl_links(r, dump_link, NULL) < 0 || rtnl_addrs(r, dump_addr, NULL) < 0 ||
	    rtnl_routes(r, dump_route, NULL) < 0 || rtnl_fdb(r, dump_fdb, NULL) < 0 ||
	    rtnl_neighs(r, dump_neigh, NULL) < 0)
		return 1;
	return 0;
}

static int
watch(struct rtnl *r, bool asleep)
{
	struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
			      {.fd = rtnl_event_fd(r), .events = POLLIN}};
	char line[8];

	printf("{\"what\": \"watching\"}\n");
	fflush(stdout);
	if (asleep && read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return 1;
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (p[1].revents)
			rtnl_dispatch(r);
		fflush(stdout);
		if (p[0].revents && !p[1].revents)
			return 0;
	}
}

int
main(int argc, char **argv)
{
	const struct rtnl_events ev = {.link = on_link,
				       .addr = on_addr,
				       .route = on_route,
				       .fdb_gone = on_fdb_gone,
				       .neigh_gone = on_neigh_gone,
				       .filter_gone = on_filter_gone,
				       .overrun = on_overrun};
	struct rtnl *r;
	int status;

	if (argc != 2) {
		fprintf(stderr, "usage: rtnl-helper dump|watch|sleep\n");
		return 2;
	}
	r = rtnl_new(&ev, NULL);
	if (!r) {
		perror("rtnl-helper");
		return 1;
	}
	status = strcmp(argv[1], "dump") == 0 ? dump(r) : watch(r, strcmp(argv[1], "sleep") == 0);
	rtnl_free(r);
	return status;
}
