/* SPDX-License-Identifier: GPL-2.0-or-later
 * leasefile_test.c - a server and its file together: restarts, damage, full disks, clocks that
 * are set.
 */
#include "../lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dhcpd/leasefile.h"
#include "fixture.h"
#include "lib/fd.h"
#include "lib/log.h"

static const struct tclient alice = {.mac = MAC(1), .hostname = "alice"};
static const struct tclient bob = {.mac = MAC(2)};

static char folder[64];
static char logged[4096];

struct world {
	struct fixture x;
	struct leasefile f;
};

static void
collect_log(enum log_level level UNUSED, const char *line, void *arg UNUSED)
{
	size_t n = strlen(logged);

	snprintf(logged + n, sizeof(logged) - n, "%s\n", line);
}

static int
load(struct world *w)
{
	fx_init(&w->x, NULL);
	leasefile_init(&w->f, 8);
	return leasefile_load(&w->f, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), w->x.s,
			      w->x.clk);
}

static void
unload(struct world *w)
{
	leasefile_fini(&w->f);
	fx_fini(&w->x);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(folder, sizeof(folder), "/tmp/vnet-leasefile-XXXXXX");
	if (!w || !mkdtemp(folder))
		return -1;
	logged[0] = '\0';
	log_divert(collect_log, NULL);
	log_set_level(LOG_LEVEL_WARN);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	char cmd[128];

	log_divert(NULL, NULL);
	free(*state);
	snprintf(cmd, sizeof(cmd), "rm -r %s", folder);
	return system(cmd);
}

static void
limit_files(rlim_t bytes)
{
	const struct rlimit r = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void
put_file(const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static char *
get_file(const char *name)
{
	static char text[65536];
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* The changes of the last message go to the file as served.c does it. */
static int
record(struct world *w)
{
	char text[DHCP_CHANGES_MAX * JOURNAL_REC_MAX];
	size_t len = 0;
	int r;

	for (unsigned i = 0; i < w->x.out.nchanges; i++)
		len += journal_encode(text + len, JOURNAL_REC_MAX, &w->x.out.change[i].rec);
	r = leasefile_append(&w->f, text, len, w->x.out.nchanges, w->x.clk);
	for (unsigned i = 0; r < 0 && i < w->x.out.nchanges; i++)
		dhcp_server_not_recorded(w->x.s, &w->x.out.change[i], w->x.clk);
	return r;
}

static unsigned
blocks_in(const char *text)
{
	unsigned n = 0;

	for (; (text = strstr(text, "\nlease ")) != NULL; text++)
		n++;
	return n;
}

static void
lease_survives_a_crash(void **state)
{
	struct world *w = *state;
	struct ip4 ip;

	assert_int_equal(load(w), 0);
	assert_int_equal(w->f.err, 0);
	ip = fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	unload(w);
	assert_int_equal(load(w), 0);
	assert_int_equal(fx_lease(&w->x, &bob).h, AT(129).h);
	assert_int_equal(fx_reboot(&w->x, &alice, ip), DHCP_ACK);
	unload(w);
}

static void
history_is_cleared_after_a_moment(void **state)
{
	struct world *w = *state;
	struct ip4 ip;

	assert_int_equal(load(w), 0);
	ip = fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 2);
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 2);
	fx_pass(&w->x, mono_diff(w->f.due, w->x.clk.now));
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 1);
	assert_int_equal(w->f.due.ms, MONO_NEVER.ms);
	unload(w);
}

/* Torn ends and history are gone before anybody else reads the file. */
static void
torn_file_is_mended_at_start(void **state)
{
	struct world *w = *state;

	put_file(
	    "lease 192.168.8.140 {\n\tstarts 0 2023/11/14 22:13:00;\n\tends 0 2033/11/14 "
	    "22:30:00;\n\thardware ethernet 00:0c:29:00:00:01;\n}\nlease 192.168.8.141 {\n\tst");
	assert_int_equal(load(w), 0);
	assert_non_null(strstr(logged, "vmnet8: dhcpd.leases:6: ends inside a lease"));
	assert_null(strstr(get_file(STORE_FILE), "8.141"));
	assert_string_equal(strrchr(get_file(STORE_FILE), '}'), "}\n");
	assert_null(get_file(STORE_FILE "~"));
	assert_int_equal(fx_lease(&w->x, &alice).h, AT(140).h);
	assert_int_equal(record(w), 0);
	unload(w);
}

