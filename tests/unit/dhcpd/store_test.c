/* SPDX-License-Identifier: GPL-2.0-or-later
 * store_test.c - the lease file on a real file system: appending, replacing, and what a full
 * disk leaves.
 *
 * A limit on file sizes (RLIMIT_FSIZE) plays the full disk: writes stop in the middle, as there.
 */
#include "../lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dhcpd/store.h"
#include "lib/fd.h"

static char folder[64];

static int
setup(void **state)
{
	struct store *s = malloc(sizeof(*s));

	snprintf(folder, sizeof(folder), "/tmp/vnet-store-XXXXXX");
	if (!s || !mkdtemp(folder))
		return -1;
	store_init(s, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {STORE_FILE, STORE_FILE "~", STORE_FILE ".new"};
	struct store *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlinkat(s->dir, names[i], 0);
	store_fini(s);
	free(s);
	return rmdir(folder);
}

static void
limit_files(rlim_t bytes)
{
	const struct rlimit r = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* One to n leases, counting addresses up from 10.0.0.1. */
struct count {
	unsigned i, n;
};

static bool
next(void *arg, struct journal_rec *rec)
{
	struct count *c = arg;

	if (c->i == c->n)
		return false;
	*rec = (struct journal_rec){
	    .ip = {0x0a000001 + c->i}, .mac = {{2, 0, 0, 0, 0, 1}}, .starts = 1000, .ends = 2000};
	c->i++;
	return true;
}

static size_t
block(char *buf, unsigned i)
{
	struct count c = {i, i + 1};
	struct journal_rec rec;

	next(&c, &rec);
	return journal_encode(buf, JOURNAL_REC_MAX, &rec);
}

/* The addresses in the file, which must be whole. */
static unsigned
count_blocks(const struct store *s)
{
	struct journal_reader r;
	struct journal_rec rec;
	enum journal_next what;
	unsigned n = 0;
	const char *text;
	ssize_t len = store_read(s, &text);

	assert_true(len >= 0);
	journal_reader_init(&r, text, (size_t)len);
	while ((what = journal_next(&r, &rec)) == JOURNAL_REC)
		assert_int_equal(rec.ip.h, 0x0a000001 + n++);
	assert_int_equal(what, JOURNAL_END);
	store_release(text, (size_t)len);
	return n;
}

static void
missing_file_reads_as_empty(void **state)
{
	struct store *s = *state;
	const char *text;

	assert_int_equal(store_read(s, &text), 0);
	store_release(text, 0);
	assert_int_equal(store_append(s, "x", 1, 1, 0), -EIO);
	assert_true(store_adopt(s, 0, 0) < 0);
}

/* The header alone, at once; leases follow behind it. */
static void
new_file_is_made_once(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX];
	const char *text;

	assert_int_equal(store_create(s), 0);
	assert_int_equal(store_read(s, &text), (ssize_t)strlen(journal_header));
	assert_memory_equal(text, journal_header, strlen(journal_header));
	store_release(text, strlen(journal_header));
	assert_true(s->unnamed);
	assert_int_equal(store_append(s, buf, block(buf, 0), 1, 0), 0);
	assert_false(s->unnamed);
	assert_int_equal(count_blocks(s), 1);
	assert_int_equal(store_create(s), -EEXIST);
	assert_int_equal(store_append(s, buf, block(buf, 1), 1, 0), 0);
	assert_int_equal(count_blocks(s), 2);
}

static void
file_is_written_and_appended_to(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX];
	struct stat st;
	char path[128];

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 2}), 0);
	assert_int_equal(s->blocks, 2);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 0), 0);
	assert_int_equal(s->blocks, 3);
	assert_int_equal(count_blocks(s), 3);
	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, s->size);
	/* Others read it as ordinary users. */
	assert_int_equal(st.st_mode & 07777, 0644);
	/* Once more from the start, as after kill -9. */
	assert_int_equal(store_adopt(s, (size_t)s->size, 3), 0);
	assert_true(s->unnamed);
	assert_int_equal(store_append(s, buf, block(buf, 3), 1, 0), 0);
	assert_false(s->unnamed);
	assert_int_equal(count_blocks(s), 4);
}

/* How long the file is, and that it ends with newlines only. */
static off_t
file_end(const struct store *s)
{
	const char *text;
	ssize_t len = store_read(s, &text);

	assert_true(len >= s->size);
	assert_true(journal_is_room(text + s->size, (size_t)(len - s->size)));
	store_release(text, (size_t)len);
	return len;
}

static void
blocks_are_written_into_room(void **state)
{
	struct store *s = *state;
	char buf[2 * JOURNAL_REC_MAX];
	size_t n;
	off_t end;

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 1}), 0);
	assert_int_equal(file_end(s), s->size);
	assert_int_equal(store_append(s, buf, block(buf, 1), 1, 300), 0);
	end = file_end(s);
	assert_int_equal(end, s->size + 300);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 300), 0);
	assert_int_equal(file_end(s), end);
	/* They do not fit into the rest, but reach into it. */
	n = block(buf, 3);
	n += block(buf + n, 4);
	assert_true(s->size + (off_t)n > end);
	assert_int_equal(store_append(s, buf, n, 2, 0), 0);
	assert_int_equal(file_end(s), s->size);
	assert_int_equal(store_append(s, buf, block(buf, 5), 1, STORE_ROOM_MAX), 0);
	assert_int_equal(file_end(s), s->size + STORE_ROOM_MAX);
	assert_int_equal(count_blocks(s), 6);
	assert_int_equal(s->blocks, 6);
}

