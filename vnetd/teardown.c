/* SPDX-License-Identifier: GPL-2.0-or-later
 * teardown.c - `vnetd --teardown`: the plan with nothing wanted. Runs as root, alone: it holds the lock
 * of the run folder all the while, so that no vnetd starts in the middle.
 *
 * Contract: deletes links that are ours by names_is_ours(), the table inet vnetd, and the contents of
 * the run folder; never configuration or leases. Whatever fails is told and the rest is done all the
 * same.
 *
 * ip_forward goes back to 0 only when it was 0 before us, and nobody else is seen who would need it: a
 * foreign bridge that is up (Docker, libvirt and LXC all set ip_forward only when it is 0, so with ours
 * gone they would be left without).
 */
#include "vnetd/teardown.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "vnetd/hook.h"
#include "vnetd/leftover.h"
#include "vnetd/priv_nft.h"
#include "vnetd/start.h"

enum {
	STOP_MS = 5000, /* until a running vnetd that was told to end is killed */
	LOCK_TRIES = 100,
	DUMP_TRIES = 10,
};

/* ------------------------------------------------------------------ a running vnetd */

/* Ends the process that holds the lock. The pidfd is opened before we look again whether it still does:
 * so the signal cannot go to somebody who got its number afterwards. */
static void
end_instance(const char *run_dir, pid_t pid)
{
	AUTO_FD fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	AUTO_FD lock = -1;
	struct pollfd p;
	pid_t again;

	if (fd < 0)
		return;
	lock = start_lock(run_dir, false, &again);
	if (lock >= 0 || again != pid)
		return;
	p = (struct pollfd){.fd = fd, .events = POLLIN};
	syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	if (poll(&p, 1, STOP_MS) == 0) {
		log_warn(0, "vnetd (process %d) did not end when told to: killing it", (int)pid);
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		poll(&p, 1, STOP_MS);
	}
}

/* The lock of the run folder; -1: logged. */
static int
lock_alone(const char *run_dir)
{
	const struct timespec tick = {.tv_nsec = 50 * 1000000};
	pid_t holder = 0;
	int fd = -EWOULDBLOCK;

	for (int i = 0; i < LOCK_TRIES; i++) {
		fd = start_lock(run_dir, false, &holder);
		if (fd != -EWOULDBLOCK)
			break;
		end_instance(run_dir, holder);
		nanosleep(&tick, NULL);
	}
	if (fd == -EWOULDBLOCK)
		log_error(0, "%s: vnetd (process %d) does not end", run_dir, (int)holder);
	else if (fd < 0)
		log_error(-fd, "%s/vnetd.pid: cannot lock it", run_dir);
	return fd < 0 ? -1 : fd;
}

/* ------------------------------------------------------------------ links */

struct indices {
	int *ifindex;
	size_t n, cap;
};

struct found {
	struct indices ours, others;
	size_t in_group;                     /* of ours, in our group */
	bool foreign;                        /* somebody else's link is in our group */
	bool failed;                         /* out of memory */
	char other_bridge[NAMES_IFNAME_MAX]; /* a foreign bridge that is up */
};

static bool
add(struct indices *v, int ifindex)
{
	if (v->n == v->cap) {
		size_t cap = v->cap ? 2 * v->cap : 64;
		int *more = reallocarray(v->ifindex, cap, sizeof(*more));

		if (!more)
			return false;
		v->ifindex = more;
		v->cap = cap;
	}
	v->ifindex[v->n++] = ifindex;
	return true;
}

static void
on_link(const struct nl_link *l, void *arg)
{
	struct found *f = arg;
	bool ours = nl_link_is_ours(l, NULL) || !strcmp(l->alias, NAMES_CAPTURE_ALIAS),
	     in_group = l->group == NAMES_LINK_GROUP;

	f->failed |= !add(ours ? &f->ours : &f->others, l->ifindex);
	f->in_group += ours && in_group;
	f->foreign |= !ours && in_group;
	if (!ours && !strcmp(l->kind, "bridge") && l->flags & IFF_UP)
		snprintf(f->other_bridge, sizeof(f->other_bridge), "%s", l->name);
}

/* All in one message where that takes nobody else's link along: one by one costs some 35 ms each. */
static int
delete_links(struct nl *nl, const struct found *f)
{
	int r = 0;

	if (f->in_group > 1 && !f->foreign)
		r = nl_group_del(nl, NAMES_LINK_GROUP);
	if (r == 0 && f->in_group == f->ours.n && f->in_group > 1 && !f->foreign)
		return 0;
	r = 0;
	for (size_t i = 0; i < f->ours.n; i++) {
		int one = nl_link_del(nl, f->ours.ifindex[i]);

		/* Deleted with its group or its peer already. */
		if (one < 0 && one != -ENODEV)
			r = one;
	}
	return r;
}