static void
damaged_file_is_kept_aside(void **state)
{
	struct world *w = *state;
	const char *text = "lease 192.168.8.141 {\n\tstarts x;\n}\n"
			   "lease 192.168.8.140 {\n\tstarts 0 2023/11/14 22:13:00;\n\tends 0 "
			   "2033/11/14 22:30:00;\n\thardware ethernet 00:0c:29:00:00:01;\n}\n";

	put_file(text);
	assert_int_equal(load(w), 0);
	assert_non_null(strstr(logged, "vmnet8: dhcpd.leases:1: not a lease"));
	assert_string_equal(get_file(STORE_FILE "~"), text);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 1);
	assert_int_equal(fx_lease(&w->x, &alice).h, AT(140).h);
	unload(w);
}

static void
whole_file_is_not_touched(void **state)
{
	struct world *w = *state;
	const char *text = "# a comment of VMware's\nlease 192.168.8.140 {\n\tstarts 0 2023/11/14 "
			   "22:13:00;\n\tends 0 "
			   "2033/11/14 22:30:00;\n\thardware ethernet 00:0c:29:00:00:01;\n}\n";

	put_file(text);
	assert_int_equal(load(w), 0);
	assert_string_equal(get_file(STORE_FILE), text);
	fx_lease(&w->x, &bob);
	assert_int_equal(record(w), 0);
	assert_memory_equal(get_file(STORE_FILE), text, strlen(text));
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 2);
	unload(w);
}

/* As files of others show it. Vagrant takes neither of the two. */
static void
file_with_two_leases_of_one_guest_is_written_anew(void **state)
{
	struct world *w = *state;
	const char *text = "lease 192.168.8.140 {\n\tstarts 0 2023/11/14 22:13:00;\n\tends 0 "
			   "2033/11/14 22:30:00;\n"
			   "\thardware ethernet 00:0c:29:00:00:01;\n}\n"
			   "lease 192.168.8.141 {\n\tstarts 0 2023/11/14 22:13:10;\n\tends 0 "
			   "2033/11/14 22:30:00;\n"
			   "\thardware ethernet 00:0c:29:00:00:01;\n}\n";
	const char *former;

	put_file(text);
	assert_int_equal(load(w), 0);
	former = strstr(get_file(STORE_FILE), "lease 192.168.8.140 {");
	assert_non_null(former);
	assert_non_null(strstr(former, "ends 2 2023/11/14"));
	assert_non_null(strstr(get_file(STORE_FILE), "2033/11/14"));
	unload(w);
}

static size_t
room_in(const char *text)
{
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	return strlen(text) - n - 1;
}

/* As long as leases come quickly; people see the file end with the last of them. */
static void
busy_file_has_room(void **state)
{
	struct world *w = *state;
	struct ip4 ip;

	assert_int_equal(load(w), 0);
	ip = fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	fx_pass(&w->x, 300);
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	assert_int_equal(room_in(get_file(STORE_FILE)), 0);
	fx_pass(&w->x, 200);
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	assert_int_equal(room_in(get_file(STORE_FILE)), STORE_ROOM_MAX);
	fx_pass(&w->x, 200);
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	assert_true(room_in(get_file(STORE_FILE)) < STORE_ROOM_MAX);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 4);
	unload(w);
	assert_int_equal(room_in(get_file(STORE_FILE)), 0);
}

static void
quiet_file_has_none(void **state)
{
	struct world *w = *state;

	assert_int_equal(load(w), 0);
	fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	fx_pass(&w->x, 100);
	fx_lease(&w->x, &bob);
	assert_int_equal(record(w), 0);
	assert_int_equal(room_in(get_file(STORE_FILE)), STORE_ROOM_MAX);
	/* It is looked at before, for history. */
	assert_int_equal(mono_diff(leasefile_due(&w->f), w->x.clk.now), 1900);
	fx_pass(&w->x, 1900);
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_int_equal(room_in(get_file(STORE_FILE)), STORE_ROOM_MAX);
	assert_int_equal(mono_diff(leasefile_due(&w->f), w->x.clk.now), 100);
	fx_pass(&w->x, 100);
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_int_equal(room_in(get_file(STORE_FILE)), 0);
	assert_int_equal(leasefile_due(&w->f).ms, MONO_NEVER.ms);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 2);
	unload(w);
}

