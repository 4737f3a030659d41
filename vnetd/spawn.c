/* SPDX-License-Identifier: GPL-2.0-or-later
 * spawn.c - fork and exec. Everything behind the fork is async-signal-safe but for a last message.
 */
#include "vnetd/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/sandbox.h"

#define FD_AWAY 16 /* out of the way of the numbers that are to be */

/* Only descriptors 0-2 and those given are left. */
static int
arrange_fds(const int *fds, size_t n)
{
	int high[SPAWN_FDS_MAX];

	/* Out of the way first: the sources may be 3 and 4 themselves, crosswise. */
	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i], F_DUPFD, FD_AWAY);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(high[i], SPAWN_FD_FIRST + (int)i) < 0)
			return -errno;
	fd_close_from(SPAWN_FD_FIRST + (int)n);
	return 0;
}

static void
default_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void
run_child(const char *path, const char *const *argv, const int *fds, size_t n)
{
	int r;

	/* A ^C on our terminal is for priv alone, which ends the others in order. */
	setpgid(0, 0);
	r = sandbox_child_prepare();
	if (r == 0)
		r = arrange_fds(fds, n);
	if (r == 0) {
		default_signals();
		execv(path, (char *const *)argv);
		r = -errno;
	}
	log_error(-r, "cannot start %s", path);
	_exit(127);
}

/* Forks with all signals blocked, so that the loop's handlers do not run in the child. */
pid_t
spawn_child(const char *path, const char *const *argv, const int *fds, size_t nfds)
{
	sigset_t all, old;
	pid_t pid;
	int err;

	if (nfds > SPAWN_FDS_MAX)
		return -EINVAL;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	err = errno;
	if (pid == 0)
		run_child(path, argv, fds, nfds);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid < 0 ? -err : pid;
}
