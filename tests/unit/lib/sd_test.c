/* SPDX-License-Identifier: GPL-2.0-or-later
 * sd_test.c - notify messages arrive on a path and on an abstract name; the right listening socket is
 * found and the wrong ones are closed.
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sd.h"

static char dir[] = "/tmp/vnet-sd-test-XXXXXX";

/* A bound socket; '@' first means abstract. */
static int
bound(int type, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, type, 0);

	strcpy(sun.sun_path, path);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, len), 0);
	return fd;
}

static const char *
in_dir(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
notify_at(const char *path)
{
	int srv = bound(SOCK_DGRAM, path), fd;
	char buf[128];

	setenv("NOTIFY_SOCKET", path, 1);
	fd = sd_notify_open();
	assert_true(fd >= 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(sd_notify_send(fd, "READY=1\nSTATUS=2 networks"), 0);
	assert_int_equal(recv(srv, buf, sizeof(buf), 0), 25);
	assert_memory_equal(buf, "READY=1\nSTATUS=2 networks", 25);
	close(srv);
	assert_true(sd_notify_send(fd, "STOPPING=1") < 0);
	close(fd);
}

static void
notify(void **state UNUSED)
{
	char name[64];

	notify_at(in_dir("notify"));
	unlink(in_dir("notify"));
	snprintf(name, sizeof(name), "@vnet-sd-test-%d", getpid());
	notify_at(name);
}

static void
no_manager(void **state UNUSED)
{
	char longpath[200];

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sd_notify_open(), -1);
	assert_int_equal(sd_notify_send(-1, "READY=1"), 0);
	memset(longpath, 'x', sizeof(longpath) - 1);
	longpath[0] = '/';
	longpath[sizeof(longpath) - 1] = '\0';
	const char *const bad[] = {"",      "/", "@", "relative", "vsock:2:1", "/nowhere/at/all",
				   longpath};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		assert_int_equal(sd_notify_open(), -1);
		assert_null(getenv("NOTIFY_SOCKET"));
	}
}

/* Runs in a child that has the given descriptors as 3, 4, ...: the result is its exit status. */
static int
in_child(const int *fds, int n, int (*check)(int n))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		char text[16];

		for (int i = 0; i < n; i++)
			dup2(fds[i], 100 + i);
		for (int i = 0; i < n; i++)
			dup2(100 + i, 3 + i);
		fd_close_from(3 + n);
		snprintf(text, sizeof(text), "%d", getpid());
		setenv("LISTEN_PID", text, 1);
		snprintf(text, sizeof(text), "%d", n);
		setenv("LISTEN_FDS", text, 1);
		setenv("LISTEN_FDNAMES", "a:b", 1);
		_exit(check(n));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int
third_is_ours(int n)
{
	int fd = sd_listen_seqpacket(in_dir("ours"));

	if (fd != 5 || fcntl(fd, F_GETFD) != FD_CLOEXEC || !(fcntl(fd, F_GETFL) & O_NONBLOCK))
		return 1;
	for (int i = 3; i < 3 + n; i++)
		if (i != fd && is_open(i))
			return 2;
	if (getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES"))
		return 3;
	return 0;
}

static int
none_is_ours(int n)
{
	if (sd_listen_seqpacket(in_dir("ours")) != -1)
		return 1;
	for (int i = 3; i < 3 + n; i++)
		if (is_open(i))
			return 2;
	return 0;
}

static int
pid_is_anothers(int n)
{
	setenv("LISTEN_PID", "1", 1);
	if (sd_listen_seqpacket(in_dir("ours")) != -1 || getenv("LISTEN_FDS"))
		return 1;
	for (int i = 3; i < 3 + n; i++)
		if (!is_open(i))
			return 2;
	return 0;
}

static int
numbers_are_nonsense(int n UNUSED)
{
	static const char *const bad[] = {"",           "-1", "x", "99999999999999999999",
					  "2147483647", "1x"};
	int found = 0;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", bad[i], 1);
		found += sd_listen_seqpacket(in_dir("ours")) != -1;
	}
	return found;
}

static void
listening_socket(void **state UNUSED)
{
	int stream, other, ours, idle, file, fds[5];

	stream = bound(SOCK_STREAM, in_dir("stream"));
	other = bound(SOCK_SEQPACKET, in_dir("other"));
	ours = bound(SOCK_SEQPACKET, in_dir("ours"));
	idle = bound(SOCK_SEQPACKET, in_dir("idle"));
	file = fd_memfd("f", "x", 1);
	assert_int_equal(listen(stream, 1) | listen(other, 1) | listen(ours, 1), 0);

	memcpy(fds, (int[]){stream, other, ours, idle, file}, sizeof(fds));
	assert_int_equal(in_child(fds, 5, third_is_ours), 0);
	assert_int_equal(in_child(fds, 2, none_is_ours), 0);
	assert_int_equal(in_child(fds, 3, pid_is_anothers), 0);
	assert_int_equal(in_child(fds, 1, numbers_are_nonsense), 0);
	/* Bound to the right path but not listening. */
	unlink(in_dir("ours"));
	fds[0] = bound(SOCK_SEQPACKET, in_dir("ours"));
	assert_int_equal(in_child(fds, 1, none_is_ours), 0);
	close(fds[0]);
	close(stream);
	close(other);
	close(ours);
	close(idle);
	close(file);
}

static int
make_dir(void **state UNUSED)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state UNUSED)
{
	static const char *const names[] = {"notify", "stream", "other", "ours", "idle"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notify),
	    cmocka_unit_test(no_manager),
	    cmocka_unit_test(listening_socket),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
