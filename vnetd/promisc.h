/* SPDX-License-Identifier: GPL-2.0-or-later
 * promisc.h - may a port be promiscuous? The decision, without the engine around it. Pure.
 *
 * Two have to agree: somebody asks (the guest itself, a user, a key of the port's section), and the
 * administrator has answered (a key, a word by `vnetctl promisc`, the marker file promiscAuthorized). The
 * nearer answer counts: the port's key, then the word, then the network's key, then the marker.
 */
#ifndef VNET_VNETD_PROMISC_H
#define VNET_VNETD_PROMISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/gate.h"
#include "lib/msg.h"

#define PROMISC_WHY_MAX 256

/* What an administrator said about a port. */
enum promisc_word { WORD_NONE, WORD_ONCE, WORD_FOR, WORD_DENY };
#define PROMISC_WORD_N 4

/* What is kept with a port, in the kernel beside its gate, so that the next engine knows it. */
struct promisc {
	enum promisc_by by; /* who asks; PROMISC_BY_NOBODY: nobody */
	enum promisc_word word;
	uint64_t asked_s; /* since when, UTC */
	uint64_t until_s; /* WORD_FOR: until then, UTC */
	bool blocked;     /* the holder of its tap misbehaved: it is down */
	bool unpinned;    /* its address was taken from it: the next one that it uses counts, not
			     the one that it was told */
};

/* Does a marker file, as lstat() tells of it, count: regular, one link, of root, writable by nobody else?
 * why: when it does not. */
bool marker_counts(char why[PROMISC_WHY_MAX], const struct msg_marker_row *m);

/* Everything that the decision depends on. */
struct promisc_case {
	const struct promisc *port;
	int port_key, net_key; /* enum conf_promisc; -1: not in the file */
	bool milder;           /* mac-learning is configured: it asks by that */
	const char *marker;    /* name of the marker file that counts, "": none */
	uint64_t now_s;        /* UTC */
};

struct promisc_answer {
	enum promisc_state state;
	enum promisc_by by; /* who asks, after all */
	uint64_t until_s;   /* granted until then, 0: no end is set */
	bool by_marker;     /* it is the marker that grants */
	const char *why;    /* half a sentence: "vnetd.conf denies it", static */
};

struct promisc_answer promisc_judge(const struct promisc_case *c);

/* The record as it is kept, and back; false: not one of ours, *out is empty then. */
size_t promisc_pack(uint8_t memo[GATE_MEMO_MAX], const struct promisc *p);
bool promisc_unpack(struct promisc *out, const uint8_t *memo, size_t len);

#endif
