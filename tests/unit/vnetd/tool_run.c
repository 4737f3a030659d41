/* SPDX-License-Identifier: GPL-2.0-or-later
 * tool_run.c - fork, exec, read both outputs.
 */
#include "tool_run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/fd.h"

#define TIMEOUT_MS 30000

__attribute__((noreturn)) static void
child(const char *const *argv, const struct tool_how *how, int out, int err)
{
	const char *dir = getenv("TOOLS_DIR");
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", argv[0]);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	if (how->no_color)
		setenv("NO_COLOR", how->no_color, 1);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	/* Whatever this test has inherited itself is not the tool's. */
	close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	if (how->inherit)
		fcntl(how->inherit, F_SETFD, 0);
	if (how->nobody && geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		_exit(125);
	execv(path, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "cannot run %s: %s\n", path, strerror(errno));
	_exit(126);
}

/* Takes what is there; false at the end. A terminal whose other side has gone reports EIO. */
static bool
take(int fd, char *buf, size_t cap, size_t *len)
{
	ssize_t n = read(fd, buf + *len, cap - 1 - *len);

	if (n > 0)
		*len += (size_t)n;
	buf[*len] = '\0';
	return n > 0;
}

void
tool_run(struct tool *t, const char *const *argv, const struct tool_how *how)
{
	int out[2], err[2], status;
	size_t nout = 0, nerr = 0;
	struct pollfd p[2];
	pid_t pid;

	t->out[0] = t->err[0] = '\0';
	if (how->terminal) {
		out[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		assert_true(out[0] >= 0 && grantpt(out[0]) == 0 && unlockpt(out[0]) == 0);
		out[1] = open(ptsname(out[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
		assert_true(out[1] >= 0);
	} else {
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	}
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(argv, how, out[1], err[1]);
	assert_true(pid > 0);
	close(out[1]);
	close(err[1]);
	p[0] = (struct pollfd){.fd = out[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = err[0], .events = POLLIN};
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, TIMEOUT_MS) <= 0) {
			kill(pid, SIGKILL);
			fail_msg("%s does not end", argv[0]);
		}
		if (p[0].revents && !take(p[0].fd, t->out, sizeof(t->out), &nout))
			fd_close(&p[0].fd);
		if (p[1].revents && !take(p[1].fd, t->err, sizeof(t->err), &nerr))
			fd_close(&p[1].fd);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	t->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
