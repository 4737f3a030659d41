/* SPDX-License-Identifier: GPL-2.0-or-later
 * powercut_sim.c - a day of DHCP whose power fails after every operation on the disk and after every ACK, and
 * whose disk fails at every operation.
 *
 *     powercut-sim [STATES]
 *
 * STATES (default 600): disks that are tried for a moment with more possible ones than that; a write of one lease
 * is torn at each of its bytes with the default. See disk.h for what a cut can leave, guests.h for what must hold.
 */
#include "../../unit/lib/t.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "guests.h"
#include "lib/log.h"

enum { OUTAGE_MS = 5000, GUESTS = 12, RANGE = 40 };

static unsigned states_max = 600;

/* --- moments at which the power could fail --- */

struct moment {
	struct disk *disk;
	struct machine m;
	struct guests g;
};

struct recording {
	struct moment *v;
	size_t n, cap;
	unsigned from; /* only moments after so many operations */
};

struct day {
	struct disk *disk;
	struct machine m;
	struct guests g;
	struct recording rec;
};

static void
record(void *arg)
{
	struct day *d = arg;
	struct recording *r = &d->rec;
	struct moment *mo;

	if (d->disk->ops <= r->from)
		return;
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->v = realloc(r->v, r->cap * sizeof(*r->v));
		assert_non_null(r->v);
	}
	guests_settle(&d->g);
	mo = &r->v[r->n++];
	*mo = (struct moment){disk_clone(d->disk), d->m, d->g};
}

struct tally {
	const struct moment *mo;
	struct disk_fault fault;
	uint64_t moments, states, leases, wrong;
	uint64_t rooms, gaps; /* of the lease files: with room at their end, with lost sectors */
	bool expect_wrong;
};

/* As many newlines as no reader of ours takes for white space, and behind them: NULL, or what follows. */
static const char *
gap_in(const char *text)
{
	static const char gap[] =
	    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
	    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
	const char *at = strstr(text, gap);

	return at ? at + strspn(at, "\n") : NULL;
}

static void
look(struct tally *t, const char *text)
{
	const char *behind = gap_in(text);

	t->rooms += behind && *behind == '\0';
	t->gaps += behind && *behind && *behind != 'l';
}

/* The machine comes back with one of the disks. */
static void
come_back(void *arg, struct disk *after)
{
	struct tally *t = arg;
	struct machine m = t->mo->m;
	struct guests g = t->mo->g;
	char *text = strdup(disk_leases(after) ? disk_leases(after) : "");
	const char *why;

	assert_non_null(text);
	look(t, text);
	g.m = &m;
	m.arg = &g;
	machine_boot(&m, after, OUTAGE_MS);
	why = guests_check(&g, &m, &t->leases);
	if (!why && !m.ok)
		why = "DHCP does not work";
	if (why && !t->expect_wrong) {
		fprintf(stderr, "--- what the cut left of the lease file\n%s---\n", text);
		fail_msg("power cut after operation %u (%u from %u on failed with %s): %s",
			 t->mo->disk->ops, t->fault.n, t->fault.from, strerror(t->fault.err), why);
	}
	free(text);
	t->wrong += why != NULL;
	t->states++;
	machine_stop(&m);
}

static void
cut_power(struct tally *t, struct recording *r, size_t most, unsigned states)
{
	for (size_t i = 0; i < r->n && i < most; i++) {
		t->mo = &r->v[i];
		t->moments++;
		disk_each_cut(t->mo->disk, states, 1 + i, come_back, t);
	}
}

/* --- the day --- */

static void
day_begin(struct day *d)
{
	memset(d, 0, sizeof(*d));
	d->disk = disk_new();
	d->disk->after_op = record;
	d->disk->arg = d;
	d->m = (struct machine){.disk = d->disk,
				.true_ms = 1000000,
				.boot_ms = 50000,
				.wall_ms = INT64_C(1700000000123)};
	guests_init(&d->g, &d->m, GUESTS, RANGE);
	d->g.acked = record;
	d->g.arg = d;
}

static void
day_end(struct day *d)
{
	for (size_t i = 0; i < d->rec.n; i++)
		disk_free(d->rec.v[i].disk);
	free(d->rec.v);
	disk_free(d->disk);
}

/* Guests in a batch: their leases share a sync. */
static void
lease_many(struct day *d, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		guest_discover(&d->g, i);
	machine_turn(&d->m);
	for (unsigned i = from; i < to; i++)
		guest_select(&d->g, i);
	machine_turn(&d->m);
}

