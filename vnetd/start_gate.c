/* SPDX-License-Identifier: GPL-2.0-or-later
 * start_gate.c - the port gate's programs into the kernel, once, while we are root; see bpf/gate_load.h.
 *
 * An instance that ran before has left its programs attached to our bridges and ports: by one of them its
 * maps are found, with all that is pinned in them. Whether a program can be attached at all is tried out in a
 * network namespace that nobody sees.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vnetd/start.h"

enum {
	DUMP_TRIES = 10,
	LOOPBACK = 1, /* ifindex of lo, which every network namespace has */
};

struct links {
	int *ifindex; /* our bridges and ports */
	size_t n, cap;
	bool failed; /* out of memory */
};

static void
on_link(const struct nl_link *l, void *arg)
{
	struct links *v = arg;

	if (!nl_link_is_ours(l, NULL))
		return;
	if (v->n == v->cap) {
		size_t cap = v->cap ? 2 * v->cap : 64;
		int *more = reallocarray(v->ifindex, cap, sizeof(*more));

		if (!more) {
			v->failed = true;
			return;
		}
		v->ifindex = more;
		v->cap = cap;
	}
	v->ifindex[v->n++] = l->ifindex;
}

/* The kernel's id of a program of an earlier instance; 0: there is none. */
static uint32_t
find_running(struct nl *nl)
{
	struct links v = {0};
	uint32_t id = 0;
	int r = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		v.n = 0;
		r = nl_link_each(nl, on_link, &v);
	}
	if (r < 0 || v.failed)
		log_warn(-r, "cannot look for the gates of ports that run already");
	for (size_t i = 0; i < v.n && id == 0; i++) {
		/* A bridge sends what the host sends; a port takes what its guest sends. */
		if (nl_tc_running(nl, v.ifindex[i], NL_EGRESS, &id) < 0 || id == 0)
			nl_tc_running(nl, v.ifindex[i], NL_INGRESS, &id);
	}
	free(v.ifindex);
	return id;
}

enum trial { TRIAL_WORKS, TRIAL_FAILS, TRIAL_NONE };

/* In a process of its own. */
__attribute__((noreturn)) static void
try_attach(int prog)
{
	struct nl *nl;

	if (unshare(CLONE_NEWNET) < 0)
		_exit(TRIAL_NONE);
	nl = nl_open(NETLINK_ROUTE);
	if (!nl)
		_exit(TRIAL_NONE);
	if (nl_tc_open(nl, LOOPBACK) < 0 || nl_tc_attach(nl, LOOPBACK, NL_INGRESS, prog, 1) < 0)
		_exit(TRIAL_FAILS);
	_exit(TRIAL_WORKS);
}

static int
check_attach(int prog)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		try_attach(prog);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	/* Without an answer the first port will show it. */
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != TRIAL_FAILS)
		return 0;
	log_error(0,
		  "the kernel cannot attach programs to interfaces. Try: modprobe -a sch_ingress "
		  "cls_bpf (kernel options CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF, "
		  "CONFIG_NET_CLS_ACT)");
	return -1;
}

int
start_gate(struct gate_fds *fds, bool *adopted)
{
	struct nl *nl = nl_open(NETLINK_ROUTE);
	char why[512];
	int r;

	if (!nl) {
		log_error(errno, "cannot open a netlink socket");
		return -1;
	}
	r = gate_load(fds, find_running(nl), adopted, why, sizeof(why));
	nl_close(nl);
	if (r < 0) {
		log_error(0, "%s", why);
		return -1;
	}
	return check_attach(fds->in);
}
