/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_names.c - rounds of asking for all names, and what came of them.
 */
#include "vnetd/redirect_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/fd.h"
#include "lib/guestname.h"
#include "lib/log.h"
#include "vnetd/core.h"
#include "vnetd/redirect_hosts.h"

enum {
	ROUND_MS = 60000,
	/* While somebody who may know a name is not there. */
	SOON_MS = 5000,
	HOSTS_MAX = 1 << 20,
	/* At one time: half of what vnet-natd takes, which others may ask as well. */
	LOOKUPS = 32,
};

/* Who has spoken in this round; the one who comes first here decides. */
enum source { SOURCE_HOSTS, SOURCE_RESERVED, SOURCE_LEASE, SOURCE_DNS, SOURCE_N };

struct redirect_name {
	struct redirect_name *next;
	char *name;
	bool target; /* of a redirection; a client or an own address is another thing */
	bool wanted; /* by a redirection */
	bool tried;
	struct redirect_ip ip[REDIRECT_NAME_ADDRS];
	size_t n;
	enum source from; /* SOURCE_N: nobody knows it */
	/* of the round under way */
	bool asked; /* it was there when that began */
	bool due;   /* the resolvers are to be asked */
	struct redirect_ip fresh[SOURCE_N][REDIRECT_NAME_ADDRS];
	size_t nfresh[SOURCE_N];
	bool failed[SOURCE_N]; /* did not answer: what it knew stays */
};

void
redirect_names_init(struct redirect_names *n)
{
	memset(n, 0, sizeof(*n));
	n->due = MONO_NEVER;
}

static void
name_free(struct redirect_name *n)
{
	free(n->name);
	free(n);
}

void
redirect_names_fini(struct redirect_names *ns)
{
	while (ns->head) {
		struct redirect_name *n = ns->head;

		ns->head = n->next;
		name_free(n);
	}
}

static struct redirect_name *
find(const struct core *c, const char *name, bool target)
{
	struct redirect_name *n = c->redirects.names.head;

	while (n && (n->target != target || strcasecmp(n->name, name) != 0))
		n = n->next;
	return n;
}

/* --- which names --- */

typedef void name_fn(struct core *c, const char *name, bool target, void *arg);

static void
each_rule(struct core *c, const struct redirect_rules *rules, name_fn *fn, void *arg)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->v[i].kind == REDIRECT_NAME)
			fn(c, rules->v[i].name, false, arg);
}

static void
each_name(struct core *c, const struct redirect_service *s, name_fn *fn, void *arg)
{
	if (s->has_bind && s->bind.name)
		fn(c, s->bind.name, false, arg);
	if (s->target.name)
		fn(c, s->target.name, true, arg);
	each_rule(c, &s->only_from, fn, arg);
	each_rule(c, &s->no_access, fn, arg);
}

static void
want(struct core *c, const char *name, bool target, void *arg UNUSED)
{
	struct redirect_names *ns = &c->redirects.names;
	struct redirect_name *n = find(c, name, target);

	if (!n) {
		n = calloc(1, sizeof(*n));
		if (n)
			n->name = strdup(name);
		if (!n || !n->name) {
			free(n);
			log_warn(ENOMEM, "the name \"%s\" of a redirection", name);
			return;
		}
		n->target = target;
		n->from = SOURCE_N;
		n->next = ns->head;
		ns->head = n;
	}
	n->wanted = true;
}

static void
drop_unwanted(struct redirect_names *ns)
{
	struct redirect_name **at = &ns->head;

	while (*at) {
		struct redirect_name *n = *at;

		if (n->wanted) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		name_free(n);
	}
}

void
redirect_names_want(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;

	for (struct redirect_name *n = ns->head; n; n = n->next)
		n->wanted = false;
	for (const struct redirection *r = c->redirects.head; r; r = r->next)
		each_name(c, r->conf, want, NULL);
	drop_unwanted(ns);
	if (!ns->head)
		ns->due = MONO_NEVER;
	else
		redirect_names_soon(c);
}

