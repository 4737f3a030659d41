/* SPDX-License-Identifier: GPL-2.0-or-later
 * dhcp_faults.c - preloaded into vnetd: its vnet-dhcpd has a slow disk and clocks that can be set, as the file
 * that VNET_DHCP_FAULTS names says from moment to moment.
 *
 * The file holds struct faults. It is mapped before the sandbox is entered, which forbids to open it later.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct faults {
	int64_t sync_ms;         /* fdatasync() takes so much longer */
	int64_t wall_s;          /* CLOCK_REALTIME is so many seconds later */
	volatile uint64_t syncs; /* fdatasync() calls so far */
};

static struct faults *faults;

int fdatasync(int fd);
int clock_gettime(clockid_t id, struct timespec *ts);

__attribute__((constructor)) static void
map_faults(void)
{
	const char *path = getenv("VNET_DHCP_FAULTS");
	void *at;
	int fd;

	if (!path || strcmp(program_invocation_short_name, "vnet-dhcpd") != 0)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	at = fd < 0 ? MAP_FAILED
		    : mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		abort();
	close(fd);
	faults = at;
}

int
fdatasync(int fd)
{
	int (*next)(int);

	*(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
	if (faults) {
		struct timespec t = {faults->sync_ms / 1000, faults->sync_ms % 1000 * 1000000};

		faults->syncs++;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
	}
	return next(fd);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int (*next)(clockid_t, struct timespec *);
	int r;

	*(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
	r = next(id, ts);
	if (r == 0 && faults && id == CLOCK_REALTIME)
		ts->tv_sec += faults->wall_s;
	return r;
}
