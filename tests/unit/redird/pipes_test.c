/* SPDX-License-Identifier: GPL-2.0-or-later
 * pipes_test.c - pipes are lent empty, never more than allowed, and none is lost.
 */
#include "tests/unit/lib/t.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "redird/pipes.h"
#include "tests/unit/open_fds.h"

#define SIZE (64 * 1024)

static void
test_no_more_than_allowed(void **state UNUSED)
{
	struct pipes p;
	struct pipe *got[3];
	int before = open_fds();

	pipes_init(&p, 3, 3, SIZE);
	for (int i = 0; i < 3; i++) {
		got[i] = pipes_get(&p);
		assert_non_null(got[i]);
	}
	assert_null(pipes_get(&p));
	assert_int_equal(pipes_fds(&p), 6);
	assert_int_equal(open_fds(), before + 6);
	pipes_put(&p, got[1], 0);
	assert_ptr_equal(pipes_get(&p), got[1]);
	for (int i = 0; i < 3; i++)
		pipes_put(&p, got[i], 0);
	pipes_fini(&p);
	assert_int_equal(open_fds(), before);
}

static void
test_only_so_many_are_kept_for_later(void **state UNUSED)
{
	struct pipes p;
	struct pipe *got[4];
	int before = open_fds();

	pipes_init(&p, 4, 1, SIZE);
	for (int i = 0; i < 4; i++)
		got[i] = pipes_get(&p);
	for (int i = 0; i < 4; i++)
		pipes_put(&p, got[i], 0);
	assert_int_equal(open_fds(), before + 2);
	pipes_fini(&p);
	assert_int_equal(open_fds(), before);
}

static void
test_what_somebody_left_in_a_pipe_nobody_else_gets(void **state UNUSED)
{
	struct pipes p;
	struct pipe *one;
	char c;

	pipes_init(&p, 1, 1, SIZE);
	one = pipes_get(&p);
	assert_int_equal(write(one->w, "secret", 6), 6);
	pipes_put(&p, one, 6);
	one = pipes_get(&p);
	assert_non_null(one);
	assert_int_equal(read(one->r, &c, 1), -1);
	assert_int_equal(errno, EAGAIN);
	pipes_put(&p, one, 0);
	pipes_fini(&p);
}

static void
test_the_capacity_is_what_an_empty_one_takes_at_once(void **state UNUSED)
{
	static char bytes[1 << 20];
	struct pipes p;
	struct pipe *one;

	pipes_init(&p, 1, 1, SIZE);
	one = pipes_get(&p);
	assert_true(one->cap <= sizeof(bytes));
	assert_int_equal(write(one->w, bytes, one->cap), one->cap);
	assert_int_equal(write(one->w, bytes, 1), -1);
	assert_true(fcntl(one->r, F_GETFD) & FD_CLOEXEC);
	pipes_put(&p, one, one->cap);
	pipes_fini(&p);
}

static void
test_the_first_ones_are_larger(void **state UNUSED)
{
	struct pipes p;
	struct pipe *got[3];

	pipes_init(&p, 3, 3, SIZE);
	pipes_large(&p, 2, 4 * SIZE);
	for (unsigned i = 0; i < ARRAY_LEN(got); i++) {
		got[i] = pipes_get(&p);
		assert_int_equal(got[i]->cap, i < 2 ? 4 * SIZE : SIZE);
	}
	for (unsigned i = 0; i < ARRAY_LEN(got); i++)
		pipes_put(&p, got[i], 0);
	pipes_fini(&p);
}

static void
test_out_of_descriptors_there_is_none_and_nothing_leaks(void **state UNUSED)
{
	struct rlimit old, tight;
	struct pipes p;
	struct pipe *one;
	int before = open_fds(), lowest;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	/* The lowest free number is the first that is not allowed. */
	lowest = dup(STDOUT_FILENO);
	close(lowest);
	tight = (struct rlimit){(rlim_t)lowest, old.rlim_max};
	pipes_init(&p, 8, 8, SIZE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_null(pipes_get(&p));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(pipes_fds(&p), 0);
	one = pipes_get(&p);
	assert_non_null(one);
	pipes_put(&p, one, 0);
	pipes_put(&p, NULL, 0);
	pipes_fini(&p);
	assert_int_equal(open_fds(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_more_than_allowed),
	    cmocka_unit_test(test_only_so_many_are_kept_for_later),
	    cmocka_unit_test(test_what_somebody_left_in_a_pipe_nobody_else_gets),
	    cmocka_unit_test(test_the_capacity_is_what_an_empty_one_takes_at_once),
	    cmocka_unit_test(test_the_first_ones_are_larger),
	    cmocka_unit_test(test_out_of_descriptors_there_is_none_and_nothing_leaks),
	};

	return T_RUN(tests);
}
