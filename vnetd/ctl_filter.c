/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_filter.c - see ctl_filter.h.
 */
#include "vnetd/ctl_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/code.h"
#include "lib/fd.h"
#include "paths.h"

#define COMPILER VNET_LIBEXECDIR "/vnet-capture"

enum { ANSWER_MAX = 1 + FILTER_MAX * CODE_BYTES };

__attribute__((noreturn)) static void
become_compiler(const char *expr, int out)
{
	if (dup2(out, STDOUT_FILENO) >= 0)
		execl(COMPILER, "vnet-capture", "--compile", expr, NULL);
	_exit(127);
}

/* Until its end, or as much as there is room for. */
static size_t
read_answer(int fd, uint8_t *buf, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	while (len < cap && (n = read(fd, buf + len, cap - len)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	return len;
}

/* What it wrote; 0 bytes: it could not be started, or died. */
static size_t
ask_compiler(const char *expr, uint8_t *buf, size_t cap)
{
	int pair[2];
	size_t len;
	pid_t child;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return 0;
	child = fork();
	if (child == 0)
		become_compiler(expr, pair[1]);
	fd_close(&pair[1]);
	len = read_answer(pair[0], buf, cap);
	fd_close(&pair[0]);
	/* What it wrote says all. Whoever ignores SIGCHLD has no children to wait for. */
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return len;
}

enum ctl_exit
ctl_filter(struct filter *out, const char *expr, char why[FILTER_WHY_MAX])
{
	static uint8_t buf[ANSWER_MAX + 1];
	size_t len;

	out->n = 0;
	why[0] = '\0';
	if (!expr || expr[strspn(expr, " \t\r\n")] == '\0')
		return CTL_OK;
	if (strlen(expr) > FILTER_EXPR_MAX) {
		snprintf(why, FILTER_WHY_MAX, "the filter is too long");
		return CTL_USAGE;
	}
	len = ask_compiler(expr, buf, sizeof(buf));
	if (len && buf[0] == CODE_WHY) {
		snprintf(why, FILTER_WHY_MAX, "%.*s", (int)(len - 1), (const char *)buf + 1);
		return CTL_USAGE;
	}
	if (len > 1 && buf[0] == CODE_FOLLOWS && code_take(out, buf + 1, len - 1))
		return CTL_OK;
	out->n = 0;
	snprintf(why, FILTER_WHY_MAX, "%s, which compiles filters, cannot be run", COMPILER);
	return CTL_FAILED;
}