static void
renew_many(struct day *d, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		guest_renew(&d->g, i);
	machine_turn(&d->m);
}

static void
morning(struct day *d)
{
	machine_start(&d->m);
	guest_lease(&d->g, 0);
	lease_many(d, 1, 4);
	machine_pass(&d->m, 700);
	guest_renew(&d->g, 0);
	guest_lease(&d->g, 4);
	machine_pass(&d->m, 3000); /* the history goes */
	guest_release(&d->g, 1);
	guest_decline(&d->g, 2);
	machine_turn(&d->m);
	guest_lease(&d->g, 2);
	/* Traffic at the very moment at which the file is due to be written anew. */
	machine_pass(&d->m, 1999);
	d->m.true_ms++, d->m.boot_ms++, d->m.wall_ms++;
	lease_many(d, 5, 8);
	renew_many(d, 3, 6);
}

static void
noon(struct day *d)
{
	/* A reservation moves guests: one lease ends and another begins in one write. */
	d->g.reserve = true;
	machine_reload(&d->m);
	lease_many(d, 0, 2);
	machine_pass(&d->m, 5000);
	/* kill -9; what is not synced is still there. */
	renew_many(d, 0, 4);
	machine_stop(&d->m);
	machine_start(&d->m);
	renew_many(d, 0, 8);
	guest_reboot(&d->g, 3);
	guest_lease(&d->g, 8);
	machine_pass(&d->m, 2500);
}

/* Leases come quickly, one after the other and together; then none, and the file is left without room. A kill -9
 * and a stop leave it with and without. */
static void
rush(struct day *d)
{
	for (unsigned i = 0; i < 6; i++) {
		renew_many(d, i, i + 1 + i % 4);
		machine_pass(&d->m, 30);
	}
	machine_stop(&d->m);
	machine_start(&d->m);
	lease_many(d, 3, 6);
	renew_many(d, 0, 9);
	renew_many(d, 0, 9);
	machine_pass(&d->m, 1990); /* it goes while leases come */
	renew_many(d, 2, 6);
	machine_pass(&d->m, 2500);
	renew_many(d, 0, 3);
	renew_many(d, 3, 5);
	guest_renew(&d->g, 5);
	machine_turn(&d->m);
}

static void
afternoon(struct day *d)
{
	guests_set_clock(&d->g, 2 * 3600 * 1000);
	guest_lease(&d->g, 9);
	guests_set_clock(&d->g, -5 * 3600 * 1000);
	lease_many(d, 8, 11);
	guests_set_clock(&d->g, -1500);
	guests_set_clock(&d->g, 1500);
	/* Traffic before anybody hears that the clock was set back. */
	d->m.wall_ms -= 1800 * 1000;
	renew_many(d, 0, 3);
	renew_many(d, 0, 11);
	machine_sleep(&d->m, 400 * 1000);
	renew_many(d, 0, 5);
	machine_pass(&d->m, 300 * 1000); /* the others' leases are over */
	lease_many(d, 5, 12);
	guest_reboot(&d->g, 11);
	machine_turn(&d->m);
}

/* While vnet-dhcpd does not run, an administrator adds a lease to the file, as VMware writes it. */
static void
evening(struct day *d)
{
	static const char added[] = "lease 10.9.8.139 {\n\tstarts 0 2023/11/14 10:00:00;\n"
				    "\tends 0 2033/11/14 10:00:00;\n"
				    "\thardware ethernet 00:0c:29:00:00:01;\n}\n";
	const char *old = disk_leases(d->disk);
	char *text;

	machine_stop(&d->m);
	assert_non_null(old);
	text = malloc(strlen(old) + sizeof(added));
	assert_non_null(text);
	strcpy(text, old);
	if (!*old || old[strlen(old) - 1] == '\n')
		strcat(text, added);
	disk_put_leases(d->disk, text);
	free(text);
	machine_start(&d->m);
	renew_many(d, 0, 12);
	guest_release(&d->g, 7);
	machine_turn(&d->m);
	lease_many(d, 6, 9);
	machine_pass(&d->m, 3000);
	lease_many(d, 0, 12);
}

static void
day_run(struct day *d)
{
	day_begin(d);
	morning(d);
	noon(d);
	rush(d);
	afternoon(d);
	evening(d);
}

/* --- power cuts --- */

