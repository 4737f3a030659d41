/* SPDX-License-Identifier: GPL-2.0-or-later
 * bridge_helper_test.c - vnet-bridge-helper as QEMU runs it: one byte and one descriptor, or a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_vnetd.h"
#include "lib/fd.h"
#include "lib/util.h"
#include "tool_run.h"

static struct fake vnetd;
static struct tool t;

/* QEMU's side of the socket, and the helper's, which it finds in --fd. */
static int qemu, theirs;
static char fd_option[32], run_option[96];

static int
start(void **state UNUSED)
{
	int pair[2];

	fake_start(&vnetd, FAKE_ANSWERS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	qemu = pair[0];
	theirs = pair[1];
	snprintf(fd_option, sizeof(fd_option), "--fd=%d", theirs);
	snprintf(run_option, sizeof(run_option), "--run-dir=%s", vnetd.dir);
	return 0;
}

static int
stop(void **state UNUSED)
{
	fake_stop(&vnetd);
	close(qemu);
	close(theirs);
	return 0;
}

#define HELPER(...)                                                                                \
	tool_run(&t, (const char *const[]){"vnet-bridge-helper", __VA_ARGS__, NULL},               \
		 &(struct tool_how){.inherit = theirs})

/* Takes what QEMU would take: exactly one byte with one descriptor. The tap's text. */
static void
receive(char text[32])
{
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	char bytes[8];
	ssize_t n;

	n = fd_recvmsg(qemu, bytes, sizeof(bytes), fds, &nfds);
	assert_int_equal(n, 1);
	assert_int_equal(nfds, 1);
	n = pread(fds[0], text, 31, 0);
	assert_true(n > 0);
	text[n] = '\0';
	close(fds[0]);
}

static void
received_nothing(void)
{
	int fds[FD_PASS_MAX];
	size_t nfds = 0;
	char bytes[8];

	assert_true(fd_recvmsg(qemu, bytes, sizeof(bytes), fds, &nfds) < 0);
}

static void
qemus_own_words(void **state UNUSED)
{
	char text[32];

	/* The order of QEMU 7.2, with our options where a helper= string puts them. */
	HELPER(run_option, "--use-vnet", fd_option, "--br=vmnet8");
	assert_string_equal(t.err, "");
	assert_string_equal(t.out, "");
	assert_int_equal(t.status, 0);
	receive(text);
	assert_string_equal(text, "tap 0 vnet_hdr\n");
}

static void
any_order_and_the_guests_address(void **state UNUSED)
{
	char text[32];

	HELPER("--mac=52:54:00:12:34:56", "--name", "web1", "--br=vmnet8", fd_option, run_option);
	assert_int_equal(t.status, 0);
	receive(text);
	assert_string_equal(text, "tap 0\n");
}

static void
refusals_reach_the_user(void **state UNUSED)
{
	HELPER(run_option, "--use-vnet", fd_option, "--br=vmnet66");
	assert_string_equal(t.err, "vnet-bridge-helper: you may not attach to vmnet66\n");
	assert_int_equal(t.status, 1);
	received_nothing();
}

static void
wrong_words_exit_2(void **state UNUSED)
{
	HELPER(run_option, "--use-vnet", fd_option, "--br=virbr0");
	assert_non_null(strstr(t.err, "\"virbr0\" is not a network"));
	assert_int_equal(t.status, 2);
	HELPER(run_option, fd_option);
	assert_int_equal(t.status, 2);
	HELPER(run_option, "--br=vmnet8");
	assert_int_equal(t.status, 2);
	HELPER(run_option, "--br=vmnet8", "--fd=2");
	assert_non_null(strstr(t.err, "--fd=2 is not an open socket"));
	assert_int_equal(t.status, 2);
	HELPER(run_option, "--br=vmnet8", "--fd=999");
	assert_int_equal(t.status, 2);
	HELPER(run_option, "--br=vmnet8", fd_option, "--mac=ff:ff:ff:ff:ff:ff");
	assert_int_equal(t.status, 2);
	HELPER(run_option, "--br=vmnet8", fd_option, "--mca=52:54:00:12:34:56");
	assert_non_null(strstr(t.err, "did you mean \"--mac\"?"));
	assert_int_equal(t.status, 2);
	HELPER(run_option, "--br=vmnet8", fd_option, "x");
	assert_int_equal(t.status, 2);
	received_nothing();
}

static void
without_vnetd(void **state UNUSED)
{
	HELPER("--run-dir=/nonexistent", "--br=vmnet8", fd_option);
	assert_non_null(strstr(t.err, "vnet-bridge-helper: vnetd does not run"));
	assert_int_equal(t.status, 3);
	received_nothing();
}

static void
outside_of_the_group(void **state UNUSED)
{
	const char *const argv[] = {"vnet-bridge-helper", run_option, "--br=vmnet8", fd_option,
				    NULL};
	char path[128];

	snprintf(path, sizeof(path), "%s/vnetd.sock", vnetd.dir);
	assert_int_equal(chmod(path, 0), 0);
	tool_run(&t, argv, &(struct tool_how){.inherit = theirs, .nobody = true});
	chmod(path, 0600);
	assert_non_null(strstr(t.err, "members of group vnet"));
	assert_non_null(strstr(t.err, "log in again (or type: newgrp vnet)"));
	assert_int_equal(t.status, 1);
	received_nothing();
}

static void
a_qemu_that_has_gone(void **state UNUSED)
{
	int pair[2];
	char option[32];
	const char *const argv[] = {"vnet-bridge-helper", run_option, "--br=vmnet8", option, NULL};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[0]);
	snprintf(option, sizeof(option), "--fd=%d", pair[1]);
	tool_run(&t, argv, &(struct tool_how){.inherit = pair[1]});
	close(pair[1]);
	assert_non_null(strstr(t.err, "cannot hand the tap to QEMU"));
	assert_int_equal(t.status, 1);
}

static void
help_and_version(void **state UNUSED)
{
	HELPER("--help");
	assert_int_equal(t.status, 0);
	assert_non_null(strstr(t.out, "-netdev bridge,id=n0,br=vmnet8,helper="));
	HELPER("--version");
	assert_int_equal(t.status, 0);
	assert_int_equal(strncmp(t.out, "vnet-bridge-helper ", 19), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(qemus_own_words),
	    cmocka_unit_test(any_order_and_the_guests_address),
	    cmocka_unit_test(refusals_reach_the_user),
	    cmocka_unit_test(wrong_words_exit_2),
	    cmocka_unit_test(without_vnetd),
	    cmocka_unit_test(outside_of_the_group),
	    cmocka_unit_test(a_qemu_that_has_gone),
	    cmocka_unit_test(help_and_version),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
