/* SPDX-License-Identifier: GPL-2.0-or-later
 * start_gate.c - the port gate's programs into the kernel, once, while we are root; see bpf/gate_load.h.
 *
 * An instance that ran before has left its programs attached to bridges and ports: by one of them its maps
 * are found, with all that is pinned in them, and all of them are taken up, to be replaced one by one. Whether
 * a program can be attached at all is tried out in a network namespace that nobody sees.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "vnetd/start.h"

enum {
	DUMP_TRIES = 10,
	LOOPBACK = 1, /* ifindex of lo, which every network namespace has */
};

struct links {
	int *ifindex; /* all there are */
	size_t n, cap;
	bool failed; /* out of memory */
};

static void
on_link(const struct nl_link *l, void *arg)
{
	struct links *v = arg;

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

/* Ports may be others' links. *id: the kernel's id of a program of an earlier instance; 0: there is none. */
static int
find_running(struct hooks *hooks, struct nl *nl, uint32_t *id)
{
	struct links v = {0};
	uint32_t one;
	int r = -EAGAIN;

	*id = 0;
	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		v.n = 0;
		r = nl_link_each(nl, on_link, &v);
	}
	if (r < 0 || v.failed)
		log_warn(-r, "cannot look for the gates of ports that run already");
	r = 0;
	for (size_t i = 0; i < v.n && r == 0; i++) {
		r = hook_learn(hooks, nl, v.ifindex[i], &one);
		if (one)
			v.ifindex[hooks->nlinks++] = v.ifindex[i];
		*id = one ? one : *id;
	}
	hooks->link = v.ifindex;
	/* Beside one that is not known, ours would run as a second one. */
	if (r < 0)
		log_error(-r, "cannot take up the gates of ports that run already");
	return r;
}

enum trial { TRIAL_WORKS, TRIAL_FAILS, TRIAL_NONE };

/* In a process of its own. */
__attribute__((noreturn)) static void
try_attach(const struct hooks *hooks, int prog)
{
	struct nl *nl;

	if (unshare(CLONE_NEWNET) < 0)
		_exit(TRIAL_NONE);
	nl = nl_open(NETLINK_ROUTE);
	if (!nl)
		_exit(TRIAL_NONE);
	if (hook_attach(hooks, nl, LOOPBACK, NL_INGRESS, prog) < 0)
		_exit(TRIAL_FAILS);
	_exit(TRIAL_WORKS);
}

static int
check_attach(const struct hooks *hooks, int prog)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		try_attach(hooks, prog);
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

static int
know_all(struct hooks *hooks, const struct gate_fds *fds)
{
	const int all[] = {fds->in, fds->out, fds->host};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(all) && r == 0; i++)
		r = hook_know(hooks, all[i]);
	if (r < 0)
		log_error(-r, "cannot take up the port gate's programs");
	return r;
}

int
start_gate(struct gate_fds *fds, bool *adopted, struct hooks *hooks)
{
	struct nl *nl = nl_open(NETLINK_ROUTE);
	uint32_t running;
	char why[512];
	int r;

	if (!nl) {
		log_error(errno, "cannot open a netlink socket");
		return -1;
	}
	hooks_init(hooks);
	r = find_running(hooks, nl, &running);
	if (r < 0) {
		nl_close(nl);
		return -1;
	}
	r = gate_load(fds, running, adopted, why, sizeof(why));
	nl_close(nl);
	hooks->adopted = *adopted;
	if (r < 0) {
		log_error(0, "%s", why);
		return -1;
	}
	return know_all(hooks, fds) < 0 ? -1 : check_attach(hooks, fds->in);
}
