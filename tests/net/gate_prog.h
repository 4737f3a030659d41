/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_prog.h - shared by the parts of gate-prog, which tests the gate's programs in the kernel.
 */
#ifndef GATE_PROG_H
#define GATE_PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/gate_load.h"
#include "bpf/gate_maps.h"

#define PASSES  (-1)
#define OWN     0x010000005452ull /* 52:54:00:00:00:01 */
#define OTHER   0x020000005452ull
#define HOST    0x0800c0565000ull /* 00:50:56:c0:00:08 */
#define ALL     0xffffffffffffull
#define OWN_IP  0x0ab50880u /* 10.181.8.128 */
#define OWN_NET 8

/* A program is run by hand on the loopback device. */
#define RUN_IFINDEX 1
#define RUN_SLOT    GATE_HOME(RUN_IFINDEX)

#define ANYBODY (~0u) /* instead of a slot */

/* A frame that is being made. */
struct made {
	uint8_t b[9100];
	size_t n;
};

void put(struct made *m, const void *p, size_t n);
void put8(struct made *m, unsigned v);
void put16(struct made *m, unsigned v);
void put32(struct made *m, uint32_t v);
void put_mac(struct made *m, uint64_t mac);
void put_zero(struct made *m, size_t n);

/* An Ethernet header with nothing of interest behind it. */
void make_plain(struct made *m, uint64_t dst, uint64_t src);

/* Slot and state of a port as new, in the maps. */
struct gate_policy sticky(void);
void set_policy(const struct gate_fds *g, uint32_t slot, const struct gate_policy *p);
void set_state(const struct gate_fds *g, uint32_t slot, const struct gate_state *s);
struct gate_state get_state(const struct gate_fds *g, uint32_t slot);
struct gate_drops get_drops(const struct gate_fds *g, uint32_t slot);
void forget_drops(const struct gate_fds *g, uint32_t slot);

/* How many addresses of OWN_NET the slot owns, or anybody of any; then all of them are nobody's. */
unsigned disown_all(const struct gate_fds *g, uint32_t slot);

/* Runs a frame through gate_in: PASSES, the reason that was counted, or -2 (with a line) when the
 * program or its counters did not do what they should. */
int run_in(const struct gate_fds *g, const struct made *m);

/* The same for a plain frame. */
int send_from(const struct gate_fds *g, uint64_t dst, uint64_t src);

/* All as new, with this policy for the port, or one with the address OWN and these flags. */
void fresh(const struct gate_fds *g, struct gate_policy p);
void fresh_given(const struct gate_fds *g, unsigned flags);

/* Prints "ok NAME" or "FAIL NAME: ...". */
void result(bool ok, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void expect(const char *name, int got, int want);

/* The frames of gate_guards.c: what is in it, what is around it, and what becomes of it. */
struct guarded_frame {
	const char *message, *wrapping;
	unsigned flags; /* the guard that is to be on, the port's address being `ip` */
	uint32_t ip;
	int want, want_untagged; /* as it is, or when the kernel has taken the outer tag out */
};

/* The i-th one; false: there are not so many. */
bool guarded_frame(size_t i, struct guarded_frame *f, struct made *m);

/* The parts. */
void limit_cases(const struct gate_fds *g);
void guard_cases(const struct gate_fds *g);
void load_cases(const struct gate_fds *g);

/* The programs are attached by tcx, or by filters on clsact. */
void wire_cases(const struct gate_fds *g, bool tcx);

#endif
