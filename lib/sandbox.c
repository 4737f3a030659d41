/* SPDX-License-Identifier: GPL-2.0-or-later
 * sandbox.c - giving up root, capabilities and the file system. System-call filters: sandbox_seccomp.c.
 *
 * No log: these run before or between the moments when a log line can be trusted to arrive, and
 * sandbox_child_prepare() runs between fork and exec. Callers report the error and exit.
 */
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "util.h"

/* What priv keeps. */
static const unsigned priv_caps[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE,
				     CAP_SYS_CHROOT};

/* libcap-ng returns small negative numbers of its own; errno is what the kernel said, if it did. */
static int
capng_error(void)
{
	return errno ? -errno : -EPERM;
}

/* Not through libcap-ng: it must also work when nothing is left to drop and CAP_SETPCAP is gone. */
static int
drop_bounding_set(void)
{
	for (int cap = 0;; cap++) {
		int r = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (r < 0)
			return 0; /* beyond the last capability that this kernel knows */
		if (r > 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
}

/* Cannot be undone, and survives exec, except for dumpable, which exec sets again. */
static int
lock_down(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static bool
is_priv_cap(unsigned cap)
{
	for (size_t i = 0; i < ARRAY_LEN(priv_caps); i++)
		if (priv_caps[i] == cap)
			return true;
	return false;
}

/* Asks the kernel what we hold now: a mistake here would be silent otherwise. */
static int
verify_priv(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return -errno;
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid ||
	    getgroups(0, NULL) != 0)
		return -EPERM;
	errno = 0;
	if (capng_get_caps_process() < 0)
		return capng_error();
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		bool want = is_priv_cap(cap);

		if (capng_have_capability(CAPNG_PERMITTED, cap) != want ||
		    capng_have_capability(CAPNG_EFFECTIVE, cap) != want ||
		    capng_have_capability(CAPNG_INHERITABLE, cap) != (cap == CAP_SYS_CHROOT) ||
		    capng_have_capability(CAPNG_BOUNDING_SET, cap) ||
		    capng_have_capability(CAPNG_AMBIENT, cap))
			return -EPERM;
	}
	return 0;
}

int
sandbox_drop_root(uid_t uid, gid_t gid)
{
	int r;

	if (uid == 0 || gid == 0)
		return -EINVAL;
	/* The inheritable set may only take what the bounding set still has, so it comes first. */
	errno = 0;
	if (capng_get_caps_process() < 0)
		return capng_error();
	capng_clear(CAPNG_SELECT_AMBIENT);
	if (capng_update(CAPNG_ADD, CAPNG_INHERITABLE, CAP_SYS_CHROOT) < 0 ||
	    capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) < 0)
		return capng_error();
	r = drop_bounding_set();
	if (r < 0)
		return r;

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0)
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(uid, uid, uid) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return -errno;

	errno = 0;
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < ARRAY_LEN(priv_caps); i++)
		capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_EFFECTIVE, priv_caps[i]);
	capng_update(CAPNG_ADD, CAPNG_INHERITABLE, CAP_SYS_CHROOT);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return capng_error();
	r = lock_down();
	if (r < 0)
		return r;
	return verify_priv(uid, gid);
}

int
sandbox_child_prepare(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) < 0)
		return -errno;
	return 0;
}

int
sandbox_enter(const char *empty)
{
	int r;

	if (chroot(empty) < 0 || chdir("/") < 0)
		return -errno;
	r = drop_bounding_set();
	if (r < 0)
		return r;
	errno = 0;
	if (capng_get_caps_process() < 0)
		return capng_error();
	capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) < 0)
		return capng_error();
	r = lock_down();
	if (r < 0)
		return r;
	errno = 0;
	if (capng_get_caps_process() < 0)
		return capng_error();
	if (capng_have_capabilities(CAPNG_SELECT_ALL) != CAPNG_NONE)
		return -EPERM;
	return 0;
}
