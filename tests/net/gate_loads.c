/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_loads.c - part of gate-prog: loading, adoption of an earlier instance's maps, and what is said where
 * the kernel does not load the programs.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/util.h"
#include "tests/net/gate_prog.h"

#define NOBODYS_UID 65534

/* The verifier gives up at a million. Kernels differ by a factor, so there has to be room. */
#define VERIFIED_MAX 100000

static uint32_t
program_id(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ? 0 : info.id;
}

/* The map with the number of the layout, which nobody else needs. */
static int
layout_map(const struct gate_fds *g)
{
	uint32_t ids[16], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.map_ids = (uintptr_t)ids, .nr_map_ids = ARRAY_LEN(ids)};

	if (bpf_obj_get_info_by_fd(g->in, &info, &len) < 0)
		return -1;
	for (uint32_t i = 0; i < info.nr_map_ids && i < ARRAY_LEN(ids); i++) {
		struct bpf_map_info map = {0};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		len = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &len) &&
		    !strcmp(map.name, "gate_layout"))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* Maps of the same sizes whose fields mean something else, as a later version may have them. */
static void
layout_case(const struct gate_fds *g)
{
	const uint32_t key = 0, other = GATE_LAYOUT + 1, ours = GATE_LAYOUT;
	struct gate_fds again = GATE_FDS_NONE;
	int fd = layout_map(g);
	bool adopted = true, ok;
	char why[512];

	ok = fd >= 0 && !bpf_map_update_elem(fd, &key, &other, BPF_ANY) &&
	     !gate_load(&again, program_id(g->in), &adopted, why, sizeof(why)) && !adopted;
	result(ok, "adopt-not-another-layout", "%s", fd < 0 ? "the map is not there" : "adopted");
	gate_fds_close(&again);
	if (fd >= 0) {
		bpf_map_update_elem(fd, &key, &ours, BPF_ANY);
		close(fd);
	}
}

static void
adopt_cases(const struct gate_fds *g)
{
	const int by[] = {g->in, g->out, g->host};
	struct gate_fds again = GATE_FDS_NONE;
	struct gate_policy p = sticky();
	bool adopted, all = true;
	char why[512];

	fresh(g, p);
	expect("adopt-before", send_from(g, ALL, OWN), PASSES);
	for (size_t i = 0; i < ARRAY_LEN(by); i++) {
		all = all && !gate_load(&again, program_id(by[i]), &adopted, why, sizeof(why)) &&
		      adopted && get_state(&again, RUN_SLOT).mac == OWN;
		all = all && send_from(&again, ALL, OTHER) == DROP_FORGED;
		gate_fds_close(&again);
	}
	result(all, "adopt-by-each-program", "state was not found again");
	all = !gate_load(&again, 0, &adopted, why, sizeof(why)) && !adopted &&
	      !get_state(&again, RUN_SLOT).mac;
	result(all, "adopt-without-an-earlier-one", "its maps are not new");
	gate_fds_close(&again);
	all = !gate_load(&again, 0x7fffffff, &adopted, why, sizeof(why)) && !adopted;
	result(all, "adopt-nobody", "a program that is not there stopped the load");
	gate_fds_close(&again);
}

/* --- what it leaves, and what it costs ---------------------------------------------------------- */

static unsigned
open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void
descriptor_cases(const struct gate_fds *g)
{
	struct gate_fds again = GATE_FDS_NONE;
	unsigned before = open_descriptors(), during;
	bool adopted, ok;
	char why[512];

	ok = !gate_load(&again, program_id(g->in), &adopted, why, sizeof(why));
	during = open_descriptors();
	gate_fds_close(&again);
	result(ok && during == before + 11 && open_descriptors() == before,
	       "load-leaves-its-eleven-descriptors", "%u before, %u meanwhile, %u after", before,
	       during, open_descriptors());
}

static void
verifier_cases(const struct gate_fds *g)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	bool ok = bpf_obj_get_info_by_fd(g->in, &info, &len) == 0;

	result(ok && info.verified_insns > 0 && info.verified_insns < VERIFIED_MAX,
	       "load-far-from-the-limit-of-the-verifier", "%u instructions", info.verified_insns);
}

/* --- refusals --------------------------------------------------------------------------------- */

/* A kernel without CONFIG_BPF_SYSCALL, or one of which the call fails in another way. */
static int
without_bpf(unsigned error)
{
	struct sock_filter f[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {.len = ARRAY_LEN(f), .filter = f};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
		   ? -1
		   : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0);
}

static int
without_rights(unsigned error UNUSED)
{
	return setresuid(NOBODYS_UID, NOBODYS_UID, NOBODYS_UID);
}

/* The sentence of a process in such circumstances names the cause, and it has no descriptor then. */
static void
refused(const char *name, int (*circumstances)(unsigned error), unsigned error, int want,
	const char *word)
{
	struct gate_fds f;
	bool adopted;
	char why[512] = "";
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (circumstances(error) < 0)
			_exit(2);
		if (gate_load(&f, 0, &adopted, why, sizeof(why)) != want || !strstr(why, word) ||
		    adopted || f.policy != -1 || f.in != -1 || f.host != -1) {
			printf("it says: %s\n", why);
			fflush(stdout);
			_exit(1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	result(status == 0, name, "status %#x (0x100: see above)", (unsigned)status);
}

void
load_cases(const struct gate_fds *g)
{
	adopt_cases(g);
	layout_case(g);
	descriptor_cases(g);
	verifier_cases(g);
	refused("load-without-bpf", without_bpf, ENOSYS, -ENOSYS, "CONFIG_BPF_SYSCALL");
	refused("load-without-rights", without_rights, 0, -EPERM, "CAP_BPF");
	refused("load-of-no-memory", without_bpf, ENOMEM, -ENOMEM, "cannot be loaded");
}