static void
room_is_cut_off(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX];
	int dir = dup(s->dir);

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 1}), 0);
	assert_int_equal(store_append(s, buf, block(buf, 1), 1, 1000), 0);
	store_trim(s);
	assert_int_equal(file_end(s), s->size);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 1000), 0);
	assert_int_equal(file_end(s), s->size + 1000);
	/* By who finds it, */
	assert_int_equal(store_adopt(s, (size_t)s->size, 3), 0);
	assert_int_equal(file_end(s), s->size);
	/* by who goes, */
	assert_int_equal(store_append(s, buf, block(buf, 3), 1, 1000), 0);
	store_fini(s);
	s->dir = dir;
	assert_int_equal(file_end(s), s->size);
	/* and with the file when a new one takes its place. */
	assert_int_equal(store_adopt(s, (size_t)s->size, 4), 0);
	assert_int_equal(store_append(s, buf, block(buf, 4), 1, 1000), 0);
	assert_int_equal(store_rewrite(s, next, &(struct count){0, 5}), 0);
	assert_int_equal(file_end(s), s->size);
	assert_int_equal(count_blocks(s), 5);
}

static void
disk_that_has_no_room_takes_blocks_all_the_same(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX];

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 2}), 0);
	limit_files((rlim_t)s->size + 200);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 4096), 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(file_end(s), s->size);
	assert_int_equal(count_blocks(s), 3);
}

/* A disk that fails takes the room with it. */
static void
half_a_block_in_room_is_taken_back(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX];

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 2}), 0);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 4096), 0);
	limit_files((rlim_t)s->size + 50);
	assert_int_equal(store_append(s, buf, block(buf, 3), 1, 4096), -EFBIG);
	limit_files(RLIM_INFINITY);
	assert_int_equal(file_end(s), s->size);
	assert_int_equal(count_blocks(s), 3);
	assert_int_equal(store_append(s, buf, block(buf, 3), 1, 4096), 0);
	assert_int_equal(file_end(s), s->size + 4096);
	assert_int_equal(count_blocks(s), 4);
}

static void
large_files_are_written_in_pieces(void **state)
{
	struct store *s = *state;

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 5000}), 0);
	assert_int_equal(count_blocks(s), 5000);
}

static void
half_an_append_is_taken_back(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX];
	off_t size;

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 2}), 0);
	size = s->size;
	limit_files((rlim_t)size + 50);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 0), -EFBIG);
	assert_int_equal(s->size, size);
	assert_int_equal(count_blocks(s), 2);
	limit_files(RLIM_INFINITY);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 0), 0);
	assert_int_equal(count_blocks(s), 3);
}

static void
failed_rewrite_leaves_the_old_file(void **state)
{
	struct store *s = *state;
	char buf[JOURNAL_REC_MAX], path[128];
	int r;

	assert_int_equal(store_rewrite(s, next, &(struct count){0, 2}), 0);
	limit_files((rlim_t)s->size + 50);
	r = store_rewrite(s, next, &(struct count){0, 5});
	limit_files(RLIM_INFINITY);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(count_blocks(s), 2);
	snprintf(path, sizeof(path), "%s/" STORE_FILE ".new", folder);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(store_append(s, buf, block(buf, 2), 1, 0), 0);
	assert_int_equal(count_blocks(s), 3);
}

/* What an earlier crash left behind does not matter. */
static void
stale_temporary_file_is_overwritten(void **state)
{
	struct store *s = *state;
	int fd = openat(s->dir, STORE_FILE ".new", O_CREAT | O_WRONLY, 0600);

	assert_int_equal(write(fd, "garbage", 7), 7);
	close(fd);
	assert_int_equal(store_rewrite(s, next, &(struct count){0, 1}), 0);
	assert_int_equal(count_blocks(s), 1);
}

static void
only_a_regular_file_is_read(void **state)
{
	struct store *s = *state;
	const char *text;

	assert_int_equal(symlinkat("/etc/passwd", s->dir, STORE_FILE), 0);
	assert_int_equal(store_read(s, &text), -ELOOP);
	unlinkat(s->dir, STORE_FILE, 0);
	assert_int_equal(mkfifoat(s->dir, STORE_FILE, 0600), 0);
	assert_int_equal(store_read(s, &text), -EINVAL);
}

static void
backup_is_a_copy(void **state)
{
	struct store *s = *state;
	char path[128], got[16] = {0};
	FILE *f;

	assert_int_equal(store_backup(s, "damaged", 7), 0);
	snprintf(path, sizeof(path), "%s/" STORE_FILE "~", folder);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof(got), f), 7);
	fclose(f);
	assert_string_equal(got, "damaged");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(missing_file_reads_as_empty, setup, teardown),
	    cmocka_unit_test_setup_teardown(new_file_is_made_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(file_is_written_and_appended_to, setup, teardown),
	    cmocka_unit_test_setup_teardown(large_files_are_written_in_pieces, setup, teardown),
	    cmocka_unit_test_setup_teardown(half_an_append_is_taken_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(blocks_are_written_into_room, setup, teardown),
	    cmocka_unit_test_setup_teardown(room_is_cut_off, setup, teardown),
	    cmocka_unit_test_setup_teardown(disk_that_has_no_room_takes_blocks_all_the_same, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(half_a_block_in_room_is_taken_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(failed_rewrite_leaves_the_old_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(stale_temporary_file_is_overwritten, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_a_regular_file_is_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(backup_is_a_copy, setup, teardown),
	};

	return T_RUN(tests);
}
