/* SPDX-License-Identifier: GPL-2.0-or-later
 * clock_sim.c - lease times when the wall clock is set or wrong, and when the machine sleeps: a lease is as long as it
 * was granted for, and the file says in UTC, by the clock of now, when it ends.
 */
#include "../../unit/lib/t.h"

#include <errno.h>

#include "dhcpd/journal.h"
#include "guests.h"
#include "lib/log.h"

enum { HOUR_MS = 3600 * 1000, LEASE_MS = 600 * 1000, ONE = 0, OTHER = 1 };

struct world {
	struct machine m;
	struct guests g;
};

/* One address for two guests. */
static void
world_init(struct world *w)
{
	*w = (struct world){.m = {.disk = disk_new(),
				  .true_ms = 1000000,
				  .boot_ms = 50000,
				  .wall_ms = INT64_C(1700000000000)}};
	guests_init(&w->g, &w->m, 2, 1);
	machine_start(&w->m);
}

static void
world_fini(struct world *w)
{
	machine_stop(&w->m);
	disk_free(w->m.disk);
}

/* Milliseconds from now to the end of the one lease in the file, which is there once, by the clock of now. */
static int64_t
left_in_file(const struct world *w)
{
	const char *text = disk_leases(w->m.disk);
	struct journal_reader r;
	struct journal_rec rec = {0}, none;

	assert_non_null(text);
	journal_reader_init(&r, text, strlen(text));
	assert_int_equal(journal_next(&r, &rec), JOURNAL_REC);
	assert_int_equal(journal_next(&r, &none), JOURNAL_END);
	return rec.ends * 1000 - w->m.wall_ms;
}

static void
assert_left(const struct world *w, int64_t ms)
{
	int64_t left = left_in_file(w);

	assert_true(left >= ms - 20 && left <= ms + 1000);
	assert_true(guest_relies(&w->g, ONE));
}

/* Nobody else has the address until the lease is over, and then somebody has. */
static void
assert_ends_after(struct world *w, int64_t ms)
{
	struct msg_lease_row row;

	machine_pass(&w->m, ms - 2000);
	assert_false(guest_lease(&w->g, OTHER));
	assert_true(machine_lease(&w->m, w->g.v[ONE].ip, &row));
	machine_pass(&w->m, 4000);
	assert_false(machine_lease(&w->m, w->g.v[ONE].ip, &row));
	assert_true(guest_lease(&w->g, OTHER));
}

static void
set_clock_changes_no_lease(void **state UNUSED)
{
	static const int64_t steps[] = {5 * HOUR_MS, -5 * HOUR_MS, 60, -1000,
					INT64_C(9000) * HOUR_MS};

	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		struct world w;

		world_init(&w);
		assert_true(guest_lease(&w.g, ONE));
		machine_pass(&w.m, 100000);
		guests_set_clock(&w.g, steps[i]);
		assert_left(&w, LEASE_MS - 100000);
		/* Again, with a restart between: the file alone knows. */
		machine_stop(&w.m);
		machine_boot(&w.m, w.m.disk, 10000);
		guests_set_clock(&w.g, -steps[i]);
		assert_left(&w, LEASE_MS - 110000);
		assert_ends_after(&w, LEASE_MS - 110000);
		world_fini(&w);
	}
}

/* Renewed under the new clock, before anybody heard that it was set. */
static void
renewal_after_a_step_is_as_long_as_granted(void **state UNUSED)
{
	for (int sign = -1; sign <= 1; sign += 2) {
		struct world w;

		world_init(&w);
		assert_true(guest_lease(&w.g, ONE));
		machine_pass(&w.m, 300000);
		w.m.wall_ms += sign * 3 * HOUR_MS;
		guest_renew(&w.g, ONE);
		machine_turn(&w.m);
		assert_left(&w, LEASE_MS);
		assert_ends_after(&w, LEASE_MS);
		world_fini(&w);
	}
}

static void
leases_age_while_the_machine_sleeps(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	assert_true(guest_lease(&w.g, ONE));
	machine_sleep(&w.m, LEASE_MS - 10000);
	assert_left(&w, 10000);
	assert_ends_after(&w, 10000);
	/* And through their end. */
	machine_sleep(&w.m, 2 * LEASE_MS);
	assert_true(guest_lease(&w.g, ONE));
	world_fini(&w);
}

/* The battery is empty: the machine comes back in 1970, and ntpd comes later. The lease is not longer than it was
 * granted for, not shorter than promised, and the file is right as soon as the clock is. */
static void
machine_that_boots_in_1970_keeps_its_leases(void **state UNUSED)
{
	struct msg_lease_row row;
	struct world w;
	int64_t wall;

	world_init(&w);
	assert_true(guest_lease(&w.g, ONE));
	machine_pass(&w.m, 100000);
	machine_stop(&w.m);
	wall = w.m.wall_ms;
	w.m.wall_ms = 1000;
	machine_boot(&w.m, w.m.disk, 20000);
	assert_true(machine_lease(&w.m, w.g.v[ONE].ip, &row));
	assert_in_range(row.ends, (w.m.wall_ms + LEASE_MS) / 1000,
			(w.m.wall_ms + LEASE_MS) / 1000 + 1);
	machine_pass(&w.m, 30000);
	guests_set_clock(&w.g, wall + 50000 - w.m.wall_ms);
	assert_left(&w, LEASE_MS - 30000);
	assert_ends_after(&w, LEASE_MS - 30000);
	world_fini(&w);
}

/* The file cannot be written when the clock is set: it is, as soon as it can. */
static void
full_disk_only_delays_the_new_times(void **state UNUSED)
{
	struct world w;

	world_init(&w);
	assert_true(guest_lease(&w.g, ONE));
	machine_pass(&w.m, 5000);
	w.m.disk->fault = (struct disk_fault){.from = w.m.disk->ops, .n = 3, .err = ENOSPC};
	guests_set_clock(&w.g, 4 * HOUR_MS);
	assert_true(left_in_file(&w) < 0);
	assert_true(w.m.ok); /* what is appended is recorded all the same */
	machine_pass(&w.m, 60000);
	assert_left(&w, LEASE_MS - 65000);
	assert_ends_after(&w, LEASE_MS - 65000);
	world_fini(&w);
}

static void
say_nothing(enum log_level level UNUSED, const char *line UNUSED, void *arg UNUSED)
{
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_clock_changes_no_lease),
	    cmocka_unit_test(renewal_after_a_step_is_as_long_as_granted),
	    cmocka_unit_test(leases_age_while_the_machine_sleeps),
	    cmocka_unit_test(machine_that_boots_in_1970_keeps_its_leases),
	    cmocka_unit_test(full_disk_only_delays_the_new_times),
	};

	log_divert(say_nothing, NULL);
	return T_RUN(tests);
}