void
redirect_names_soon(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;

	if (!ns->head)
		return;
	ns->again = ns->asking;
	if (!ns->asking)
		ns->due = c->now;
	core_wake(c);
}

/* A guest that is called so is asked for by this name; the rules are those of vnet-natd. */
static bool
is_guest(const struct redirect_name *n, unsigned net, const char *called)
{
	char label[GUESTNAME_MAX + 1];
	size_t len = strcspn(n->name, ".");

	return guestname_label(label, called) && len == strlen(label) &&
	       !strncasecmp(n->name, label, len) &&
	       guestname_domain(n->name[len] ? n->name + len + 1 : "", net);
}

/* A guest has no say in who may connect, nor in where we listen. */
static bool
may_be_leased(const struct redirect_name *n, unsigned net, const char *called)
{
	return n->target && is_guest(n, net, called);
}

void
redirect_names_lease(struct core *c, const struct msg_lease_changed *m)
{
	for (const struct redirect_name *n = c->redirects.names.head; n; n = n->next)
		if (may_be_leased(n, m->net, m->name)) {
			redirect_names_soon(c);
			return;
		}
}

/* --- a round --- */

static bool
same(const struct redirect_ip *a, size_t n, const struct redirect_ip *b, size_t m)
{
	return n == m && memcmp(a, b, n * sizeof(*a)) == 0;
}

/* Nobody knows it, or only one who counts less than the one who knew it, and not all could be asked. */
static bool
stays(const struct redirect_name *n, unsigned s)
{
	if (s == SOURCE_N)
		return n->failed[SOURCE_LEASE] || n->failed[SOURCE_DNS];
	return n->from < s && n->failed[n->from];
}

/* True: it stands for something else now, or is known at last. */
static bool
take_over(struct redirect_name *n)
{
	bool first = !n->tried;
	unsigned s = 0;

	while (s < SOURCE_N && n->nfresh[s] == 0)
		s++;
	n->tried = true;
	if (stays(n, s))
		return first;
	n->from = (enum source)s;
	if (s < SOURCE_N ? same(n->ip, n->n, n->fresh[s], n->nfresh[s]) : n->n == 0)
		return first;
	n->n = s < SOURCE_N ? n->nfresh[s] : 0;
	if (n->n)
		memcpy(n->ip, n->fresh[s], n->n * sizeof(*n->ip));
	return true;
}

static void
end_round(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;
	bool changed = false;

	ns->asking = false;
	for (struct redirect_name *n = ns->head; n; n = n->next) {
		size_t had = n->n;

		if (!n->asked || !take_over(n))
			continue;
		changed = true;
		if (n->n == 0)
			log_warn(0, "redirections: the name \"%s\" has no address%s", n->name,
				 had ? " any more" : "");
	}
	ns->due = ns->head ? mono_add(c->now, ns->incomplete ? SOON_MS : ROUND_MS) : MONO_NEVER;
	if (ns->again)
		redirect_names_soon(c);
	if (changed)
		redirect_renamed(c);
	core_wake(c);
}

static void ask_resolvers(struct core *c);

/* The resolvers are asked for what neither leases nor the host's own file know. */
static void
one_less(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;

	if (--ns->pending > 0)
		return;
	if (!ns->resolving) {
		ns->resolving = true;
		ask_resolvers(c);
	} else {
		end_round(c);
	}
}

static void
add(struct redirect_name *n, enum source s, struct redirect_ip ip)
{
	for (size_t i = 0; i < n->nfresh[s]; i++)
		if (redirect_ip_eq(n->fresh[s][i], ip))
			return;
	if (n->nfresh[s] < REDIRECT_NAME_ADDRS)
		n->fresh[s][n->nfresh[s]++] = ip;
}

