/* SPDX-License-Identifier: GPL-2.0-or-later
 * sock_diag.c - NETLINK_SOCK_DIAG: dumps of TCP sockets that listen and UDP sockets without a peer. The
 * kernel answers everybody, and before sendto() is done, so nothing waits.
 */
#include "lib/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum { BUF_SIZE = 32768 };

int
sock_diag_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

static bool
ask(int fd, enum ip_proto proto, uint8_t family)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} q;
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	memset(&q, 0, sizeof(q));
	q.nlh.nlmsg_len = sizeof(q);
	q.nlh.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	q.req.sdiag_family = family;
	q.req.sdiag_protocol = proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	q.req.idiag_states = proto == PROTO_TCP ? 1u << TCP_LISTEN : 1u << TCP_CLOSE;
	return sendto(fd, &q, sizeof(q), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) ==
	       (ssize_t)sizeof(q);
}

static void
list(int fd, enum ip_proto proto, uint8_t family, uint32_t own, struct listeners *l)
{
	_Alignas(struct nlmsghdr) uint8_t buf[BUF_SIZE];
	bool end = !ask(fd, proto, family);

	while (!end) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		end = n <= 0 || listeners_decode(l, proto, own, buf, (size_t)n);
	}
}

void
sock_diag_list(int fd, enum ip_proto proto, uint32_t own, struct listeners *l)
{
	if (fd < 0)
		return;
	list(fd, proto, AF_INET, own, l);
	list(fd, proto, AF_INET6, own, l);
}
