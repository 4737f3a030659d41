/* SPDX-License-Identifier: GPL-2.0-or-later
 * leftover.c - ends processes that have outlived their vnetd. Looks through /proc; runs as root, in a teardown and at
 * the start.
 */
#include "vnetd/leftover.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"

enum { STOP_MS = 1000 };

struct program {
	const char *name;
	const char *told; /* what is said when one is found */
};

static bool
is_named(const char *pid, const struct program *program)
{
	char path[288], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return !strcmp(name, program->name);
}

/* It is in our network namespace. */
static bool
is_beside_us(const char *pid)
{
	struct stat theirs, ours;
	char path[288]; /* a name in a folder has 255 bytes at most */

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	return stat(path, &theirs) == 0 && stat("/proc/self/ns/net", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* The descriptor is opened first, so that nobody who gets the number afterwards is meant. */
static void
end(const char *pid, const struct program *program)
{
	AUTO_FD fd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd < 0 || !is_named(pid, program) || !is_beside_us(pid))
		return;
	log_info("%s (process %s) %s", program->name, pid, program->told);
	syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	if (poll(&p, 1, STOP_MS) == 0)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}

static void
end_all(const struct program *program)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_named(e->d_name, program))
			end(e->d_name, program);
	if (d)
		closedir(d);
}

void
leftover_end_captures(void)
{
	end_all(&(const struct program){"vnet-capture", "still captures: ending it"});
}

void
leftover_end(void)
{
	end_all(&(const struct program){"vnet-redird", "still has connections: ending them"});
	leftover_end_captures();
}