static struct redirect_ip
from_ip4(struct ip4 a)
{
	struct redirect_ip ip = {.b = {[10] = 0xff, [11] = 0xff}};
	uint32_t be = ip4_be(a);

	memcpy(ip.b + 12, &be, sizeof(be));
	return ip;
}

static void
add_reserved(struct core *c, struct redirect_name *n)
{
	for (unsigned net = 0; net < NAMES_NETS; net++) {
		const struct conf_net *conf = c->net[net].conf;

		for (size_t i = 0; conf && conf->dhcp && i < conf->dhcpd.nhosts; i++) {
			const struct dhcp_host *h = &conf->dhcpd.host[i];

			if (h->ip.h && h->name && is_guest(n, net, h->name))
				add(n, SOURCE_RESERVED, from_ip4(h->ip));
		}
	}
}

/* A list that broke off says nothing. */
static void
lose_leases(struct redirect_names *ns)
{
	ns->incomplete = true;
	for (struct redirect_name *n = ns->head; n; n = n->next) {
		n->nfresh[SOURCE_LEASE] = 0;
		n->failed[SOURCE_LEASE] = n->target;
	}
}

static void
take_lease(struct core *c, const struct msg *m, void *p UNUSED)
{
	const struct msg_lease_row *r = &m->u.lease_row;

	if (m->type == MSG_REPLY) {
		if (m->u.reply.err)
			lose_leases(&c->redirects.names);
		one_less(c);
		return;
	}
	if (r->state != LEASE_ROW_ACTIVE && r->state != LEASE_ROW_RESERVED)
		return;
	for (struct redirect_name *n = c->redirects.names.head; n; n = n->next)
		if (may_be_leased(n, r->net, r->name))
			add(n, SOURCE_LEASE, from_ip4(r->addr));
}

static void
take_hosts(struct core *c, const struct msg_reply *r, int *fds, size_t nfds, void *p UNUSED,
	   uint32_t k UNUSED)
{
	char *text = NULL;

	if (!r->err && nfds == 1 && fd_read_all(fds[0], &text, HOSTS_MAX) >= 0)
		for (struct redirect_name *n = c->redirects.names.head; n; n = n->next)
			n->nfresh[SOURCE_HOSTS] = redirect_hosts_find(
			    text, n->name, n->fresh[SOURCE_HOSTS], REDIRECT_NAME_ADDRS);
	free(text);
	one_less(c);
}

/* An answer may come when its name, or this engine's interest in it, is gone. */
struct lookup {
	char name[REDIRECT_HOST_MAX + 1];
	bool target;
};

static void ask_more(struct core *c);

static void
take_lookup(struct core *c, const struct msg *m, void *p)
{
	struct lookup *l = p;
	struct redirect_name *n = find(c, l->name, l->target);
	struct redirect_ip ip;

	if (m->type == MSG_LOOKUP_ADDR) {
		memcpy(ip.b, m->u.lookup_addr.addr.b, sizeof(ip.b));
		if (n && m->u.lookup_addr.addr.len == sizeof(ip.b))
			add(n, SOURCE_DNS, ip);
		return;
	}
	if (m->u.reply.err && n) {
		n->failed[SOURCE_DNS] = true;
		c->redirects.names.incomplete = true;
	}
	free(l);
	c->redirects.names.lookups--;
	ask_more(c);
	one_less(c);
}

static void
ask_one(struct core *c, struct redirect_name *n)
{
	struct redirect_names *ns = &c->redirects.names;
	struct lookup *l = malloc(sizeof(*l));
	struct msg m = msg_make(MSG_LOOKUP, 0);

	n->due = false;
	if (!l) {
		n->failed[SOURCE_DNS] = ns->incomplete = true;
		return;
	}
	MSG_SET_STR(l->name, n->name);
	l->target = n->target;
	MSG_SET_STR(m.u.lookup.name, n->name);
	ns->pending++;
	ns->lookups++;
	worker_ask(c, ROLE_NATD, &m, take_lookup, l);
}

