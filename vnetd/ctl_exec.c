/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_exec.c - places descriptors for a command to be executed.
 */
#include "vnetd/ctl_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/strbuf.h"

int
exec_busy_fd(int first, size_t n)
{
	for (int fd = first; fd < first + (int)n; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			return fd;
	}
	return -1;
}

static int
tell(size_t n, int first)
{
	struct strbuf list;
	int r = 0;

	strbuf_init(&list);
	strbuf_addf(&list, "%d", first);
	if (list.bad || setenv("VNET_TAP_FD", list.s, 1) != 0)
		r = -ENOMEM;
	for (size_t i = 1; i < n; i++)
		strbuf_addf(&list, ":%d", first + (int)i);
	if (r == 0 && (list.bad || setenv("VNET_TAP_FDS", list.s, 1) != 0))
		r = -ENOMEM;
	strbuf_fini(&list);
	return r;
}

int
exec_place_fds(int *fds, size_t n, int first)
{
	int r = 0;

	/* Out of the way first: one of them may sit where another one belongs. */
	for (size_t i = 0; i < n && r == 0; i++) {
		int high = fcntl(fds[i], F_DUPFD_CLOEXEC, first + (int)n);

		if (high < 0) {
			r = -errno;
			break;
		}
		fd_close(&fds[i]);
		fds[i] = high;
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		if (dup2(fds[i], first + (int)i) < 0)
			r = -errno;
	}
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
	return r < 0 ? r : tell(n, first);
}
