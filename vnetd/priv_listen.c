/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_listen.c - listening sockets of redirections. Runs in priv.
 *
 * Contract: what is made here stays here until the engine sweeps it away, whatever happens to engine and
 * worker meanwhile: a connection that comes while a worker is started again waits in the queue. priv never
 * accepts one.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

enum {
	LISTENERS_MAX = 1024,
	/* The kernel cuts it to net.core.somaxconn. */
	BACKLOG = 65535,
};

/* Where to listen: the fields of SOCK_LISTEN. */
struct where {
	uint8_t addr[16];
	uint16_t port;
	char ifname[16];
	uint8_t family;
};

struct listener {
	struct listener *next;
	uint32_t number;
	struct where at;
	unsigned ifindex; /* of a link-local address; 0: another */
	int fd;
	bool keep; /* named since the last sweep */
};

static bool
same(const struct where *a, const struct where *b)
{
	return memcmp(a->addr, b->addr, sizeof(a->addr)) == 0 && a->port == b->port &&
	       a->family == b->family && !strcmp(a->ifname, b->ifname);
}

/* The kernel knows it by its number: one that comes back under its name is another. */
static bool
has_its_interface(const struct listener *l)
{
	return !l->ifindex || if_nametoindex(l->at.ifname) == l->ifindex;
}

static struct listener *
find(const struct priv *p, const struct where *at)
{
	struct listener *l = p->listeners;

	while (l && !(same(&l->at, at) && has_its_interface(l)))
		l = l->next;
	return l;
}

/* --- the service manager's store: a restart of the service refuses nobody either --- */

static void
name_of(char name[SD_NAME_MAX], const struct where *at)
{
	char hex[33];

	for (unsigned i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", at->addr[i]);
	snprintf(name, SD_NAME_MAX, PRIV_LISTEN_PREFIX "%u-%u-%s-%s", at->family, at->port, hex,
		 at->ifname);
}

static bool
parse_name(struct where *at, const char *name)
{
	unsigned family, port, byte;
	char hex[33];
	int end = 0;

	memset(at, 0, sizeof(*at));
	if (sscanf(name, PRIV_LISTEN_PREFIX "%u-%u-%32[0-9a-f]-%n", &family, &port, hex, &end) !=
		3 ||
	    !end || strlen(hex) != 32 || family >= REDIRECT_FAMILY_N || port < 1 || port > 65535 ||
	    strlen(name + end) >= sizeof(at->ifname))
		return false;
	for (unsigned i = 0; i < 16 && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		at->addr[i] = (uint8_t)byte;
	at->family = (uint8_t)family;
	at->port = (uint16_t)port;
	snprintf(at->ifname, sizeof(at->ifname), "%s", name + end);
	return true;
}

static bool
is_listening(int fd)
{
	int v = 0;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &v, &len) == 0 && v;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static unsigned
scope_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	if (getsockname(fd, &a.any, &len) < 0 || a.any.sa_family != AF_INET6)
		return 0;
	return a.v6.sin6_scope_id;
}

/* Takes the descriptor. NULL: no memory. */
static struct listener *
add(struct priv *p, const struct where *at, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l) {
		fd_close(&fd);
		return NULL;
	}
	l->fd = fd;
	l->at = *at;
	l->ifindex = scope_of(fd);
	l->number = ++p->last_listener;
	l->next = p->listeners;
	p->listeners = l;
	return l;
}

void
priv_listen_take_over(struct priv *p)
{
	struct start *s = p->start;

	for (size_t i = 0; i < s->nstored; i++) {
		struct sd_stored *k = &s->stored[i];
		struct where at;

		if (k->fd >= 0 && is_listening(k->fd) && parse_name(&at, k->name) && !find(p, &at))
			add(p, &at, fd_take(&k->fd));
		fd_close(&k->fd);
	}
	free(s->stored);
	s->stored = NULL;
	s->nstored = 0;
}

/* A worker's copy of the socket ends too, and the port is free at once. */
static void
end(struct priv *p, struct listener *l)
{
	char name[SD_NAME_MAX];

	name_of(name, &l->at);
	sd_unstore(p->start->notify, name);
	shutdown(l->fd, SHUT_RDWR);
	fd_close(&l->fd);
	free(l);
}

void
priv_listen_fini(struct priv *p)
{
	while (p->listeners) {
		struct listener *l = p->listeners;

		/* Not shut down: the service manager may have a copy for our successor. */
		p->listeners = l->next;
		fd_close(&l->fd);
		free(l);
	}
}

/* --- making one --- */

