/* SPDX-License-Identifier: GPL-2.0-or-later
 * hook.c - programs on the hooks of links, see hook.h. Here are the calls of tcx; those about filters are nl_tc.c's.
 *
 * The calls are made by hand: the oldest libbpf and kernel headers that we are built with know none of them.
 */
#include "vnetd/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/gate_load.h"
#include "lib/fd.h"
#include "lib/util.h"

#define LOOPBACK     1  /* ifindex of lo, which every network namespace has */
#define PROGRAMS_MAX 64 /* as many as the kernel allows on one hook (BPF_MPROG_MAX) */

/* From linux/bpf.h, Linux 6.6. */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };
enum { TCX_REPLACE = 1 << 2, TCX_BEFORE = 1 << 3 };

/* The parts of union bpf_attr, as BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_PROG_QUERY have it. */
struct tcx_attach {
	uint32_t ifindex, prog, type, flags, replaced, relative;
	uint64_t revision;
};

struct tcx_query {
	uint32_t ifindex, type, query_flags, attach_flags;
	uint64_t prog_ids;
	uint32_t count, pad;
	uint64_t prog_flags, link_ids, link_flags, revision;
};

static uint32_t
type_of(enum nl_hook hook)
{
	return hook == NL_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

static int
call(int command, void *attr, size_t size)
{
	return syscall(SYS_bpf, command, attr, size) < 0 ? -errno : 0;
}

/* -- which programs are there -- */

struct there {
	uint32_t id[PROGRAMS_MAX];
	uint32_t n;
};

static int
query(int ifindex, enum nl_hook hook, struct there *t)
{
	struct tcx_query q = {.ifindex = (uint32_t)ifindex,
			      .type = type_of(hook),
			      .prog_ids = (uintptr_t)t->id,
			      .count = PROGRAMS_MAX};
	int r = call(BPF_PROG_QUERY, &q, sizeof(q));

	t->n = r == 0 ? q.count : 0;
	return r == -ENOENT ? 0 : r; /* nobody ever attached anything */
}

static const struct hook_program *
find(const struct hooks *h, uint32_t id)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->known[i].id == id)
			return &h->known[i];
	return NULL;
}

static int
make_room(struct hooks *h)
{
	size_t cap = h->cap ? 2 * h->cap : 16;
	struct hook_program *v;

	if (h->n < h->cap)
		return 0;
	v = reallocarray(h->known, cap, sizeof(*v));
	if (!v)
		return -ENOMEM;
	h->known = v;
	h->cap = cap;
	return 0;
}

int
hook_know(struct hooks *h, int prog)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	struct hook_program *p;
	int r;

	if (bpf_obj_get_info_by_fd(prog, &info, &len) < 0)
		return -errno;
	if (find(h, info.id))
		return 0;
	r = make_room(h);
	if (r < 0)
		return r;
	p = &h->known[h->n];
	p->fd = fcntl(prog, F_DUPFD_CLOEXEC, 3);
	if (p->fd < 0)
		return -errno;
	p->id = info.id;
	memcpy(p->tag, info.tag, sizeof(p->tag));
	h->n++;
	return 0;
}

/* One that has just gone, or that we may not see, is none of ours. */
static int
learn_program(struct hooks *h, uint32_t id)
{
	AUTO_FD prog = bpf_prog_get_fd_by_id(id);

	if (prog < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	return gate_is(prog) ? hook_know(h, prog) : 0;
}

static int
learn(struct hooks *h, int ifindex, enum nl_hook hook, uint32_t *id)
{
	struct there t;
	int r = 0;

	query(ifindex, hook, &t);
	for (uint32_t i = 0; i < t.n && r == 0; i++) {
		if (!find(h, t.id[i]))
			r = learn_program(h, t.id[i]);
		if (find(h, t.id[i]))
			*id = t.id[i];
	}
	return r;
}

int
hook_learn(struct hooks *h, struct nl *nl, int ifindex, uint32_t *id)
{
	uint32_t in = 0, out = 0;
	int r = h->tcx ? learn(h, ifindex, NL_INGRESS, &in) : 0;

	if (r == 0 && h->tcx)
		r = learn(h, ifindex, NL_EGRESS, &out);
	/* Whoever replaces a filter needs no descriptor. */
	if (!in && !out)
		nl_tc_running(nl, ifindex, NL_INGRESS, &in);
	if (!in && !out)
		nl_tc_running(nl, ifindex, NL_EGRESS, &out);
	*id = in ? in : out;
	return r;
}

/* -- attaching -- */

/* With tcx only the gate's ingress begins as a filter. A clsact qdisc would have each frame to the guest ask an
 * empty hook for as long as the port is there. */
static enum nl_hooks
qdisc_of(const struct hooks *h)
{
	return h->tcx ? NL_INGRESS_ONLY : NL_BOTH;
}

/* old: a program of ours that makes room, NULL: there is none. */
static int
attach(int ifindex, enum nl_hook hook, int prog, const struct hook_program *old)
{
	struct tcx_attach a = {.ifindex = (uint32_t)ifindex,
			       .prog = (uint32_t)prog,
			       .type = type_of(hook),
			       .flags = old ? TCX_REPLACE : TCX_BEFORE,
			       .replaced = old ? (uint32_t)old->fd : 0};
	int r = call(BPF_PROG_ATTACH, &a, sizeof(a));

	return r == -EEXIST ? 0 : r; /* it is there already */
}

static int
detach(int ifindex, enum nl_hook hook, int prog)
{
	struct tcx_attach a = {
	    .ifindex = (uint32_t)ifindex, .prog = (uint32_t)prog, .type = type_of(hook)};

	return call(BPF_PROG_DETACH, &a, sizeof(a));
}

/* The first of ours on the hook that is there. */
static int
ours(const struct hooks *h, int ifindex, enum nl_hook hook, const struct hook_program **out)
{
	struct there t;
	int r = query(ifindex, hook, &t);

	*out = NULL;
	for (uint32_t i = 0; i < t.n && !*out; i++)
		*out = find(h, t.id[i]);
	return r;
}

/* Of the same code, and with the same maps: not worth the milliseconds that it takes to replace it. */
static bool
does_the_same(const struct hooks *h, const struct hook_program *old, int prog)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog, &info, &len) < 0)
		return false;
	return info.id == old->id || (h->adopted && !memcmp(info.tag, old->tag, sizeof(old->tag)));
}

