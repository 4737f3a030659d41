/* SPDX-License-Identifier: GPL-2.0-or-later
 * inuse.c - NETLINK_SOCK_DIAG: dumps of TCP sockets that listen and UDP sockets without a peer. The
 * kernel answers everybody, and before sendto() is done, so nothing waits.
 */
#include "natd/inuse.h"

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
inuse_open(void)
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
list(int fd, uint32_t own, struct listeners *l, enum ip_proto proto, uint8_t family)
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
inuse_list(int fd, uint32_t own, struct listeners *l)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (unsigned p = 0; fd >= 0 && p < PROTO_N; p++)
		for (unsigned f = 0; f < 2; f++)
			list(fd, own, l, (enum ip_proto)p, families[f]);
}
