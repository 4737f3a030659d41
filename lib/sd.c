/* SPDX-License-Identifier: GPL-2.0-or-later
 * sd.c - sd_notify(3) and sd_listen_fds(3) as their manual pages describe the protocols.
 *
 * The environment is trusted (it comes from the service manager), but read once and removed, so that
 * no child believes it was meant.
 */
#include "sd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"

enum {
	LISTEN_FDS_START = 3,
	/* A manager that does not read must not hold us for ever. */
	NOTIFY_TIMEOUT_S = 5,
	/* More descriptors than a manager ever stores. */
	FDS_MAX = 1 << 20,
};

/* Fills in the address of a path or, with '@' first, of an abstract name. */
static bool
notify_address(struct sockaddr_un *sun, socklen_t *len, const char *name)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(sun->sun_path))
		return false;
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(sun->sun_path, name, n);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (name[0] == '@')
		sun->sun_path[0] = '\0'; /* an abstract name is as long as it is, without a NUL */
	else
		*len += 1;
	return true;
}

int
sd_notify_open(void)
{
	const struct timeval timeout = {.tv_sec = NOTIFY_TIMEOUT_S};
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun;
	socklen_t len;
	bool ok;
	AUTO_FD fd = -1;

	if (!name)
		return -1;
	ok = notify_address(&sun, &len, name);
	unsetenv("NOTIFY_SOCKET");
	if (!ok)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(fd, (const struct sockaddr *)&sun, len) < 0)
		return -1;
	return fd_take(&fd);
}

int
sd_notify_send(int fd, const char *state)
{
	ssize_t n;

	if (fd < 0)
		return 0;
	do {
		n = send(fd, state, strlen(state), MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int
sd_store(int notify, int fd, const char *name)
{
	char state[SD_NAME_MAX + 32];
	int n = snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);

	if (notify < 0)
		return 0;
	return fd_sendmsg(notify, state, (size_t)n, &fd, 1);
}

int
sd_unstore(int notify, const char *name)
{
	char state[SD_NAME_MAX + 32];

	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return sd_notify_send(notify, state);
}

static bool
int_option_is(int fd, int option, int want)
{
	int v;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, option, &v, &len) == 0 && v == want;
}

static bool
is_listening_at(int fd, const char *path)
{
	struct sockaddr_un sun = {0};
	socklen_t len = sizeof(sun) - 1; /* keeps a NUL behind the longest path */

	if (!int_option_is(fd, SO_DOMAIN, AF_UNIX) || !int_option_is(fd, SO_TYPE, SOCK_SEQPACKET) ||
	    !int_option_is(fd, SO_ACCEPTCONN, 1))
		return false;
	if (getsockname(fd, (struct sockaddr *)&sun, &len) < 0)
		return false;
	return path[0] != '\0' && strcmp(sun.sun_path, path) == 0;
}

/* A positive decimal number from the environment, or -1. */
static long
env_number(const char *name)
{
	const char *s = getenv(name);
	char *end;
	long v;

	if (!s || *s < '0' || *s > '9')
		return -1;
	errno = 0;
	v = strtol(s, &end, 10);
	return errno || *end ? -1 : v;
}

size_t
sd_take_stored(const char *prefix, struct sd_stored *out, size_t max)
{
	const char *name = getenv("LISTEN_FDNAMES");
	long count = env_number("LISTEN_FDS");
	size_t n = 0;

	if (!name || env_number("LISTEN_PID") != getpid() || count < 0 || count > FDS_MAX)
		return 0;
	for (long i = 0; i < count && n < max; i++) {
		size_t len = strcspn(name, ":");

		if (len < SD_NAME_MAX && !strncmp(name, prefix, strlen(prefix))) {
			out[n].fd = fcntl(LISTEN_FDS_START + (int)i, F_DUPFD_CLOEXEC,
					  LISTEN_FDS_START + 2 * (int)count + 8);
			memcpy(out[n].name, name, len);
			out[n].name[len] = '\0';
			n += out[n].fd >= 0;
		}
		name += len + (name[len] == ':');
	}
	return n;
}

int
sd_listen_seqpacket(const char *path)
{
	long pid = env_number("LISTEN_PID");
	long count = env_number("LISTEN_FDS");
	AUTO_FD found = -1;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != getpid() || count < 0 || count > INT_MAX - LISTEN_FDS_START)
		return -1;
	for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + (int)count; fd++) {
		int flags = fcntl(fd, F_GETFL);

		/* The manager passes them in one row: the first gap is the end of a false count. */
		if (flags < 0)
			break;
		if (found < 0 && is_listening_at(fd, path) && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
		    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
			found = fd;
		else
			close(fd);
	}
	return fd_take(&found);
}