static int
fasten(const struct hooks *h, int ifindex, enum nl_hook hook, int prog, bool only_replace)
{
	const struct hook_program *old;
	int r;

	if (!h->tcx)
		return -EOPNOTSUPP;
	r = ours(h, ifindex, hook, &old);
	if (r < 0 || (old ? does_the_same(h, old, prog) : only_replace))
		return r;
	return attach(ifindex, hook, prog, old);
}

int
hook_fasten(const struct hooks *h, int ifindex, enum nl_hook hook, int prog)
{
	return fasten(h, ifindex, hook, prog, false);
}

int
hook_replace(const struct hooks *h, int ifindex, enum nl_hook hook, int prog)
{
	return fasten(h, ifindex, hook, prog, true);
}

int
hook_attach(const struct hooks *h, struct nl *nl, int ifindex, enum nl_hook hook, int prog)
{
	const struct hook_program *old = NULL;
	int r = h->tcx ? ours(h, ifindex, hook, &old) : 0;

	if (r < 0)
		return r;
	/* One of an earlier instance can wait until somebody has time. */
	if (old)
		return h->adopted ? 0 : hook_fasten(h, ifindex, hook, prog);
	r = nl_tc_open(nl, ifindex, qdisc_of(h));
	if (r == 0 && hook == NL_EGRESS && h->tcx && !nl_tc_has_egress(nl, ifindex))
		return hook_fasten(h, ifindex, hook, prog);
	return r < 0 ? r : nl_tc_attach(nl, ifindex, hook, prog);
}

int
hook_detach(const struct hooks *h, struct nl *nl, int ifindex, enum nl_hook hook)
{
	const struct hook_program *old = NULL;
	int r = h->tcx ? ours(h, ifindex, hook, &old) : 0, filter;

	if (r == 0 && old)
		r = detach(ifindex, hook, old->fd);
	/* On an ingress qdisc the egress hook would be ingress once more. */
	filter = hook == NL_EGRESS && !nl_tc_has_egress(nl, ifindex)
		     ? -ENOENT
		     : nl_tc_detach(nl, ifindex, hook);
	if (r < 0 || (filter < 0 && filter != -ENOENT))
		return r < 0 ? r : filter;
	return old || filter == 0 ? 0 : -ENOENT;
}

/* 0: there was a filter of ours; -ENOENT; -errno. */
static int
drop_filters(struct nl *nl, int ifindex)
{
	int in = nl_tc_detach(nl, ifindex, NL_INGRESS), out = nl_tc_detach(nl, ifindex, NL_EGRESS);

	if (in < 0 && in != -ENOENT)
		return in;
	return out == -ENOENT ? in : out;
}

int
hook_drop_filters(const struct hooks *h, struct nl *nl, int ifindex)
{
	int r = h->tcx ? drop_filters(nl, ifindex) : -EOPNOTSUPP;

	return r == -ENOENT ? 0 : r;
}

int
hook_close(const struct hooks *h, struct nl *nl, int ifindex)
{
	static const enum nl_hook both[] = {NL_INGRESS, NL_EGRESS};
	const struct hook_program *old;
	bool any = false;
	int r = 0;

	for (size_t i = 0; h->tcx && r == 0 && i < ARRAY_LEN(both); i++) {
		r = ours(h, ifindex, both[i], &old);
		any = any || old;
		if (r == 0 && old)
			r = detach(ifindex, both[i], old->fd);
	}
	if (r == 0)
		r = drop_filters(nl, ifindex);
	if (r < 0 && (r != -ENOENT || !any))
		return r == -ENOENT ? 0 : r;
	return nl_tc_close(nl, ifindex);
}

bool
hook_has_egress(const struct hooks *h, struct nl *nl, int ifindex)
{
	/* Without the qdisc the attempt to attach tells why. */
	return h->tcx || nl_tc_open(nl, ifindex, NL_BOTH) < 0 || nl_tc_has_egress(nl, ifindex);
}

/* -- the set -- */

void
hooks_init(struct hooks *h)
{
	struct there t;

	*h = (struct hooks){.n = 0};
	/* A kernel without tcx does not know the type of the hook. */
	h->tcx = query(LOOPBACK, NL_INGRESS, &t) == 0;
}

void
hooks_close(struct hooks *h)
{
	for (size_t i = 0; i < h->n; i++)
		fd_close(&h->known[i].fd);
	free(h->known);
	free(h->link);
	h->known = NULL;
	h->link = NULL;
	h->n = h->cap = h->nlinks = 0;
}