/* An answer may come at once, when there is nobody to ask. */
static void
ask_more(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;

	if (ns->sending)
		return;
	ns->sending = true;
	for (struct redirect_name *n = ns->head; n && ns->lookups < LOOKUPS; n = n->next)
		if (n->due)
			ask_one(c, n);
	ns->sending = false;
}

static void
ask_resolvers(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;

	ns->pending = 1;
	for (struct redirect_name *n = ns->head; n; n = n->next)
		n->due = !n->nfresh[SOURCE_HOSTS] && !n->nfresh[SOURCE_RESERVED] &&
			 !n->nfresh[SOURCE_LEASE];
	ask_more(c);
	one_less(c);
}

static void
start_round(struct core *c)
{
	struct redirect_names *ns = &c->redirects.names;
	struct msg hosts = msg_make(MSG_HOST_OPEN, 0), leases = msg_make(MSG_LEASE_LIST, 0);

	ns->asking = true;
	ns->again = ns->incomplete = ns->resolving = false;
	ns->due = MONO_NEVER;
	for (struct redirect_name *n = ns->head; n; n = n->next) {
		memset(n->nfresh, 0, sizeof(n->nfresh));
		memset(n->failed, 0, sizeof(n->failed));
		n->due = false;
		n->asked = true;
		add_reserved(c, n);
	}
	ns->pending = 2;
	hosts.u.host_open.file = HOST_FILE_HOSTS;
	ask_priv(c, &hosts, NULL, 0, take_hosts, NULL, 0);
	leases.u.lease_list.net = MSG_NET_ALL;
	worker_ask(c, ROLE_DHCPD, &leases, take_lease, NULL);
}

struct mono
redirect_names_deadline(const struct core *c)
{
	return c->redirects.names.asking ? MONO_NEVER : c->redirects.names.due;
}

void
redirect_names_timer(struct core *c)
{
	if (!mono_before(c->now, redirect_names_deadline(c)))
		start_round(c);
}

/* --- what they stand for --- */

static size_t
get(const struct core *c, const char *name, bool target, enum redirect_family family,
    struct redirect_ip *out, size_t max)
{
	const struct redirect_name *n = find(c, name, target);
	size_t got = 0;

	for (size_t i = 0; n && i < n->n && got < max; i++) {
		bool is4 = redirect_ip_is4(n->ip[i]);

		if ((family == REDIRECT_IP4 && !is4) || (family == REDIRECT_IP6 && is4))
			continue;
		out[got++] = n->ip[i];
	}
	return got;
}

size_t
redirect_names_get(const struct core *c, const char *name, enum redirect_family family,
		   struct redirect_ip *out, size_t max)
{
	return get(c, name, false, family, out, max);
}

static void
note_untried(struct core *c, const char *name, bool target, void *arg)
{
	const struct redirect_name *n = find(c, name, target);

	if (n && !n->tried)
		*(bool *)arg = false;
}

bool
redirect_names_known(const struct core *c, const struct redirect_service *s)
{
	bool known = true;

	each_name((struct core *)(uintptr_t)c, s, note_untried, &known);
	return known;
}

static bool
is_open(const struct redirect_name *n)
{
	return n->n == 0 && (!n->tried || n->failed[SOURCE_DNS]);
}

bool
redirect_names_binds_open(const struct core *c)
{
	for (const struct redirection *r = c->redirects.head; r; r = r->next) {
		const struct redirect_service *s = r->conf;
		const struct redirect_name *n =
		    s->has_bind && s->bind.name ? find(c, s->bind.name, false) : NULL;

		if (n && is_open(n))
			return true;
	}
	return false;
}

size_t
redirect_targets(const struct core *c, const struct redirect_service *s, struct redirect_ip *out,
		 size_t max)
{
	if (s->flags & REDIRECT_SENSOR || max == 0)
		return 0;
	if (s->target.name)
		return get(c, s->target.name, true, REDIRECT_DUAL, out, max);
	out[0] = s->target.ip;
	return 1;
}
