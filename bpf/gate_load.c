/* SPDX-License-Identifier: GPL-2.0-or-later
 * gate_load.c - the gate's programs and maps into the kernel, see gate_load.h.
 *
 * The compiled programs are part of this file (gate.skel.h), so that they are always of the same build.
 * Every program holds every map, also those that it does not use: whichever of them is still attached
 * after a crash, it keeps the whole state and shows the way to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/gate_load.h"
#include "bpf/gate_maps.h"
#include "lib/fd.h"
#include "lib/util.h"

#include "bpf/gate.skel.h"

#define LOG_BYTES  (1u << 20) /* the verifier's account of a program that it refuses */
#define LOG_LINES  3          /* so many of its last lines are told */
#define FOUND_MAPS 16         /* maps of a running program that are looked at */

/* --- what went wrong -------------------------------------------------------------------------- */

/* The last lines in one, for a message. */
static void
tell_log(char *log, char *out, size_t cap)
{
	size_t len = strlen(log), start, lines = 0;

	while (len > 0 && log[len - 1] == '\n')
		log[--len] = '\0';
	for (start = len; start > 0; start--)
		if (log[start - 1] == '\n' && ++lines == LOG_LINES)
			break;
	for (size_t i = start; i < len; i++)
		if (log[i] == '\n')
			log[i] = ' ';
	snprintf(out, cap, "%s", log + start);
}

static int
tell(int r, char *log, char *why, size_t cap)
{
	char last[384];

	switch (-r) {
	case ENOSYS:
		snprintf(why, cap,
			 "the port gate needs eBPF, and this kernel has none: it was built without "
			 "CONFIG_BPF_SYSCALL");
		return r;
	case EPERM:
		snprintf(
		    why, cap,
		    "the kernel lets nobody load eBPF programs here, and the port gate is one: "
		    "start as root of the host, outside of a container that takes CAP_BPF or "
		    "CAP_SYS_ADMIN away, and without kernel lockdown for confidentiality");
		return r;
	default:
		break;
	}
	tell_log(log, last, sizeof(last));
	if (*last)
		snprintf(why, cap, "the kernel refuses the port gate's eBPF program (%s): %s",
			 strerror(-r), last);
	else
		snprintf(
		    why, cap,
		    "the port gate's eBPF program cannot be loaded (%s): Linux 6.1 or newer is "
		    "needed, with CONFIG_BPF_SYSCALL, CONFIG_NET_CLS_BPF and CONFIG_NET_CLS_ACT",
		    strerror(-r));
	return r;
}

/* --- the maps of an earlier instance ---------------------------------------------------------- */

struct found {
	int fd[FOUND_MAPS];
	struct bpf_map_info info[FOUND_MAPS];
	size_t n;
};

static void
found_close(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		fd_close(&f->fd[i]);
	f->n = 0;
}

/* All maps that the program holds. */
static int
found_read(struct found *f, int prog)
{
	uint32_t ids[FOUND_MAPS] = {0}, len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.map_ids = (uintptr_t)ids, .nr_map_ids = FOUND_MAPS};

	if (bpf_obj_get_info_by_fd(prog, &info, &len) < 0)
		return -errno;
	for (uint32_t i = 0; i < info.nr_map_ids && i < FOUND_MAPS; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			return fd;
		len = sizeof(f->info[0]);
		f->fd[f->n] = fd;
		if (bpf_obj_get_info_by_fd(fd, &f->info[f->n++], &len) < 0)
			return -errno;
	}
	return 0;
}

/* The one that is like ours; -1. */
static int
found_like(const struct found *f, const struct bpf_map *map)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct bpf_map_info *info = &f->info[i];

		if (!strcmp(info->name, bpf_map__name(map)) && info->type == bpf_map__type(map) &&
		    info->key_size == bpf_map__key_size(map) &&
		    info->value_size == bpf_map__value_size(map) &&
		    info->max_entries == bpf_map__max_entries(map) &&
		    info->map_flags == bpf_map__map_flags(map))
			return f->fd[i];
	}
	return -1;
}

static bool
layout_is_ours(const struct found *f, const struct bpf_map *map)
{
	uint32_t key = 0, layout = 0;
	int fd = found_like(f, map);

	return fd >= 0 && !bpf_map_lookup_elem(fd, &key, &layout) && layout == GATE_LAYOUT;
}

