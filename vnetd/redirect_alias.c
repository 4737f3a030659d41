/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_alias.c - own addresses of redirections that are added to an interface (listen_alias).
 *
 * priv adds them and knows them again by a number that the kernel keeps with them; here is only decided which
 * interface gets which address. All that are wanted are asked for at each sync, the rest is swept away at its end.
 * A sync that is to follow waits for that: a sweep leaves what was asked for since the one before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/core.h"

enum {
	/* Addresses and links change in bunches. */
	CHANGED_MS = 100,
	/* RFC 5227: ANNOUNCE_NUM, ANNOUNCE_INTERVAL. */
	ANNOUNCE_TIMES = 2,
	ANNOUNCE_MS = 2000,
};

static bool
in_prefix(const struct rtnl_addr *o, struct ip4 a)
{
	uint32_t mask = ip4_mask(o->plen).h;

	return o->plen < 32 && (o->addr.h & mask) == (a.h & mask);
}

/* By the host's own addresses: the narrowest network. */
static bool
interface_of_host(const struct core *c, struct ip4 a, char ifname[16])
{
	const struct rtnl_addr *best = NULL;
	const struct rtnl_link *l = NULL;
	struct snapshot now;

	snapshot_init(&now);
	if (c->io->snapshot(c->io_arg, &now) == 0) {
		for (size_t i = 0; i < now.naddrs; i++)
			if (in_prefix(&now.addr[i], a) && (!best || now.addr[i].plen > best->plen))
				best = &now.addr[i];
		l = best ? snapshot_link(&now, best->ifindex) : NULL;
	}
	if (l)
		snprintf(ifname, 16, "%s", l->name);
	snapshot_fini(&now);
	return l != NULL;
}

/* The interface whose network the address is in. IPv6 ones are not known here. */
static bool
interface_for(const struct core *c, struct redirect_ip ip, char ifname[16])
{
	uint32_t be;
	struct ip4 a;

	if (!redirect_ip_is4(ip))
		return false;
	memcpy(&be, ip.b + 12, sizeof(be));
	a = ip4_from_be(be);
	for (unsigned n = 0; n < NAMES_NETS; n++) {
		const struct conf_net *conf = c->net[n].conf;

		if (conf && conf->subnet.len && prefix4_contains(conf->subnet, a)) {
			names_bridge(n, ifname);
			return true;
		}
	}
	return interface_of_host(c, a, ifname);
}

static void
failed(struct core *c, struct redirection *r, const char *why)
{
	char *copy = strdup(why);

	if (!r->alias_trouble || strcmp(r->alias_trouble, why) != 0) {
		log_warn(0, "redirection %s: %s", r->conf->id, why);
		events_add(c, "redirect-failed", MSG_NET_ALL, "", "redirection %s: %s", r->conf->id,
			   why);
	}
	free(r->alias_trouble);
	r->alias_trouble = copy;
}

static void
is_set(struct core *c, const struct msg_reply *reply, int *fds UNUSED, size_t nfds UNUSED,
       void *p UNUSED, uint32_t serial)
{
	struct redirection *r = redirect_by_serial(c, serial);

	if (r && reply->err) {
		failed(c, r, reply->text[0] ? reply->text : strerrordesc_np((int)reply->err));
	} else if (r) {
		free(r->alias_trouble);
		r->alias_trouble = NULL;
		if (!strcmp(reply->text, "added")) {
			r->announce = ANNOUNCE_TIMES;
			r->announce_at = c->now;
			core_wake(c);
		}
	}
	redirect_one_less(c);
}

static void
ask_one(struct core *c, struct redirection *r)
{
	struct msg m = msg_make(MSG_ALIAS_SET, 0);

	if (r->conf->alias_ifname) {
		MSG_SET_STR(r->alias_on, r->conf->alias_ifname);
	} else if (!interface_for(c, r->conf->bind.ip, r->alias_on)) {
		failed(c, r,
		       "no interface is in the network of its own address; name it: "
		       "listen_alias = INTERFACE");
		return;
	}
	memcpy(m.u.alias_set.ifname, r->alias_on, sizeof(r->alias_on));
	m.u.alias_set.addr.len = 16;
	memcpy(m.u.alias_set.addr.b, r->conf->bind.ip.b, 16);
	c->redirects.pending++;
	ask_priv(c, &m, NULL, 0, is_set, NULL, r->serial);
}

static void
swept(struct core *c, const struct msg_reply *r, int *fds UNUSED, size_t nfds UNUSED,
      void *p UNUSED, uint32_t n UNUSED)
{
	if (r->err)
		log_warn(0, "redirections: %s",
			 r->text[0] ? r->text : strerrordesc_np((int)r->err));
	redirect_one_less(c);
}

void
redirect_alias_sweep(struct core *c)
{
	struct msg m = msg_make(MSG_ALIAS_SWEEP, 0);

	c->redirects.pending++;
	ask_priv(c, &m, NULL, 0, swept, NULL, 0);
}

bool
redirect_has_alias(const struct redirection *r)
{
	return r->conf->listen_alias && r->at.port;
}

void
redirect_alias_sync(struct core *c)
{
	for (struct redirection *r = c->redirects.head; r; r = r->next) {
		if (redirect_has_alias(r)) {
			ask_one(c, r);
			continue;
		}
		free(r->alias_trouble);
		r->alias_trouble = NULL;
	}
}

/* --- announcement --- */

struct mono
redirect_alias_deadline(const struct core *c)
{
	struct mono when = MONO_NEVER;

	for (const struct redirection *r = c->redirects.head; r; r = r->next)
		if (r->announce)
			when = mono_min(when, r->announce_at);
	return when;
}

/* A neighbour that is not reached finds out when its cache entry gets old. */
static void
announced(struct core *c, const struct msg_reply *reply, int *fds UNUSED, size_t nfds UNUSED,
	  void *p UNUSED, uint32_t serial)
{
	const struct redirection *r = redirect_by_serial(c, serial);

	if (r && reply->err)
		log_debug("redirection %s: %s", r->conf->id, reply->text);
}

void
redirect_alias_timer(struct core *c)
{
	for (struct redirection *r = c->redirects.head; r; r = r->next) {
		struct msg m = msg_make(MSG_ALIAS_ANNOUNCE, 0);

		if (r->announce == 0 || mono_before(c->now, r->announce_at))
			continue;
		r->announce = redirect_has_alias(r) ? r->announce - 1 : 0;
		r->announce_at = mono_add(c->now, ANNOUNCE_MS);
		if (!redirect_has_alias(r))
			continue;
		m.u.alias_announce.addr.len = 16;
		memcpy(m.u.alias_announce.addr.b, r->at.addr.b, 16);
		memcpy(m.u.alias_announce.ifname, r->alias_on, sizeof(r->alias_on));
		ask_priv(c, &m, NULL, 0, announced, NULL, r->serial);
	}
}

/* What is on an interface: an address that was added, or a link-local one. */
static bool
has_interface(const struct redirect_service *s)
{
	return s->listen_alias || (s->has_bind && s->bind.ifname) || s->target.ifname;
}

void
redirect_addrs_changed(struct core *c)
{
	struct redirects *rs = &c->redirects;
	const struct redirection *r = rs->head;

	while (r && !has_interface(r->conf))
		r = r->next;
	if (!r && !redirect_may_circle(c))
		return;
	if (rs->syncing)
		rs->again = true;
	else
		rs->retry_at = mono_min(rs->retry_at, mono_add(c->now, CHANGED_MS));
	core_wake(c);
}
