/* SPDX-License-Identifier: GPL-2.0-or-later
 * disk.h - a file system with one folder, in memory, that knows what a power cut could leave of it.
 *
 * disk.c stands behind the system calls of the code under test (-Wl,--wrap, see meson.build): it shows
 * what a kernel shows, and remembers which bytes and which names the medium has for sure. disk_cut.c
 * makes the disks that a cut can leave:
 *   - of bytes that were written and not synced since, each write is there or not whatever became of the
 *     others, or torn at any byte or sector, with the file longer or not, and where bytes are missing those
 *     that the medium had there, or zeros;
 *   - of a file that was cut off and not synced since, the end is gone or not, or begins with zeros, as far as
 *     the page reaches in which it was cut;
 *   - of names, each is what it was after any of the operations since the folder was synced;
 *   - what a failed sync was about may be there or not for ever, also when a later sync succeeds.
 * A sector (512 bytes) is written whole or not, and a file that is cut short reads as zeros behind its end.
 */
#ifndef VNET_TESTS_SIM_DHCPD_DISK_H
#define VNET_TESTS_SIM_DHCPD_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DISK_FD = 1 << 20, /* descriptors from here on are ours */
	DISK_FDS = 16,
	DISK_FOLDER = DISK_FD + DISK_FDS,
	DISK_NAMES = 3,
	DISK_BINDINGS = 16,
	DISK_SECTOR = 512,
	DISK_PAGE = 4096,
	DISK_NONE = -1, /* no file where a file's number is expected */
};

/* A change of a file's bytes that the medium may lack. */
struct disk_change {
	bool cut;      /* to `at` bytes; else a write at `at` */
	bool sure;     /* synced; waits for an earlier one that is not */
	bool doubtful; /* a sync of it failed */
	size_t at, len;
	char *bytes;
};

struct disk_file {
	char *now, *base; /* as the kernel shows it; as the medium has it for sure */
	size_t now_len, base_len;
	struct disk_change *v;
	size_t n;
};

/* What a name may lead to after a cut; the last one is what it leads to now. */
struct disk_name {
	const char *text;
	int could[DISK_BINDINGS];
	unsigned n;
};

/* Operations [from, from + n) fail with err; the first of them, if it is a write, is short instead. */
struct disk_fault {
	unsigned from, n;
	int err;
	bool shorten;
};

struct disk {
	struct disk_file *file;
	int nfiles;
	struct disk_name name[DISK_NAMES]; /* the lease file, its successor, its backup */
	int fd[DISK_FDS];                  /* file numbers */
	unsigned ops;                      /* operations so far */
	unsigned renewed;                  /* how often a renamed file was made durable */
	unsigned over;                     /* writes inside a file, over what the medium has */
	bool gone;    /* the process is: what it still does does not reach the disk */
	bool renamed; /* since the folder was synced */
	struct disk_fault fault;
	unsigned faults;        /* that have struck */
	bool no_data, no_names; /* a disk that lies: syncs of files, of the folder, do nothing */
	void (*after_op)(void *arg);
	void *arg;
};

struct disk *disk_new(void);
/* A copy, with no file open. */
struct disk *disk_clone(const struct disk *d);
void disk_free(struct disk *d);

/* System calls are about this disk from now on. */
void disk_use(struct disk *d);

/* The lease file as it reads now, NUL-terminated, or NULL; valid until the next operation. */
const char *disk_leases(const struct disk *d);

/* An administrator puts another lease file in place, with care: it is durable. */
void disk_put_leases(struct disk *d, const char *text);

/* A disk that a cut now may leave; random. */
struct disk *disk_cut(const struct disk *d, uint64_t *seed);

/* Calls each(arg, after) for the disks that a cut now may leave: all, or `budget` for each file that the name
 * of the lease file may lead to, where there are more; the simple ones (all, nothing, zeros) first, the
 * others at random. Takes the disk back afterwards. Their number. */
unsigned disk_each_cut(const struct disk *d, unsigned budget, uint64_t seed,
		       void (*each)(void *arg, struct disk *after), void *arg);

/* The same for each set of sectors of the last write into the lease file, which alone is not synced. */
unsigned disk_each_lost(const struct disk *d, void (*each)(void *arg, struct disk *after),
			void *arg);

/* A random number below n; the seed is never 0. */
uint32_t disk_random(uint64_t *seed, uint32_t n);

/* close() of one of our descriptors, by machine.c's. */
void disk_close(int fd);

#endif
