/* SPDX-License-Identifier: GPL-2.0-or-later
 * lookup.c - one socket for each name that is looked up; its resolvers are asked one after the other.
 *
 * Both kinds of addresses are asked for at once. A socket is connected to the resolver, so the kernel lets nobody
 * else answer, and its port is the kernel's random choice, as the ids are.
 */
#include "natd/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "natd/dnsask.h"
#include "natd/dnsmsg.h"
#include "natd/proxy.h"

enum {
	TIMEOUT_MS = 2000,
	ROUNDS = 2, /* through all resolvers */
	LOOKUPS_MAX = 64,
	KINDS = 2,
};

static const enum dnsask_type kinds[KINDS] = {DNSASK_A, DNSASK_AAAA};

struct lookup {
	struct lookup *next;
	struct natd *d;
	uint32_t request;
	char name[DNSASK_NAME_MAX];
	unsigned tries;
	uint16_t id[KINDS];
	bool done[KINDS];
	struct dnsask_answer answer[KINDS];
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;
};

static void
close_socket(struct lookup *l)
{
	loop_io_free(l->io);
	l->io = NULL;
	fd_close(&l->fd);
}

static void
lookup_free(struct lookup *l)
{
	struct lookup **at = &l->d->lookups;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	close_socket(l);
	loop_timer_free(l->timer);
	free(l);
}

static void
reply(struct natd *d, uint32_t request, int err, const char *text)
{
	struct msg m = msg_reply(request, err, text);

	if (d->engine)
		chan_send(d->engine, &m, NULL, 0);
}

static void
finish(struct lookup *l, int err, const char *text)
{
	for (unsigned k = 0; k < KINDS && !err && l->d->engine; k++)
		for (size_t i = 0; i < l->answer[k].n; i++) {
			struct msg m = msg_make(MSG_LOOKUP_ADDR, l->request);

			m.u.lookup_addr.addr.len = 16;
			memcpy(m.u.lookup_addr.addr.b, l->answer[k].addr[i], 16);
			chan_send(l->d->engine, &m, NULL, 0);
		}
	reply(l->d, l->request, err, text);
	lookup_free(l);
}

static void ask_next(struct lookup *l);

/* A resolver that cannot or will not say is passed over. */
static bool
is_answer(const struct dnsask_answer *a)
{
	return a->rcode == DNS_NOERROR || a->rcode == DNS_NXDOMAIN;
}

static void
on_readable(int fd, void *arg)
{
	struct lookup *l = arg;
	uint8_t buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) >= 0) {
		for (unsigned k = 0; k < KINDS; k++) {
			if (l->done[k] || !dnsask_parse(&l->answer[k], buf, (size_t)n, l->id[k],
							l->name, kinds[k]))
				continue;
			if (!is_answer(&l->answer[k])) {
				ask_next(l);
				return;
			}
			l->done[k] = true;
		}
	}
	if (l->done[0] && l->done[1])
		finish(l, 0, "");
	else if (errno != EAGAIN && errno != EINTR)
		ask_next(l); /* it cannot be reached */
}

static void
on_timeout(void *arg)
{
	ask_next(arg);
}

static int
connect_to(const struct dns_addr *a)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
	bool is4 = dns_addr_is_ip4(a);
	AUTO_FD fd = socket(is4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	v4.sin_addr.s_addr = ip4_be(dns_addr_ip4(a));
	memcpy(&v6.sin6_addr, a->ip, sizeof(a->ip));
	r = is4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
		: connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	return r < 0 ? -errno : fd_take(&fd);
}

static bool
send_questions(struct lookup *l)
{
	uint8_t buf[DNSASK_LEN_MAX];

	if (getrandom(l->id, sizeof(l->id), 0) != sizeof(l->id))
		return false;
	for (unsigned k = 0; k < KINDS; k++) {
		size_t len = dnsask_build(buf, l->id[k], l->name, kinds[k]);

		if (send(l->fd, buf, len, 0) < 0)
			return false;
	}
	return true;
}

/* Goes on with the next resolver that can be asked at all. */
static void
ask_next(struct lookup *l)
{
	const struct resolv *r = proxy_resolv(l->d->proxy);

	close_socket(l);
	memset(l->done, 0, sizeof(l->done));
	memset(l->answer, 0, sizeof(l->answer));
	while (l->tries < ROUNDS * r->n) {
		const struct resolv_server *s = &r->server[l->tries++ % r->n];

		if (s->scope[0])
			continue; /* of one link only: the DNS proxy asks these */
		l->fd = connect_to(&s->addr);
		if (l->fd >= 0)
			l->io = loop_add_read(l->d->loop, l->fd, on_readable, l);
		if (l->io && send_questions(l)) {
			loop_timer_set(l->timer, mono_add(mono_now(), TIMEOUT_MS));
			return;
		}
		close_socket(l);
	}
	finish(l, EAGAIN, "no resolver of this host has answered");
}

static unsigned
count(const struct natd *d)
{
	unsigned n = 0;

	for (const struct lookup *l = d->lookups; l; l = l->next)
		n++;
	return n;
}

void
lookup_start(struct natd *d, const struct msg *m)
{
	uint8_t buf[DNSASK_LEN_MAX];
	struct lookup *l;

	if (dnsask_build(buf, 0, m->u.lookup.name, DNSASK_A) == 0) {
		reply(d, m->id, EINVAL, "not the name of a host");
		return;
	}
	l = count(d) < LOOKUPS_MAX ? calloc(1, sizeof(*l)) : NULL;
	if (!l) {
		reply(d, m->id, EAGAIN, "too many names are being looked up");
		return;
	}
	l->d = d;
	l->fd = -1;
	l->request = m->id;
	MSG_SET_STR(l->name, m->u.lookup.name);
	l->next = d->lookups;
	d->lookups = l;
	l->timer = loop_timer_new(d->loop, on_timeout, l);
	if (l->timer)
		ask_next(l);
	else
		finish(l, ENOMEM, "out of memory");
}

void
lookup_drop_all(struct natd *d)
{
	while (d->lookups)
		lookup_free(d->lookups);
}