static void
no_moment_loses_a_lease(void **state UNUSED)
{
	struct tally t = {0};
	struct day d;

	day_run(&d);
	machine_stop(&d.m);
	cut_power(&t, &d.rec, SIZE_MAX, states_max);
	print_message(
	    "# %u operations, %u ACKs: %llu moments, %llu disks, %llu leases looked for\n",
	    d.disk->ops, d.g.acks, (unsigned long long)t.moments, (unsigned long long)t.states,
	    (unsigned long long)t.leases);
	print_message("# %u writes into room, %llu files with room, %llu with lost sectors\n",
		      d.disk->over, (unsigned long long)t.rooms, (unsigned long long)t.gaps);
	assert_true(d.g.acks > 80 && d.disk->renewed > 8);
	assert_true(d.disk->over > 8 && t.rooms > 1000 && t.gaps > 100);
	assert_true(t.moments > 150 && t.states > 20 * (uint64_t)states_max && t.leases > t.states);
	day_end(&d);
}

/* A disk that says "synced" and did nothing is found out: this test can fail. */
static void
lying_disks_are_found_out(void **state UNUSED)
{
	for (unsigned i = 0; i < 2; i++) {
		struct tally t = {.expect_wrong = true};
		struct day d;

		day_begin(&d);
		d.disk->no_data = i == 0;
		d.disk->no_names = i == 1;
		morning(&d);
		machine_stop(&d.m);
		cut_power(&t, &d.rec, SIZE_MAX, 20);
		print_message("# a disk that does not sync %s: %llu of %llu disks are wrong\n",
			      i == 0 ? "data" : "names", (unsigned long long)t.wrong,
			      (unsigned long long)t.states);
		assert_true(t.wrong > 50 && t.wrong < t.states);
		day_end(&d);
	}
}

/* --- sectors that are lost --- */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SHIFT_STEP 8
#endif
#endif
#ifndef SHIFT_STEP
#define SHIFT_STEP 1
#endif

/* What a reader sees that takes any number of newlines for white space. */
static void
come_back_squeezed(void *arg, struct disk *after)
{
	char *text = strdup(disk_leases(after)), *to = text;

	assert_non_null(text);
	for (const char *p = text; *p; p++)
		if (p == text || p[0] != '\n' || p[-1] != '\n')
			*to++ = *p;
	*to = '\0';
	disk_put_leases(after, text);
	free(text);
	come_back(arg, after);
}

/* All guests have leases, in a file that has room, and whose blocks begin anywhere in their sectors. */
static void
busy_day_begin(struct day *d, int shift)
{
	char text[DISK_SECTOR + 200];

	day_begin(d);
	snprintf(text, sizeof(text),
		 "#%*s\nlease 10.9.8.139 {\n\tstarts 0 2023/11/14 10:00:00;\n"
		 "\tends 0 2033/11/14 10:00:00;\n\thardware ethernet 00:0c:29:00:00:01;\n}\n",
		 shift, "");
	disk_put_leases(d->disk, text);
	d->rec.from = UINT_MAX;
	machine_start(&d->m);
	lease_many(d, 0, GUESTS);
	renew_many(d, 0, GUESTS);
}

/* All leases are written in one go; of the sectors any do not reach the disk. */
static void
lose_sectors(struct tally *t, void (*each)(void *arg, struct disk *after))
{
	for (int shift = 0; shift < DISK_SECTOR; shift += SHIFT_STEP) {
		struct day d;

		busy_day_begin(&d, shift);
		d.rec.from = d.disk->ops;
		renew_many(&d, 0, GUESTS);
		machine_stop(&d.m);
		assert_int_equal(d.disk->over, 1);
		t->mo = &d.rec.v[0];
		t->moments++;
		assert_true(disk_each_lost(t->mo->disk, each, t) > 4);
		day_end(&d);
	}
}

static void
no_lost_sector_mixes_two_leases(void **state UNUSED)
{
	struct tally t = {0};

	lose_sectors(&t, come_back);
	print_message("# %llu writes, %llu disks, %llu with lost sectors, %llu leases looked for\n",
		      (unsigned long long)t.moments, (unsigned long long)t.states,
		      (unsigned long long)t.gaps, (unsigned long long)t.leases);
	assert_true(t.gaps > t.states / 8);
}

/* There are leases that would be mixed: the test before this one can fail. */
static void
a_reader_without_bounds_is_found_out(void **state UNUSED)
{
	struct tally t = {.expect_wrong = true};

	lose_sectors(&t, come_back_squeezed);
	print_message("# newlines are white space: %llu of %llu disks are wrong\n",
		      (unsigned long long)t.wrong, (unsigned long long)t.states);
	assert_true(t.wrong > 0);
}

