/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd_test.c - descriptors are closed once, passed whole, and never leak on the ways that refuse.
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "tests/unit/open_fds.h"

static int
null_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
close_keeps_errno_and_take_moves(void **state UNUSED)
{
	int before = open_fds(), fd = null_fd(), none = -1;

	errno = EBUSY;
	fd_close(&none);
	assert_int_equal(none, -1);
	assert_int_equal(fd_take(&none), -1);
	{
		AUTO_FD scoped = fd;
		int out = fd_take(&scoped);

		assert_int_equal(scoped, -1);
		assert_int_equal(out, fd);
	}
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	{
		AUTO_FD scoped UNUSED = fd;
	}
	assert_int_equal(errno, EBUSY);
	assert_int_equal(open_fds(), before);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	errno = 0;
}

static void
datagrams_keep_their_borders(void **state UNUSED)
{
	int s[2], fds[FD_PASS_MAX];
	char buf[8];
	size_t nfds = 99;

	assert_int_equal(fd_seqpacket_pair(s), 0);
	assert_int_equal(fcntl(s[0], F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(s[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), -EAGAIN);
	assert_int_equal(nfds, 0);
	assert_int_equal(fd_sendmsg(s[0], "ab", 2, NULL, 0), 0);
	assert_int_equal(fd_sendmsg(s[0], "cde", 3, NULL, 0), 0);
	assert_int_equal(fd_sendmsg(s[0], "", 0, NULL, 0), -EINVAL);
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), 2);
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), 3);
	assert_memory_equal(buf, "cde", 3);
	assert_int_equal(fd_sendmsg(s[0], "123456789", 9, NULL, 0), 0);
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), -EMSGSIZE);
	close(s[0]);
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), 0);
	assert_int_equal(fd_sendmsg(s[1], "x", 1, NULL, 0), -EPIPE);
	close(s[1]);
}

static void
descriptors_travel_in_order(void **state UNUSED)
{
	int before = open_fds(), s[2], out[FD_PASS_MAX], in[FD_PASS_MAX];
	char buf[8];

	assert_int_equal(fd_seqpacket_pair(s), 0);
	for (size_t n = 1; n <= FD_PASS_MAX; n++) {
		size_t nfds;

		for (size_t i = 0; i < n; i++) {
			out[i] = fd_memfd("t", &i, sizeof(i));
			assert_true(out[i] >= 0);
		}
		assert_int_equal(fd_sendmsg(s[0], "m", 1, out, n), 0);
		for (size_t i = 0; i < n; i++)
			close(out[i]);
		assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), in, &nfds), 1);
		assert_int_equal(nfds, n);
		for (size_t i = 0; i < n; i++) {
			size_t v;

			assert_int_equal(fcntl(in[i], F_GETFD), FD_CLOEXEC);
			assert_int_equal(read(in[i], &v, sizeof(v)), sizeof(v));
			assert_int_equal(v, i);
			close(in[i]);
		}
	}
	assert_int_equal(fd_sendmsg(s[0], "m", 1, out, FD_PASS_MAX + 1), -EINVAL);
	close(s[0]);
	close(s[1]);
	assert_int_equal(open_fds(), before);
}

/* Sends n descriptors past fd_sendmsg()'s own check. */
static void
send_raw(int sock, size_t len, size_t n)
{
	static const char data[64];
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(64 * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	int fd = null_fd();

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(cm) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(sock, &mh, 0), len);
	close(fd);
}

static void
too_many_descriptors_are_all_closed(void **state UNUSED)
{
	int before = open_fds(), s[2], fds[FD_PASS_MAX];
	char buf[8];
	size_t nfds = 99;

	assert_int_equal(fd_seqpacket_pair(s), 0);
	send_raw(s[0], 1, FD_PASS_MAX + 1);
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), -EMSGSIZE);
	assert_int_equal(nfds, 0);
	send_raw(s[0], sizeof(buf) + 1, 3); /* too long, with descriptors */
	assert_int_equal(fd_recvmsg(s[1], buf, sizeof(buf), fds, &nfds), -EMSGSIZE);
	assert_int_equal(nfds, 0);
	close(s[0]);
	close(s[1]);
	assert_int_equal(open_fds(), before);
}

static void
a_full_socket_says_again(void **state UNUSED)
{
	static const char data[4096];
	int s[2], r, n = 0;

	assert_int_equal(fd_seqpacket_pair(s), 0);
	fcntl(s[0], F_SETFL, 0); /* even when the socket would block */
	while ((r = fd_sendmsg(s[0], data, sizeof(data), NULL, 0)) == 0)
		n++;
	assert_int_equal(r, -EAGAIN);
	assert_true(n > 1);
	close(s[0]);
	close(s[1]);
}

static void
memfd_is_sealed_and_at_its_start(void **state UNUSED)
{
	char buf[16], *all = NULL;
	int fd = fd_memfd("conf", "hello", 5);

	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_read_all(fd, &all, 5), 5); /* wherever the position is */
	assert_string_equal(all, "hello");
	free(all);
	close(fd);
	fd = fd_memfd("empty", NULL, 0);
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, &all, 0), 0);
	assert_string_equal(all, "");
	free(all);
	close(fd);
}

static void
read_all_around_its_limits(void **state UNUSED)
{
	static char data[20001];
	char *all;
	int p[2];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	for (size_t len = 4090; len < 20000; len = len < 4100 ? len + 1 : len + 3001) {
		int fd = fd_memfd("x", data, len);

		assert_int_equal(fd_read_all(fd, &all, len), len);
		assert_memory_equal(all, data, len);
		assert_int_equal(all[len], '\0');
		free(all);
		assert_int_equal(fd_read_all(fd, &all, len - 1), -EFBIG);
		assert_int_equal(fd_read_all(fd, &all, SIZE_MAX), len);
		free(all);
		close(fd);
	}
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fd_read_all(p[0], &all, 10), -ESPIPE);
	close(p[0]);
	close(p[1]);
	assert_int_equal(fd_read_all(-1, &all, 10), -EBADF);
}

static void
close_from_leaves_the_lower_ones(void **state UNUSED)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(1, 40);
		dup2(1, 50);
		dup2(1, 51);
		fd_close_from(50);
		_exit(fcntl(40, F_GETFD) >= 0 && fcntl(50, F_GETFD) < 0 && fcntl(51, F_GETFD) < 0
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(close_keeps_errno_and_take_moves),
	    cmocka_unit_test(datagrams_keep_their_borders),
	    cmocka_unit_test(descriptors_travel_in_order),
	    cmocka_unit_test(too_many_descriptors_are_all_closed),
	    cmocka_unit_test(a_full_socket_says_again),
	    cmocka_unit_test(memfd_is_sealed_and_at_its_start),
	    cmocka_unit_test(read_all_around_its_limits),
	    cmocka_unit_test(close_from_leaves_the_lower_ones),
	};

	return T_RUN(tests);
}
