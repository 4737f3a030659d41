/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_test.c - levels, errno words, escaping, the journal's prefix, the rate limit, errno untouched.
 */
#include "t.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

struct seen {
	int n;
	enum log_level level;
	char line[8192];
};

static void
sink(enum log_level level, const char *line, void *arg)
{
	struct seen *s = arg;

	s->n++;
	s->level = level;
	snprintf(s->line, sizeof(s->line), "%s", line);
}

static void
levels_decide(void **state UNUSED)
{
	struct seen s = {0};

	log_open("test", LOG_LEVEL_WARN);
	log_divert(sink, &s);
	log_info("no");
	log_debug("no");
	assert_int_equal(s.n, 0);
	log_warn(0, "%s: link is down", "vmnet8");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.level, LOG_LEVEL_WARN);
	assert_string_equal(s.line, "vmnet8: link is down");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("yes");
	assert_int_equal(s.n, 2);
	assert_int_equal(s.level, LOG_LEVEL_DEBUG);
	log_set_level(LOG_LEVEL_ERROR);
	log_warn(0, "no");
	assert_int_equal(s.n, 2);
	log_divert(NULL, NULL);
}

static void
errno_words_follow_and_errno_stays(void **state UNUSED)
{
	struct seen s = {0};

	log_open("test", LOG_LEVEL_INFO);
	log_divert(sink, &s);
	errno = EBUSY;
	log_error(ENOENT, "cannot open \"%s\"", "/x");
	assert_int_equal(errno, EBUSY);
	assert_string_equal(s.line, "cannot open \"/x\": No such file or directory");
	log_error(99999, "odd");
	assert_string_equal(s.line, "odd: error number 99999");
	log_divert(NULL, NULL);
}

static void
control_characters_cannot_forge_lines(void **state UNUSED)
{
	struct seen s = {0};
	char big[5000];

	log_open("test", LOG_LEVEL_INFO);
	log_divert(sink, &s);
	log_info("name \"%s\"", "a\nvnetd: all is well\x1b[2J\x7f\t");
	assert_string_equal(s.line, "name \"a\\x0avnetd: all is well\\x1b[2J\\x7f\\x09\"");
	log_info("caf\xc3\xa9");
	assert_string_equal(s.line, "caf\xc3\xa9");
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("%s", big); /* the longest line there can be */
	assert_true(strlen(s.line) > 4000);
	log_divert(NULL, NULL);
}

/* Runs fn with stderr as a pipe and gives back what it wrote. */
static size_t
capture(void (*fn)(int fd), char *buf, size_t cap, int *status)
{
	int p[2];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(p[1], STDERR_FILENO);
		close(p[0]);
		close(p[1]);
		fn(STDERR_FILENO);
		_exit(0);
	}
	close(p[1]);
	while (len < cap - 1 && (n = read(p[0], buf + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return len;
}

static void
plain_stderr(int fd UNUSED)
{
	setenv("JOURNAL_STREAM", "1:2", 1); /* somebody else's stream */
	log_open("vnet-test", LOG_LEVEL_INFO);
	log_info("hello");
	log_fatal(EPERM, "cannot go on");
}

static void
journal_stderr(int fd)
{
	struct stat st;
	char v[64];

	fstat(fd, &st);
	snprintf(v, sizeof(v), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", v, 1);
	log_open("vnet-test", LOG_LEVEL_DEBUG);
	log_error(0, "e");
	log_warn(0, "w");
	log_info("i");
	log_debug("d");
}

static void
stderr_lines(void **state UNUSED)
{
	char buf[1024];
	int status;

	capture(plain_stderr, buf, sizeof(buf), &status);
	assert_string_equal(buf, "vnet-test: hello\n"
				 "vnet-test: cannot go on: Operation not permitted\n");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	capture(journal_stderr, buf, sizeof(buf), &status);
	assert_string_equal(buf, "<3>e\n<4>w\n<6>i\n<7>d\n");
}

static void
flood(int fd UNUSED)
{
	log_open("f", LOG_LEVEL_INFO);
	for (int i = 0; i < 1000; i++)
		log_info("again");
	log_error(0, "errors pass");
	usleep(200 * 1000);
	log_info("later");
}

static void
a_flood_is_cut_and_counted(void **state UNUSED)
{
	static char buf[65536];
	int status, again = 0;
	unsigned dropped;
	char *p;

	capture(flood, buf, sizeof(buf), &status);
	for (p = buf; (p = strstr(p, "f: again\n")); p++)
		again++;
	assert_in_range(again, 200, 260);
	assert_non_null(strstr(buf, "f: errors pass\n"));
	assert_non_null(strstr(buf, "f: later\n"));
	p = strstr(buf, " messages were dropped");
	assert_non_null(p);
	while (p > buf && p[-1] != ' ')
		p--;
	assert_int_equal(sscanf(p, "%u messages", &dropped), 1);
	/* Drops are told as soon as a token is there; a slow machine may tell more than once. */
	assert_in_range(dropped, 1, 800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(levels_decide),
	    cmocka_unit_test(errno_words_follow_and_errno_stays),
	    cmocka_unit_test(control_characters_cannot_forge_lines),
	    cmocka_unit_test(stderr_lines),
	    cmocka_unit_test(a_flood_is_cut_and_counted),
	};

	return T_RUN(tests);
}
