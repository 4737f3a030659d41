/* SPDX-License-Identifier: GPL-2.0-or-later
 * crash_sim.c - guests at random, with kill -9, power cuts that leave any disk that they can, failing disks, clocks
 * that are set, sleep and new configurations. No two live leases ever share an address, and none that was
 * acknowledged is lost.
 *
 *     crash-sim [SEEDS [FIRST]]
 */
#include "../../unit/lib/t.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "guests.h"
#include "lib/log.h"

enum { STEPS = 4000, GUESTS = 40, RANGE = 30, HOUR_MS = 3600 * 1000 };

static uint64_t seeds = 8, first_seed = 1;

struct life {
	uint64_t number, seed;
	struct disk *disk;
	struct machine m;
	struct guests g;
	unsigned cut_at;   /* the power fails after this operation of the disk */
	struct disk *left; /* what it had in its caches then */
	unsigned cuts, kills, full, sets;
	uint64_t leases;
};

static uint32_t
rnd(struct life *f, uint32_t n)
{
	return disk_random(&f->seed, n);
}

/* The power fails, and from here on nothing of what the machine does has happened. */
static void
after_op(void *arg)
{
	struct life *f = arg;

	if (f->left || f->disk->ops < f->cut_at)
		return;
	guests_settle(&f->g);
	f->left = disk_clone(f->disk);
	f->g.deaf = true;
}

static void
plug_in(struct life *f, struct disk *d)
{
	disk_free(f->disk);
	f->disk = d;
	d->after_op = after_op;
	d->arg = f;
	f->cut_at = UINT32_MAX;
}

static void
check(struct life *f, const char *after)
{
	const char *why = guests_check(&f->g, &f->m, &f->leases);

	if (why)
		fail_msg("seed %" PRIu64 ", after %s: %s", f->number, after, why);
}

static bool
is_failing(const struct life *f)
{
	return f->disk->ops - f->disk->fault.from < f->disk->fault.n ||
	       f->disk->ops < f->disk->fault.from;
}

/* --- what happens --- */

static void
someone(struct life *f)
{
	unsigned i = rnd(f, GUESTS), what = rnd(f, 100);

	if (what < 30)
		guest_discover(&f->g, i);
	else if (what < 55)
		guest_select(&f->g, i);
	else if (what < 75)
		guest_renew(&f->g, i);
	else if (what < 92)
		guest_reboot(&f->g, i);
	else if (what < 98)
		guest_release(&f->g, i);
	else
		guest_decline(&f->g, i);
}

static void
traffic(struct life *f)
{
	for (unsigned n = 1 + rnd(f, rnd(f, 20) ? 6 : 100); n > 0; n--)
		someone(f);
	machine_turn(&f->m);
}

static void
pass_time(struct life *f)
{
	unsigned how = rnd(f, 100);

	if (how < 40)
		machine_pass(&f->m, rnd(f, 200));
	else if (how < 90)
		machine_pass(&f->m, rnd(f, 3000));
	else if (how < 97)
		machine_pass(&f->m, rnd(f, 300 * 1000));
	else
		machine_sleep(&f->m, rnd(f, 2 * HOUR_MS));
}

static void
kill_it(struct life *f)
{
	f->kills++;
	machine_stop(&f->m);
	machine_start(&f->m);
	if (f->m.ok && !is_failing(f))
		check(f, "kill -9");
}

/* During traffic, or while the file is written anew behind it. */
static void
cut_power(struct life *f)
{
	f->cut_at = f->disk->ops + 1 + rnd(f, 6);
	for (unsigned i = 0; i < 5 && !f->left; i++) {
		traffic(f);
		machine_pass(&f->m, rnd(f, 3000));
	}
	f->cut_at = UINT32_MAX;
	if (!f->left)
		return;
	machine_stop(&f->m);
	plug_in(f, disk_cut(f->left, &f->seed));
	disk_free(f->left);
	f->left = NULL;
	f->g.deaf = false;
	machine_boot(&f->m, f->disk, 1000 + rnd(f, rnd(f, 10) ? 10000 : HOUR_MS));
	f->cuts++;
	check(f, "a power cut");
}

