/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_watch_start.c - starts `vnetctl watch` in the background, for a process that becomes QEMU by exec.
 *
 * The watcher is nobody's child, in a session of its own: it neither delays the start, nor is it seen by
 * QEMU's waitpid(), nor does it die with a terminal. It ends with the monitor's socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vnetd/ctl.h"

/* In the background: everything that this process has open stays with the one that started it. */
__attribute__((noreturn)) static void
become(const struct ctl *c, const char *qmp, const char *port, const char *nic, const char *pid)
{
	const char *const argv[] = {"vnetctl", "--run-dir", c->run_dir, "watch",
				    "--quiet", "--qmp",     qmp,        "--port",
				    port,      "--pid",     pid,        nic ? "--nic" : NULL,
				    nic,       NULL};
	int null = open("/dev/null", O_RDWR);

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0) {
		fd_close_from(STDERR_FILENO + 1);
		execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	}
	ctl_complain("cannot watch what the guest's network card lets in: %m. By hand: vnetctl "
		     "promisc request %s",
		     port);
	_exit(CTL_FAILED);
}

int
ctl_watch_start(const struct ctl *c, const char *qmp, const char *port, const char *nic)
{
	char pid[16];
	int status;
	pid_t child;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		setsid();
		child = fork();
		if (child == 0)
			become(c, qmp, port, nic, pid);
		_exit(child < 0);
	}
	while (waitpid(child, &status, 0) < 0) {
		/* Whoever ignores SIGCHLD has no children to wait for. */
		if (errno == ECHILD)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
	return status == 0 ? 0 : -EAGAIN;
}