/* kill -9 leaves the room; the file is whole, and large ones are not written anew for it. */
static void
room_is_no_damage(void **state)
{
	struct world *w = *state;
	const char *text =
	    "# a comment\nlease 192.168.8.140 {\n\tstarts 0 2023/11/14 22:13:00;\n\tends 0 "
	    "2033/11/14 22:30:00;\n\thardware ethernet 00:0c:29:00:00:01;\n}\n";
	char padded[4096];

	memset(padded, '\n', sizeof(padded));
	memcpy(padded, text, strlen(text));
	padded[sizeof(padded) - 1] = '\0';
	put_file(padded);
	assert_int_equal(load(w), 0);
	assert_string_equal(logged, "");
	assert_string_equal(get_file(STORE_FILE), text);
	assert_int_equal(w->f.store.blocks, 1);
	fx_lease(&w->x, &bob);
	assert_int_equal(record(w), 0);
	assert_memory_equal(get_file(STORE_FILE), text, strlen(text));
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 2);
	unload(w);
}

static void
full_disk_confirms_nothing_and_recovers(void **state)
{
	struct world *w = *state;
	char *before;

	assert_int_equal(load(w), 0);
	fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	before = strdup(get_file(STORE_FILE));
	limit_files(strlen(before) + 20);
	fx_lease(&w->x, &bob);
	assert_int_equal(record(w), -EFBIG);
	assert_int_equal(w->f.err, EFBIG);
	assert_string_equal(get_file(STORE_FILE), before);
	assert_int_equal(lease_table_count(dhcp_server_leases(w->x.s), LEASE_ACTIVE), 1);
	/* A release cannot be recorded either, but it has happened. */
	fx_release(&w->x, &alice, AT(128));
	assert_int_equal(record(w), -EFBIG);
	/* Still full: later each time, up to a limit. */
	for (int i = 0; i < 8; i++) {
		fx_pass(&w->x, mono_diff(w->f.due, w->x.clk.now));
		limit_files(10);
		leasefile_tidy(&w->f, w->x.s, w->x.clk);
		limit_files(RLIM_INFINITY);
		assert_int_equal(w->f.err, EFBIG);
		assert_true(mono_diff(w->f.due, w->x.clk.now) <= 10000);
	}
	assert_int_equal(mono_diff(w->f.due, w->x.clk.now), 10000);
	assert_string_equal(get_file(STORE_FILE), before);
	/* Room again: by itself, with all that was missed. */
	fx_pass(&w->x, 10000);
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_int_equal(w->f.err, 0);
	assert_non_null(strstr(get_file(STORE_FILE), "lease 192.168.8.128 {\n\tstarts 2 2023/11/14 "
						     "22:13:20;\n\tends 2 2023/11/14 22:13:20;"));
	fx_select(&w->x, &bob, AT(129));
	assert_int_equal(record(w), 0);
	free(before);
	unload(w);
}

