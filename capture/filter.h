/* SPDX-License-Identifier: GPL-2.0-or-later
 * filter.h - filter expressions: libpcap's language to a classic BPF program, and the program as it goes to the
 * socket.
 *
 * vnet-capture --compile compiles, with the rights of who typed the expression; the worker only attaches and runs
 * programs.
 */
#ifndef VNET_CAPTURE_FILTER_H
#define VNET_CAPTURE_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel takes 4096 instructions; a few of them are ours. */
#define FILTER_MAX      4080
#define FILTER_EXTRA    16 /* of filter_for_socket() */
#define FILTER_WHY_MAX  256
#define FILTER_EXPR_MAX 8192

struct filter {
	struct sock_filter code[FILTER_MAX];
	size_t n; /* 0: everything passes */
};

/* Compiles for Ethernet frames. False: why has libpcap's sentence. "" passes everything. */
bool filter_compile(struct filter *out, const char *expr, char why[FILTER_WHY_MAX]);

/* The program is one that ends and reads within its scratch memory: it came from another process. */
bool filter_valid(const struct filter *f);

/* Asks the kernel about a packet beside its bytes ("inbound"): it can only run in the kernel. */
bool filter_needs_kernel(const struct filter *f);

/* What the socket may see at all. */
struct filter_scope {
	uint32_t ifindex;
	/* Frames with (hash & mask) == tag; mask 0: all. */
	uint32_t tag, mask;
	uint32_t snaplen;
};

/* The program for the socket: the scope first, then f. The kernel keeps a VLAN tag beside the frame, where f would
 * not see it: frames with one pass here as a whole, and filter_run() decides. Returns the number of instructions in
 * out, which has room for FILTER_MAX + FILTER_EXTRA. */
size_t filter_for_socket(struct sock_filter *out, const struct filter *f,
			 const struct filter_scope *scope);

/* f passes the frame: in user space, about its bytes alone. len: what it had, caplen: what is there. */
bool filter_run(const struct filter *f, const uint8_t *data, uint32_t caplen, uint32_t len);

#endif
