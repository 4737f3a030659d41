/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_watch.h - the socket on which natd hears what others change in rule sets, and pauses of it.
 *
 * While anybody listens the kernel writes an event for each element of a transaction, which costs nearly as much as the
 * element. Nobody needs those of our own.
 */
#ifndef VNET_VNETD_PRIV_NFT_WATCH_H
#define VNET_VNETD_PRIV_NFT_WATCH_H

#include <stdbool.h>

#include "priv_nft_sock.h"

struct nft_watch {
	int fd; /* the same socket as natd's; -1: nobody has asked for one */
	bool paused;
	bool counted; /* before is known */
	uint32_t before;
};

void nft_watch_init(struct nft_watch *w);
void nft_watch_fini(struct nft_watch *w);

/* A new socket, non-blocking and close-on-exec, on which every change of every table appears, except those of the
 * socket with this port number. Descriptor (the caller's) or -errno; then the earlier socket is as it was. */
int nft_watch_open(struct nft_watch *w, uint32_t portid);

/* Around a transaction of ours, at most one: nothing is heard in between. s asks the kernel how many transactions there
 * were. nft_watch_resume() returns true when somebody else had one meanwhile, or may have had. */
void nft_watch_pause(struct nft_watch *w, struct nft_sock *s);
bool nft_watch_resume(struct nft_watch *w, struct nft_sock *s, bool committed);

#endif
