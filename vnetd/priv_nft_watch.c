/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_watch.c - see priv_nft_watch.h.
 */
#include "priv_nft_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "lib/util.h"

enum { WATCH_RCVBUF = 1024 * 1024 };

static const int group = NFNLGRP_NFTABLES;

void
nft_watch_init(struct nft_watch *w)
{
	*w = (struct nft_watch){.fd = -1};
}

void
nft_watch_fini(struct nft_watch *w)
{
	fd_close(&w->fd);
}

/* Drops what that socket has caused, before it takes room in the queue. The kernel puts the messages of one transaction,
 * all with the sender's port number, into datagrams of their own, so looking at the first is enough. */
static int
ignore(int fd, uint32_t portid)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog prog = {ARRAY_LEN(code), code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0)
		return -errno;
	return 0;
}

int
nft_watch_open(struct nft_watch *w, uint32_t portid)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK};
	int size = WATCH_RCVBUF;
	AUTO_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int r, mine;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	r = ignore(fd, portid);
	if (r < 0)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (mine < 0)
		return -errno;
	fd_close(&w->fd);
	*w = (struct nft_watch){.fd = mine};
	return fd_take(&fd);
}

static int
on_generation(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a;
	uint32_t *out = arg;

	mnl_attr_for_each(
	    a, nlh, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == NFTA_GEN_ID &&
						 mnl_attr_validate(a, MNL_TYPE_U32) >= 0) *out =
	    ntohl(mnl_attr_get_u32(a));
	return 0;
}

/* The number of transactions so far, which goes up by one with each of anybody's in this network namespace and is never 0.
 * False: the kernel does not say. */
static bool
generation(struct nft_sock *s, uint32_t *out)
{
	uint8_t buf[256];
	struct nlmsghdr *nlh =
	    nft_sock_request(buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NLM_F_ACK, AF_UNSPEC);

	*out = 0;
	return nft_sock_ask(s, nlh, on_generation, out) == 0 && *out != 0;
}

void
nft_watch_pause(struct nft_watch *w, struct nft_sock *s)
{
	if (w->fd < 0)
		return;
	w->counted = generation(s, &w->before);
	w->paused =
	    setsockopt(w->fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof(group)) == 0;
}

bool
nft_watch_resume(struct nft_watch *w, struct nft_sock *s, bool committed)
{
	uint32_t after;

	if (!w->paused)
		return false;
	w->paused = false;
	if (setsockopt(w->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return true;
	return !w->counted || !generation(s, &after) || after - w->before != (committed ? 1 : 0);
}