/* All of them or none: half of a state would be a contradiction. 0: none, 1: all, or -errno. */
static int
adopt(struct gate_bpf *gate, uint32_t running)
{
	AUTO_FD prog = bpf_prog_get_fd_by_id(running);
	struct found f = {.n = 0};
	struct bpf_map *map = NULL;
	bool ours =
	    prog >= 0 && !found_read(&f, prog) && layout_is_ours(&f, gate->maps.gate_layout);
	int r = 0;

	while (ours && (map = bpf_object__next_map(gate->obj, map)))
		ours = found_like(&f, map) >= 0;
	while (ours && r == 0 && (map = bpf_object__next_map(gate->obj, map)))
		r = bpf_map__reuse_fd(map, found_like(&f, map));
	found_close(&f);
	return r < 0 ? r : ours;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int
hold_maps(struct gate_bpf *gate)
{
	struct bpf_program *prog = NULL;
	struct bpf_map *map = NULL;

	while ((prog = bpf_object__next_program(gate->obj, prog))) {
		while ((map = bpf_object__next_map(gate->obj, map))) {
			int r = bpf_prog_bind_map(bpf_program__fd(prog), bpf_map__fd(map), NULL);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int
load(struct gate_bpf *gate, char *log)
{
	const uint32_t key = 0, layout = GATE_LAYOUT;
	struct bpf_program *prog = NULL;
	int r;

	while ((prog = bpf_object__next_program(gate->obj, prog)))
		bpf_program__set_log_buf(prog, log, LOG_BYTES);
	r = gate_bpf__load(gate);
	if (r < 0)
		return r;
	r = bpf_map_update_elem(bpf_map__fd(gate->maps.gate_layout), &key, &layout, BPF_ANY);
	return r < 0 ? r : hold_maps(gate);
}

/* Descriptors that stay when the object is closed. */
static int
hand_out(struct gate_fds *out, struct gate_bpf *gate)
{
	const struct {
		int *to, from;
	} all[] = {
	    {&out->policy, bpf_map__fd(gate->maps.gate_policy)},
	    {&out->elsewhere, bpf_map__fd(gate->maps.gate_elsewhere)},
	    {&out->state, bpf_map__fd(gate->maps.gate_state)},
	    {&out->drops, bpf_map__fd(gate->maps.gate_drops)},
	    {&out->nets, bpf_map__fd(gate->maps.gate_nets)},
	    {&out->owners, bpf_map__fd(gate->maps.gate_owners)},
	    {&out->events, bpf_map__fd(gate->maps.gate_events)},
	    {&out->dhcp, bpf_map__fd(gate->maps.gate_dhcp)},
	    {&out->in, bpf_program__fd(gate->progs.gate_in)},
	    {&out->out, bpf_program__fd(gate->progs.gate_out)},
	    {&out->host, bpf_program__fd(gate->progs.gate_host)},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		*all[i].to = fcntl(all[i].from, F_DUPFD_CLOEXEC, 3);
		if (*all[i].to < 0)
			return -errno;
	}
	return 0;
}

static int
load_quietly(struct gate_fds *out, uint32_t running, bool *adopted, char *log)
{
	struct gate_bpf *gate = gate_bpf__open();
	int r;

	if (!gate)
		return -errno;
	r = running ? adopt(gate, running) : 0;
	*adopted = r == 1;
	if (r >= 0)
		r = load(gate, log);
	if (r == 0)
		r = hand_out(out, gate);
	gate_bpf__destroy(gate);
	return r;
}

int
gate_load(struct gate_fds *out, uint32_t running, bool *adopted, char *why, size_t cap)
{
	const struct gate_fds none = GATE_FDS_NONE;
	char *log = calloc(1, LOG_BYTES);
	libbpf_print_fn_t print;
	int r;

	*out = none;
	*adopted = false;
	if (!log) {
		snprintf(why, cap, "no memory is left to load the port gate");
		return -ENOMEM;
	}
	print = libbpf_set_print(NULL);
	r = load_quietly(out, running, adopted, log);
	libbpf_set_print(print);
	if (r < 0) {
		gate_fds_close(out);
		*adopted = false;
		tell(r, log, why, cap);
	}
	free(log);
	return r;
}

void
gate_fds_close(struct gate_fds *f)
{
	int *all[] = {&f->policy, &f->elsewhere, &f->state, &f->drops, &f->nets, &f->owners,
		      &f->events, &f->dhcp,      &f->in,    &f->out,   &f->host};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		fd_close(all[i]);
}

bool
gate_is(int prog)
{
	struct found f = {.n = 0};
	bool is = false;

	if (found_read(&f, prog) == 0)
		for (size_t i = 0; i < f.n; i++)
			is |= !strcmp(f.info[i].name, "gate_layout");
	found_close(&f);
	return is;
}
