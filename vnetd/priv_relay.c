/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_relay.c - ports of forwards on ::1, for natd's relay. Runs in priv.
 *
 * Contract: a socket here is bound to ::1 and nothing else, and takes no IPv4. It is natd's alone: when natd ends,
 * nobody listens, and a connection is refused instead of waiting for the next one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "vnetd/priv.h"

enum { BACKLOG = 64 };

static int
open_relay(uint8_t proto, uint16_t port)
{
	const struct sockaddr_in6 sin6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const bool tcp = proto == PROTO_TCP;
	AUTO_FD fd =
	    socket(AF_INET6, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	/* Connections of an earlier one may still be ending. A service that listens keeps its port all the same. */
	if (tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sin6, sizeof(sin6)) < 0 ||
	    (tcp && listen(fd, BACKLOG) < 0))
		return -errno;
	return fd_take(&fd);
}

int
priv_sock_relay(struct priv *p UNUSED, struct call *c)
{
	const struct msg_sock_relay *m = &c->m->u.sock_relay;
	int fd = open_relay(m->proto, m->port);

	if (fd == -EADDRINUSE || fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
		return fd; /* an answer, not a fault */
	if (fd < 0)
		return fail_errno(c, fd, "cannot open %s port %u on ::1",
				  ip_proto_name((enum ip_proto)m->proto), m->port);
	give(c, fd);
	return 0;
}