/* Others' links that are or were ports of our bridges: they lose our programs, which would let nothing pass
 * elsewhere. */
static int
release_others(struct nl *nl, const struct found *f)
{
	struct hooks hooks;
	int r = 0;

	hooks_init(&hooks);
	for (size_t i = 0; i < f->others.n; i++) {
		uint32_t id;
		int one = hook_learn(&hooks, nl, f->others.ifindex[i], &id);

		if (one == 0)
			one = hook_close(&hooks, nl, f->others.ifindex[i]);
		if (one < 0 && one != -ENODEV)
			r = one;
	}
	hooks_close(&hooks);
	return r;
}

static void
found_free(struct found *f)
{
	free(f->ours.ifindex);
	free(f->others.ifindex);
	*f = (struct found){0};
}

/* A list that changed under our hands is read again; others may be at work beside us. */
static int
find_links(struct nl *nl, struct found *f)
{
	int r = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		found_free(f);
		r = nl_link_each(nl, on_link, f);
	}
	return r;
}

/* What redirections have added to interfaces of the host. */
static int
remove_aliases(void)
{
	struct nl *nl = nl_open(NETLINK_ROUTE);
	int r = nl ? priv_alias_sweep_all(nl) : -errno;

	if (r < 0)
		log_error(-r, "cannot remove the addresses of redirections");
	nl_close(nl);
	return r;
}

static int
remove_links(struct found *f)
{
	struct nl *nl = nl_open(NETLINK_ROUTE);
	int r = nl ? find_links(nl, f) : -errno, others;

	if (r == 0)
		r = f->failed ? -ENOMEM : delete_links(nl, f);
	others = nl ? release_others(nl, f) : 0;
	r = r < 0 ? r : others;
	if (r < 0)
		log_error(-r, "cannot remove our interfaces");
	nl_close(nl);
	return r;
}

/* ------------------------------------------------------------------ the rest */

static int
restore_forwarding(const char *run_dir, const struct found *f)
{
	char path[4096], was[8] = "";
	AUTO_FD record = -1;
	AUTO_FD fd = -1;

	snprintf(path, sizeof(path), "%s/ip_forward", run_dir);
	record = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (record < 0 || read(record, was, sizeof(was) - 1) <= 0 || was[0] != '0')
		return 0;
	if (f->other_bridge[0]) {
		log_warn(
		    0,
		    "net.ipv4.ip_forward stays 1, since %s may need it. If nobody does: sysctl -w "
		    "net.ipv4.ip_forward=0",
		    f->other_bridge);
		return 0;
	}
	fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "0", 1) == 1)
		return 0;
	log_error(errno, "cannot set net.ipv4.ip_forward back to 0");
	return -1;
}

static int
remove_table(void)
{
	int r = priv_nft_teardown();

	if (r < 0)
		log_error(-r, "cannot remove the nftables table inet vnetd. Try: nft delete table "
			      "inet vnetd");
	return r;
}

/* The lock file last: it is ours until then. */
static void
empty_run_dir(const char *run_dir)
{
	static const char *const names[] = {"ip_forward", "vnetd.log", "vnetd.pid"};
	char path[4096];

	snprintf(path, sizeof(path), "%s/vnetd.sock", run_dir);
	/* A service manager that listens there goes on doing so. */
	if (!start_is_listening(path))
		unlink(path);
	snprintf(path, sizeof(path), "%s/empty", run_dir);
	rmdir(path);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", run_dir, names[i]);
		unlink(path);
	}
	rmdir(run_dir);
}

int
teardown_main(const struct dirs *dirs)
{
	struct found f = {0};
	AUTO_FD run = -1;
	AUTO_FD lock = -1;
	bool bad = false;

	if (geteuid() != 0) {
		log_error(0, "needs root to remove the networks. Try: sudo vnetd --teardown");
		return 1;
	}
	run = start_run_dir(dirs->run);
	if (run < 0)
		return 1;
	lock = lock_alone(dirs->run);
	if (lock < 0)
		return 1;
	leftover_end();
	bad |= remove_aliases() < 0;
	bad |= remove_links(&f) < 0;
	/* Before the table: until now it kept this host from forwarding for others. */
	bad |= restore_forwarding(dirs->run, &f) < 0;
	bad |= remove_table() < 0;
	found_free(&f);
	if (!bad)
		empty_run_dir(dirs->run);
	return bad ? 1 : 0;
}
