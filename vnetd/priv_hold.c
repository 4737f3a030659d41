/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_hold.c - ports of the host that are forwarded, held so that no service takes them. Runs in priv.
 *
 * Contract: a socket here is bound and does nothing else. TCP does not listen; UDP has a filter that lets
 * nothing into its queue. They live here, not in natd, so that they outlive it; a port below 1024 needs
 * a capability anyway. Packets from outside are translated before they could reach one.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

struct hold {
	struct hold *next;
	uint8_t proto;
	uint16_t port;
	struct ip4 host; /* 0: all addresses */
	int fd;
	bool keep; /* named since a sweep began */
};

/* Where it is, or the end of its list. */
static struct hold **
find(struct priv *p, uint8_t proto, uint16_t port, struct ip4 host)
{
	struct hold **at = &p->holds[port % PRIV_HOLD_LISTS];

	while (*at && ((*at)->proto != proto || (*at)->port != port || !ip4_eq((*at)->host, host)))
		at = &(*at)->next;
	return at;
}

static void
end(struct hold **at)
{
	struct hold *h = *at;

	*at = h->next;
	fd_close(&h->fd);
	free(h);
}

/* Without SO_REUSEADDR: with it, everybody who sets it too could have the port as well. */
static int
open_hold(uint8_t proto, uint16_t port, struct ip4 host)
{
	const struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {ip4_be(host)}};
	struct sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog prog = {1, drop};
	AUTO_FD fd = socket(
	    AF_INET, (proto == PROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	if (fd < 0)
		return -errno;
	if (proto == PROTO_UDP &&
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
		return -errno;
	return fd_take(&fd);
}

int
priv_hold_set(struct priv *p, struct call *c)
{
	const struct msg_hold_set *m = &c->m->u.hold_set;
	struct hold **at = find(p, m->proto, m->port, m->host), *h = *at;
	int fd;

	if (h) {
		h->keep = true;
		return 0;
	}
	if (p->nholds >= HOLDS_MAX)
		return fail(c, -ENOSPC, "%d ports are held already, more cannot", HOLDS_MAX);
	fd = open_hold(m->proto, m->port, m->host);
	if (fd == -EADDRINUSE)
		return fd; /* an answer, not a fault */
	if (fd < 0)
		return fail_errno(c, fd, "cannot hold %s port %u",
				  ip_proto_name((enum ip_proto)m->proto), m->port);
	h = calloc(1, sizeof(*h));
	if (!h) {
		fd_close(&fd);
		return -ENOMEM;
	}
	*h = (struct hold){
	    .proto = m->proto, .port = m->port, .host = m->host, .fd = fd, .keep = true};
	*at = h;
	p->nholds++;
	return 0;
}

int
priv_hold_end(struct priv *p, struct call *c)
{
	const struct msg_hold_end *m = &c->m->u.hold_end;
	struct hold **at = find(p, m->proto, m->port, m->host);

	if (*at) {
		end(at);
		p->nholds--;
	}
	return 0;
}

static void
sweep(struct priv *p, struct hold **at, bool begin)
{
	while (*at) {
		if (begin || (*at)->keep) {
			(*at)->keep &= !begin;
			at = &(*at)->next;
		} else {
			end(at);
			p->nholds--;
		}
	}
}

int
priv_hold_sweep(struct priv *p, struct call *c)
{
	for (unsigned i = 0; i < PRIV_HOLD_LISTS; i++)
		sweep(p, &p->holds[i], c->m->u.hold_sweep.begin);
	return 0;
}

void
priv_hold_fini(struct priv *p)
{
	for (unsigned i = 0; i < PRIV_HOLD_LISTS; i++)
		while (p->holds[i])
			end(&p->holds[i]);
}
