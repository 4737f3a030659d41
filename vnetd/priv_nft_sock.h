/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_sock.h - netfilter netlink: transactions that happen as a whole or not at all, and
 * dumps.
 *
 * The kernel answers while it is being asked, so nothing here waits: when a request has been sent
 * its whole answer lies in the receive queue.
 */
#ifndef VNET_VNETD_PRIV_NFT_SOCK_H
#define VNET_VNETD_PRIV_NFT_SOCK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nft_sock {
	struct mnl_socket *nl; /* NULL: closed */
	uint32_t portid;       /* how the kernel calls this socket; an owned table belongs to it */
	uint32_t seq;
};

/* 0 or -errno. */
int nft_sock_open(struct nft_sock *s);
void nft_sock_close(struct nft_sock *s);

/* Messages of one transaction, in one buffer. */
struct nft_batch {
	uint8_t *buf;
	size_t len, cap;
	uint32_t first, seq; /* sequence numbers: of the beginning, and of the latest message */
	bool bad;            /* out of memory: everything is dropped */
};

/* How much a single message may take, so that its attributes can be written without looking. */
enum { NFT_MSG_ROOM = 64 * 1024 };

/* Begins a transaction. nft_batch_fini() in every case. */
void nft_batch_init(struct nft_batch *b, struct nft_sock *s);
void nft_batch_fini(struct nft_batch *b);

/* Starts a message of a type NFT_MSG_* for the family inet; NFT_MSG_ROOM bytes of attributes may
 * follow, then nft_batch_put(). NULL: no memory. */
struct nlmsghdr *nft_batch_msg(struct nft_batch *b, uint16_t type, uint16_t flags);

/* The same for another family. */
struct nlmsghdr *nft_batch_msg_of(struct nft_batch *b, uint8_t family, uint16_t type,
				  uint16_t flags);
void nft_batch_put(struct nft_batch *b, const struct nlmsghdr *nlh);

/* What the kernel disliked. */
struct nft_refusal {
	int type;      /* NFT_MSG_*, or -1: the transaction as a whole */
	char what[96]; /* "chain \"forward\"" */
};

/* Ends the transaction and has it done. 0 or -errno; then nothing was done, and *why is filled. */
int nft_batch_commit(struct nft_batch *b, struct nft_sock *s, struct nft_refusal *why);

/* A single request that is no transaction: sends nlh (its sequence number is set here) and calls
 * cb for each answer message until the end. subsys-independent. 0, -errno, or what cb returned
 * when negative. */
int nft_sock_ask(struct nft_sock *s, struct nlmsghdr *nlh,
		 int (*cb)(const struct nlmsghdr *nlh, void *arg), void *arg);

/* A request header of `type` (subsystem << 8 | message) with the netfilter header behind it. */
struct nlmsghdr *nft_sock_request(void *buf, uint16_t type, uint16_t flags, uint8_t family);

#endif