/* The length, or -errno. */
static int
address(union address *a, const struct where *at)
{
	memset(a, 0, sizeof(*a));
	if (at->family == REDIRECT_IP4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(at->port);
		memcpy(&a->v4.sin_addr, at->addr + 12, 4);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(at->port);
	memcpy(&a->v6.sin6_addr, at->addr, 16);
	if (at->ifname[0]) {
		a->v6.sin6_scope_id = if_nametoindex(at->ifname);
		if (a->v6.sin6_scope_id == 0)
			return -ENODEV;
	}
	return sizeof(a->v6);
}

/* REDIRECT_DUAL is left to net.ipv6.bindv6only. */
static int
set_family(int fd, enum redirect_family family)
{
	int only = family == REDIRECT_IP6;

	if (family != REDIRECT_IP6 && family != REDIRECT_DUAL_FORCED)
		return 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0 ? -errno : 0;
}

/* The address may come later than we do, with its interface. */
static int
allow_any_address(int fd, int domain)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (domain == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0
			      : setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

static int
open_listener(const struct where *at)
{
	int domain = at->family == REDIRECT_IP4 ? AF_INET : AF_INET6, len, r;
	union address a;
	AUTO_FD fd = -1;

	len = address(&a, at);
	if (len < 0)
		return len;
	fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = set_family(fd, (enum redirect_family)at->family);
	if (r == 0)
		r = allow_any_address(fd, domain);
	if (r < 0)
		return r;
	if (bind(fd, &a.any, (socklen_t)len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return fd_take(&fd);
}

/* A host without IPv6 has sockets of one family only. */
static int
open_any(struct where at)
{
	static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};
	int fd = open_listener(&at);

	if (fd != -EAFNOSUPPORT ||
	    (at.family != REDIRECT_DUAL && at.family != REDIRECT_DUAL_FORCED))
		return fd;
	at.family = REDIRECT_IP4;
	memcpy(at.addr, any4, sizeof(at.addr));
	return open_listener(&at);
}

static int
fail_listen(struct call *c, int err, const struct where *at)
{
	if (err == -EADDRINUSE)
		return fail(c, err,
			    "TCP port %u of that address is taken. Find the program by: "
			    "ss -ltnp 'sport = :%u'",
			    at->port, at->port);
	if (err == -ENODEV)
		return fail(c, err, "there is no interface \"%s\"", at->ifname);
	return fail_errno(c, err, "cannot listen at TCP port %u", at->port);
}

static unsigned
count(const struct priv *p)
{
	unsigned n = 0;

	for (const struct listener *l = p->listeners; l; l = l->next)
		n++;
	return n;
}

/* Its name in the store is the new one's. */
static void
end_stale(struct priv *p, const struct where *where)
{
	struct listener **at = &p->listeners;

	while (*at && !same(&(*at)->at, where))
		at = &(*at)->next;
	if (*at) {
		struct listener *l = *at;

		*at = l->next;
		end(p, l);
	}
}

static int
make(struct priv *p, struct call *c, const struct where *at, struct listener **out)
{
	char name[SD_NAME_MAX];
	int fd;

	if (count(p) >= LISTENERS_MAX)
		return fail(c, -ENOSPC, "%d redirections listen already, more cannot",
			    LISTENERS_MAX);
	fd = open_any(*at);
	if (fd < 0)
		return fail_listen(c, fd, at);
	*out = add(p, at, fd);
	if (!*out)
		return -ENOMEM;
	name_of(name, at);
	sd_store(p->start->notify, fd, name);
	return 0;
}

/* --- the verbs --- */

#define WHERE(at, m)                                                                               \
	do {                                                                                       \
		memcpy((at)->addr, (m)->addr.b, sizeof((at)->addr));                               \
		memcpy((at)->ifname, (m)->ifname, sizeof((at)->ifname));                           \
		(at)->port = (m)->port;                                                            \
		(at)->family = (m)->family;                                                        \
	} while (0)

int
priv_sock_listen(struct priv *p, struct call *c)
{
	struct where at;
	struct listener *l;
	int r;

	WHERE(&at, &c->m->u.sock_listen);
	l = find(p, &at);
	if (!l) {
		end_stale(p, &at);
		r = make(p, c, &at, &l);
		if (r < 0)
			return r;
	}
	snprintf(c->text, sizeof(c->text), "%u", l->number);
	return 0;
}

int
priv_listen_keep(struct priv *p, struct call *c)
{
	struct where at;
	struct listener *l;

	WHERE(&at, &c->m->u.listen_keep);
	l = find(p, &at);
	if (l)
		l->keep = true;
	return 0;
}

int
priv_listen_sweep(struct priv *p, struct call *c)
{
	struct listener **at = &p->listeners;

	(void)c;
	while (*at) {
		struct listener *l = *at;

		if (l->keep) {
			l->keep = false;
			at = &l->next;
		} else {
			*at = l->next;
			end(p, l);
		}
	}
	return 0;
}

int
priv_listen_take(struct priv *p, struct call *c)
{
	struct listener *l = p->listeners;
	int fd;

	while (l && l->number != c->m->u.listen_take.listener)
		l = l->next;
	if (!l)
		return -ENOENT;
	fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(c, -errno, "cannot pass a listening socket on");
	give(c, fd);
	return 0;
}