static void
full_disk_at_start_still_knows_the_leases(void **state)
{
	struct world *w = *state;

	put_file(
	    "lease 192.168.8.140 {\n\tstarts 0 2023/11/14 22:13:00;\n\tends 0 2033/11/14 "
	    "22:30:00;\n\thardware ethernet 00:0c:29:00:00:01;\n}\nlease 192.168.8.141 {\n\tst");
	limit_files(10);
	assert_int_equal(load(w), 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(w->f.err, EFBIG);
	assert_int_equal(fx_discover(&w->x, &alice), DHCP_OFFER);
	assert_int_equal(w->x.reply.m.yiaddr.h, AT(140).h);
	/* Nothing may be appended behind a torn block. */
	fx_select(&w->x, &alice, AT(140));
	assert_int_equal(record(w), -EFBIG);
	fx_pass(&w->x, mono_diff(w->f.due, w->x.clk.now));
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_int_equal(w->f.err, 0);
	fx_select(&w->x, &alice, AT(140));
	assert_int_equal(record(w), 0);
	unload(w);
}

/* Guests go on asking; none of them puts off what would help them all. */
static void
full_disk_at_start_recovers_while_guests_ask(void **state)
{
	struct world *w = *state;
	unsigned asked = 0;

	limit_files(0);
	assert_int_equal(load(w), 0);
	for (int i = 0; i < 10; i++) {
		fx_pass(&w->x, 10000);
		leasefile_tidy(&w->f, w->x.s, w->x.clk);
	}
	limit_files(RLIM_INFINITY);
	assert_int_equal(w->f.err, EFBIG);
	while (fx_select(&w->x, &alice, AT(140)) == DHCP_ACK && record(w) < 0) {
		assert_int_equal(w->f.err, EFBIG);
		assert_in_range(++asked, 1, 11);
		fx_pass(&w->x, 1000);
		if (!mono_before(w->x.clk.now, leasefile_due(&w->f)))
			leasefile_tidy(&w->f, w->x.s, w->x.clk);
	}
	assert_int_equal(w->f.err, 0);
	assert_int_equal(blocks_in(get_file(STORE_FILE)), 1);
	unload(w);
}

/* History that cannot be cleared for lack of room does not stop anybody. */
static void
failed_tidying_is_no_failure(void **state)
{
	struct world *w = *state;
	struct ip4 ip;

	assert_int_equal(load(w), 0);
	ip = fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	fx_pass(&w->x, 5000);
	limit_files(10);
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	limit_files(RLIM_INFINITY);
	assert_int_equal(w->f.err, 0);
	assert_true(w->f.due.ms != MONO_NEVER.ms);
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	unload(w);
}

static void
set_clock_is_noticed(void **state)
{
	struct world *w = *state;
	struct ip4 ip;
	off_t before;

	assert_int_equal(load(w), 0);
	ip = fx_lease(&w->x, &alice);
	assert_int_equal(record(w), 0);
	w->x.clk.wall_ms += 86400000;
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_non_null(strstr(get_file(STORE_FILE), "\tends 3 2023/11/15 22:43:21;\n"));
	/* Also by as little as a leap second, lest a lease end too early after a restart. */
	w->x.clk.wall_ms += 1000;
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_non_null(strstr(get_file(STORE_FILE), "\tends 3 2023/11/15 22:43:22;\n"));
	/* The two clocks are read one after the other: that is no setting. */
	w->x.clk.wall_ms += 40;
	before = w->f.store.size;
	fx_renew(&w->x, &alice, ip);
	assert_int_equal(record(w), 0);
	leasefile_tidy(&w->f, w->x.s, w->x.clk);
	assert_true(w->f.store.size > before);
	unload(w);
}

static void
unreadable_file_is_an_error(void **state)
{
	struct world *w = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_int_equal(load(w), -ELOOP);
	assert_false(w->f.loaded);
	unload(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(lease_survives_a_crash, setup, teardown),
	    cmocka_unit_test_setup_teardown(history_is_cleared_after_a_moment, setup, teardown),
	    cmocka_unit_test_setup_teardown(torn_file_is_mended_at_start, setup, teardown),
	    cmocka_unit_test_setup_teardown(damaged_file_is_kept_aside, setup, teardown),
	    cmocka_unit_test_setup_teardown(whole_file_is_not_touched, setup, teardown),
	    cmocka_unit_test_setup_teardown(file_with_two_leases_of_one_guest_is_written_anew,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(busy_file_has_room, setup, teardown),
	    cmocka_unit_test_setup_teardown(quiet_file_has_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(room_is_no_damage, setup, teardown),
	    cmocka_unit_test_setup_teardown(full_disk_confirms_nothing_and_recovers, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(full_disk_at_start_still_knows_the_leases, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(full_disk_at_start_recovers_while_guests_ask, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(failed_tidying_is_no_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(set_clock_is_noticed, setup, teardown),
	    cmocka_unit_test_setup_teardown(unreadable_file_is_an_error, setup, teardown),
	};

	return T_RUN(tests);
}
