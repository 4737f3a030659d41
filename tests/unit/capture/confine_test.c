/* SPDX-License-Identifier: GPL-2.0-or-later
 * confine_test.c - what vnet-capture can do once its last filter is loaded, with a socket in the packet socket's place.
 *
 * Each attempt is a process of its own, since a build with seccomp-kill ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sandbox.h"
#include "lib/util.h"

enum { NOT_READY = 99, CLIENT = 4 };

/* 0: it worked. */
typedef int attempt_fn(void);

static int
failed(long r)
{
	return r < 0 ? errno : 0;
}

static int
send_by_write(void)
{
	return failed(write(SANDBOX_PACKET_FD, "x", 1));
}

/* The kernel takes the lower half of the number. */
static int
send_by_wide_write(void)
{
	return failed(syscall(SYS_write, 1ul << 32 | SANDBOX_PACKET_FD, "x", 1ul));
}

static int
send_by_send(void)
{
	return failed(send(SANDBOX_PACKET_FD, "x", 1, 0));
}

static int
send_by_sendmsg(void)
{
	struct iovec iov = {(char[]){"x"}, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	return failed(sendmsg(SANDBOX_PACKET_FD, &m, 0));
}

static int
send_by_writev(void)
{
	struct iovec iov = {(char[]){"x"}, 1};

	return failed(writev(SANDBOX_PACKET_FD, &iov, 1));
}

static int
hand_it_over(void)
{
	const int fd = SANDBOX_PACKET_FD;

	return -fd_sendmsg(CLIENT, "x", 1, &fd, 1);
}

static int
renumber(void)
{
	return failed(dup(SANDBOX_PACKET_FD));
}

static int
renumber_by_fcntl(void)
{
	return failed(fcntl(SANDBOX_PACKET_FD, F_DUPFD, 0));
}

static int
bind_it(void)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};

	return failed(bind(SANDBOX_PACKET_FD, (struct sockaddr *)&ss, sizeof(sa_family_t)));
}

static int
set_it_up(void)
{
	return failed(
	    setsockopt(SANDBOX_PACKET_FD, SOL_SOCKET, SO_DETACH_FILTER, &(int){1}, sizeof(int)));
}

static int
read_it(void)
{
	char c;

	return failed(read(SANDBOX_PACKET_FD, &c, 1));
}

static int
open_a_file(void)
{
	return failed(open("/dev/null", O_RDONLY));
}

static int
open_a_socket(void)
{
	return failed(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int
execute(void)
{
	return failed(execl("/bin/true", "true", NULL));
}

static int
signal_priv(void)
{
	return failed(kill(getppid(), 0));
}

static const struct {
	const char *what;
	attempt_fn *try;
} refused[] = {
    {"write", send_by_write},   {"write with a wide number", send_by_wide_write},
    {"send", send_by_send},     {"sendmsg", send_by_sendmsg},
    {"writev", send_by_writev}, {"pass the socket on", hand_it_over},
    {"dup", renumber},          {"fcntl", renumber_by_fcntl},
    {"bind", bind_it},          {"setsockopt", set_it_up},
    {"read", read_it},          {"open", open_a_file},
    {"socket", open_a_socket},  {"exec", execute},
    {"kill", signal_priv},
};

static int
write_to_the_client(void)
{
	return failed(write(CLIENT, "x", 1));
}

static int
cut_a_file(void)
{
	/* Standard output of this process is a pipe or a terminal: the call is let through and fails there. */
	return ftruncate(1, 0) < 0 && errno == EPERM ? EPERM : 0;
}

static int
ask_for_counts(void)
{
	int v;
	socklen_t len = sizeof(v);

	return failed(getsockopt(SANDBOX_PACKET_FD, SOL_SOCKET, SO_ERROR, &v, &len));
}

static int
wait_for_frames(void)
{
	struct pollfd p = {.fd = SANDBOX_PACKET_FD, .events = POLLIN};

	return failed(poll(&p, 1, 0));
}

static const struct {
	const char *what;
	attempt_fn *try;
} allowed[] = {
    {"write to the client", write_to_the_client},
    {"cut a file", cut_a_file},
    {"counts", ask_for_counts},
    {"poll", wait_for_frames},
};

/* How the attempt ends: an errno, NOT_READY, or -1 for a death by the filter. */
static int
outcome(attempt_fn *try)
{
	int pair[2], client[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, client), 0);
	assert_int_equal(write(pair[1], "frame", 5), 5);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(pair[0], SANDBOX_PACKET_FD) < 0 || dup2(client[0], CLIENT) < 0 ||
		    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    sandbox_seccomp(SANDBOX_PACKET_RING) < 0 || sandbox_seccomp_capture() < 0)
			_exit(NOT_READY);
		_exit(try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; i < 2; i++) {
		close(pair[i]);
		close(client[i]);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_READY;
}

static void
it_can_neither_send_nor_open_nor_pass_on(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int r = outcome(refused[i].try);

		if (r != EPERM && r != -1)
			fail_msg("%s: %d", refused[i].what, r);
	}
}

static void
it_can_do_its_work(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		int r = outcome(allowed[i].try);

		if (r != 0)
			fail_msg("%s: %d", allowed[i].what, r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_can_neither_send_nor_open_nor_pass_on),
	    cmocka_unit_test(it_can_do_its_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
