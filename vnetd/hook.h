/* SPDX-License-Identifier: GPL-2.0-or-later
 * hook.h - the gate's programs on what a link receives (ingress) and sends (egress).
 *
 * There are two places for them. A filter on a qdisc (nl_tc.c) is there at once, on every kernel. By
 * tcx (Linux 6.6) a frame pays for the program and for nothing else, but each attachment waits for all
 * processors (synchronize_rcu(), some milliseconds with the lock of all links held). So a program begins as
 * a filter and is fastened by tcx when nothing else is to be done. Either way it stays when the process that
 * attached it ends, goes with its link, and is asked before those of others that are there already.
 *
 * The qdisc stays, empty, for as long as the link is a port: the kernel loses a frame to the guest when one comes
 * or goes.
 *
 * For as long as it takes to fasten it, it runs twice for each frame: not for links whose frames are copied.
 */
#ifndef VNET_VNETD_HOOK_H
#define VNET_VNETD_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vnetd/nl.h"

#define HOOK_TAG_BYTES 8 /* BPF_TAG_SIZE */

struct hook_program {
	int fd;
	uint32_t id;
	uint8_t tag[HOOK_TAG_BYTES]; /* the same in programs of the same code */
};

struct hooks {
	bool tcx;
	bool adopted; /* programs of earlier instances work with our maps */
	/* Programs of ours, those of earlier instances included: one can only be replaced by who holds a
	 * descriptor of it, and only root gets that. Those of one start stay as long as a port that it
	 * fastened, so they can be many. Owned. */
	size_t n, cap;
	struct hook_program *known;
	/* Links that had some of them when we started. Owned. */
	size_t nlinks;
	int *link;
};

/* Nothing is known so far; which ways this kernel has. Needs NET_ADMIN. */
void hooks_init(struct hooks *h);
void hooks_close(struct hooks *h);

/* Takes up what earlier instances have attached to this link. Needs root. *id: the kernel's id of one of
 * these programs; 0: there is none, or it cannot be seen. 0; -errno: some may be unknown still. */
int hook_learn(struct hooks *h, struct nl *nl, int ifindex, uint32_t *id);

/* Takes up a program of this instance; the descriptor is copied. 0 or -errno. */
int hook_know(struct hooks *h, int prog);

/* There is such a hook. There always is but on an old kernel beside somebody's `ingress` qdisc. */
bool hook_has_egress(const struct hooks *h, struct nl *nl, int ifindex);

/* Puts a known program there, instead of an earlier one of ours in one step, unless that one is fastened and
 * does its work. 0 or -errno. */
int hook_attach(const struct hooks *h, struct nl *nl, int ifindex, enum nl_hook hook, int prog);

/* Fastens it, instead of an earlier one of ours in one step. Its filter stays, see
 * hook_drop_filters(). 0; -EOPNOTSUPP: this kernel has no tcx; -errno. */
int hook_fasten(const struct hooks *h, int ifindex, enum nl_hook hook, int prog);

/* Replaces an earlier one of ours that is fastened, unless it does the same: that is one step, so nothing runs
 * twice. Without one it does nothing. Returns as hook_fasten(). */
int hook_replace(const struct hooks *h, int ifindex, enum nl_hook hook, int prog);

/* Takes away the filters that hook_attach() made, for links whose programs are all fastened. 0 or -errno. */
int hook_drop_filters(const struct hooks *h, struct nl *nl, int ifindex);

/* Takes ours away, wherever it is. 0, -ENOENT when there is none, -errno. */
int hook_detach(const struct hooks *h, struct nl *nl, int ifindex, enum nl_hook hook);

/* Takes both away, and the qdisc with them unless somebody else has filters there. 0 or -errno. */
int hook_close(const struct hooks *h, struct nl *nl, int ifindex);

#endif
