/* SPDX-License-Identifier: GPL-2.0-or-later
 * dnssock.c - dns_addr <-> sockaddr, and connections.
 */
#include "natd/dnssock.h"

#include <errno.h>
#include <string.h>

#include "lib/fd.h"

socklen_t
dnssock_addr(union dnssock_addr *out, const struct dns_addr *a)
{
	memset(out, 0, sizeof(*out));
	if (dns_addr_is_ip4(a)) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(a->port);
		out->in.sin_addr.s_addr = ip4_be(dns_addr_ip4(a));
		return sizeof(out->in);
	}
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(a->port);
	out->in6.sin6_scope_id = a->scope;
	memcpy(&out->in6.sin6_addr, a->ip, sizeof(a->ip));
	return sizeof(out->in6);
}

struct dns_addr
dnssock_from(const union dnssock_addr *sa)
{
	struct dns_addr a = {.scope = 0};

	if (sa->sa.sa_family == AF_INET)
		return dns_addr_from_ip4(ip4_from_be(sa->in.sin_addr.s_addr),
					 ntohs(sa->in.sin_port));
	memcpy(a.ip, &sa->in6.sin6_addr, sizeof(a.ip));
	a.scope = sa->in6.sin6_scope_id;
	a.port = ntohs(sa->in6.sin6_port);
	return a;
}

int
dnssock_connect(const struct dns_addr *a)
{
	union dnssock_addr to;
	socklen_t len = dnssock_addr(&to, a);
	AUTO_FD fd = socket(to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, &to.sa, len) < 0 && errno != EINPROGRESS))
		return -errno;
	return fd_take(&fd);
}