static void
spoil_disk(struct life *f)
{
	static const int errs[] = {EIO, ENOSPC, EROFS};

	if (is_failing(f))
		return;
	f->full++;
	f->disk->fault = (struct disk_fault){.from = f->disk->ops + rnd(f, 4),
					     .n = 1 + rnd(f, 8),
					     .err = errs[rnd(f, ARRAY_LEN(errs))],
					     .shorten = rnd(f, 2)};
}

/* By hours, by seconds, or by less than anybody notices. */
static void
set_clock(struct life *f)
{
	static const uint32_t spans[] = {10 * HOUR_MS, 10000, 3000, 60};
	uint32_t span = spans[rnd(f, ARRAY_LEN(spans))];
	int64_t by = (int64_t)rnd(f, span) - span / 2;
	unsigned renewed = f->disk->renewed;
	bool works = f->m.ok && !is_failing(f);

	f->sets++;
	/* Messages may be waiting. */
	for (unsigned n = rnd(f, 4); n > 0; n--)
		someone(f);
	guests_set_clock(&f->g, by);
	/* A file that cannot be written, or was not even read so far, tells times by the clock before: a process that
	 * reads it now cannot know better. */
	for (unsigned i = 0; i < GUESTS && !works && by > 0; i++)
		f->g.v[i].holds = false;
	/* The file has the new times at once. */
	if (works && (by > 1000 || by < -1000))
		assert_int_not_equal(f->disk->renewed, renewed);
	machine_turn(&f->m);
}

static void
reload(struct life *f)
{
	/* A range without an address that somebody holds lets it run out; it is not given to others. */
	f->g.reserve = rnd(f, 2);
	f->g.range = rnd(f, 2) ? RANGE : RANGE - 8;
	machine_reload(&f->m);
}

static void
something(struct life *f)
{
	switch (rnd(f, 6)) {
	case 0:
		kill_it(f);
		break;
	case 1:
	case 2:
		cut_power(f);
		break;
	case 3:
		spoil_disk(f);
		break;
	case 4:
		set_clock(f);
		break;
	default:
		reload(f);
		break;
	}
}

/* --- a life --- */

static void
live(uint64_t number)
{
	struct life f = {.number = number, .seed = number * 0x9e3779b97f4a7c15u | 1};

	plug_in(&f, disk_new());
	f.m = (struct machine){.disk = f.disk,
			       .true_ms = 1000000,
			       .boot_ms = 50000,
			       .wall_ms = INT64_C(1700000000000) + rnd(&f, 1000)};
	guests_init(&f.g, &f.m, GUESTS, RANGE);
	machine_start(&f.m);
	for (unsigned i = 0; i < STEPS; i++) {
		traffic(&f);
		pass_time(&f);
		if (rnd(&f, 10) == 0)
			something(&f);
	}
	print_message(
	    "# seed %" PRIu64 ": %u ACKs, %u NAKs, %u power cuts, %u kills, %u failing disks, "
	    "%u set clocks, %u writes into room, %" PRIu64 " leases looked for\n",
	    number, f.g.acks, f.g.naks, f.cuts, f.kills, f.full, f.sets, f.disk->over, f.leases);
	assert_true(f.g.acks > STEPS / 2 && f.cuts > 30 && f.kills > 20 && f.leases > 500);
	assert_true(f.disk->over > 500);
	machine_stop(&f.m);
	disk_free(f.disk);
}

static void
no_address_is_shared_and_no_lease_is_lost(void **state UNUSED)
{
	for (uint64_t i = 0; i < seeds; i++)
		live(first_seed + i);
}

static void
say_nothing(enum log_level level UNUSED, const char *line UNUSED, void *arg UNUSED)
{
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_address_is_shared_and_no_lease_is_lost),
	};

	if (argc > 1)
		seeds = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	log_divert(say_nothing, NULL);
	return T_RUN(tests);
}