/* The disk takes the first half of a write and no more; others are written in its place when the power fails. */
static void
half_a_write_joins_no_other(void **state UNUSED)
{
	struct tally t = {0};

	for (int shift = 0; shift < DISK_SECTOR; shift += 16) {
		struct day d;

		busy_day_begin(&d, shift);
		d.disk->fault = (struct disk_fault){
		    .from = d.disk->ops, .n = 2, .err = ENOSPC, .shorten = true};
		renew_many(&d, 0, GUESTS);
		assert_int_equal(d.disk->faults, 2);
		d.rec.from = d.disk->ops;
		for (unsigned i = GUESTS; i-- > 0;)
			guest_renew(&d.g, i);
		machine_turn(&d.m);
		machine_stop(&d.m);
		cut_power(&t, &d.rec, 1, 200);
		day_end(&d);
	}
	print_message("# half a write: %llu disks\n", (unsigned long long)t.states);
	assert_int_equal(t.moments, DISK_SECTOR / 16);
}

/* --- disks that fail --- */

enum { MOMENTS_AFTER = 10, STATES_AFTER = 6, RETRY_MAX_MS = 10000 };

static void
fail_once(struct disk_fault fault, struct tally *t)
{
	struct day d;

	day_begin(&d);
	d.disk->fault = fault;
	d.rec.from = fault.from;
	t->fault = fault;
	morning(&d);
	noon(&d);
	rush(&d);
	afternoon(&d);
	evening(&d);
	/* It works again by itself, for everybody. */
	machine_pass(&d.m, (fault.n + 1) * RETRY_MAX_MS);
	if (!d.m.ok)
		fail_msg("%u from %u on failed with %s: no recovery", fault.n, fault.from,
			 strerror(fault.err));
	d.rec.from = 0;
	for (unsigned i = 0; i < GUESTS; i++)
		assert_true(guest_lease(&d.g, i));
	assert_true(d.disk->faults > 0);
	machine_stop(&d.m);
	cut_power(t, &d.rec, MOMENTS_AFTER, STATES_AFTER);
	if (d.rec.n > MOMENTS_AFTER) {
		struct recording last = {.v = &d.rec.v[d.rec.n - 1], .n = 1};

		cut_power(t, &last, 1, STATES_AFTER);
	}
	day_end(&d);
}

/* With the sanitizers a day takes far longer: there each operation fails in one of the ways. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define OPS_STEP 6
#endif
#endif
#ifndef OPS_STEP
#define OPS_STEP 1
#endif

/* Each operation fails, alone and with those after it, in each way. */
static void
no_failure_confirms_what_is_not_durable(void **state UNUSED)
{
	static const struct disk_fault ways[] = {
	    {.n = 1, .err = EIO},
	    {.n = 1, .err = ENOSPC, .shorten = true},
	    {.n = 2, .err = ENOSPC, .shorten = true},
	    {.n = 3, .err = ENOSPC, .shorten = true},
	    {.n = 4, .err = EIO},
	    {.n = 9, .err = EROFS},
	};
	struct tally t = {0};
	unsigned ops, runs = 0;
	struct day d;

	day_run(&d);
	machine_stop(&d.m);
	ops = d.disk->ops;
	day_end(&d);
	for (unsigned i = 0; i < ARRAY_LEN(ways); i++)
		for (unsigned k = i % OPS_STEP; k < ops; k += OPS_STEP, runs++) {
			struct disk_fault f = ways[i];

			f.from = k;
			fail_once(f, &t);
		}
	print_message("# %u failing days: %llu moments, %llu disks, %llu leases looked for\n", runs,
		      (unsigned long long)t.moments, (unsigned long long)t.states,
		      (unsigned long long)t.leases);
}

static void
say_nothing(enum log_level level UNUSED, const char *line UNUSED, void *arg UNUSED)
{
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_moment_loses_a_lease),
	    cmocka_unit_test(lying_disks_are_found_out),
	    cmocka_unit_test(no_lost_sector_mixes_two_leases),
	    cmocka_unit_test(a_reader_without_bounds_is_found_out),
	    cmocka_unit_test(half_a_write_joins_no_other),
	    cmocka_unit_test(no_failure_confirms_what_is_not_durable),
	};

	if (argc > 1)
		states_max = (unsigned)strtoul(argv[1], NULL, 10);
	log_divert(say_nothing, NULL);
	return T_RUN(tests);
}
